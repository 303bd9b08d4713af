//! `firstboot`: whether the new system asks questions when it first starts.

use super::command::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `firstboot`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Firstboot {
    /// The command line.
    pub span: Span,
    /// The mode; `None` if the line does not say.
    pub mode: Option<FirstbootMode>,
}

/// Whether the new system asks questions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FirstbootMode {
    /// `--enabled`.
    Enabled,
    /// `--disabled`.
    Disabled,
    /// `--reconfig`: everything, again.
    Reconfig,
}

const MODES: &[&str] = &["--enabled", "--disabled", "--reconfig"];

const SPEC: Spec =
    Spec::new("firstboot").doc("Says whether the installed system asks questions when it first starts.").options(&[
        flag("--disabled").or(&["--disable"]).doc("ask nothing"),
        flag("--enabled").or(&["--enable"]).doc("ask what the installation left open"),
        flag("--reconfig").doc("ask everything again: for machines that are sold, or handed on"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, MODES);
    kickstart.firstboot = Some(Firstboot {
        span: args.span,
        mode: args.last_of(MODES).map(|g| match g.name {
            "--enabled" => FirstbootMode::Enabled,
            "--reconfig" => FirstbootMode::Reconfig,
            _ => FirstbootMode::Disabled,
        }),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    match kickstart.firstboot.as_ref().and_then(|firstboot| firstboot.mode) {
        Some(FirstbootMode::Enabled) => pen.line("# Run the Setup Agent on first boot").line("firstboot --enable"),
        Some(FirstbootMode::Reconfig) => pen.line("# Run the Setup Agent on first boot").line("firstboot --reconfig"),
        Some(FirstbootMode::Disabled) => pen.line("firstboot --disable"),
        None => pen,
    };
}

#[cfg(test)]
mod tests {
    use super::FirstbootMode;
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

    #[test]
    fn modes() {
        let mode = |text| good(text).firstboot.unwrap().mode;
        assert_eq!(mode("firstboot --disable"), Some(FirstbootMode::Disabled));
        assert_eq!(mode("firstboot --enabled"), Some(FirstbootMode::Enabled));
        assert_eq!(mode("firstboot --reconfig"), Some(FirstbootMode::Reconfig));
        assert_eq!(mode("firstboot"), None);
        // A later line starts afresh.
        assert_eq!(read_as(Syntax::F44, "firstboot --reconfig\nfirstboot").0.firstboot.unwrap().mode, None);
        let written = |text| good(text).to_pykickstart(Syntax::F44);
        assert!(written("firstboot --disabled").contains("\nfirstboot --disable\n"));
        assert!(
            written("firstboot --reconfig").contains("# Run the Setup Agent on first boot\nfirstboot --reconfig\n")
        );
        assert!(!written("firstboot").contains("firstboot"));
        check(&[("firstboot --enable=x", &["E206"]), ("firstboot x", &["E209"])]);
    }
}

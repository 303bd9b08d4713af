//! `firstboot`: whether the new system asks questions when it first starts.

use super::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
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

const SPEC: Spec = Spec::new("firstboot").options(&[
    flag("--disabled").or(&["--disable"]).sticky(),
    flag("--enabled").or(&["--enable"]).sticky(),
    flag("--reconfig").sticky(),
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

#[cfg(test)]
mod tests {
    use super::FirstbootMode;
    use crate::commands::testing::{check, good};

    #[test]
    fn modes() {
        let mode = |text| good(text).firstboot.unwrap().mode;
        assert_eq!(mode("firstboot --disable"), Some(FirstbootMode::Disabled));
        assert_eq!(mode("firstboot --enabled"), Some(FirstbootMode::Enabled));
        assert_eq!(mode("firstboot --reconfig"), Some(FirstbootMode::Reconfig));
        assert_eq!(mode("firstboot"), None);
        check(&[("firstboot --enable=x", &["E206"]), ("firstboot x", &["E209"])]);
    }
}

//! `rescue`: a shell on the machine instead of an installation.

use super::command::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `rescue`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rescue {
    /// The command line.
    pub span: Span,
    /// `--nomount`: do not mount the installed system.
    pub no_mount: bool,
    /// `--romount`: mount it read-only.
    pub read_only: bool,
}

const SPEC: Spec =
    Spec::new("rescue").doc("Installs nothing, but opens a shell to repair the installed system with.").options(&[
        flag("--nomount").doc("do not mount the installed system"),
        flag("--romount").doc("mount the installed system read-only"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let rescue = Rescue { span: args.span, no_mount: args.flag("--nomount"), read_only: args.flag("--romount") };
    if rescue.no_mount && rescue.read_only {
        let message = "`--romount` cannot be used together with `--nomount`";
        cx.report(Diagnostic::new(&codes::OPTIONS_EXCLUDE, args.span, message));
    }
    kickstart.rescue = Some(rescue);
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(rescue) = &kickstart.rescue {
        pen.line("# Start rescue mode").text("rescue");
        pen.flag("--nomount", rescue.no_mount).flag("--romount", rescue.read_only).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

    #[test]
    fn mounts() {
        let written = |text| good(text).to_pykickstart(Syntax::F44);
        assert!(written("rescue").contains("# Start rescue mode\nrescue\n"));
        assert!(written("rescue --romount").contains("\nrescue --romount\n"));
        assert!(!read_as(Syntax::F44, "rescue --nomount\nrescue").0.rescue.unwrap().no_mount);
        check(&[("rescue --nomount --romount", &["E214"]), ("rescue x", &["E209"])]);
    }
}

//! `ignoredisk`: which disks the installer may see.

use super::command::Command;
use crate::args::spec::{ALL, NO, Spec, flag, list};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::Syntax;

/// `ignoredisk`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ignoredisk {
    /// The command line.
    pub span: Span,
    /// `--only-use`: these and no others.
    pub only_use: Vec<String>,
    /// `--drives`: all but these.
    pub drives: Vec<String>,
    /// `--interactive`: ask which.
    pub interactive: bool,
}

const SPEC: Spec = Spec::new("ignoredisk").doc("Which disks the installer may see.").options(&[
    list("--drives").doc("all disks but these, separated by commas"),
    list("--only-use").doc("these disks and no others, separated by commas"),
    flag("--interactive").deprecated(8, NO).removed(9, ALL).doc("ask which disks to use"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let ignoredisk = Ignoredisk {
        span: args.span,
        only_use: args.list("--only-use"),
        drives: args.list("--drives"),
        interactive: args.flag("--interactive"),
    };
    check(&ignoredisk, args, cx);
    if !(ignoredisk.only_use.is_empty() && ignoredisk.drives.is_empty()) || ignoredisk.interactive {
        kickstart.ignoredisk = Some(ignoredisk);
    }
}

/// One way must be left when this line and the earlier ones are taken together; an empty list is none.
fn check(ignoredisk: &Ignoredisk, args: &Args, cx: &mut Cx<'_>) {
    let ways = [
        ("--drives", !ignoredisk.drives.is_empty()),
        ("--only-use", !ignoredisk.only_use.is_empty()),
        // Where it is deprecated it is no way any more.
        ("--interactive", ignoredisk.interactive && cx.syntax == Syntax::Rhel7),
    ];
    let given: Vec<&'static str> = ways.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    match given.as_slice() {
        [] if !args.broken => {
            let message = "`ignoredisk` needs `--only-use` or `--drives`, with a disk";
            cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, message));
        }
        [] | [_] => {}
        [one, others @ ..] => others.iter().for_each(|other| args.exclude(cx, one, other)),
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(ignoredisk) = &kickstart.ignoredisk else { return };
    pen.text("ignoredisk");
    if ignoredisk.interactive {
        pen.word("--interactive");
    } else if ignoredisk.drives.is_empty() {
        pen.list("--only-use", &ignoredisk.only_use);
    } else {
        pen.list("--drives", &ignoredisk.drives);
    }
    pen.end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, read_as};

    #[test]
    fn either_way() {
        let i = good("ignoredisk --only-use=sda,nvme0n1").ignoredisk.unwrap();
        assert_eq!(i.only_use, ["sda", "nvme0n1"]);
        let i = good("ignoredisk --drives sdb").ignoredisk.unwrap();
        assert_eq!(i.drives, ["sdb"]);
        let i = good("ignoredisk --drives= --only-use=sda").ignoredisk.unwrap();
        assert_eq!(i.only_use, ["sda"]);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("ignoredisk", &["E207"]),
            ("ignoredisk --drives", &["E205"]),
            ("ignoredisk --drives=", &["E207"]),
            ("ignoredisk --drives=a --only-use=b", &["E214"]),
            ("ignoredisk --drives=a\nignoredisk --only-use=b", &["E214"]),
            ("ignoredisk --drives=a\nignoredisk", &[]),
            ("ignoredisk --interactive", &["E203"]),
        ]);
    }

    #[test]
    fn asking_is_a_way_only_in_the_oldest_version() {
        check_versions(&[
            (Syntax::Rhel7, "ignoredisk --interactive", &[]),
            (Syntax::Rhel7, "ignoredisk --interactive --drives=a", &["E214"]),
            (Syntax::Rhel7, "ignoredisk --interactive\nignoredisk --drives=a", &[]),
            (Syntax::Rhel8, "ignoredisk --interactive", &["E207", "W201"]),
            (Syntax::Rhel8, "ignoredisk --interactive --drives=a", &["W201"]),
        ]);
        let (kickstart, _) = read_as(Syntax::Rhel8, "ignoredisk --interactive --drives=a");
        let text = kickstart.to_pykickstart(Syntax::Rhel8);
        assert!(text.contains("ignoredisk --interactive\n"), "{text}");
    }
}

//! `ignoredisk`: which disks the installer may see.

use super::Command;
use crate::args::spec::{ALL, NO, Spec, flag, list};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
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
}

const SPEC: Spec = Spec::new("ignoredisk").options(&[
    list("--drives"),
    list("--only-use"),
    flag("--interactive").deprecated(8, NO).removed(9, ALL),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let ways = ["--drives", "--only-use", "--interactive"];
    let given = ways.iter().filter(|w| args.flag(w)).count();
    if given == 0 && !args.broken {
        cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, "`ignoredisk` needs `--only-use` or `--drives`"));
        return;
    }
    args.exclude(cx, "--drives", "--only-use");
    if cx.syntax == Syntax::Rhel7 {
        args.exclude(cx, "--interactive", "--drives");
        args.exclude(cx, "--interactive", "--only-use");
    }
    kickstart.ignoredisk =
        Some(Ignoredisk { span: args.span, only_use: args.list("--only-use"), drives: args.list("--drives") });
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};

    #[test]
    fn either_way() {
        let i = good("ignoredisk --only-use=sda,nvme0n1").ignoredisk.unwrap();
        assert_eq!(i.only_use, ["sda", "nvme0n1"]);
        let i = good("ignoredisk --drives sdb").ignoredisk.unwrap();
        assert_eq!(i.drives, ["sdb"]);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("ignoredisk", &["E207"]),
            ("ignoredisk --drives", &["E205"]),
            ("ignoredisk --drives=a --only-use=b", &["E214"]),
            ("ignoredisk --interactive", &["E203"]),
        ]);
    }
}

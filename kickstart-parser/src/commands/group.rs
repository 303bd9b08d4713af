//! `group`: a group of users.

use super::command::Command;
use crate::args::spec::{Spec, int, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `group`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The command line.
    pub span: Span,
    /// `--name`.
    pub name: String,
    /// `--gid`.
    pub gid: Option<i64>,
}

const SPEC: Spec = Spec::new("group").doc("Creates a group of users.").repeatable().options(&[
    text("--name").required().doc("the name of the group"),
    int("--gid").doc("its number; else the next one that is free"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let Some(name) = args.text("--name") {
        cx.define_once("group", &[&name], args.span, &format!("the group `{name}`"));
        kickstart.groups.push(Group { span: args.span, name, gid: args.int("--gid") });
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for group in &kickstart.groups {
        pen.text("group").option("--name", Some(&group.name).filter(|name| !name.is_empty()));
        pen.option("--gid", group.gid.filter(|gid| *gid != 0)).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

    #[test]
    fn groups() {
        let kickstart = good("group --name=a --gid=500\ngroup --name=b --gid=0");
        assert_eq!((kickstart.groups[0].gid, kickstart.groups[1].gid), (Some(500), Some(0)));
        let written = kickstart.to_pykickstart(Syntax::F44);
        assert!(written.contains("group --name=a --gid=500\ngroup --name=b\n"), "{written}");
        let parsed = crate::parse("group --name=a\ngroup --name=a", "a.ks", &crate::ParseOptions::default());
        assert!(parsed.diagnostics.iter().any(|d| d.code == "L012"));
        assert_eq!(read_as(Syntax::F44, "group --name=a\ngroup --name=a").0.groups.len(), 2);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("group", &["E207"]),
            ("group --gid=5", &["E207"]),
            ("group --name=a --gid=x", &["E210"]),
            ("group --name=a b", &["E209"]),
        ]);
    }
}

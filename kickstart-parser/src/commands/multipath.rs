//! `multipath`: a disk that is reached on several ways, in the oldest version.

use super::command::Command;
use crate::args::spec::{ALL, NO, Spec, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `multipath`: one of the ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Multipath {
    /// The command line.
    pub span: Span,
    /// `--name`: the disk.
    pub name: String,
    /// `--device`: a way to it.
    pub device: String,
    /// `--rule`: how it is used.
    pub rule: String,
}

const SPEC: Spec = Spec::new("multipath")
    .doc("Names a way to a disk that is reached on several.")
    .deprecated(8, NO)
    .removed(9, ALL)
    .repeatable()
    .options(&[
        text("--name").required().doc("the name of the disk"),
        text("--device").required().doc("a device that leads to it"),
        text("--rule").required().doc("how the device is used"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let (Some(name), Some(device), Some(rule)) = (args.text("--name"), args.text("--device"), args.text("--rule"))
    else {
        return;
    };
    if let Some(before) = cx.define("multipath", &[&device], args.span) {
        let message = format!("`{device}` leads to one disk already");
        cx.report(Diagnostic::new(&codes::NAME_TAKEN, args.span, message).label(before, "it is used here"));
        return;
    }
    kickstart.multipaths.push(Multipath { span: args.span, name, device, rule });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for path in &kickstart.multipaths {
        pen.text("multipath")
            .option("--name", Some(&path.name))
            .option("--device", Some(&path.device))
            .quoted("--rule", Some(&path.rule))
            .end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn ways_to_a_disk() {
        let text = "multipath --name=m --device=a --rule=\"x y\"\nmultipath --name=m --device=b --rule=";
        let (kickstart, codes) = read_as(Syntax::Rhel7, text);
        assert!(codes.is_empty(), "{codes:?}");
        let written = kickstart.to_pykickstart(Syntax::Rhel7);
        let lines = "\nmultipath --name=m --device=a --rule=\"x y\"\nmultipath --name=m --device=b --rule=\"\"\n";
        assert!(written.ends_with(lines), "{written}");
    }

    #[test]
    fn mistakes() {
        check_versions(&[
            (Syntax::Rhel7, "multipath --name=a --device=b", &["E207"]),
            (
                Syntax::Rhel7,
                "multipath --name=a --device=b --rule=c\nmultipath --name=d --device=b --rule=e",
                &["E217"],
            ),
            (Syntax::Rhel8, "multipath", &["W101"]),
            (Syntax::Rhel9, "multipath", &["E103"]),
        ]);
    }
}

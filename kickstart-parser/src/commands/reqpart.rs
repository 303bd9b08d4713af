//! `reqpart`: the partitions that the platform needs to boot.

use super::command::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `reqpart`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reqpart {
    /// The command line.
    pub span: Span,
    /// `--add-boot`: a `/boot` as well.
    pub add_boot: bool,
}

const SPEC: Spec = Spec::new("reqpart")
    .doc("Makes the partitions that the platform needs to boot.")
    .options(&[flag("--add-boot").doc("a /boot as well")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.reqpart = Some(Reqpart { span: args.span, add_boot: args.flag("--add-boot") });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(reqpart) = &kickstart.reqpart {
        pen.text("reqpart").flag("--add-boot", reqpart.add_boot).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};

    #[test]
    fn with_and_without_boot() {
        assert!(!good("reqpart").reqpart.unwrap().add_boot);
        assert!(good("reqpart --add-boot").reqpart.unwrap().add_boot);
        check(&[("reqpart --bogus", &["E201"]), ("reqpart x", &["E209"])]);
    }
}

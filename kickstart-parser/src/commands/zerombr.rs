//! `zerombr`: initialise disks whose partition table is unreadable.

use super::command::Command;
use crate::args::spec::Spec;
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `zerombr`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zerombr {
    /// The command line.
    pub span: Span,
}

const SPEC: Spec = Spec::new("zerombr").doc("Initialises disks whose partition table cannot be read.");

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.zerombr = Some(Zerombr { span: args.span });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.zerombr.is_some() {
        pen.line("# Clear the Master Boot Record").line("zerombr");
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};

    #[test]
    fn takes_nothing() {
        assert!(good("zerombr").zerombr.is_some());
        check(&[("zerombr yes", &["E209"]), ("zerombr --bad", &["E201"]), ("zerombr --", &["E209"])]);
    }
}

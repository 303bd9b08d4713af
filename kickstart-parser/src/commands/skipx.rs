//! `skipx`: the installed system gets no X server set up.

use super::command::Command;
use super::media::Bare;
use crate::args::spec::Spec;
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;

const SPEC: Spec = Spec::new("skipx").doc("Sets up no X Window System on the installed system.");

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.skipx = Some(Bare { span: args.span });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.skipx.is_some() {
        pen.line("# Do not configure the X Window System").line("skipx");
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn it_takes_nothing() {
        let written = good("skipx").to_pykickstart(Syntax::F44);
        assert!(written.contains("# Do not configure the X Window System\nskipx\n"), "{written}");
        check(&[("skipx x", &["E209"]), ("skipx --x", &["E201"])]);
    }
}

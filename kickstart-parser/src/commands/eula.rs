//! `eula`: the licence is agreed to.

use super::command::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `eula`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Eula {
    /// The command line.
    pub span: Span,
    /// `--agreed`.
    pub agreed: bool,
}

const SPEC: Spec =
    Spec::new("eula").doc("Agrees to the licence, so that no question is asked.").options(&[flag("--agreed")
        .or(&["--agree", "--accepted", "--accept"])
        .required()
        .doc("the licence is agreed to")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.eula = Some(Eula { span: args.span, agreed: args.flag("--agreed") });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.eula.as_ref().is_some_and(|eula| eula.agreed) {
        pen.line("# License agreement").line("eula --agreed");
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn all_spellings() {
        for word in ["--agreed", "--agree", "--accepted", "--accept"] {
            assert!(good(&format!("eula {word}")).eula.unwrap().agreed);
        }
        let written = good("eula --accept").to_pykickstart(Syntax::F44);
        assert!(written.contains("# License agreement\neula --agreed\n"), "{written}");
        check(&[("eula", &["E207"]), ("eula --agreed yes", &["E209"]), ("eula --a", &["E204"])]);
    }
}

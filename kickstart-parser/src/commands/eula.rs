//! `eula`: the licence is agreed to.

use super::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::span::Span;

/// `eula`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Eula {
    /// The command line.
    pub span: Span,
    /// `--agreed`.
    pub agreed: bool,
}

const SPEC: Spec = Spec::new("eula").options(&[flag("--agreed").or(&["--agree", "--accepted", "--accept"])]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.eula = Some(Eula { span: args.span, agreed: args.flag("--agreed") });
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};

    #[test]
    fn all_spellings() {
        for word in ["--agreed", "--agree", "--accepted", "--accept"] {
            assert!(good(&format!("eula {word}")).eula.unwrap().agreed);
        }
        assert!(!good("eula").eula.unwrap().agreed);
        check(&[("eula yes", &["E209"])]);
    }
}

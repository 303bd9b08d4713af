//! `authselect`: arguments for the program of that name.

use super::command::Command;
use crate::args::spec::{ALL, Spec, any};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::lex;
use crate::pen::Pen;
use crate::span::Span;

/// `authselect`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authselect {
    /// The command line.
    pub span: Span,
    /// What follows the name, as written: quotes and comment included.
    pub arguments: String,
}

impl Authselect {
    /// The arguments as words, without quotes and comment.
    pub fn words(&self) -> Vec<String> {
        match lex::words(&self.arguments) {
            Ok(words) => words.iter().map(|word| word.value.to_string()).collect(),
            // A line that cannot be read has been reported.
            Err(_) => Vec::new(),
        }
    }
}

const SPEC: Spec = Spec::new("authselect")
    .doc("Sets up how users are authenticated, with the arguments of authselect.")
    .since(8, ALL)
    .raw()
    .positionals(&[any("an argument of authselect")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.authselect = Some(Authselect { span: args.span, arguments: args.rest.clone() });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(authselect) = kickstart.authselect.as_ref().filter(|a| !a.arguments.is_empty()) {
        pen.line("# System authorization information").text("authselect").word(&authselect.arguments).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, good};

    #[test]
    fn the_line_is_taken_as_it_is() {
        let kickstart = good("authselect select sssd  with-mkhomedir # yes");
        assert_eq!(kickstart.authselect.as_ref().unwrap().arguments, "select sssd  with-mkhomedir # yes");
        let written = kickstart.to_pykickstart(Syntax::F44);
        assert!(written.contains("\nauthselect select sssd  with-mkhomedir # yes\n"), "{written}");
        check_versions(&[(Syntax::Rhel7, "authselect select", &["E102"]), (Syntax::Rhel8, "authselect", &[])]);
    }
}

//! `auth` and `authconfig`: arguments for authconfig, a program of the past.

use super::command::Command;
use crate::args::spec::{ALL, Spec, any};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::lex;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::Syntax;

/// `auth` or `authconfig`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Auth {
    /// The command line.
    pub span: Span,
    /// What follows the name, as written: quotes and comment included.
    pub arguments: String,
}

impl Auth {
    /// The arguments as words, without quotes and comment.
    pub fn words(&self) -> Vec<String> {
        match lex::words(&self.arguments) {
            Ok(words) => words.iter().map(|word| word.value.to_string()).collect(),
            // A line that cannot be read has been reported.
            Err(_) => Vec::new(),
        }
    }
}

const SPEC: Spec = Spec::new("auth")
    .doc("Sets up how users are authenticated, with the arguments of authconfig.")
    .removed(10, ALL)
    .raw()
    .positionals(&[any("an argument of authconfig")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    // It works all the same, so that the table must not call it deprecated.
    if matches!(cx.syntax, Syntax::Rhel8 | Syntax::Rhel9) {
        cx.report(
            Diagnostic::new(&codes::COMMAND_DEPRECATED, args.span, "`auth` is about to go").help("use `authselect`"),
        );
    }
    kickstart.auth = Some(Auth { span: args.span, arguments: args.rest.clone() });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(auth) = kickstart.auth.as_ref().filter(|auth| !auth.arguments.is_empty()) {
        pen.line("# System authorization information").text("auth").word(&auth.arguments).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn the_line_is_taken_as_it_is() {
        for (text, expected) in [
            ("auth --enableshadow  --passalgo=sha512", "--enableshadow  --passalgo=sha512"),
            ("  authconfig 'a b' # c ", "'a b' # c"),
            ("auth#x", "#x"),
            ("auth", ""),
        ] {
            let (kickstart, codes) = read_as(Syntax::Rhel7, text);
            assert_eq!((kickstart.auth.unwrap().arguments.as_str(), codes.len()), (expected, 0));
        }
    }

    #[test]
    fn the_last_line_counts_and_is_written_as_auth() {
        let (kickstart, _) = read_as(Syntax::Rhel7, "auth a\nauthconfig b c\n");
        assert!(kickstart.to_pykickstart(Syntax::Rhel7).contains("# System authorization information\nauth b c\n"));
        let (kickstart, _) = read_as(Syntax::Rhel7, "auth a\nauth\n");
        assert!(!kickstart.to_pykickstart(Syntax::Rhel7).contains("auth"));
    }

    #[test]
    fn versions() {
        check_versions(&[
            (Syntax::Rhel7, "auth a", &[]),
            (Syntax::Rhel8, "authconfig a", &["W101"]),
            (Syntax::Rhel10, "auth a", &["E103"]),
            (Syntax::F44, "authconfig a", &["E103"]),
        ]);
    }
}

//! `rootpw`: the password of root.

use super::Command;
use crate::args::spec::{Spec, flag, optional};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::secret::Secret;
use crate::span::Span;

/// `rootpw`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rootpw {
    /// The command line.
    pub span: Span,
    /// The password or its hash.
    pub password: Option<Secret>,
    /// `--iscrypted`: the password is a hash.
    pub is_crypted: bool,
    /// `--lock`: nobody can log in as root with a password.
    pub lock: bool,
    /// `--allow-ssh`: root may log in over ssh with the password.
    pub allow_ssh: bool,
}

const FORMS: &[&str] = &["--iscrypted", "--plaintext"];

const SPEC: Spec = Spec::new("rootpw")
    .secret()
    .options(&[flag("--iscrypted"), flag("--lock"), flag("--plaintext"), flag("--allow-ssh").since(9, 37)])
    .positionals(&[optional("a password")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, FORMS);
    let lock = args.flag("--lock");
    let password = args.argument(0).map(|a| Secret::new(a.value.clone()));
    if password.as_ref().is_none_or(Secret::is_empty) && !lock {
        cx.report(
            Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`rootpw` needs a password")
                .help("`rootpw --lock` locks the account"),
        );
        return;
    }
    kickstart.rootpw = Some(Rootpw {
        span: args.span,
        password,
        is_crypted: args.last_of(FORMS).is_some_and(|g| g.name == "--iscrypted"),
        lock,
        allow_ssh: args.flag("--allow-ssh"),
    });
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, read_as};
    use crate::{ParseOptions, parse};

    #[test]
    fn password_or_lock() {
        let r = good("rootpw --iscrypted $6$abc").rootpw.unwrap();
        assert!(r.is_crypted);
        assert_eq!(r.password.unwrap().expose(), "$6$abc");
        assert!(good("rootpw --lock").rootpw.unwrap().lock);
        // The comment rule bites.
        let r = good("rootpw a#b").rootpw.unwrap();
        assert_eq!(r.password.unwrap().expose(), "a");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("rootpw", &["E208"]),
            ("rootpw --iscrypted", &["E208"]),
            ("rootpw one two", &["E209"]),
            ("rootpw --plaintext=x y", &["E206"]),
        ]);
        check_versions(&[(Syntax::Rhel8, "rootpw x --allow-ssh", &["E202"])]);
    }

    #[test]
    fn no_message_quotes_a_password() {
        let parsed = parse("rootpw hush hush2", "a.ks", &ParseOptions::default());
        assert!(parsed.diagnostics.iter().all(|d| !d.message.contains("hush")));
        assert!(!format!("{parsed:?}").contains("hush"));
        let (k, _) = read_as(Syntax::F44, "rootpw hush");
        assert!(!format!("{k:?}").contains("hush"));
    }
}

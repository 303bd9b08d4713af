//! `rootpw`: the password of root.

use super::command::Command;
use crate::args::spec::{Spec, flag, optional};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
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
    /// `--lock`: root cannot log in with a password.
    pub lock: bool,
    /// `--allow-ssh`: root may log in over ssh with the password.
    pub allow_ssh: bool,
}

const FORMS: &[&str] = &["--iscrypted", "--plaintext"];

const SPEC: Spec = Spec::new("rootpw")
    .doc("Sets the password of root, or locks the account.")
    .secret()
    .options(&[
        flag("--iscrypted").doc("the password is a hash"),
        flag("--lock").doc("root cannot log in with a password"),
        flag("--plaintext").doc("the password is no hash, which is the default"),
        flag("--allow-ssh").since(9, 37).doc("root may log in over ssh with the password"),
    ])
    .positionals(&[optional("a password")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, FORMS);
    let lock = args.flag("--lock");
    let own = args.argument(0).filter(|password| args.is_own(password.span) && !password.value.is_empty());
    if own.is_none() && !lock {
        if args.broken {
            return;
        }
        cx.report(
            Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`rootpw` needs a password")
                .help("`rootpw --lock` locks the account"),
        );
        return;
    }
    kickstart.rootpw = Some(Rootpw {
        span: args.span,
        password: args.argument(0).filter(|a| !a.value.is_empty()).map(|a| Secret::new(a.value.to_string())),
        is_crypted: args.last_of(FORMS).is_some_and(|g| g.name == "--iscrypted"),
        lock,
        allow_ssh: args.flag("--allow-ssh"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(rootpw) = &kickstart.rootpw else { return };
    let Some(password) = &rootpw.password else {
        pen.line("#Root password").line("rootpw --lock");
        return;
    };
    pen.line("# Root password").text("rootpw").flag("--iscrypted", rootpw.is_crypted).flag("--lock", rootpw.lock);
    pen.flag("--plaintext", !rootpw.is_crypted).flag("--allow-ssh", rootpw.allow_ssh);
    match password.expose() {
        password if password.contains('#') => pen.text(" \"").text(password).text('"').end(),
        password => pen.word(password).end(),
    }
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
        let (k, codes) = read_as(Syntax::F44, "rootpw a#b");
        assert_eq!(codes, ["W010"]);
        let r = k.rootpw.unwrap();
        assert_eq!(r.password.unwrap().expose(), "a");
    }

    #[test]
    fn canonical() {
        for (text, line) in [
            ("rootpw --lock --allow-ssh", "#Root password\nrootpw --lock\n"),
            ("rootpw a", "# Root password\nrootpw --plaintext a\n"),
            ("rootpw 'a#b' --iscrypted --lock", "# Root password\nrootpw --iscrypted --lock \"a#b\"\n"),
            ("rootpw a --lock --allow-ssh", "# Root password\nrootpw --lock --plaintext --allow-ssh a\n"),
            ("rootpw a\nrootpw --lock --iscrypted", "# Root password\nrootpw --iscrypted --lock a\n"),
            ("rootpw --lock\nrootpw a", "# Root password\nrootpw --plaintext a\n"),
        ] {
            let written = read_as(Syntax::F44, text).0.to_pykickstart(Syntax::F44);
            assert!(written.contains(line), "{text}: {written}");
        }
    }

    #[test]
    fn mistakes() {
        check(&[
            ("rootpw", &["E208"]),
            ("rootpw --iscrypted", &["E208"]),
            ("rootpw a\nrootpw", &["E208"]),
            ("rootpw a\nrootpw ''", &["E208"]),
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

//! `sshpw`: who may log in to the installer itself.

use super::command::Command;
use crate::args::spec::{Spec, any, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;

/// `sshpw`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SshPassword {
    /// The command line.
    pub span: Span,
    /// `--username`: an account of the installer.
    pub username: String,
    /// The password, its hash, or with `--sshkey` a public key.
    pub password: Secret,
    /// `--iscrypted`: the password is a hash.
    pub is_crypted: bool,
    /// `--sshkey`: it is a key.
    pub is_key: bool,
    /// `--lock`: no login is possible with it.
    pub lock: bool,
}

const FORMS: &[&str] = &["--iscrypted", "--plaintext"];

const SPEC: Spec = Spec::new("sshpw")
    .doc("Allows a login to the running installer over ssh.")
    .repeatable()
    .secret()
    .options(&[
        text("--username").required().doc("the account, which exists only in the installer"),
        flag("--iscrypted").doc("the password is a hash"),
        flag("--plaintext").doc("the password is no hash, which is the default"),
        flag("--lock").doc("no login to the account is possible"),
        flag("--sshkey").since(8, 0).doc("what follows is a public key, not a password"),
    ])
    .positionals(&[any("a password")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, FORMS);
    let words: Vec<&str> = args.arguments(0).iter().map(|word| word.value.as_str()).collect();
    if words.is_empty() && !args.broken {
        cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`sshpw` needs a password"));
    }
    let (Some(username), false) = (args.text("--username"), words.is_empty()) else {
        return;
    };
    cx.define_once("sshpw", &[&username], args.span, &format!("the password of `{username}`"));
    kickstart.ssh_passwords.push(SshPassword {
        span: args.span,
        username,
        password: Secret::new(words.join(" ")),
        is_crypted: args.last_of(FORMS).is_some_and(|form| form.name == "--iscrypted"),
        is_key: args.flag("--sshkey"),
        lock: args.flag("--lock"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for account in &kickstart.ssh_passwords {
        pen.text("sshpw").option("--username", Some(&account.username));
        if account.is_key {
            pen.word("--sshkey");
        } else {
            pen.flag("--lock", account.lock).word(if account.is_crypted { "--iscrypted" } else { "--plaintext" });
        }
        pen.word(account.password.expose()).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn passwords_and_keys() {
        let kickstart = good(
            "sshpw --username=a --lock two words\nsshpw --username=b --iscrypted x\n\
             sshpw --username=c --lock --sshkey ssh-rsa AAAA\n",
        );
        assert_eq!(kickstart.ssh_passwords[0].password.expose(), "two words");
        assert!(!format!("{kickstart:?}").contains("two words"));
        let written = kickstart.to_pykickstart(Syntax::F44);
        let lines = "sshpw --username=a --lock --plaintext two words\nsshpw --username=b --iscrypted x\n\
                     sshpw --username=c --sshkey ssh-rsa AAAA\n";
        assert!(written.contains(lines), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("sshpw", &["E207", "E208"]),
            ("sshpw x", &["E207"]),
            ("sshpw --username=a", &["E208"]),
            ("sshpw --username=a --lock", &["E208"]),
            ("sshpw --username=a x --lock y", &["E209"]),
            ("sshpw --username=a --plaintext=x y", &["E206"]),
            ("sshpw --username=a ''", &[]),
        ]);
        check_versions(&[(Syntax::Rhel7, "sshpw --username=a --sshkey x", &["E202"])]);
    }
}

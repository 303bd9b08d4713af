//! `user`: an account.

use super::Command;
use crate::args::spec::{Spec, flag, int, list, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::secret::Secret;
use crate::span::Span;

/// `user`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The command line.
    pub span: Span,
    /// `--name`.
    pub name: String,
    /// `--groups`: further groups, as `name` or `name(gid)`.
    pub groups: Vec<String>,
    /// `--homedir`.
    pub home: Option<String>,
    /// `--shell`.
    pub shell: Option<String>,
    /// `--uid`.
    pub uid: Option<i64>,
    /// `--gid`: of the user's own group.
    pub gid: Option<i64>,
    /// `--gecos`: the full name.
    pub gecos: Option<String>,
    /// `--password`: the password or its hash.
    pub password: Option<Secret>,
    /// `--iscrypted`: the password is a hash.
    pub is_crypted: bool,
    /// `--lock`: nobody can log in with a password.
    pub lock: bool,
}

const FORMS: &[&str] = &["--iscrypted", "--plaintext"];

const SPEC: Spec = Spec::new("user").repeatable().secret().options(&[
    list("--groups"),
    text("--homedir"),
    flag("--iscrypted"),
    text("--name").required(),
    text("--password").secret(),
    text("--shell"),
    int("--uid"),
    flag("--lock"),
    flag("--plaintext"),
    text("--gecos"),
    int("--gid"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, FORMS);
    let Some(name) = args.text("--name") else {
        return;
    };
    kickstart.users.push(User {
        span: args.span,
        name,
        groups: args.list("--groups"),
        home: args.nonempty("--homedir"),
        shell: args.nonempty("--shell"),
        uid: args.int("--uid"),
        gid: args.int("--gid"),
        gecos: args.text("--gecos"),
        password: args.secret("--password").filter(|p| !p.is_empty()),
        is_crypted: args.last_of(FORMS).is_some_and(|g| g.name == "--iscrypted"),
        lock: args.flag("--lock"),
    });
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};

    #[test]
    fn an_account() {
        let k = good(
            "user --name=ann --groups=wheel,libvirt --uid=1001 --gecos=\"Ann O\" \
                      --password=hush --plaintext --shell=/bin/zsh",
        );
        let u = &k.users[0];
        assert_eq!((u.name.as_str(), u.uid), ("ann", Some(1001)));
        assert_eq!(u.groups, ["wheel", "libvirt"]);
        assert!(!u.is_crypted);
        assert!(!format!("{u:?}").contains("hush"));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("user", &["E207"]),
            ("user --name", &["E205"]),
            ("user --name=a --uid=x", &["E210"]),
            ("user --name=a b", &["E209"]),
            ("user --name=a --groups", &["E205"]),
        ]);
    }
}

//! `user`: an account.

use super::command::Command;
use crate::args::spec::{Spec, flag, int, list, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
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
    /// `--lock`: no login with a password.
    pub lock: bool,
}

const FORMS: &[&str] = &["--iscrypted", "--plaintext"];

const SPEC: Spec =
    Spec::new("user").doc("Creates an account on the installed system.").repeatable().secret().options(&[
        list("--groups").doc("further groups that the user belongs to, as NAME or NAME(GID), separated by commas"),
        text("--homedir").doc("the home directory; else /home/NAME"),
        flag("--iscrypted").doc("the password is a hash"),
        text("--name").required().doc("the name of the account"),
        text("--password").secret().doc("the password; without one, no login with a password is possible"),
        text("--shell").doc("the login shell"),
        int("--uid").doc("the number of the user; else the next one that is free"),
        flag("--lock").doc("no login with the password is possible"),
        flag("--plaintext").doc("the password is no hash, which is the default"),
        text("--gecos").doc("the full name, and whatever else is to be known of the user"),
        int("--gid").doc("the number of the user's own group"),
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
        gecos: args.nonempty("--gecos"),
        password: args.secret("--password").filter(|p| !p.is_empty()),
        is_crypted: args.last_of(FORMS).is_some_and(|g| g.name == "--iscrypted"),
        lock: args.flag("--lock"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for user in &kickstart.users {
        let mut line = Pen::new(pen.syntax);
        line.list("--groups", &user.groups).option("--homedir", user.home.as_ref());
        line.option("--name", Some(&user.name).filter(|name| !name.is_empty()));
        match user.password.as_ref().map(Secret::expose) {
            // Else it would end where a comment begins.
            Some(password) if password.contains('#') => line.quoted("--password", Some(password)),
            password => line.option("--password", password),
        };
        line.flag("--iscrypted", user.is_crypted);
        line.option("--shell", user.shell.as_ref()).option("--uid", user.uid.filter(|uid| *uid != 0));
        line.flag("--lock", user.lock).quoted("--gecos", user.gecos.as_ref());
        line.option("--gid", user.gid.filter(|gid| *gid != 0));
        let options = line.finish();
        if !options.is_empty() {
            pen.text("user").text(options).end();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
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
    fn canonical() {
        for (text, line) in [
            (
                "user --gid=6 --gecos='G H' --lock --uid=5 --shell=/s --iscrypted --password=p --name=a --homedir=/h --groups=x,y",
                "user --groups=x,y --homedir=/h --name=a --password=p --iscrypted --shell=/s --uid=5 --lock --gecos=\"G H\" --gid=6\n",
            ),
            ("user --name=a --password='p#q'", "user --name=a --password=\"p#q\"\n"),
            ("user --name=a --uid=0 --password= --iscrypted", "user --name=a --iscrypted\n"),
            ("user --name= --shell=x", "user --shell=x\n"),
        ] {
            let written = good(text).to_pykickstart(Syntax::F44);
            assert!(written.contains(line), "{text}: {written}");
        }
        assert!(!good("user --name=").to_pykickstart(Syntax::F44).contains("user"));
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

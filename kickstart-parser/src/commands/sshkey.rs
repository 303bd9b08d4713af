//! `sshkey`: a key that may log in.

use super::command::Command;
use crate::args::spec::{ALL, Spec, one, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::At;

/// `sshkey`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SshKey {
    /// The command line.
    pub span: Span,
    /// `--username`: whose key it is.
    pub username: String,
    /// Where that is written.
    pub username_span: Span,
    /// The line for `authorized_keys`.
    pub key: String,
}

const SPEC: Spec = Spec::new("sshkey")
    .since(8, ALL)
    .doc("Allows a login to the installed system with a key.")
    .repeatable()
    .options(&[text("--username").required().doc("the account that the key opens")])
    .positionals(&[one("a key in quotes")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let (Some(user), Some(username), Some(key)) =
        (args.last("--username"), args.text("--username"), args.argument(0))
    {
        if key.value.contains("PRIVATE KEY") {
            cx.secrets.push(key.span);
        }
        // A user may well have several keys; the same one twice is a slip.
        cx.define_once("sshkey", &[&username, &key.value], args.span, &format!("this key of `{username}`"));
        kickstart.ssh_keys.push(SshKey {
            span: args.span,
            username,
            username_span: user.value_span,
            key: key.value.to_string(),
        });
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    // Restrictions such as command="…" came through broken before.
    let escapes = pen.syntax.reached(At::new(9, 38));
    for key in &kickstart.ssh_keys {
        let text = if escapes { key.key.replace('"', "\\\"") } else { key.key.clone() };
        pen.text("sshkey").option("--username", Some(&key.username)).text(" \"").text(text).text('"').end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn a_key() {
        let k = good("sshkey --username=root \"ssh-ed25519 AAAA me@host\"");
        assert_eq!(k.ssh_keys[0].username, "root");
        assert_eq!(k.ssh_keys[0].key, "ssh-ed25519 AAAA me@host");
        let written = good("sshkey --username=a 'command=\"x\" k'");
        assert!(written.to_pykickstart(Syntax::F44).contains("sshkey --username=a \"command=\\\"x\\\" k\"\n"));
        assert!(written.to_pykickstart(Syntax::F37).contains("sshkey --username=a \"command=\"x\" k\"\n"));
    }

    #[test]
    fn the_same_key_twice() {
        let codes = |text| {
            let parsed = crate::parse(text, "a.ks", &crate::ParseOptions::default());
            parsed.diagnostics.iter().filter(|d| d.code == "L012").count()
        };
        assert_eq!(codes("sshkey --username=root k\nsshkey --username=root l\n"), 0);
        assert_eq!(codes("sshkey --username=root k\nsshkey --username=root k\n"), 1);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("sshkey \"ssh-rsa A\"", &["E207"]),
            ("sshkey --username=root", &["E208"]),
            // Without quotes the key is three words.
            ("sshkey --username=root ssh-rsa A me", &["E209"]),
        ]);
        check_versions(&[(Syntax::Rhel7, "sshkey --username=a b", &["E102"])]);
    }
}

//! `sshkey`: a key that may log in.

use super::Command;
use crate::args::spec::{ALL, Spec, one, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::span::Span;

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
    .repeatable()
    .options(&[text("--username").required()])
    .positionals(&[one("a key in quotes")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let (Some(user), Some(username), Some(key)) =
        (args.last("--username"), args.text("--username"), args.argument(0))
    {
        kickstart.ssh_keys.push(SshKey {
            span: args.span,
            username,
            username_span: user.value_span,
            key: key.value.clone(),
        });
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

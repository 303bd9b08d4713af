//! `rdp`: the installer on a screen elsewhere.

use super::command::Command;
use crate::args::spec::{Spec, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;

/// `rdp`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rdp {
    /// The command line.
    pub span: Span,
    /// `--username`.
    pub username: Option<String>,
    /// `--password`.
    pub password: Option<Secret>,
}

const SPEC: Spec = Spec::new("rdp")
    .doc("Shows the installer to a remote desktop client (RDP) on another machine.")
    .since(10, 43)
    .options(&[
        text("--username").doc("the name that the client must give"),
        text("--password").secret().doc("the password that the client must give"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.rdp = Some(Rdp {
        span: args.span,
        username: args.nonempty("--username"),
        password: args.secret("--password").filter(|password| !password.is_empty()),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(rdp) = &kickstart.rdp {
        pen.text("rdp").option("--username", rdp.username.as_ref());
        pen.option("--password", rdp.password.as_ref().map(Secret::expose)).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, read_as};

    #[test]
    fn name_and_password() {
        let (kickstart, codes) = read_as(Syntax::F44, "rdp --username=a\nrdp --password=hush");
        assert!(codes.is_empty() && !format!("{kickstart:?}").contains("hush"));
        assert!(kickstart.to_pykickstart(Syntax::F44).contains("\nrdp --username=a --password=hush\n"));
        check(&[("rdp", &[]), ("rdp x", &["E209"]), ("rdp --password", &["E205"])]);
        check_versions(&[(Syntax::Rhel9, "rdp", &["E102"]), (Syntax::F42, "rdp", &["E102"])]);
    }
}

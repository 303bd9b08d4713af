//! `iscsi` and `iscsiname`: disks over the network.

use super::command::Command;
use crate::args::spec::{Spec, int, one, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;

/// `iscsi`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Iscsi {
    /// The command line.
    pub span: Span,
    /// `--ipaddr`: the address of the server.
    pub address: String,
    /// `--port`.
    pub port: Option<i64>,
    /// `--target`: the IQN of the target; else all that there are.
    pub target: Option<String>,
    /// `--user`.
    pub user: Option<String>,
    /// `--password`.
    pub password: Option<Secret>,
    /// `--reverse-user`: the name by which the target logs in here.
    pub reverse_user: Option<String>,
    /// `--reverse-password`.
    pub reverse_password: Option<Secret>,
    /// `--iface`: the network interface to use.
    pub interface: Option<String>,
}

/// `iscsiname`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IscsiName {
    /// The command line.
    pub span: Span,
    /// The IQN of this machine; may be empty.
    pub iqn: String,
}

const SPEC: Spec = Spec::new("iscsi").doc("Attaches the disks of an iSCSI target.").repeatable().options(&[
    text("--target").doc("the IQN of the target"),
    text("--ipaddr").required().doc("the address of the server"),
    int("--port").doc("the port of the server"),
    text("--user").doc("the name to log in by"),
    text("--password").secret().doc("the password to log in with"),
    text("--reverse-user").doc("the name by which the target logs in here"),
    text("--reverse-password").secret().doc("the password with which the target logs in here"),
    text("--iface").doc("the network interface to use"),
]);

const NAME_SPEC: Spec =
    Spec::new("iscsiname").doc("The name of this machine among iSCSI machines.").positionals(&[one("an IQN")]);

/// The port of iSCSI servers; not written.
const USUAL_PORT: i64 = 3260;

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };
pub(crate) const NAME: Command = Command { spec: &NAME_SPEC, apply: apply_name };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(address) = args.text("--ipaddr") else {
        return;
    };
    let secret = |option| args.secret(option).filter(|p| !p.is_empty());
    kickstart.iscsi.push(Iscsi {
        span: args.span,
        address,
        port: args.int("--port"),
        target: args.nonempty("--target"),
        user: args.nonempty("--user"),
        password: secret("--password"),
        reverse_user: args.nonempty("--reverse-user"),
        reverse_password: secret("--reverse-password"),
        interface: args.nonempty("--iface"),
    });
}

fn apply_name(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let Some(iqn) = args.argument(0) {
        kickstart.iscsi_name = Some(IscsiName { span: args.span, iqn: iqn.value.to_string() });
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for iscsi in &kickstart.iscsi {
        pen.text("iscsi")
            .option("--target", iscsi.target.as_ref())
            .option("--ipaddr", Some(&iscsi.address).filter(|address| !address.is_empty()))
            .option("--port", iscsi.port.filter(|port| *port != USUAL_PORT))
            .option("--user", iscsi.user.as_ref())
            .option("--password", iscsi.password.as_ref().map(Secret::expose))
            .option("--reverse-user", iscsi.reverse_user.as_ref())
            .option("--reverse-password", iscsi.reverse_password.as_ref().map(Secret::expose))
            .option("--iface", iscsi.interface.as_ref())
            .end();
    }
}

pub(crate) fn write_name(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(name) = kickstart.iscsi_name.as_ref().filter(|name| !name.iqn.is_empty()) {
        pen.text("iscsiname").word(&name.iqn).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn a_target() {
        let kickstart = good(
            "iscsiname iqn.a\niscsi --ipaddr=192.0.2.1 --port=3261 --user=u --password=hush --reverse-user=r \
             --reverse-password=hush --iface=eth0 --target=iqn.b\niscsi --ipaddr= --port=3260",
        );
        assert!(!format!("{kickstart:?}").contains("hush"));
        assert_eq!(kickstart.iscsi[1].port, Some(3260));
        let written = kickstart.to_pykickstart(Syntax::F44);
        let lines = "\niscsiname iqn.a\niscsi --target=iqn.b --ipaddr=192.0.2.1 --port=3261 --user=u --password=hush \
                     --reverse-user=r --reverse-password=hush --iface=eth0\niscsi\n";
        assert!(written.contains(lines), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("iscsi", &["E207"]),
            ("iscsi x --ipaddr=1", &["E209"]),
            ("iscsi --ipaddr=1 --port=x", &["E210"]),
            ("iscsi --ipaddr=1 --reverse=x", &["E204"]),
            ("iscsiname", &["E208"]),
            ("iscsiname a b", &["E209"]),
        ]);
    }
}

//! `fcoe`: disks over Fibre Channel over Ethernet.

use super::command::Command;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `fcoe`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fcoe {
    /// The command line.
    pub span: Span,
    /// `--nic`: the network interface.
    pub nic: String,
    /// `--dcb`: negotiate data center bridging.
    pub dcb: bool,
    /// `--autovlan`: discover the VLANs.
    pub auto_vlan: bool,
}

const SPEC: Spec = Spec::new("fcoe").doc("Attaches disks over Fibre Channel over Ethernet.").repeatable().options(&[
    text("--nic").required().doc("the network interface"),
    flag("--dcb").doc("negotiate data center bridging"),
    flag("--autovlan").doc("discover the VLANs"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(nic) = args.text("--nic") else {
        return;
    };
    cx.define_once("fcoe", &[&nic], args.span, &format!("FCoE on `{nic}`"));
    kickstart.fcoe.push(Fcoe { span: args.span, nic, dcb: args.flag("--dcb"), auto_vlan: args.flag("--autovlan") });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for fcoe in &kickstart.fcoe {
        pen.text("fcoe")
            .option("--nic", Some(&fcoe.nic).filter(|nic| !nic.is_empty()))
            .flag("--dcb", fcoe.dcb)
            .flag("--autovlan", fcoe.auto_vlan)
            .end();
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};
    use crate::{ParseOptions, Syntax, parse};

    #[test]
    fn on_an_interface() {
        let kickstart = good("fcoe --nic=eth0 --autovlan --dcb");
        assert!(kickstart.fcoe[0].auto_vlan);
        let written = kickstart.to_pykickstart(Syntax::F44);
        assert!(written.ends_with("\nfcoe --nic=eth0 --dcb --autovlan\n"), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[("fcoe", &["E207"]), ("fcoe --dcb", &["E207"]), ("fcoe --nic=a b", &["E209"])]);
        let twice = parse("fcoe --nic=a\nfcoe --nic=b\nfcoe --nic=a --dcb\n", "a.ks", &ParseOptions::default());
        let found: Vec<_> = twice.diagnostics.iter().filter(|d| d.code == "L012").collect();
        assert_eq!(found.len(), 1);
        assert_eq!(twice.sources.locate(found[0].span).line, 3);
        assert_eq!(twice.sources.locate(found[0].labels[0].span).line, 1);
    }
}

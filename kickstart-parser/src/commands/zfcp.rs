//! `zfcp`: disks over Fibre Channel on IBM Z.

use super::command::Command;
use crate::args::spec::{Spec, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::At;

/// `zfcp`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zfcp {
    /// The command line.
    pub span: Span,
    /// `--devnum`: the number of the adapter; may be empty in older versions.
    pub device_number: String,
    /// `--wwpn`: the port; else the adapter finds its disks by itself.
    pub wwpn: Option<String>,
    /// `--fcplun`: the LUN; given together with the port.
    pub lun: Option<String>,
}

const SPEC: Spec = Spec::new("zfcp").doc("Attaches a disk over Fibre Channel, on IBM Z.").repeatable().options(&[
    text("--devnum").required().doc("the number of the adapter"),
    text("--wwpn").doc("the port, together with `--fcplun`"),
    text("--fcplun").doc("the LUN, together with `--wwpn`"),
    text("--scsiid").long_gone().doc("the number that the disk gets"),
    text("--scsilun").long_gone().doc("the LUN that the disk gets"),
]);

/// From when on the adapter alone is enough.
const BY_ITSELF: At = At::new(9, 37);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if !args.broken {
        check(args, cx);
    }
    if let Some(device_number) = args.text("--devnum") {
        let (wwpn, lun) = (args.nonempty("--wwpn"), args.nonempty("--fcplun"));
        let name = [&device_number, wwpn.as_deref().unwrap_or(""), lun.as_deref().unwrap_or("")];
        cx.define_once("zfcp", &name, args.span, &format!("the disk at `{device_number}`"));
        kickstart.zfcp.push(Zfcp { span: args.span, device_number, wwpn, lun });
    }
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    if !cx.syntax.reached(BY_ITSELF) {
        for option in ["--wwpn", "--fcplun"].into_iter().filter(|option| !args.flag(option)) {
            let message = format!("`zfcp` needs the option `{option}` in {}", cx.syntax);
            cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, message));
        }
        return;
    }
    if let Some(given) = args.last("--devnum").filter(|_| args.nonempty("--devnum").is_none()) {
        let message = "`--devnum` needs the number of an adapter";
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.span, message));
    }
    for (one, other) in [("--wwpn", "--fcplun"), ("--fcplun", "--wwpn")] {
        if let (Some(given), true, None) = (args.last(one), args.nonempty(one).is_some(), args.nonempty(other)) {
            let message = format!("`{one}` needs `{other}`");
            cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, given.span, message));
        }
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for zfcp in &kickstart.zfcp {
        pen.text("zfcp")
            .option("--devnum", Some(&zfcp.device_number).filter(|number| !number.is_empty()))
            .option("--wwpn", zfcp.wwpn.as_ref())
            .option("--fcplun", zfcp.lun.as_ref())
            .end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn a_disk_or_an_adapter() {
        let kickstart = good("zfcp --devnum=0.0.1 --wwpn=0x2 --fcplun=0x3\nzfcp --devnum=0.0.2");
        assert_eq!(kickstart.zfcp[1].wwpn, None);
        let written = kickstart.to_pykickstart(Syntax::F44);
        assert!(written.ends_with("\nzfcp --devnum=0.0.1 --wwpn=0x2 --fcplun=0x3\nzfcp --devnum=0.0.2\n"), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("zfcp", &["E207"]),
            ("zfcp --devnum=1 --wwpn=2", &["E215"]),
            ("zfcp --devnum=1 --fcplun=2", &["E215"]),
            ("zfcp --devnum=1 --wwpn= --fcplun=", &[]),
            ("zfcp --devnum=", &["E216"]),
            ("zfcp --devnum=1 --scsiid=2", &["E203"]),
        ]);
        check_versions(&[
            (Syntax::F36, "zfcp --devnum=1", &["E207", "E207"]),
            (Syntax::F36, "zfcp --devnum=1 --wwpn=2 --fcplun=", &[]),
            (Syntax::Rhel8, "zfcp --devnum=1 --wwpn=2", &["E207"]),
            (Syntax::Rhel9, "zfcp --devnum=1", &[]),
        ]);
    }
}

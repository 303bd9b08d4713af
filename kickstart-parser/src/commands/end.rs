//! `reboot`, `poweroff`, `halt` and `shutdown`: what happens afterwards.

use super::command::Command;
use crate::args::Args;
use crate::args::spec::{Opt, Spec, flag};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `reboot`, `poweroff`, `halt` or `shutdown`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndAction {
    /// The command line.
    pub span: Span,
    /// Which of them.
    pub kind: EndKind,
    /// `--eject`: the installation medium.
    pub eject: bool,
    /// `--kexec`: into the new system without going through the firmware.
    pub kexec: bool,
}

/// What happens after the installation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EndKind {
    /// `reboot`.
    Reboot,
    /// `poweroff`.
    Poweroff,
    /// `halt`.
    Halt,
    /// `shutdown`.
    Shutdown,
}

const OPTIONS: &[Opt] = &[
    flag("--eject").doc("eject the installation medium"),
    flag("--kexec").since(8, 0).doc("start the new system without going through the firmware"),
];

const REBOOT_SPEC: Spec = Spec::new("reboot").doc("Restarts the machine after the installation.").options(OPTIONS);
const POWEROFF_SPEC: Spec =
    Spec::new("poweroff").doc("Switches the machine off after the installation.").options(OPTIONS);
const HALT_SPEC: Spec =
    Spec::new("halt").doc("Halts the machine after the installation, and leaves it switched on.").options(OPTIONS);
const SHUTDOWN_SPEC: Spec =
    Spec::new("shutdown").doc("Switches the machine off after the installation.").options(OPTIONS);

pub(crate) const REBOOT: Command =
    Command { spec: &REBOOT_SPEC, apply: |args, _, kickstart| apply(EndKind::Reboot, args, kickstart) };
pub(crate) const POWEROFF: Command =
    Command { spec: &POWEROFF_SPEC, apply: |args, _, kickstart| apply(EndKind::Poweroff, args, kickstart) };
pub(crate) const HALT: Command =
    Command { spec: &HALT_SPEC, apply: |args, _, kickstart| apply(EndKind::Halt, args, kickstart) };
pub(crate) const SHUTDOWN: Command =
    Command { spec: &SHUTDOWN_SPEC, apply: |args, _, kickstart| apply(EndKind::Shutdown, args, kickstart) };

fn apply(kind: EndKind, args: &Args, kickstart: &mut Kickstart) {
    kickstart.end = Some(EndAction { span: args.span, kind, eject: args.flag("--eject"), kexec: args.flag("--kexec") });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(end) = &kickstart.end else { return };
    let (comment, name) = match end.kind {
        EndKind::Reboot => ("# Reboot after installation", "reboot"),
        EndKind::Halt => ("# Halt after installation", "halt"),
        EndKind::Poweroff | EndKind::Shutdown => ("# Shutdown after installation", "shutdown"),
    };
    pen.line(comment).text(name).flag("--eject", end.eject).flag("--kexec", end.kexec).end();
}

#[cfg(test)]
mod tests {
    use super::EndKind;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn all_of_them() {
        let end = |text| good(text).end.unwrap();
        assert_eq!(end("reboot").kind, EndKind::Reboot);
        assert_eq!(end("poweroff").kind, EndKind::Poweroff);
        assert_eq!(end("halt").kind, EndKind::Halt);
        assert_eq!(end("shutdown").kind, EndKind::Shutdown);
        assert!(end("reboot --eject --kexec").kexec);
        check(&[("reboot now", &["E209"])]);
        check_versions(&[(Syntax::Rhel7, "reboot --kexec", &["E202"])]);
    }
}

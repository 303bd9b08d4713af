//! Commands of one word about the medium: `cdrom`, `hmc`, `mediacheck`, `unsupported_hardware`.

use super::command::Command;
use crate::args::spec::{ALL, NO, Spec};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// A command that has nothing but its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bare {
    /// The command line.
    pub span: Span,
}

const CDROM_SPEC: Spec = Spec::new("cdrom").raw().doc("Takes packages from the installation disc.");
const HMC_SPEC: Spec =
    Spec::new("hmc").raw().doc("Takes packages from the medium that a mainframe's management console has.");
const MEDIACHECK_SPEC: Spec =
    Spec::new("mediacheck").doc("Checks the installation medium before anything is installed from it.");
const UNSUPPORTED_SPEC: Spec = Spec::new("unsupported_hardware")
    .since(ALL, NO)
    .removed(8, NO)
    .doc("Installs without the question whether hardware that is not supported is meant.");

pub(crate) const CDROM: Command =
    Command { spec: &CDROM_SPEC, apply: |args, _, kickstart| kickstart.cdrom = Some(Bare { span: args.span }) };
pub(crate) const HMC: Command =
    Command { spec: &HMC_SPEC, apply: |args, _, kickstart| kickstart.hmc = Some(Bare { span: args.span }) };
pub(crate) const MEDIACHECK: Command = Command {
    spec: &MEDIACHECK_SPEC,
    apply: |args, _, kickstart| kickstart.media_check = Some(Bare { span: args.span }),
};
pub(crate) const UNSUPPORTED_HARDWARE: Command = Command {
    spec: &UNSUPPORTED_SPEC,
    apply: |args, _, kickstart| kickstart.unsupported_hardware = Some(Bare { span: args.span }),
};

pub(crate) fn write_cdrom(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.cdrom.is_some() {
        pen.line("# Use CDROM installation media\ncdrom");
    }
}

pub(crate) fn write_hmc(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.hmc.is_some() {
        pen.line("# Use installation media via SE/HMC\nhmc");
    }
}

pub(crate) fn write_mediacheck(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.media_check.is_some() {
        pen.line("mediacheck");
    }
}

pub(crate) fn write_unsupported_hardware(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.unsupported_hardware.is_some() {
        pen.line("unsupported_hardware");
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn they_stand_side_by_side() {
        let text = good("hmc\ncdrom\nmediacheck\nurl --url=u").to_pykickstart(Syntax::F44);
        let at = |line: &str| text.find(line).unwrap();
        assert!(at("\ncdrom\n") < at("\nhmc\n") && at("\nhmc\n") < at("\nmediacheck\n"));
        assert!(at("\nmediacheck\n") < at("\nurl "));
    }

    #[test]
    fn mistakes() {
        check(&[("cdrom x", &["E209"]), ("hmc --x", &["E209"]), ("cdrom --", &["E209"]), ("mediacheck x", &["E209"])]);
        check_versions(&[
            (Syntax::Rhel7, "unsupported_hardware", &[]),
            (Syntax::Rhel8, "unsupported_hardware", &["E103"]),
            (Syntax::F35, "unsupported_hardware", &["E102"]),
        ]);
    }
}

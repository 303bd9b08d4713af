//! Commands that newer versions do without: `autostep`, `install`, `method`, `upgrade`.

use super::command::Command;
use crate::args::spec::{ALL, NO, Spec, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `autostep`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Autostep {
    /// The command line.
    pub span: Span,
    /// `--autoscreenshot`: take a picture of every step.
    pub auto_screenshot: bool,
}

/// `install`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Install {
    /// The command line.
    pub span: Span,
    /// `--root-device`: the system to look for; it only ever counted for upgrades.
    pub root_device: Option<String>,
}

const AUTOSTEP_SPEC: Spec = Spec::new("autostep")
    .deprecated(9, ALL)
    .removed(10, 40)
    .doc("Shows every step of the installation for a moment.")
    .options(&[flag("--autoscreenshot").doc("take a picture of every step")]);

const INSTALL_SPEC: Spec = Spec::new("install")
    .deprecated(8, NO)
    .removed(9, ALL)
    .doc("Installs a system instead of upgrading one, as newer versions always do.")
    .options(&[text("--root-device").doc("the system to look for")]);

const UPGRADE_SPEC: Spec = Spec::new("upgrade")
    .since(ALL, NO)
    .deprecated(ALL, NO)
    .removed(8, NO)
    .doc("Upgrades a system instead of installing one, which no supported version does.");

const METHOD_SPEC: Spec = Spec::new("method")
    .deprecated(9, ALL)
    .removed(10, 40)
    .doc("Stands for the commands that say where packages come from, and cannot be used itself.");

pub(crate) const AUTOSTEP: Command = Command { spec: &AUTOSTEP_SPEC, apply: autostep };
pub(crate) const INSTALL: Command = Command { spec: &INSTALL_SPEC, apply: install };
pub(crate) const UPGRADE: Command = Command { spec: &UPGRADE_SPEC, apply: |_, _, _| {} };
pub(crate) const METHOD: Command = Command { spec: &METHOD_SPEC, apply: method };

fn autostep(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.autostep = Some(Autostep { span: args.span, auto_screenshot: args.flag("--autoscreenshot") });
}

fn install(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let root_device = args.text("--root-device");
    if let Some(given) = args.last("--root-device")
        && root_device.as_deref() == Some("")
    {
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.span, "`--root-device` needs the name of a device"));
    }
    kickstart.install = Some(Install { span: args.span, root_device });
}

fn method(args: &Args, cx: &mut Cx<'_>, _: &mut Kickstart) {
    if !args.broken {
        cx.report(
            Diagnostic::new(&codes::INVALID_VALUE, args.span, "`method` cannot be used itself")
                .help("use `url`, `nfs`, `harddrive`, `cdrom` or `hmc`"),
        );
    }
}

pub(crate) fn write_autostep(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(autostep) = &kickstart.autostep {
        pen.text("autostep").flag("--autoscreenshot", autostep.auto_screenshot).end();
    }
}

pub(crate) fn write_install(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.install.is_some() {
        pen.line("# Install OS instead of upgrade\ninstall");
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn versions_and_mistakes() {
        check_versions(&[
            (Syntax::Rhel8, "autostep --autoscreenshot", &[]),
            (Syntax::Rhel8, "autostep x", &["E209"]),
            (Syntax::F35, "autostep x", &["W101"]),
            (Syntax::F40, "autostep", &["E103"]),
            (Syntax::Rhel7, "install --root-device=x", &[]),
            (Syntax::Rhel7, "install --root-device=", &["E216"]),
            (Syntax::Rhel8, "install x", &["W101"]),
            (Syntax::F35, "install", &["E103"]),
            (Syntax::Rhel7, "upgrade x", &["W101"]),
            (Syntax::Rhel8, "upgrade", &["E103"]),
            (Syntax::F35, "upgrade", &["E102"]),
            (Syntax::Rhel8, "method", &["E216"]),
            (Syntax::Rhel9, "method x", &["W101"]),
            (Syntax::Rhel10, "method", &["E103"]),
        ]);
    }

    #[test]
    fn as_written_back() {
        let k = read_as(Syntax::Rhel7, "autostep --autoscreenshot\nautostep\ninstall --root-device=x").0;
        let text = k.to_pykickstart(Syntax::Rhel7);
        assert!(text.contains("\nautostep\n") && text.contains("\ninstall\n"), "{text}");
        assert_eq!(k.install.unwrap().root_device.as_deref(), Some("x"));
    }
}

//! `xconfig`: the desktop of the installed system.

use super::command::Command;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `xconfig`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Xconfig {
    /// The command line.
    pub span: Span,
    /// `--defaultdesktop`: GNOME or KDE.
    pub default_desktop: Option<String>,
    /// `--startxonboot`: a graphical login.
    pub start_on_boot: bool,
}

const HARDWARE: &str = "hardware, which the X server now finds by itself";

const SPEC: Spec = Spec::new("xconfig").doc("Says how the desktop of the installed system is set up.").options(&[
    text("--defaultdesktop").doc("the desktop that a session begins with, GNOME or KDE"),
    flag("--startxonboot").doc("log in graphically"),
    text("--server").long_gone().doc(HARDWARE),
    text("--card").long_gone().doc(HARDWARE),
    text("--hsync").long_gone().doc(HARDWARE),
    text("--monitor").long_gone().doc(HARDWARE),
    flag("--noprobe").long_gone().doc(HARDWARE),
    text("--vsync").long_gone().doc(HARDWARE),
    text("--driver").long_gone().doc(HARDWARE),
    text("--depth").long_gone().doc(HARDWARE),
    text("--resolution").long_gone().doc(HARDWARE),
    text("--videoram").long_gone().doc(HARDWARE),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.xconfig = Some(Xconfig {
        span: args.span,
        default_desktop: args.nonempty("--defaultdesktop"),
        start_on_boot: args.flag("--startxonboot"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(xconfig) = &kickstart.xconfig
        && (xconfig.default_desktop.is_some() || xconfig.start_on_boot)
    {
        pen.line("# X Window System configuration information").text("xconfig ");
        pen.option("--defaultdesktop", xconfig.default_desktop.as_ref());
        pen.flag("--startxonboot", xconfig.start_on_boot).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

    #[test]
    fn desktops() {
        let written = good("xconfig --startxonboot --defaultdesktop=GNOME").to_pykickstart(Syntax::F44);
        let lines = "# X Window System configuration information\nxconfig  --defaultdesktop=GNOME --startxonboot\n";
        assert!(written.contains(lines), "{written}");
        assert!(!good("xconfig").to_pykickstart(Syntax::F44).contains("xconfig"));
        let kept = read_as(Syntax::F44, "xconfig --defaultdesktop=KDE --startxonboot\nxconfig").0.xconfig.unwrap();
        assert_eq!((kept.default_desktop.as_deref(), kept.start_on_boot), (Some("KDE"), false));
    }

    #[test]
    fn mistakes() {
        check(&[("xconfig x", &["E209"]), ("xconfig --card=a", &["E203"]), ("xconfig --startxonboot=yes", &["E206"])]);
    }
}

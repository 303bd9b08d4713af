//! `zipl`: the boot loader of IBM Z.

use super::command::Command;
use crate::args::spec::{ALL, Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `zipl`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zipl {
    /// The command line.
    pub span: Span,
    /// What it says about Secure Boot, the last of it; `None` is nothing.
    pub secure_boot: Option<SecureBoot>,
}

/// Whether the machine boots securely.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SecureBoot {
    /// `--secure-boot`: if the machine can.
    Auto,
    /// `--force-secure-boot`: whether it can or not.
    Force,
    /// `--no-secure-boot`.
    Off,
}

const MODES: &[&str] = &["--secure-boot", "--force-secure-boot", "--no-secure-boot"];

const SPEC: Spec = Spec::new("zipl").doc("How the boot loader of IBM Z boots.").since(8, ALL).options(&[
    flag("--secure-boot").sticky().doc("boot securely if the machine can"),
    flag("--force-secure-boot").sticky().doc("boot securely in any case"),
    flag("--no-secure-boot").sticky().doc("do not boot securely"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, MODES);
    let secure_boot = args.last_of(MODES).map(|given| match given.name {
        "--secure-boot" => SecureBoot::Auto,
        "--force-secure-boot" => SecureBoot::Force,
        _ => SecureBoot::Off,
    });
    kickstart.zipl = Some(Zipl { span: args.span, secure_boot });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(mode) = kickstart.zipl.as_ref().and_then(|zipl| zipl.secure_boot) else { return };
    let option = match mode {
        SecureBoot::Auto => "--secure-boot",
        SecureBoot::Force => "--force-secure-boot",
        SecureBoot::Off => "--no-secure-boot",
    };
    pen.line("# ZIPL configuration").text("zipl").word(option).end();
}

#[cfg(test)]
mod tests {
    use super::SecureBoot;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn the_last_one_counts() {
        let mode = |text| good(text).zipl.unwrap().secure_boot;
        assert_eq!(mode("zipl"), None);
        assert_eq!(mode("zipl --secure-boot --no-secure-boot"), Some(SecureBoot::Off));
        assert_eq!(mode("zipl --force-secure-boot\nzipl"), Some(SecureBoot::Force));
        let written = good("zipl --no").to_pykickstart(Syntax::F44);
        assert!(written.ends_with("# ZIPL configuration\nzipl --no-secure-boot\n"), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[("zipl x", &["E209"]), ("zipl --secure-boot=1", &["E206"])]);
        check_versions(&[(Syntax::Rhel7, "zipl", &["E102"])]);
    }
}

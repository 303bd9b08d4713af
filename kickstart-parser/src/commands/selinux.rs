//! `selinux`: its mode in the installed system.

use super::command::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `selinux`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selinux {
    /// The command line.
    pub span: Span,
    /// The mode; `None` leaves it to the image.
    pub mode: Option<SelinuxMode>,
}

/// A mode of SELinux.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SelinuxMode {
    /// `--enforcing`.
    Enforcing,
    /// `--permissive`.
    Permissive,
    /// `--disabled`.
    Disabled,
}

const MODES: &[&str] = &["--disabled", "--enforcing", "--permissive"];

const SPEC: Spec = Spec::new("selinux").doc("The mode of SELinux on the installed system.").options(&[
    flag("--disabled").sticky().doc("no SELinux"),
    flag("--enforcing").sticky().doc("what is against the policy is not done, which is the default"),
    flag("--permissive").sticky().doc("what is against the policy is only logged"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, MODES);
    kickstart.selinux = Some(Selinux {
        span: args.span,
        mode: args.last_of(MODES).map(|g| match g.name {
            "--enforcing" => SelinuxMode::Enforcing,
            "--permissive" => SelinuxMode::Permissive,
            _ => SelinuxMode::Disabled,
        }),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(mode) = kickstart.selinux.as_ref().and_then(|selinux| selinux.mode) else { return };
    let option = match mode {
        SelinuxMode::Disabled => "--disabled",
        SelinuxMode::Enforcing => "--enforcing",
        SelinuxMode::Permissive => "--permissive",
    };
    pen.line("# SELinux configuration").text("selinux").word(option).end();
}

#[cfg(test)]
mod tests {
    use super::SelinuxMode;
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

    #[test]
    fn modes() {
        let mode = |text| good(text).selinux.unwrap().mode;
        assert_eq!(mode("selinux --enforcing"), Some(SelinuxMode::Enforcing));
        assert_eq!(mode("selinux --permissive"), Some(SelinuxMode::Permissive));
        assert_eq!(mode("selinux --disabled"), Some(SelinuxMode::Disabled));
        assert_eq!(mode("selinux"), None);
        let written = good("selinux --enforcing").to_pykickstart(Syntax::F44);
        assert!(written.contains("# SELinux configuration\nselinux --enforcing\n"), "{written}");
        let kept = read_as(Syntax::F44, "selinux --enforcing\nselinux").0.selinux.unwrap().mode;
        assert_eq!(kept, Some(SelinuxMode::Enforcing));
        check(&[("selinux --cheese", &["E201"])]);
    }
}

//! `selinux`: its mode in the installed system.

use super::Command;
use crate::args::spec::{Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
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

const SPEC: Spec = Spec::new("selinux").options(&[
    flag("--disabled").sticky(),
    flag("--enforcing").sticky(),
    flag("--permissive").sticky(),
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

#[cfg(test)]
mod tests {
    use super::SelinuxMode;
    use crate::commands::testing::{check, good};

    #[test]
    fn modes() {
        let mode = |text| good(text).selinux.unwrap().mode;
        assert_eq!(mode("selinux --enforcing"), Some(SelinuxMode::Enforcing));
        assert_eq!(mode("selinux --permissive"), Some(SelinuxMode::Permissive));
        assert_eq!(mode("selinux --disabled"), Some(SelinuxMode::Disabled));
        assert_eq!(mode("selinux"), None);
        check(&[("selinux --cheese", &["E201"])]);
    }
}

//! `autopart`: a layout that the installer thinks up.

use super::{Command, encryption};
use crate::args::spec::{NO, Spec, count, flag, text};
use crate::args::{Args, Cx, Given};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Encryption, Kickstart};
use crate::span::Span;
use crate::syntax::{At, Syntax};

/// `autopart`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Autopart {
    /// The command line.
    pub span: Span,
    /// `--type` or `--nolvm`; `None` is the installer's default.
    pub kind: Option<AutopartType>,
    /// `--fstype`: of the file systems.
    pub fstype: Option<String>,
    /// `--nohome`: no `/home` of its own.
    pub no_home: bool,
    /// `--noboot`: no `/boot` of its own.
    pub no_boot: bool,
    /// `--noswap`.
    pub no_swap: bool,
    /// `--hibernation`: a swap large enough to hibernate into.
    pub hibernation: bool,
    /// How it is encrypted.
    pub encryption: Encryption,
}

/// The scheme of a layout.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AutopartType {
    /// `plain`, or `--nolvm`: partitions.
    Plain,
    /// `lvm`.
    Lvm,
    /// `thinp`: LVM with thin provisioning.
    Thinp,
    /// `btrfs`.
    Btrfs,
    /// `stratis`.
    Stratis,
}

const SPEC: Spec = Spec::new("autopart").options(&[
    flag("--encrypted"),
    text("--passphrase").secret(),
    text("--escrowcert"),
    flag("--backuppassphrase"),
    flag("--nolvm").sticky(),
    text("--type"),
    text("--cipher"),
    text("--fstype"),
    flag("--nohome"),
    flag("--noboot").since(8, 0),
    flag("--noswap").since(8, 0),
    text("--luks-version").since(8, 0).resets(),
    text("--pbkdf").since(8, 0).resets(),
    count("--pbkdf-memory").since(8, 0).resets(),
    count("--pbkdf-time").since(8, 0).resets(),
    count("--pbkdf-iterations").since(8, 0).resets(),
    flag("--hibernation").since(10, 38),
    text("--hw-passphrase").secret().since(NO, 41).resets(),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let scheme = args.last_of(&["--type", "--nolvm"]);
    let kind = scheme.and_then(|g| scheme_of(args, g, cx));
    args.exclude(cx, "--noswap", "--hibernation");
    check_fstype(args, kind, cx);
    if kind == Some(AutopartType::Stratis) {
        check_stratis(args, cx);
    }
    kickstart.autopart = Some(Autopart {
        span: args.span,
        kind,
        fstype: args.nonempty("--fstype"),
        no_home: args.flag("--nohome"),
        no_boot: args.flag("--noboot"),
        no_swap: args.flag("--noswap"),
        hibernation: args.flag("--hibernation"),
        encryption: encryption::read(args, cx),
    });
}

fn scheme_of(args: &Args, given: &Given, cx: &mut Cx<'_>) -> Option<AutopartType> {
    if given.name == "--nolvm" {
        return Some(AutopartType::Plain);
    }
    let name = args.text("--type").unwrap_or_default();
    let since = |rhel, fedora| cx.syntax.reached(At::new(rhel, fedora));
    let kind = match name.to_ascii_lowercase().as_str() {
        // An LVM that is called a partition: the old name of "plain".
        "plain" | "partition" => Some(AutopartType::Plain),
        "lvm" => Some(AutopartType::Lvm),
        "thinp" => Some(AutopartType::Thinp),
        // Fedora's btrfs never was RHEL's.
        "btrfs" if cx.syntax == Syntax::Rhel7 || since(NO, 0) => Some(AutopartType::Btrfs),
        "stratis" if since(NO, 45) => Some(AutopartType::Stratis),
        _ => None,
    };
    if kind.is_none() {
        cx.report(
            Diagnostic::new(
                &codes::INVALID_CHOICE,
                given.value_span,
                format!("there is no layout `{name}` in {}", cx.syntax),
            )
            .help("there are plain, lvm, thinp, and on Fedora btrfs"),
        );
    }
    kind
}

fn check_fstype(args: &Args, kind: Option<AutopartType>, cx: &mut Cx<'_>) {
    let Some(given) = args.last("--fstype") else {
        return;
    };
    if args.text("--fstype").as_deref() == Some("btrfs") {
        cx.report(
            Diagnostic::new(
                &codes::INVALID_VALUE,
                given.value_span,
                "btrfs is a layout, not a file system of `autopart`",
            )
            .help("use `--type=btrfs`"),
        );
    } else if kind == Some(AutopartType::Btrfs) {
        cx.report(Diagnostic::new(
            &codes::OPTIONS_EXCLUDE,
            given.span,
            "`--fstype` cannot be used together with `--type=btrfs`",
        ));
    }
}

fn check_stratis(args: &Args, cx: &mut Cx<'_>) {
    let without = [
        "--fstype",
        "--escrowcert",
        "--backuppassphrase",
        "--cipher",
        "--luks-version",
        "--pbkdf",
        "--pbkdf-memory",
        "--pbkdf-time",
        "--pbkdf-iterations",
        "--hw-passphrase",
    ];
    for name in without {
        if let Some(given) = args.last(name) {
            cx.report(Diagnostic::new(
                &codes::OPTIONS_EXCLUDE,
                given.span,
                format!("`{name}` cannot be used together with `--type=stratis`"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AutopartType;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn schemes_and_options() {
        assert_eq!(good("autopart").autopart.unwrap().kind, None);
        let a = good("autopart --type=plain --fstype=xfs --nohome --noswap");
        let a = a.autopart.unwrap();
        assert_eq!(a.kind, Some(AutopartType::Plain));
        assert_eq!(a.fstype.as_deref(), Some("xfs"));
        assert!(a.no_home && a.no_swap && !a.no_boot);
        let a = good("autopart --encrypted --passphrase=sesame --pbkdf-time=100");
        let e = a.autopart.unwrap().encryption;
        assert_eq!(e.passphrase.as_ref().unwrap().expose(), "sesame");
        assert_eq!(e.pbkdf_time_ms, Some(100));
        assert!(!format!("{e:?}").contains("sesame"));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("autopart --type=bogus", &["E212"]),
            ("autopart --type", &["E205"]),
            ("autopart --nohome 0", &["E209"]),
            ("autopart --fstype=btrfs", &["E216"]),
            ("autopart --type=btrfs --fstype=xfs", &["E214"]),
            ("autopart --hibernation --noswap", &["E214"]),
            ("autopart --encrypted=no", &["E206"]),
            ("autopart --pbkdf-time=1 --pbkdf-iterations=2", &["E214"]),
        ]);
        check_versions(&[
            (Syntax::Rhel9, "autopart --type=btrfs", &["E212"]),
            (Syntax::F46, "autopart --type=stratis", &[]),
            (Syntax::F44, "autopart --type=stratis", &["E212"]),
            (Syntax::Rhel7, "autopart --noboot", &["E202"]),
        ]);
    }
}

//! `autopart`: a layout that the installer thinks up.

use super::command::Command;
use super::{encryption, storage};
use crate::args::spec::{NO, Opt, Spec, count, flag, text};
use crate::args::{Args, Cx, Given};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Encryption, Kickstart};
use crate::pen::Pen;
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

impl AutopartType {
    /// The name as kickstart writes it.
    pub fn name(self) -> &'static str {
        match self {
            AutopartType::Plain => "plain",
            AutopartType::Lvm => "lvm",
            AutopartType::Thinp => "thinp",
            AutopartType::Btrfs => "btrfs",
            AutopartType::Stratis => "stratis",
        }
    }
}

const OPTIONS: &[Opt] = &[
    flag("--encrypted").doc("encrypt what is made"),
    text("--passphrase").secret().doc("what unlocks it"),
    text("--escrowcert").doc("the URL of a certificate that a copy of the key is kept with"),
    flag("--backuppassphrase").doc("add a random passphrase, to be kept with that certificate"),
    flag("--nolvm").sticky().doc("the same as `--type=plain`"),
    text("--type").doc("the layout: plain, lvm, thinp, on Fedora also btrfs and stratis"),
    text("--cipher").doc("the cipher, as cryptsetup calls it"),
    text("--fstype").doc("the file system"),
    flag("--nohome").doc("no /home of its own"),
    flag("--noboot").since(8, 0).doc("no /boot of its own"),
    flag("--noswap").since(8, 0).doc("no swap"),
    text("--luks-version").since(8, 0).resets().doc("the format of the encryption: luks1 or luks2"),
    text("--pbkdf").since(8, 0).resets().doc("how a key is made of the passphrase: pbkdf2, argon2i or argon2id"),
    count("--pbkdf-memory").since(8, 0).resets().doc("the memory that this takes, in KiB"),
    count("--pbkdf-time").since(8, 0).resets().doc("the time that this takes, in milliseconds"),
    count("--pbkdf-iterations").since(8, 0).resets().doc("how many rounds this takes, instead of a time"),
    flag("--hibernation").since(10, 38).doc("a swap large enough to hibernate into"),
    text("--hw-passphrase").secret().since(11, 41).resets().doc("the admin passphrase of a disk that encrypts itself"),
];

const SPEC: Spec =
    Spec::new("autopart").doc("Leaves the partitions to the installer, within some wishes.").options(OPTIONS);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let kind = scheme(args, cx);
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

/// The layout given last.
fn scheme(args: &Args, cx: &mut Cx<'_>) -> Option<AutopartType> {
    let is_there = |kind: &AutopartType| *kind != AutopartType::Stratis || cx.syntax.reached(At::new(11, 45));
    let wrong: Vec<&Given> = args.every("--type").filter(|g| scheme_of(g).filter(is_there).is_none()).collect();
    let last = args.last_of(&["--type", "--nolvm"])?;
    let kind = scheme_of(last).filter(is_there);
    for given in wrong {
        no_such_layout(given.value.text().unwrap_or_default(), given, cx);
    }
    // RHEL's autopart has no btrfs until RHEL11, which has Fedora's; only the last one is held to that.
    if kind == Some(AutopartType::Btrfs) && cx.syntax.reached(At::new(8, NO)) && cx.syntax != Syntax::Rhel11 {
        no_such_layout("btrfs", last, cx);
    }
    kind
}

fn scheme_of(given: &Given) -> Option<AutopartType> {
    if given.name == "--nolvm" {
        return Some(AutopartType::Plain);
    }
    match given.value.text()?.to_ascii_lowercase().as_str() {
        // An LVM that is called a partition: the old name of "plain".
        "plain" | "partition" => Some(AutopartType::Plain),
        "lvm" => Some(AutopartType::Lvm),
        "thinp" => Some(AutopartType::Thinp),
        "btrfs" => Some(AutopartType::Btrfs),
        "stratis" => Some(AutopartType::Stratis),
        _ => None,
    }
}

fn no_such_layout(name: &str, given: &Given, cx: &mut Cx<'_>) {
    let message = format!("there is no layout `{name}` in {}", cx.syntax);
    cx.report(
        Diagnostic::new(&codes::INVALID_CHOICE, given.value_span, message)
            .help("there are plain, lvm, thinp, and on Fedora btrfs")
            .fix_if(crate::args::guess::certain(name, ["plain", "lvm", "thinp"].into_iter())),
    );
}

fn check_fstype(args: &Args, kind: Option<AutopartType>, cx: &mut Cx<'_>) {
    let Some(given) = storage::said(args, "--fstype") else {
        return;
    };
    if given.value.text() == Some("btrfs") {
        let message = "btrfs is a layout, not a file system of `autopart`";
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.value_span, message).help("use `--type=btrfs`"));
    } else if kind == Some(AutopartType::Btrfs) {
        let message = "`--fstype` cannot be used together with `--type=btrfs`";
        cx.report(Diagnostic::new(&codes::OPTIONS_EXCLUDE, here(args, given.span), message));
    }
}

/// What a Stratis pool cannot have.
const NOT_FOR_STRATIS: &[&str] = &[
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

fn check_stratis(args: &Args, cx: &mut Cx<'_>) {
    for given in NOT_FOR_STRATIS.iter().filter_map(|name| storage::said(args, name)) {
        let message = format!("`{}` cannot be used together with `--type=stratis`", given.name);
        cx.report(Diagnostic::new(&codes::OPTIONS_EXCLUDE, here(args, given.span), message));
    }
}

/// What an earlier line gave was no mistake there: this line is the place then.
fn here(args: &Args, span: Span) -> Span {
    if args.is_own(span) { span } else { args.span }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(autopart) = &kickstart.autopart else { return };
    let encryption = &autopart.encryption;
    pen.text("autopart").trimming(true);
    encryption::write_keys(encryption, pen);
    pen.option("--type", autopart.kind.map(AutopartType::name));
    encryption::write_cipher(encryption, pen);
    pen.option("--fstype", autopart.fstype.as_ref())
        .flag("--nohome", autopart.no_home)
        .flag("--noboot", autopart.no_boot)
        .flag("--noswap", autopart.no_swap);
    encryption::write_luks(encryption, pen);
    pen.flag("--hibernation", autopart.hibernation);
    encryption::write_hw_passphrase(encryption, pen);
    pen.trimming(false).end();
}

#[cfg(test)]
mod tests {
    use super::AutopartType;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, written};

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
            ("autopart --type=bogus --nolvm", &["E212"]),
            ("autopart --fstype= --type=btrfs", &[]),
            ("autopart --fstype=xfs\nautopart --type=btrfs", &["E214"]),
        ]);
        check_versions(&[
            (Syntax::Rhel9, "autopart --type=btrfs", &["E212"]),
            (Syntax::Rhel9, "autopart --type=btrfs --nolvm", &[]),
            (Syntax::F44, "autopart --type=stratis --nolvm", &["E212"]),
            (Syntax::F46, "autopart --type=stratis", &[]),
            (Syntax::F46, "autopart --type=stratis --cipher=x", &["E214"]),
            (Syntax::F46, "autopart --type=stratis --cipher= --pbkdf-memory=0", &[]),
            (Syntax::F44, "autopart --type=stratis", &["E212"]),
            (Syntax::Rhel7, "autopart --noboot", &["E202"]),
        ]);
    }

    #[test]
    fn the_line_that_asks_for_too_much_is_the_place() {
        for kind in ["btrfs", "stratis"] {
            let text = format!("#version=F46\nautopart --fstype=xfs\nautopart --type={kind}");
            let parsed = crate::parse(&text, "a.ks", &crate::ParseOptions::default());
            let found = parsed.diagnostics.iter().find(|d| d.code == "E214").unwrap();
            assert_eq!(parsed.sources.locate(found.span).line, 3, "{kind}");
        }
    }

    #[test]
    fn canonical() {
        let all =
            "autopart --hibernation --nolvm --fstype=xfs --nohome --encrypted --passphrase=p --cipher=c --pbkdf=x\n";
        let expected = "autopart --encrypted --passphrase=\"p\" --type=plain --cipher=\"c\" --fstype=xfs --nohome --pbkdf=x \
                        --hibernation\n";
        for (text, expected) in [
            (all, expected),
            ("autopart --type=LVM --cipher=c\n", "autopart --type=lvm\n"),
            ("autopart --fstype='d ' --nohome\n", "autopart --fstype=d --nohome\n"),
            ("autopart --fstype='d '\n", "autopart --fstype=d \n"),
            (
                "autopart --encrypted --cipher=c --pbkdf=p\nautopart --encrypted\n",
                "autopart --encrypted --cipher=\"c\"\n",
            ),
        ] {
            assert_eq!(written(Syntax::F44, text), expected);
        }
    }
}

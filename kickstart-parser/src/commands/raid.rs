//! `raid`: a software RAID array.

use super::command::Command;
use super::part::normal_path;
use super::{encryption, storage};
use crate::args::spec::{NO, Opt, Spec, any, count, flag, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Encryption, Kickstart};
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::At;

/// `raid`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raid {
    /// The command line.
    pub span: Span,
    /// What it is for: a mount point, `swap`, `pv.01`, …
    pub mount: String,
    /// Where that is written.
    pub mount_span: Span,
    /// `--device`: the name of the array. Before F43 and RHEL10 without a leading `md`.
    pub device: String,
    /// The partitions and disks that it is made of.
    pub members: Vec<String>,
    /// `--level`; an array that exists may do without.
    pub level: Option<RaidLevel>,
    /// `--spares`: how many of the members stand by.
    pub spares: Option<u64>,
    /// `--chunksize`, in KiB.
    pub chunk_size_kib: Option<u64>,
    /// `--fstype`.
    pub fstype: Option<String>,
    /// `--useexisting`, or `--noformat`: the array exists.
    pub existing: bool,
    /// `--noformat`: keep what is on it.
    pub no_format: bool,
    /// `--fsoptions`: mount options.
    pub fs_options: Option<String>,
    /// `--mkfsoptions`: further arguments for mkfs.
    pub mkfs_options: Option<String>,
    /// `--fsprofile`: a usage profile of mke2fs.
    pub fs_profile: Option<String>,
    /// `--label`: of the file system.
    pub label: Option<String>,
    /// How it is encrypted.
    pub encryption: Encryption,
}

/// How an array spreads its data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RaidLevel {
    /// Striped.
    Raid0,
    /// Mirrored.
    Raid1,
    /// One disk for parity.
    Raid4,
    /// Parity on all disks.
    Raid5,
    /// Parity twice.
    Raid6,
    /// Mirrored and striped.
    Raid10,
}

const LEVELS: &[(&str, RaidLevel)] = &[
    ("RAID0", RaidLevel::Raid0),
    ("RAID1", RaidLevel::Raid1),
    ("RAID4", RaidLevel::Raid4),
    ("RAID5", RaidLevel::Raid5),
    ("RAID6", RaidLevel::Raid6),
    ("RAID10", RaidLevel::Raid10),
];

impl RaidLevel {
    /// The name as kickstart writes it: `RAID1`.
    pub fn name(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }

    /// The level of that name, with or without `RAID` before the number.
    fn of(name: &str) -> Option<RaidLevel> {
        let name = name.to_uppercase();
        LEVELS.iter().find(|(n, _)| *n == name || n.strip_prefix("RAID") == Some(&name)).map(|(_, level)| *level)
    }
}

const OPTIONS: &[Opt] = &[
    text("--device").required().doc("the name of the array, such as `root` or `md0`"),
    text("--fstype").doc("the file system"),
    text("--level").doc("0, 1, 4, 5, 6 or 10, with or without `RAID` before it"),
    flag("--noformat").doc("keep an array that exists, and what is on it"),
    count("--spares").doc("how many of the members stand by for one that fails"),
    flag("--useexisting").doc("use an array that exists, with a new file system on it"),
    text("--fsoptions").doc("mount options, for /etc/fstab"),
    text("--fsprofile").doc("a usage profile of mke2fs"),
    flag("--encrypted").doc("encrypt it"),
    text("--passphrase").secret().doc("what unlocks it"),
    text("--escrowcert").doc("the URL of a certificate that a copy of the key is kept with"),
    flag("--backuppassphrase").doc("add a random passphrase, to be kept with that certificate"),
    text("--label").doc("the label of the file system"),
    text("--cipher").doc("the cipher, as cryptsetup calls it"),
    text("--mkfsoptions").doc("further arguments for mkfs"),
    count("--chunksize").doc("how much goes to one member before the next one's turn, in KiB"),
    text("--luks-version").since(8, 0).doc("the format of the encryption: luks1 or luks2"),
    text("--pbkdf").since(8, 0).doc("how a key is made of the passphrase: pbkdf2, argon2i or argon2id"),
    count("--pbkdf-memory").since(8, 0).doc("the memory that this takes, in KiB"),
    count("--pbkdf-time").since(8, 0).doc("the time that this takes, in milliseconds"),
    count("--pbkdf-iterations").since(8, 0).doc("how many rounds this takes, instead of a time"),
    text("--bytes-per-inode").long_gone().doc("how many inodes a file system gets"),
];

const SPEC: Spec = Spec::new("raid")
    .doc("Makes a software RAID array of partitions and a file system on it, or uses one that exists.")
    .repeatable()
    .leftovers()
    .options(OPTIONS)
    .positionals(&[one("a mount point"), any("member partitions")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let level = level(args, cx);
    check(args, cx);
    let encryption = encryption::read(args, cx);
    let (Some(mount), Some(device)) = (args.argument(0), args.text("--device")) else {
        return;
    };
    let named_freely = cx.syntax.reached(At::new(10, 43));
    let device = device.strip_prefix("md").filter(|_| !named_freely).map_or(device.clone(), str::to_owned);
    check_existing_device(args, &device, cx);
    cx.define_once("raid", &[&device], args.span, &format!("the array `{device}`"));
    kickstart.raids.push(Raid {
        span: args.span,
        mount: normal_path(&mount.value),
        mount_span: mount.span,
        device,
        members: storage::members(args),
        level,
        spares: args.count("--spares").filter(|n| *n > 0),
        chunk_size_kib: args.count("--chunksize").filter(|n| *n > 0),
        fstype: args.nonempty("--fstype"),
        existing: args.flag("--useexisting") || args.flag("--noformat"),
        no_format: args.flag("--noformat"),
        fs_options: args.nonempty("--fsoptions"),
        mkfs_options: args.nonempty("--mkfsoptions"),
        fs_profile: args.nonempty("--fsprofile"),
        label: args.nonempty("--label"),
        encryption,
    });
}

/// An array that exists is found by its name.
fn check_existing_device(args: &Args, device: &str, cx: &mut Cx<'_>) {
    if let (Some(given), true) = (args.last("--device"), device.is_empty())
        && args.last_of(&["--useexisting", "--noformat"]).is_some()
    {
        let message = "an array that exists needs its name";
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.span, message));
    }
}

/// The level given last; every one is checked.
fn level(args: &Args, cx: &mut Cx<'_>) -> Option<RaidLevel> {
    let mut level = None;
    for given in args.every("--level") {
        level = given.value.text().and_then(RaidLevel::of);
        if level.is_none() {
            cx.report(
                Diagnostic::new(&codes::INVALID_CHOICE, given.value_span, "there is no such RAID level")
                    .help("there are 0, 1, 4, 5, 6 and 10"),
            );
        }
    }
    level
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    storage::check_members(args, cx);
    storage::check_existing(args, cx);
    storage::check_mkfs_options(args, cx);
    // RHEL10 does not look any more.
    if !cx.syntax.reached(At::new(10, NO)) {
        storage::check_btrfs(args, cx);
    }
    if !storage::is_complete(args) || args.flag("--useexisting") || args.flag("--noformat") {
        return;
    }
    if storage::members(args).is_empty() {
        storage::missing(args, cx, "the partitions that it is made of");
    }
    if args.last("--level").is_none() {
        let message = "`raid` needs the option `--level`";
        cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, message));
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for raid in &kickstart.raids {
        pen.text("raid")
            .word(&raid.mount)
            .option("--device", Some(&raid.device).filter(|d| !d.is_empty()))
            .quoted("--fstype", raid.fstype.as_ref())
            .option("--level", raid.level.map(RaidLevel::name))
            .flag("--noformat", raid.no_format)
            .option("--spares", raid.spares)
            .flag("--useexisting", raid.existing)
            .quoted("--fsoptions", raid.fs_options.as_ref())
            .quoted("--fsprofile", raid.fs_profile.as_ref());
        encryption::write_keys(&raid.encryption, pen);
        pen.quoted("--label", raid.label.as_ref());
        encryption::write_cipher(&raid.encryption, pen);
        pen.quoted("--mkfsoptions", raid.mkfs_options.as_ref()).option("--chunksize", raid.chunk_size_kib);
        encryption::write_luks(&raid.encryption, pen);
        for member in &raid.members {
            pen.word(member);
        }
        pen.end_trimmed();
    }
}

#[cfg(test)]
mod tests {
    use super::RaidLevel;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, written};

    #[test]
    fn an_array() {
        let k =
            good("raid /data/ --level=raid5 --device=md0 --spares=1 --chunksize=64 raid.01 raid.02 raid.03 raid.04");
        let r = &k.raids[0];
        assert_eq!((r.mount.as_str(), r.device.as_str()), ("/data", "md0"));
        assert_eq!((r.level, r.spares, r.chunk_size_kib), (Some(RaidLevel::Raid5), Some(1), Some(64)));
        assert_eq!(r.members, ["raid.01", "raid.02", "raid.03", "raid.04"]);
        assert!(!r.existing);
        let k = good("raid / --device=root --noformat");
        assert!(k.raids[0].existing && k.raids[0].no_format && k.raids[0].level.is_none());
    }

    #[test]
    fn members_may_stand_anywhere_but_in_one_place() {
        for text in
            ["raid / a b --device=x --level=1", "raid / --device=x a --level=1 b", "raid --device=x --level=1 / a b"]
        {
            assert_eq!(good(text).raids[0].members, ["a", "b"], "{text}");
        }
        check(&[
            ("raid / a --device=x --level=1 b", &["E209"]),
            ("raid / --device=x --level=1 -5", &["E209"]),
            ("raid / --device=x --level=1 -- a", &["E209"]),
            ("raid / --device=x --level=1 a -- b", &["E209"]),
        ]);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("raid", &["E207", "E208"]),
            ("raid / --device=x --level=1", &["E208"]),
            ("raid / --device=x a", &["E207"]),
            ("raid / --level=1 a", &["E207"]),
            ("raid / --device=x --level=7 a", &["E212"]),
            ("raid / --device=x --level=7 --level=1 a", &["E212"]),
            ("raid / --device=x --level=1 --useexisting a", &["E209"]),
            ("raid / --device=x --noformat --mkfsoptions=y", &["E214"]),
            ("raid / --device=x --level=1 --mkfsoptions=y --fsprofile=z a", &["E214"]),
            ("raid / --device=x --level=1 --mkfsoptions=y --fsprofile= a", &[]),
            ("raid / --device=x --level=1 --pbkdf-time=1 --pbkdf-iterations=1 a", &["E214"]),
            ("raid / --device=x --level=1 --hw-passphrase=y a", &["E201"]),
        ]);
        check_versions(&[
            (Syntax::Rhel7, "raid / --device=x --level=1 --pbkdf=x a", &["E202"]),
            (Syntax::F42, "raid / --device=md --noformat", &["E216"]),
            (Syntax::F43, "raid / --device=md --noformat", &[]),
            (Syntax::Rhel9, "raid / --device=x --level=1 --fstype=btrfs a", &["E216"]),
            (Syntax::Rhel10, "raid / --device=x --level=1 --fstype=btrfs a", &[]),
            (Syntax::F46, "raid / --device=x --level=1 --bytes-per-inode=1 a", &["E203"]),
        ]);
    }

    #[test]
    fn canonical() {
        let text = "raid / a b --device=md0 --level=1 --label=l --fstype=xfs --encrypted --passphrase=p --cipher=c \
                    --chunksize=8 --luks-version=luks2 --pbkdf-time=2\n";
        let rest = "--fstype=\"xfs\" --level=RAID1 --encrypted --passphrase=\"p\" --label=\"l\" --cipher=\"c\" \
                    --chunksize=8 --luks-version=luks2 --pbkdf-time=2 a b\n";
        assert_eq!(written(Syntax::F46, text), format!("raid / --device=md0 {rest}"));
        assert_eq!(written(Syntax::F42, text), format!("raid / --device=0 {rest}"));
        assert_eq!(written(Syntax::F42, "raid / --device=md --level=0 a\n"), "raid / --level=RAID0 a\n");
        let odd = written(Syntax::F46, "raid / a '' b '' --device=md0 --level=0\n");
        assert_eq!(odd, "raid / --device=md0 --level=RAID0 a  b\n");
    }
}

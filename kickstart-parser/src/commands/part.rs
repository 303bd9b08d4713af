//! `part` and `partition`: one partition.

use super::command::Command;
use super::{encryption, storage};
use crate::args::spec::{NO, Opt, Spec, count, flag, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Encryption, Kickstart};
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::At;

/// `part` or `partition`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// The command line.
    pub span: Span,
    /// What it is for: a mount point, `swap`, `raid.01`, `pv.01`, `biosboot`, …
    pub mount: String,
    /// Where that is written.
    pub mount_span: Span,
    /// `--fstype`.
    pub fstype: Option<String>,
    /// `--size`, in MiB.
    pub size_mib: Option<u64>,
    /// `--grow`: as large as possible.
    pub grow: bool,
    /// `--maxsize`, in MiB: how far it may grow.
    pub max_size_mib: Option<u64>,
    /// `--recommended`: the size is the installer's choice.
    pub recommended: bool,
    /// `--hibernation`: the size of a swap to hibernate into.
    pub hibernation: bool,
    /// `--ondisk`: on this disk.
    pub on_disk: Option<String>,
    /// `--onpart`: this existing partition, without a leading `/dev/`.
    pub on_part: Option<String>,
    /// `--onbiosdisk`: on the disk that the BIOS calls so.
    pub on_bios_disk: Option<String>,
    /// `--noformat`: keep what is on it.
    pub no_format: bool,
    /// `--resize`: make the existing partition this large.
    pub resize: bool,
    /// `--asprimary`.
    pub as_primary: bool,
    /// `--active`: mark it as bootable.
    pub active: bool,
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

const OPTIONS: &[Opt] = &[
    flag("--active").deprecated(8, NO).removed(9, 34).doc("mark it as bootable"),
    flag("--asprimary").doc("make it a primary partition"),
    text("--fstype").or(&["--type"]).doc("the file system"),
    flag("--grow").doc("make it as large as possible"),
    count("--maxsize").doc("how far it may grow, in MiB"),
    flag("--noformat").doc("keep what is on it"),
    text("--onbiosdisk").doc("put it on the disk that the BIOS calls so"),
    text("--ondisk").or(&["--ondrive"]).doc("put it on this disk"),
    text("--onpart").or(&["--usepart"]).doc("use this partition, which exists"),
    flag("--recommended").doc("leave the size to the installer"),
    count("--size").doc("the size, in MiB"),
    text("--fsoptions").doc("mount options, for /etc/fstab"),
    text("--label").doc("the label of the file system"),
    text("--fsprofile").doc("a usage profile of mke2fs"),
    flag("--encrypted").doc("encrypt it"),
    text("--passphrase").secret().doc("what unlocks it"),
    text("--escrowcert").doc("the URL of a certificate that a copy of the key is kept with"),
    flag("--backuppassphrase").doc("add a random passphrase, to be kept with that certificate"),
    flag("--resize").doc("make the partition of `--onpart` as large as `--size` says"),
    flag("--hibernation").doc("make a swap large enough to hibernate into"),
    text("--cipher").doc("the cipher, as cryptsetup calls it"),
    text("--mkfsoptions").doc("further arguments for mkfs"),
    text("--luks-version").since(8, 0).doc("the format of the encryption: luks1 or luks2"),
    text("--pbkdf").since(8, 0).doc("how a key is made of the passphrase: pbkdf2, argon2i or argon2id"),
    count("--pbkdf-memory").since(8, 0).doc("the memory that this takes, in KiB"),
    count("--pbkdf-time").since(8, 0).doc("the time that this takes, in milliseconds"),
    count("--pbkdf-iterations").since(8, 0).doc("how many rounds this takes, instead of a time"),
    text("--hw-passphrase").secret().since(11, 41).doc("the admin passphrase of a disk that encrypts itself"),
    text("--bytes-per-inode").long_gone().doc("how many inodes a file system gets"),
    text("--start").long_gone().doc("the first cylinder"),
    text("--end").long_gone().doc("the last cylinder"),
];

const SPEC: Spec = Spec::new("part")
    .doc("Makes a partition and a file system on it, or uses a partition that exists.")
    .repeatable()
    .options(OPTIONS)
    .positionals(&[one("a mount point")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    check(args, cx);
    if !args.broken {
        check_size(args, cx);
    }
    let encryption = encryption::read(args, cx);
    let Some(mount) = args.argument(0) else {
        return;
    };
    let path = normal_path(&mount.value);
    // Those that are mounted are looked at together with other devices, in the lints.
    if path != "swap" && !path.starts_with('/') {
        cx.define_once("part", &[&path], mount.span, &format!("`{path}`"));
    }
    kickstart.partitions.push(Partition {
        span: args.span,
        mount: path,
        mount_span: mount.span,
        fstype: args.nonempty("--fstype"),
        size_mib: args.count("--size"),
        grow: args.flag("--grow"),
        max_size_mib: args.count("--maxsize"),
        recommended: args.flag("--recommended"),
        hibernation: args.flag("--hibernation"),
        on_disk: args.nonempty("--ondisk"),
        on_part: on_device(args, "--onpart"),
        on_bios_disk: args.nonempty("--onbiosdisk"),
        no_format: args.flag("--noformat"),
        resize: args.flag("--resize"),
        as_primary: args.flag("--asprimary"),
        active: args.flag("--active"),
        fs_options: args.nonempty("--fsoptions"),
        mkfs_options: args.nonempty("--mkfsoptions"),
        fs_profile: args.nonempty("--fsprofile"),
        label: args.nonempty("--label"),
        encryption,
    });
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    if let (Some(resize), None) = (args.last("--resize"), on_device(args, "--onpart")) {
        let message = "`--resize` needs `--onpart`";
        cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, resize.span, message));
    }
    storage::needs(args, cx, "--resize", "--size");
    storage::check_mkfs_options(args, cx);
    storage::check_btrfs(args, cx);
    if let Some(mount) = args.argument(0)
        && mount.value.starts_with("btrfs.")
        && cx.syntax.reached(At::new(8, NO))
    {
        storage::no_btrfs(mount.span, cx);
    }
    check_tmpfs(args, cx);
    for name in ["--onpart", "--ondisk", "--onbiosdisk"] {
        if let Some(given) = args.last(name)
            && on_device(args, name).is_none()
        {
            let message = format!("`{name}` names nothing, and counts as if it were not there");
            cx.report(Diagnostic::new(&codes::EMPTY_VALUE, given.span, message));
        }
    }
}

/// What is in memory does not grow into the free space of a disk.
fn check_tmpfs(args: &Args, cx: &mut Cx<'_>) {
    let grows = storage::said(args, "--grow").or_else(|| storage::said(args, "--maxsize"));
    if let (Some(grows), Some("tmpfs")) = (grows, args.text("--fstype").as_deref()) {
        let message = format!("`{}` cannot be used together with `--fstype=tmpfs`", grows.name);
        cx.report(Diagnostic::new(&codes::OPTIONS_EXCLUDE, grows.span, message));
    }
}

/// A device, without a leading `/dev/` where that is dropped.
fn on_device(args: &Args, name: &str) -> Option<String> {
    let device = args.text(name)?;
    let short = device.strip_prefix("/dev/").filter(|_| name == "--onpart");
    Some(short.unwrap_or(&device).to_owned()).filter(|d| !d.is_empty())
}

fn check_size(args: &Args, cx: &mut Cx<'_>) {
    let ways = ["--size", "--grow", "--recommended", "--hibernation", "--onpart", "--resize"];
    if let Some(mount) = args.argument(0)
        && !ways.iter().any(|way| args.flag(way))
    {
        cx.report(
            Diagnostic::new(&codes::NO_SIZE, args.span, format!("nothing says how large `{}` is", mount.value))
                .help("add `--size=MIB`, `--grow` or both"),
        );
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if !kickstart.partitions.is_empty() {
        pen.line("# Disk partitioning information");
    }
    for part in &kickstart.partitions {
        pen.text("part").word(&part.mount);
        write_place(part, pen);
        pen.quoted("--fsoptions", part.fs_options.as_ref())
            .quoted("--label", part.label.as_ref())
            .quoted("--fsprofile", part.fs_profile.as_ref());
        encryption::write_keys(&part.encryption, pen);
        pen.flag("--resize", part.resize).flag("--hibernation", part.hibernation);
        encryption::write_cipher(&part.encryption, pen);
        pen.quoted("--mkfsoptions", part.mkfs_options.as_ref());
        encryption::write_luks(&part.encryption, pen);
        encryption::write_hw_passphrase(&part.encryption, pen);
        pen.end();
    }
}

fn write_place(part: &Partition, pen: &mut Pen) {
    let size = |size: Option<u64>| size.filter(|n| *n > 0);
    pen.flag("--active", part.active)
        .flag("--asprimary", part.as_primary)
        .quoted("--fstype", part.fstype.as_ref())
        .flag("--grow", part.grow)
        .option("--maxsize", size(part.max_size_mib))
        .flag("--noformat", part.no_format)
        .option("--onbiosdisk", part.on_bios_disk.as_ref())
        .option("--ondisk", part.on_disk.as_ref())
        .option("--onpart", part.on_part.as_ref())
        .flag("--recommended", part.recommended)
        .option("--size", size(part.size_mib));
}

/// A mount point without doubled slashes, `.` and `..`; other words as they are.
pub(crate) fn normal_path(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::normal_path;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, written};

    #[test]
    fn a_partition() {
        let k = good("part / --fstype=xfs --size=4096 --grow --maxsize 8192 --ondrive=sda");
        let p = &k.partitions[0];
        assert_eq!(p.mount, "/");
        assert_eq!(p.fstype.as_deref(), Some("xfs"));
        assert_eq!((p.size_mib, p.grow, p.max_size_mib), (Some(4096), true, Some(8192)));
        assert_eq!(p.on_disk.as_deref(), Some("sda"));
        let k = good("partition swap --recommended\npart /home --usepart=/dev/sda4 --noformat");
        assert_eq!(k.partitions.len(), 2);
        assert!(k.partitions[0].recommended);
        assert_eq!(k.partitions[1].on_part.as_deref(), Some("sda4"));
    }

    #[test]
    fn mount_points_are_normal() {
        for (from, to) in [
            ("/", "/"),
            ("//", "/"),
            ("/home/", "/home"),
            ("/a/./b/../c", "/a/c"),
            ("/..", "/"),
            ("raid.01", "raid.01"),
            ("swap", "swap"),
        ] {
            assert_eq!(normal_path(from), to);
        }
    }

    #[test]
    fn mistakes() {
        check(&[
            ("part", &["E208"]),
            ("part --size=1", &["E208"]),
            ("part / /home", &["E209"]),
            ("part / --size=big", &["E210"]),
            ("part / --size=-5", &["E213"]),
            ("part / --size -5", &["E213"]),
            ("part / --resize", &["E215", "E215"]),
            ("part / --onpart=sda1 --resize", &["E215"]),
            ("part / --size=1 --mkfsoptions=a --fsprofile=b", &["E214"]),
            ("part / --onpart=x --resize --size=0", &["E215"]),
            ("part / --onpart=/dev/ --resize --size=1", &["E215"]),
            ("part / --onpart= --ondisk=", &[]),
            ("part / --size=1 --noformat --mkfsoptions=", &[]),
            ("part / --on=sda", &["E204"]),
            ("part / --siz=1 --fst xfs", &[]),
            ("part / --start=1", &["E203"]),
            ("part / --encrypted --hw-passphrase=x", &["E215"]),
            ("part / --luks-version=luks2-hw-opal --hw-passphrase=x", &["E215"]),
            ("part / --encrypted --luks-version=luks2-hw-opal-only --hw-passphrase=x", &[]),
            ("part / --pbkdf-time=0 --pbkdf-iterations=3", &[]),
            ("part /tmp --fstype=tmpfs --grow --maxsize=5", &["E214"]),
            ("part /tmp --fstype=tmpfs --maxsize=0", &[]),
            ("part btrfs.1 --fstype=btrfs", &[]),
        ]);
        check_versions(&[
            (Syntax::Rhel8, "part / --active", &["W201"]),
            (Syntax::Rhel8, "part / --fstype=btrfs", &["E216"]),
            (Syntax::Rhel10, "part btrfs.1 --size=1", &["E216"]),
            (Syntax::Rhel7, "part btrfs.1 --fstype=btrfs", &[]),
            (Syntax::Rhel9, "part / --active", &["E203"]),
            (Syntax::Rhel9, "part / --hw-passphrase=x", &["E202"]),
        ]);
    }

    #[test]
    fn canonical() {
        let text = "partition /a/ --size=4 --maxsize=0 --grow --usepart=/dev/sda1 --fstype=xfs --label=\"a b\" --resize\n\
                    part swap --cipher=c --recommended --ondisk=sda\n\
                    part / --size=0 --encrypted --passphrase=p --luks-version=luks2-hw-opal --hw-passphrase=h --cipher=c\n";
        let expected = "part /a --fstype=\"xfs\" --grow --onpart=sda1 --size=4 --label=\"a b\" --resize\n\
                        part swap --ondisk=sda --recommended\n\
                        part / --encrypted --passphrase=\"p\" --cipher=\"c\" --luks-version=luks2-hw-opal \
                        --hw-passphrase=\"h\"\n";
        assert_eq!(written(Syntax::F44, text), expected);
    }
}

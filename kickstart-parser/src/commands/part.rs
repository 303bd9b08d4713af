//! `part` and `partition`: one partition.

use super::{Command, encryption};
use crate::args::spec::{NO, Spec, count, flag, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Encryption, Kickstart};
use crate::span::Span;

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

const SPEC: Spec = Spec::new("part")
    .repeatable()
    .options(&[
        flag("--active").deprecated(8, NO).removed(9, 34),
        flag("--asprimary"),
        text("--fstype").or(&["--type"]),
        flag("--grow"),
        count("--maxsize"),
        flag("--noformat"),
        text("--onbiosdisk"),
        text("--ondisk").or(&["--ondrive"]),
        text("--onpart").or(&["--usepart"]),
        flag("--recommended"),
        count("--size"),
        text("--fsoptions"),
        text("--label"),
        text("--fsprofile"),
        flag("--encrypted"),
        text("--passphrase").secret(),
        text("--escrowcert"),
        flag("--backuppassphrase"),
        flag("--resize"),
        flag("--hibernation"),
        text("--cipher"),
        text("--mkfsoptions"),
        text("--luks-version").since(8, 0),
        text("--pbkdf").since(8, 0),
        count("--pbkdf-memory").since(8, 0),
        count("--pbkdf-time").since(8, 0),
        count("--pbkdf-iterations").since(8, 0),
        text("--hw-passphrase").secret().since(NO, 41),
        text("--bytes-per-inode").long_gone(),
        text("--start").long_gone(),
        text("--end").long_gone(),
    ])
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
    kickstart.partitions.push(Partition {
        span: args.span,
        mount: normal_path(&mount.value),
        mount_span: mount.span,
        fstype: args.nonempty("--fstype"),
        size_mib: args.count("--size"),
        grow: args.flag("--grow"),
        max_size_mib: args.count("--maxsize"),
        recommended: args.flag("--recommended"),
        hibernation: args.flag("--hibernation"),
        on_disk: args.nonempty("--ondisk"),
        on_part: args.nonempty("--onpart").map(|p| p.strip_prefix("/dev/").map_or(p.clone(), str::to_owned)),
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
    args.needs(cx, "--resize", "--onpart");
    args.needs(cx, "--resize", "--size");
    args.exclude(cx, "--fsprofile", "--mkfsoptions");
    args.exclude(cx, "--noformat", "--mkfsoptions");
    if let Some(given) = args.last("--onpart")
        && args.text("--onpart").is_some_and(|p| p.is_empty() || p == "/dev/")
    {
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.span, "`--onpart` needs the name of a partition"));
    }
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
    use crate::commands::testing::{check, check_versions, good};

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
            ("part / --onpart=", &["E216"]),
            ("part / --on=sda", &["E204"]),
            ("part / --siz=1 --fst xfs", &[]),
            ("part / --start=1", &["E203"]),
            ("part / --encrypted --hw-passphrase=x", &["E215"]),
        ]);
        check_versions(&[
            (Syntax::Rhel8, "part / --active", &["W201"]),
            (Syntax::Rhel9, "part / --active", &["E203"]),
            (Syntax::Rhel9, "part / --hw-passphrase=x", &["E202"]),
        ]);
    }
}

//! `btrfs`: a btrfs volume or one of its subvolumes.

use super::command::Command;
use super::part::normal_path;
use super::storage;
use crate::args::spec::{NO, Spec, any, flag, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `btrfs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Btrfs {
    /// The command line.
    pub span: Span,
    /// Where it is mounted; `none` for nowhere.
    pub mount: String,
    /// Where that is written.
    pub mount_span: Span,
    /// Of a volume its devices, of a subvolume its volume (`LABEL=root`, say).
    pub members: Vec<String>,
    /// `--useexisting` or `--noformat`: it exists.
    pub existing: bool,
    /// `--label`: of the file system.
    pub label: Option<String>,
    /// `--data`: how data is spread over the devices.
    pub data: Option<BtrfsLevel>,
    /// `--metadata`: how metadata is spread over the devices.
    pub metadata: Option<BtrfsLevel>,
    /// `--subvol`: a subvolume.
    pub subvolume: bool,
    /// `--name`: of the subvolume.
    pub name: Option<String>,
    /// `--mkfsoptions`: further arguments for mkfs.
    pub mkfs_options: Option<String>,
}

/// How btrfs spreads what it stores.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BtrfsLevel {
    /// Striped.
    Raid0,
    /// Mirrored.
    Raid1,
    /// Mirrored and striped.
    Raid10,
    /// One copy.
    Single,
}

impl BtrfsLevel {
    /// The name as kickstart writes it: `raid1`.
    pub fn name(self) -> &'static str {
        match self {
            BtrfsLevel::Raid0 => "raid0",
            BtrfsLevel::Raid1 => "raid1",
            BtrfsLevel::Raid10 => "raid10",
            BtrfsLevel::Single => "single",
        }
    }

    /// The level of that name, with or without `raid` before a number.
    fn of(name: &str) -> Option<BtrfsLevel> {
        match name.to_lowercase().as_str() {
            "0" | "raid0" => Some(BtrfsLevel::Raid0),
            "1" | "raid1" => Some(BtrfsLevel::Raid1),
            "10" | "raid10" => Some(BtrfsLevel::Raid10),
            "single" => Some(BtrfsLevel::Single),
            _ => None,
        }
    }
}

const SPEC: Spec = Spec::new("btrfs")
    .deprecated(8, NO)
    .removed(10, NO)
    .doc("Makes a btrfs volume of partitions, or a subvolume in one, or uses one that exists.")
    .repeatable()
    .leftovers()
    .options(&[
        flag("--noformat").doc("keep one that exists, and what is on it"),
        flag("--useexisting").doc("use one that exists"),
        text("--label").doc("the label of the volume"),
        text("--data").doc("how data is spread: 0, 1, 10 or single"),
        text("--metadata").doc("how metadata is spread: 0, 1, 10 or single"),
        flag("--subvol").doc("make a subvolume"),
        text("--parent").doc("without effect: a subvolume names its volume as an argument"),
        text("--name").doc("the name of the subvolume"),
        text("--mkfsoptions").doc("further arguments for mkfs"),
    ])
    .positionals(&[one("a mount point"), any("partitions, or the volume of a subvolume")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let data = level(args, "--data", cx);
    let metadata = level(args, "--metadata", cx);
    check(args, cx);
    let Some(mount) = args.argument(0) else {
        return;
    };
    let path = normal_path(&mount.value);
    // Those that are mounted are looked at together with other devices, in the lints.
    if !path.starts_with('/') {
        cx.define_once("btrfs", &[&path], args.span, &format!("a btrfs for `{path}`"));
    }
    kickstart.btrfs.push(Btrfs {
        span: args.span,
        mount: path,
        mount_span: mount.span,
        members: storage::members(args),
        existing: args.flag("--useexisting") || args.flag("--noformat"),
        label: args.nonempty("--label"),
        data,
        metadata,
        subvolume: args.flag("--subvol"),
        name: args.nonempty("--name"),
        mkfs_options: args.nonempty("--mkfsoptions"),
    });
}

/// The level given last; every one is checked.
fn level(args: &Args, name: &str, cx: &mut Cx<'_>) -> Option<BtrfsLevel> {
    let mut level = None;
    for given in args.every(name) {
        level = given.value.text().and_then(BtrfsLevel::of);
        if level.is_none() {
            cx.report(
                Diagnostic::new(&codes::INVALID_CHOICE, given.value_span, "btrfs has no such level")
                    .help("there are 0, 1, 10 and single"),
            );
        }
    }
    level
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    storage::check_dashes(args, args.arguments.iter().flatten().chain(&args.leftovers), cx);
    storage::exclude(args, cx, "--noformat", "--mkfsoptions");
    storage::exclude(args, cx, "--useexisting", "--mkfsoptions");
    if !storage::is_complete(args) {
        return;
    }
    if storage::members(args).is_empty() {
        let what =
            if args.flag("--subvol") { "the volume that it is part of" } else { "the partitions that it is made of" };
        storage::missing(args, cx, what);
    }
    storage::needs(args, cx, "--subvol", "--name");
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for btrfs in &kickstart.btrfs {
        pen.text("btrfs")
            .word(&btrfs.mount)
            .flag("--noformat", btrfs.existing)
            .flag("--useexisting", btrfs.existing)
            .quoted("--label", btrfs.label.as_ref())
            .option("--data", btrfs.data.map(BtrfsLevel::name))
            .option("--metadata", btrfs.metadata.map(BtrfsLevel::name))
            .flag("--subvol", btrfs.subvolume)
            .option("--name", btrfs.name.as_ref().filter(|_| btrfs.subvolume))
            .quoted("--mkfsoptions", btrfs.mkfs_options.as_ref());
        for member in &btrfs.members {
            pen.word(member);
        }
        pen.end();
    }
}

#[cfg(test)]
mod tests {
    use super::BtrfsLevel;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, written};

    #[test]
    fn volumes_and_subvolumes() {
        let k = good("btrfs none --label=fedora --data=1 btrfs.01 btrfs.02\nbtrfs /home --subvol --name=home fedora");
        let v = &k.btrfs[0];
        assert_eq!((v.mount.as_str(), v.label.as_deref(), v.data), ("none", Some("fedora"), Some(BtrfsLevel::Raid1)));
        assert_eq!(v.members, ["btrfs.01", "btrfs.02"]);
        let s = &k.btrfs[1];
        assert!(s.subvolume);
        assert_eq!((s.name.as_deref(), s.members.as_slice()), (Some("home"), &["fedora".to_owned()][..]));
    }

    #[test]
    fn nothing_is_lost_between_options() {
        assert_eq!(good("btrfs --label=x / a b --data=0 c d").btrfs[0].members, ["a", "b", "c", "d"]);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("btrfs", &["E208"]),
            ("btrfs /", &["E208"]),
            ("btrfs / --useexisting", &["E208"]),
            ("btrfs / --data=5 a", &["E212"]),
            ("btrfs / --metadata=dup a", &["E212"]),
            ("btrfs / --subvol a", &["E215"]),
            ("btrfs / --subvol --name= a", &["E215"]),
            ("btrfs / --subvol --name=a", &["E208"]),
            ("btrfs / a -5", &["E209"]),
            ("btrfs / a --bogus", &["E201"]),
            ("btrfs / a --mkfsoptions=x --useexisting", &["E214"]),
        ]);
        check_versions(&[
            (Syntax::Rhel7, "btrfs / a", &[]),
            (Syntax::Rhel9, "btrfs", &["W101"]),
            (Syntax::Rhel10, "btrfs / a", &["E103"]),
        ]);
    }

    #[test]
    fn canonical() {
        let text = "btrfs /a/ x --noformat --label=l --data=RAID10 --metadata=Single --name=n --parent=p\n\
                    btrfs / --subvol --name=n LABEL=l --mkfsoptions=k\n";
        let expected = "btrfs /a --noformat --useexisting --label=\"l\" --data=raid10 --metadata=single x\n\
                        btrfs / --subvol --name=n --mkfsoptions=\"k\" LABEL=l\n";
        assert_eq!(written(Syntax::F44, text), expected);
    }
}

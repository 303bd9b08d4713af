//! `logvol`: an LVM logical volume.

use super::command::Command;
use super::part::normal_path;
use super::{encryption, storage};
use crate::args::spec::{Opt, Spec, count, flag, list, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Encryption, Kickstart};
use crate::pen::Pen;
use crate::span::Span;

/// `logvol`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogVol {
    /// The command line.
    pub span: Span,
    /// What it is for: a mount point, `swap`, or `none`.
    pub mount: String,
    /// Where that is written.
    pub mount_span: Span,
    /// `--name`.
    pub name: String,
    /// `--vgname`: the volume group.
    pub volume_group: String,
    /// `--fstype`.
    pub fstype: Option<String>,
    /// `--size`, in MiB.
    pub size_mib: Option<u64>,
    /// `--percent`: of what is free in the volume group.
    pub percent: Option<u64>,
    /// `--grow`: as large as possible.
    pub grow: bool,
    /// `--maxsize`, in MiB: how far it may grow.
    pub max_size_mib: Option<u64>,
    /// `--recommended`: the size is the installer's choice.
    pub recommended: bool,
    /// `--hibernation`: the size of a swap to hibernate into.
    pub hibernation: bool,
    /// `--useexisting`, or `--noformat`: the volume exists.
    pub existing: bool,
    /// `--noformat`: keep what is on it.
    pub no_format: bool,
    /// `--resize`: make the existing volume as large as `--size`.
    pub resize: bool,
    /// `--fsoptions`: mount options.
    pub fs_options: Option<String>,
    /// `--mkfsoptions`: further arguments for mkfs.
    pub mkfs_options: Option<String>,
    /// `--fsprofile`: a usage profile of mke2fs.
    pub fs_profile: Option<String>,
    /// `--label`: of the file system.
    pub label: Option<String>,
    /// `--thinpool` or `--thin`.
    pub thin: Option<Thin>,
    /// `--profile`: an LVM profile.
    pub profile: Option<String>,
    /// A cache on faster devices.
    pub cache: Option<Cache>,
    /// How it is encrypted.
    pub encryption: Encryption,
}

/// Thin provisioning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thin {
    /// `--thinpool`: space that thin volumes share.
    Pool {
        /// `--metadatasize`, in MiB.
        metadata_size_mib: Option<u64>,
        /// `--chunksize`, in KiB.
        chunk_size_kib: Option<u64>,
    },
    /// `--thin`: a volume in the pool that `--poolname` names.
    Volume(String),
}

/// A cache of a logical volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cache {
    /// `--cachesize`, in MiB.
    pub size_mib: u64,
    /// `--cachepvs`: the physical volumes that it is on.
    pub devices: Vec<String>,
    /// `--cachemode`; `None` is LVM's default.
    pub mode: Option<CacheMode>,
}

/// When a cache writes to the volume behind it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CacheMode {
    /// `writeback`: later.
    WriteBack,
    /// `writethrough`: at once.
    WriteThrough,
}

impl CacheMode {
    /// The name as kickstart writes it.
    pub fn name(self) -> &'static str {
        match self {
            CacheMode::WriteBack => "writeback",
            CacheMode::WriteThrough => "writethrough",
        }
    }
}

const OPTIONS: &[Opt] = &[
    text("--fstype").doc("the file system"),
    flag("--grow").doc("make it as large as possible"),
    count("--maxsize").doc("how far it may grow, in MiB"),
    text("--name").required().doc("the name of the volume"),
    flag("--noformat").doc("keep a volume that exists, and what is on it"),
    count("--percent").doc("the size, in percent of what is free in the volume group"),
    flag("--recommended").doc("leave the size to the installer"),
    count("--size").doc("the size, in MiB"),
    flag("--useexisting").doc("use a volume that exists, with a new file system on it"),
    text("--vgname").required().doc("the volume group that it is in"),
    text("--fsoptions").doc("mount options, for /etc/fstab"),
    text("--fsprofile").doc("a usage profile of mke2fs"),
    flag("--encrypted").doc("encrypt it"),
    text("--passphrase").secret().doc("what unlocks it"),
    text("--escrowcert").doc("the URL of a certificate that a copy of the key is kept with"),
    flag("--backuppassphrase").doc("add a random passphrase, to be kept with that certificate"),
    text("--label").doc("the label of the file system"),
    flag("--resize").doc("make a volume that exists as large as `--size` says"),
    flag("--hibernation").doc("make a swap large enough to hibernate into"),
    text("--cipher").doc("the cipher, as cryptsetup calls it"),
    flag("--thinpool").doc("make a pool for thin volumes"),
    flag("--thin").doc("make a thin volume"),
    text("--poolname").doc("the pool of a thin volume"),
    count("--chunksize").doc("the size of a chunk of a pool, in KiB"),
    count("--metadatasize").doc("the size of the metadata of a pool, in MiB"),
    text("--profile").doc("an LVM profile to configure the volume with"),
    count("--cachesize").since(8, 0).doc("the size of its cache, in MiB"),
    text("--cachemode").since(8, 0).doc("when the cache writes: writeback or writethrough"),
    list("--cachepvs").since(8, 0).doc("fast physical volumes for the cache, separated by commas"),
    text("--mkfsoptions").doc("further arguments for mkfs"),
    text("--luks-version").since(8, 0).doc("the format of the encryption: luks1 or luks2"),
    text("--pbkdf").since(8, 0).doc("how a key is made of the passphrase: pbkdf2, argon2i or argon2id"),
    count("--pbkdf-memory").since(8, 0).doc("the memory that this takes, in KiB"),
    count("--pbkdf-time").since(8, 0).doc("the time that this takes, in milliseconds"),
    count("--pbkdf-iterations").since(8, 0).doc("how many rounds this takes, instead of a time"),
    text("--bytes-per-inode").long_gone().doc("how many inodes a file system gets"),
];

const SPEC: Spec = Spec::new("logvol")
    .doc("Makes a logical volume in a volume group, or uses one that exists.")
    .repeatable()
    .options(OPTIONS)
    .positionals(&[one("a mount point")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    check(args, cx);
    let cache = cache(args, cx);
    let encryption = encryption::read(args, cx);
    let (Some(mount), Some(name), Some(group)) = (args.argument(0), args.text("--name"), args.text("--vgname")) else {
        return;
    };
    cx.define_once("logvol", &[&group, &name], args.span, &format!("the logical volume `{group}/{name}`"));
    kickstart.logical_volumes.push(LogVol {
        span: args.span,
        mount: normal_path(&mount.value),
        mount_span: mount.span,
        name,
        volume_group: group,
        fstype: args.nonempty("--fstype"),
        size_mib: args.count("--size").filter(|n| *n > 0),
        percent: args.count("--percent").filter(|n| *n > 0),
        grow: args.flag("--grow"),
        max_size_mib: args.count("--maxsize").filter(|n| *n > 0),
        recommended: args.flag("--recommended"),
        hibernation: args.flag("--hibernation"),
        existing: is_existing(args),
        no_format: args.flag("--noformat"),
        resize: args.flag("--resize"),
        fs_options: args.nonempty("--fsoptions"),
        mkfs_options: args.nonempty("--mkfsoptions"),
        fs_profile: args.nonempty("--fsprofile"),
        label: args.nonempty("--label"),
        thin: thin(args),
        profile: args.nonempty("--profile"),
        cache,
        encryption,
    });
}

fn is_existing(args: &Args) -> bool {
    args.flag("--useexisting") || args.flag("--noformat")
}

fn thin(args: &Args) -> Option<Thin> {
    if args.flag("--thinpool") {
        let size = |name| args.count(name).filter(|n| *n > 0);
        return Some(Thin::Pool { metadata_size_mib: size("--metadatasize"), chunk_size_kib: size("--chunksize") });
    }
    args.text("--poolname").filter(|_| args.flag("--thin")).map(Thin::Volume)
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    storage::check_btrfs(args, cx);
    storage::check_mkfs_options(args, cx);
    storage::exclude(args, cx, "--size", "--percent");
    storage::exclude(args, cx, "--thin", "--thinpool");
    storage::needs(args, cx, "--thin", "--poolname");
    storage::needs(args, cx, "--chunksize", "--thinpool");
    storage::needs(args, cx, "--metadatasize", "--thinpool");
    storage::needs(args, cx, "--resize", "--size");
    if let Some(resize) = args.last("--resize")
        && !is_existing(args)
    {
        let message = "`--resize` needs `--useexisting`";
        cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, resize.span, message));
    }
    if let (Some(given), Some(percent)) = (args.last("--percent"), args.count("--percent"))
        && percent > 100
    {
        let message = "`--percent` goes up to 100";
        cx.report(Diagnostic::new(&codes::OUT_OF_RANGE, given.value_span, message));
    }
    check_size(args, cx);
}

/// What is made needs a size; `--grow` alone is none here.
fn check_size(args: &Args, cx: &mut Cx<'_>) {
    let ways = ["--size", "--percent", "--recommended", "--hibernation"];
    if storage::is_complete(args) && !is_existing(args) && !ways.iter().any(|way| storage::said(args, way).is_some()) {
        cx.report(
            Diagnostic::new(&codes::OPTION_NEEDS_OTHER, args.span, "nothing says how large the volume is")
                .help("add `--size=MIB` or `--percent=N`"),
        );
    }
}

/// The cache, if any option asks for one.
fn cache(args: &Args, cx: &mut Cx<'_>) -> Option<Cache> {
    let asking = ["--cachesize", "--cachemode", "--cachepvs"].into_iter().find_map(|name| storage::said(args, name))?;
    let mut wrong = |message: &str| cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, asking.span, message));
    let devices = args.list("--cachepvs");
    if devices.is_empty() {
        wrong("a cache needs `--cachepvs`: the physical volumes that it is on");
    }
    let size = args.count("--cachesize").filter(|n| *n > 0);
    if size.is_none() && !args.broken {
        wrong("a cache needs `--cachesize`");
    }
    let mut excluded = |name: &'static str, message: &str| {
        if let Some(other) = args.last(name) {
            cx.report(
                Diagnostic::new(&codes::OPTIONS_EXCLUDE, asking.span, message)
                    .label(other.span, format!("`{name}` is here")),
            );
        }
    };
    excluded("--thin", "a thin volume cannot have a cache; its pool can");
    let existing = if args.flag("--useexisting") { "--useexisting" } else { "--noformat" };
    excluded(existing, "a volume that exists cannot get a cache");
    Some(Cache { size_mib: size?, devices, mode: cache_mode(args, cx) })
}

fn cache_mode(args: &Args, cx: &mut Cx<'_>) -> Option<CacheMode> {
    let given = storage::said(args, "--cachemode")?;
    match given.value.text() {
        Some("writeback") => Some(CacheMode::WriteBack),
        Some("writethrough") => Some(CacheMode::WriteThrough),
        _ => {
            cx.report(
                Diagnostic::new(&codes::INVALID_CHOICE, given.value_span, "there is no such cache mode")
                    .help("there are writeback and writethrough"),
            );
            None
        }
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for volume in &kickstart.logical_volumes {
        pen.text("logvol").word(&volume.mount).quoted("--fstype", volume.fstype.as_ref());
        write_size(volume, pen);
        pen.flag("--useexisting", volume.existing)
            .quoted("--fsoptions", volume.fs_options.as_ref())
            .quoted("--fsprofile", volume.fs_profile.as_ref());
        encryption::write_keys(&volume.encryption, pen);
        pen.quoted("--label", volume.label.as_ref())
            .flag("--resize", volume.resize)
            .flag("--hibernation", volume.hibernation);
        encryption::write_cipher(&volume.encryption, pen);
        write_layers(volume, pen);
        pen.quoted("--mkfsoptions", volume.mkfs_options.as_ref());
        encryption::write_luks(&volume.encryption, pen);
        pen.option("--name", Some(&volume.name)).option("--vgname", Some(&volume.volume_group)).end();
    }
}

fn write_size(volume: &LogVol, pen: &mut Pen) {
    pen.flag("--grow", volume.grow)
        .option("--maxsize", volume.max_size_mib)
        .flag("--noformat", volume.no_format)
        .option("--percent", volume.percent)
        .flag("--recommended", volume.recommended)
        .option("--size", volume.size_mib);
}

fn write_layers(volume: &LogVol, pen: &mut Pen) {
    match &volume.thin {
        Some(Thin::Pool { metadata_size_mib, chunk_size_kib }) => {
            pen.word("--thinpool").option("--metadatasize", *metadata_size_mib).option("--chunksize", *chunk_size_kib);
        }
        Some(Thin::Volume(pool)) => {
            pen.word("--thin").option("--poolname", Some(pool));
        }
        None => {}
    }
    pen.option("--profile", volume.profile.as_ref());
    if let Some(cache) = &volume.cache {
        pen.option("--cachesize", Some(cache.size_mib))
            .list("--cachepvs", &cache.devices)
            .option("--cachemode", cache.mode.map(CacheMode::name));
    }
}

#[cfg(test)]
#[path = "logvol/tests.rs"]
mod tests;

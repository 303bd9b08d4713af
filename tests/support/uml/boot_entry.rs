//! What a boot loader would find on a disk: the boot entries, and what they start.

use std::fs;
use std::path::{Path, PathBuf};

use super::kernel::{in_own_mounts, part};
use crate::support::installed::partition_table;
use crate::support::need;

/// One boot entry.
pub(super) struct BootEntry {
    /// Its kernel arguments.
    pub(super) kargs: Vec<String>,
    /// A copy of its initramfs.
    pub(super) initramfs: PathBuf,
}

/// The entry `rank` places below the default of the first of `disks` that has any; its
/// initramfs is copied into `dir`.
pub(super) fn read(disks: &[PathBuf], rank: usize, dir: &Path) -> BootEntry {
    let output = dir.join("boot");
    let failures: Vec<String> = disks.iter().map_while(|disk| take(disk, &output, dir).err()).collect();
    assert!(failures.len() < disks.len(), "no disk has a boot entry: {failures:?}");
    let mut entries: Vec<(u32, String)> = fs::read_dir(output.join("entries"))
        .expect("listing the boot entries")
        .flatten()
        .map(|entry| fs::read_to_string(entry.path()).expect("reading a boot entry"))
        .map(|text| (field(&text, "version").parse().unwrap_or(0), text))
        .collect();
    // The menu's order: the highest version is the default.
    entries.sort_by(|one, other| other.cmp(one));
    let (_, text) = entries.get(rank).unwrap_or_else(|| panic!("no boot entry {rank} among {entries:?}"));
    let initramfs = output.join("files").join(field(text, "initrd").trim_start_matches('/'));
    BootEntry { kargs: field(text, "options").split_whitespace().map(str::to_owned).collect(), initramfs }
}

/// Copies the boot files of one disk.
fn take(disk: &Path, output: &Path, dir: &Path) -> Result<(), String> {
    let mount_point = dir.join("mnt");
    fs::create_dir_all(&mount_point).expect("making a mount point");
    let table = partition_table(disk);
    let sector = table["sectorsize"].as_u64().unwrap_or(512);
    let partitions = table["partitions"].as_array().cloned().unwrap_or_default();
    let bytes = |value: &serde_json::Value| value.as_u64().unwrap_or(0) * sector;
    let lines: Vec<String> =
        partitions.iter().map(|one| format!("{} {}\n", bytes(&one["start"]), bytes(&one["size"]))).collect();
    let list = dir.join("partitions");
    fs::write(&list, lines.concat()).expect("writing a list of partitions");
    let mut command = in_own_mounts(&need("sh", "dash"));
    command.arg(part("boot-files.sh")).arg(disk).arg(output).arg(mount_point);
    command.stdin(fs::File::open(list).expect("opening a list of partitions"));
    let done = command.output().unwrap_or_else(|error| panic!("starting {command:?}: {error}"));
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

/// The first line of a boot entry with this word, without it.
fn field<'a>(entry: &'a str, name: &str) -> &'a str {
    let found = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.map(str::trim).unwrap_or_default()
}

//! The kernel's idea of a disk's partitions: told one by one, forgotten one by one.
//!
//! Nothing here writes to a disk; the table itself is `gpt`'s.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::node::{PROBERS, ensure_node, is_busy, node_of, numbers_of, open, remove_stale_node, sysfs_directory};
use crate::error::{Context, Error, Result, Stage};
use crate::ffi::blkpg;
use crate::machine::partition_path;
use crate::retry::retry;
use crate::units::{Bytes, Sectors};

/// Tells the kernel that `disk` has exactly these partitions (number, start and size in
/// bytes): forgets what is not among them, keeps what already is so, adds the rest. Returns
/// the nodes in the order of `partitions`, all of them there.
pub fn announce_partitions(disk: impl AsRef<Path>, partitions: &[(u32, Bytes, Bytes)]) -> Result<Vec<PathBuf>> {
    let disk = disk.as_ref();
    let sysfs = sysfs_directory(disk)?;
    let file = open_locked(disk)?;
    for known in known_partitions(&sysfs, disk)? {
        if !partitions.contains(&(known.number, known.start, known.size)) {
            forget(&file, disk, &known)?;
        }
    }
    let known = known_partitions(&sysfs, disk)?;
    for &(number, start, size) in partitions {
        if !known.iter().any(|have| have.number == number) {
            blkpg::add_partition(&file, number, start, size).doing(
                Stage::Storage,
                format_args!("telling the kernel of partition {number} of {}", disk.display()),
            )?;
        }
    }
    // The directories are looked up again rather than derived: their names are the kernel's.
    let known = known_partitions(&sysfs, disk)?;
    let find = |&(number, ..): &(u32, Bytes, Bytes)| {
        let found = known.iter().find(|have| have.number == number).ok_or_else(|| {
            Error::failed(Stage::Storage, format!("the kernel lost partition {number} of {}", disk.display()))
        })?;
        ensure_node(&found.sysfs)
    };
    partitions.iter().map(find).collect()
}

/// Makes the kernel forget all partitions of `disk`. Fails when one of them is in use, and
/// says which.
pub fn forget_partitions(disk: impl AsRef<Path>) -> Result<()> {
    let disk = disk.as_ref();
    let sysfs = sysfs_directory(disk)?;
    let known = known_partitions(&sysfs, disk)?;
    if known.is_empty() {
        return Ok(());
    }
    let file = open_locked(disk)?;
    // Logical partitions of a dos table live in the extended one, which has a lower number.
    known.iter().rev().try_for_each(|partition| forget(&file, disk, partition))
}

struct Known {
    number: u32,
    start: Bytes,
    size: Bytes,
    sysfs: PathBuf,
}

/// What the kernel knows now, by number.
fn known_partitions(sysfs: &Path, disk: &Path) -> Result<Vec<Known>> {
    let read = || -> io::Result<Vec<Known>> {
        let mut known = Vec::new();
        for entry in fs::read_dir(sysfs)? {
            let directory = entry?.path();
            // Only a partition's directory has this file.
            let Some(number) = read_number(&directory.join("partition")) else { continue };
            let sectors = |name: &str| read_number(&directory.join(name)).map(|count| Sectors(count).bytes());
            if let (Ok(number), Some(start), Some(size)) = (u32::try_from(number), sectors("start"), sectors("size")) {
                known.push(Known { number, start, size, sysfs: directory });
            }
        }
        known.sort_by_key(|partition| partition.number);
        Ok(known)
    };
    read().doing(Stage::Storage, format_args!("listing the partitions of {}", disk.display()))
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Opens a disk and locks it as systemd asks of every program that changes partitions: udev then
/// waits instead of reading the table itself in the middle.
fn open_locked(disk: &Path) -> Result<File> {
    let lock = || {
        let file = open(disk, false)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok::<_, io::Error>(file)
    };
    lock().doing(Stage::Storage, format_args!("locking {}", disk.display()))
}

fn delete_patiently(disk: &File, number: u32) -> io::Result<()> {
    retry(PROBERS, Duration::from_millis(20), is_busy, || blkpg::delete_partition(disk, number))
}

fn forget(file: &File, disk: &Path, partition: &Known) -> Result<()> {
    let former = numbers_of(&partition.sysfs);
    match delete_patiently(file, partition.number) {
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {}
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
            let path = partition_path(disk, partition.number);
            return Err(Error::failed(Stage::Storage, format!("{} is in use", path.display()))
                .because(error)
                .hint("unmount it, stop the volume group or array on it, and try again"));
        }
        other => {
            let doing = format_args!("forgetting partition {} of {}", partition.number, disk.display());
            other.doing(Stage::Storage, doing)?;
        }
    }
    remove_stale_node(&node_of(&partition.sysfs), former);
    Ok(())
}

//! The disks and their partitions: sysfs for what the kernel knows, libblkid for what is on
//! them.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::identity::identity;
use super::naming::partition_path;
use super::sysfs::{SystemRoots, flag, names, number};
use super::types::{Disk, Partition, Signature};
use super::usage::Usage;
use crate::error::{Error, Result, Stage};
use crate::ffi::blkid;
use crate::units::{Bytes, Sectors};

/// What is never a disk to install to: memory, floppies, optical drives, flash without a
/// block layer of its own, and what sits on top of disks (shown as their holders).
const NO_DISKS: [&str; 8] = ["ram", "zram", "sr", "fd", "mtdblock", "dm-", "md", "drbd"];

/// The whole disks, in the order of their names, loop devices last.
pub(super) fn disks(roots: &SystemRoots) -> Result<Vec<Disk>> {
    let class = roots.sys.join("class/block");
    if !class.is_dir() {
        let message = format!("{} is not there, so no disk can be seen", class.display());
        return Err(Error::world(Stage::Probe, message).hint("mount /sys"));
    }
    let usage = Usage::read(roots);
    let mut disks: Vec<Disk> = names(&class)
        .iter()
        .filter(|name| is_disk(&class.join(name), name))
        .map(|name| disk(roots, &usage, &class.join(name), name))
        .collect();
    disks.sort_by(|a, b| (a.loopback, natural(&a.name)).cmp(&(b.loopback, natural(&b.name))));
    Ok(disks)
}

fn is_disk(sysfs: &Path, name: &str) -> bool {
    let special = NO_DISKS
        .iter()
        .any(|prefix| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())));
    // eMMC shows its boot areas as disks.
    let boot_area =
        name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb") || name.contains("gp"));
    let attached = !name.starts_with("loop") || sysfs.join("loop/backing_file").exists();
    let optical = number(sysfs.join("device/type")) == Some(5);
    !special
        && !boot_area
        && !optical
        && attached
        && !sysfs.join("partition").exists()
        // One path of a multipath NVMe disk.
        && !flag(sysfs.join("hidden"))
        && number(sysfs.join("size")).is_some_and(|size| size > 0)
}

/// A key for sorting by: family, then its numbers or letters by value, so that sda, sdb,
/// sdaa and nvme2n1, nvme10n1 come in that order.
fn natural(name: &str) -> (&str, Vec<(usize, String)>) {
    let letters = ["xvd", "vd", "sd", "hd"].iter().find(|family| name.starts_with(**family)).map(|family| family.len());
    let family = letters.unwrap_or_else(|| name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len()));
    let mut chunks: Vec<String> = Vec::new();
    for c in name[family..].chars() {
        match chunks.last_mut() {
            Some(chunk) if chunk.ends_with(|last: char| last.is_ascii_digit() == c.is_ascii_digit()) => chunk.push(c),
            _ => chunks.push(c.into()),
        }
    }
    (&name[..family], chunks.into_iter().map(|chunk| (chunk.len(), chunk)).collect())
}

fn disk(roots: &SystemRoots, usage: &Usage, sysfs: &Path, sysfs_name: &str) -> Disk {
    // The kernel writes the slash of names such as cciss/c0d0 as an exclamation mark.
    let name = sysfs_name.replace('!', "/");
    let path = format!("/dev/{name}");
    let who = identity(roots, sysfs_name, sysfs);
    let sector_size = Bytes(number(sysfs.join("queue/logical_block_size")).unwrap_or(512));
    let (content, mut unreadable) = match open(roots, &path) {
        Ok(file) => (Some(file), None),
        // A recorded machine has no nodes.
        Err(error) if error.kind() == io::ErrorKind::NotFound => (None, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let (table, signature) = match content.as_ref().map(|file| signatures(file, sector_size)).transpose() {
        Ok(found) => found.unwrap_or_default(),
        Err(error) => {
            unreadable = Some(error.to_string());
            (None, None)
        }
    };
    let partitions = partitions(roots, sysfs, &path, content.as_ref(), table.as_ref());
    let in_use = usage.of_disk(roots, sysfs, sysfs_name, &partitions);
    Disk {
        path,
        links: who.links,
        size: Sectors(number(sysfs.join("size")).unwrap_or(0)).bytes(),
        sector_size,
        model: who.model,
        serial: who.serial,
        wwn: who.wwn,
        transport: who.transport,
        rotational: flag(sysfs.join("queue/rotational")),
        removable: flag(sysfs.join("removable")),
        read_only: flag(sysfs.join("ro")),
        loopback: name.starts_with("loop"),
        table: table.map(|table| table.kind),
        signature,
        partitions,
        unreadable,
        in_use,
        name,
    }
}

/// What is on a disk: a partition table, or else something on the whole of it. A GPT without its
/// protective MBR counts as data as well.
fn signatures(disk: &File, sector_size: Bytes) -> io::Result<(Option<blkid::Table>, Option<Signature>)> {
    if let Some(table) = blkid::table(disk, Some(sector_size), blkid::Gpt::Protected)? {
        return Ok((Some(table), None));
    }
    match blkid::superblock(disk, None)? {
        Some(found) => Ok((None, Some(signature(found)))),
        None => Ok((blkid::table(disk, Some(sector_size), blkid::Gpt::Any)?, None)),
    }
}

/// The partitions by number: those that the kernel knows and those in the table, which are
/// the same on most machines and not on one whose kernel cannot read the table.
fn partitions(
    roots: &SystemRoots,
    sysfs: &Path,
    disk: &str,
    content: Option<&File>,
    table: Option<&blkid::Table>,
) -> Vec<Partition> {
    let mut found: Vec<Partition> = names(sysfs).iter().filter_map(|name| kernels(&sysfs.join(name), name)).collect();
    for entry in table.map_or(&[][..], |table| &table.entries) {
        match found.iter_mut().find(|known| known.number == entry.number) {
            Some(known) if known.start == entry.start => complete(known, entry),
            // The kernel has an old table: what is on the disk is not what nodes show.
            Some(_) => {}
            None => found.push(tables(disk, entry)),
        }
    }
    found.sort_by_key(|partition| partition.number);
    for partition in &mut found {
        // A node for what the kernel does not know would be stale, or another device's.
        let known = sysfs.join(partition.name.replace('/', "!")).exists();
        let node = if known { open(roots, &partition.path).ok() } else { None };
        partition.signature = content_of(partition, node, content).map(signature);
    }
    found
}

fn kernels(sysfs: &Path, sysfs_name: &str) -> Option<Partition> {
    let name = sysfs_name.replace('!', "/");
    Some(Partition {
        path: format!("/dev/{name}"),
        number: u32::try_from(number(sysfs.join("partition"))?).ok()?,
        start: Sectors(number(sysfs.join("start"))?),
        size: Sectors(number(sysfs.join("size"))?).bytes(),
        type_code: None,
        label: None,
        uuid: None,
        signature: None,
        name,
    })
}

fn tables(disk: &str, entry: &blkid::Entry) -> Partition {
    let path = partition_path(disk, entry.number).to_string_lossy().into_owned();
    let mut partition = Partition {
        name: path.trim_start_matches("/dev/").to_owned(),
        path,
        number: entry.number,
        start: entry.start,
        size: entry.size.bytes(),
        type_code: None,
        label: None,
        uuid: None,
        signature: None,
    };
    complete(&mut partition, entry);
    partition
}

fn complete(partition: &mut Partition, entry: &blkid::Entry) {
    // For an extended partition the kernel shows two sectors, to protect it.
    partition.size = entry.size.bytes();
    partition.type_code = Some(entry.type_code.clone());
    partition.label = entry.name.clone();
    partition.uuid = entry.uuid.clone();
}

/// What is in a partition, by its node or, where it has none, by its place on the disk.
fn content_of(partition: &Partition, node: Option<File>, disk: Option<&File>) -> Option<blkid::Superblock> {
    // An extended partition holds a table and no file system.
    if matches!(partition.type_code.as_deref(), Some("0x5" | "0xf" | "0x85")) {
        return None;
    }
    match node {
        Some(file) => blkid::superblock(&file, None).ok()?,
        None => blkid::superblock(disk?, Some((partition.start.bytes(), partition.size))).ok()?,
    }
}

fn signature(found: blkid::Superblock) -> Signature {
    Signature { kind: found.kind, uuid: found.uuid, label: found.label }
}

fn open(roots: &SystemRoots, path: &str) -> io::Result<File> {
    let node = roots.node(path).ok_or(io::ErrorKind::NotFound)?;
    // Without NONBLOCK a drive without a medium, or a dead path, would make us wait.
    fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(node)
}

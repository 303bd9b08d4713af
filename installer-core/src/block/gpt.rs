//! Writing a GPT: exactly the partitions that were planned, under their numbers, with their
//! UUIDs, and read back before it is relied on.
//!
//! Built from the parts of the `gpt` crate rather than from its `GptDisk`, which draws
//! random UUIDs and numbers partitions without gaps: keeping `sda1` and `sda3` would turn
//! the latter into `sda2`.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use gpt::disk::LogicalBlockSize;
use gpt::header::{Header, HeaderBuilder};
use gpt::mbr::ProtectiveMBR;
use gpt::partition::Partition;
use gpt::partition_types::{OperatingSystem, Type};
use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use super::node::open;
use crate::error::{Context, Error, Result, Stage};
use crate::units::Bytes;

/// Bytes of an entry; every table in the wild has these.
const ENTRY: u32 = 128;
/// The name field: 36 UTF-16 units.
const NAME: usize = 36;

/// One partition of a GPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GptPartition {
    /// Number, from 1 to 128. Gaps are fine.
    pub number: u32,
    /// Type.
    pub type_guid: Uuid,
    /// Name, at most 36 UTF-16 units.
    pub name: String,
    /// Start, a multiple of the sector size.
    pub start: Bytes,
    /// Size, a multiple of the sector size.
    pub size: Bytes,
    /// The partition's own UUID.
    pub uuid: Uuid,
    /// Attribute bits.
    pub attributes: u64,
}

/// Writes a new GPT with a protective MBR over whatever table a disk or image file has,
/// syncs, reads both copies back and compares. Boot code in the MBR makes way for one that says that no
/// system starts from here.
pub fn write_gpt(
    path: impl AsRef<Path>,
    sector_size: Bytes,
    disk_guid: Uuid,
    partitions: &[GptPartition],
) -> Result<()> {
    let path = path.as_ref();
    let doing = format!("writing the partition table of {}", path.display());
    let block = LogicalBlockSize::try_from(sector_size.0).doing(Stage::Storage, &doing)?;
    let mut file = open(path, true).doing(Stage::Storage, &doing)?;
    let primary = primary_header(&mut file, block, disk_guid).map_err(|error| error.context(&doing))?;
    check(partitions, &primary, sector_size).map_err(|error| error.context(&doing))?;
    // udev waits for the lock instead of reading half a table.
    flock(&file, FlockOperation::LockExclusive).doing(Stage::Storage, &doing)?;
    write_all(&mut file, block, &primary, partitions).doing(Stage::Storage, &doing)?;
    file.sync_all().doing(Stage::Storage, &doing)?;
    verify(path, sector_size, disk_guid, partitions)
}

/// Reads the GPT of a disk or image file, its two copies being intact and the same: the
/// disk's GUID, and the partitions by number.
pub fn read_gpt(path: impl AsRef<Path>, sector_size: Bytes) -> Result<(Uuid, Vec<GptPartition>)> {
    let path = path.as_ref();
    let read = || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
        let block = LogicalBlockSize::try_from(sector_size.0)?;
        let mut file = open(path, false)?;
        let disk =
            gpt::GptConfig::new().logical_block_size(block).only_valid_headers(true).open_from_device(&mut file)?;
        let (guid, entries) = (*disk.guid(), disk.partitions().clone());
        let backup = disk.backup_header()?.clone();
        if gpt::partition::file_read_partitions(&mut file, &backup, block)? != entries {
            return Err("the backup at the end of the disk differs from the table".into());
        }
        Ok((guid, entries.iter().map(|(number, entry)| describe(*number, entry, sector_size)).collect()))
    };
    read().doing(Stage::Storage, format_args!("reading the partition table of {}", path.display()))
}

fn primary_header(file: &mut File, block: LogicalBlockSize, disk_guid: Uuid) -> Result<Header> {
    let sectors = file.seek(SeekFrom::End(0)).doing(Stage::Storage, "asking for its size")? / block.as_u64();
    HeaderBuilder::new()
        .disk_guid(disk_guid)
        .backup_lba(sectors.saturating_sub(1))
        .build(block)
        .map_err(|error| Error::failed(Stage::Storage, "it is too small for a GPT").because(error))
}

/// Refuses what would make a broken table: the planner should never ask for it.
fn check(partitions: &[GptPartition], header: &Header, sector: Bytes) -> Result<()> {
    let bad = |partition: &GptPartition, what: &str| {
        Err(Error::failed(Stage::Storage, format!("partition {} {what}", partition.number)))
    };
    let mut sorted: Vec<&GptPartition> = partitions.iter().collect();
    sorted.sort_by_key(|partition| partition.start);
    let mut free_from = Bytes(header.first_usable * sector.0);
    let end = Bytes((header.last_usable + 1) * sector.0);
    for partition in sorted {
        if partition.number == 0 || partition.number > header.num_parts {
            return bad(partition, "has a number outside 1 to 128");
        }
        if partitions.iter().filter(|other| other.number == partition.number).count() > 1 {
            return bad(partition, "is there twice");
        }
        if partition.size.0 == 0 || partition.size.0 % sector.0 != 0 || partition.start.0 % sector.0 != 0 {
            return bad(partition, "does not begin and end at a sector");
        }
        if partition.start < free_from || partition.start + partition.size > end {
            return bad(partition, "overlaps another one or lies outside the usable part of the disk");
        }
        if partition.name.encode_utf16().count() > NAME || partition.type_guid.is_nil() {
            return bad(partition, "has a name of more than 36 characters or no type");
        }
        free_from = partition.start + partition.size;
    }
    Ok(())
}

/// Backup first: until the primary header is there, the disk counts as having no table.
fn write_all(
    file: &mut File,
    block: LogicalBlockSize,
    primary: &Header,
    partitions: &[GptPartition],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut primary = primary.clone();
    let mut backup = HeaderBuilder::from_header(&primary).primary(false).build(block)?;
    for header in [&backup, &primary] {
        Partition::write_zero_entries_to_device(file, 0, header.num_parts.into(), header.part_start, block, ENTRY)?;
        for partition in partitions {
            let index = u64::from(partition.number) - 1;
            entry(partition, block).write_to_device(file, index, header.part_start, block, ENTRY)?;
        }
    }
    backup.write_backup(file, block)?;
    primary.write_primary(file, block)?;
    // The field has 32 bits; larger disks say "all of it".
    let covered = u32::try_from(primary.backup_lba).unwrap_or(u32::MAX);
    let mut mbr = ProtectiveMBR::with_lb_size(covered);
    mbr.set_bootcode(super::boot_code::notice());
    mbr.overwrite_lba0(file)?;
    Ok(())
}

fn entry(partition: &GptPartition, block: LogicalBlockSize) -> Partition {
    let first_lba = partition.start.0 / block.as_u64();
    Partition {
        part_type_guid: Type { guid: partition.type_guid, os: OperatingSystem::None },
        part_guid: partition.uuid,
        first_lba,
        last_lba: first_lba + partition.size.0 / block.as_u64() - 1,
        flags: partition.attributes,
        name: partition.name.clone(),
    }
}

fn describe(number: u32, entry: &Partition, sector: Bytes) -> GptPartition {
    GptPartition {
        number,
        type_guid: entry.part_type_guid.guid,
        name: entry.name.clone(),
        start: Bytes(entry.first_lba.saturating_mul(sector.0)),
        size: Bytes((entry.last_lba + 1).saturating_sub(entry.first_lba).saturating_mul(sector.0)),
        uuid: entry.part_guid,
        attributes: entry.flags,
    }
}

fn verify(path: &Path, sector_size: Bytes, disk_guid: Uuid, partitions: &[GptPartition]) -> Result<()> {
    let mut wanted = partitions.to_vec();
    wanted.sort_by_key(|partition| partition.number);
    // What is compared shall come from the disk and not from the cache. An image file has
    // no such call, and needs none.
    let _ = open(path, false).and_then(crate::ffi::blkpg::flush_buffers);
    if read_gpt(path, sector_size)? != (disk_guid, wanted) {
        let message = format!("{} does not hold the partition table that was written to it", path.display());
        return Err(Error::failed(Stage::Storage, message).hint("the disk or its cache is failing: replace it"));
    }
    Ok(())
}

//! Partitions that are there and are used: which ones, what becomes of them, and whether that can be. Pure.

use serde::{Deserialize, Serialize};

use super::partition_type;
use crate::error::{Error, Remedy, Result, Stage};
use crate::machine::{Disk, Machine, Partition, Signature, find_disk, find_partition};
use crate::request::{Clear, Content, Custom, DiskChoice, Layout, OnPartition, Purpose};
use crate::units::Bytes;

/// A partition of a target that is used as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedPartition {
    /// Its number.
    pub number: u32,
    /// Where it starts.
    pub start: Bytes,
    /// Its size.
    pub size: Bytes,
    /// What becomes of its content.
    pub content: Content,
    /// Its GUID, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// What is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

impl UsedPartition {
    fn of(partition: &Partition, content: Content) -> Self {
        UsedPartition {
            number: partition.number,
            start: partition.start.bytes(),
            size: partition.size,
            content,
            uuid: partition.uuid.clone(),
            signature: partition.signature.clone(),
        }
    }
}

/// What is asked for, and the partition that it means.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// What is asked for.
    pub request: &'a OnPartition,
    /// Its disk.
    pub disk: &'a Disk,
    /// The partition.
    pub partition: &'a Partition,
}

/// The partitions that `layout` uses, in the order in which they are asked for.
pub fn find<'a>(layout: &'a Layout, machine: &'a Machine) -> Result<Vec<Found<'a>>> {
    let Layout::Custom(Custom { existing, .. }) = layout else { return Ok(Vec::new()) };
    let mut found: Vec<Found<'a>> = Vec::new();
    for request in existing {
        let (disk, partition) = match find_partition(machine, &request.on).as_slice() {
            [one] => *one,
            [] => return Err(not_there(request, machine)),
            several => return Err(ambiguous(request, several)),
        };
        if let Some(first) = found.iter().find(|found| found.partition.path == partition.path) {
            let (here, there) = (&request.area.origin, &first.request.area.origin);
            return Err(Error::input(
                Stage::Plan,
                format!("{} is used twice: at {there}, and at {here}", partition.path),
            )
            .hint("leave one of the lines out"));
        }
        let found_here = Found { request, disk, partition };
        check(&found_here)?;
        found.push(found_here);
    }
    Ok(found)
}

/// Those of `found` that are on `disk`, as a target has them.
pub fn used(found: &[Found<'_>], disk: &Disk) -> Vec<UsedPartition> {
    let here = found.iter().filter(|found| found.disk.path == disk.path);
    here.map(|found| UsedPartition::of(found.partition, found.request.content)).collect()
}

/// Those of `used` as they are on `disk` now.
pub fn again(used: &[UsedPartition], disk: &Disk) -> Vec<UsedPartition> {
    let now = |used: &UsedPartition| {
        let partition = disk.partitions.iter().find(|partition| partition.number == used.number)?;
        Some(UsedPartition::of(partition, used.content))
    };
    used.iter().filter_map(now).collect()
}

/// Refuses to use what is to be cleared.
pub fn check_clear(found: &[Found<'_>], choice: &DiskChoice, machine: &Machine) -> Result<()> {
    for Found { request, disk, partition } in found {
        let what = match &choice.clear {
            Clear::All => "all partitions are",
            Clear::Disks(specs) if specs.iter().any(|s| find_disk(machine, s).iter().any(|d| d.path == disk.path)) => {
                "all partitions of its disk are"
            }
            Clear::LinuxOnly if partition_type::is_linux(partition) => "all partitions of Linux are",
            Clear::Disks(_) | Clear::LinuxOnly | Clear::Nothing => continue,
        };
        return Err(Error::input(
            Stage::Plan,
            format!("{} is to be used ({}), and {what} to be cleared", partition.path, request.area.origin),
        )
        .hint("clear nothing on that disk, or make a new partition instead of using that one"));
    }
    Ok(())
}

/// Whether a partition can be what it is to be. Its place in the table and its type stay.
fn check(found: &Found<'_>) -> Result<()> {
    let Found { request, partition, .. } = found;
    let (path, origin) = (&partition.path, &request.area.origin);
    let kind = partition.signature.as_ref().map(|signature| signature.kind.as_str());
    let wrong =
        |message: String, hint: &str| Err(Error::world(Stage::Plan, format!("{message} ({origin})")).hint(hint));
    let (type_guid, what) = match &request.area.purpose {
        Purpose::BiosBoot => (Some(partition_type::BIOS_BOOT), "a BIOS boot partition"),
        Purpose::Esp => (Some(partition_type::ESP), "an EFI system partition"),
        _ => (None, ""),
    };
    let of_msdos = |code: &str| code.starts_with("0x") && code != "0xef";
    if let Some(guid) = type_guid
        && !partition_type::is(partition, guid)
        && partition.type_code.as_deref() != Some("0xef")
    {
        let table = if partition.type_code.as_deref().is_some_and(of_msdos) { ", in an msdos table" } else { "" };
        return wrong(
            format!("{path} is not {what} by its type{table}"),
            "give it the type (parted's 'set NUMBER bios_grub on' or 'esp on'), or name the right one",
        );
    }
    if request.content == Content::Replaced || matches!(request.area.purpose, Purpose::BiosBoot) {
        return Ok(());
    }
    let (Some(kind), Some(_)) = (kind, partition.signature.as_ref().and_then(|s| s.uuid.as_ref())) else {
        let seen = kind.unwrap_or("nothing that is known");
        return wrong(
            format!("what is on {path} cannot be kept: there is {seen} on it, without a UUID"),
            "let its file system be made anew, or name the right partition",
        );
    };
    let wanted = match &request.area.purpose {
        Purpose::Esp => Some("vfat"),
        Purpose::Swap => Some("swap"),
        _ => request.area.filesystem.as_deref(),
    };
    match wanted {
        Some(wanted) if wanted != kind && request.content == Content::Kept => wrong(
            format!("what is on {path} cannot be kept: it is {kind}, and {wanted} is asked for"),
            "ask for what is there, or let its file system be made anew",
        ),
        _ => Ok(()),
    }
}

fn not_there(request: &OnPartition, machine: &Machine) -> Error {
    let near: Vec<String> = machine
        .disks
        .iter()
        .flat_map(|disk| &disk.partitions)
        .map(|partition| {
            let what = partition.signature.as_ref().map_or("nothing known", |signature| signature.kind.as_str());
            format!("{} ({what}, {})", partition.path, partition.size)
        })
        .collect();
    let near = if near.is_empty() { "none".to_owned() } else { near.join("; ") };
    Error::world(
        Stage::Plan,
        format!("there is no partition '{}' ({}) on this machine", request.on, request.area.origin),
    )
    .hint([Remedy::from(format!("partitions here: {near}")), "make a new partition, with a size".into()])
}

fn ambiguous(request: &OnPartition, several: &[(&Disk, &Partition)]) -> Error {
    let list: Vec<&str> = several.iter().map(|(_, partition)| partition.path.as_str()).collect();
    let message = format!("'{}' ({}) could be any of {}", request.on, request.area.origin, list.join(", "));
    Error::refused(Stage::Plan, message).hint("name one partition, as by its UUID")
}

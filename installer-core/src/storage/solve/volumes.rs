//! Volume groups and the sizes of the volumes in them.

use super::grow::{Growth, grow};
use super::wanted::Wanted;
use crate::error::{Error, Result, Stage};
use crate::request::{GroupRequest, Purpose, VolumeRequest};
use crate::storage::device::Device;
use crate::storage::kind::{Group, Table, Volume, lvm};
use crate::units::Bytes;

/// A group and what is in it.
pub struct Filled {
    pub group: Group,
    /// Its volumes, each with its index among those wanted.
    pub volumes: Vec<(usize, Volume)>,
}

/// The groups with their volumes.
pub fn groups(wanted: &Wanted, tables: &[Table]) -> Result<Vec<Filled>> {
    for volume in &wanted.volumes {
        if !wanted.groups.iter().any(|group| group.name == volume.group) {
            let message = format!("the logical volume {}/{} is in no volume group", volume.group, volume.name);
            return Err(Error::input(Stage::Plan, message).hint("make the volume group"));
        }
    }
    wanted.groups.iter().map(|group| one(group, wanted, tables)).collect()
}

fn one(group: &GroupRequest, wanted: &Wanted, tables: &[Table]) -> Result<Filled> {
    let extent = group.extent.unwrap_or(lvm::EXTENT);
    check_extent(extent, &group.name)?;
    let members = || {
        tables.iter().flat_map(|table| {
            let members =
                table.partitions.iter().filter(|p| matches!(&p.purpose, Purpose::Lvm(of) if *of == group.name));
            members.map(|partition| (table.device(partition), partition.size))
        })
    };
    let on: Vec<Device> = members().map(|(device, _)| device).collect();
    if on.is_empty() {
        let message = format!("the volume group {} is made of no partition", group.name);
        return Err(Error::input(Stage::Plan, message).hint("make a partition for it"));
    }
    let size: Bytes = members().map(|(_, size)| (size - lvm::LABEL).align_down(extent)).sum();
    let reserved = group.reserved + percent_of(size, group.reserved_percent);
    let room = (size - reserved.align_up(extent)).align_down(extent);
    let volumes: Vec<(usize, &VolumeRequest)> =
        wanted.volumes.iter().enumerate().filter(|(_, volume)| volume.group == group.name).collect();
    let requests: Vec<&VolumeRequest> = volumes.iter().map(|(_, volume)| *volume).collect();
    let sizes = sizes(&requests, room, extent, &group.name)?;
    let last = requests.len().saturating_sub(1);
    let made = volumes.iter().zip(sizes).enumerate().map(|(at, ((index, volume), size))| {
        // What LVM itself needs is known to LVM best.
        let rest = at == last && reserved == Bytes(0) && growth(volume) == Growth::Free && volume.percent.is_none();
        (*index, Volume { group: group.name.clone(), name: volume.name.clone(), size, rest })
    });
    let volumes = made.collect();
    Ok(Filled { group: Group { group: group.name.clone(), on, extent: group.extent }, volumes })
}

/// LVM takes a power of two of KiB.
fn check_extent(extent: Bytes, group: &str) -> Result<()> {
    if extent.0.is_power_of_two() && (Bytes(1 << 10)..=Bytes::gib(16)).contains(&extent) {
        return Ok(());
    }
    Err(Error::input(
        Stage::Plan,
        format!("the extents of the volume group {group} cannot be of {} KiB", extent.0 >> 10),
    )
    .hint("use a power of two, such as 4096 KiB"))
}

fn growth(volume: &VolumeRequest) -> Growth {
    Growth::of(volume.area.grow, volume.area.max_size)
}

/// Every volume gets its least size; then those that ask for a share of what is left get that, and
/// the others that grow have the rest.
fn sizes(volumes: &[&VolumeRequest], room: Bytes, extent: Bytes, group: &str) -> Result<Vec<Bytes>> {
    let least = |volume: &&VolumeRequest| volume.area.size.unwrap_or_default().align_up(extent);
    let mut sizes: Vec<Bytes> = volumes.iter().map(least).collect();
    // A volume has an extent at the least; one that asks for a share may have that of its share.
    for (size, volume) in sizes.iter_mut().zip(volumes) {
        if volume.percent.is_none() {
            *size = (*size).max(extent);
        }
    }
    let needed: Bytes = sizes.iter().copied().sum();
    if needed > room {
        return Err(too_small(group, room, needed));
    }
    let percent: u64 = volumes.iter().filter_map(|volume| volume.percent).fold(0, u64::saturating_add);
    if percent > 100 {
        let message =
            format!("the volumes of the volume group {group} ask for {percent} percent of what is free in it");
        return Err(Error::input(Stage::Plan, message).hint("let the shares come to 100 percent or less"));
    }
    let free = room - needed;
    let mut left = free;
    for (size, volume) in sizes.iter_mut().zip(volumes) {
        let Some(percent) = volume.percent else { continue };
        let most = volume.area.max_size.map_or(left, |most| most.align_down(extent) - *size);
        let more = percent_of(free, percent).min(most).min(left).align_down(extent);
        *size = *size + more;
        left = left - more;
        if *size == Bytes(0) {
            return Err(too_small(group, room, room + extent));
        }
    }
    let shares = |volume: &&VolumeRequest| if volume.percent.is_some() { Growth::None } else { growth(volume) };
    let growths: Vec<Growth> = volumes.iter().map(shares).collect();
    grow(&growths, &mut sizes, left, extent);
    Ok(sizes)
}

fn percent_of(size: Bytes, percent: u64) -> Bytes {
    Bytes(size.0 / 100 * percent + size.0 % 100 * percent / 100)
}

fn too_small(group: &str, room: Bytes, needed: Bytes) -> Error {
    Error::world(
        Stage::Plan,
        format!(
            "the volume group {group} is too small: it has {room} for volumes, and they need {needed}, {} more",
            needed - room
        ),
    )
    .hint("make the volumes smaller, or the partitions of the volume group larger")
}

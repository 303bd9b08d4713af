//! Partitions that a script makes which has not run yet: what is planned in their place. Pure.

use crate::machine::{Machine, find_disk, find_partition};
use crate::request::{AreaRequest, Clear, Custom, Layout, OnPartition, PartitionRequest, Purpose, Request};
use crate::units::Bytes;

/// The request with new partitions in the place of those that are not there yet; `None` where all are.
pub fn in_its_place(request: &Request, machine: &Machine, warnings: &mut Vec<String>) -> Option<Request> {
    let Layout::Custom(custom) = &request.layout else { return None };
    let missing = |existing: &OnPartition| find_partition(machine, &existing.on).is_empty();
    if !custom.made_later || !custom.existing.iter().any(missing) {
        return None;
    }
    let names: Vec<&str> = custom.existing.iter().filter(|one| missing(one)).map(|one| one.on.as_str()).collect();
    warnings.push(format!(
        "the partitions are made by %pre, they are not known yet ({}): new ones are shown in their place; \
         'install' looks at the machine again when %pre has run",
        names.join(", ")
    ));
    let mut request = request.clone();
    // What is there now is the script's business.
    request.disks.clear = Clear::All;
    let existing = custom.existing.iter().map(|existing| stand_in(existing, machine));
    let partitions = existing.chain(custom.partitions.iter().cloned()).collect();
    request.layout = Layout::Custom(Custom { partitions, existing: Vec::new(), ..custom.clone() });
    Some(request)
}

/// A new partition of a usual size.
fn stand_in(existing: &OnPartition, machine: &Machine) -> PartitionRequest {
    let (size, grow) = match &existing.area.purpose {
        Purpose::BiosBoot => (Some(Bytes::MIB), false),
        Purpose::Esp => (Some(Bytes::mib(512)), false),
        Purpose::Swap => (None, false),
        at if at.is_at("/boot") => (Some(Bytes::gib(1)), false),
        Purpose::Mount(_) | Purpose::Lvm(_) => (None, true),
    };
    let area = AreaRequest { size, grow, ..existing.area.clone() };
    PartitionRequest { area, disk: disk_of(&existing.on).filter(|disk| !find_disk(machine, disk).is_empty()) }
}

/// The disk that a partition of this name would be on.
fn disk_of(partition: &str) -> Option<String> {
    let name = partition.strip_prefix("/dev/").unwrap_or(partition);
    if name.contains(['/', '=']) {
        return None;
    }
    let disk = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = disk.strip_suffix('p').filter(|disk| disk.ends_with(|c: char| c.is_ascii_digit()));
    Some(numbered.unwrap_or(disk).to_owned()).filter(|disk| *disk != name && !disk.is_empty())
}

#[cfg(test)]
mod tests {
    use super::disk_of;

    #[test]
    fn the_disk_is_in_the_name_of_the_partition() {
        for (partition, disk) in [
            ("vda4", Some("vda")),
            ("/dev/sda12", Some("sda")),
            ("nvme0n1p3", Some("nvme0n1")),
            ("mmcblk0p1", Some("mmcblk0")),
            ("vda", None),
            ("UUID=1", None),
            ("disk/by-path/x-part1", None),
        ] {
            assert_eq!(disk_of(partition).as_deref(), disk, "{partition}");
        }
    }
}

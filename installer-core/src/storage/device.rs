//! The block devices of a plan by what they are, and how they are called: in the plan by
//! placeholders, when it is carried out by their nodes and UUIDs.

use serde::{Deserialize, Serialize};

use super::select::Target;
use crate::machine::partition_path;

/// A block device of the target, by what it is; its node is known when it exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Device {
    /// The partition with this number.
    Partition {
        /// Which of the target's disks it is on, from 0.
        #[serde(default, skip_serializing_if = "is_first")]
        disk: usize,
        /// From 1.
        number: u32,
    },
    /// A logical volume.
    Volume {
        /// Its volume group.
        group: String,
        /// Its name.
        name: String,
    },
    /// One that was there before.
    Node {
        /// Its node.
        path: String,
    },
}

/// Whether a disk is the first one, which goes without saying.
pub(super) fn is_first(disk: &usize) -> bool {
    *disk == 0
}

impl Device {
    /// What stands for its UUID until it has one.
    pub fn uuid_placeholder(&self) -> String {
        match self {
            Device::Partition { disk: 0, number } => format!("<uuid of partition {number}>"),
            Device::Partition { disk, number } => format!("<uuid of partition {number} of disk {}>", disk + 1),
            Device::Volume { group, name } => format!("<uuid of {group}/{name}>"),
            Device::Node { path } => format!("<uuid of {path}>"),
        }
    }
}

/// How devices are called: as in the plan, or as they are when it is carried out.
pub trait Names {
    /// The node of the disk that the machine boots from.
    fn disk(&self) -> String;
    /// A device's node.
    fn node(&self, device: &Device) -> String;
    /// A device's UUID, as mkfs takes it and fstab shows it.
    fn uuid(&self, device: &Device) -> String;
    /// Where the deployed system is mounted, for what runs inside it.
    fn system(&self) -> String;
    /// Where the boot loader for the ESP is kept, once it was made inside the system.
    fn loader(&self) -> String;
}

/// The names in a plan, before anything exists.
pub struct Planned {
    /// The target's names, that of the disk to boot from first.
    disks: Vec<String>,
}

impl Planned {
    /// Those of a plan for `target`.
    pub fn of(target: &Target) -> Self {
        match target {
            Target::Disk { .. } => Planned { disks: target.disks().iter().map(|disk| disk.path.clone()).collect() },
            other => Planned::on(other.name()),
        }
    }

    /// Those of a plan for the one disk `name`.
    pub fn on(name: &str) -> Self {
        Planned { disks: vec![name.to_owned()] }
    }
}

impl Names for Planned {
    fn disk(&self) -> String {
        self.disks[0].clone()
    }

    fn node(&self, device: &Device) -> String {
        match device {
            Device::Partition { disk, number } => match &self.disks[*disk] {
                disk if disk.starts_with("/dev/") => partition_node(disk, *number),
                disk => format!("{disk}#{number}"),
            },
            Device::Volume { group, name } => format!("/dev/{group}/{name}"),
            Device::Node { path } => path.clone(),
        }
    }

    fn uuid(&self, device: &Device) -> String {
        device.uuid_placeholder()
    }

    fn system(&self) -> String {
        "<system>".into()
    }

    fn loader(&self) -> String {
        "<loader>".into()
    }
}

/// The node of a disk's partition.
pub fn partition_node(disk: &str, number: u32) -> String {
    partition_path(disk, number).display().to_string()
}

/// Whether `node` is `disk` or a partition of it.
pub fn is_of(node: &str, disk: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().ok();
    let of = node.strip_prefix(disk).and_then(|rest| number(rest.trim_start_matches('p')));
    node == disk || of.is_some_and(|of| partition_node(disk, of) == node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_known_by_its_disk() {
        assert!(is_of("/dev/nvme0n1p4", "/dev/nvme0n1") && is_of("/dev/nvme0n1", "/dev/nvme0n1"));
        assert!(!is_of("/dev/nvme0n12", "/dev/nvme0n1") && !is_of("/dev/sdaa1", "/dev/sda"));
    }
}

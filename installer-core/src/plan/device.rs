//! The block devices of a plan by what they are, and how they are called: in the plan by
//! placeholders, when it is carried out by their nodes and UUIDs.

use serde::{Deserialize, Serialize};

use crate::machine::partition_path;

/// A block device of the target, by what it is; its node is known when it exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Device {
    /// The partition with this number.
    Partition {
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

impl Device {
    /// What stands for its UUID until it has one.
    pub fn uuid_placeholder(&self) -> String {
        match self {
            Device::Partition { number } => format!("<uuid of partition {number}>"),
            Device::Volume { group, name } => format!("<uuid of {group}/{name}>"),
            Device::Node { path } => format!("<uuid of {path}>"),
        }
    }
}

/// How devices are called: as in the plan, or as they are when it is carried out.
pub trait Names {
    /// The target disk's node.
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
pub struct Planned<'a> {
    /// The target's name.
    pub disk: &'a str,
}

impl Names for Planned<'_> {
    fn disk(&self) -> String {
        self.disk.to_owned()
    }

    fn node(&self, device: &Device) -> String {
        match device {
            Device::Partition { number } if self.disk.starts_with("/dev/") => partition_node(self.disk, *number),
            Device::Partition { number } => format!("{}#{number}", self.disk),
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

//! What is to be made on the disks, as asked for.

use serde::{Deserialize, Serialize};

use super::area::{AreaRequest, Purpose};
use super::existing::OnPartition;
use crate::units::Bytes;

/// What to make on the disks.
#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// The installer decides.
    Auto {
        /// How volumes are made.
        scheme: Scheme,
        /// File system of the root, where one is asked for.
        filesystem: Option<String>,
        /// Whether there is to be a swap area.
        swap: bool,
        /// Whether /boot is a file system of its own.
        boot: bool,
    },
    /// The admin decides.
    Custom(Custom),
}

/// A layout of the admin's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Custom {
    /// Partitions that exist and are used, in the order written.
    pub existing: Vec<OnPartition>,
    /// Whether those may be made by a script that has not run yet.
    pub made_later: bool,
    /// Partitions, in the order written.
    pub partitions: Vec<PartitionRequest>,
    /// Volume groups, in the order written.
    pub groups: Vec<GroupRequest>,
    /// Logical volumes, in the order written.
    pub volumes: Vec<VolumeRequest>,
    /// Whether the firmware's own partitions (ESP, BIOS boot) are added.
    pub platform: bool,
    /// Whether /boot is added.
    pub add_boot: bool,
}

impl Custom {
    /// What is asked for on partitions and volumes.
    pub fn areas(&self) -> impl Iterator<Item = &AreaRequest> {
        let volumes = self.volumes.iter().map(|volume| &volume.area);
        let existing = self.existing.iter().map(|existing| &existing.area);
        self.partitions.iter().map(|partition| &partition.area).chain(volumes).chain(existing)
    }
}

impl Layout {
    /// Whether logical volumes are made.
    pub fn has_volumes(&self) -> bool {
        match self {
            Layout::Auto { scheme, .. } => *scheme == Scheme::Lvm,
            Layout::Custom(custom) => !custom.groups.is_empty(),
        }
    }

    /// Whether the root is a logical volume.
    pub fn has_root_on_volume(&self) -> bool {
        match self {
            Layout::Auto { .. } => self.has_volumes(),
            Layout::Custom(custom) => custom.volumes.iter().any(|volume| volume.area.purpose == Purpose::root()),
        }
    }

    /// Whether it can be spread over several disks.
    pub fn spans_disks(&self) -> bool {
        !matches!(self, Layout::Auto { scheme: Scheme::Plain, .. })
    }
}

/// How volumes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Plain partitions.
    Plain,
    /// Logical volumes.
    Lvm,
}

/// One partition, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionRequest {
    /// What it is.
    pub area: AreaRequest,
    /// The disk it must be on.
    pub disk: Option<String>,
}

/// A volume group, as asked for. The partitions that it is made of name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupRequest {
    /// Its name.
    pub name: String,
    /// The size of its extents, where one is asked for.
    pub extent: Option<Bytes>,
    /// What stays free in it.
    pub reserved: Bytes,
    /// How much of it stays free, in percent.
    pub reserved_percent: u64,
    /// Where it was written (`site.ks:12`), for messages.
    pub origin: String,
}

/// A logical volume, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeRequest {
    /// Its volume group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// How much it gets of what the least sizes leave free in the group, in percent.
    pub percent: Option<u64>,
    /// What it is.
    pub area: AreaRequest,
}

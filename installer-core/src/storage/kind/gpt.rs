//! A disk's partition table.

use serde::{Deserialize, Serialize};

use crate::request::Purpose;
use crate::storage::device::{Device, is_first};
use crate::units::Bytes;

/// Partitions begin and end on multiples of this.
pub const ALIGNMENT: Bytes = Bytes::MIB;
/// What the two copies of a GPT need, the first rounded up to the alignment.
pub const OVERHEAD: Bytes = Bytes::mib(2);

/// A disk's GPT. Our own code writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Which of the target's disks it is on, from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub disk: usize,
    /// Its partitions by number.
    pub partitions: Vec<Partition>,
}

/// A partition with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Number in the table, from 1.
    pub number: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// Where it starts on the disk.
    pub start: Bytes,
    /// Its size.
    pub size: Bytes,
}

impl Table {
    /// What making it does, in a few words.
    pub fn title(&self) -> String {
        let count = self.partitions.len();
        let count = if count == 1 { "1 partition".to_owned() } else { format!("{count} partitions") };
        match self.disk {
            0 => format!("write a GPT with {count}"),
            disk => format!("write a GPT with {count} to disk {}", disk + 1),
        }
    }

    /// The device that one of its partitions is.
    pub fn device(&self, partition: &Partition) -> Device {
        Device::Partition { disk: self.disk, number: partition.number }
    }
}

//! What lies on a partition or a volume: a file system, the EFI system partition's, or a swap area.

use serde::{Deserialize, Serialize};

use crate::program::Program;
use crate::request::Purpose;
use crate::storage::device::{Device, Names};
use crate::storage::filesystem;
use crate::units::MountPoint;

/// A file system or a swap area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// On what.
    pub device: Device,
    /// For what.
    pub purpose: Purpose,
    /// Its type.
    pub filesystem: String,
    /// Its label.
    pub label: Option<String>,
    /// Further arguments to mkfs.
    pub options: Vec<String>,
    /// Mount options for fstab, where they are not the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_options: Option<String>,
}

impl Area {
    /// What making it does, in a few words.
    pub fn title(&self) -> String {
        match &self.purpose {
            Purpose::Mount(at) => format!("make {} for {at}", self.filesystem),
            Purpose::Swap => "make the swap area".into(),
            _ => "make the EFI system partition".into(),
        }
    }

    /// The command that makes it.
    pub fn commands(&self, names: &dyn Names) -> Vec<Program> {
        let (node, uuid) = (names.node(&self.device), names.uuid(&self.device));
        match self.purpose {
            Purpose::Esp => vec![filesystem::mkfs_esp(&node, &uuid.replace('-', ""))],
            Purpose::Swap => vec![filesystem::mkswap(&node, &uuid)],
            _ => {
                let make = filesystem::mkfs(&self.filesystem, &node, &uuid, self.label.as_deref(), &self.options);
                make.into_iter().collect()
            }
        }
    }

    /// Where it is mounted.
    pub fn mount_point(&self) -> Option<&MountPoint> {
        match &self.purpose {
            Purpose::Mount(at) => Some(at),
            _ => None,
        }
    }

    /// Its line of fstab: where, options, and the pass of fsck; the root has none.
    pub fn fstab(&self) -> Option<(String, String, u8)> {
        let (target, usual, pass) = match &self.purpose {
            Purpose::Mount(at) if *at == MountPoint::root() => return None,
            // Read-only as bootc has it; libostree makes it writable for itself.
            Purpose::Mount(at) if at.as_str() == "/boot" => (at.to_string(), "ro", 0),
            Purpose::Mount(at) => (at.to_string(), "defaults", 2),
            Purpose::Swap => ("none".to_owned(), "defaults", 0),
            _ => return None,
        };
        Some((target, self.mount_options.clone().unwrap_or_else(|| usual.to_owned()), pass))
    }
}

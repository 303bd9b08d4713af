//! What is asked of a partition or a volume, and what it is for.

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, MountPoint};

/// What is asked of a partition or a volume: how large, and what is made on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaRequest {
    /// What it is for.
    pub purpose: Purpose,
    /// Least size; `None` is left to the installer (swap `--recommended`).
    pub size: Option<Bytes>,
    /// Whether it grows into free space.
    pub grow: bool,
    /// How far it may grow.
    pub max_size: Option<Bytes>,
    /// File system, where one is asked for.
    pub filesystem: Option<String>,
    /// File system label.
    pub label: Option<String>,
    /// Mount options.
    pub options: Option<String>,
    /// Further arguments to mkfs.
    pub mkfs_options: Vec<String>,
    /// Where it was written (`site.ks:12`), for messages.
    pub origin: String,
}

/// What a partition or a volume is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "at")]
pub enum Purpose {
    /// GRUB's core image on a GPT disk under BIOS.
    BiosBoot,
    /// The EFI system partition.
    Esp,
    /// A file system.
    Mount(MountPoint),
    /// Swap.
    Swap,
    /// A physical volume of the volume group of this name.
    Lvm(String),
}

impl Purpose {
    /// The root file system.
    pub fn root() -> Self {
        Purpose::Mount(MountPoint::root())
    }

    /// Whether a file system is mounted at `path`.
    pub fn is_at(&self, path: &str) -> bool {
        matches!(self, Purpose::Mount(at) if at.as_str() == path)
    }
}

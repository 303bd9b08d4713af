//! The data of a [`Machine`]. Nothing here looks at the world.

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Sectors};

/// The version of the JSON form of [`Machine`].
pub const SCHEMA: u32 = 1;

/// One machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Architecture as `uname -m` has it (`x86_64`, `aarch64`).
    pub arch: String,
    /// How it boots.
    pub firmware: Firmware,
    /// Its memory.
    pub memory: Bytes,
    /// What the running kernel can do.
    pub kernel: Kernel,
    /// Its disks, by name.
    pub disks: Vec<Disk>,
}

/// How a machine boots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Firmware {
    /// Legacy BIOS, or no firmware interface at all.
    Bios,
    /// UEFI.
    Uefi {
        /// Whether Secure Boot is enforced.
        secure_boot: bool,
    },
}

/// What the running kernel can do for an installer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Its release, as `uname -r` has it.
    pub release: String,
    /// Whether device-mapper is there (LVM and LUKS need it), built in or loadable.
    pub device_mapper: bool,
    /// File systems it can mount, built in or loadable, sorted.
    pub filesystems: Vec<String>,
}

/// A whole disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// Kernel name (`sda`, `nvme0n1`, `loop3`). Not stable over boots.
    pub name: String,
    /// Device node (`/dev/sda`).
    pub path: String,
    /// Stable links under /dev/disk/by-*, sorted; empty where no udev runs.
    pub links: Vec<String>,
    /// Size.
    pub size: Bytes,
    /// Logical sector size.
    pub sector_size: Bytes,
    /// Model, where it has one.
    pub model: Option<String>,
    /// Serial number, where it has one.
    pub serial: Option<String>,
    /// World-wide name, where it has one.
    pub wwn: Option<String>,
    /// How it is attached (`nvme`, `sata`, `usb`, `virtio`, `loop`), where known.
    pub transport: Option<String>,
    /// Whether it is a spinning disk.
    pub rotational: bool,
    /// Whether it is a removable one.
    pub removable: bool,
    /// Whether it is write-protected.
    pub read_only: bool,
    /// Whether this is a loop device over a file rather than hardware.
    pub loopback: bool,
    /// Kind of partition table (`gpt`, `dos`), where it has one.
    pub table: Option<String>,
    /// What is on the whole disk, where it has no partition table (`xfs`, `LVM2_member`).
    pub signature: Option<Signature>,
    /// Its partitions, by number.
    pub partitions: Vec<Partition>,
    /// Why its content could not be read, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Why it cannot be used now: mounted, a swap area, part of a running volume group or array.
    pub in_use: Vec<InUse>,
}

impl Disk {
    /// The steadiest name it has: a by-id link if there is one, else a by-path link, else the node.
    pub fn stable_name(&self) -> &str {
        ["/dev/disk/by-id/", "/dev/disk/by-path/"]
            .iter()
            .find_map(|prefix| self.links.iter().find(|link| link.starts_with(prefix)))
            .map_or(self.path.as_str(), String::as_str)
    }
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// Kernel name (`sda1`).
    pub name: String,
    /// Device node.
    pub path: String,
    /// Number in the table.
    pub number: u32,
    /// Where it starts.
    pub start: Sectors,
    /// Size.
    pub size: Bytes,
    /// Partition type: a GUID for gpt, `0x83` for dos.
    pub type_code: Option<String>,
    /// Name in a GPT.
    pub label: Option<String>,
    /// Partition UUID.
    pub uuid: Option<String>,
    /// What is in it.
    pub signature: Option<Signature>,
}

/// What libblkid recognises on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// libblkid's TYPE (`xfs`, `vfat`, `LVM2_member`, `crypto_LUKS`).
    pub kind: String,
    /// UUID.
    pub uuid: Option<String>,
    /// Label.
    pub label: Option<String>,
}

/// A user of a disk, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InUse {
    /// The disk's or partition's node.
    pub device: String,
    /// Who, in words (`mounted at /`, `swap`, `held by dm-0`).
    pub by: String,
}

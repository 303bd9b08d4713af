//! The block devices of a machine, as an installation uses them.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::block::{self, GptPartition, LoopDevice};
use crate::error::Result;
use crate::machine::{self, Machine};
use crate::units::Bytes;

/// What can be done to block devices.
pub trait Disks: Send + Sync {
    /// What the machine has, as it is now.
    fn probe(&self) -> Result<Machine>;
    /// Makes a disk image of this size and attaches it.
    fn create_image(&self, file: &Path, size: Bytes) -> Result<Box<dyn Attached>>;
    /// Makes sure that the disk and its partitions are in use by no one.
    fn require_unused(&self, disk: &Path) -> Result<()>;
    /// Whether the kernel shows this device.
    fn exists(&self, device: &Path) -> bool;
    /// Takes from the disk, and from those of its partitions, what firmware would start.
    fn disarm(&self, disk: &Path, partitions: &[PathBuf]) -> Result<()>;
    /// Wipes every signature from a device; returns what was there.
    fn wipe(&self, device: &Path) -> Result<Vec<String>>;
    /// Writes a new GPT, and reads it back.
    fn write_table(&self, disk: &Path, sector_size: Bytes, guid: Uuid, partitions: &[GptPartition]) -> Result<()>;
    /// Makes the kernel forget the partitions of a disk.
    fn forget_partitions(&self, disk: &Path) -> Result<()>;
    /// Tells the kernel of partitions, by number, start and size; returns their nodes when they are there.
    fn announce_partitions(&self, disk: &Path, partitions: &[(u32, Bytes, Bytes)]) -> Result<Vec<PathBuf>>;
    /// Whether udev makes the nodes, and has to be waited for.
    fn has_udev(&self) -> bool;
    /// Writes out and drops what the kernel has cached of a device.
    fn flush(&self, device: &Path) -> Result<()>;
}

/// A disk image that is attached as a disk.
pub trait Attached: Send {
    /// The disk's node.
    fn path(&self) -> &Path;
    /// Writes everything into the image and detaches it.
    fn detach(self: Box<Self>) -> Result<()>;
}

/// The block devices of the running kernel.
pub struct KernelDisks;

impl Disks for KernelDisks {
    fn probe(&self) -> Result<Machine> {
        machine::probe()
    }

    fn create_image(&self, file: &Path, size: Bytes) -> Result<Box<dyn Attached>> {
        Ok(Box::new(LoopDevice::create(file, size)?))
    }

    fn require_unused(&self, disk: &Path) -> Result<()> {
        block::require_unused(disk)
    }

    fn exists(&self, device: &Path) -> bool {
        device.exists()
    }

    fn disarm(&self, disk: &Path, partitions: &[PathBuf]) -> Result<()> {
        block::disarm(disk, partitions)
    }

    fn wipe(&self, device: &Path) -> Result<Vec<String>> {
        block::wipe_signatures(device)
    }

    fn write_table(&self, disk: &Path, sector_size: Bytes, guid: Uuid, partitions: &[GptPartition]) -> Result<()> {
        block::write_gpt(disk, sector_size, guid, partitions)
    }

    fn forget_partitions(&self, disk: &Path) -> Result<()> {
        block::forget_partitions(disk)
    }

    fn announce_partitions(&self, disk: &Path, partitions: &[(u32, Bytes, Bytes)]) -> Result<Vec<PathBuf>> {
        block::announce_partitions(disk, partitions)
    }

    fn has_udev(&self) -> bool {
        Path::new("/run/udev/control").exists()
    }

    fn flush(&self, device: &Path) -> Result<()> {
        block::flush(device)
    }
}

impl Attached for LoopDevice {
    fn path(&self) -> &Path {
        LoopDevice::path(self)
    }

    fn detach(self: Box<Self>) -> Result<()> {
        block::flush(LoopDevice::path(&self))?;
        LoopDevice::detach(*self)
    }
}

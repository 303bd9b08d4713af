//! What a layout depends on besides what is asked for.

use crate::units::Bytes;

/// A disk to lay out.
#[derive(Clone, Copy, Debug)]
pub struct Disk<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// Its size.
    pub size: Bytes,
}

/// What the layout depends on besides the request.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The disks, first the one that the machine boots from.
    pub disks: &'a [Disk<'a>],
    /// Which of them a request means by this name.
    pub disk: &'a dyn Fn(&str) -> Option<usize>,
    /// The machine's memory.
    pub memory: Bytes,
    /// File system for root where none is asked for.
    pub root_fs: &'a str,
    /// The least that root must hold.
    pub root_needs: Bytes,
    /// The least that a /boot of which no size is asked must hold.
    pub boot_needs: Bytes,
    /// Name of a volume group that is not asked for by name.
    pub group: &'a str,
    /// Whether a BIOS starts the boot loader from the disk, which takes a partition for it.
    pub bios_boot: bool,
}

impl Given<'_> {
    /// What all disks have.
    pub fn total(&self) -> Bytes {
        self.disks.iter().map(|disk| disk.size).sum()
    }

    /// Swap as Anaconda recommends it: twice a small memory, half of a large one, and never
    /// more than a tenth of the disks.
    pub fn swap_size(&self) -> Bytes {
        let memory = self.memory;
        let wanted = if memory < Bytes::gib(2) {
            Bytes(memory.0 * 2)
        } else if memory < Bytes::gib(8) {
            memory
        } else if memory < Bytes::gib(64) {
            Bytes(memory.0 / 2)
        } else {
            Bytes::gib(4)
        };
        wanted.min(Bytes(self.total().0 / 10)).align_down(Bytes::MIB).max(Bytes::MIB)
    }
}

//! What a layout depends on besides what is asked for.

use crate::machine::Signature;
use crate::units::Bytes;

/// A disk to lay out.
#[derive(Clone, Copy, Debug)]
pub struct Disk<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// Its size.
    pub size: Bytes,
}

/// A partition that is there and is used.
#[derive(Clone, Debug)]
pub struct Present {
    /// Which of the disks it is on.
    pub disk: usize,
    /// Its number.
    pub number: u32,
    /// Where it starts.
    pub start: Bytes,
    /// Its size.
    pub size: Bytes,
    /// What is on it.
    pub signature: Option<Signature>,
}

/// What the layout depends on besides the request.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The disks, first the one that the machine boots from.
    pub disks: &'a [Disk<'a>],
    /// The partitions that are used as they are, in the order in which the layout asks for them.
    pub present: &'a [Present],
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

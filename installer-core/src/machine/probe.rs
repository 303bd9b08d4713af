//! Looking at a machine: puts together what the neighbours find.

use std::path::Path;

use super::sysfs::SystemRoots;
use super::types::{Machine, SCHEMA};
use super::{block, platform};
use crate::error::Result;

/// Looks at the running machine. Reads only. Without root it sees less: no signatures, and
/// not every user of a disk.
pub fn probe() -> Result<Machine> {
    probe_in(&SystemRoots::host())
}

/// Looks at a recorded machine: a directory with its `sys`, `proc`, `dev` and `lib/modules`.
/// Disks in `dev` may be plain files.
pub fn probe_at(root: &Path) -> Result<Machine> {
    probe_in(&SystemRoots::under(root))
}

fn probe_in(roots: &SystemRoots) -> Result<Machine> {
    let (release, arch) = platform::uname(roots);
    Ok(Machine {
        schema: SCHEMA,
        arch,
        firmware: platform::firmware(roots),
        memory: platform::memory(roots)?,
        kernel: platform::kernel(roots, release),
        disks: block::disks(roots)?,
    })
}

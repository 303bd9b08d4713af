//! What this machine is: disks with stable names, partitions, signatures, who holds them;
//! firmware, architecture, memory and what its kernel can do.
//!
//! [`Machine`] is plain data that [`probe`] fills and `plan` reads; a recorded one (JSON)
//! plans just as well on another machine.
//!
//! Not here: changing anything. Every file is opened for reading, and what cannot be read
//! (no root, no medium, no udev) gives less of a machine rather than an error.

mod block;
mod find;
mod identity;
mod memory;
mod mounted;
mod naming;
mod platform;
mod probe;
mod sysfs;
mod types;
mod usage;

pub(crate) use find::find_disk;
pub use find::find_partition;
pub(crate) use memory::FOR_THE_WORK;
pub use memory::Memory;
pub use mounted::{Mounted, MountedArea, mounted};
pub use naming::partition_path;
pub use probe::{probe, probe_at};
pub use types::{Disk, Firmware, InUse, Kernel, Machine, Partition, SCHEMA, Signature};

#[cfg(test)]
mod tests;

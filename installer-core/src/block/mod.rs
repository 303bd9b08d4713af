//! Block devices as such: nodes, partitions as the kernel knows them, GPTs, loop devices.
//!
//! Not here: deciding what goes where (`storage`'s arithmetic), file systems, LVM, LUKS.
//! Everything here works without udev, without a partition parser in the kernel and, where
//! it can, without devtmpfs: an installer runs in odd places.

mod boot_code;
mod gpt;
mod loopback;
mod node;
mod partitions;

pub use self::boot_code::disarm;
pub use self::gpt::{GptPartition, read_gpt, write_gpt};
pub use loopback::LoopDevice;
pub use node::{NODE_TIMEOUT, flush, geometry, require_unused, wait_for_node, wipe_signatures};
pub use partitions::{announce_partitions, forget_partitions};

pub use crate::machine::partition_path;

#[cfg(test)]
mod tests;

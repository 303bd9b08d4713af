//! Which disk, which partitions, which file systems: decided here, done in `apply`. Pure; what
//! touches block devices is [`block`](crate::block).
//!
//! What is made is a tree of devices (`tree`), each of a [`kind`]; `solve` makes it from what is asked
//! for and the sizes of the disks.

pub mod device;
pub mod filesystem;
pub mod kind;
mod mkfs_options;
pub mod partition_type;
pub mod present;
pub mod select;
pub(crate) mod solve;
pub(crate) mod tree;

//! Which disk, which partitions, which file systems: decided here, done in `apply`. Pure; what
//! touches block devices is [`block`](crate::block).

pub mod filesystem;
pub(crate) mod layout;
pub mod partition_type;
pub mod select;

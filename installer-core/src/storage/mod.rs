//! Which disk, which partitions, which file systems: decided here, done in `apply`.
//!
//! `select`, `layout`, `filesystem` and `partition_type` are pure; `device` is what touches block devices.

pub mod device;
pub mod filesystem;
pub mod layout;
pub mod partition_type;
pub mod select;

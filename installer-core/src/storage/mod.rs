//! Which disk, which partitions, which file systems: decided here, done in `apply`.
//!
//! `select`, `layout` and `filesystem` are pure; `device` is what touches block devices.

pub mod device;
pub mod filesystem;
pub(crate) mod layout;
pub mod select;

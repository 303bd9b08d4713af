//! The kinds of devices that can be made, a file each: the data of one (which is that of the step
//! that makes it), its title, the commands that make it, and what it needs at boot.

pub mod area;
pub mod gpt;
mod kept;
pub mod lvm;

pub use area::Area;
pub use gpt::{Partition, Table};
pub use kept::Kept;
pub use lvm::{Group, Volume};

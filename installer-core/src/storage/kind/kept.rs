//! A file system or a swap area that is there and stays as it is, bit for bit: nothing is made, and nothing is
//! mounted but where something of the new system has to be written into it.

use super::Area;

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is.
    pub area: Area,
    /// Its UUID.
    pub uuid: String,
}

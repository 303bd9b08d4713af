//! Partitions that are there and are used, as asked for.

use serde::{Deserialize, Serialize};

use super::area::AreaRequest;

/// A partition that exists, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnPartition {
    /// Which one: a name, a link below /dev/disk, `UUID=` or `LABEL=`.
    pub on: String,
    /// What becomes of its content.
    pub content: Content,
    /// What it is for. Its size is what it is.
    pub area: AreaRequest,
}

/// What becomes of the content of a partition that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// It stays as it is.
    Kept,
    /// It is made anew.
    Replaced,
    /// It is made anew, of the type that it had.
    SameType,
}

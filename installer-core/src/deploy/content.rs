//! What a file of a tree holds while an image is imported.

use std::path::PathBuf;
use std::sync::Arc;

use super::gvariant::Checksum;
use crate::rootfs;

/// A directory of an image that is imported.
pub type Dir = rootfs::Dir<Content>;
/// A file of one.
pub type File = rootfs::File<Content>;
/// An entry of a directory.
pub type Node = rootfs::Node<Content>;

/// What a file holds, or where it waits.
#[derive(Clone, Debug)]
pub enum Content {
    /// In the repository, under this checksum.
    Object(Checksum),
    /// Set down outside the object store until its label is known.
    Staged(Arc<Staged>),
    /// A symbolic link that waits for its label; its target.
    Symlink(Vec<u8>),
}

/// A file set down in the repository's temporary directory; private, read-only.
#[derive(Debug)]
pub struct Staged {
    /// Where.
    pub path: PathBuf,
    /// Its length in bytes.
    pub size: u64,
}

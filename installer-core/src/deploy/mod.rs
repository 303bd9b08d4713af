//! From an opened image to a bootable deployment.
//!
//! ```text
//! layer blobs ─► rootfs ─► writer ─► store (objects)      per layer, side by side
//!                   └────► tree (in memory) ─► merge ─► commits, refs    import
//! the lowest layers of an ostree-encapsulated image become a commit: encapsulated
//! merged commit ─► sysroot: libostree (by way of ostree) deploys it, kernel arguments, origin
//!           or ─► unpack: a plain tree, for work inside it
//! ```
//!
//! Content objects are hashed and written by our own code; the deployment is libostree's.

#[cfg(test)]
mod agreement;
pub mod commits;
pub mod content;
pub mod encapsulated;
pub mod import;
pub mod labels;
pub mod ostree;
pub mod refs;
pub mod store;
pub mod sysroot;
mod unpack;
pub mod writer;

pub use crate::rootfs::gvariant;
pub use import::{Import, Imported, import};
pub use unpack::unpack;

//! The installer environment and network boot of bootc-ks.
//!
//! ```text
//! kickstart, certificates ─► Custom ─► cpio archive ─► behind an initrd, or on an ISO
//! ```
//!
//! The kernel unpacks every archive that it is given into the same root: what lies in the
//! last one is there when the installer looks for its kickstart.

pub mod cpio;
pub mod custom;
pub mod initrd;

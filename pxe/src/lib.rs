//! The installer environment and network boot of bootc-ks.
//!
//! ```text
//! kickstart, certificates ─► Custom ─► cpio archive ─► behind an initrd, or on an ISO
//! ```
//!
//! The kernel unpacks every archive that it is given into the same root: what lies in the
//! last one is there when the installer looks for its kickstart.
//!
//! ```text
//! environment ─┬─► tree  (static files for somebody else's servers)
//!              └─► serve (a server that knows which machine is to be installed)
//! ```
//!
//! [`environment`] reads what `netboot build` made: kernel and initramfs out of the image that
//! is to be installed.

pub mod cpio;
pub mod custom;
pub mod environment;
pub mod initrd;
pub mod kargs;
pub mod serve;
pub mod tree;

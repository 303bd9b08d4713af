//! The installer environment and network boot of bootc-ks.
//!
//! ```text
//! kickstart, certificates ─► Custom ─► cpio archive ─► behind an initrd, or on an ISO
//! ```
//!
//! The kernel unpacks every archive that it is given into the same root: what lies in the
//! last one is there when the installer looks for its kickstart.
//!
//! The environment itself (kernel and initramfs out of the image that is to be installed) and
//! what a network serves to boot it are not here yet; nothing reads the certificates until
//! then. `bootc-ks install` runs in a rescue system of any kind meanwhile; see
//! docs/install.md.

pub mod cpio;
pub mod custom;
pub mod environment;
pub mod initrd;
pub mod kargs;
pub mod serve;

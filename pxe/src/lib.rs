//! The installer environment and network boot of bootc-ks.
//!
//! ```text
//! kickstart, certificates ─► Custom ─► cpio archive ─► behind an initrd, or on an ISO
//! ```
//!
//! The kernel unpacks every archive that it is given into the same root: what lies in the
//! last one is there when the installer looks for its kickstart.
//!
//! | module | what it does |
//! |---|---|
//! | [`build`] | makes the environment: kernel and initramfs out of the image that is to be installed |
//! | [`environment`] | the environment as a directory, with its digests |
//! | [`options`] | what the kernel's command line says to the installer |
//! | [`custom`], [`initrd`] | what is added behind an initrd |
//! | [`kargs`] | the kernel's command line of a network boot |
//! | [`tree`] | static files for boot servers that are there already |
//! | [`serve`] | a server that knows which machine is to be installed |
//!
//! What the environment does when it has booted is the command's: `src/installer.rs`.

pub mod build;
pub mod custom;
pub mod environment;
pub mod initrd;
pub mod kargs;
pub mod options;
pub mod serve;
pub mod tree;

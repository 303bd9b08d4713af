//! The unattended ISO of bootc-ks: made, looked into, customised in place; and ISOs of others,
//! customised in a copy.
//!
//! ```text
//! environment, kickstart, kernel arguments, image ─► build() ─► X.iso
//!                                                                 │
//!                                          look() ◄───────────────┘  or another tool's ISO
//!                                            │                                 │
//!                                          Medium                           Foreign
//!      what is on it, and where its reserved areas lie        its boot menus, wherever they lie
//!                                            │                                 │
//! kickstart, kernel arguments ─► Medium::change() ─► Change      replay::copy() ─► a copy
//!                                   in place, or into a copy
//! ```
//!
//! An ISO9660 file system cannot be changed, the bytes of its files can. Every ISO of ours has a
//! file of NULs, which the kernel skips where it looks for another initramfs, and room behind its
//! kernel arguments. A manifest on the medium tells where; no program and no root is needed to
//! fill them. Other media have no such room: xorriso writes them anew. Programs (mkfs.vfat,
//! mtools, xorriso) are run by `build` and for the media of others.

mod areas;
mod boot_records;
mod build;
mod change;
mod checksum;
mod config;
mod embed;
mod esp;
mod fat;
mod foreign;
mod iso9660;
mod loaders;
mod look;
mod medium;
mod menu;
mod program;
pub mod replay;

pub use areas::{Embedded, Manifest, Origin};
pub use build::{BuildJob, Built, Embed, build};
pub use change::Change;
pub use foreign::{Foreign, Menu};
pub use look::{Found, look};
pub use medium::{Medium, State};

//! The unattended ISO of bootc-ks: made, looked into, customised in place.
//!
//! ```text
//! environment, kickstart, kernel arguments, image ─► build() ─► X.iso
//!                                                                 │
//!                                   Medium::read() ◄──────────────┘
//!                                        │ what is on it, and where its reserved areas lie
//! kickstart, kernel arguments ─► Medium::change() ─► Change ─► in place, or into a copy
//! ```
//!
//! An ISO9660 file system cannot be changed, the bytes of its files can. Every ISO has a file
//! of NULs, which the kernel skips where it looks for another initramfs, and room behind its
//! kernel arguments. A manifest on the medium tells where; no program and no root is needed to
//! fill them. `build` alone runs programs: mkfs.vfat, mtools and xorriso.

mod areas;
mod build;
mod change;
mod config;
mod embed;
mod esp;
mod iso9660;
mod loaders;
mod medium;

pub use areas::{CUSTOM_SIZE, Embedded, Manifest, Origin};
pub use build::{BuildJob, Built, Embed, build};
pub use change::Change;
pub use loaders::Loaders;
pub use medium::{Medium, State};

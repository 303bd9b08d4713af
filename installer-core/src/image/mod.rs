//! The image: found, pinned, read. From a reference to [`ImageFacts`] and to verified layers.
//!
//! ```text
//! ImageReference + Access ─► open() ─► Image ─► resolve() ─► ImageFacts
//!                                        └────► layer(i) ─► bytes, size and digest enforced
//! ```
//!
//! A registry, an OCI layout directory and an OCI archive look the same from outside. Async
//! code and its one runtime stay in here; callers block. Nothing here unpacks: making
//! a file system out of layers is the importer's work. Nothing is written either, but for
//! downloaded layers that the caller allows to be kept ([`Access::cache_in`]).

mod access;
mod auth;
mod blob;
mod blobs;
mod challenge;
mod client;
mod config_files;
mod cpu;
mod endpoints;
pub mod facts;
mod failure;
mod initramfs;
mod judge;
mod layer_cache;
pub(crate) mod layers;
mod layout;
mod manifest;
mod merged;
pub mod newc;
mod open;
mod policy;
pub mod proxy;
mod reference;
mod registry;
mod registry_error;
mod resolve;
mod reuse;
mod runtime;
mod scan;
mod system_facts;
mod system_look;
mod tls;
mod verify;
mod wire;

#[cfg(test)]
mod tests;

pub use access::{Access, CacheIn, Login};
pub use auth::{auth_file, login_file};
pub use facts::{BootFacts, ImageFacts, InstallConfig, KernelFacts, Largest, LayerFacts, Needs, PolicyFacts, SCHEMA};
pub use open::{Image, open};
pub use reference::{ImageReference, Place};
pub use resolve::resolve;
pub use system_facts::{DEBIANS_LINKS, DEFAULT_KEYBOARD, SystemFacts, UnitFacts, UnitInstall};
pub use verify::{VerifyError, decompress, read_error};

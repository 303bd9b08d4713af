//! What an image holds, as a tree of names in memory: one tar reader, one set of rules for
//! entries, one way to lay layers over each other. The look at an image and its import both
//! stand on it, so that what the one accepts the other takes.
//!
//! ```text
//! tar stream ─► tar (headers) ─► layer (rules) ─► tree ─┐
//!                                objects ─► base ───────┴─► merge ─► deployable
//! ```
//!
//! What becomes of contents is the caller's: the import writes objects ([`layer::Keep`],
//! [`objects::Objects`]), the look keeps what it asks about.

pub mod attributes;
pub mod base;
mod configurable;
pub mod deployable;
pub mod error;
pub mod gvariant;
pub mod layer;
pub mod merge;
pub mod objects;
pub mod rules;
pub mod tar;
pub mod tree;
mod unfit;
pub mod variant;

pub use error::LayerError;
pub use tree::{Dir, File, Meta, Node, TreeError};

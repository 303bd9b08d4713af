//! The four verbs of bootc-ks: look at the machine, look at the image, decide, do.
//!
//! ```text
//!  Kickstart ─► Request ──┐
//!  probe() ───► Machine ──┼─► plan() ─► Plan ─► apply() ─► installed disk + Report
//!  resolve() ─► ImageFacts┘    PURE              WORLD  └─► Events
//! ```
//!
//! | verb | from → to | touches the world? |
//! |---|---|---|
//! | [`machine::probe`] | host → [`machine::Machine`] | reads only |
//! | [`image::resolve`] | reference + credentials → [`image::ImageFacts`] | reads only |
//! | [`plan::plan`] | [`request::Request`] + machine + facts → [`plan::Plan`] | never; deterministic |
//! | [`apply::apply`] | plan → installed disk + [`apply::Report`] | the only destructive one |
//!
//! Nothing is destroyed before everything that can be checked has been checked.
//!
//! What the command and the Python module do alike around these is in [`prepare`].
//!
//! Which module imports from which is written in docs/architecture.md, and nowhere else; a test
//! reads it there.

pub mod apply;
#[cfg(test)]
mod architecture;
pub mod atomic_file;
pub mod block;
pub mod bounded;
pub mod cancel;
pub mod deploy;
pub mod error;
pub mod event;
mod ffi;
pub mod host;
pub mod image;
pub mod machine;
mod mountinfo;
pub mod plan;
pub mod prepare;
pub mod printable;
pub mod private_file;
pub mod program;
pub mod record;
pub mod request;
mod retry;
pub mod rootfs;
pub mod storage;
pub mod system;
pub mod units;

pub use cancel::Cancel;
pub use error::{Error, Kind, Remedy, Result, Stage};

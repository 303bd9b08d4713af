//! What the front doors (the command, the Python module) do alike on their way to the four
//! verbs: read a kickstart, judge it, put options over it, and make sure of everything before
//! the first write.
//!
//! ```text
//!  loader ─► parse ─► judge ─► Request ─► Overrides ─► prepare() ─► Prepared ─► consent ─► apply
//! ```
//!
//! Nothing here prints: findings and errors go back to the front door.

mod consent;
mod document;
mod download_guard;
mod flow;
mod image_fit;
mod judge;
pub mod loader;
mod overrides;
mod registry_access;

pub use consent::{allows_clearing, consent, loses_nothing};
pub use document::document;
pub use download_guard::{AfterWipe, refusal_if_uncacheable};
pub use flow::{Before, Onto, Prepared, look, prepare, prepare_to_filesystem};
pub use judge::{before_scripts, examine, judge, lays_out_nothing, require_layout};
pub use overrides::{Overrides, image_file, require_image, require_place};
pub use registry_access::registry_access;

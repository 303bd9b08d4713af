//! What the front doors (the command, the Python module) do alike on their way to the four
//! verbs: read a kickstart, judge it, put options over it, and make sure of everything before
//! the first write.
//!
//! ```text
//!  loader ─► parse ─► judge ─► Request ─► Overrides ─► prepare() ─► Prepared ─► consent ─► apply
//! ```
//!
//! Nothing here is told to anybody: findings and errors go back to the front door.

mod consent;
mod document;
mod image_fit;
mod judge;
mod keep;
pub mod loader;
mod overrides;
mod prepare;
mod reach;

pub use consent::{allows_clearing, consent, loses_nothing};
pub use document::document;
pub use judge::{examine, judge, require_layout};
pub use keep::{AfterWipe, foresee};
pub use overrides::{Overrides, image_file, require_image};
pub use prepare::{Before, Onto, Prepared, look, prepare, prepare_onto};
pub use reach::reach;

//! What the tests that compare with the language's first implementation share.
//!
//! ```text
//!  recorded answers (corpus) ──┐
//!                              ├──► Answer ──┐
//!  asked answers (process)  ───┘             ├──► compare, level by level ──► Tally
//!  this crate ──────────────────► Answer ────┘         └─ intended: the written list
//! ```
//!
//! Four levels, each only where the one before it agrees: the verdict, the
//! line of the first error, the canonical text, the warnings. The text of a
//! message is never compared. Where the other one tells no line, none is
//! compared: a line on everything is what this crate adds.

pub mod answer;
pub mod case;
pub mod compare;
pub mod corpus;
pub mod files;
pub mod intended;
pub mod lines;
pub mod minimise;
pub mod process;
pub mod random;

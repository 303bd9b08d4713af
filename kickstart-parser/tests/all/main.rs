//! The tests of the language, in one program: what they share is compiled and linked once.
//! `cargo test --workspace language::` runs those of a file.
//!
//! Those with `corpus` in their names need recorded answers and real kickstarts, which are not
//! part of this repository: `BOOTC_KS_CORPUS` says where they are, else they are looked for in
//! `shared/corpus` beside the workspace. They are ignored and counted by cargo alone, and run by
//! `make test` where the corpus is.

// Tests may stop where they stand; the lint knows only functions marked as such.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod convert;
mod corpus;
mod differential;
mod fixes;
mod format;
mod language;
// What the fuzz targets hold true.
#[path = "../../fuzz/src/lib.rs"]
mod laws;
mod oracle;
mod robust;

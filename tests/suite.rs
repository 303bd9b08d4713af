//! The tests of the command, of what it makes and of what people do with it. They are one
//! program: what they stand on ([`support`]) is compiled once, two machines can run side by side
//! whichever file they come from, and a quick test fills the time of a slow one.
//!
//! `cargo test --workspace boots::` runs those of a file (of this package alone, dependencies would be
//! built anew with fewer features).

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]
// How long things took, and what did not run, belongs next to the result.
#![allow(clippy::print_stdout)]

mod support;

mod addon;
mod boot;
mod boots;
mod check;
mod docs;
mod environment;
mod faults;
mod fedora_style;
mod fleet;
mod fmt;
mod harness;
mod importer_agreement;
mod install;
mod install_ways;
mod iso;
mod iso_foreign;
mod kept;
mod libostree;
mod lsp;
mod netboot;
mod never_half;
mod oracle;
mod packages;
mod plan;
mod python;
mod record;
mod rescue;
mod scripts;
mod serve;
mod serve_boot;
mod to_filesystem;
mod tree;
mod updates;
mod updates_started;
mod webhook;

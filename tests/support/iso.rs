//! ISOs, as the command makes, shows and changes them.

use std::path::Path;

use serde_json::Value;

use super::cli::{Outcome, run_in};

/// Passwords of the kickstarts that go onto them, which no output may have.
pub const SECRETS: [&str; 2] = ["hunter2", "hunter3"];

/// `bootc-ks iso`, in `dir`.
pub fn iso(dir: &Path, args: &[&str]) -> Outcome {
    run_in(dir, &[&["iso"], args].concat()).keeps(&SECRETS)
}

/// What `iso show` says of the one at `name`.
pub fn show(dir: &Path, name: &str) -> Value {
    iso(dir, &["show", name, "--json"]).exits(0).json()
}

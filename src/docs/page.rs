//! What every page that is made here has in common.

use std::fmt::Write as _;

/// What a page begins with.
pub const MADE: &str = "<!-- Made by `bootc-ks docs`; do not edit. -->\n";

/// Adds a line.
pub fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

//! Diagnostics for people, and whether they come in colours.

use std::io::IsTerminal;

use crate::colour;

pub use kickstart_parser::render::{Style, render, render_all, summary};

/// Colours where the stream takes them.
pub fn style_for(stream: &impl IsTerminal) -> Style {
    if colour::on(stream) { Style::coloured() } else { Style::plain() }
}

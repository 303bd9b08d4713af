//! Diagnostics for people, and whether they come in colours.

use std::io::IsTerminal;

pub use kickstart_parser::render::{Style, render, render_all, summary};

/// Colours if the stream is a terminal, unless the environment says no.
pub fn style_for(stream: &impl IsTerminal) -> Style {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    if !stream.is_terminal() || set("NO_COLOR") || dumb { Style::plain() } else { Style::coloured() }
}

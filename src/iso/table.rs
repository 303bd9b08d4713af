//! How a medium is shown, one of ours or of another installer.

use kickstart_parser::{ParseOptions, parse};

use crate::atomic_file;

/// A kickstart with stars in place of passwords.
pub(super) fn kickstart(text: Option<&[u8]>) -> Option<String> {
    let text = String::from_utf8_lossy(text?);
    Some(atomic_file::shown(&parse(&text, "ks.cfg", &ParseOptions { syntax: None, loader: None })))
}

/// Rows of names and values, and a kickstart below them.
pub(super) fn table(mut rows: Vec<(&str, String)>, kickstart: Option<String>) -> String {
    rows.push(("Kickstart", kickstart.as_ref().map_or("none", |_| "as follows").to_owned()));
    let head = rows.iter().map(|(name, value)| {
        let name = if name.is_empty() { String::new() } else { format!("{name}:") };
        format!("{name:<14}{value}\n")
    });
    // Another tool's text may hold control characters.
    let harmless = |line: &str| line.replace(|c: char| c.is_control() && c != '\t', "");
    let lines = kickstart.iter().flat_map(|text| text.lines()).map(harmless);
    let body = lines.map(|line| format!("    {line}").trim_end().to_owned() + "\n");
    head.chain(body).collect()
}

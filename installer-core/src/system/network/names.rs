//! Names in the files of connections.

/// What stands in a file for the key of a wireless network.
pub fn key_of(name: &str) -> String {
    format!("<key of {name}>")
}

/// A name as that of a file.
pub fn file_name(name: &str) -> String {
    let good = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(good).collect::<String>().trim_start_matches('.').to_owned()
}

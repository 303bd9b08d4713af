//! /etc/fstab. Pure.

use serde::{Deserialize, Serialize};

/// One line of /etc/fstab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FstabEntry {
    /// What is mounted.
    pub source: String,
    /// Where.
    pub target: String,
    /// File system type.
    pub kind: String,
    /// Options.
    pub options: String,
    /// The pass of fsck.
    pub pass: u8,
}

/// The whole file. The root is not in it: the kernel's command line names it.
pub fn fstab(entries: &[FstabEntry]) -> String {
    let mut text =
        String::from("# Written by bootc-ks at installation. The root comes from the kernel's command line.\n");
    for entry in entries {
        let [source, target, kind, options] =
            [&entry.source, &entry.target, &entry.kind, &entry.options].map(|text| field(text));
        text.push_str(&format!("{source} {target} {kind} {options} 0 {}\n", entry.pass));
    }
    text
}

/// A field as fstab(5) wants it: blanks end it, `#` at the beginning makes a comment of the line, and
/// the backslash begins what stands for them. One that is empty would be taken from the next.
fn field(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let must = c.is_ascii_whitespace() || c == '\u{b}' || c == '\\' || c == '#' && at == 0;
        if must { out.push_str(&format!("\\{:03o}", u32::from(c))) } else { out.push(c) }
    }
    if out.is_empty() { "none".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_word() {
        for (text, word) in [
            ("/var/a b", r"/var/a\040b"),
            ("/a\tb\nc\rd", r"/a\011b\012c\015d"),
            (r"/a\b", r"/a\134b"),
            ("#x", r"\043x"),
            ("/x#y", "/x#y"),
            ("/\u{e4}\u{a0}", "/\u{e4}\u{a0}"),
            ("", "none"),
        ] {
            assert_eq!(field(text), word);
        }
        let entry = FstabEntry {
            source: "UUID=1".into(),
            target: "/var/a b".into(),
            kind: "ext4".into(),
            options: "defaults".into(),
            pass: 2,
        };
        assert!(fstab(&[entry]).ends_with("\nUUID=1 /var/a\\040b ext4 defaults 0 2\n"));
    }
}

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
        text.push_str(&format!(
            "{} {} {} {} 0 {}\n",
            entry.source, entry.target, entry.kind, entry.options, entry.pass
        ));
    }
    text
}

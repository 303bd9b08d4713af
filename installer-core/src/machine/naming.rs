//! How Linux names the partitions of a disk.

use std::path::{Path, PathBuf};

/// The node of partition `number` of `disk`: `sda1`, `nvme0n1p1`, `…-part1` for the links
/// that udev makes.
pub fn partition_path(disk: impl AsRef<Path>, number: u32) -> PathBuf {
    let disk = disk.as_ref();
    let text = disk.to_string_lossy();
    let separator = if disk.starts_with("/dev/disk") {
        "-part"
    } else if text.ends_with(|last: char| last.is_ascii_digit()) {
        "p"
    } else {
        ""
    };
    PathBuf::from(format!("{text}{separator}{number}"))
}

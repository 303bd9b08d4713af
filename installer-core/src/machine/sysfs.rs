//! Where the kernel's pseudo file systems are: the running system's, or a recorded tree's.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) struct SystemRoots {
    pub sys: PathBuf,
    pub proc: PathBuf,
    pub dev: PathBuf,
    /// Where a release's modules may be.
    pub modules: [PathBuf; 2],
    /// Whether this is the machine that we run on, so that it can be asked in other ways
    /// than by reading files.
    pub live: bool,
}

impl SystemRoots {
    pub fn host() -> Self {
        SystemRoots { live: true, ..Self::under(Path::new("/")) }
    }

    pub fn under(root: &Path) -> Self {
        SystemRoots {
            sys: root.join("sys"),
            proc: root.join("proc"),
            dev: root.join("dev"),
            modules: [root.join("lib/modules"), root.join("usr/lib/modules")],
            live: false,
        }
    }

    /// The file behind `/dev/…`, or nothing for any other path.
    pub fn node(&self, path: &str) -> Option<PathBuf> {
        path.strip_prefix("/dev/").map(|rest| self.dev.join(rest))
    }
}

/// The trimmed text of a small file; `None` when it is empty or cannot be read.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // Identification strings are padded with spaces or zeros, depending on the transport.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn number(path: impl AsRef<Path>) -> Option<u64> {
    text(path)?.parse().ok()
}

/// A flag file: `1` is true, `0` and no file are false.
pub(super) fn flag(path: impl AsRef<Path>) -> bool {
    number(path).is_some_and(|value| value != 0)
}

/// The names in a directory, sorted; none when it cannot be read.
pub(super) fn names(directory: impl AsRef<Path>) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The `major:minor` of a device in sysfs.
pub(super) fn device_number(sysfs: &Path) -> Option<String> {
    text(sysfs.join("dev"))
}

//! Where an installation keeps what is its own while it runs.

use std::path::PathBuf;

/// Where the directory with the mount points is made.
pub const RUN: &str = "/run";
/// And how its name begins; the number of the process comes behind it.
pub const RUN_PREFIX: &str = "bootc-ks-";

/// A disk image that is being made.
pub struct ImageFile {
    /// Where it will be.
    pub path: PathBuf,
    /// The directory of that.
    pub directory: PathBuf,
    /// Its name there.
    pub name: String,
    /// Its name until all went well.
    pub temporary: String,
}

impl ImageFile {
    /// One that will be at `path`.
    pub fn at(path: &str) -> Self {
        let path = PathBuf::from(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let temporary = format!(".{name}.{RUN_PREFIX}{}", std::process::id());
        ImageFile { path, directory, name, temporary }
    }

    /// How the temporary names of all installations onto it begin.
    pub fn temporary_prefix(&self) -> String {
        format!(".{}.{RUN_PREFIX}", self.name)
    }
}

/// The boot entries, as long as no boot loader finds them.
pub struct Withheld {
    /// Where they belong, from the target's root (`boot/loader.1`).
    pub place: String,
    /// What was open before the system was mounted as it will see itself.
    pub mark: usize,
}

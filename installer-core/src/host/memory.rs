//! Files that are in memory alone, for other programs to read or to write: they vanish with us.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;

use rustix::fs::MemfdFlags;

/// Such a file.
pub struct MemoryFile {
    /// It itself.
    pub file: File,
    /// Where another process of this machine finds it.
    pub path: String,
}

impl MemoryFile {
    /// One with this name, for who looks, and this content.
    pub fn new(name: &str, content: &[u8]) -> io::Result<Self> {
        let mut file = File::from(rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC)?);
        file.write_all(content)?;
        // The number of this process is the one that it has in the /proc that is mounted here.
        let process = std::fs::read_link("/proc/self")?;
        let path = format!("/proc/{}/fd/{}", process.display(), file.as_raw_fd());
        Ok(MemoryFile { file, path })
    }
}

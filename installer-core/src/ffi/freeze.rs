//! Frozen file systems.

use std::io;
use std::os::fd::AsFd;

use super::ioctl_number;

// linux/fs.h: _IOWR('X', 120, int)
const FITHAW: libc::Ioctl = 0xC004_5878_u32 as libc::Ioctl;

/// Thaws the file system that the open directory is on; whether it was frozen.
pub fn thaw(directory: impl AsFd) -> io::Result<bool> {
    match ioctl_number(directory.as_fd(), FITHAW, 0) {
        Ok(_) => Ok(true),
        // It was not; or cannot be.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOTTY)) => Ok(false),
        Err(error) => Err(error),
    }
}

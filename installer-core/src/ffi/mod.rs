//! The C interfaces that have no safe binding: libblkid, and the kernel's ioctls on block
//! devices and loop devices.
//!
//! This is the one module with `unsafe` in it. What it exports is safe, speaks
//! [`std::io::Error`] and decides nothing: policy, waiting and wording are the callers'.
#![allow(unsafe_code, reason = "foreign functions and ioctls cannot be called without it; nothing else here may")]

pub mod blkid;
pub mod blkpg;
pub mod cage;
pub mod freeze;
pub mod loopdev;
pub mod namespace;
pub mod session;

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Calls an ioctl whose argument is a number or nothing. Returns what it returned.
fn ioctl_number(fd: BorrowedFd<'_>, request: libc::Ioctl, argument: libc::c_ulong) -> io::Result<libc::c_int> {
    // SAFETY: the descriptor is open for as long as it is borrowed, and the requests that
    // this module passes here take a number by value, so no memory is reached through it.
    let answer = unsafe { libc::ioctl(fd.as_raw_fd(), request, argument) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// Calls an ioctl that reads or fills a structure.
///
/// # Safety
/// `T` must be laid out as the structure that the kernel expects for `request`, and every
/// pointer inside must be valid for the call.
unsafe fn ioctl_struct<T>(fd: BorrowedFd<'_>, request: libc::Ioctl, argument: &mut T) -> io::Result<()> {
    // SAFETY: the descriptor is open, `argument` is exclusively ours and valid for the call,
    // and the caller vouches for its layout.
    let answer = unsafe { libc::ioctl(fd.as_raw_fd(), request, std::ptr::from_mut(argument)) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

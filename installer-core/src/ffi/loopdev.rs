//! Loop devices: a file as a disk. The ioctls alone; nodes, retries and cleaning up are in
//! `block`.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::{ioctl_number, ioctl_struct};
use crate::units::Bytes;

// linux/loop.h
const LOOP_CLR_FD: libc::Ioctl = 0x4C01;
const LOOP_GET_STATUS64: libc::Ioctl = 0x4C05;
const LOOP_CONFIGURE: libc::Ioctl = 0x4C0A;
const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4C82;
const LO_FLAGS_READ_ONLY: u32 = 1;
const LO_FLAGS_AUTOCLEAR: u32 = 4;

/// `struct loop_info64`.
#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    sizelimit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

impl LoopInfo {
    fn new(flags: u32, name: &str) -> Self {
        let mut file_name = [0; 64];
        // The kernel wants the terminating zero; a longer name is cut, it is for show only.
        let length = name.len().min(file_name.len() - 1);
        file_name[..length].copy_from_slice(&name.as_bytes()[..length]);
        LoopInfo {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            sizelimit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags,
            file_name,
            crypt_name: [0; 64],
            encrypt_key: [0; 32],
            init: [0; 2],
        }
    }
}

/// The number of a loop device that is free at this moment; another process may take it
/// before [`configure`], which then says EBUSY.
pub fn free_number(control: impl AsFd) -> io::Result<u32> {
    ioctl_number(control.as_fd(), LOOP_CTL_GET_FREE, 0).map(i32::unsigned_abs)
}

/// Attaches `backing` to the loop device, without scanning for partitions and through the
/// page cache. `name` is what `losetup` shows. The kernel detaches it when the last process that has
/// the device open is gone, however that ends.
pub fn configure(device: impl AsFd, backing: &File, sector_size: Bytes, read_only: bool, name: &str) -> io::Result<()> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    let mut config = LoopConfig {
        fd: u32::try_from(backing.as_raw_fd()).map_err(|_| invalid())?,
        block_size: u32::try_from(sector_size.0).map_err(|_| invalid())?,
        info: LoopInfo::new(LO_FLAGS_AUTOCLEAR | if read_only { LO_FLAGS_READ_ONLY } else { 0 }, name),
        reserved: [0; 8],
    };
    // SAFETY: the argument is laid out as struct loop_config, and the descriptor inside is
    // open for the call; the kernel takes its own reference to the file.
    unsafe { ioctl_struct(device.as_fd(), LOOP_CONFIGURE, &mut config) }
}

/// Detaches the file. While others have the device open this only marks it for detaching
/// at the last close.
pub fn clear(device: impl AsFd) -> io::Result<()> {
    ioctl_number(device.as_fd(), LOOP_CLR_FD, 0).map(|_| ())
}

/// Device and inode number of the file behind an attached loop device; `None` when nothing
/// is attached.
pub fn backing_inode(device: impl AsFd) -> io::Result<Option<(u64, u64)>> {
    let mut info = LoopInfo::new(0, "");
    // SAFETY: LOOP_GET_STATUS64 fills in a struct loop_info64.
    match unsafe { ioctl_struct(device.as_fd(), LOOP_GET_STATUS64, &mut info) } {
        Ok(()) => Ok(Some((info.device, info.inode))),
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_the_kernels_size() {
        assert_eq!(size_of::<LoopInfo>(), 232);
        assert_eq!(size_of::<LoopConfig>(), 8 + 232 + 64);
    }

    #[test]
    fn a_long_name_is_cut_and_terminated() {
        let info = LoopInfo::new(0, &"x".repeat(200));
        assert_eq!((info.file_name[62], info.file_name[63]), (b'x', 0));
    }
}

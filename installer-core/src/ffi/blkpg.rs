//! The kernel's ioctls on block devices: size, sector size, buffers, and telling the kernel
//! about partitions one by one (BLKPG).
//!
//! BLKPG rather than "read the table again" (BLKRRPART): it works while other partitions of
//! the same disk are busy, and with kernels that have no parser for the table at all.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::ioctl::opcode;

use super::{ioctl_number, ioctl_struct};
use crate::units::Bytes;

// linux/fs.h and linux/blkpg.h
const BLKFLSBUF: libc::Ioctl = opcode::none(0x12, 97) as libc::Ioctl;
const BLKSSZGET: libc::Ioctl = opcode::none(0x12, 104) as libc::Ioctl;
const BLKPG: libc::Ioctl = opcode::none(0x12, 105) as libc::Ioctl;
// The kernel's header says size_t and means u64; the number is made from the former.
const BLKGETSIZE64: libc::Ioctl = opcode::read::<usize>(0x12, 114) as libc::Ioctl;

const BLKPG_ADD_PARTITION: libc::c_int = 1;
const BLKPG_DEL_PARTITION: libc::c_int = 2;

/// `struct blkpg_partition`.
#[repr(C)]
struct BlkpgPartition {
    start: libc::c_longlong,
    length: libc::c_longlong,
    pno: libc::c_int,
    devname: [u8; 64],
    volname: [u8; 64],
}

/// `struct blkpg_ioctl_arg`.
#[repr(C)]
struct BlkpgArgument {
    op: libc::c_int,
    flags: libc::c_int,
    datalen: libc::c_int,
    data: *mut BlkpgPartition,
}

/// Tells the kernel that the disk has partition `number` there. EBUSY when the number is
/// taken or the range overlaps another partition's.
pub fn add_partition(disk: impl AsFd, number: u32, start: Bytes, size: Bytes) -> io::Result<()> {
    partition_call(disk.as_fd(), BLKPG_ADD_PARTITION, number, start, size)
}

/// Tells the kernel to forget partition `number`; nothing on the disk changes. EBUSY while
/// it is open, ENXIO when there is none.
pub fn delete_partition(disk: impl AsFd, number: u32) -> io::Result<()> {
    partition_call(disk.as_fd(), BLKPG_DEL_PARTITION, number, Bytes(0), Bytes(0))
}

fn partition_call(disk: BorrowedFd<'_>, op: libc::c_int, number: u32, start: Bytes, size: Bytes) -> io::Result<()> {
    let signed = |value: u64| i64::try_from(value).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let mut partition = BlkpgPartition {
        start: signed(start.0)?,
        length: signed(size.0)?,
        pno: libc::c_int::try_from(number).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        devname: [0; 64],
        volname: [0; 64],
    };
    let mut argument =
        BlkpgArgument { op, flags: 0, datalen: size_of::<BlkpgPartition>() as libc::c_int, data: &raw mut partition };
    // SAFETY: the argument is laid out as struct blkpg_ioctl_arg and points to a struct
    // blkpg_partition that outlives the call.
    unsafe { ioctl_struct(disk, BLKPG, &mut argument) }
}

/// The size of a block device.
pub fn device_size(device: impl AsFd) -> io::Result<Bytes> {
    let mut size: u64 = 0;
    // SAFETY: BLKGETSIZE64 fills in a u64.
    unsafe { ioctl_struct(device.as_fd(), BLKGETSIZE64, &mut size) }?;
    Ok(Bytes(size))
}

/// The logical sector size of a block device.
pub fn sector_size(device: impl AsFd) -> io::Result<Bytes> {
    let mut size: libc::c_int = 0;
    // SAFETY: BLKSSZGET fills in an int.
    unsafe { ioctl_struct(device.as_fd(), BLKSSZGET, &mut size) }?;
    Ok(Bytes(u64::from(size.unsigned_abs())))
}

/// Writes out and drops what the kernel has cached of the device. Needs root.
pub fn flush_buffers(device: impl AsFd) -> io::Result<()> {
    ioctl_number(device.as_fd(), BLKFLSBUF, 0).map(|_| ())
}

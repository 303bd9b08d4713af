//! libblkid: what is on a block device or in an image file, and taking it off.
//!
//! Our own binding, because the published ones do not bind
//! `blkid_probe_set_partitions_flags`, without which a GPT cannot be wiped, and need libclang
//! to build.

use std::ffi::{CStr, CString, c_char, c_int, c_longlong, c_uint, c_ulonglong, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use crate::units::{Bytes, Sectors};

#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}
type ProbePointer = *mut Opaque;
type ListPointer = *mut c_void;
type TablePointer = *mut c_void;
type PartitionPointer = *mut c_void;

unsafe extern "C" {
    fn blkid_new_probe() -> ProbePointer;
    fn blkid_free_probe(probe: ProbePointer);
    fn blkid_probe_set_device(probe: ProbePointer, fd: c_int, offset: i64, size: i64) -> c_int;
    fn blkid_probe_set_sectorsize(probe: ProbePointer, size: c_uint) -> c_int;
    fn blkid_probe_enable_superblocks(probe: ProbePointer, enable: c_int) -> c_int;
    fn blkid_probe_set_superblocks_flags(probe: ProbePointer, flags: c_int) -> c_int;
    fn blkid_probe_enable_partitions(probe: ProbePointer, enable: c_int) -> c_int;
    fn blkid_probe_set_partitions_flags(probe: ProbePointer, flags: c_int) -> c_int;
    fn blkid_do_probe(probe: ProbePointer) -> c_int;
    fn blkid_do_safeprobe(probe: ProbePointer) -> c_int;
    fn blkid_do_wipe(probe: ProbePointer, dryrun: c_int) -> c_int;
    fn blkid_probe_lookup_value(
        probe: ProbePointer,
        name: *const c_char,
        data: *mut *const c_char,
        length: *mut usize,
    ) -> c_int;
    fn blkid_probe_get_partitions(probe: ProbePointer) -> ListPointer;
    fn blkid_partlist_get_table(list: ListPointer) -> TablePointer;
    fn blkid_partlist_numof_partitions(list: ListPointer) -> c_int;
    fn blkid_partlist_get_partition(list: ListPointer, index: c_int) -> PartitionPointer;
    fn blkid_parttable_get_type(table: TablePointer) -> *const c_char;
    fn blkid_parttable_get_id(table: TablePointer) -> *const c_char;
    fn blkid_partition_get_table(partition: PartitionPointer) -> TablePointer;
    fn blkid_partition_get_partno(partition: PartitionPointer) -> c_int;
    fn blkid_partition_get_start(partition: PartitionPointer) -> c_longlong;
    fn blkid_partition_get_size(partition: PartitionPointer) -> c_longlong;
    fn blkid_partition_get_type(partition: PartitionPointer) -> c_int;
    fn blkid_partition_get_type_string(partition: PartitionPointer) -> *const c_char;
    fn blkid_partition_get_flags(partition: PartitionPointer) -> c_ulonglong;
    fn blkid_partition_get_name(partition: PartitionPointer) -> *const c_char;
    fn blkid_partition_get_uuid(partition: PartitionPointer) -> *const c_char;
}

const SUBLKS_LABEL: c_int = 1 << 1;
const SUBLKS_UUID: c_int = 1 << 3;
const SUBLKS_TYPE: c_int = 1 << 5;
const SUBLKS_MAGIC: c_int = 1 << 9;
// A damaged superblock is still data: it must be seen, and be wiped.
const SUBLKS_BADCSUM: c_int = 1 << 10;
const PARTS_FORCE_GPT: c_int = 1 << 1;
const PARTS_ENTRY_DETAILS: c_int = 1 << 2;
const PARTS_MAGIC: c_int = 1 << 3;

/// A superblock: what a device says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// TYPE (`xfs`, `LVM2_member`).
    pub kind: String,
    /// UUID.
    pub uuid: Option<String>,
    /// LABEL.
    pub label: Option<String>,
}

/// A partition table as it is on the disk, whatever the kernel made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// PTTYPE (`gpt`, `dos`).
    pub kind: String,
    /// PTUUID.
    pub uuid: Option<String>,
    /// Its entries in the order of the table.
    pub entries: Vec<Entry>,
}

/// An entry of a partition table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number, from 1.
    pub number: u32,
    /// Start.
    pub start: Sectors,
    /// Size.
    pub size: Sectors,
    /// A GUID for gpt, `0x83` for dos.
    pub type_code: String,
    /// Name in a GPT.
    pub name: Option<String>,
    /// Partition UUID.
    pub uuid: Option<String>,
    /// GPT attributes, or the dos boot flag in 0x80.
    pub flags: u64,
}

/// A signature that was wiped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiped {
    /// TYPE or PTTYPE.
    pub kind: String,
    /// Where its magic was, where libblkid says.
    pub offset: Option<u64>,
}

/// The superblock in `file`, or in the part of it from `start` on when `part` says so
/// (a partition that has no node of its own). `None` when there is none.
pub fn superblock(file: &File, part: Option<(Bytes, Bytes)>) -> io::Result<Option<Superblock>> {
    let flags = SUBLKS_LABEL | SUBLKS_UUID | SUBLKS_TYPE | SUBLKS_BADCSUM;
    let probe = Probe::new(file, part)?;
    probe.enable_superblocks(flags)?;
    match probe.safe()? {
        Found::Nothing => return Ok(None),
        Found::One => {}
        // Several signatures contradict each other; the first is as good as any for
        // telling that the device is not empty.
        Found::Several => {
            let again = Probe::new(file, part)?;
            again.enable_superblocks(flags)?;
            return Ok(if again.next()? { again.describe() } else { None });
        }
    }
    Ok(probe.describe())
}

/// Which GPT counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gpt {
    /// One with a protective MBR, as the kernel wants it.
    Protected,
    /// Any, and a mere backup too.
    Any,
}

/// The partition table in `file`. `sector_size` matters for image files, of which nothing
/// else tells it.
pub fn table(file: &File, sector_size: Option<Bytes>, gpt: Gpt) -> io::Result<Option<Table>> {
    let probe = Probe::new(file, None)?;
    if let Some(size) = sector_size {
        probe.set_sector_size(size)?;
    }
    probe.enable_partitions(PARTS_ENTRY_DETAILS | if gpt == Gpt::Any { PARTS_FORCE_GPT } else { 0 })?;
    Ok(probe.partitions())
}

/// Wipes every signature that libblkid knows from a file opened for reading and writing:
/// superblocks, and partition tables with their backups. Each magic is overwritten with
/// zeros and nothing else is, so file systems inside partitions stay where they are.
pub fn wipe(file: &File) -> io::Result<Vec<Wiped>> {
    let probe = Probe::new(file, None)?;
    probe.enable_superblocks(SUBLKS_TYPE | SUBLKS_MAGIC | SUBLKS_BADCSUM)?;
    // Without FORCE_GPT a GPT is only looked for below a protective MBR.
    probe.enable_partitions(PARTS_MAGIC | PARTS_FORCE_GPT)?;
    let mut wiped = Vec::new();
    while probe.next()? {
        wiped.push(probe.wipe_found()?);
        // Far more than a disk can have: a signature that comes back would keep us here.
        if wiped.len() > 1000 {
            return Err(io::Error::other("signatures come back after having been wiped"));
        }
    }
    file.sync_all()?;
    Ok(wiped)
}

enum Found {
    Nothing,
    One,
    Several,
}

/// A `blkid_probe`, which borrows the file's descriptor for its life.
struct Probe<'a> {
    raw: ProbePointer,
    _file: &'a File,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        // SAFETY: made by blkid_new_probe and freed once, here.
        unsafe { blkid_free_probe(self.raw) }
    }
}

impl<'a> Probe<'a> {
    fn new(file: &'a File, part: Option<(Bytes, Bytes)>) -> io::Result<Self> {
        let signed = |bytes: Bytes| i64::try_from(bytes.0).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
        let (offset, size) = match part {
            Some((start, size)) => (signed(start)?, signed(size)?),
            None => (0, 0),
        };
        // SAFETY: takes nothing; the result is checked before it is used.
        let raw = unsafe { blkid_new_probe() };
        if raw.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let probe = Probe { raw, _file: file };
        // SAFETY: the probe is valid, and the descriptor stays open as long as `_file` is borrowed.
        check(unsafe { blkid_probe_set_device(raw, file.as_raw_fd(), offset, size) })?;
        Ok(probe)
    }

    fn set_sector_size(&self, size: Bytes) -> io::Result<()> {
        let size = c_uint::try_from(size.0).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: the probe is valid; the size is a number.
        check(unsafe { blkid_probe_set_sectorsize(self.raw, size) })
    }

    fn enable_superblocks(&self, flags: c_int) -> io::Result<()> {
        // SAFETY: the probe is valid; the rest are numbers.
        unsafe {
            check(blkid_probe_enable_superblocks(self.raw, 1))?;
            check(blkid_probe_set_superblocks_flags(self.raw, flags))
        }
    }

    fn enable_partitions(&self, flags: c_int) -> io::Result<()> {
        // SAFETY: the probe is valid; the rest are numbers.
        unsafe {
            check(blkid_probe_enable_partitions(self.raw, 1))?;
            check(blkid_probe_set_partitions_flags(self.raw, flags))
        }
    }

    /// Looks for exactly one superblock.
    fn safe(&self) -> io::Result<Found> {
        // SAFETY: the probe is valid and has a device.
        match unsafe { blkid_do_safeprobe(self.raw) } {
            0 => Ok(Found::One),
            1 => Ok(Found::Nothing),
            -2 => Ok(Found::Several),
            _ => Err(last_error()),
        }
    }

    /// Looks for the next signature of any kind; false when there is none left.
    fn next(&self) -> io::Result<bool> {
        // SAFETY: the probe is valid and has a device.
        match unsafe { blkid_do_probe(self.raw) } {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(last_error()),
        }
    }

    fn wipe_found(&self) -> io::Result<Wiped> {
        let kind = self.value(c"TYPE").or_else(|| self.value(c"PTTYPE")).unwrap_or_default();
        let offset = self.value(c"SBMAGIC_OFFSET").or_else(|| self.value(c"PTMAGIC_OFFSET"));
        // SAFETY: the probe is valid, and its last answer is a signature. libblkid steps
        // back afterwards, so that a second copy of the same signature is found next.
        check(unsafe { blkid_do_wipe(self.raw, 0) })?;
        Ok(Wiped { kind, offset: offset.and_then(|text| text.parse().ok()) })
    }

    fn describe(&self) -> Option<Superblock> {
        let kind = self.value(c"TYPE")?;
        Some(Superblock { kind, uuid: self.value(c"UUID"), label: self.value(c"LABEL") })
    }

    fn value(&self, name: &CStr) -> Option<String> {
        let mut data: *const c_char = std::ptr::null();
        // SAFETY: the probe is valid, the name is terminated, `data` is ours to fill, and a
        // null length is allowed.
        let answer = unsafe { blkid_probe_lookup_value(self.raw, name.as_ptr(), &raw mut data, std::ptr::null_mut()) };
        // SAFETY: on success it is a terminated string that lives until the next probing.
        if answer == 0 { unsafe { text(data) } } else { None }
    }

    fn partitions(&self) -> Option<Table> {
        // SAFETY: every pointer below comes from libblkid, is checked for null where it may
        // be, belongs to the probe and is not used after it; texts are copied at once.
        unsafe {
            let list = blkid_probe_get_partitions(self.raw);
            if list.is_null() {
                return None;
            }
            let table = blkid_partlist_get_table(list);
            if table.is_null() {
                return None;
            }
            let entries = (0..blkid_partlist_numof_partitions(list))
                .map(|index| blkid_partlist_get_partition(list, index))
                // Tables inside partitions (BSD labels) have entries of their own.
                .filter(|entry| !entry.is_null() && blkid_partition_get_table(*entry) == table)
                .filter_map(|raw| entry(raw))
                .collect();
            Some(Table {
                kind: text(blkid_parttable_get_type(table))?,
                uuid: text(blkid_parttable_get_id(table)),
                entries,
            })
        }
    }
}

/// Copies an entry out of libblkid's memory.
///
/// # Safety
/// `raw` must be a partition of a live probe.
unsafe fn entry(raw: PartitionPointer) -> Option<Entry> {
    // SAFETY: the caller vouches for `raw`; texts are copied while it lives.
    unsafe {
        Some(Entry {
            number: u32::try_from(blkid_partition_get_partno(raw)).ok()?,
            start: Sectors(u64::try_from(blkid_partition_get_start(raw)).ok()?),
            size: Sectors(u64::try_from(blkid_partition_get_size(raw)).ok()?),
            type_code: text(blkid_partition_get_type_string(raw))
                .unwrap_or_else(|| format!("{:#x}", blkid_partition_get_type(raw))),
            name: text(blkid_partition_get_name(raw)),
            uuid: text(blkid_partition_get_uuid(raw)),
            flags: blkid_partition_get_flags(raw),
        })
    }
}

/// Copies a C string; null and empty ones are `None`.
///
/// # Safety
/// `raw` must be null or a terminated string.
unsafe fn text(raw: *const c_char) -> Option<String> {
    if raw.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller vouches for the rest.
    let text = CString::from(unsafe { CStr::from_ptr(raw) }).to_string_lossy().into_owned();
    (!text.is_empty()).then_some(text)
}

fn check(answer: c_int) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(last_error()) }
}

/// libblkid sets errno in most cases, and not in all.
fn last_error() -> io::Error {
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(0) { io::Error::other("libblkid cannot read the device") } else { error }
}

//! Device nodes: waiting for them, making them where neither udev nor devtmpfs does, flushing them.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::error::{Context, Error, Result, Stage};
use crate::ffi::{blkid, blkpg};
use crate::retry::retry;
use crate::units::Bytes;

/// How long another program may look at a partition before it counts as in use: udev, udisks and
/// other probers open every partition that appears, read its signatures and close it again.
pub(super) const PROBERS: Duration = Duration::from_secs(3);

/// How long a node may take to appear. udev needs milliseconds; a busy machine, seconds.
pub const NODE_TIMEOUT: Duration = Duration::from_secs(30);

/// devtmpfs makes a node before the ioctl returns, so a node that is missing this long
/// after is one that will not appear.
const GRACE: Duration = Duration::from_millis(500);

const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `path` is a block device that can be opened.
pub fn wait_for_node(path: impl AsRef<Path>, timeout: Duration) -> Result<()> {
    let path = path.as_ref();
    retry(timeout, PAUSE, |_| true, || openable(path)).map_err(|why| {
        let message = format!("waiting {} s for {}", timeout.as_secs_f32(), path.display());
        Error::failed(Stage::Storage, message)
            .because(why)
            .hint("look into the kernel's log for what became of the device")
    })
}

fn openable(path: &Path) -> io::Result<()> {
    if !fs::metadata(path)?.file_type().is_block_device() {
        return Err(io::Error::other("not a block device"));
    }
    File::open(path).map(|_| ())
}

/// Writes out and drops what the kernel has cached of a device. Before another program reads
/// the disk by another way (a virtual machine, the firmware), this is what makes them see it.
pub fn flush(device: impl AsRef<Path>) -> Result<()> {
    let device = device.as_ref();
    let flush = || {
        let file = open(device, true)?;
        file.sync_all()?;
        blkpg::flush_buffers(&file)
    };
    flush().doing(Stage::Storage, format_args!("flushing {}", device.display()))
}

/// The size and the logical sector size of a block device.
pub fn geometry(device: impl AsRef<Path>) -> Result<(Bytes, Bytes)> {
    let device = device.as_ref();
    let ask = || {
        let file = open(device, false)?;
        Ok::<_, io::Error>((blkpg::device_size(&file)?, blkpg::sector_size(&file)?))
    };
    ask().doing(Stage::Storage, format_args!("asking the size of {}", device.display()))
}

/// Wipes every signature that libblkid knows from a device or an image file: superblocks, and
/// partition tables with their backups. Only the magic numbers are overwritten, so file
/// systems inside partitions must be wiped first, one by one. Returns what was there.
pub fn wipe_signatures(device: impl AsRef<Path>) -> Result<Vec<String>> {
    let device = device.as_ref();
    let wipe = || blkid::wipe(&open_patiently(device)?);
    let wiped = wipe().doing(Stage::Storage, format_args!("wiping the signatures of {}", device.display()))?;
    Ok(wiped.into_iter().map(|found| found.kind).collect())
}

/// Makes sure that `disk` and its partitions are not in use. The kernel lets no process have a disk
/// for himself of which something is mounted, a swap area or part of a volume, in whatever mount
/// namespace that may be.
pub fn require_unused(disk: impl AsRef<Path>) -> Result<()> {
    let disk = disk.as_ref();
    let alone = || File::options().read(true).custom_flags(libc::O_EXCL).open(disk);
    match retry(PROBERS, PAUSE, is_busy, alone) {
        Err(error) if is_busy(&error) => {
            Err(Error::refused(Stage::Storage, format!("{} is in use by another process", disk.display()))
                .hint("unmount it, turn its swap off, stop its volumes, or close what has it open"))
        }
        other => other.map(drop).doing(Stage::Storage, format_args!("asking who uses {}", disk.display())),
    }
}

pub(super) fn is_busy(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EBUSY)
}

/// How long a node may be away that was there: udev reads a partition table again when a program
/// closes its disk, and the nodes of its partitions go and come back.
const AWAY: Duration = Duration::from_secs(5);

fn open_patiently(path: &Path) -> io::Result<File> {
    retry(AWAY, PAUSE, is_away, || open(path, true))
}

fn is_away(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENXIO)
}

pub(super) fn open(path: &Path, write: bool) -> io::Result<File> {
    File::options().read(true).write(write).open(path)
}

/// Where sysfs describes a block device; follows links under /dev/disk.
pub(super) fn sysfs_directory(device: &Path) -> Result<PathBuf> {
    let find = || {
        let meta = fs::metadata(device)?;
        if !meta.file_type().is_block_device() {
            return Err(io::Error::other("not a block device"));
        }
        let (major, minor) = numbers(meta.rdev());
        fs::canonicalize(format!("/sys/dev/block/{major}:{minor}"))
    };
    find().doing(Stage::Storage, format_args!("looking up {}", device.display()))
}

/// The node of a block device, by its directory in sysfs.
pub(super) fn node_of(sysfs: &Path) -> PathBuf {
    let name = sysfs.file_name().unwrap_or_default().to_string_lossy();
    // The kernel writes the slash of names such as cciss/c0d0 as an exclamation mark.
    Path::new("/dev").join(name.replace('!', "/"))
}

/// Makes sure that there is a node for the device that `sysfs` describes. devtmpfs makes
/// it; in a container's private /dev no daemon does, and then we do.
pub(super) fn ensure_node(sysfs: &Path) -> Result<PathBuf> {
    let node = node_of(sysfs);
    let make = || {
        let wanted = numbers_of(sysfs).ok_or_else(|| io::Error::other("no device number in sysfs"))?;
        let end = Instant::now() + GRACE;
        while Instant::now() < end {
            if has_numbers(&node, wanted) {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        make_node(&node, FileType::BlockDevice, wanted)
    };
    make().doing(Stage::Storage, format_args!("waiting for {}", node.display()))?;
    Ok(node)
}

/// The device number of the device that `sysfs` describes.
pub(super) fn numbers_of(sysfs: &Path) -> Option<(u32, u32)> {
    parse_numbers(fs::read_to_string(sysfs.join("dev")).ok()?.trim())
}

/// Removes the node of a device that is gone, where no daemon does: the kernel gives its
/// number to the next one.
pub(super) fn remove_stale_node(node: &Path, former: Option<(u32, u32)>) {
    if former.is_some_and(|numbers| has_numbers(node, numbers)) {
        // Another process removed it first, or it cannot be removed.
        let _ = fs::remove_file(node);
    }
}

/// Makes a device node, replacing a stale one with other numbers.
pub(super) fn make_node(node: &Path, kind: FileType, wanted: (u32, u32)) -> io::Result<()> {
    if fs::symlink_metadata(node).is_ok() {
        fs::remove_file(node)?;
    }
    match mknodat(CWD, node, kind, Mode::RUSR | Mode::WUSR, makedev(wanted.0, wanted.1)) {
        Err(rustix::io::Errno::EXIST) if has_numbers(node, wanted) => Ok(()),
        other => Ok(other?),
    }
}

fn has_numbers(node: &Path, wanted: (u32, u32)) -> bool {
    fs::metadata(node).is_ok_and(|meta| meta.file_type().is_block_device() && numbers(meta.rdev()) == wanted)
}

fn numbers(device: u64) -> (u32, u32) {
    (rustix::fs::major(device), rustix::fs::minor(device))
}

fn parse_numbers(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_comes_back_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(100));
                fs::write(&path, "").unwrap();
            });
            open_patiently(&path).unwrap();
        });
        assert!(!is_away(&io::Error::from_raw_os_error(libc::EBUSY)));
    }
}

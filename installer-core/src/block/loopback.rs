//! A file as a disk: for installing into an image, and for the tests.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use super::node::{flush, make_node, open};
use super::partitions::forget_partitions;
use crate::error::{Context, Error, Result, Stage};
use crate::ffi::loopdev;
use crate::machine::partition_path;
use crate::units::Bytes;

const LOOP_MAJOR: u32 = 7;
/// Major and minor number of /dev/loop-control.
const CONTROL: (u32, u32) = (10, 237);
const SECTOR: Bytes = Bytes(512);

/// An attached loop device. [`LoopDevice::detach`] reports what goes wrong; dropping it
/// detaches as well, and only logs.
#[derive(Debug)]
pub struct LoopDevice {
    path: PathBuf,
    backing: PathBuf,
    /// Open while attached, so that no other process's `losetup -d` frees the number under us.
    device: Option<File>,
}

impl LoopDevice {
    /// Creates a sparse file of `size` (an existing one is refused) and attaches it.
    pub fn create(file: impl AsRef<Path>, size: Bytes) -> Result<Self> {
        let file = file.as_ref();
        // A disk holds password hashes and keys: for its owner alone.
        let make = || File::options().write(true).create_new(true).mode(0o600).open(file)?.set_len(size.0);
        make().doing(Stage::Storage, format_args!("creating the disk image {}", file.display()))?;
        Self::attach(file)
    }

    /// Attaches an existing file, for reading and writing, with sectors of 512 bytes.
    pub fn attach(file: impl AsRef<Path>) -> Result<Self> {
        Self::attach_as(file.as_ref(), SECTOR, false)
    }

    fn attach_as(file: &Path, sector_size: Bytes, read_only: bool) -> Result<Self> {
        let attach = || {
            let backing = fs::canonicalize(file)?;
            let handle = open(&backing, !read_only)?;
            // Held by the kernel as long as it is attached: who finds the file left behind sees that.
            let _ = rustix::fs::flock(&handle, rustix::fs::FlockOperation::NonBlockingLockExclusive);
            let (path, device) = take_free(&handle, sector_size, read_only, &backing.to_string_lossy())?;
            Ok::<_, io::Error>(LoopDevice { path, backing, device: Some(device) })
        };
        let doing = format!("attaching {} to a loop device", file.display());
        let attached = attach().doing(Stage::Storage, doing)?;
        // A former user of the number may have left partitions behind.
        forget_partitions(&attached.path)?;
        Ok(attached)
    }

    /// The node, `/dev/loop3`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file behind it.
    pub fn backing_file(&self) -> &Path {
        &self.backing
    }

    /// The node of a partition, `/dev/loop3p1`; it appears by
    /// [`announce_partitions`](super::announce_partitions).
    pub fn partition(&self, number: u32) -> PathBuf {
        partition_path(&self.path, number)
    }

    /// Forgets the partitions, flushes everything into the file and detaches it. Fails when
    /// something on it is still in use.
    pub fn detach(mut self) -> Result<()> {
        self.release()
    }

    fn release(&mut self) -> Result<()> {
        let Some(device) = self.device.take() else { return Ok(()) };
        let forgotten = forget_partitions(&self.path);
        let flushed = flush(&self.path);
        // Even if something is in use: the kernel then detaches at the last close.
        let cleared = loopdev::clear(&device);
        drop(device);
        forgotten?;
        flushed?;
        cleared.doing(Stage::Storage, format_args!("detaching {}", self.path.display()))?;
        self.wait_until_free()?;
        File::open(&self.backing)
            .and_then(|file| file.sync_all())
            .doing(Stage::Storage, format_args!("syncing {}", self.backing.display()))
    }

    /// Detaching takes effect at the last close, and udev may hold it open for a moment.
    fn wait_until_free(&self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            match File::open(&self.path).and_then(|device| self.is_ours(&device)) {
                Ok(true) => std::thread::sleep(Duration::from_millis(20)),
                _ => return Ok(()),
            }
        }
        Err(Error::failed(Stage::Storage, format!("{} is still open, so it stays attached", self.path.display())))
    }

    /// Whether it still carries our file; another process may have taken the number since.
    fn is_ours(&self, device: &File) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let meta = fs::metadata(&self.backing)?;
        Ok(loopdev::backing_inode(device)?.is_some_and(|(_, inode)| inode == meta.ino()))
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            tracing::warn!("detaching {}: {error}", self.path.display());
        }
    }
}

/// Takes the next free loop device; others do the same at the same time, so it tries again
/// when one was faster.
fn take_free(backing: &File, sector_size: Bytes, read_only: bool, name: &str) -> io::Result<(PathBuf, File)> {
    let control = control()?;
    let mut last = None;
    for _ in 0..64 {
        let number = loopdev::free_number(&control)?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        if !path.exists() {
            make_node(&path, FileType::BlockDevice, (LOOP_MAJOR, number))?;
        }
        let device = open(&path, !read_only)?;
        match loopdev::configure(&device, backing, sector_size, read_only, name) {
            Ok(()) => return Ok((path, device)),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => last = Some(error),
            Err(error) => return Err(error),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::ResourceBusy.into()))
}

fn control() -> io::Result<File> {
    let path = Path::new("/dev/loop-control");
    if !path.exists() {
        make_node(path, FileType::CharacterDevice, CONTROL)?;
    }
    open(path, true)
}

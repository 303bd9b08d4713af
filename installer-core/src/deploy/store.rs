//! Objects written straight into a bare OSTree repository, without libostree.
//!
//! A content object's name is the SHA-256 of its metadata header and its content, so a file
//! is hashed and written in one pass. The repository is a new one on a new file system:
//! small objects are created under their final name at once, and a failed installation
//! leaves no ref that points at them.
//!
//! Not here: which files there are and what refers to them ([`crate::rootfs`]).

use std::collections::HashSet;
use std::ffi::CString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags};
use sha2::{Digest as _, Sha256};

use super::content::Staged;
use super::gvariant::{self, Checksum};
use crate::rootfs::Meta;
use crate::units::hex;

/// Files up to this size are read whole before they are written; larger ones are streamed
/// through a temporary file. Half a MiB still fits a core's L2 cache.
pub const SMALL: u64 = 512 * 1024;

const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const DIRECTORY: u32 = 0o040_000;

/// The object store of one repository.
pub struct Store {
    repo: PathBuf,
    objects: OwnedFd,
    tmp: OwnedFd,
    /// Objects written by this run. Sharded by the first byte, for several threads.
    claimed: Vec<Mutex<HashSet<Checksum>>>,
    serial: AtomicU64,
}

impl Store {
    /// Opens the object store of the repository at `repo`, making the 256 fan-out
    /// directories that libostree would make one by one.
    pub fn open(repo: &Path) -> io::Result<Self> {
        let objects = repo.join("objects");
        for first in 0..=255u8 {
            fs::create_dir_all(objects.join(hex(&[first])))?;
        }
        fs::create_dir_all(repo.join("tmp"))?;
        let open = |path: &Path| rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        Ok(Store {
            repo: repo.to_owned(),
            objects: open(&objects)?,
            tmp: open(&repo.join("tmp"))?,
            claimed: (0..256).map(|_| Mutex::new(HashSet::new())).collect(),
            serial: AtomicU64::new(0),
        })
    }

    /// The repository.
    pub fn path(&self) -> &Path {
        &self.repo
    }

    /// The repository's temporary directory.
    pub fn tmp_path(&self) -> PathBuf {
        self.repo.join("tmp")
    }

    /// Whether this run wrote the object.
    pub fn has(&self, sum: &Checksum) -> bool {
        match self.claimed[usize::from(sum[0])].lock() {
            Ok(set) => set.contains(sum),
            Err(poisoned) => poisoned.into_inner().contains(sum),
        }
    }

    /// Whether the caller is the first to come with this object, and so the one to write it.
    fn claim(&self, sum: &Checksum) -> bool {
        match self.claimed[usize::from(sum[0])].lock() {
            Ok(mut set) => set.insert(*sum),
            Err(poisoned) => poisoned.into_inner().insert(*sum),
        }
    }

    fn temporary(&self, what: &str) -> String {
        format!("bootc-ks-{what}-{}", self.serial.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes a regular file whose content is in memory.
    pub fn write_small(&self, meta: &Meta, content: &[u8]) -> io::Result<Checksum> {
        let mut hash = Sha256::new();
        hash.update(gvariant::content_header(meta.uid, meta.gid, REGULAR | meta.mode, b"", &meta.xattrs));
        hash.update(content);
        let sum: Checksum = hash.finalize().into();
        if self.claim(&sum) {
            let file = self.create(self.objects.as_fd(), &object_name(&sum, "file"))?;
            write_all(&file, content)?;
            seal(&file, meta)?;
        }
        Ok(sum)
    }

    /// Writes a regular file of `size` bytes that is read from `reader`.
    pub fn write_stream(&self, meta: &Meta, size: u64, reader: &mut dyn Read) -> io::Result<Checksum> {
        let name = self.temporary("large");
        let file = self.create(self.tmp.as_fd(), &name)?;
        let mut hash = Sha256::new();
        hash.update(gvariant::content_header(meta.uid, meta.gid, REGULAR | meta.mode, b"", &meta.xattrs));
        copy_exactly(size, reader, |chunk| {
            hash.update(chunk);
            write_all(&file, chunk)
        })?;
        let sum: Checksum = hash.finalize().into();
        seal(&file, meta)?;
        self.place(&name, &sum)?;
        Ok(sum)
    }

    /// Moves a finished temporary file to its object's name.
    fn place(&self, temporary: &str, sum: &Checksum) -> io::Result<()> {
        if self.claim(sum) {
            rustix::fs::renameat(&self.tmp, temporary, &self.objects, object_name(sum, "file").as_str())?;
        } else {
            rustix::fs::unlinkat(&self.tmp, temporary, AtFlags::empty())?;
        }
        Ok(())
    }

    /// Writes a symbolic link.
    pub fn write_symlink(&self, meta: &Meta, target: &[u8]) -> io::Result<Checksum> {
        let header = gvariant::content_header(meta.uid, meta.gid, SYMLINK | 0o777, target, &meta.xattrs);
        let sum: Checksum = Sha256::digest(header).into();
        if self.claim(&sum) {
            let name = object_name(&sum, "file");
            let target = CString::new(target)?;
            rustix::fs::symlinkat(&target, &self.objects, name.as_str())?;
            let (uid, gid) = owner(meta);
            rustix::fs::chownat(&self.objects, name.as_str(), Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
            let path = self.repo.join("objects").join(&name);
            for (key, value) in &meta.xattrs {
                rustix::fs::lsetxattr(&path, CString::new(key.as_slice())?, value, XattrFlags::empty())?;
            }
        }
        Ok(sum)
    }

    /// Writes the dirmeta object of a directory.
    pub fn write_dirmeta(&self, meta: &Meta) -> io::Result<Checksum> {
        self.write_metadata("dirmeta", &gvariant::dirmeta(meta.uid, meta.gid, DIRECTORY | meta.mode, &meta.xattrs))
    }

    /// Writes a metadata object (`dirtree`, `dirmeta`, `commit`) that is already serialised.
    pub fn write_metadata(&self, kind: &str, bytes: &[u8]) -> io::Result<Checksum> {
        let sum: Checksum = Sha256::digest(bytes).into();
        if self.claim(&sum) {
            let file = self.create(self.objects.as_fd(), &object_name(&sum, kind))?;
            write_all(&file, bytes)?;
            rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
        }
        Ok(sum)
    }

    /// Writes the detached metadata of `commit`, as it is.
    pub fn write_commitmeta(&self, commit: &Checksum, bytes: &[u8]) -> io::Result<()> {
        let file = self.create(self.objects.as_fd(), &object_name(commit, "commitmeta"))?;
        write_all(&file, bytes)?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
        Ok(())
    }

    /// Sets a file of `size` bytes down until its label, and with it its checksum, is known.
    pub fn stage(&self, size: u64, reader: &mut dyn Read) -> io::Result<Staged> {
        let name = self.temporary("staged");
        let file = self.create(self.tmp.as_fd(), &name)?;
        copy_exactly(size, reader, |chunk| write_all(&file, chunk))?;
        Ok(Staged { path: self.tmp_path().join(name), size })
    }

    /// Makes an object of a staged file. The last user may give the file itself away
    /// (`last`); others leave it for the next and copy.
    pub fn write_staged(&self, meta: &Meta, staged: &Staged, last: bool) -> io::Result<Checksum> {
        let mut source = fs::File::open(&staged.path)?;
        if !last || staged.size <= SMALL {
            let sum = if staged.size <= SMALL {
                let mut content = Vec::with_capacity(staged.size as usize);
                source.read_to_end(&mut content)?;
                self.write_small(meta, &content)?
            } else {
                self.write_stream(meta, staged.size, &mut source)?
            };
            if last {
                fs::remove_file(&staged.path)?;
            }
            return Ok(sum);
        }
        let mut hash = Sha256::new();
        hash.update(gvariant::content_header(meta.uid, meta.gid, REGULAR | meta.mode, b"", &meta.xattrs));
        copy_exactly(staged.size, &mut source, |chunk| {
            hash.update(chunk);
            Ok(())
        })?;
        let sum: Checksum = hash.finalize().into();
        seal(source.as_fd(), meta)?;
        let name = staged.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.place(name, &sum)?;
        Ok(sum)
    }

    fn create(&self, dir: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600))?)
    }
}

/// `ab/cdef….kind`.
fn object_name(sum: &Checksum, kind: &str) -> String {
    let digits = hex(sum);
    format!("{}/{}.{kind}", &digits[..2], &digits[2..])
}

/// The path of an object below a repository.
pub fn object_path(repo: &Path, sum: &Checksum, kind: &str) -> PathBuf {
    repo.join("objects").join(object_name(sum, kind))
}

fn owner(meta: &Meta) -> (Uid, Gid) {
    (Uid::from_raw(meta.uid), Gid::from_raw(meta.gid))
}

/// Owner, then mode (chown clears setuid), then attributes, then libostree's mtime of 0.
fn seal(file: impl AsFd, meta: &Meta) -> io::Result<()> {
    let file = file.as_fd();
    let (uid, gid) = owner(meta);
    rustix::fs::fchown(file, Some(uid), Some(gid))?;
    rustix::fs::fchmod(file, Mode::from_raw_mode(meta.mode))?;
    for (key, value) in &meta.xattrs {
        rustix::fs::fsetxattr(file, CString::new(key.as_slice())?, value, XattrFlags::empty())?;
    }
    let epoch = Timespec { tv_sec: 0, tv_nsec: 0 };
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    rustix::fs::futimens(file, &Timestamps { last_access: omit, last_modification: epoch })?;
    Ok(())
}

fn write_all(file: impl AsFd, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        match rustix::io::write(&file, data) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => data = &data[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads `size` bytes in chunks of [`SMALL`]; a reader that ends before is an error.
fn copy_exactly(size: u64, reader: &mut dyn Read, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; SMALL.min(size) as usize];
    let mut left = size;
    while left > 0 {
        let want = left.min(buffer.len() as u64) as usize;
        reader.read_exact(&mut buffer[..want])?;
        take(&buffer[..want])?;
        left -= want as u64;
    }
    Ok(())
}

/// Starts the write-back of everything dirty on the file system of `path`, and waits for it.
pub fn sync_filesystem(path: &Path) -> io::Result<()> {
    let dir = rustix::fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::syncfs(dir)?;
    Ok(())
}

/// Writes `text` to a new file `path`, with its parents.
pub fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::File::create(path)?.write_all(text.as_bytes())
}

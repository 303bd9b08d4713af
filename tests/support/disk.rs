//! Disks in files: sparse images, loop devices that go away, and fingerprints
//! that tell whether an installer has touched a disk.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::{need, need_root, output, run};

/// One mebibyte: where partition tables and their backups live.
pub const MIB: u64 = 1 << 20;

/// Makes a file of `size` bytes that takes no space yet.
pub fn sparse_file(path: &Path, size: u64) {
    let file = File::create(path).unwrap_or_else(|error| panic!("creating {}: {error}", path.display()));
    file.set_len(size).unwrap_or_else(|error| panic!("sizing {}: {error}", path.display()));
}

/// The beginning and the last MiB of a disk, hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Size of the file or device.
    pub size: u64,
    /// SHA-256 of the first 8 MiB, in hex: the table, and the superblock of the first partition.
    pub first: String,
    /// SHA-256 of the last MiB, in hex.
    pub last: String,
}

/// Reads up to `length` bytes of a file or device, from `offset`.
fn read_at(path: &Path, offset: u64, length: u64) -> Vec<u8> {
    let mut file = File::open(path).unwrap_or_else(|error| panic!("opening {}: {error}", path.display()));
    file.seek(SeekFrom::Start(offset)).expect("seeking in a disk");
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).expect("reading a disk");
    bytes
}

/// Size of a file or block device (whose metadata says zero).
pub fn size_of(path: &Path) -> u64 {
    let mut file = File::open(path).unwrap_or_else(|error| panic!("opening {}: {error}", path.display()));
    file.seek(SeekFrom::End(0)).expect("seeking to a disk's end")
}

/// What [`Fingerprint`] says of this disk now. Equal before and after: untouched.
pub fn fingerprint(path: &Path) -> Fingerprint {
    let size = size_of(path);
    Fingerprint {
        size,
        first: sha256_hex(&read_at(path, 0, 8 * MIB)),
        last: sha256_hex(&read_at(path, size.saturating_sub(MIB), MIB)),
    }
}

/// SHA-256 of a whole file, in hex.
pub fn file_sha256(path: &Path) -> String {
    let mut file = File::open(path).unwrap_or_else(|error| panic!("opening {}: {error}", path.display()));
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; MIB as usize]);
    loop {
        let n = file.read(&mut buffer).expect("reading a file");
        if n == 0 {
            return hex(&hasher.finalize());
        }
        hasher.update(&buffer[..n]);
    }
}

/// SHA-256 in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string");
        text
    })
}

/// A loop device over an image file; detached when dropped.
#[derive(Debug)]
pub struct LoopDevice {
    path: PathBuf,
}

impl LoopDevice {
    /// Attaches `image` and shows its partitions, if it has any.
    pub fn attach(image: &Path) -> Self {
        need_root();
        let losetup = need("losetup", "mount");
        let path = run(Command::new(losetup).args(["--find", "--show", "--partscan"]).arg(image));
        let device = Self { path: PathBuf::from(path.trim_end()) };
        device.show_partitions();
        device
    }

    /// `/dev/loopN`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `/dev/loopNpM`.
    pub fn partition(&self, number: u32) -> PathBuf {
        PathBuf::from(format!("{}p{number}", self.path.display()))
    }

    /// Tells the kernel of the partitions, for kernels that cannot read a table
    /// themselves. An empty disk or known partitions are no failure.
    pub fn show_partitions(&self) {
        output(Command::new(need("partx", "util-linux")).arg("--add").arg(&self.path));
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // Flushed, or a machine started from the file may find old blocks.
        output(Command::new(need("blockdev", "util-linux")).arg("--flushbufs").arg(&self.path));
        output(Command::new(need("partx", "util-linux")).arg("--delete").arg(&self.path));
        let detached = output(Command::new(need("losetup", "mount")).arg("--detach").arg(&self.path));
        if !detached.status.success() {
            eprintln!("detaching {}: {}", self.path.display(), String::from_utf8_lossy(&detached.stderr));
        }
    }
}

//! Archives that the Linux kernel unpacks into its initial root: cpio in the "newc" form.
//! Small, written in memory, the same bytes for the same files; and read back, to tell what is in
//! one. Not a general cpio: files, directories and links of root, nothing else.

use std::collections::BTreeSet;

use crate::{Error, Result, Stage};

const MAGIC: &[u8] = b"070701";
/// The same with checksums, which nothing here looks at.
const MAGIC_OF_CRC: &[u8] = b"070702";
/// The length of a header's magic.
pub(super) const MAGIC_SIZE: usize = 6;
/// The length of a header.
pub(super) const HEADER: usize = 110;
/// The name that ends an archive.
pub(super) const TRAILER: &str = "TRAILER!!!";
const DIRECTORY: u32 = 0o040_755;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_777;
/// Longer names do not occur, and a damaged header must not make us believe in one.
const MAX_NAME: usize = 4096;

/// What has to lie between `length` bytes and an archive behind them: one that is not compressed
/// begins at a multiple of 4.
pub fn padding(length: u64) -> &'static [u8] {
    let missing = usize::try_from(length.next_multiple_of(4) - length).unwrap_or(0);
    &[0; 4][..missing]
}

/// Whether an archive begins like this.
pub(super) fn is_newc(magic: &[u8]) -> bool {
    magic.starts_with(MAGIC) || magic.starts_with(MAGIC_OF_CRC)
}

/// What comes before a name and its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Type and permissions.
    pub mode: u32,
    /// The length of the content.
    pub size: u32,
    /// The length of the name with the NUL behind it; never 0.
    pub name_size: usize,
}

impl Header {
    /// Reads one; `None` where it is damaged.
    pub fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let field = |n: usize| {
            let digits = bytes.get(MAGIC_SIZE + n * 8..MAGIC_SIZE + (n + 1) * 8)?;
            u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        };
        let header = Header { mode: field(1)?, size: field(6)?, name_size: field(11)? as usize };
        (is_newc(bytes) && (1..=MAX_NAME).contains(&header.name_size)).then_some(header)
    }
}

/// An archive under construction.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    directories: BTreeSet<String>,
    inode: u32,
}

impl Writer {
    /// An empty one.
    pub fn new() -> Self {
        Writer::default()
    }

    /// Adds a file, and the directories above it that are not there yet: the kernel makes none
    /// by itself. `path` has no leading slash, `mode` is the permissions.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        for (at, _) in path.match_indices('/') {
            let parent = &path[..at];
            if self.directories.insert(parent.to_owned()) {
                self.entry(parent, DIRECTORY, 2, &[])?;
            }
        }
        self.entry(path, REGULAR | mode, 1, content)
    }

    /// Adds a symbolic link in the root.
    pub fn link(&mut self, path: &str, target: &str) -> Result<()> {
        self.entry(path, SYMLINK, 1, target.as_bytes())
    }

    fn entry(&mut self, path: &str, mode: u32, links: u32, content: &[u8]) -> Result<()> {
        let size = u32::try_from(content.len()).map_err(|_| {
            Error::input(Stage::Media, format!("{path} is larger than 4 GiB, which an initramfs cannot hold"))
        })?;
        self.inode += 1;
        self.header(self.inode, mode, links, size, path);
        self.bytes.extend_from_slice(content);
        self.pad();
        Ok(())
    }

    fn header(&mut self, inode: u32, mode: u32, links: u32, size: u32, name: &str) {
        self.bytes.extend_from_slice(MAGIC);
        let name_size = name.len() as u32 + 1;
        // Inode, mode, owner, group, links, time, size, four device numbers, name, checksum.
        for field in [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0] {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The archive with its end mark; its length is a multiple of 4.
    pub fn finish(mut self) -> Vec<u8> {
        self.header(0, 0, 1, 0, TRAILER);
        self.bytes
    }
}

/// A file or directory of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its path, without a leading slash.
    pub path: &'a str,
    /// Type and permissions.
    pub mode: u32,
    /// What is in it.
    pub content: &'a [u8],
}

impl Entry<'_> {
    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        self.mode & 0o170_000 == REGULAR
    }
}

/// The entries of the archive at the beginning of `bytes`, up to its end mark.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry<'_>>> {
    let damaged = |at: usize| Error::input(Stage::Media, format!("the cpio archive is damaged at byte {at}"));
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        let (entry, next) = one(bytes, at).ok_or_else(|| damaged(at))?;
        if entry.path == TRAILER {
            return Ok(entries);
        }
        entries.push(entry);
        at = next;
    }
}

fn one(bytes: &[u8], at: usize) -> Option<(Entry<'_>, usize)> {
    let header = bytes.get(at..at.checked_add(HEADER)?)?;
    let Header { mode, size, name_size } = Header::parse(header.try_into().ok()?)?;
    let size = size as usize;
    let name = at + HEADER;
    let path = std::str::from_utf8(bytes.get(name..name + name_size - 1)?).ok()?;
    let content = (name + name_size).next_multiple_of(4);
    let end = content.checked_add(size)?;
    let entry = Entry { path, mode, content: bytes.get(content..end).or((size == 0).then_some(&[]))? };
    Some((entry, end.next_multiple_of(4)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn archive() -> Vec<u8> {
        let mut writer = Writer::new();
        writer.file("ks.cfg", 0o600, b"text\n").unwrap();
        writer.file("etc/bootc-ks/certs/a.pem", 0o644, b"").unwrap();
        writer.file("etc/bootc-ks/certs/b.pem", 0o644, b"1234").unwrap();
        writer.finish()
    }

    #[test]
    fn parents_come_first_and_once() {
        let bytes = archive();
        assert_eq!((bytes.len() % 4, &bytes), (0, &archive()));
        let entries = read(&bytes).unwrap();
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path).collect();
        let certs = "etc/bootc-ks/certs";
        let expected = ["ks.cfg", "etc", "etc/bootc-ks", certs, &format!("{certs}/a.pem"), &format!("{certs}/b.pem")];
        assert_eq!(paths, expected);
        assert_eq!(entries[0], Entry { path: "ks.cfg", mode: 0o100_600, content: b"text\n" });
        assert!(entries[0].is_file() && !entries[1].is_file());
        assert_eq!(entries[5].content, b"1234");
    }

    #[test]
    fn gnu_cpio_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut cpio = Command::new("cpio")
            .args(["-i", "--quiet"])
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .spawn()
            .expect("`cpio` is missing: apt-get install cpio (or run tools/setup)");
        cpio.stdin.take().unwrap().write_all(&archive()).unwrap();
        assert!(cpio.wait().unwrap().success());
        assert_eq!(std::fs::read(dir.path().join("ks.cfg")).unwrap(), b"text\n");
        assert_eq!(std::fs::read(dir.path().join("etc/bootc-ks/certs/b.pem")).unwrap(), b"1234");
    }

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        let whole = archive();
        for length in 0..whole.len() - 4 {
            assert!(read(&whole[..length]).is_err(), "cut to {length}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] = 0xff;
            // Content may change; what must not happen is a panic.
            let _ = read(&bytes);
        }
        assert!(read(b"").unwrap_err().to_string().contains("at byte 0"));
    }
}

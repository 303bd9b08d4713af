//! What becomes of an image's contents when it is imported: each is hashed and written once.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::content::Content;
use super::gvariant::Checksum;
use super::store::{SMALL, Store};
use crate::rootfs::Meta;
use crate::rootfs::layer::Keep;
use crate::rootfs::objects::Objects;
use crate::rootfs::rules::Path;

/// What becomes of files while they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They become objects at once.
    Direct,
    /// They are set down until the SELinux policy, which is in some layer, is known.
    Staged,
}

/// Writes the contents of one layer.
pub struct Writer<'a> {
    store: &'a Store,
    mode: Mode,
    entries: &'a AtomicU64,
    buffer: Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Writes into `store`, and counts `entries`.
    pub fn new(store: &'a Store, mode: Mode, entries: &'a AtomicU64) -> Self {
        Writer { store, mode, entries, buffer: Vec::with_capacity(SMALL as usize) }
    }

    fn write(&mut self, meta: &Meta, size: u64, content: &mut dyn Read) -> io::Result<Checksum> {
        if size > SMALL {
            return self.store.write_stream(meta, size, content);
        }
        self.buffer.clear();
        content.read_to_end(&mut self.buffer)?;
        if self.buffer.len() as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.store.write_small(meta, &self.buffer)
    }
}

impl Keep for Writer<'_> {
    type Content = Content;

    fn entry(&mut self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    fn regular(&mut self, _: &Path, meta: &Meta, size: u64, content: &mut dyn Read) -> io::Result<Content> {
        Ok(match self.mode {
            Mode::Staged => Content::Staged(Arc::new(self.store.stage(size, content)?)),
            Mode::Direct => Content::Object(self.write(meta, size, content)?),
        })
    }

    fn symlink(&mut self, meta: &Meta, target: &[u8]) -> io::Result<Content> {
        Ok(match self.mode {
            Mode::Staged => Content::Symlink(target.to_vec()),
            Mode::Direct => Content::Object(self.store.write_symlink(meta, target)?),
        })
    }

    fn object(&mut self, sum: &Checksum) -> Content {
        Content::Object(*sum)
    }

    fn linked(&mut self, _: &Path, _: &Content) {}
}

impl Objects for Writer<'_> {
    fn entry(&mut self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    fn metadata(&mut self, kind: &str, data: &[u8]) -> io::Result<Checksum> {
        self.store.write_metadata(kind, data)
    }

    fn commitmeta(&mut self, commit: &Checksum, data: &[u8]) -> io::Result<()> {
        self.store.write_commitmeta(commit, data)
    }

    fn regular(&mut self, _: &Checksum, meta: &Meta, size: u64, content: &mut dyn Read) -> io::Result<Checksum> {
        self.write(meta, size, content)
    }

    fn symlink(&mut self, meta: &Meta, target: &[u8]) -> io::Result<Checksum> {
        self.store.write_symlink(meta, target)
    }

    fn named(&mut self, _: &Path, _: &Checksum) {}
}

//! Compressed layers that `resolve` has read, kept for the import that follows, so that they are
//! downloaded once. In memory or in files without names: whatever happens, nothing is left behind.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use rustix::fs::{MemfdFlags, memfd_create};

use super::access::{Access, CacheIn};
use super::layout::Window;

/// The layers of one image that are at hand.
pub(super) struct LayerCache {
    place: CacheIn,
    state: Mutex<State>,
}

struct State {
    /// Bytes that may still be kept.
    left: u64,
    files: HashMap<usize, (Arc<File>, u64)>,
    /// Why something that there was room for is not here.
    trouble: Option<String>,
}

impl LayerCache {
    /// As `access` allows.
    pub fn new(access: &Access) -> Self {
        let state = State { left: access.cache_limit.0, files: HashMap::new(), trouble: None };
        LayerCache { place: access.cache_in.clone(), state: Mutex::new(state) }
    }

    /// Nothing is kept: the image is on disk anyway.
    pub fn nothing() -> Self {
        LayerCache {
            place: CacheIn::Nowhere,
            state: Mutex::new(State { left: 0, files: HashMap::new(), trouble: None }),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether each of `count` layers is here.
    pub fn has_all(&self, count: usize) -> bool {
        let state = self.state();
        (0..count).all(|index| state.files.contains_key(&index))
    }

    /// Why not all is here, if it is not for the room.
    pub fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Hands a layer out, once: its space is free again when the reader is dropped.
    pub fn take(&self, index: usize) -> Option<Window> {
        self.state().files.remove(&index).map(|(file, size)| Window::new(file, 0, size))
    }

    /// Lets a layer be read without giving it away.
    pub fn peek(&self, index: usize) -> Option<Window> {
        self.state().files.get(&index).map(|(file, size)| Window::new(file.clone(), 0, *size))
    }

    /// Passes `inner`, a layer of `size` bytes that verifies itself, through and keeps it where
    /// there is room. Trouble with keeping never is the reader's trouble.
    pub fn tee<R: Read>(&self, index: usize, size: u64, inner: R) -> Tee<'_, R> {
        let mut file = None;
        let mut state = self.state();
        if size <= state.left && !state.files.contains_key(&index) {
            match self.file() {
                Ok(made) => file = made,
                Err(error) => state.trouble = Some(error.to_string()),
            }
            state.left -= if file.is_some() { size } else { 0 };
        }
        drop(state);
        Tee { inner, keep: self, index, size, file }
    }

    fn file(&self) -> io::Result<Option<File>> {
        Ok(match &self.place {
            CacheIn::Nowhere => None,
            CacheIn::Memory => Some(File::from(memfd_create("bootc-ks-layer", MemfdFlags::CLOEXEC)?)),
            CacheIn::Directory(dir) => Some(tempfile::tempfile_in(dir)?),
        })
    }
}

pub(super) struct Tee<'a, R> {
    inner: R,
    keep: &'a LayerCache,
    index: usize,
    size: u64,
    file: Option<File>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(mut file) = self.file.take() {
            if count > 0 {
                // Out of space, say: then it is not kept.
                match file.write_all(&buffer[..count]) {
                    Ok(()) => self.file = Some(file),
                    Err(error) => self.keep.state().trouble = Some(error.to_string()),
                }
            } else if !buffer.is_empty() {
                self.keep.state().files.insert(self.index, (Arc::new(file), self.size));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn what_fits_is_kept_and_handed_out_once() {
        let dir = tempfile::tempdir().unwrap();
        let access =
            Access { cache_in: CacheIn::Directory(dir.path().into()), cache_limit: Bytes(10), ..Access::default() };
        let keep = LayerCache::new(&access);
        let pass = |keep: &LayerCache, index, data: &[u8]| {
            let mut out = Vec::new();
            keep.tee(index, data.len() as u64, data).read_to_end(&mut out).unwrap();
            assert_eq!(out, data);
        };
        pass(&keep, 0, b"1234567");
        pass(&keep, 1, b"too much");
        pass(&keep, 2, b"123");
        assert!(keep.peek(0).is_some() && keep.peek(1).is_none());
        assert_eq!([0, 1, 2, 3].map(|count| keep.has_all(count)), [true, true, false, false]);
        let read = |index| {
            let mut text = String::new();
            keep.take(index)?.read_to_string(&mut text).unwrap();
            Some(text)
        };
        assert_eq!([read(0), read(1), read(2), read(0)], [Some("1234567".into()), None, Some("123".into()), None]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        // A stream that is not read to its verified end is not kept.
        let keep = LayerCache::new(&access);
        keep.tee(0, 3, &b"abc"[..]).read_exact(&mut [0; 3]).unwrap();
        assert!(keep.take(0).is_none());
        pass(&LayerCache::nothing(), 0, b"x");
    }

    #[test]
    fn memory_will_do() {
        let access = Access { cache_in: CacheIn::Memory, cache_limit: Bytes(10), ..Access::default() };
        let keep = LayerCache::new(&access);
        keep.tee(0, 3, &b"abc"[..]).read_to_end(&mut Vec::new()).unwrap();
        let mut text = String::new();
        keep.take(0).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
    }
}

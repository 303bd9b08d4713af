//! Images on disk: an OCI layout directory, or a tar file of one. The tar file is indexed once
//! and then read in place; nothing is unpacked.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::bounded::open_regular;
use crate::error::{Error, Result, Stage};
use crate::units::Digest;

use super::blobs::{Blobs, document};
use super::cpu::Cpu;
use super::manifest::{self, Descriptor, Document, Index, MAX_DOCUMENT};
use super::reference::{ImageReference, Place};
use super::verify::read_error;

/// An opened layout.
pub(super) enum Layout {
    Directory(PathBuf),
    Archive { path: PathBuf, file: Arc<File>, entries: HashMap<String, Range> },
}

/// Where an entry's content lies in the archive.
#[derive(Clone, Copy)]
pub(super) struct Range {
    start: u64,
    size: u64,
}

impl Layout {
    pub fn open(reference: &ImageReference, path: &Path) -> Result<Self> {
        let missing = |error: io::Error| {
            Error::world(Stage::Resolve, format!("opening {}", path.display()))
                .because(error)
                .hint("oci: takes the path of a layout directory, oci-archive: that of a tar file")
        };
        let metadata = std::fs::metadata(path).map_err(missing)?;
        let wrong = |is: &str, write: &str| {
            Err(Error::input(Stage::Resolve, format!("{} is a {is}", path.display()))
                .hint(format!("write {write}:{}", path.display())))
        };
        match (reference.place(), metadata.is_dir()) {
            (Place::Archive(_), true) => wrong("directory", "oci"),
            (Place::Archive(_), false) => {
                let file = open_regular(path).map_err(missing)?;
                let entries = index(&file).map_err(|error| {
                    Error::world(Stage::Resolve, format!("reading {} as a tar file", path.display()))
                        .because(error)
                        .hint("an OCI archive is an uncompressed tar file, as written by skopeo copy … oci-archive:FILE:TAG")
                })?;
                Ok(Layout::Archive { path: path.into(), file: Arc::new(file), entries })
            }
            (_, false) => wrong("file", "oci-archive"),
            (_, true) => Ok(Layout::Directory(path.into())),
        }
    }

    /// A file of the layout and its size. `name` is ours, never the image's.
    fn file(&self, name: &str) -> io::Result<(Box<dyn Read + Send>, u64)> {
        match self {
            Layout::Directory(path) => {
                let file = open_regular(&path.join(name))?;
                let size = file.metadata()?.len();
                Ok((Box::new(file), size))
            }
            Layout::Archive { file, entries, .. } => {
                let range = entries.get(name).ok_or(ErrorKind::NotFound)?;
                let reader = Window::new(file.clone(), range.start, range.size);
                Ok((Box::new(reader), range.size))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Layout::Directory(path) | Layout::Archive { path, .. } => path,
        }
    }

    /// The document that the reference means: the tagged one, the pinned one or the only one.
    pub fn select(&self, reference: &ImageReference, cpu: Cpu<'_>) -> Result<Vec<u8>> {
        if let Some(digest) = reference.digest() {
            let (_, size) = self.file(&blob_name(digest)).map_err(|error| self.no_blob(digest, error))?;
            let entry = Descriptor {
                media_type: String::new(),
                digest: digest.to_string(),
                size,
                platform: None,
                annotations: None,
            };
            return document(self, &entry);
        }
        let index = self.index()?;
        let entries = self.tagged(index, reference.tag())?;
        let only = Index { manifests: entries };
        let entry = match &only.manifests[..] {
            [entry] => entry,
            _ => only.select(cpu)?,
        };
        document(self, entry)
    }

    fn index(&self) -> Result<Index> {
        let not_a_layout = |error: io::Error| {
            let error =
                Error::world(Stage::Resolve, format!("reading index.json of {}", self.path().display())).because(error);
            error.hint("this is not an OCI layout; skopeo copy … oci:PATH:TAG writes one")
        };
        let (reader, size) = self.file("index.json").map_err(not_a_layout)?;
        if size > MAX_DOCUMENT {
            return Err(Error::world(Stage::Resolve, "index.json is larger than any real one"));
        }
        let mut raw = Vec::new();
        reader.take(MAX_DOCUMENT).read_to_end(&mut raw).map_err(not_a_layout)?;
        match manifest::parse(&raw)? {
            Document::Index(index) => Ok(index),
            Document::Manifest(_) => Err(Error::world(Stage::Resolve, "index.json is a manifest, not an index")),
        }
    }

    fn tagged(&self, index: Index, tag: Option<&str>) -> Result<Vec<Descriptor>> {
        let names = |entries: &[Descriptor]| {
            let mut names: Vec<String> = entries.iter().filter_map(|entry| entry.name().map(str::to_owned)).collect();
            names.sort();
            names.dedup();
            names
        };
        let all = names(&index.manifests);
        let Some(tag) = tag else {
            if all.len() > 1 {
                return Err(Error::input(Stage::Resolve, format!("there are several images: {}", all.join(", ")))
                    .hint("append the one that is meant, as in oci:PATH:TAG"));
            }
            return Ok(index.manifests);
        };
        // Some tools write the whole name (`host/name:tag`) where others write the tag alone.
        let meant = |entry: &Descriptor| {
            entry
                .name()
                .is_some_and(|name| name == tag || name.strip_suffix(tag).is_some_and(|rest| rest.ends_with(':')))
        };
        let entries: Vec<Descriptor> = index.manifests.into_iter().filter(meant).collect();
        if entries.is_empty() {
            let there = if all.is_empty() {
                "its images have no names".to_owned()
            } else {
                format!("there is {}", all.join(", "))
            };
            return Err(Error::world(Stage::Resolve, format!("there is no image named '{tag}': {there}")));
        }
        Ok(entries)
    }

    fn no_blob(&self, digest: &Digest, error: io::Error) -> Error {
        if error.kind() == ErrorKind::NotFound {
            return Error::world(Stage::Resolve, format!("{} lacks {digest}", self.path().display()))
                .hint("the copy is not complete: make it again");
        }
        read_error(Stage::Resolve, format!("opening {digest} in {}", self.path().display()), error)
    }
}

impl Blobs for Layout {
    fn blob(&self, digest: &Digest, _size: u64) -> Result<Box<dyn Read + Send>> {
        let (reader, _) = self.file(&blob_name(digest)).map_err(|error| self.no_blob(digest, error))?;
        Ok(reader)
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// More entries no layout has, nor longer headers: the reader of tar files keeps both.
const MAX_FILES: usize = 10_000;
const MAX_HEADER: u64 = 1 << 20;

/// Refuses an archive whose own description would fill the memory.
fn check_headers(mut file: &File) -> io::Result<()> {
    let too_large = |what: &str| Err(io::Error::new(ErrorKind::InvalidData, format!("{what}, which no layout has")));
    for (count, entry) in tar::Archive::new(io::BufReader::new(file)).entries_with_seek()?.raw(true).enumerate() {
        let entry = entry?;
        if count >= MAX_FILES {
            return too_large(&format!("it has more than {MAX_FILES} entries"));
        }
        let kind = entry.header().entry_type();
        let describes = kind.is_gnu_longname()
            || kind.is_gnu_longlink()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions();
        if describes && entry.size() > MAX_HEADER {
            return too_large(&format!("it has a header of {} bytes", entry.size()));
        }
    }
    file.rewind()
}

/// Where everything is in the archive. Only plain names count: `./a/b`, `a/b`.
fn index(file: &File) -> io::Result<HashMap<String, Range>> {
    check_headers(file)?;
    let mut archive = tar::Archive::new(io::BufReader::new(file));
    let mut entries = HashMap::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?;
        let parts = path.components().filter(|part| *part != Component::CurDir);
        let name: Option<Vec<&str>> =
            parts.map(|part| if let Component::Normal(name) = part { name.to_str() } else { None }).collect();
        if let Some(name) = name {
            entries.insert(name.join("/"), Range { start: entry.raw_file_position(), size: entry.size() });
        }
    }
    if entries.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidData, "no files in it"));
    }
    Ok(entries)
}

/// A part of a file, read without moving the position that all readers share.
pub(super) struct Window {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Window {
    pub fn new(file: Arc<File>, start: u64, size: u64) -> Self {
        Window { file, at: start, end: start.saturating_add(size) }
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..wanted], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

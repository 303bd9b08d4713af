//! The base tree out of the objects that the layers brought.
//!
//! Only objects that this import has verified are read, so a tree that names anything else
//! is incomplete, and is found out here and not at the first boot.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use super::variant;
use crate::deploy::gvariant::Checksum;
use crate::deploy::store::object_path;
use crate::deploy::tree::{Content, Dir, File, Meta, Node};
use crate::units::hex;

/// No real system is deeper, and every directory takes some stack.
const MAX_DEPTH: usize = 256;
/// More entries than any real system has: directories are shared by name, so a few kilobytes
/// of objects could unfold without end.
const MAX_ENTRIES: usize = 4_000_000;

const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;

/// Reads the tree of the commit object `commit` in the repository at `repo`. `files` are the
/// content objects that are there, and whether each is an empty file.
pub fn read(repo: &Path, commit: &[u8], files: &BTreeMap<Checksum, bool>) -> io::Result<Dir> {
    let (tree, meta) = variant::commit_root(commit).ok_or_else(|| broken("commit", "of the image"))?;
    let mut reader = Reader { repo, files, metas: HashMap::new(), left: MAX_ENTRIES };
    reader.dir(&tree, &meta, 0)
}

struct Reader<'a> {
    repo: &'a Path,
    files: &'a BTreeMap<Checksum, bool>,
    /// A system has tens of thousands of directories and a few dozens of these.
    metas: HashMap<Checksum, Meta>,
    left: usize,
}

impl Reader<'_> {
    fn dir(&mut self, tree: &Checksum, meta: &Checksum, depth: usize) -> io::Result<Dir> {
        if depth > MAX_DEPTH {
            return Err(io::Error::other("the image's commit is nested too deeply"));
        }
        let mut dir = Dir { meta: self.meta(meta)?, entries: BTreeMap::new() };
        let raw = self.object(tree, "dirtree")?;
        let entries = variant::dirtree(&raw).ok_or_else(|| broken("dirtree", &hex(tree)))?;
        for (name, sum) in entries.files {
            let empty = *self.files.get(&sum).ok_or_else(|| missing("file", &sum, name))?;
            // What the object says of itself is not asked for again.
            let meta = Meta { mode: 0o644, ..Meta::default_directory() };
            self.put(&mut dir, name, Node::File(File { meta, content: Content::Object(sum), empty }))?;
        }
        for (name, tree, meta) in entries.dirs {
            let sub = self.dir(&tree, &meta, depth + 1)?;
            self.put(&mut dir, name, Node::Dir(sub))?;
        }
        Ok(dir)
    }

    fn put(&mut self, dir: &mut Dir, name: &[u8], node: Node) -> io::Result<()> {
        let said = String::from_utf8_lossy(name);
        if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || std::str::from_utf8(name).is_err() {
            return Err(io::Error::other(format!("the image's commit has an entry called '{said}'")));
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other(format!("the image's commit has more than {MAX_ENTRIES} entries")))?;
        match dir.entries.insert(name.to_vec(), node) {
            None => Ok(()),
            Some(_) => Err(io::Error::other(format!("the image's commit has '{said}' twice in one directory"))),
        }
    }

    fn meta(&mut self, sum: &Checksum) -> io::Result<Meta> {
        if let Some(meta) = self.metas.get(sum) {
            return Ok(meta.clone());
        }
        let raw = self.object(sum, "dirmeta")?;
        let read = variant::dirmeta(&raw).filter(|read| read.mode & TYPE == DIRECTORY);
        let read = read.ok_or_else(|| broken("dirmeta", &hex(sum)))?;
        let meta = Meta { uid: read.uid, gid: read.gid, mode: read.mode & 0o7777, xattrs: read.xattrs };
        self.metas.insert(*sum, meta.clone());
        Ok(meta)
    }

    fn object(&self, sum: &Checksum, kind: &str) -> io::Result<Vec<u8>> {
        fs::read(object_path(self.repo, sum, kind)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(kind, sum, b""),
            _ => error,
        })
    }
}

fn broken(kind: &str, which: &str) -> io::Error {
    io::Error::other(format!("the {kind} object {which} is not serialised as OSTree does"))
}

fn missing(kind: &str, sum: &Checksum, name: &[u8]) -> io::Error {
    let name = String::from_utf8_lossy(name);
    let what = if name.is_empty() { String::new() } else { format!(" ('{name}')") };
    io::Error::other(format!("the image is incomplete: no layer brings the {kind} object {}{what}", hex(sum)))
}

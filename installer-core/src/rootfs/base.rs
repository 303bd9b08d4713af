//! The base tree out of the objects that the layers brought.
//!
//! Only objects that this import has verified are read, so a tree that names anything else
//! is incomplete, and is found out here and not at the first boot.

use std::collections::HashMap;
use std::io;

use super::attributes::{self, Carrier};
use super::gvariant::Checksum;
use super::objects::{Brought, ObjectSet};
use super::rules::{self, MAX_DEPTH};
use super::tree::{Dir, File, Meta, Node, say};
use super::variant;
use crate::units::hex;

/// More entries than any real system has: directories are shared by name, so a few kilobytes
/// of objects could unfold without end.
const MAX_ENTRIES: u64 = rules::MAX_ENTRIES;

const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;

/// Brings a metadata object by its checksum and kind, `None` where there is none.
pub type Fetch<'a> = &'a dyn Fn(&Checksum, &str) -> io::Result<Option<Vec<u8>>>;

/// What the layers of a base brought, lowest first: the commit, its tree, and the content objects
/// of each. `fetch` brings a metadata object, `None` where there is none; `content` is what a
/// file of the tree holds.
pub fn assemble<C>(
    sets: &[ObjectSet],
    fetch: Fetch<'_>,
    content: &dyn Fn(&Checksum) -> C,
) -> io::Result<(Checksum, Dir<C>)> {
    let mut files = HashMap::new();
    for set in sets {
        files.extend(&set.files);
    }
    let commit = sets.iter().find_map(|set| set.commit.as_ref());
    let (sum, raw) = commit.ok_or_else(|| io::Error::other("the image's first layer brings no commit"))?;
    let (tree, meta) = variant::commit_root(raw).ok_or_else(|| broken("commit", "of the image"))?;
    let mut reader = Reader { fetch, content, files: &files, metas: HashMap::new(), left: MAX_ENTRIES };
    Ok((*sum, reader.dir(&tree, &meta, 0)?))
}

struct Reader<'a, C> {
    fetch: Fetch<'a>,
    content: &'a dyn Fn(&Checksum) -> C,
    files: &'a HashMap<&'a Checksum, &'a Brought>,
    /// A system has tens of thousands of directories and a few dozens of these.
    metas: HashMap<Checksum, Meta>,
    left: u64,
}

impl<C> Reader<'_, C> {
    fn dir(&mut self, tree: &Checksum, meta: &Checksum, depth: usize) -> io::Result<Dir<C>> {
        if depth > MAX_DEPTH {
            return Err(io::Error::other("the image's commit is nested too deeply"));
        }
        let mut dir = Dir { meta: self.meta(meta)?, ..Dir::default() };
        let raw = self.object(tree, "dirtree")?;
        let entries = variant::dirtree(&raw).ok_or_else(|| broken("dirtree", &hex(tree)))?;
        for (name, sum) in entries.files {
            let brought = *self.files.get(&sum).ok_or_else(|| missing("file", &sum, name))?;
            // What the object says of itself is not asked for again.
            let meta = Meta { mode: 0o644, ..Meta::default_directory() };
            let content = (self.content)(&sum);
            let file = File { meta, content, empty: brought.empty, link: brought.link.clone() };
            self.put(&mut dir, name, Node::File(file))?;
        }
        for (name, tree, meta) in entries.dirs {
            let sub = self.dir(&tree, &meta, depth + 1)?;
            self.put(&mut dir, name, Node::Dir(sub))?;
        }
        Ok(dir)
    }

    fn put(&mut self, dir: &mut Dir<C>, name: &[u8], node: Node<C>) -> io::Result<()> {
        let said = say(name);
        let long = name.len() > rules::MAX_NAME;
        if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || std::str::from_utf8(name).is_err() || long {
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
        let wrong = |why: &str| io::Error::other(format!("a directory of the image's commit has {why}"));
        rules::id(meta.uid.into()).and_then(|_| rules::id(meta.gid.into())).map_err(wrong)?;
        attributes::check(Carrier::Directory, meta.mode, &meta.xattrs).map_err(wrong)?;
        self.metas.insert(*sum, meta.clone());
        Ok(meta)
    }

    fn object(&self, sum: &Checksum, kind: &str) -> io::Result<Vec<u8>> {
        (self.fetch)(sum, kind)?.ok_or_else(|| missing(kind, sum, b""))
    }
}

fn broken(kind: &str, which: &str) -> io::Error {
    io::Error::other(format!("the {kind} object {which} is not serialised as OSTree does"))
}

fn missing(kind: &str, sum: &Checksum, name: &[u8]) -> io::Error {
    let name = say(name);
    let what = if name.is_empty() { String::new() } else { format!(" ('{name}')") };
    io::Error::other(format!("the image is incomplete: no layer brings the {kind} object {}{what}", hex(sum)))
}

/// Says, in a base, what a system's root can show.
pub const PREPARE_ROOT: &str = "usr/lib/ostree/prepare-root.conf";

/// Whether a system's root can show more than the usual directories, by the text of
/// [`PREPARE_ROOT`]: composefs or a transient overlay.
pub fn any_root(text: &str) -> bool {
    let composefs = key(text, "composefs", "enabled");
    let composefs = composefs.is_some_and(|value| !matches!(value, "no" | "false" | "0"));
    composefs || matches!(key(text, "root", "transient"), Some("true" | "1"))
}

/// Takes out of a layer above a base what bootc's importer does not let through either: the
/// repository, whose objects were only there to be linked to, and on systems without a
/// root of their own whatever lies outside of /usr, /etc and /var. Returns the names of
/// the latter.
pub fn filter<C>(layer: &mut Dir<C>, any_root: bool) -> Vec<String> {
    if let Some(Node::Dir(sysroot)) = layer.entries.get_mut(&b"sysroot"[..]) {
        sysroot.entries.remove(&b"ostree"[..]);
    }
    if any_root {
        return Vec::new();
    }
    let kept = |name: &[u8]| matches!(name, b"usr" | b"var" | b"run" | b"tmp" | b"proc" | b"sys" | b"dev");
    let dropped = layer.entries.keys().filter(|name| !kept(name) && *name != b"sysroot");
    let dropped = dropped.map(|name| format!("/{}", say(name))).collect();
    layer.entries.retain(|name, _| kept(name));
    dropped
}

/// The value of `name` in the section `section` of a key file; of several the last.
fn key<'a>(text: &'a str, section: &str, name: &str) -> Option<&'a str> {
    let (mut inside, mut found) = (false, None);
    for line in text.lines().map(str::trim) {
        if let Some(title) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = title == section;
        } else if inside {
            let value = line.split_once('=').filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
            found = value.or(found);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_its_own_section_alone() {
        let text = "enabled=9\n# enabled=8\n[composefs]\n enabled = yes \n\n[root]\nenabled=no\ntransient=true\n";
        assert_eq!(key(text, "composefs", "enabled"), Some("yes"));
        assert_eq!(key(text, "root", "transient"), Some("true"));
        assert_eq!(key(text, "etc", "transient"), None);
        assert_eq!(key("[a]\nb=1\n[a]\nb=2\n", "a", "b"), Some("2"));
    }
}

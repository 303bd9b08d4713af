//! Images whose lowest layers are an OSTree commit in pieces ("chunked", "encapsulated"): the
//! base images of Fedora, CentOS and RHEL.
//!
//! ```text
//! layer 0            commit, dirtrees, dirmetas, some files ─┐
//! layers 1..n        files                                  ─┼► objects ─► base tree ─┐
//! layers n..         plain layers, as everywhere ────────────┴────────────────────────┴► merge
//! ```
//!
//! The files come labelled and named by their checksums, so they become objects at once; the
//! refs are those that bootc's importer would write (`container/store.rs`,
//! `unencapsulate_base`): the first layer's is the commit itself, each other one's a commit
//! that lists the layer's objects by name.

mod base;
mod objects;
pub mod variant;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::gvariant::{self, Checksum};
use super::labels::{self, Label, Policy};
use super::store::{Store, object_path};
use super::tree::{Content, Dir, File, Meta, Node};
use crate::units::hex;

pub use objects::{ObjectSet, read};

/// The base of an image: its commit, as it came.
#[derive(Debug)]
pub struct Base {
    /// The commit.
    pub commit: Checksum,
    /// Its tree.
    pub tree: Dir,
    /// Content objects of each layer, the first layer's too.
    sets: Vec<BTreeMap<Checksum, bool>>,
}

impl Base {
    /// Puts together what the layers brought, lowest first, and looks whether all is there.
    pub fn assemble(store: &Store, sets: Vec<ObjectSet>) -> io::Result<Self> {
        let mut commit = None;
        let mut all = BTreeMap::new();
        for set in &sets {
            commit = commit.or(set.commit.as_ref());
            all.extend(set.files.iter().map(|(sum, empty)| (*sum, *empty)));
        }
        let (sum, raw) = commit.ok_or_else(|| io::Error::other("the image's first layer brings no commit"))?;
        let tree = base::read(store.path(), raw, &all)?;
        Ok(Base { commit: *sum, tree, sets: sets.into_iter().map(|set| set.files).collect() })
    }

    /// The commit that stands for the base's layer `index`.
    pub fn layer_commit(&self, index: usize, store: &Store) -> io::Result<Checksum> {
        match self.sets.get(index) {
            Some(files) if index > 0 => list(files, store),
            _ => Ok(self.commit),
        }
    }

    /// How many layers it takes.
    pub fn layers(&self) -> usize {
        self.sets.len()
    }

    /// Takes out of a layer above what bootc's importer does not let through either: the
    /// repository, whose objects were only there to be linked to, and on systems without a
    /// root of their own whatever lies outside of /usr, /etc and /var. Returns the names of
    /// the latter.
    pub fn filter(&self, store: &Store, layer: &mut Dir) -> io::Result<Vec<String>> {
        if let Some(Node::Dir(sysroot)) = layer.entries.get_mut(&b"sysroot"[..]) {
            sysroot.entries.remove(&b"ostree"[..]);
        }
        if self.any_root(store)? {
            return Ok(Vec::new());
        }
        let kept = |name: &[u8]| matches!(name, b"usr" | b"var" | b"run" | b"tmp" | b"proc" | b"sys" | b"dev");
        let dropped = layer.entries.keys().filter(|name| !kept(name) && *name != b"sysroot");
        let dropped = dropped.map(|name| format!("/{}", String::from_utf8_lossy(name))).collect();
        layer.entries.retain(|name, _| kept(name));
        Ok(dropped)
    }

    /// Whether the system's root can show more than the usual directories: composefs or a
    /// transient overlay.
    fn any_root(&self, store: &Store) -> io::Result<bool> {
        let Some(Node::File(File { content: Content::Object(sum), .. })) =
            self.tree.find("usr/lib/ostree/prepare-root.conf")
        else {
            return Ok(false);
        };
        let text = fs::read_to_string(object_path(store.path(), sum, "file"))?;
        let composefs = key(&text, "composefs", "enabled");
        let composefs = composefs.is_some_and(|value| !matches!(value, "no" | "false" | "0"));
        Ok(composefs || matches!(key(&text, "root", "transient"), Some("true" | "1")))
    }

    /// Whether the base's own labels are not those of the system: it has none, or a layer above
    /// has changed the policy. `merged` is the whole tree.
    pub fn is_mislabelled(&self, merged: &Dir) -> bool {
        let labelled = self.tree.meta.xattrs.iter().any(|(name, _)| name == labels::SELINUX);
        !labelled || !same(self.tree.find(labels::POLICY), merged.find(labels::POLICY))
    }

    /// Gives every file the label that `policy` has for it. The objects of the commit stay; a file
    /// whose label changes becomes another object.
    pub fn relabel(&mut self, store: &Store, policy: Policy<'_>, threads: usize) -> io::Result<()> {
        let tree = std::slice::from_mut(&mut self.tree);
        let mode = |file: &File| mode_of(file, store);
        labels::each_file(tree, policy, threads, mode, |file, label| relabel(file, label, store))
    }
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

fn same(left: Option<&Node>, right: Option<&Node>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(Node::File(left)), Some(Node::File(right))) => {
            matches!((&left.content, &right.content), (Content::Object(left), Content::Object(right)) if left == right)
        }
        (Some(Node::Dir(left)), Some(Node::Dir(right))) => {
            left.entries.len() == right.entries.len()
                && left.entries.iter().all(|(name, node)| same(Some(node), right.entries.get(name)))
        }
        _ => false,
    }
}

/// The mode of a stored file, with the file type.
fn mode_of(file: &File, store: &Store) -> io::Result<Option<u32>> {
    let Content::Object(sum) = file.content else { return Ok(None) };
    Ok(Some(rustix::fs::lstat(object_path(store.path(), &sum, "file"))?.st_mode))
}

fn relabel(file: &mut File, label: Label, store: &Store) -> io::Result<()> {
    let Content::Object(sum) = file.content else { return Ok(()) };
    let object = object_path(store.path(), &sum, "file");
    let meta = object_meta(&object)?;
    let labelled = labels::labelled(&meta, label);
    if labelled == meta {
        return Ok(());
    }
    let sum = if object.is_symlink() {
        store.write_symlink(&labelled, fs::read_link(&object)?.as_os_str().as_bytes())?
    } else {
        let mut content = fs::File::open(&object)?;
        store.write_stream(&labelled, content.metadata()?.len(), &mut content)?
    };
    file.content = Content::Object(sum);
    Ok(())
}

/// What a bare repository keeps on the object itself.
fn object_meta(object: &Path) -> io::Result<Meta> {
    let stat = rustix::fs::lstat(object)?;
    let mut names = vec![0; 64 << 10];
    let length = rustix::fs::llistxattr(object, &mut names)?;
    let mut xattrs = Vec::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 64 << 10];
        let length = rustix::fs::lgetxattr(object, name, &mut value)?;
        value.truncate(length);
        xattrs.push((name.to_vec(), value));
    }
    xattrs.sort();
    Ok(Meta { uid: stat.st_uid, gid: stat.st_gid, mode: stat.st_mode & 0o7777, xattrs })
}

/// A commit whose only directory names every object by its checksum: what keeps a layer's
/// objects from being pruned, and tells at an update that the layer is there. The same objects
/// give the same commit.
fn list(files: &BTreeMap<Checksum, bool>, store: &Store) -> io::Result<Checksum> {
    let names: Vec<(String, Checksum)> = files.keys().map(|sum| (hex(sum), *sum)).collect();
    let entries = names.iter().map(|(name, sum)| (name.as_bytes(), *sum));
    let tree = store.write_metadata("dirtree", &gvariant::dirtree(entries, []))?;
    let meta = store.write_dirmeta(&Meta::default_directory())?;
    let commit = gvariant::Commit { metadata: &[], parent: None, timestamp: 0, tree, meta };
    store.write_metadata("commit", &gvariant::commit(&commit))
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

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

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::content::{Content, Dir, File, Node};
use super::gvariant::{self, Checksum};
use super::labels::{self, Label, Policy};
use super::store::{Store, object_path};
use crate::rootfs::Meta;
use crate::rootfs::base;
use crate::rootfs::objects::{Brought, ObjectSet};
use crate::units::hex;

pub use crate::rootfs::variant;

/// The base of an image: its commit, as it came.
#[derive(Debug)]
pub struct Base {
    /// The commit.
    pub commit: Checksum,
    /// Its tree.
    pub tree: Dir,
    /// Content objects of each layer, the first layer's too.
    sets: Vec<BTreeMap<Checksum, Brought>>,
}

impl Base {
    /// Puts together what the layers brought, lowest first, and looks whether all is there.
    pub fn assemble(store: &Store, sets: Vec<ObjectSet>) -> io::Result<Self> {
        let fetch = |sum: &Checksum, kind: &str| match fs::read(object_path(store.path(), sum, kind)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        let (commit, tree) = base::assemble(&sets, &fetch, &|sum| Content::Object(*sum))?;
        Ok(Base { commit, tree, sets: sets.into_iter().map(|set| set.files).collect() })
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

    /// Takes out of a layer above what bootc's importer does not let through either
    /// ([`base::filter`]). Returns the names.
    pub fn filter(&self, store: &Store, layer: &mut Dir) -> io::Result<Vec<String>> {
        Ok(base::filter(layer, self.any_root(store)?))
    }

    /// Whether the system's root can show more than the usual directories.
    fn any_root(&self, store: &Store) -> io::Result<bool> {
        let Some(Node::File(File { content: Content::Object(sum), .. })) = self.tree.find(base::PREPARE_ROOT) else {
            return Ok(false);
        };
        Ok(base::any_root(&fs::read_to_string(object_path(store.path(), sum, "file"))?))
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
fn list(files: &BTreeMap<Checksum, Brought>, store: &Store) -> io::Result<Checksum> {
    let names: Vec<(String, Checksum)> = files.keys().map(|sum| (hex(sum), *sum)).collect();
    let entries = names.iter().map(|(name, sum)| (name.as_bytes(), *sum));
    let tree = store.write_metadata("dirtree", &gvariant::dirtree(entries, []))?;
    let meta = store.write_dirmeta(&Meta::default_directory())?;
    let commit = gvariant::Commit { metadata: &[], parent: None, timestamp: 0, tree, meta };
    store.write_metadata("commit", &gvariant::commit(&commit))
}

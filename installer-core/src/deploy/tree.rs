//! File trees in memory: what one layer holds, and how layers merge into one root.
//!
//! The merge has libostree's semantics of a union checkout with whiteouts
//! (`ostree_repo_checkout_at`, UNION_FILES and process_whiteouts), because the result must be
//! the tree that bootc itself would have made. They differ from overlayfs in one point: a
//! directory that exists below keeps its own owner, mode and attributes.
//!
//! Pure: no file is opened here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::gvariant::{Checksum, Xattr};

/// The name that makes a directory opaque.
pub const OPAQUE: &[u8] = b".wh..wh..opq";
/// What the name of a whiteout begins with.
pub const WHITEOUT: &[u8] = b".wh.";

/// Owner, permissions and extended attributes of a file or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permissions with setuid, setgid and sticky, without the file type.
    pub mode: u32,
    /// Extended attributes, sorted by name.
    pub xattrs: Vec<Xattr>,
}

impl Meta {
    /// A directory without an entry of its own in the layer: root's, 0755.
    pub fn default_directory() -> Self {
        Meta { uid: 0, gid: 0, mode: 0o755, xattrs: Vec::new() }
    }
}

/// What a file holds, or where it waits.
#[derive(Clone, Debug)]
pub enum Content {
    /// In the repository, under this checksum.
    Object(Checksum),
    /// Set down outside the object store until its label is known.
    Staged(Arc<Staged>),
    /// A symbolic link that waits for its label; its target.
    Symlink(Vec<u8>),
}

/// A file set down in the repository's temporary directory; private, read-only.
#[derive(Debug)]
pub struct Staged {
    /// Where.
    pub path: PathBuf,
    /// Its length in bytes.
    pub size: u64,
}

/// A regular file or a symbolic link.
#[derive(Clone, Debug)]
pub struct File {
    /// Owner, permissions, attributes.
    pub meta: Meta,
    /// Content.
    pub content: Content,
    /// Whether it is an empty regular file (whiteouts are; some clean-ups ask).
    pub empty: bool,
}

/// A directory.
#[derive(Clone, Debug)]
pub struct Dir {
    /// Owner, permissions, attributes.
    pub meta: Meta,
    /// Entries by name; `BTreeMap` has libostree's own order (byte by byte).
    pub entries: BTreeMap<Vec<u8>, Node>,
}

/// An entry of a directory.
#[derive(Clone, Debug)]
pub enum Node {
    /// A directory.
    Dir(Dir),
    /// Anything else.
    File(File),
}

/// Why an entry cannot be put where it wants to be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A parent is a file in the same layer.
    #[error("'{0}' lies under something that is not a directory")]
    NotADirectory(String),
    /// A hard link to nothing.
    #[error("hard link '{0}' to '{1}', which the layer does not hold")]
    DanglingLink(String, String),
    /// Which of both counts is not said anywhere; to take the later one would lose what is in
    /// the directory. bootc's importer refuses it as well.
    #[error("'{0}' is a directory and something else in the same layer")]
    TwoKinds(String),
}

impl Default for Dir {
    fn default() -> Self {
        Dir { meta: Meta::default_directory(), entries: BTreeMap::new() }
    }
}

/// A path for people.
pub fn show(path: &[Vec<u8>]) -> String {
    String::from_utf8_lossy(&path.join(&b'/')).into_owned()
}

impl Dir {
    /// The directory at `path`, made (root's, 0755) where it is missing.
    pub fn make_dirs(&mut self, path: &[Vec<u8>]) -> Result<&mut Dir, TreeError> {
        let mut dir = self;
        for name in path {
            let node = dir.entries.entry(name.clone()).or_insert_with(|| Node::Dir(Dir::default()));
            dir = match node {
                Node::Dir(next) => next,
                Node::File(_) => return Err(TreeError::NotADirectory(show(path))),
            };
        }
        Ok(dir)
    }

    /// Puts a directory at `path`. One that is there already keeps its entries and takes the
    /// new owner and mode, as tar does; anything else that is there is an error.
    pub fn put_dir(&mut self, path: &[Vec<u8>], meta: Meta) -> Result<(), TreeError> {
        let Some((name, parents)) = path.split_last() else {
            self.meta = meta;
            return Ok(());
        };
        let parent = self.make_dirs(parents)?;
        match parent.entries.get_mut(name) {
            Some(Node::Dir(dir)) => dir.meta = meta,
            Some(Node::File(_)) => return Err(TreeError::TwoKinds(show(path))),
            None => {
                parent.entries.insert(name.clone(), Node::Dir(Dir { meta, entries: BTreeMap::new() }));
            }
        }
        Ok(())
    }

    /// Puts a file at `path`, over another one that was there; a directory is an error.
    pub fn put_file(&mut self, path: &[Vec<u8>], file: File) -> Result<(), TreeError> {
        let Some((name, parents)) = path.split_last() else {
            return Err(TreeError::NotADirectory("/".into()));
        };
        let parent = self.make_dirs(parents)?;
        if let Some(Node::Dir(_)) = parent.entries.get(name) {
            return Err(TreeError::TwoKinds(show(path)));
        }
        parent.entries.insert(name.clone(), Node::File(file));
        Ok(())
    }

    /// Gives the file at `target` a second name.
    pub fn link(&mut self, path: &[Vec<u8>], target: &[Vec<u8>]) -> Result<(), TreeError> {
        match self.get(target) {
            Some(Node::File(file)) => {
                let file = file.clone();
                self.put_file(path, file)
            }
            _ => Err(TreeError::DanglingLink(show(path), show(target))),
        }
    }

    /// What is at `path`.
    pub fn get(&self, path: &[Vec<u8>]) -> Option<&Node> {
        let (name, parents) = path.split_last()?;
        let mut dir = self;
        for parent in parents {
            match dir.entries.get(parent) {
                Some(Node::Dir(next)) => dir = next,
                _ => return None,
            }
        }
        dir.entries.get(name)
    }

    /// What is at a `/`-separated path.
    pub fn find(&self, path: &str) -> Option<&Node> {
        self.get(&split(path.as_bytes()))
    }

    /// Takes away the file at a `/`-separated path if it is an empty one.
    pub fn remove_if_empty_file(&mut self, path: &str) {
        let path = split(path.as_bytes());
        let Some(Node::File(file)) = self.get(&path) else { return };
        if !file.empty {
            return;
        }
        if let Some((name, parents)) = path.split_last()
            && let Ok(dir) = self.make_dirs(parents)
        {
            dir.entries.remove(name);
        }
    }

    /// Lays `upper` over this tree.
    pub fn merge(&mut self, upper: &Dir) {
        if upper.entries.contains_key(OPAQUE) {
            // libostree takes the old directory away, and with it its owner and mode.
            self.entries.clear();
            self.meta = upper.meta.clone();
        }
        for name in upper.entries.keys() {
            if let Some(hidden) = name.strip_prefix(WHITEOUT)
                && name != OPAQUE
            {
                self.entries.remove(hidden);
            }
        }
        for (name, node) in &upper.entries {
            if name.starts_with(WHITEOUT) {
                continue;
            }
            match (self.entries.get_mut(name), node) {
                (Some(Node::Dir(lower)), Node::Dir(upper)) => lower.merge(upper),
                (_, Node::Dir(upper)) => {
                    let mut dir = Dir { meta: upper.meta.clone(), entries: BTreeMap::new() };
                    dir.merge(upper);
                    self.entries.insert(name.clone(), Node::Dir(dir));
                }
                (_, Node::File(file)) => {
                    self.entries.insert(name.clone(), Node::File(file.clone()));
                }
            }
        }
    }
}

/// The names in a `/`-separated path, empty ones and `.` left out.
pub fn split(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".").map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tag: u8) -> File {
        File { meta: Meta::default_directory(), content: Content::Object([tag; 32]), empty: tag == 0 }
    }

    /// `path` for an object, `path/` for a directory with mode 0700.
    fn tree(entries: &[(&str, u8)]) -> Dir {
        let mut root = Dir::default();
        for (path, tag) in entries {
            let names = split(path.as_bytes());
            if path.ends_with('/') {
                root.put_dir(&names, Meta { mode: u32::from(*tag), ..Meta::default_directory() }).unwrap();
            } else {
                root.put_file(&names, file(*tag)).unwrap();
            }
        }
        root
    }

    fn listing(dir: &Dir) -> Vec<String> {
        let mut out = Vec::new();
        for (name, node) in &dir.entries {
            let name = String::from_utf8_lossy(name);
            match node {
                Node::Dir(sub) => {
                    out.push(format!("{name}/ {}", sub.meta.mode));
                    out.extend(listing(sub).into_iter().map(|line| format!("{name}/{line}")));
                }
                Node::File(File { content: Content::Object(sum), .. }) => out.push(format!("{name} {}", sum[0])),
                Node::File(_) => out.push(format!("{name} ?")),
            }
        }
        out
    }

    #[test]
    fn whiteouts_hide_what_lies_below_and_only_that() {
        let mut lower = tree(&[("usr/", 7), ("usr/a", 1), ("usr/b", 1), ("usr/d/x", 1)]);
        lower.merge(&tree(&[("usr/.wh.a", 0), ("usr/.wh.d", 0), ("usr/d/y", 2), ("usr/.wh.b", 0), ("usr/b", 3)]));
        assert_eq!(listing(&lower), ["usr/ 7", "usr/b 3", "usr/d/ 493", "usr/d/y 2"]);
    }

    #[test]
    fn an_opaque_directory_starts_empty() {
        let mut lower = tree(&[("etc/old/", 5), ("etc/old/a", 1), ("etc/b", 1)]);
        lower.merge(&tree(&[("etc/old/.wh..wh..opq", 0), ("etc/old/new", 2)]));
        assert_eq!(listing(&lower), ["etc/ 493", "etc/b 1", "etc/old/ 493", "etc/old/new 2"]);
    }

    #[test]
    fn a_lower_directory_keeps_its_own_mode() {
        let mut lower = tree(&[("var/", 5)]);
        lower.merge(&tree(&[("var/", 9), ("new/", 9)]));
        assert_eq!(listing(&lower), ["new/ 9", "var/ 5"]);
    }

    #[test]
    fn kinds_replace_each_other() {
        let mut lower = tree(&[("a", 1), ("b/c", 1)]);
        lower.merge(&tree(&[("a/x", 2), ("b", 2)]));
        assert_eq!(listing(&lower), ["a/ 493", "a/x 2", "b 2"]);
    }

    #[test]
    fn no_whiteout_outlives_the_merge() {
        let mut lower = Dir::default();
        lower.merge(&tree(&[("new/.wh.gone", 0), ("new/.wh..wh..opq", 0), ("new/f", 4)]));
        assert_eq!(listing(&lower), ["new/ 493", "new/f 4"]);
    }

    #[test]
    fn links_stay_inside_their_layer() {
        let mut root = tree(&[("a", 1)]);
        let names = |p: &str| split(p.as_bytes());
        root.link(&names("b/c"), &names("a")).unwrap();
        assert_eq!(listing(&root), ["a 1", "b/ 493", "b/c 1"]);
        assert_eq!(
            root.link(&names("d"), &names("missing")),
            Err(TreeError::DanglingLink("d".into(), "missing".into()))
        );
        assert_eq!(root.put_file(&names("a/x"), file(2)), Err(TreeError::NotADirectory("a".into())));
    }

    #[test]
    fn a_name_is_of_one_kind_in_a_layer() {
        let mut root = tree(&[("a/b", 1), ("c", 1)]);
        let names = |p: &str| split(p.as_bytes());
        assert_eq!(root.put_file(&names("a"), file(2)), Err(TreeError::TwoKinds("a".into())));
        assert_eq!(root.put_dir(&names("c"), Meta::default_directory()), Err(TreeError::TwoKinds("c".into())));
        assert_eq!(root.link(&names("a"), &names("c")), Err(TreeError::TwoKinds("a".into())));
        root.put_file(&names("c"), file(3)).unwrap();
        assert_eq!(listing(&root), ["a/ 493", "a/b 1", "c 3"]);
    }
}

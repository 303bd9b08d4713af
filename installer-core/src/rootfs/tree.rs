//! File trees in memory: what one layer holds. How layers merge into one root is
//! [`merge`](super::merge)'s.
//!
//! Pure: no file is opened here. What a file holds is the caller's type.

use std::collections::BTreeMap;

use super::gvariant::Xattr;

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

/// A regular file or a symbolic link.
#[derive(Clone, Debug)]
pub struct File<C> {
    /// Owner, permissions, attributes.
    pub meta: Meta,
    /// Content.
    pub content: C,
    /// Whether it is an empty regular file (whiteouts are; some clean-ups ask).
    pub empty: bool,
    /// Where it leads, if it is a symbolic link.
    pub link: Option<Box<[u8]>>,
}

/// A directory.
#[derive(Clone, Debug)]
pub struct Dir<C> {
    /// Owner, permissions, attributes.
    pub meta: Meta,
    /// Entries by name; `BTreeMap` has libostree's own order (byte by byte).
    pub entries: BTreeMap<Vec<u8>, Node<C>>,
    /// Whether it was put there itself, and is not only on the way to something else.
    pub named: bool,
}

/// An entry of a directory.
#[derive(Clone, Debug)]
pub enum Node<C> {
    /// A directory.
    Dir(Dir<C>),
    /// Anything else.
    File(File<C>),
}

/// Why an entry cannot be put where it wants to be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A parent is a file in the same layer.
    #[error("'{0}' lies under something that is not a directory")]
    NotADirectory(String),
    /// A hard link to nothing.
    #[error("hard link '{0}' to '{1}', which is neither in the layer nor below it")]
    DanglingLink(String, String),
    /// A hard link to a directory.
    #[error("hard link '{0}' to '{1}', which is a directory")]
    LinkToDirectory(String, String),
    /// A hard link to what comes later, where another file of that name is below.
    #[error("hard link '{0}' to '{1}', which comes later in the layer")]
    LinkToLater(String, String),
    /// Symbolic links that lead in a circle.
    #[error("'{0}' leads through symbolic links in a circle")]
    Circle(String),
    /// Through symbolic links it got too deep.
    #[error("'{0}' is a path of more than 256 directories")]
    TooDeep(String),
    /// Which of both counts is not said anywhere; to take the later one would lose what is in
    /// the directory. bootc's importer refuses it as well.
    #[error("'{0}' is a directory and something else in the same layer")]
    TwoKinds(String),
}

impl<C> Default for Dir<C> {
    fn default() -> Self {
        Dir { meta: Meta::default_directory(), entries: BTreeMap::new(), named: false }
    }
}

/// A path for people: whatever is in it, it stays one line of text.
pub fn show(path: &[Vec<u8>]) -> String {
    say(&path.join(&b'/'))
}

/// A name out of an image for people.
pub fn say(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let plain = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    let mut said: String = text.chars().take(300).map(plain).collect();
    if text.chars().nth(300).is_some() {
        said.push('…');
    }
    said
}

impl<C> Dir<C> {
    /// The directory at `path`, made (root's, 0755) where it is missing, and how many were made.
    pub fn make_dirs(&mut self, path: &[Vec<u8>]) -> Result<(&mut Dir<C>, u64), TreeError> {
        let (mut dir, mut made) = (self, 0);
        for name in path {
            let node = dir.entries.entry(name.clone()).or_insert_with(|| {
                made += 1;
                Node::Dir(Dir::default())
            });
            dir = match node {
                Node::Dir(next) => next,
                Node::File(_) => return Err(TreeError::NotADirectory(show(path))),
            };
        }
        Ok((dir, made))
    }

    /// Puts a directory at `path`. One that is there already keeps its entries and takes the
    /// new owner and mode, as tar does; anything else that is there is an error. Returns how many
    /// directories were made above it.
    pub fn put_dir(&mut self, path: &[Vec<u8>], meta: Meta) -> Result<u64, TreeError> {
        let Some((name, parents)) = path.split_last() else {
            self.meta = meta;
            return Ok(0);
        };
        let (parent, made) = self.make_dirs(parents)?;
        match parent.entries.get_mut(name) {
            Some(Node::Dir(dir)) => (dir.meta, dir.named) = (meta, true),
            Some(Node::File(_)) => return Err(TreeError::TwoKinds(show(path))),
            None => {
                parent.entries.insert(name.clone(), Node::Dir(Dir { meta, entries: BTreeMap::new(), named: true }));
            }
        }
        Ok(made)
    }

    /// Puts a file at `path`, over another one that was there; a directory is an error. Returns
    /// how many directories were made above it.
    pub fn put_file(&mut self, path: &[Vec<u8>], file: File<C>) -> Result<u64, TreeError> {
        let Some((name, parents)) = path.split_last() else {
            return Err(TreeError::NotADirectory("/".into()));
        };
        let (parent, made) = self.make_dirs(parents)?;
        if let Some(Node::Dir(_)) = parent.entries.get(name) {
            return Err(TreeError::TwoKinds(show(path)));
        }
        parent.entries.insert(name.clone(), Node::File(file));
        Ok(made)
    }

    /// The directory at `path`.
    pub fn dir_mut(&mut self, path: &[Vec<u8>]) -> Option<&mut Dir<C>> {
        let mut dir = self;
        for name in path {
            dir = match dir.entries.get_mut(name)? {
                Node::Dir(next) => next,
                Node::File(_) => return None,
            };
        }
        Some(dir)
    }

    /// What is at `path`.
    pub fn get(&self, path: &[Vec<u8>]) -> Option<&Node<C>> {
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
    pub fn find(&self, path: &str) -> Option<&Node<C>> {
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
            && let Some(dir) = self.dir_mut(parents)
        {
            dir.entries.remove(name);
        }
    }
}

/// The names in a `/`-separated path, empty ones and `.` left out.
pub fn split(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".").map(<[u8]>::to_vec).collect()
}

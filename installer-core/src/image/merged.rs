//! The image as a whole, to be asked: is there, how large, what does it say. Paths are those that
//! programs will see, without slash in front.

use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, Result, Stage};
use crate::rootfs::{Dir, File, Node, merge};

use super::scan::{Held, Id, Seen, Want};

/// The files of the merged image.
pub(super) struct Merged {
    tree: Dir<Seen>,
    held: HashMap<Id, Held>,
    /// Every path that something is wanted of.
    wanted: BTreeMap<String, Want>,
    /// Those of them that are symbolic links, and the path from the root that each names.
    links: BTreeMap<String, String>,
}

impl Merged {
    /// `held` is what was kept of contents, `want` what is wanted of a path, below `roots` alone.
    pub fn new(tree: Dir<Seen>, held: HashMap<Id, Held>, roots: &[&str], want: &dyn Fn(&str) -> Want) -> Self {
        let mut wanted = BTreeMap::new();
        for root in roots {
            match tree.find(&stored(root)) {
                Some(Node::Dir(dir)) => collect(dir, root, want, &mut wanted),
                Some(Node::File(_)) if want(root) != Want::Nothing => {
                    wanted.insert((*root).to_owned(), want(root));
                }
                _ => {}
            }
        }
        let link = |path: &String| match tree.find(&stored(path))? {
            Node::File(File { link: Some(target), .. }) => {
                Some((path.clone(), followed(path, &String::from_utf8_lossy(target))))
            }
            _ => None,
        };
        let links = wanted.keys().filter_map(link).collect();
        Merged { tree, held, wanted, links }
    }

    /// The contents that are wanted and were not kept.
    pub fn missing(&self) -> BTreeMap<Id, Want> {
        let wanted = self.wanted.iter().filter(|(_, want)| matches!(want, Want::Content | Want::Modules));
        let content = wanted.filter_map(|(path, want)| Some((self.file(path)?.content.id, *want)));
        content.filter(|(id, _)| !self.held.contains_key(id)).collect()
    }

    /// Takes what a second pass has read.
    pub fn fill(&mut self, held: HashMap<Id, Held>) {
        self.held.extend(held);
    }

    /// Whether anything but a directory is at `path` itself.
    pub fn has(&self, path: &str) -> bool {
        self.wanted.contains_key(path)
    }

    /// Every path that something is wanted of.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.wanted.keys().map(String::as_str)
    }

    /// Where the symbolic link at `path` leads, if it is one.
    pub fn leads_to(&self, path: &str) -> Option<&str> {
        self.links.get(path).map(String::as_str)
    }

    /// The file at `path`, through symbolic links.
    fn file(&self, path: &str) -> Option<&File<Seen>> {
        merge::file(&self.tree, path).filter(|file| file.link.is_none())
    }

    /// The size of the file at `path`.
    pub fn size(&self, path: &str) -> Option<u64> {
        Some(self.file(path)?.content.size)
    }

    /// The text at `path`.
    pub fn text(&self, path: &str) -> Option<&[u8]> {
        match self.held.get(&self.file(path)?.content.id)? {
            Held::Content(text) => Some(text),
            _ => None,
        }
    }

    /// The modules in the initramfs at `path`, if they could be listed.
    pub fn modules(&self, path: &str) -> Option<&[String]> {
        match self.held.get(&self.file(path)?.content.id)? {
            Held::Modules(modules) => modules.as_deref(),
            _ => None,
        }
    }

    /// Refuses a text that is wanted and that nothing reads, for its size.
    pub fn check_sizes(&self) -> Result<()> {
        let large = |path: &&String| {
            self.file(path).is_some_and(|file| self.held.get(&file.content.id) == Some(&Held::TooLarge))
        };
        match self.wanted.keys().find(large) {
            Some(path) => Err(Error::world(Stage::Resolve, format!("/{path} of the image is larger than 1 MiB"))
                .hint("correct it in the image: it is not what its name says")),
            None => Ok(()),
        }
    }
}

/// Where the tree has what programs will see at `path`.
fn stored(path: &str) -> String {
    if path.starts_with("etc/") { format!("usr/{path}") } else { path.to_owned() }
}

/// The path that the symbolic link at `path` names. Leading out of the root stays in the root, as
/// it does for a kernel.
fn followed(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { path.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn collect(dir: &Dir<Seen>, at: &str, want: &dyn Fn(&str) -> Want, wanted: &mut BTreeMap<String, Want>) {
    for (name, node) in &dir.entries {
        let path = format!("{at}/{}", String::from_utf8_lossy(name));
        match node {
            Node::Dir(dir) => collect(dir, &path, want, wanted),
            Node::File(_) => match want(&path) {
                Want::Nothing => {}
                want => {
                    wanted.insert(path, want);
                }
            },
        }
    }
}

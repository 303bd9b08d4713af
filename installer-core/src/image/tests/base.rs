//! A layer with an OSTree commit in it, as the lowest of an encapsulated image has one.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::Tar;
use crate::rootfs::gvariant::{self, Checksum, Commit};
use crate::units::hex;

/// A file of the commit.
#[derive(Clone)]
pub enum Item {
    File(Vec<u8>),
    Link(&'static str),
}

/// A commit under construction; in the tar every name comes right behind its object, but for
/// those that are asked for late.
#[derive(Default)]
pub struct Base {
    files: Vec<(String, Item)>,
    late: Vec<String>,
    /// Left out of the layer.
    without: Option<&'static str>,
}

fn object(sum: &Checksum, kind: &str) -> String {
    let digits = hex(sum);
    format!("sysroot/ostree/repo/objects/{}/{}.{kind}", &digits[..2], &digits[2..])
}

fn sum(bytes: &[u8]) -> Checksum {
    Sha256::digest(bytes).into()
}

impl Item {
    fn sum(&self) -> Checksum {
        match self {
            Item::File(data) => sum(&[gvariant::content_header(0, 0, 0o100_755, b"", &[]), data.clone()].concat()),
            Item::Link(to) => sum(&gvariant::content_header(0, 0, 0o120_777, to.as_bytes(), &[])),
        }
    }
}

impl Base {
    pub fn file(mut self, path: &str, data: impl AsRef<[u8]>) -> Self {
        self.files.push((path.into(), Item::File(data.as_ref().to_vec())));
        self
    }

    pub fn link(mut self, path: &str, to: &'static str) -> Self {
        self.files.push((path.into(), Item::Link(to)));
        self
    }

    /// The name of `path` comes at the end.
    pub fn late(mut self, path: &str) -> Self {
        self.late.push(path.into());
        self
    }

    /// Leaves a kind of object out of the layer, or the file of a path.
    pub fn without(self, what: &'static str) -> Self {
        Self { without: Some(what), ..self }
    }

    pub fn done(&self) -> Vec<u8> {
        let mut metadata = Vec::new();
        let meta = gvariant::dirmeta(0, 0, 0o040_755, &[]);
        metadata.push(("dirmeta", meta.clone()));
        let entries: Vec<(Vec<&str>, &Item)> =
            self.files.iter().map(|(path, item)| (path.split('/').collect(), item)).collect();
        let tree = dirtree(&entries, &sum(&meta), &mut metadata);
        let commit = gvariant::commit(&Commit { metadata: &[], parent: None, timestamp: 1, tree, meta: sum(&meta) });
        metadata.push(("commit", commit));
        let mut tar = Tar::default();
        for (kind, data) in metadata.iter().filter(|(kind, _)| Some(*kind) != self.without) {
            tar = tar.file(&object(&sum(data), kind), data);
        }
        let mut late = Tar::default();
        for (path, item) in &self.files {
            let id = item.sum();
            if Some(path.as_str()) != self.without {
                tar = tar.file(&object(&id, "file-xattrs-link"), b"");
                tar = match item {
                    Item::File(data) => tar.file(&object(&id, "file"), data),
                    Item::Link(to) => tar.symlink(&object(&id, "file"), to),
                };
            }
            if self.late.contains(path) {
                late = late.hardlink(path, &object(&id, "file"));
            } else {
                tar = tar.hardlink(path, &object(&id, "file"));
            }
        }
        tar.and(late).done()
    }
}

fn dirtree(entries: &[(Vec<&str>, &Item)], meta: &Checksum, metadata: &mut Vec<(&'static str, Vec<u8>)>) -> Checksum {
    let mut files = BTreeMap::new();
    let mut dirs: BTreeMap<&str, Vec<(Vec<&str>, &Item)>> = BTreeMap::new();
    for (path, item) in entries {
        match &path[..] {
            [name] => {
                files.insert(*name, item.sum());
            }
            [name, rest @ ..] => dirs.entry(*name).or_default().push((rest.to_vec(), *item)),
            [] => {}
        }
    }
    let dirs: Vec<(&str, Checksum)> =
        dirs.into_iter().map(|(name, entries)| (name, dirtree(&entries, meta, metadata))).collect();
    let data = gvariant::dirtree(
        files.iter().map(|(name, sum)| (name.as_bytes(), *sum)),
        dirs.iter().map(|(name, sum)| (name.as_bytes(), *sum, *meta)),
    );
    let id = sum(&data);
    metadata.push(("dirtree", data));
    id
}

//! The commits of an image and the refs that lead to them: one commit a layer, one of the
//! whole, with the metadata that bootc reads back (`store.rs::query_image_commit`).

use std::collections::BTreeMap;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::content::{Content, Dir, Node};
use super::encapsulated::Base;
use super::gvariant::{self, Checksum};
use super::labels::{self, Label, Policy};
use super::refs;
use super::store::Store;
use crate::image::Image;
use crate::rootfs::tree::show;
use crate::rootfs::{deployable, merge};
use crate::units::hex;

/// What bootc's importer calls itself in its commits; what it wrote and what we write are the
/// same layout.
const IMPORTER_VERSION: &str = "0.15.3";

/// What is to be committed.
pub struct Contents<'a> {
    /// The base that came as a commit, under the layers.
    pub base: Option<&'a Base>,
    /// Plain layers, lowest first.
    pub layers: &'a [Dir],
    /// The policy, where directories are to be labelled.
    pub policy: Option<Policy<'a>>,
}

impl Contents<'_> {
    /// All of it, laid over each other.
    pub fn merged(&self) -> io::Result<Dir> {
        merge::merge(self.base.map(|base| &base.tree), self.layers).map_err(|(_, error)| io::Error::other(error))
    }
}

/// Writes one commit a layer, the merged commit, and the refs of all of them; `target` is the
/// image's name for updates.
pub fn write(image: &Image, target: &str, store: &Store, contents: &Contents<'_>) -> io::Result<Checksum> {
    let mut root = contents.merged()?;
    deployable::check(&root).map_err(io::Error::other)?;
    root.remove_if_empty_file("usr/etc/hostname");
    root.remove_if_empty_file("usr/etc/resolv.conf");
    let trees = contents.layers.iter().chain([&root]);
    let labels = contents.policy.map(|policy| policy.of_directories(trees)).transpose()?;
    let timestamp = created(image);
    let version = [("ostree.importer.version", IMPORTER_VERSION)];
    let in_base = contents.base.map_or(0, Base::layers);
    for (index, facts) in image.layers().iter().enumerate() {
        let commit = match (contents.base, contents.layers.get(index.wrapping_sub(in_base))) {
            (Some(base), _) if index < in_base => base.layer_commit(index, store)?,
            (_, Some(layer)) => {
                let (tree, meta) = write_tree(store, layer, labels.as_ref(), "/")?;
                write_commit(store, &gvariant::Commit { metadata: &version, parent: None, timestamp, tree, meta })?
            }
            _ => return Err(io::Error::other(format!("layer {} was not read", index + 1))),
        };
        refs::write(store.path(), &refs::blob(&facts.digest), &commit)?;
    }
    let metadata = [
        ("ostree.manifest-digest", image.manifest_digest().to_string()),
        ("ostree.manifest", canonical_json(image.manifest())?),
        ("ostree.container.image-config", canonical_json(image.config())?),
        ("ostree.importer.version", IMPORTER_VERSION.to_owned()),
    ];
    let metadata: Vec<(&str, &str)> = metadata.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let (tree, meta) = write_tree(store, &root, labels.as_ref(), "/")?;
    let parent = contents.base.map(|base| base.commit);
    let commit = write_commit(store, &gvariant::Commit { metadata: &metadata, parent, timestamp, tree, meta })?;
    refs::write(store.path(), &refs::image(target), &commit)?;
    Ok(commit)
}

fn write_commit(store: &Store, commit: &gvariant::Commit<'_>) -> io::Result<Checksum> {
    store.write_metadata("commit", &gvariant::commit(commit))
}

/// The label of every directory, where they are labelled.
type Labels = BTreeMap<String, Label>;

/// Writes the dirtree and dirmeta objects of `dir` and everything below.
fn write_tree(store: &Store, dir: &Dir, labels: Option<&Labels>, path: &str) -> io::Result<(Checksum, Checksum)> {
    let mut files: Vec<(&[u8], Checksum)> = Vec::new();
    let mut dirs: Vec<(&[u8], Checksum, Checksum)> = Vec::new();
    for (name, node) in &dir.entries {
        match node {
            Node::File(file) => match &file.content {
                Content::Object(sum) if store.has(sum) => files.push((name, *sum)),
                Content::Object(sum) => {
                    let name = show(std::slice::from_ref(name));
                    return Err(io::Error::other(format!("'{name}': no layer brings the object {}", hex(sum))));
                }
                _ => return Err(io::Error::other(format!("'{}' was never stored", show(std::slice::from_ref(name))))),
            },
            Node::Dir(sub) => {
                let (tree, meta) = write_tree(store, sub, labels, &labels::child(path, name))?;
                dirs.push((name, tree, meta));
            }
        }
    }
    let meta = match labels {
        Some(labels) => store.write_dirmeta(&labels::labelled(&dir.meta, labels.get(path).cloned().flatten()))?,
        None => store.write_dirmeta(&dir.meta)?,
    };
    Ok((store.write_metadata("dirtree", &gvariant::dirtree(files, dirs))?, meta))
}

/// Sorted keys, no white space: what the `canon-json` of bootc writes.
fn canonical_json(raw: &[u8]) -> io::Result<String> {
    let value: serde_json::Value = serde_json::from_slice(raw)?;
    Ok(value.to_string())
}

/// When the image says it was made, in seconds since 1970; now, where it does not say.
fn created(image: &Image) -> u64 {
    let annotation = |raw: &[u8], pointer: &str| {
        let value: serde_json::Value = serde_json::from_slice(raw).ok()?;
        let text = value.pointer(pointer)?.as_str()?;
        let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        u64::try_from(time.timestamp()).ok()
    };
    annotation(image.manifest(), "/annotations/org.opencontainers.image.created")
        .or_else(|| annotation(image.config(), "/created"))
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()))
}

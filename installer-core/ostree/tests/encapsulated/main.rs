//! Ostree-encapsulated images, made from commits of libostree and imported by our importer;
//! libostree says what came of it. Needs root (owners, attributes) and `ostree`.

// Outside of `#[test]` functions too, a test that cannot go on has failed.
#![allow(clippy::unwrap_used)]

mod encapsulate;
mod hostile;
mod labels;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use encapsulate::{Xattrs, layers};
use ostree::glib::prelude::*;
use ostree::{gio, glib};
use world::*;

const NONE: Option<&gio::Cancellable> = None;

/// A source repository with one commit, and that commit's layers.
struct Source {
    dir: tempfile::TempDir,
    commit: String,
    layers: Vec<Vec<u8>>,
}

impl Source {
    fn new(change: impl FnOnce(&Path), chunks: usize, xattrs: Xattrs, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (tree, path) = (dir.path().join("tree"), dir.path().join("repo"));
        system(&tree);
        change(&tree);
        let repo = repository(&path);
        let commit = commit(&path, &tree, "source", more);
        let detached = glib::VariantDict::new(None);
        detached.insert("note", "said of the commit, not by it");
        repo.write_commit_detached_metadata(&commit, Some(&detached.end()), NONE).unwrap();
        Source { layers: layers(&repo, &commit, chunks, xattrs), commit, dir }
    }

    fn repo(&self) -> std::path::PathBuf {
        self.dir.path().join("repo")
    }

    /// What a commit of the base with changes looks like, made by libostree.
    fn changed(&self, change: impl FnOnce(&Path), more: &[&str]) -> String {
        let root = self.dir.path().join("changed");
        ostree(&self.repo(), &["checkout", "--union", "--force-copy", &self.commit, root.to_str().unwrap()]);
        change(&root);
        let commit = commit(&self.repo(), &root, "changed", more);
        listing(&self.repo(), &commit)
    }
}

/// The commit that libostree makes to list a layer's objects.
fn list_commit(scratch: &Path, tar: &[u8]) -> String {
    let repo = repository(scratch);
    let objects: BTreeSet<String> = tar::Archive::new(tar)
        .entries()
        .unwrap()
        .map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap())
        .filter(|path| path.starts_with("sysroot/") && path.ends_with(".file"))
        .map(|path| path["sysroot/ostree/repo/objects/".len()..path.len() - ".file".len()].replace('/', ""))
        .collect();
    let info = gio::FileInfo::new();
    info.set_attribute_uint32("unix::uid", 0);
    info.set_attribute_uint32("unix::gid", 0);
    info.set_attribute_uint32("unix::mode", 0o40755);
    let meta = ostree::create_directory_metadata(&info, None);
    let meta = repo.write_metadata(ostree::ObjectType::DirMeta, None, &meta, NONE).unwrap().to_hex();
    let tree = ostree::MutableTree::new();
    objects.iter().for_each(|sum| tree.replace_file(sum, sum).unwrap());
    tree.set_metadata_checksum(&meta);
    let root = repo.write_mtree(&tree, NONE).unwrap();
    let root = root.downcast_ref::<ostree::RepoFile>().unwrap();
    repo.write_commit_with_time(None, None, None, None, root, 0, NONE).unwrap().to_string()
}

#[test]
fn a_base_alone_comes_out_as_it_went_in() {
    for (chunks, xattrs) in [(3, Xattrs::Repeated), (3, Xattrs::Linked), (0, Xattrs::Repeated)] {
        let source = Source::new(|_| (), chunks, xattrs, &[]);
        let result = try_import(&source.layers, chunks + 1, false).unwrap();
        ostree(&result.repo, &["fsck"]);
        assert_eq!(listing(&result.repo, &source.commit), listing(&source.repo(), &source.commit));
        let detached = |repo: &Path| ostree(repo, &["show", "--print-detached-metadata-key=note", &source.commit]);
        assert_eq!(detached(&result.repo), detached(&source.repo()));

        let mut expected = vec![source.commit.clone()];
        for (index, tar) in source.layers[1..].iter().enumerate() {
            expected.push(list_commit(&source.dir.path().join(format!("list-{index}")), tar));
        }
        let mut refs = layer_refs(&result);
        refs.sort();
        expected.sort();
        assert_eq!(refs, expected);

        let changed = source.changed(|root| fs::remove_file(root.join("usr/etc/resolv.conf")).unwrap(), &[]);
        assert_eq!(listing(&result.repo, &result.commit), changed);
        let parent = format!("{}^", result.commit);
        assert_eq!(ostree(&result.repo, &["rev-parse", &parent]).trim(), source.commit);
        let shown = ostree(&result.repo, &["show", &result.commit]);
        assert!(shown.contains("2026-01-02 03:04:05"), "{shown}");
    }
}

/// A header as container engines write it: with a time, unlike those of the base.
fn header(kind: tar::EntryType, mode: u32, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_767_225_600);
    header.set_size(size as u64);
    header
}

fn entry(tar: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) {
    tar.append_data(&mut header(tar::EntryType::Regular, mode, content.len()), path, content).unwrap();
}

fn hard_link(tar: &mut tar::Builder<Vec<u8>>, path: &str, target: &str) {
    tar.append_link(&mut header(tar::EntryType::Link, 0o644, 0), path, target).unwrap();
}

fn object_of(source: &Source, path: &str) -> String {
    let line = ostree(&source.repo(), &["ls", "-C", &source.commit, path]);
    let sum = line.split_whitespace().nth(4).unwrap().to_owned();
    format!("sysroot/ostree/repo/objects/{}/{}.file", &sum[..2], &sum[2..])
}

/// A layer as a container build leaves it: whiteouts, changes, and objects of the base that
/// were changed through one of their names.
fn layer_above(source: &Source) -> Vec<u8> {
    let changed = object_of(source, "/usr/bin/linked");
    let kept = object_of(source, "/usr/lib/many/3");
    let mut tar = tar::Builder::new(Vec::new());
    entry(&mut tar, "etc/hosts", 0o600, b"changed");
    entry(&mut tar, "opt/tool/run", 0o755, b"tool");
    entry(&mut tar, &changed, 0o755, b"changed through a link");
    hard_link(&mut tar, "usr/bin/linked", &changed);
    hard_link(&mut tar, "usr/bin/linked-too", &format!("/{changed}"));
    hard_link(&mut tar, "etc/linked-as-well", &changed);
    hard_link(&mut tar, "usr/lib/third", &kept);
    entry(&mut tar, "usr/bin/.wh.gone", 0o644, b"");
    entry(&mut tar, "usr/share/opaque/.wh..wh..opq", 0o644, b"");
    entry(&mut tar, "usr/share/opaque/new", 0o644, b"new");
    entry(&mut tar, "run/secrets/x", 0o644, b"dropped");
    tar.into_inner().unwrap()
}

fn change_by_hand(root: &Path) {
    write(root, "usr/etc/hosts", 0o600, "changed");
    for name in ["usr/bin/linked", "usr/bin/linked-too", "usr/etc/linked-as-well"] {
        write(root, name, 0o755, "changed through a link");
    }
    fs::copy(root.join("usr/lib/many/3"), root.join("usr/lib/third")).unwrap();
    for name in ["usr/bin/gone", "usr/share/opaque/old", "usr/etc/resolv.conf"] {
        fs::remove_file(root.join(name)).unwrap();
    }
    write(root, "usr/share/opaque/new", 0o644, "new");
}

#[test]
fn layers_above_are_laid_over_the_base() {
    let composefs = "[composefs]\nenabled = yes\n";
    for config in [None, Some(composefs), Some("[root]\ntransient=true\n")] {
        let prepare = |root: &Path| {
            if let Some(text) = config {
                write(root, "usr/lib/ostree/prepare-root.conf", 0o644, text);
            }
        };
        let mut source = Source::new(prepare, 2, Xattrs::Repeated, &[]);
        source.layers.push(layer_above(&source));
        let result = try_import(&source.layers, 3, false).unwrap();
        ostree(&result.repo, &["fsck"]);
        let expected = source.changed(
            |root| {
                change_by_hand(root);
                if config.is_some() {
                    write(root, "opt/tool/run", 0o755, "tool");
                }
            },
            &[],
        );
        assert_eq!(listing(&result.repo, &source.commit), listing(&source.repo(), &source.commit));
        assert_same(&listing(&result.repo, &result.commit), &expected);
        assert_eq!(result.warnings.len(), usize::from(config.is_none()), "{:?}", result.warnings);
        assert!(result.warnings.iter().all(|warning| warning.contains(": /opt")));
        assert_eq!(layer_refs(&result).len(), 4);
    }
}

#[test]
fn a_link_to_an_object_that_no_layer_brings_is_an_error() {
    let mut source = Source::new(|root| symlink("x", root.join("usr/y")).unwrap(), 1, Xattrs::Linked, &[]);
    let mut tar = tar::Builder::new(Vec::new());
    hard_link(&mut tar, "usr/lib/third", &format!("sysroot/ostree/repo/objects/ab/{:062}.file", 0));
    source.layers.push(tar.into_inner().unwrap());
    let error = try_import(&source.layers, 2, false).err().unwrap();
    assert!(error.contains("'third': no layer brings the object ab00"), "{error}");
}

//! libostree as the judge: what we import must be, checksum for checksum, what libostree's own
//! tools make of the same layers.
//!
//! Layer: `ostree commit --tree=tar=…` with /etc moved to /usr/etc. Merge: the layers checked
//! out one over the other with whiteouts, and committed again.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::Installed;
use crate::support::mini_image::blob_path;
use crate::support::mini_system::mini_system;
use crate::support::site::{Mounted, Site, kickstart};
use crate::support::{demo_image, need, run};
use serde_json::Value;

/// A scratch repository of libostree's own.
struct Judge {
    repo: PathBuf,
}

impl Judge {
    fn new(dir: &Path) -> Self {
        let judge = Self { repo: dir.join("judge") };
        judge.ostree(&["init", "--mode=bare"]);
        judge
    }

    fn ostree(&self, args: &[&str]) -> String {
        run(Command::new(need("ostree", "ostree")).arg(format!("--repo={}", self.repo.display())).args(args))
    }

    /// Commits `blob` (a tar, compressed or not) as the branch `layer-N`.
    fn layer(&self, blob: &Path, number: usize) -> String {
        let branch = format!("--branch=layer-{number}");
        let tree = format!("--tree=tar={}", blob.display());
        let filter = "--tar-pathname-filter=^etc(?=/|$),usr/etc";
        self.ostree(&["commit", &branch, &tree, "--tar-autocreate-parents", "--no-bindings", filter]);
        format!("layer-{number}")
    }

    /// The layers one over the other, committed as `merged`.
    fn merge(&self, dir: &Path, layers: usize) -> String {
        let tree = dir.join("tree").display().to_string();
        for number in 0..layers {
            let layer = format!("layer-{number}");
            self.ostree(&["checkout", "--union", "--whiteouts", "--force-copy", &layer, &tree]);
        }
        // What an image has these for is to keep the builder's own out of it.
        for name in ["hostname", "resolv.conf"] {
            let file = Path::new(&tree).join("usr/etc").join(name);
            if std::fs::metadata(&file).is_ok_and(|meta| meta.len() == 0) {
                std::fs::remove_file(&file).unwrap();
            }
        }
        self.ostree(&["commit", "--branch=merged", &format!("--tree=dir={tree}"), "--no-bindings"]);
        "merged".to_owned()
    }

    fn listing(&self, commit: &str) -> String {
        self.ostree(LISTING.iter().copied().chain([commit]).collect::<Vec<_>>().as_slice())
    }
}

/// Modes, owners, sizes, checksums of content, trees and directories, attributes.
const LISTING: &[&str] = &["ls", "--recursive", "--checksum", "--xattrs"];

/// The layers of the image `tag` of a layout, lowest first.
fn layers(layout: &Path, tag: &str) -> Vec<String> {
    let read = |path: PathBuf| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let index = read(layout.join("index.json"));
    let entry = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .find(|manifest| manifest["annotations"]["org.opencontainers.image.ref.name"] == tag);
    let manifest = read(blob_path(layout, entry.expect(tag)["digest"].as_str().unwrap()));
    let digests = manifest["layers"].as_array().unwrap().iter();
    digests.map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

fn compare(site: &Site, layout: &Path, tag: &str, partition: u32) {
    let mounted = Mounted::partition(&site.path("disk.img"), partition);
    let system = Installed::find(mounted.path(), "default");
    let judge = Judge::new(site.dir.path());
    let digests = layers(layout, tag);
    for (number, digest) in digests.iter().enumerate() {
        let theirs = judge.listing(&judge.layer(&blob_path(layout, digest), number));
        let reference = format!("ostree/container/blob/{}", digest.replace(':', "_3A_"));
        let ours = system.ostree(&[LISTING, &[&reference]].concat());
        same(&format!("layer {number} of {tag}"), &ours, &theirs);
    }
    let theirs = judge.listing(&judge.merge(site.dir.path(), digests.len()));
    same(&format!("the merge of {tag}"), &system.ostree(&[LISTING, &[&system.commit]].concat()), &theirs);
    // And what was deployed is that commit, with /etc made from /usr/etc.
    system.ostree(&["fsck"]);
}

fn same(what: &str, ours: &str, theirs: &str) {
    assert!(theirs.lines().count() > 3, "{what}: the judge saw next to nothing:\n{theirs}");
    if ours == theirs {
        return;
    }
    let only = |a: &str, b: &str| -> String {
        let other: std::collections::HashSet<&str> = b.lines().collect();
        a.lines().filter(|line| !other.contains(line)).take(20).collect::<Vec<_>>().join("\n")
    };
    panic!(
        "{what} is not what libostree makes.\nours alone:\n{}\nlibostree's alone:\n{}",
        only(ours, theirs),
        only(theirs, ours)
    );
}

#[test]
fn a_mini_image_is_what_libostree_makes_of_it() {
    let site = Site::with(mini_system());
    site.install_image(&[]).exits(0);
    compare(&site, &site.path("oci"), "mini", 1);
}

#[test]
fn the_demo_image_is_what_libostree_makes_of_it() {
    let layout = demo_image();
    let site = Site::with(mini_system());
    site.write("site.ks", &kickstart("").replace("--size=520", "--size=1024"));
    let image = format!("oci:{}:demo", layout.display());
    site.install(&["--image", &image, "--disk-image", "disk.img", "--size", "1500M"]).exits(0);
    compare(&site, &layout, "demo", 1);
}

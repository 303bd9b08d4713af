//! bootc's importer as the judge of ours: the same image, imported by both, is the same tree under
//! the same refs with the same metadata, layer by layer and as a whole. Differences that are
//! meant are listed in `docs/agreement.md`.
//!
//! What judges plain images is `tests/peer` with the published parts of that importer; what
//! judges those that contain an OSTree commit is the importer itself. So each image is compared
//! twice: as it is, and with its layers on top of such a commit.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use installer_core::Cancel;
use installer_core::deploy::import::{Import, import};
use installer_core::event::{Event, Sink};
use installer_core::host::{Real, set_libexec};
use installer_core::image::{self, Access};
use tempfile::TempDir;

use crate::support::layout;
use crate::support::mini_image::MiniImage;
use crate::support::mini_system::mini_system;
use crate::support::odd_image::{POLICY, odd_image, parentless, policy, without_empty_files};
use crate::support::peer::{Peer, Told, layer_ref, listing, ostree, refs, repository};
use crate::support::{demo_image, ostree_program, source_root};

/// The name for updates, as we write it and as an origin has it.
const NAME: &str = "docker://registry.example/os:1";
const ORIGIN: &str = "ostree-unverified-registry:registry.example/os:1";
/// What the merged commit says, but for what the published importer has in addition.
const KEYS: [&str; 4] =
    ["ostree.container.image-config", "ostree.importer.version", "ostree.manifest", "ostree.manifest-digest"];
/// How many files of each layer were left out. bootc writes it no more.
const FILTERED: &str = "ostree.tar-filtered";

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn emit(&self, _: &Event) {}
}

/// The repositories of two importers.
struct Both {
    dir: TempDir,
    layout: PathBuf,
}

impl Both {
    fn new(layout: &Path) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), layout: layout.to_owned() }
    }

    /// Our commit, in `ours`.
    fn import_ours(&self, tag: &str) -> Result<String, String> {
        let repo = repository(self.dir.path(), "ours");
        let reference = format!("oci:{}:{tag}", self.layout.display()).parse().map_err(|error| format!("{error}"))?;
        let opened = image::open(&reference, "amd64", &Access::default(), Arc::new(Deaf)).map_err(|e| e.to_string())?;
        let facts = image::resolve(&opened).map_err(|error| error.to_string())?;
        let selinux = facts.selinux.is_some();
        set_libexec(ostree_program().parent().unwrap().to_owned());
        let (image, repo, cancel) = (&opened, repo.as_path(), &Cancel::new());
        let job = Import { image, repo, selinux, target: NAME, host: &Real, events: &Deaf, cancel };
        Ok(import(&job).map_err(|error| error.to_string())?.commit)
    }

    fn peer(&self) -> Peer {
        Peer::new().with("image", &self.layout).with("repos", self.dir.path())
    }

    /// What the peer made, in `theirs`.
    fn import_theirs(&self, tag: &str) -> Result<Told, String> {
        repository(self.dir.path(), "theirs");
        let image = format!("ostree-unverified-image:oci:/mnt/image:{tag}");
        self.peer().try_ask(&["import", "/mnt/repos/theirs", &image, "--target", ORIGIN]).map(|told| Told::read(&told))
    }

    fn ours(&self) -> PathBuf {
        self.dir.path().join("ours")
    }

    fn theirs(&self) -> PathBuf {
        self.dir.path().join("theirs")
    }
}

/// Imports `tag` of `layout` by both and compares everything.
fn agree(layout: &Path, tag: &str) {
    let both = Both::new(layout);
    let ours = both.import_ours(tag).unwrap();
    let theirs = both.import_theirs(tag).unwrap();
    for (number, digest) in theirs.layers.iter().enumerate() {
        let name = layer_ref(digest);
        let what = format!("layer {} of {tag}", number + 1);
        same(&what, &listing(&both.ours(), &name), &listing(&both.theirs(), &name));
    }
    same(&format!("the tree of {tag}"), &listing(&both.ours(), &ours), &listing(&both.theirs(), &theirs.commit));
    assert_eq!(refs(&both.ours()), refs(&both.theirs()), "the refs of {tag}");
    ostree(&both.ours(), &["fsck", "--quiet"]);

    // What we wrote, read by the peer.
    let read = both.peer().ask(&["images", "/mnt/repos/ours"]);
    assert_eq!(read.as_object().unwrap().len(), 1, "not one image: {read}");
    let read = Told::read(&read[NAME]);
    assert_eq!((&read.commit, &read.digest), (&ours, &theirs.digest), "of {tag}");
    assert_eq!(read.layers, theirs.layers, "of {tag}");
    assert_eq!(read.keys, KEYS, "the metadata of {tag}");
    let keys: Vec<String> = theirs.keys.into_iter().filter(|key| key != FILTERED).collect();
    assert_eq!(keys, KEYS, "the peer's metadata of {tag}");
}

/// Compares listings; of a difference the first lines are shown.
fn same(what: &str, ours: &str, theirs: &str) {
    assert!(theirs.lines().count() > 1, "{what}: the peer saw next to nothing:\n{theirs}");
    let difference = difference(ours, theirs);
    assert!(difference.is_empty(), "{what} is not what bootc's importer makes.\n{difference}");
}

fn difference(ours: &str, theirs: &str) -> String {
    if ours == theirs {
        return String::new();
    }
    let only = |a: &str, b: &str| -> String {
        let other: std::collections::HashSet<&str> = b.lines().collect();
        a.lines().filter(|line| !other.contains(line)).take(20).map(|line| format!("  {line}\n")).collect()
    };
    format!("ours alone:\n{}the peer's alone:\n{}", only(ours, theirs), only(theirs, ours))
}

/// Adds to `layout` an image `base` that is a commit of a small tree, made by the peer; with a
/// policy it is labelled.
fn add_base(layout: &Path, labelled: bool) {
    let dir = tempfile::tempdir().unwrap();
    let (tree, repo) = (dir.path().join("tree"), repository(dir.path(), "repo"));
    let write = |path: &str, text: &str| {
        let file = tree.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    // So that all of the layers above counts.
    write("usr/lib/ostree/prepare-root.conf", "[root]\ntransient = true\n");
    write("usr/lib/os-release", "ID=base\n");
    write("usr/share/base/file", "of the base\n");
    write("usr/share/odd/of-the-base", "of the base\n");
    std::fs::set_permissions(tree.join("usr/share/odd"), std::fs::Permissions::from_mode(0o710)).unwrap();
    let mut commit = vec!["commit", "--branch=base", "--timestamp=@1767225600"];
    let (from, policy) = (format!("--tree=dir={}", tree.display()), format!("--selinux-policy={}", tree.display()));
    commit.push(&from);
    if labelled {
        POLICY.iter().for_each(|(path, text)| write(&format!("usr/etc/{path}"), text));
        commit.push(&policy);
    }
    ostree(&repo, &commit);
    let peer = Peer::new().with("image", layout).with("repo", &repo);
    peer.ask(&["encapsulate", "/mnt/repo", "base", "oci:/mnt/image:base"]);
}

/// Compares `image` as it is and on top of a commit.
fn agree_twice(image: MiniImage, labelled: bool) {
    let dir = tempfile::tempdir().unwrap();
    image.write(dir.path(), "plain");
    agree(dir.path(), "plain");
    add_base(dir.path(), labelled);
    agree(dir.path(), "base");
    layout::stack(dir.path(), "base", "plain", "stacked");
    // The published importer does not take these two away when they are empty.
    MiniImage::empty().layer(without_empty_files()).write(dir.path(), "last");
    layout::stack(dir.path(), "stacked", "last", "both");
    agree(dir.path(), "both");
}

#[test]
fn about_a_small_system() {
    agree_twice(mini_system(), false);
}

#[test]
fn about_odd_images() {
    agree_twice(odd_image(), false);
}

#[test]
fn about_labels() {
    agree_twice(odd_image().layer(policy()), true);
}

#[test]
fn but_for_directories_above_one_that_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    MiniImage::bootable().layer(parentless()).write(dir.path(), "plain");
    let both = Both::new(dir.path());
    let ours = listing(&both.ours(), &both.import_ours("plain").unwrap());
    let theirs = listing(&both.theirs(), &both.import_theirs("plain").unwrap().commit);
    // Mode, owner and group.
    let of = |listing: &str, path: &str| {
        let line = listing.lines().find(|line| line.ends_with(path)).unwrap_or_else(|| panic!("no {path}"));
        line.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(&ours, " /usr/share/private"), "d00700 0 0");
    assert_eq!(of(&ours, " /usr/share/private/missing"), "d00755 0 0");
    // With these, docs/agreement.md is to be changed.
    assert_eq!(of(&theirs, " /usr/share/private"), "d00755 7 8");
    assert_eq!(of(&theirs, " /usr/share/private/missing"), "d00755 7 8");
}

#[test]
fn about_the_demo_image() {
    agree(&demo_image(), "demo");
}

/// Odd images from public reports that the importers judge differently, with the reasons in
/// docs/agreement.md.
const ODD: [(&str, &str); 5] = [
    ("i-hl-lower", "only the peer refuses it"),
    ("i-p-through", "other trees"),
    ("j-wh-through", "only we refuse it"),
    ("q-root-ssh", "other trees"),
    ("v-v3-v2", "only the peer refuses it"),
];

/// They are no part of this repository: `BOOTC_KS_ODD_IMAGES` says where they are, or they are
/// beside it.
#[test]
#[ignore = "wants images that are not in this repository"]
fn corpus_images_from_reports() {
    let beside = || source_root().join("../shared/cases/field/images");
    let dir = std::env::var_os("BOOTC_KS_ODD_IMAGES").map_or_else(beside, PathBuf::from);
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut layouts: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    layouts.sort();
    assert!(!layouts.is_empty(), "no image in {}", dir.display());
    let verdicts: Vec<(String, &str)> = layouts.iter().map(|layout| verdict(layout)).collect();
    println!("{} images", verdicts.len());
    let differ = verdicts.iter().map(|(name, verdict)| (name.as_str(), *verdict));
    let differ: Vec<_> = differ.filter(|(_, verdict)| !AGREE.contains(verdict)).collect();
    assert_eq!(differ, ODD);
}

/// Verdicts on which the importers agree.
const AGREE: [&str; 2] = ["the same tree", "both refuse it"];

/// The name of the image in a layout, and what the importers make of it.
fn verdict(layout: &Path) -> (String, &'static str) {
    let name = layout.file_name().unwrap().to_string_lossy().into_owned();
    let both = Both::new(layout);
    let tag = layout::tags(layout).remove(0);
    let (verdict, more) = match (both.import_ours(&tag), both.import_theirs(&tag)) {
        (Ok(ours), Ok(theirs)) => {
            let difference = difference(&listing(&both.ours(), &ours), &listing(&both.theirs(), &theirs.commit));
            (if difference.is_empty() { AGREE[0] } else { "other trees" }, difference)
        }
        (Err(ours), Err(theirs)) => (AGREE[1], format!("we: {ours}\nthe peer: {theirs}")),
        (Ok(_), Err(theirs)) => ("only the peer refuses it", theirs),
        (Err(ours), Ok(_)) => ("only we refuse it", ours),
    };
    println!("{name}: {verdict}\n{more}");
    (name, verdict)
}

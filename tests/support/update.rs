//! Two versions of an image in a registry, the second with one layer more, and what bootc's
//! importer has to see where the first one is installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::mini_image::{Layer, MiniImage};
use super::mini_system::mini_system;
use super::peer::{Peer, repository};
use super::registry::Registry;
use super::site::Site;
use super::{layout, need, run};

/// The two versions, and the directory of an installation.
pub struct Update {
    /// Where the installation is made.
    pub site: Site,
    /// Has the images.
    pub registry: Registry,
    /// Digests of the manifests, the old one first.
    pub digests: [String; 2],
    layers: Vec<String>,
}

impl Update {
    /// Two versions of an image, made by `make` in a layout as `old`; the new one has `news`.
    pub fn new(make: impl FnOnce(&Path), news: Layer) -> Self {
        let site = Site::with(mini_system());
        let layout = site.path("update");
        fs::create_dir(&layout).expect("making a layout");
        make(&layout);
        MiniImage::empty().layer(news).write(&layout, "news");
        layout::stack(&layout, "old", "news", "new");
        let registry = Registry::start();
        let digests = ["old", "new"].map(|tag| registry.push(&layout, tag, &format!("os:{tag}")));
        let update = Self { layers: layout::layers(&layout, "new"), site, registry, digests };
        update.publish("old");
        update
    }

    /// Makes a version the current one.
    fn publish(&self, tag: &str) {
        self.registry.push(&self.site.path("update"), tag, "os:latest");
    }

    /// The image as a reference has it.
    pub fn name(&self) -> String {
        format!("{}/os:latest", self.registry.address())
    }

    /// The image as an origin has it.
    pub fn origin(&self) -> String {
        format!("ostree-unverified-registry:{}", self.name())
    }

    /// Our image, read by the peer below the system root of `peer`; and no news of it.
    pub fn is_found(&self, peer: &Peer) {
        let status = peer.ask(&["status", "/mnt/sysroot"]);
        let images = status["images"].as_object().expect("images by name");
        let name = format!("docker://{}", self.name());
        assert_eq!(images.keys().collect::<Vec<_>>(), [&name], "{status}");
        assert_eq!(images[&name]["digest"], self.digests[0].as_str(), "{status}");
        let [deployment] = status["deployments"].as_array().expect("a list of deployments").as_slice() else {
            panic!("not one: {status}")
        };
        assert_eq!(deployment["origin"], self.origin().as_str(), "{status}");
        assert_eq!(deployment["digest"], self.digests[0].as_str(), "{status}");
        assert_eq!(deployment["stateroot"], "default", "{status}");
        assert_eq!(deployment["commit"], images[&name]["commit"], "{status}");
        let nothing = peer.ask(&["prepare", "/mnt/sysroot", &self.origin()]);
        assert_eq!(nothing["unchanged"], true, "{nothing}");
    }

    /// The new version is published, and of its layers the last alone is wanted.
    pub fn one_layer_is_needed(&self, peer: &Peer) {
        self.publish("new");
        let answer = peer.ask(&["prepare", "/mnt/sysroot", &self.origin()]);
        let (last, rest) = self.layers.split_last().expect("layers");
        assert_eq!(answer["digest"], self.digests[1].as_str(), "{answer}");
        assert_eq!(answer["needed"], serde_json::json!([last]), "{answer}");
        assert_eq!(answer["present"], serde_json::json!(rest), "{answer}");
    }
}

/// Writes to `layout`, as `old`, what the peer makes of an image's commit.
pub fn encapsulate(image: MiniImage, layout: &Path) {
    let dir = tempfile::tempdir().expect("making a directory");
    let plain = dir.path().join("plain");
    image.write(&plain, "plain");
    encapsulate_tag(&plain, "plain", layout);
}

/// The same of the image `tag` in the layout `plain`.
pub fn encapsulate_tag(plain: &Path, tag: &str, layout: &Path) {
    let dir = tempfile::tempdir().expect("making a directory");
    let repo = repository(dir.path(), "repo");
    let peer = Peer::new().with("plain", plain).with("repo", &repo).with("layout", layout);
    let image = format!("ostree-unverified-image:oci:/mnt/plain:{tag}");
    let commit = peer.ask(&["import", "/mnt/repo", &image]);
    // A tree with all that the image's has, in a commit of its own: as from a build of packages.
    let script = "set -e; ostree --repo=\"$0\" checkout --force-copy \"$1\" \"$2\"; \
                  ostree --repo=\"$0\" commit --branch=built --tree=dir=\"$2\" \
                  --add-metadata=ostree.bootable=true --timestamp=@1767225600";
    let tree = dir.path().join("tree");
    let mut sh = Command::new(need("sh", "dash"));
    run(sh.args(["-c", script]).arg(&repo).arg(commit["commit"].as_str().expect("a commit")).arg(&tree));
    peer.ask(&["encapsulate", "/mnt/repo", "built", "oci:/mnt/layout:old"]);
}

/// What a status of the peer has of the deployments: digest and kernel arguments, the one that
/// starts next first.
pub fn deployments(status: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let kargs = |one: &Value| one["kargs"].as_array().expect("kernel arguments").iter().map(text).collect();
    let list = status["deployments"].as_array().expect("a list of deployments");
    list.iter().map(|one| (text(&one["digest"]), kargs(one))).collect()
}

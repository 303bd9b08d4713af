//! Tiny OCI images made in milliseconds: for what a registry, an importer or a
//! plan can get wrong without anything having to boot.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::disk::sha256_hex;
pub use super::mini_layer::{Compression, Layer};

const OCI: &str = "application/vnd.oci.image";
/// What the images say of their age.
pub const CREATED: &str = "2026-01-01T00:00:00Z";
/// The kernel version of [`MiniImage::bootable`].
pub const KERNEL: &str = "6.1.0-test";

/// An image under construction.
pub struct MiniImage {
    layers: Vec<Layer>,
    labels: BTreeMap<String, String>,
    architecture: String,
}

impl MiniImage {
    /// No layer, no label, amd64.
    pub fn empty() -> Self {
        Self { layers: Vec::new(), labels: BTreeMap::new(), architecture: "amd64".to_owned() }
    }

    /// What passes every check without being able to boot: labels, a "kernel",
    /// an "initramfs", `/etc`, `/usr/lib/os-release` and the ostree links.
    pub fn bootable() -> Self {
        let modules = format!("usr/lib/modules/{KERNEL}");
        let mut layer = Layer::new(Compression::Gzip);
        for dir in ["boot", "dev", "etc", "proc", "run", "sys", "sysroot", "tmp", "usr", "usr/lib", "usr/lib/modules"] {
            layer = layer.dir(dir, 0o755);
        }
        let layer = layer
            .dir(&modules, 0o755)
            .dir("var", 0o755)
            .symlink("ostree", "sysroot/ostree")
            .file(&format!("{modules}/vmlinuz"), 0o644, b"not a kernel\n")
            .file(&format!("{modules}/initramfs.img"), 0o600, b"not an initramfs\n")
            .file("etc/hosts", 0o644, b"127.0.0.1 localhost\n")
            .file("usr/lib/os-release", 0o644, b"ID=mini\nVERSION_ID=1\nPRETTY_NAME=\"Mini\"\n")
            .symlink("etc/os-release", "../usr/lib/os-release");
        Self::empty().label("containers.bootc", "1").label("ostree.bootable", "true").layer(layer)
    }

    /// Adds a layer on top.
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Sets a label.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a label away.
    pub fn without_label(mut self, name: &str) -> Self {
        self.labels.remove(name);
        self
    }

    /// The architecture in Go's words: `amd64`, `arm64`, ….
    pub fn architecture(mut self, architecture: &str) -> Self {
        architecture.clone_into(&mut self.architecture);
        self
    }

    /// Adds the image to the OCI layout in `layout` under `tag` and returns the
    /// digest of its manifest.
    pub fn write(self, layout: &Path, tag: &str) -> String {
        let descriptor = self.write_blobs(layout);
        add_to_index(layout, tag, &descriptor)
    }

    fn write_blobs(self, layout: &Path) -> Value {
        let (mut layers, mut diff_ids, mut history) = (Vec::new(), Vec::new(), Vec::new());
        for layer in self.layers {
            let (blob, media_type, diff_id) = layer.finish();
            layers.push(put(layout, &media_type, &blob));
            diff_ids.push(diff_id);
            history.push(json!({ "created": CREATED, "created_by": "a test" }));
        }
        let platform = json!({ "architecture": self.architecture, "os": "linux" });
        let config = json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": CREATED,
            "config": { "Labels": self.labels },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": history,
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": format!("{OCI}.manifest.v1+json"),
            "config": put(layout, &format!("{OCI}.config.v1+json"), config.to_string().as_bytes()),
            "layers": layers,
            "annotations": { "org.opencontainers.image.created": CREATED },
        });
        let mut descriptor = put(layout, &format!("{OCI}.manifest.v1+json"), manifest.to_string().as_bytes());
        descriptor["platform"] = platform;
        descriptor
    }
}

/// Writes several images as one multi-platform index under `tag` and returns
/// the digest of the index.
pub fn write_index(layout: &Path, tag: &str, images: Vec<MiniImage>) -> String {
    let manifests: Vec<Value> = images.into_iter().map(|image| image.write_blobs(layout)).collect();
    let media_type = format!("{OCI}.index.v1+json");
    let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests });
    let descriptor = put(layout, &media_type, index.to_string().as_bytes());
    add_to_index(layout, tag, &descriptor)
}

/// Where a blob of an OCI layout lies.
pub fn blob_path(layout: &Path, digest: &str) -> std::path::PathBuf {
    layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
}

fn put(layout: &Path, media_type: &str, blob: &[u8]) -> Value {
    let digest = format!("sha256:{}", sha256_hex(blob));
    std::fs::create_dir_all(layout.join("blobs/sha256")).expect("making the layout");
    std::fs::write(blob_path(layout, &digest), blob).expect("writing a blob");
    json!({ "mediaType": media_type, "digest": digest, "size": blob.len() })
}

fn add_to_index(layout: &Path, tag: &str, descriptor: &Value) -> String {
    let path = layout.join("index.json");
    let mut index = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).expect("reading index.json"),
        Err(_) => json!({ "schemaVersion": 2, "manifests": [] }),
    };
    let mut entry = descriptor.clone();
    entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    index["manifests"].as_array_mut().expect("a list of manifests").push(entry);
    std::fs::write(&path, index.to_string()).expect("writing index.json");
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("writing oci-layout");
    descriptor["digest"].as_str().expect("a digest").to_owned()
}

//! OCI layouts taken apart and put together again: one image's layers on top of another's.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::disk::sha256_hex;
use super::mini_image::blob_path;
use super::{need, run};

/// The manifest of `tag`.
pub fn manifest(layout: &Path, tag: &str) -> Value {
    let index = read(&layout.join("index.json"));
    let entries = index["manifests"].as_array().expect("a list of manifests");
    let entry = entries.iter().find(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == tag);
    let entry = entry.unwrap_or_else(|| panic!("no {tag} in {index}"));
    read(&blob_path(layout, entry["digest"].as_str().expect("a digest")))
}

/// The names of the images.
pub fn tags(layout: &Path) -> Vec<String> {
    let index = read(&layout.join("index.json"));
    let entries = index["manifests"].as_array().expect("a list of manifests");
    let tag = |entry: &Value| entry["annotations"]["org.opencontainers.image.ref.name"].as_str().map(str::to_owned);
    entries.iter().filter_map(tag).collect()
}

/// The digests of the layers of `tag`, lowest first.
pub fn layers(layout: &Path, tag: &str) -> Vec<String> {
    let manifest = manifest(layout, tag);
    let layers = manifest["layers"].as_array().expect("a list of layers");
    layers.iter().map(|layer| layer["digest"].as_str().expect("a digest").to_owned()).collect()
}

/// Adds an image `tag`: the layers of the image `upper` on top of those of `base`, whose labels
/// it has.
pub fn stack(layout: &Path, base: &str, upper: &str, tag: &str) {
    let (mut image, upper) = (manifest(layout, base), manifest(layout, upper));
    let blob = |descriptor: &Value| read(&blob_path(layout, descriptor["digest"].as_str().expect("a digest")));
    let (mut config, above) = (blob(&image["config"]), blob(&upper["config"]));
    let extend = |to: &mut Value, from: &Value| {
        let from = from.as_array().cloned().unwrap_or_default();
        to.as_array_mut().expect("a list").extend(from);
    };
    extend(&mut image["layers"], &upper["layers"]);
    extend(&mut config["rootfs"]["diff_ids"], &above["rootfs"]["diff_ids"]);
    extend(&mut config["history"], &above["history"]);
    put(layout, &mut image["config"], &config);
    let mut entry = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json" });
    put(layout, &mut entry, &image);
    entry["platform"] = json!({ "architecture": config["architecture"], "os": "linux" });
    entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    let index_file = layout.join("index.json");
    let mut index = read(&index_file);
    index["manifests"].as_array_mut().expect("a list of manifests").push(entry);
    std::fs::write(index_file, index.to_string()).expect("writing index.json");
}

/// Copies a layout into the directory `to`, where the image `tag` is called `name`.
pub fn copy(from: &Path, to: &Path, tag: &str, name: &str) {
    run(Command::new(need("cp", "coreutils")).args(["-a", "--reflink=auto"]).arg(from.join(".")).arg(to));
    let index_file = to.join("index.json");
    let mut index = read(&index_file);
    for entry in index["manifests"].as_array_mut().expect("a list of manifests") {
        let tagged = &mut entry["annotations"]["org.opencontainers.image.ref.name"];
        if tagged == tag {
            *tagged = json!(name);
        }
    }
    std::fs::write(index_file, index.to_string()).expect("writing index.json");
}

fn read(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

fn put(layout: &Path, descriptor: &mut Value, content: &Value) {
    let bytes = content.to_string();
    let digest = format!("sha256:{}", sha256_hex(bytes.as_bytes()));
    std::fs::write(blob_path(layout, &digest), &bytes).expect("writing a blob");
    descriptor["digest"] = json!(digest);
    descriptor["size"] = json!(bytes.len());
}

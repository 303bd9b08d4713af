//! An image on the medium: an OCI layout with one manifest in it. Every layer is verified while
//! it is copied; what is on the medium is what its digests say.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use installer_core::error::Context as _;
use installer_core::event::{Event, Sink};
use installer_core::image::{Image, read_error};
use installer_core::units::Digest;
use installer_core::{Result, Stage};
use serde_json::{Value, json};

/// What manifests are that do not say what they are.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes the layout of `image` into `dir`, which is made.
pub(crate) fn write(image: &Image, dir: &Path, events: &dyn Sink) -> Result<()> {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).doing(Stage::Media, format!("making {}", blobs.display()))?;
    let layers = image.layers();
    let mut there = BTreeSet::new();
    for (index, layer) in layers.iter().enumerate() {
        // The empty layer may be there more than once.
        if !there.insert(layer.digest.hex()) {
            continue;
        }
        events.emit(&Event::LayerStarted {
            layer: index + 1,
            layers: layers.len(),
            digest: layer.digest.clone(),
            size: layer.size,
        });
        let path = blobs.join(layer.digest.hex());
        let mut file = File::create(&path).doing(Stage::Media, format!("writing {}", path.display()))?;
        io::copy(&mut image.layer(index)?, &mut file).map_err(|error| {
            read_error(Stage::Media, format!("copying layer {} of {}", index + 1, image.reference()), error)
        })?;
    }
    let put =
        |path: &Path, bytes: &[u8]| fs::write(path, bytes).doing(Stage::Media, format!("writing {}", path.display()));
    put(&blobs.join(Digest::of(image.config()).hex()), image.config())?;
    put(&blobs.join(image.manifest_digest().hex()), image.manifest())?;
    put(&dir.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    put(&dir.join("index.json"), index(image.manifest(), image.manifest_digest()).to_string().as_bytes())
}

fn index(manifest: &[u8], digest: &Digest) -> Value {
    let media_type = serde_json::from_slice::<Value>(manifest).ok();
    let media_type = media_type.as_ref().and_then(|value| value["mediaType"].as_str()).unwrap_or(MANIFEST);
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{ "mediaType": media_type, "digest": digest.to_string(), "size": manifest.len() }],
    })
}

//! Manifests, indexes and configurations: the part of the OCI and docker schema 2 formats
//! that an installer needs, read leniently where nothing hangs on it and strictly where
//! something does (digests, sizes, layer types, architecture).

use std::collections::BTreeMap;

use oci_client::manifest::{
    IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE, IMAGE_DOCKER_LAYER_TAR_MEDIA_TYPE, IMAGE_LAYER_GZIP_MEDIA_TYPE,
    IMAGE_LAYER_MEDIA_TYPE, IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
};
use serde::Deserialize;

use crate::error::{Error, Result, Stage};
use crate::units::{Bytes, Digest};

use super::cpu::Cpu;
use super::facts::LayerFacts;

/// No manifest and no configuration of a real image comes near this.
pub(super) const MAX_DOCUMENT: u64 = 4 << 20;

/// Nor do an index or a manifest have as many entries: container tools stop at some hundreds.
const MAX_ENTRIES: usize = 1000;

/// What may be asked of a registry.
pub(super) const ACCEPTED: &[&str] =
    &[OCI_IMAGE_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, IMAGE_MANIFEST_LIST_MEDIA_TYPE];

/// A reference to other content.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(default)]
    pub platform: Option<Platform>,
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    /// Its digest, if it is one that this tool can verify.
    pub fn digest(&self) -> Result<Digest> {
        self.digest.parse().map_err(|error| broken("manifest", format!("{error}")))
    }

    /// The name that an OCI layout gives it.
    pub fn name(&self) -> Option<&str> {
        self.annotations.as_ref()?.get("org.opencontainers.image.ref.name").map(String::as_str)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    /// Which processors of that architecture (`v3` of amd64); empty where there is one image for
    /// all of them.
    #[serde(default)]
    pub variant: String,
}

/// A document of a registry or a layout: an image or a list of them.
pub(super) enum Document {
    Manifest(Manifest),
    Index(Index),
}

#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub manifests: Vec<Descriptor>,
}

/// The part of an image's configuration that matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub variant: String,
    #[serde(default)]
    pub created: Option<String>,
    #[serde(default)]
    config: Option<Runtime>,
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct Runtime {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

impl Config {
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.config.as_ref().and_then(|config| config.labels.clone()).unwrap_or_default()
    }
}

fn broken(what: &str, why: impl std::fmt::Display) -> Error {
    Error::world(Stage::Resolve, format!("the image's {what} is broken: {why}"))
}

/// Reads a manifest or an index; which of both shows in its members, as `mediaType` is optional.
pub(super) fn parse(raw: &[u8]) -> Result<Document> {
    let value: serde_json::Value = serde_json::from_slice(raw).map_err(|error| broken("manifest", error))?;
    if value.get("schemaVersion").and_then(serde_json::Value::as_u64) != Some(2) {
        return Err(broken("manifest", "it is not of schema version 2")
            .hint("push the image again with a current tool (podman, skopeo, buildah)"));
    }
    let document = if value.get("manifests").is_some() {
        serde_json::from_value(value).map(Document::Index)
    } else {
        serde_json::from_value(value).map(Document::Manifest)
    };
    let document = document.map_err(|error| broken("manifest", error))?;
    let entries = match &document {
        Document::Manifest(manifest) => manifest.layers.len(),
        Document::Index(index) => index.manifests.len(),
    };
    if entries > MAX_ENTRIES {
        return Err(broken("manifest", format!("it has {entries} entries, and {MAX_ENTRIES} are the most")));
    }
    Ok(document)
}

/// Reads a configuration.
pub(super) fn parse_config(raw: &[u8]) -> Result<Config> {
    serde_json::from_slice(raw).map_err(|error| broken("configuration", error))
}

impl Index {
    /// The entry for `cpu`, for linux. An entry without a platform is taken if it is alone.
    pub fn select(&self, cpu: Cpu<'_>) -> Result<&Descriptor> {
        let arch = cpu.arch;
        let images: Vec<&Descriptor> = self.manifests.iter().filter(|entry| !is_attestation(entry)).collect();
        let fits = |platform: &&Platform| platform.architecture == arch && matches!(platform.os.as_str(), "linux" | "");
        let fitting = images.iter().filter_map(|entry| Some((*entry, entry.platform.as_ref().filter(fits)?)));
        let fitting: Vec<(&Descriptor, &Platform)> = fitting.collect();
        let runs = fitting.iter().filter(|(_, platform)| cpu.runs(&platform.variant));
        if let Some((entry, _)) = runs.min_by_key(|(_, platform)| cpu.preference(&platform.variant)) {
            return Ok(entry);
        }
        if let Some((_, platform)) = fitting.iter().min_by_key(|(_, platform)| &platform.variant) {
            cpu.check(&platform.variant)?;
        }
        if let [only] = images[..]
            && only.platform.is_none()
        {
            return Ok(only);
        }
        let mut there: Vec<String> = images
            .iter()
            .filter_map(|entry| entry.platform.as_ref())
            .map(|p| {
                if matches!(p.os.as_str(), "linux" | "") {
                    p.architecture.clone()
                } else {
                    format!("{}/{}", p.os, p.architecture)
                }
            })
            .collect();
        there.sort();
        there.dedup();
        Err(wrong_architecture(arch, &there))
    }
}

fn is_attestation(entry: &Descriptor) -> bool {
    let unknown = entry.platform.as_ref().is_some_and(|p| p.architecture == "unknown");
    unknown || entry.annotations.as_ref().is_some_and(|a| a.contains_key("vnd.docker.reference.type"))
}

/// The image is for other machines.
pub(super) fn wrong_architecture(arch: &str, there: &[String]) -> Error {
    let there = if there.is_empty() { "no architecture that it names".to_owned() } else { there.join(", ") };
    Error::world(Stage::Resolve, format!("the image is not there for {arch}: it exists for {there}"))
        .hint(format!("build and push it for {arch}, or install on a machine of another architecture"))
}

/// Pairs the manifest's layers with the configuration's diff ids, refusing what cannot be unpacked.
pub(super) fn layers(manifest: &Manifest, config: &Config) -> Result<Vec<LayerFacts>> {
    let ids = &config.rootfs.diff_ids;
    if ids.len() != manifest.layers.len() {
        return Err(broken(
            "manifest",
            format!("it has {} layers and its configuration {}", manifest.layers.len(), ids.len()),
        ));
    }
    if ids.is_empty() {
        return Err(broken("manifest", "it has no layers").hint("this is perhaps an artifact, not an image"));
    }
    let pair = |(layer, id): (&Descriptor, &String)| {
        compression(&layer.media_type)?;
        Ok(LayerFacts {
            digest: layer.digest()?,
            diff_id: id.parse().map_err(|error| broken("configuration", format!("{error}")))?,
            media_type: layer.media_type.clone(),
            size: Bytes(layer.size),
        })
    };
    manifest.layers.iter().zip(ids).map(pair).collect()
}

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// The compression that a layer's media type stands for; what is not a plain tar layer is
/// refused by name.
pub(super) fn compression(media_type: &str) -> Result<Compression> {
    let refuse = |why: &str| Err(Error::world(Stage::Resolve, format!("layers of type '{media_type}' {why}")));
    if media_type.ends_with("+encrypted") {
        return refuse("are encrypted, which is not supported");
    }
    if media_type.contains(".nondistributable.") || media_type.contains(".foreign.") {
        return refuse("lie outside of the registry (foreign layers), which is not supported");
    }
    // Parameters such as `; charset=` carry nothing here.
    match media_type.split(';').next().unwrap_or("").trim() {
        IMAGE_LAYER_MEDIA_TYPE | IMAGE_DOCKER_LAYER_TAR_MEDIA_TYPE => Ok(Compression::None),
        IMAGE_LAYER_GZIP_MEDIA_TYPE | IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE => Ok(Compression::Gzip),
        "application/vnd.oci.image.layer.v1.tar+zstd" | "application/vnd.docker.image.rootfs.diff.tar.zstd" => {
            Ok(Compression::Zstd)
        }
        _ => refuse("are not known to this tool"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_variants_the_one_that_updates_take_is_taken() {
        // The size tells which entry it was.
        let taken = |arch: &str, level: Option<u8>, variants: &[&str]| {
            let entries: Vec<String> = variants
                .iter()
                .enumerate()
                .map(|(size, variant)| {
                    let variant = if variant.is_empty() { String::new() } else { format!(r#","variant":"{variant}""#) };
                    let platform = format!(r#"{{"os":"linux","architecture":"{arch}"{variant}}}"#);
                    format!(r#"{{"digest":"{}","size":{size},"platform":{platform}}}"#, Digest::of(b""))
                })
                .collect();
            let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
            let Document::Index(index) = parse(text.as_bytes()).unwrap() else { panic!("an index was expected") };
            index.select(Cpu { arch, level }).unwrap().size
        };
        assert_eq!(taken("amd64", None, &["v3", "", "v2"]), 1);
        assert_eq!(taken("amd64", None, &["v3", "v2"]), 1);
        assert_eq!(taken("amd64", Some(3), &["v2", "v4", "v3", "v1"]), 2);
        assert_eq!(taken("amd64", Some(1), &["v3", "", "v2"]), 1);
        assert_eq!(taken("arm64", None, &["v9", "", "v8"]), 2);
        assert_eq!(taken("amd64", None, &["", ""]), 0);
    }

    fn index(entries: &[(&str, &str)]) -> Index {
        let digest = Digest::of(b"");
        let entry = |(os, arch): &(&str, &str)| match *arch {
            "" => format!(r#"{{"digest":"{digest}","size":1}}"#),
            arch => format!(r#"{{"digest":"{digest}","size":1,"platform":{{"os":"{os}","architecture":"{arch}"}}}}"#),
        };
        let list: Vec<String> = entries.iter().map(entry).collect();
        match parse(format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, list.join(",")).as_bytes()).unwrap() {
            Document::Index(index) => index,
            Document::Manifest(_) => panic!("an index was expected"),
        }
    }

    #[test]
    fn the_architectures_that_exist_are_named() {
        let several = index(&[("linux", "arm64"), ("linux", "s390x"), ("windows", "amd64"), ("unknown", "unknown")]);
        assert!(several.select(Cpu { arch: "arm64", level: None }).is_ok());
        let error = several.select(Cpu { arch: "amd64", level: None }).unwrap_err().to_string();
        assert!(error.contains("amd64: it exists for arm64, s390x, windows/amd64"), "{error}");
        assert!(index(&[("", "")]).select(Cpu { arch: "amd64", level: None }).is_ok());
        assert!(index(&[("", ""), ("", "")]).select(Cpu { arch: "amd64", level: None }).is_err());
        assert!(index(&[]).select(Cpu { arch: "amd64", level: None }).is_err());
    }

    #[test]
    fn layer_types_are_known_or_refused_by_name() {
        assert_eq!(compression("application/vnd.oci.image.layer.v1.tar+zstd").unwrap(), Compression::Zstd);
        for (media_type, part) in [
            ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign"),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar", "foreign"),
            ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "not known"),
            ("", "not known"),
        ] {
            let error = compression(media_type).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(media_type), "{error}");
        }
    }

    #[test]
    fn entries_have_a_limit() {
        let digest = Digest::of(b"");
        let entry = format!(r#"{{"digest":"{digest}","size":1}}"#);
        for (count, accepted) in [(1000, true), (1001, false)] {
            let all = vec![entry.as_str(); count].join(",");
            for text in [
                format!(r#"{{"schemaVersion":2,"manifests":[{all}]}}"#),
                format!(r#"{{"schemaVersion":2,"config":{entry},"layers":[{all}]}}"#),
            ] {
                assert_eq!(parse(text.as_bytes()).is_ok(), accepted, "{count}");
            }
        }
        assert!(parse("[".repeat(1 << 20).as_bytes()).is_err());
    }

    #[test]
    fn counts_must_agree() {
        let digest = Digest::of(b"");
        let layer = format!(r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{digest}","size":1}}"#);
        let raw = format!(r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":1}},"layers":[{layer}]}}"#);
        let Document::Manifest(manifest) = parse(raw.as_bytes()).unwrap() else { panic!("a manifest was expected") };
        let config = |ids: &str| {
            parse_config(format!(r#"{{"rootfs":{{"diff_ids":[{ids}]}},"config":null}}"#).as_bytes()).unwrap()
        };
        let id = format!("\"{digest}\"");
        assert_eq!(layers(&manifest, &config(&id)).unwrap().len(), 1);
        assert!(
            layers(&manifest, &config(&format!("{id},{id}")))
                .unwrap_err()
                .to_string()
                .contains("1 layers and its configuration 2")
        );
        assert!(layers(&manifest, &config("\"sha256:zz\"")).is_err());
        for garbage in [
            "",
            "[]",
            "{}",
            "null",
            "{\"schemaVersion\":1}",
            "{\"schemaVersion\":2}",
            "{\"schemaVersion\":2,\"manifests\":3}",
            "\u{0}",
        ] {
            assert!(parse(garbage.as_bytes()).is_err());
            assert!(parse_config(garbage.as_bytes()).is_err());
        }
    }
}

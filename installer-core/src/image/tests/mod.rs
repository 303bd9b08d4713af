//! The whole way from a reference to facts: against layouts on disk, a small registry made to
//! misbehave, and a real one.

mod base;
mod door;
mod facts;
mod layouts;
mod limits;
mod login;
mod misbehaving;
mod real;
mod refused;
mod reuse;
mod server;
mod stopped;
mod tls;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::error::{Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::units::{Bytes, Digest};

use super::initramfs::tests::gzip;
use super::*;

/// A tar stream under construction.
#[derive(Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, kind: tar::EntryType, path: &str, link: &str, data: &[u8]) -> Self {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o755);
        header.set_mtime(0);
        if link.is_empty() {
            builder.append_data(&mut header, path, data).unwrap();
        } else {
            builder.append_link(&mut header, path, link).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        // Without the two closing blocks.
        self.0.extend(&bytes[..bytes.len() - 1024]);
        self
    }

    /// With what every image has to have.
    pub fn system() -> Self {
        Self::default().dir("./usr/").file("usr/lib/os-release", "ID=small\n")
    }

    pub fn file(self, path: &str, data: impl AsRef<[u8]>) -> Self {
        self.entry(tar::EntryType::Regular, path, "", data.as_ref())
    }

    pub fn dir(self, path: &str) -> Self {
        self.entry(tar::EntryType::Directory, path, "", b"")
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(tar::EntryType::Symlink, path, target, b"")
    }

    pub fn hardlink(self, path: &str, target: &str) -> Self {
        self.entry(tar::EntryType::Link, path, target, b"")
    }

    /// What `other` has comes next.
    pub fn and(mut self, other: Tar) -> Self {
        self.0.extend(other.0);
        self
    }

    pub fn done(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

/// An image as blobs.
#[derive(Clone, Default)]
pub struct Made {
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub manifest: Vec<u8>,
    pub layers: Vec<Digest>,
}

pub const BOOTABLE: &str = r#"{"containers.bootc":"1"}"#;

/// An image of gzip-compressed layers.
pub fn made(arch: &str, labels: &str, tars: &[Vec<u8>]) -> Made {
    made_by("gzip", gzip, arch, labels, tars)
}

/// An image whose layers are compressed by `compress`.
pub fn made_by(how: &str, compress: impl Fn(&[u8]) -> Vec<u8>, arch: &str, labels: &str, tars: &[Vec<u8>]) -> Made {
    let mut image = Made::default();
    let mut descriptors = Vec::new();
    let mut ids = Vec::new();
    for tar in tars {
        let blob = compress(tar);
        let digest = Digest::of(&blob);
        ids.push(format!("\"{}\"", Digest::of(tar)));
        descriptors.push(format!(
            r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar+{how}","digest":"{digest}","size":{}}}"#,
            blob.len()
        ));
        image.layers.push(digest.clone());
        image.blobs.insert(digest.to_string(), blob);
    }
    let config = format!(
        r#"{{"architecture":"{arch}","os":"linux","created":"2026-01-02T03:04:05Z","config":{{"Labels":{labels}}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let config_digest = Digest::of(config.as_bytes());
    image.manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config_digest}","size":{}}},"layers":[{}]}}"#,
        config.len(),
        descriptors.join(",")
    )
    .into_bytes();
    image.blobs.insert(config_digest.to_string(), config.into_bytes());
    image
}

/// A small bootable image.
pub fn small() -> Made {
    made("amd64", BOOTABLE, &[Tar::system().file("usr/lib/modules/6.1/vmlinuz", "kernel").done()])
}

impl Made {
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// The entry of an index for this image.
    pub fn entry(&self, more: &str) -> String {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{}{more}}}"#,
            self.digest(),
            self.manifest.len()
        )
    }

    /// Puts the blobs, the manifest too, into a layout directory.
    pub fn write(&self, dir: &Path) {
        let blobs = dir.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        for (digest, data) in &self.blobs {
            std::fs::write(blobs.join(digest.strip_prefix("sha256:").unwrap()), data).unwrap();
        }
        std::fs::write(blobs.join(self.digest().hex()), &self.manifest).unwrap();
    }

    /// A layout directory with this image alone, under a tag.
    pub fn layout(&self, dir: &Path, tag: &str) {
        self.write(dir);
        write_index(dir, &[self.entry(&named(tag))]);
    }
}

pub fn named(tag: &str) -> String {
    format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}"#)
}

pub fn platform(arch: &str) -> String {
    format!(r#","platform":{{"os":"linux","architecture":"{arch}"}}"#)
}

pub fn index_of(entries: &[String]) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
        entries.join(",")
    )
    .into_bytes()
}

pub fn write_index(dir: &Path, entries: &[String]) {
    std::fs::write(dir.join("index.json"), index_of(entries)).unwrap();
}

/// Remembers what happened.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<Event>>>);

impl Sink for Heard {
    fn emit(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Heard {
    pub fn sink(&self) -> Arc<dyn Sink> {
        Arc::new(self.clone())
    }

    pub fn retries(&self) -> Vec<String> {
        let text = |event: &Event| if let Event::Retry { message, .. } = event { Some(message.clone()) } else { None };
        self.0.lock().unwrap().iter().filter_map(text).collect()
    }
}

/// Access that looks at nothing of this machine and does not wait long.
pub fn access(root: &Path) -> Access {
    Access {
        config_root: root.into(),
        authfile: None,
        retries: 3,
        first_wait: Duration::from_millis(5),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        ..Access::default()
    }
}

/// Opens what is on disk.
pub fn open_local(reference: &str) -> Result<Image> {
    open(&reference.parse().unwrap(), "amd64", &Access::default(), Arc::new(crate::event::Silent))
}

/// Everything that a reader gives.
pub fn read_all(mut reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    reader.read_to_end(&mut data)?;
    Ok(data)
}

/// What a layer's bytes are found to be, where they are not what they should be.
pub fn verify_error(error: &std::io::Error) -> &VerifyError {
    error.get_ref().and_then(|inner| inner.downcast_ref()).unwrap_or_else(|| panic!("not a VerifyError: {error:?}"))
}

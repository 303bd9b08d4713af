//! An image that was found: its documents are here, its layers can be read.

use std::io::Read;
use std::sync::Arc;

use super::access::{Access, Places};
use super::blobs::{Blobs, document};
use super::cpu::Cpu;
use super::facts::{LayerFacts, PolicyFacts};
use super::layer_cache::{self, LayerCache};
use super::manifest::{self, Descriptor, Document, Manifest};
use super::reference::{ImageReference, Place};
use super::verify::{Verified, decompress};
use super::{blob, layout, policy, registry};
use crate::cancel::Cancel;
use crate::error::{Error, Result, Stage};
use crate::event::Sink;
use crate::units::{Bytes, Digest};

/// The label of an ostree-encapsulated image.
const FINAL_DIFFID: &str = "ostree.final-diffid";

/// An image that was found and pinned: what it consists of can no longer change, and every
/// byte that comes out of it was verified or will be at the end of its stream.
pub struct Image {
    reference: ImageReference,
    manifest: Vec<u8>,
    manifest_digest: Digest,
    config: Vec<u8>,
    layers: Vec<LayerFacts>,
    pub(super) blobs: Box<dyn Blobs>,
    keep: LayerCache,
    pub(super) events: Arc<dyn Sink>,
    pub(super) cancel: Cancel,
    signature_policy: Option<PolicyFacts>,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} {})", self.reference, self.manifest_digest)
    }
}

/// Finds the image that `reference` names, for `arch` in OCI's words (`amd64`), if the signature
/// policy of this machine lets it be used.
pub fn open(reference: &ImageReference, arch: &str, access: &Access, events: Arc<dyn Sink>) -> Result<Image> {
    let doing = |error: Error| error.context(format!("opening {reference}"));
    let cpu = Cpu { arch, level: access.cpu_level };
    let signature_policy = policy::admit(&Places::of(access), reference)?;
    let admitted = |image: Image| Image { signature_policy, ..image };
    match reference.place() {
        Place::Registry { .. } => {
            let (registry, raw) = registry::connect(reference, access, events.clone())?;
            let (manifest, parsed) =
                descend(raw, cpu, &mut |entry| registry.manifest(&entry.digest()?)).map_err(doing)?;
            let blobs = Box::new(blob::Remote::new(registry));
            assemble(reference, manifest, &parsed, (cpu, access), (blobs, LayerCache::new(access)), events)
                .map(admitted)
                .map_err(doing)
        }
        Place::Layout(path) | Place::Archive(path) => {
            let layout = layout::Layout::open(reference, path).map_err(doing)?;
            let raw = layout.select(reference, cpu).map_err(doing)?;
            let (manifest, parsed) = descend(raw, cpu, &mut |entry| document(&layout, entry)).map_err(doing)?;
            let from = (Box::new(layout) as Box<dyn Blobs>, LayerCache::nothing());
            assemble(reference, manifest, &parsed, (cpu, access), from, events).map(admitted).map_err(doing)
        }
    }
}

/// Follows indexes down to the manifest for `arch`. `fetch` verifies what it brings.
fn descend(
    mut raw: Vec<u8>,
    cpu: Cpu<'_>,
    fetch: &mut dyn FnMut(&Descriptor) -> Result<Vec<u8>>,
) -> Result<(Vec<u8>, Manifest)> {
    // Deeper nesting does not occur; a bound keeps a hostile index from going round for ever.
    for _ in 0..4 {
        match manifest::parse(&raw)? {
            Document::Manifest(parsed) => return Ok((raw, parsed)),
            Document::Index(index) => raw = fetch(index.select(cpu)?)?,
        }
    }
    Err(Error::world(Stage::Resolve, "the image's indexes are nested too deeply"))
}

fn assemble(
    reference: &ImageReference,
    raw: Vec<u8>,
    parsed: &Manifest,
    (cpu, access): (Cpu<'_>, &Access),
    (blobs, keep): (Box<dyn Blobs>, LayerCache),
    events: Arc<dyn Sink>,
) -> Result<Image> {
    let config = document(&*blobs, &parsed.config).map_err(|error| error.context("reading its configuration"))?;
    let described = manifest::parse_config(&config)?;
    if described.architecture != cpu.arch {
        let there = if described.architecture.is_empty() { vec![] } else { vec![described.architecture.clone()] };
        return Err(manifest::wrong_architecture(cpu.arch, &there));
    }
    cpu.check(&described.variant)?;
    let layers = manifest::layers(parsed, &described)?;
    let manifest_digest = Digest::of(&raw);
    let (reference, cancel) = (reference.clone(), access.cancel.clone());
    let signature_policy = None;
    Ok(Image {
        reference,
        manifest: raw,
        manifest_digest,
        config,
        layers,
        blobs,
        keep,
        events,
        cancel,
        signature_policy,
    })
}

impl Image {
    /// From now on, trouble of the registry that may pass is waited out for a quarter of an hour:
    /// the caller has something to lose by giving up.
    pub fn persist(&self) {
        self.blobs.persist();
    }

    /// Whether every layer can be read without asking a registry: the image is a layout or an
    /// archive, or its layers were read and kept ([`Access::cache_in`]).
    pub fn at_hand(&self) -> bool {
        self.blobs.at_hand() || self.keep.has_all(self.layers.len())
    }

    /// Why layers that there was room for were not kept.
    pub fn keeping_trouble(&self) -> Option<String> {
        self.keep.trouble()
    }

    /// What its layers have together, as they are fetched.
    pub fn download_size(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// What was asked for.
    pub fn reference(&self) -> &ImageReference {
        &self.reference
    }

    /// The manifest for this architecture, byte for byte.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The digest of [`Image::manifest`].
    pub fn manifest_digest(&self) -> &Digest {
        &self.manifest_digest
    }

    /// The configuration, byte for byte.
    pub fn config(&self) -> &[u8] {
        &self.config
    }

    /// The rule of this machine's policy.json by which it may be used, where there is such a file.
    pub fn signature_policy(&self) -> Option<&PolicyFacts> {
        self.signature_policy.as_ref()
    }

    /// The layers, lowest first.
    pub fn layers(&self) -> &[LayerFacts] {
        &self.layers
    }

    /// How many of the lowest layers are an OSTree commit in pieces ("ostree-encapsulated"
    /// image): those up to the one whose diff id the label `ostree.final-diffid` names. 0 in
    /// other images.
    pub fn base_layers(&self) -> Result<usize> {
        let labels = manifest::parse_config(&self.config)?.labels();
        let Some(last) = labels.get(FINAL_DIFFID) else { return Ok(0) };
        let index = self.layers.iter().position(|layer| layer.diff_id.as_str() == last);
        index.map(|index| index + 1).ok_or_else(|| {
            Error::world(
                Stage::Resolve,
                format!("{}: the label {FINAL_DIFFID} names {last}, which is none of its layers", self.reference),
            )
            .hint("an ostree-encapsulated image must keep the layers of its base: build it without squashing")
        })
    }

    /// The compressed bytes of a layer. Several layers may be read at once, from several
    /// threads (not from inside of an async runtime). The reader
    ///
    /// - fails with a [`VerifyError`] inside of an [`std::io::Error`] if there is more or less
    ///   than was announced, or, in place of its end, if the digest is another one: what was
    ///   read before counts for nothing until `read` has returned 0. Drain it: a tar reader
    ///   stops before the end;
    /// - repeats what fails for the moment (connection, 5xx, 429), from where it stopped, and
    ///   says so by [`crate::event::Event::Retry`]; what fails for good comes as this crate's
    ///   [`Error`] inside of the `io::Error` ([`read_error`] unwraps both).
    pub fn layer(&self, index: usize) -> Result<impl Read + Send + use<>> {
        self.verified(index, self.keep.take(index))
    }

    /// The uncompressed tar stream of a layer: [`Image::layer`], decompressed, and its end is
    /// reached only if the diff id is right as well.
    pub fn layer_tar(&self, index: usize) -> Result<impl Read + Send + use<>> {
        self.untarred(index, self.layer(index)?)
    }

    /// [`Image::layer_tar`] for the scan, which goes by `wrap` between blob and decompression:
    /// what is read is kept where that is allowed, and stays kept.
    pub(super) fn tar_for_scan<'a, W: Read + Send + 'a>(
        &'a self,
        index: usize,
        wrap: impl FnOnce(layer_cache::Tee<'a, Verified<Box<dyn Read + Send>>>) -> W,
    ) -> Result<Verified<Box<dyn Read + Send + 'a>>> {
        let raw = self.verified(index, self.keep.peek(index))?;
        self.untarred(index, wrap(self.keep.tee(index, self.layer_facts(index)?.size.0, raw)))
    }

    fn verified(&self, index: usize, kept: Option<layout::Window>) -> Result<Verified<Box<dyn Read + Send>>> {
        let layer = self.layer_facts(index)?;
        let raw: Box<dyn Read + Send> = match kept {
            Some(window) => Box::new(window),
            None => self.blobs.blob(&layer.digest, layer.size.0)?,
        };
        Ok(Verified::new(raw, layer.digest.clone(), Some(layer.size.0)))
    }

    fn untarred<'a>(&self, index: usize, raw: impl Read + Send + 'a) -> Result<Verified<Box<dyn Read + Send + 'a>>> {
        let layer = self.layer_facts(index)?;
        Ok(Verified::new(decompress(&layer.media_type, raw)?, layer.diff_id.clone(), None))
    }

    fn layer_facts(&self, index: usize) -> Result<&LayerFacts> {
        let missing =
            || Error::failed(Stage::Image, format!("the image has {} layers, no layer {index}", self.layers.len()));
        self.layers.get(index).ok_or_else(missing)
    }
}

//! The image into the repository: layers side by side, one commit each, one merged commit on
//! top, under the names and with the metadata that bootc's own importer writes
//! (`store.rs::import`), so that it takes the result for its own.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::commits::{self, Contents};
use super::content::{Content, Dir};
use super::encapsulated::Base;
use super::labels::{self, Policy};
use super::store::{Store, sync_filesystem};
use super::writer::{Mode, Writer};
use crate::cancel::Cancel;
use crate::error::{Context, Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::host::Host;
use crate::image::layers::{Progress, side_by_side, threads};
use crate::image::{self, Image};
use crate::rootfs::layer::{self, Layer as Plain};
use crate::rootfs::objects::{self, ObjectSet};
use crate::rootfs::rules::Budget;
use crate::rootfs::{LayerError, merge};
use crate::units::{Bytes, hex};

/// What to import and under which name.
pub struct Import<'a> {
    /// The opened image.
    pub image: &'a Image,
    /// The (new, bare) repository.
    pub repo: &'a Path,
    /// Whether the image brings an SELinux policy to label with.
    pub selinux: bool,
    /// The name under which updates will look for it, containers-transports form.
    pub target: &'a str,
    /// Runs what knows the labels of an SELinux policy.
    pub host: &'a dyn Host,
    /// Who is told.
    pub events: &'a dyn Sink,
    /// Stops the reading of layers.
    pub cancel: &'a Cancel,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The merged commit, in hexadecimal.
    pub commit: String,
    /// How many entries the layers had.
    pub entries: u64,
}

/// Imports every layer, merges, commits, and points the refs at the result.
pub fn import(job: &Import<'_>) -> Result<Imported> {
    let store = Store::open(job.repo).doing(Stage::Image, "opening the OSTree repository")?;
    let mode = if job.selinux { Mode::Staged } else { Mode::Direct };
    let bytes = Progress::new(job.image.download_size(), Stage::Image, job.events, job.cancel);
    let counts = Counts { bytes, entries: AtomicU64::new(0), budget: Budget::default() };
    let read = with_write_back(job.repo, || read_layers(job, &store, mode, &counts))?;
    let (mut base, mut layers) = separate(job, &store, read)?;
    // The layers themselves look at it as they are read.
    job.cancel.check(Stage::Image)?;
    let policy_root = store.tmp_path().join("bootc-ks-policy");
    let policy = Policy { root: &policy_root, host: job.host };
    let sealed = if mode == Mode::Staged {
        label(&mut base, &mut layers, &store, policy).doing(Stage::Image, "labelling the image's files")?
    } else {
        false
    };
    let contents = Contents { base: base.as_ref(), layers: &layers, policy: Some(policy).filter(|_| sealed) };
    let commit =
        commits::write(job.image, job.target, &store, &contents).doing(Stage::Image, "writing the image's commits")?;
    labels::clean_up(&store, &policy_root).doing(Stage::Image, "cleaning the repository")?;
    sync_filesystem(job.repo).doing(Stage::Image, "writing the repository to the disk")?;
    Ok(Imported { commit: hex(&commit), entries: counts.entries.load(Ordering::Relaxed) })
}

/// A layer that was read.
enum Layer {
    /// A plain one.
    Tree(Plain<Content>),
    /// A part of an encapsulated base.
    Objects(ObjectSet),
}

/// Runs `work` while another thread keeps the disk writing, so that the end does not wait
/// for everything at once (measured: half a second of four).
fn with_write_back<T>(repo: &Path, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(200));
                // Only a head start: the error, if there is one, comes back at the last sync.
                let _ = sync_filesystem(repo);
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        writer.thread().unpark();
        result
    })
}

/// Counts what is read.
struct Counts<'a> {
    bytes: Progress<'a>,
    entries: AtomicU64,
    budget: Budget,
}

/// All layers, a few at a time; returned lowest first.
fn read_layers(job: &Import<'_>, store: &Store, mode: Mode, counts: &Counts<'_>) -> Result<Vec<Layer>> {
    let sizes: Vec<Bytes> = job.image.layers().iter().map(|layer| layer.size).collect();
    side_by_side(&sizes, |index| read_layer(job, index, store, mode, counts))
}

fn read_layer(job: &Import<'_>, index: usize, store: &Store, mode: Mode, counts: &Counts<'_>) -> Result<Layer> {
    let in_base = job.image.base_layers()?;
    let facts = &job.image.layers()[index];
    let (number, count) = (index + 1, job.image.layers().len());
    job.events.emit(&Event::LayerStarted {
        layer: number,
        layers: count,
        digest: facts.digest.clone(),
        size: facts.size,
    });
    let doing = || format!("importing layer {number} of {count} ({})", facts.digest);
    let mut compressed = counts.bytes.counted(job.image.layer(index)?);
    let mut read = || -> std::result::Result<Layer, LayerError> {
        let plain = image::decompress(&facts.media_type, &mut compressed).map_err(io::Error::other)?;
        let mut writer = Writer::new(store, mode, &counts.entries);
        let content = if index < in_base {
            Layer::Objects(objects::read(plain, &mut writer, index == 0, &counts.budget)?)
        } else {
            Layer::Tree(layer::read(plain, &mut writer, &counts.budget)?)
        };
        // The digest is compared when the blob has been read to its end.
        io::copy(&mut compressed, &mut io::sink())?;
        Ok(content)
    };
    let content = read().map_err(|error| match error {
        LayerError::Io(error) => image::read_error(Stage::Image, doing(), error),
        LayerError::Entry { path, source } => image::read_error(Stage::Image, format!("{}: '{path}'", doing()), source),
        other => Error::failed(Stage::Image, format!("{}: {other}", doing())),
    })?;
    job.events.emit(&Event::LayerFinished { layer: number });
    Ok(content)
}

/// Sorts what was read: the base's objects, which are looked through for completeness, and
/// the plain layers above it or the plain layers alone.
fn separate(job: &Import<'_>, store: &Store, read: Vec<Layer>) -> Result<(Option<Base>, Vec<Dir>)> {
    let (mut sets, mut trees) = (Vec::new(), Vec::new());
    for layer in read {
        match layer {
            Layer::Objects(set) => sets.push(set),
            Layer::Tree(tree) => trees.push(tree),
        }
    }
    let in_base = sets.len();
    let base = if sets.is_empty() {
        None
    } else {
        let base = Base::assemble(store, sets).doing(Stage::Image, "reading the image's base commit")?;
        for tree in &mut trees {
            let dropped = base.filter(store, &mut tree.root).doing(Stage::Image, "reading the image's base commit")?;
            if !dropped.is_empty() {
                let message = format!("left out, as bootc does on a system without composefs: {}", dropped.join(", "));
                job.events.emit(&Event::Warning { message });
            }
        }
        Some(base)
    };
    let settled = merge::settle(base.as_ref().map(|base| &base.tree), trees);
    let trees = settled.map_err(|(index, error)| {
        let number = in_base + index + 1;
        Error::failed(Stage::Image, format!("importing layer {number} of {}: {error}", job.image.layers().len()))
    })?;
    Ok((base, trees))
}

/// Labels the layers, and the base where its own labels no longer hold. Whether there was anything
/// to label: a base comes labelled.
fn label(base: &mut Option<Base>, layers: &mut [Dir], store: &Store, policy: Policy<'_>) -> io::Result<bool> {
    let merged = Contents { base: base.as_ref(), layers, policy: None }.merged()?;
    let relabel = base.as_ref().is_some_and(|base| base.is_mislabelled(&merged));
    if layers.is_empty() && !relabel {
        return Ok(false);
    }
    if !labels::extract_policy(&merged, store, policy.root)? {
        return Err(io::Error::other("the image's configuration names an SELinux policy that it does not bring"));
    }
    // The files of the layers are the layers' alone again.
    drop(merged);
    if let Some(base) = base.as_mut().filter(|_| relabel) {
        base.relabel(store, policy, threads())?;
    }
    labels::seal(layers, store, policy, threads())?;
    Ok(true)
}

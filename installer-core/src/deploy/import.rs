//! The image into the repository: layers side by side, one commit each, one merged commit on
//! top, under the names and with the metadata that bootc's own importer writes
//! (`store.rs::import`), so that it takes the result for its own.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::gvariant::{self, Checksum};
use super::labels::{self, Labeller};
use super::layer::{self, LayerError, Mode};
use super::refs;
use super::store::{Store, sync_filesystem};
use super::tree::{Content, Dir, Node, show};
use crate::error::{Context, Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::image::{self, Image};
use crate::units::{Bytes, hex};

/// What bootc's importer calls itself in its commits; what it wrote and what we write are the
/// same layout.
const IMPORTER_VERSION: &str = "0.15.3";

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
    /// Who is told.
    pub events: &'a dyn Sink,
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
    let progress = Progress::new(job);
    let mut layers = with_write_back(job.repo, || read_layers(job, &store, mode, &progress))?;
    let policy_root = store.tmp_path().join("bootc-ks-policy");
    let sealed = if mode == Mode::Staged {
        label(&mut layers, &store, &policy_root).doing(Stage::Image, "labelling the image's files")?
    } else {
        None
    };
    let commit =
        commit_all(job, &store, &layers, sealed.as_ref()).doing(Stage::Image, "writing the image's commits")?;
    labels::clean_up(&store, &policy_root).doing(Stage::Image, "cleaning the repository")?;
    sync_filesystem(job.repo).doing(Stage::Image, "writing the repository to the disk")?;
    Ok(Imported { commit: hex(&commit), entries: progress.entries.load(Ordering::Relaxed) })
}

/// How many layers are read side by side: beyond the cores nothing is gained.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4)
}

/// Counts what is read and says so, a few times a second.
struct Progress<'a> {
    events: &'a dyn Sink,
    done: AtomicU64,
    total: Bytes,
    entries: AtomicU64,
    last: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    fn new(job: &Import<'a>) -> Self {
        let total = job.image.layers().iter().map(|layer| layer.size).sum();
        Progress {
            events: job.events,
            done: AtomicU64::new(0),
            total,
            entries: AtomicU64::new(0),
            last: Mutex::new(Instant::now()),
        }
    }

    fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // Whoever finds the lock taken knows that somebody else is telling.
        let Ok(mut last) = self.last.try_lock() else { return };
        if done >= self.total.0 || last.elapsed() >= Duration::from_millis(200) {
            *last = Instant::now();
            self.events.emit(&Event::Progress { done: Bytes(done), total: self.total });
        }
    }
}

struct Counted<'a, R> {
    inner: R,
    progress: &'a Progress<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.progress.add(n as u64);
        Ok(n)
    }
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

/// All layers, largest first, a few at a time; returned lowest first.
fn read_layers(job: &Import<'_>, store: &Store, mode: Mode, progress: &Progress<'_>) -> Result<Vec<Dir>> {
    let layers = job.image.layers();
    let mut order: Vec<usize> = (0..layers.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(layers[*index].size));
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let done: Mutex<BTreeMap<usize, Result<Dir>>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads().min(layers.len()) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                    let result = read_layer(job, *index, store, mode, progress);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    done.lock().unwrap_or_else(|p| p.into_inner()).insert(*index, result);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(|p| p.into_inner());
    // The first error in time is the interesting one, and there is seldom a second.
    let (good, bad): (Vec<_>, Vec<_>) = done.into_values().partition(Result::is_ok);
    if let Some(error) = bad.into_iter().find_map(Result::err) {
        return Err(error);
    }
    Ok(good.into_iter().filter_map(Result::ok).collect())
}

fn read_layer(job: &Import<'_>, index: usize, store: &Store, mode: Mode, progress: &Progress<'_>) -> Result<Dir> {
    let facts = &job.image.layers()[index];
    let (number, count) = (index + 1, job.image.layers().len());
    job.events.emit(&Event::LayerStarted {
        layer: number,
        layers: count,
        digest: facts.digest.clone(),
        size: facts.size,
    });
    let doing = || format!("importing layer {number} of {count} ({})", facts.digest);
    let mut compressed = Counted { inner: job.image.layer(index)?, progress };
    let mut read = || -> std::result::Result<Dir, LayerError> {
        let plain = image::decompress(&facts.media_type, &mut compressed).map_err(io::Error::other)?;
        let dir = layer::read(plain, store, mode, || {
            progress.entries.fetch_add(1, Ordering::Relaxed);
        })?;
        // The digest is compared when the blob has been read to its end.
        io::copy(&mut compressed, &mut io::sink())?;
        Ok(dir)
    };
    let dir = read().map_err(|error| match error {
        LayerError::Io(error) => image::read_error(Stage::Image, doing(), error),
        LayerError::Entry { path, source } => image::read_error(Stage::Image, format!("{}: '{path}'", doing()), source),
        other => Error::failed(Stage::Image, format!("{}: {other}", doing())),
    })?;
    job.events.emit(&Event::LayerFinished { layer: number });
    Ok(dir)
}

fn label(layers: &mut [Dir], store: &Store, policy_root: &Path) -> io::Result<Option<PathBuf>> {
    if !labels::extract_policy(&merged(layers), policy_root)? {
        return Err(io::Error::other("the image's configuration names an SELinux policy that it does not bring"));
    }
    labels::seal(layers, store, policy_root, threads())?;
    Ok(Some(policy_root.to_owned()))
}

fn merged(layers: &[Dir]) -> Dir {
    let mut root = Dir::default();
    if let Some(first) = layers.first() {
        // Nothing lies below the first layer, so even its top directory is taken as it is.
        root.meta = first.meta.clone();
    }
    for layer in layers {
        root.merge(layer);
    }
    root
}

/// One commit a layer, the merged commit, and the refs of all of them.
fn commit_all(job: &Import<'_>, store: &Store, layers: &[Dir], policy: Option<&PathBuf>) -> io::Result<Checksum> {
    let labeller = policy.map(|root| Labeller::load(root)).transpose()?;
    let timestamp = created(job.image);
    let version = [("ostree.importer.version", IMPORTER_VERSION)];
    for (layer, facts) in layers.iter().zip(job.image.layers()) {
        let commit = write_commit(store, layer, labeller.as_ref(), &version, timestamp)?;
        refs::write(job.repo, &refs::blob(&facts.digest), &commit)?;
    }
    let mut root = merged(layers);
    root.remove_if_empty_file("usr/etc/hostname");
    root.remove_if_empty_file("usr/etc/resolv.conf");
    let metadata = [
        ("ostree.manifest-digest", job.image.manifest_digest().to_string()),
        ("ostree.manifest", canonical_json(job.image.manifest())?),
        ("ostree.container.image-config", canonical_json(job.image.config())?),
        ("ostree.importer.version", IMPORTER_VERSION.to_owned()),
    ];
    let metadata: Vec<(&str, &str)> = metadata.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let commit = write_commit(store, &root, labeller.as_ref(), &metadata, timestamp)?;
    refs::write(job.repo, &refs::image(job.target), &commit)?;
    Ok(commit)
}

fn write_commit(
    store: &Store,
    root: &Dir,
    labeller: Option<&Labeller>,
    metadata: &[(&str, &str)],
    timestamp: u64,
) -> io::Result<Checksum> {
    let (tree, meta) = write_tree(store, root, labeller, "/")?;
    let commit = gvariant::commit(&gvariant::Commit { metadata, parent: None, timestamp, tree, meta });
    store.write_metadata("commit", &commit)
}

/// Writes the dirtree and dirmeta objects of `dir` and everything below.
fn write_tree(store: &Store, dir: &Dir, labeller: Option<&Labeller>, path: &str) -> io::Result<(Checksum, Checksum)> {
    let mut files: Vec<(&[u8], Checksum)> = Vec::new();
    let mut dirs: Vec<(&[u8], Checksum, Checksum)> = Vec::new();
    for (name, node) in &dir.entries {
        match node {
            Node::File(file) => match &file.content {
                Content::Object(sum) => files.push((name, *sum)),
                _ => return Err(io::Error::other(format!("'{}' was never stored", show(std::slice::from_ref(name))))),
            },
            Node::Dir(sub) => {
                let path = format!("{}/{}", path.trim_end_matches('/'), String::from_utf8_lossy(name));
                let (tree, meta) = write_tree(store, sub, labeller, &path)?;
                dirs.push((name, tree, meta));
            }
        }
    }
    let meta = match labeller {
        Some(labeller) => store.write_dirmeta(&labeller.labelled(&dir.meta, path, 0o040_000 | dir.meta.mode)?)?,
        None => store.write_dirmeta(&dir.meta)?,
    };
    Ok((store.write_metadata("dirtree", &gvariant::dirtree(files, dirs))?, meta))
}

/// Sorted keys, no white space: what the `canon-json` of bootc writes.
fn canonical_json(raw: &[u8]) -> io::Result<String> {
    let value: serde_json::Value = serde_json::from_slice(raw)?;
    Ok(value.to_string())
}

/// When the image says it was made, in seconds since 1970; now, where it does not say.
fn created(image: &Image) -> u64 {
    let annotation = |raw: &[u8], pointer: &str| {
        let value: serde_json::Value = serde_json::from_slice(raw).ok()?;
        let text = value.pointer(pointer)?.as_str()?;
        let time = ostree::glib::DateTime::from_iso8601(text, None).ok()?;
        u64::try_from(time.to_unix()).ok()
    };
    annotation(image.manifest(), "/annotations/org.opencontainers.image.created")
        .or_else(|| annotation(image.config(), "/created"))
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()))
}

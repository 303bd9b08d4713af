//! SELinux labels, decided before anything is hashed.
//!
//! A label is part of an object's checksum, and the policy that decides it is inside some
//! layer. So the layers of such an image are set down first, the policy is taken out of the
//! merged tree, and then every file is labelled, hashed and put in its place: written once.
//!
//! The policy is asked about many paths at once: each question loads it anew, in another process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::content::{Content, Dir, File, Node};
use super::gvariant::Checksum;
use super::ostree;
use super::store::{Store, object_path};

use crate::error::Stage;
use crate::host::Host;
use crate::rootfs::Meta;

/// The attribute that holds a label.
pub const SELINUX: &[u8] = b"security.selinux";
/// Where the policy lies in an image's tree.
pub const POLICY: &str = "usr/etc/selinux";

/// A label as the kernel keeps it, with its NUL; `None` where the policy has none.
pub type Label = Option<Vec<u8>>;

/// A policy, which knows the label of every path.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// It is below `etc/selinux` in here.
    pub root: &'a Path,
    /// Runs what reads it.
    pub host: &'a dyn Host,
}

impl Policy<'_> {
    /// The labels of `paths`, each with its mode, in their order.
    pub fn labels(&self, stage: Stage, paths: Vec<(String, u32)>) -> io::Result<Vec<Label>> {
        let labels = ostree::labels(self.host, stage, self.root, paths).map_err(io::Error::other)?;
        Ok(labels.into_iter().map(|label| label.map(|label| [label.as_bytes(), b"\0"].concat())).collect())
    }

    /// The label of every directory of `trees`.
    pub fn of_directories<'t>(&self, trees: impl Iterator<Item = &'t Dir>) -> io::Result<BTreeMap<String, Label>> {
        let mut modes = BTreeMap::new();
        for tree in trees {
            directories(tree, "/", &mut modes);
        }
        let paths: Vec<(String, u32)> = modes.into_iter().collect();
        let labels = self.labels(Stage::Image, paths.clone())?;
        Ok(paths.into_iter().map(|(path, _)| path).zip(labels).collect())
    }
}

fn directories(dir: &Dir, path: &str, modes: &mut BTreeMap<String, u32>) {
    for (name, node) in &dir.entries {
        if let Node::Dir(sub) = node {
            directories(sub, &child(path, name), modes);
        }
    }
    modes.insert(path.to_owned(), 0o040_000 | dir.meta.mode);
}

/// The path of `name` in the directory `path`.
pub fn child(path: &str, name: &[u8]) -> String {
    format!("{}/{}", path.trim_end_matches('/'), String::from_utf8_lossy(name))
}

/// `meta` with `label` in place of any label it had.
pub fn labelled(meta: &Meta, label: Label) -> Meta {
    let mut meta = meta.clone();
    meta.xattrs.retain(|(name, _)| name != SELINUX);
    if let Some(label) = label {
        meta.xattrs.push((SELINUX.to_vec(), label));
        meta.xattrs.sort();
    }
    meta
}

/// Writes the policy of `root` below `target`, as `etc/selinux`; whether there is one.
pub fn extract_policy(root: &Dir, store: &Store, target: &Path) -> io::Result<bool> {
    let Some(Node::Dir(policy)) = root.find(POLICY) else { return Ok(false) };
    extract(policy, store, &target.join("etc/selinux"))?;
    Ok(true)
}

fn extract(dir: &Dir, store: &Store, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    for (name, node) in &dir.entries {
        let path = target.join(String::from_utf8_lossy(name).as_ref());
        match node {
            Node::Dir(dir) => extract(dir, store, &path)?,
            Node::File(File { content: Content::Staged(staged), .. }) => {
                fs::copy(&staged.path, &path)?;
            }
            Node::File(File { content: Content::Symlink(target), .. }) => {
                std::os::unix::fs::symlink(String::from_utf8_lossy(target).as_ref(), &path)?;
            }
            Node::File(File { content: Content::Object(sum), .. }) => {
                let object = object_path(store.path(), sum, "file");
                if object.is_symlink() {
                    std::os::unix::fs::symlink(fs::read_link(object)?, &path)?;
                } else {
                    fs::copy(object, &path)?;
                }
            }
        }
    }
    Ok(())
}

/// Labels, hashes and stores every staged file of `layers`, on `threads` threads.
pub fn seal(layers: &mut [Dir], store: &Store, policy: Policy<'_>, threads: usize) -> io::Result<()> {
    each_file(layers, policy, threads, staged_mode, |file, label| seal_one(file, label, store))
}

/// Calls `work` with every file of `trees` for which `mode` gives a mode, and with its label, on
/// `threads` threads: each asks for the labels of its share at once.
pub fn each_file(
    trees: &mut [Dir],
    policy: Policy<'_>,
    threads: usize,
    mode: impl Fn(&File) -> io::Result<Option<u32>> + Sync,
    work: impl Fn(&mut File, Label) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let mut jobs = Vec::new();
    for tree in trees.iter_mut() {
        collect(tree, "", &mut jobs);
    }
    let share = jobs.len().div_ceil(threads).max(1);
    let (mode, work) = (&mode, &work);
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            jobs.chunks_mut(share).map(|jobs| scope.spawn(move || label_share(jobs, policy, mode, work))).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a labelling thread panicked")))
        })
    })
}

fn label_share(
    jobs: &mut [(String, &mut File)],
    policy: Policy<'_>,
    mode: impl Fn(&File) -> io::Result<Option<u32>>,
    work: impl Fn(&mut File, Label) -> io::Result<()>,
) -> io::Result<()> {
    let (mut paths, mut files) = (Vec::new(), Vec::new());
    for (path, file) in jobs {
        if let Some(mode) = mode(file)? {
            paths.push((std::mem::take(path), mode));
            files.push(file);
        }
    }
    let labels = policy.labels(Stage::Image, paths)?;
    files.into_iter().zip(labels).try_for_each(|(file, label)| work(file, label))
}

fn collect<'a>(dir: &'a mut Dir, prefix: &str, jobs: &mut Vec<(String, &'a mut File)>) {
    for (name, node) in &mut dir.entries {
        let path = child(prefix, name);
        match node {
            Node::Dir(dir) => collect(dir, &path, jobs),
            Node::File(file) => jobs.push((path, file)),
        }
    }
}

/// The mode with which a file that is not stored yet is looked up.
#[allow(clippy::unnecessary_wraps)] // as `each_file` wants it
fn staged_mode(file: &File) -> io::Result<Option<u32>> {
    Ok(match &file.content {
        Content::Object(_) => None,
        Content::Symlink(_) => Some(0o120_777),
        Content::Staged(_) => Some(0o100_000 | file.meta.mode),
    })
}

fn seal_one(file: &mut File, label: Label, store: &Store) -> io::Result<()> {
    let meta = labelled(&file.meta, label);
    let sum: Checksum = match &file.content {
        Content::Object(_) => return Ok(()),
        Content::Symlink(target) => store.write_symlink(&meta, target)?,
        // Hard links share what is staged; only a sole owner may give it away.
        Content::Staged(staged) => store.write_staged(&meta, staged, Arc::strong_count(staged) == 1)?,
    };
    file.content = Content::Object(sum);
    Ok(())
}

/// Takes away what hard links left in the repository's temporary directory, and the policy.
pub fn clean_up(store: &Store, policy_root: &Path) -> io::Result<()> {
    if policy_root.exists() {
        fs::remove_dir_all(policy_root)?;
    }
    let stale = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("bootc-ks-"));
    for entry in fs::read_dir(store.tmp_path())? {
        let path = entry?.path();
        if stale(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

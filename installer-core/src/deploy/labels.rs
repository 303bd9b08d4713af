//! SELinux labels, decided before anything is hashed.
//!
//! A label is part of an object's checksum, and the policy that decides it is inside some
//! layer. So the layers of such an image are set down first, the policy is taken out of the
//! merged tree, and then every file is labelled, hashed and put in its place: written once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ostree::{gio, prelude::Cast};

use super::gvariant::Checksum;
use super::store::{Store, object_path};
use super::tree::{Content, Dir, File, Meta, Node};

/// The attribute that holds a label.
pub const SELINUX: &[u8] = b"security.selinux";
/// Where the policy lies in an image's tree.
pub const POLICY: &str = "usr/etc/selinux";

/// Held by the thread that loads a policy, itself or through libostree.
///
/// libselinux keeps the paths of the policy in variables of the process, and
/// `selinux_set_policy_root` frees and sets them without a lock: two threads at once free twice.
/// A policy that is loaded is a handle of its own and needs none.
pub(super) fn loading_a_policy() -> MutexGuard<'static, ()> {
    static LOADING: Mutex<()> = Mutex::new(());
    LOADING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Knows the label of every path. One per thread.
pub struct Labeller {
    policy: ostree::SePolicy,
}

impl Labeller {
    /// Loads the policy below `root` (`root/etc/selinux`).
    pub fn load(root: &Path) -> io::Result<Self> {
        let file = gio::File::for_path(root);
        let _loading = loading_a_policy();
        let policy = ostree::SePolicy::new(&file, gio::Cancellable::NONE).map_err(io::Error::other)?;
        if policy.name().is_none() {
            return Err(io::Error::other("the image's SELinux policy could not be loaded"));
        }
        Ok(Labeller { policy: policy.upcast() })
    }

    /// The label of `path` as the kernel keeps it, with its NUL; `None` where the policy has none.
    pub fn label(&self, path: &str, mode: u32) -> io::Result<Option<Vec<u8>>> {
        let label = self.policy.label(path, mode, gio::Cancellable::NONE).map_err(io::Error::other)?;
        Ok(label.map(|label| [label.as_bytes(), b"\0"].concat()))
    }

    /// `meta` with the label of `path` in place of whatever label it had.
    pub fn labelled(&self, meta: &Meta, path: &str, mode: u32) -> io::Result<Meta> {
        let mut meta = meta.clone();
        meta.xattrs.retain(|(name, _)| name != SELINUX);
        if let Some(label) = self.label(path, mode)? {
            meta.xattrs.push((SELINUX.to_vec(), label));
            meta.xattrs.sort();
        }
        Ok(meta)
    }
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
pub fn seal(layers: &mut [Dir], store: &Store, policy_root: &Path, threads: usize) -> io::Result<()> {
    each_file(layers, policy_root, threads, |path, file, labeller| seal_one(file, path, store, labeller))
}

/// Calls `work` with the path of every file of `trees`, on `threads` threads.
pub fn each_file(
    trees: &mut [Dir],
    policy_root: &Path,
    threads: usize,
    work: impl Fn(&str, &mut File, &Labeller) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let mut jobs = Vec::new();
    for tree in trees.iter_mut() {
        collect(tree, "", &mut jobs);
    }
    let work = &work;
    let share = jobs.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = jobs
            .chunks_mut(share)
            .map(|jobs| {
                scope.spawn(move || -> io::Result<()> {
                    let labeller = Labeller::load(policy_root)?;
                    jobs.iter_mut().try_for_each(|(path, file)| work(path, file, &labeller))
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a labelling thread panicked")))
        })
    })
}

fn collect<'a>(dir: &'a mut Dir, prefix: &str, jobs: &mut Vec<(String, &'a mut File)>) {
    for (name, node) in &mut dir.entries {
        let path = format!("{prefix}/{}", String::from_utf8_lossy(name));
        match node {
            Node::Dir(dir) => collect(dir, &path, jobs),
            Node::File(file) => jobs.push((path, file)),
        }
    }
}

fn seal_one(file: &mut File, path: &str, store: &Store, labeller: &Labeller) -> io::Result<()> {
    let sum: Checksum = match &file.content {
        Content::Object(_) => return Ok(()),
        Content::Symlink(target) => {
            let meta = labeller.labelled(&file.meta, path, 0o120_777)?;
            store.write_symlink(&meta, target)?
        }
        Content::Staged(staged) => {
            let meta = labeller.labelled(&file.meta, path, 0o100_000 | file.meta.mode)?;
            // Hard links share what is staged; only a sole owner may give it away.
            store.write_staged(&meta, staged, Arc::strong_count(staged) == 1)?
        }
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

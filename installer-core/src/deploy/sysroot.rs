//! The OSTree system root on the target: made, filled with one deployment, ready to boot.
//!
//! The layout and the settings are those of `bootc install` (`install.rs`,
//! `initialize_ostree_root`); the deployment itself is libostree's work. The boot loader is
//! another module's work.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ostree::prelude::*;
use ostree::{gio, glib};

use super::labels::loading_a_policy;
use crate::error::{Context, Result, Stage};

const NONE: Option<&gio::Cancellable> = None;

/// Makes an empty system root at `root` (mounted, with /boot mounted in it where that is a
/// file system of its own) with the stateroot `stateroot`. Returns its repository.
pub fn initialise(root: &Path, stateroot: &str) -> Result<PathBuf> {
    let doing = "making the OSTree system root";
    let sysroot = ostree::Sysroot::new(Some(&gio::File::for_path(root)));
    sysroot.ensure_initialized(NONE).doing(Stage::Deploy, doing)?;
    sysroot.load(NONE).doing(Stage::Deploy, doing)?;
    let repo = sysroot.repo();
    configure(&repo, "none").doing(Stage::Deploy, doing)?;
    sysroot.init_osname(stateroot, NONE).doing(Stage::Deploy, doing)?;
    let boot = root.join("boot");
    fs::create_dir_all(&boot).doing(Stage::Deploy, doing)?;
    // Boot entries say /boot/ostree/…; on a /boot of its own this link makes that true.
    match std::os::unix::fs::symlink(".", boot.join("boot")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error).doing(Stage::Deploy, doing)?,
        _ => {}
    }
    Ok(root.join("ostree/repo"))
}

/// bootc's three settings. `bootloader` is `none` where the boot loader reads the entries
/// itself, and libostree's name of a backend where it must rewrite a menu at each update.
fn configure(repo: &ostree::Repo, bootloader: &str) -> std::result::Result<(), glib::Error> {
    let config = repo.copy_config();
    config.set_string("sysroot", "bootloader", bootloader);
    config.set_boolean("sysroot", "bootprefix", true);
    config.set_boolean("sysroot", "readonly", true);
    repo.write_config(&config)?;
    // Without this an older libostree goes on with what it read first.
    repo.reload_config(NONE)
}

/// Makes libostree rewrite the boot menu at every later deployment by its `backend`.
pub fn set_bootloader_backend(root: &Path, backend: &str) -> Result<()> {
    let doing = "setting sysroot.bootloader";
    let repo = ostree::Repo::new(&gio::File::for_path(root.join("ostree/repo")));
    repo.open(NONE).doing(Stage::Bootloader, doing)?;
    configure(&repo, backend).doing(Stage::Bootloader, doing)
}

/// What to deploy.
pub struct Deploy<'a> {
    /// The system root.
    pub root: &'a Path,
    /// Stateroot.
    pub stateroot: &'a str,
    /// The merged commit.
    pub commit: &'a str,
    /// `container-image-reference` of the origin.
    pub origin: &'a str,
    /// Kernel arguments; libostree adds `ostree=`.
    pub kargs: &'a [String],
}

/// Where the deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Its root directory.
    pub root: PathBuf,
    /// The stateroot's /var.
    pub var: PathBuf,
    /// The boot loader entry, below the system root's /boot.
    pub entry: PathBuf,
}

/// Deploys the commit: checkout, /etc, /var, kernel and initramfs in /boot, boot entry.
pub fn deploy(job: &Deploy<'_>) -> Result<Deployed> {
    let doing = "deploying the image";
    let sysroot = ostree::Sysroot::new(Some(&gio::File::for_path(job.root)));
    sysroot.load(NONE).doing(Stage::Deploy, doing)?;
    let origin = glib::KeyFile::new();
    origin.set_string("origin", "container-image-reference", job.origin);
    let kargs: Vec<&str> = job.kargs.iter().map(String::as_str).collect();
    let options = ostree::SysrootDeployTreeOpts { override_kernel_argv: Some(kargs.as_slice()), ..Default::default() };
    // It labels what it writes by the deployment's policy.
    let _loading = loading_a_policy();
    let deployment = sysroot
        .deploy_tree_with_options(Some(job.stateroot), job.commit, Some(&origin), None, Some(&options), NONE)
        .doing(Stage::Deploy, doing)?;
    let flags = ostree::SysrootSimpleWriteDeploymentFlags::NONE;
    sysroot
        .simple_write_deployment(Some(job.stateroot), &deployment, None, flags, NONE)
        .doing(Stage::Deploy, "writing the boot entry")?;
    sysroot.cleanup(NONE).doing(Stage::Deploy, doing)?;
    let var = job.root.join("ostree/deploy").join(job.stateroot).join("var");
    let root = sysroot.deployment_dirpath(&deployment);
    fill_var(&sysroot, job.commit, &var).doing(Stage::Deploy, "copying the image's /var")?;
    Ok(Deployed { root: job.root.join(root.as_str()), var, entry: boot_entry(job.root)? })
}

/// Copies what the image has in /var into the stateroot, once. libostree does that itself
/// from 2024.3 on.
fn fill_var(sysroot: &ostree::Sysroot, commit: &str, var: &Path) -> std::result::Result<(), glib::Error> {
    let repo = sysroot.repo();
    let (tree, _) = repo.read_commit(commit, NONE)?;
    if ostree::check_version(2024, 3) || !tree.child("var").query_exists(NONE) {
        return Ok(());
    }
    let options = ostree::RepoCheckoutAtOptions {
        overwrite_mode: ostree::RepoCheckoutOverwriteMode::AddFiles,
        subpath: Some(PathBuf::from("/var")),
        force_copy: true,
        ..Default::default()
    };
    repo.checkout_at(Some(&options), libc::AT_FDCWD, var, commit, NONE)
}

/// The one boot entry, made to name the kernel by its path from the root file system.
fn boot_entry(root: &Path) -> Result<PathBuf> {
    let doing = "reading the boot entry";
    let dir = root.join("boot/loader/entries");
    let mut entries: Vec<PathBuf> =
        fs::read_dir(&dir).doing(Stage::Deploy, doing)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let entry = entries.pop().ok_or_else(|| {
        crate::Error::failed(Stage::Deploy, format!("libostree wrote no boot entry into {}", dir.display()))
    })?;
    let text = fs::read_to_string(&entry).doing(Stage::Deploy, doing)?;
    let prefixed = with_boot_prefix(&text);
    if prefixed != text {
        fs::write(&entry, prefixed).doing(Stage::Deploy, "writing the boot entry")?;
    }
    Ok(entry)
}

/// libostree before 2023 does not know `bootprefix` and writes paths from /boot's own root.
fn with_boot_prefix(entry: &str) -> String {
    entry
        .lines()
        .map(|line| match line.split_once(' ') {
            Some((key @ ("linux" | "initrd" | "devicetree"), path)) if path.starts_with("/ostree/") => {
                format!("{key} /boot{path}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_name_the_kernel_from_the_root() {
        let entry = "title x\nlinux /ostree/default-1/vmlinuz\ninitrd /ostree/default-1/initramfs.img\noptions a\n";
        let expected =
            "title x\nlinux /boot/ostree/default-1/vmlinuz\ninitrd /boot/ostree/default-1/initramfs.img\noptions a\n";
        assert_eq!(with_boot_prefix(entry), expected);
        assert_eq!(with_boot_prefix(expected), expected);
    }
}

//! The OSTree system root on the target: made, filled with one deployment, ready to boot.
//!
//! The layout and the settings are those of `bootc install` (`install.rs`,
//! `initialize_ostree_root`); the deployment itself is libostree's work, done by way of
//! [`super::ostree`]. The boot loader is `apply::boot`'s.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ostree;
use crate::error::{Context, Result, Stage};
use crate::host::Host;

pub use super::ostree::protocol::Deploy;
pub use super::ostree::set_bootloader_backend;

/// Makes an empty system root at `root` (mounted, with /boot mounted in it where that is a
/// file system of its own) with the stateroot `stateroot`.
pub fn initialise(host: &dyn Host, root: &Path, stateroot: &str) -> Result<()> {
    ostree::initialise(host, root, stateroot)?;
    let doing = "making the OSTree system root";
    let boot = root.join("boot");
    fs::create_dir_all(&boot).doing(Stage::Deploy, doing)?;
    // Boot entries say /boot/ostree/…; on a /boot of its own this link makes that true.
    match std::os::unix::fs::symlink(".", boot.join("boot")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error).doing(Stage::Deploy, doing),
        _ => Ok(()),
    }
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
pub fn deploy(host: &dyn Host, job: &Deploy) -> Result<Deployed> {
    let directory = ostree::deploy(host, job)?;
    let var = job.root.join("ostree/deploy").join(&job.stateroot).join("var");
    Ok(Deployed { root: job.root.join(directory), var, entry: boot_entry(&job.root)? })
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

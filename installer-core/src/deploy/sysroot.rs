//! The OSTree system root on the target: made, filled with one deployment, ready to boot.
//!
//! The layout and the settings are those of `bootc install` (`install.rs`,
//! `initialize_ostree_root`); the deployment itself is libostree's work, done by way of
//! [`super::ostree`]. The boot loader is `apply::boot`'s.

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
    let root = host.open(root).doing(Stage::Deploy, doing)?;
    root.create_dirs("boot").doing(Stage::Deploy, doing)?;
    // Boot entries say /boot/ostree/…; on a /boot of its own this link makes that true.
    match root.stat("boot/boot").doing(Stage::Deploy, doing)? {
        Some(_) => Ok(()),
        None => root.symlink("boot/boot", ".").doing(Stage::Deploy, doing),
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
    Ok(Deployed { root: job.root.join(directory), var, entry: boot_entry(host, &job.root)? })
}

/// The one boot entry, made to name the kernel by its path from the root file system.
fn boot_entry(host: &dyn Host, path: &Path) -> Result<PathBuf> {
    const ENTRIES: &str = "boot/loader/entries";
    let doing = "reading the boot entry";
    let root = host.open(path).doing(Stage::Deploy, doing)?;
    let names = root.list(ENTRIES).doing(Stage::Deploy, doing)?;
    let name = names.into_iter().next_back().map(|(name, _)| format!("{ENTRIES}/{name}"));
    let name = name
        .ok_or_else(|| crate::Error::failed(Stage::Deploy, format!("libostree wrote no boot entry into {ENTRIES}")))?;
    let text = root.read(&name).doing(Stage::Deploy, doing)?.unwrap_or_default();
    let prefixed = with_boot_prefix(&text);
    if prefixed != text {
        root.write(&name, prefixed.as_bytes(), 0o644, None).doing(Stage::Deploy, "writing the boot entry")?;
    }
    Ok(path.join(name))
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

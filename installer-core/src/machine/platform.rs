//! Everything of a machine but its disks: firmware, memory, what the kernel can do.

use std::collections::BTreeSet;
use std::fs;

use super::memory::Memory;
use super::sysfs::{SystemRoots, text};
use super::types::{Firmware, Kernel};
use crate::error::{Error, Result, Stage};
use crate::units::Bytes;

/// File systems that an installation may want to mount, sorted.
const FILESYSTEMS: [&str; 7] = ["btrfs", "erofs", "ext4", "overlay", "squashfs", "vfat", "xfs"];

/// EFI's global variable namespace.
const SECURE_BOOT: &str = "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// The kernel's release and the machine's architecture.
pub(super) fn uname(roots: &SystemRoots) -> (String, String) {
    let uname = rustix::system::uname();
    let ours = (uname.release().to_string_lossy().into_owned(), uname.machine().to_string_lossy().into_owned());
    if roots.live {
        return ours;
    }
    let recorded = |name: &str| text(roots.proc.join("sys/kernel").join(name));
    (recorded("osrelease").unwrap_or_default(), recorded("arch").unwrap_or(ours.1))
}

pub(super) fn firmware(roots: &SystemRoots) -> Firmware {
    if !roots.sys.join("firmware/efi").is_dir() {
        return Firmware::Bios;
    }
    // Four bytes of attributes, then the value.
    let variable = fs::read(roots.sys.join(SECURE_BOOT)).unwrap_or_default();
    Firmware::Uefi { secure_boot: variable.get(4) == Some(&1) }
}

pub(super) fn memory(roots: &SystemRoots) -> Result<Bytes> {
    Memory::read(&roots.proc).map(|memory| memory.total).ok_or_else(|| {
        let meminfo = roots.proc.join("meminfo");
        Error::world(Stage::Probe, format!("{} does not tell how much memory there is", meminfo.display()))
            .hint("mount /proc")
    })
}

pub(super) fn kernel(roots: &SystemRoots, release: String) -> Kernel {
    let modules = modules(roots, &release);
    let running: BTreeSet<String> = text(roots.proc.join("filesystems"))
        .map(|text| text.lines().filter_map(|line| line.split_whitespace().last().map(str::to_owned)).collect())
        .unwrap_or_default();
    let registered = |file: &str| {
        let text = text(roots.proc.join(file)).unwrap_or_default();
        text.lines().any(|line| line.split_whitespace().nth(1) == Some("device-mapper"))
    };
    Kernel {
        device_mapper: registered("devices") || registered("misc") || modules.contains("dm-mod"),
        filesystems: FILESYSTEMS
            .iter()
            .filter(|name| running.contains(**name) || modules.contains(**name))
            .map(|name| (*name).to_owned())
            .collect(),
        release,
    }
}

/// Names of the modules that the kernel has built in or could load, with dashes.
fn modules(roots: &SystemRoots, release: &str) -> BTreeSet<String> {
    if release.is_empty() {
        return BTreeSet::new();
    }
    let lists = roots
        .modules
        .iter()
        .flat_map(|root| ["modules.builtin", "modules.dep"].map(|list| root.join(release).join(list)));
    let mut names = BTreeSet::new();
    for list in lists {
        for line in fs::read_to_string(list).unwrap_or_default().lines() {
            // kernel/fs/xfs/xfs.ko.zst: kernel/lib/libcrc32c.ko.zst
            let path = line.split(':').next().unwrap_or_default();
            let file = path.rsplit('/').next().unwrap_or_default();
            if let Some((name, _)) = file.split_once(".ko") {
                names.insert(name.replace('_', "-"));
            }
        }
    }
    names
}

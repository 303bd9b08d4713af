//! Who uses a disk now: mounts, swap areas, volumes and arrays on top of it, or a process
//! who has it open exclusively.
//!
//! The only question that matters to an installer is whether it may write; so every source
//! is asked, and the last one is the kernel's own answer.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::sysfs::{SystemRoots, device_number, names, text};
use super::types::{InUse, Partition};
use crate::mountinfo::{self, unescape};

/// What the system as a whole has in use; read once for all disks.
pub(super) struct Usage {
    mounts: Vec<Use>,
    swaps: Vec<Use>,
    /// Kernel names of the members of mounted btrfs file systems. Only one member of
    /// several is in the table of mounts.
    btrfs: Vec<String>,
}

/// A device in use, known by number or by name.
struct Use {
    number: Option<String>,
    source: Device,
    by: String,
}

#[derive(PartialEq)]
enum Device {
    Number(String),
    Name(String),
    Other,
}

impl Usage {
    pub fn read(roots: &SystemRoots) -> Self {
        Usage { mounts: mounts(roots), swaps: swaps(roots), btrfs: btrfs_members(roots) }
    }

    /// All users of the disk, one of its partitions or something on top of them.
    pub fn of_disk(&self, roots: &SystemRoots, sysfs: &Path, name: &str, partitions: &[Partition]) -> Vec<InUse> {
        let mut found = self.of_device(roots, sysfs, name);
        for partition in partitions {
            let kernel_name = partition.name.replace('/', "!");
            found.extend(self.of_device(roots, &sysfs.join(&kernel_name), &kernel_name));
        }
        // An exclusive opener of a partition makes the whole disk busy as well.
        if found.is_empty() && may_try(roots, name) && opened_exclusively(&roots.dev, name) {
            found.push(InUse { device: node(name), by: "opened exclusively by another program".into() });
        }
        found
    }

    fn of_device(&self, roots: &SystemRoots, sysfs: &Path, name: &str) -> Vec<InUse> {
        let mut by = self.direct(sysfs, name);
        self.through_holders(roots, sysfs, &mut by, 0);
        let partition = sysfs.join("partition").exists();
        if by.is_empty() && partition && may_try(roots, name) && opened_exclusively(&roots.dev, name) {
            by.push("opened exclusively by another program".into());
        }
        by.into_iter().map(|by| InUse { device: node(name), by }).collect()
    }

    /// Mounts and swap areas on the device itself.
    fn direct(&self, sysfs: &Path, name: &str) -> Vec<String> {
        let number = device_number(sysfs);
        let is_this = |usage: &&Use| {
            (number.is_some() && usage.number == number)
                || usage.source == Device::Name(name.to_owned())
                || number.as_ref().is_some_and(|number| usage.source == Device::Number(number.clone()))
        };
        let mut by: Vec<String> =
            self.mounts.iter().chain(&self.swaps).filter(is_this).map(|usage| usage.by.clone()).collect();
        if by.is_empty() && self.btrfs.iter().any(|member| member == name) {
            by.push("part of a mounted btrfs file system".into());
        }
        by
    }

    /// What is stacked on the device, and what that in turn is used for.
    fn through_holders(&self, roots: &SystemRoots, sysfs: &Path, by: &mut Vec<String>, depth: usize) {
        // Stacks are three or four deep; a loop in a recorded tree must end somewhere.
        if depth > 8 {
            return;
        }
        for holder in names(sysfs.join("holders")) {
            let above = roots.sys.join("class/block").join(&holder);
            let shown = match text(above.join("dm/name")) {
                Some(name) => format!("{holder} ({name})"),
                None => holder.clone(),
            };
            by.push(format!("held by {shown}"));
            by.extend(self.direct(&above, &holder).into_iter().map(|usage| format!("{usage} through {shown}")));
            self.through_holders(roots, &above, by, depth + 1);
            for part in names(&above).iter().filter(|part| above.join(part).join("partition").exists()) {
                by.extend(
                    self.direct(&above.join(part), part).into_iter().map(|usage| format!("{usage} through {shown}")),
                );
            }
        }
    }
}

/// While we have a device open exclusively, however briefly, no other process gets it: a
/// mkfs or mount would fail because of us. On a machine that is about to be installed there
/// is no other process; loop devices are what busy build machines use, so they are left alone.
fn may_try(roots: &SystemRoots, name: &str) -> bool {
    roots.live && !name.starts_with("loop")
}

/// The kernel refuses to open a device exclusively while a file system, a volume, an array
/// or another careful program has it.
pub(super) fn opened_exclusively(dev: &Path, name: &str) -> bool {
    let path = dev.join(name.replace('!', "/"));
    if !fs::metadata(&path).is_ok_and(|meta| meta.file_type().is_block_device()) {
        return false;
    }
    let opened = fs::OpenOptions::new().read(true).custom_flags(libc::O_EXCL | libc::O_NONBLOCK).open(&path);
    opened.is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY))
}

fn mounts(roots: &SystemRoots) -> Vec<Use> {
    let table = text(roots.proc.join("self/mountinfo")).unwrap_or_default();
    let by_mount = |mount: mountinfo::Entry| Use {
        source: device(roots, &mount.source),
        by: format!("mounted at {}", mount.target.display()),
        number: Some(mount.number),
    };
    mountinfo::entries(&table).into_iter().map(by_mount).collect()
}

fn swaps(roots: &SystemRoots) -> Vec<Use> {
    let text = text(roots.proc.join("swaps")).unwrap_or_default();
    let paths = text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    paths.map(|path| Use { number: None, source: device(roots, &unescape(path)), by: "swap".into() }).collect()
}

fn btrfs_members(roots: &SystemRoots) -> Vec<String> {
    let base = roots.sys.join("fs/btrfs");
    names(&base).iter().flat_map(|id| names(base.join(id).join("devices"))).collect()
}

/// Which device a path under /dev is: by number where it is a node, by name where all that
/// there is is a link or a name (a recorded tree).
fn device(roots: &SystemRoots, path: &str) -> Device {
    let Some(node) = roots.node(path) else { return Device::Other };
    if let Ok(meta) = fs::metadata(&node)
        && meta.file_type().is_block_device()
    {
        let number = meta.rdev();
        return Device::Number(format!("{}:{}", rustix::fs::major(number), rustix::fs::minor(number)));
    }
    let leads_to = fs::read_link(&node).ok().and_then(|target| Some(target.file_name()?.to_str()?.to_owned()));
    Device::Name(leads_to.unwrap_or_else(|| path.trim_start_matches("/dev/").replace('/', "!")))
}

fn node(name: &str) -> String {
    format!("/dev/{}", name.replace('!', "/"))
}

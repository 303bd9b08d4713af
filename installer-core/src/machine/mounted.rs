//! File systems that another program made and mounted for a system to go into: which devices
//! they are on, and whether there is room. Reads only.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::sysfs::{SystemRoots, names, text};
use crate::error::{Context, Error, Remedy, Result, Stage};
use crate::ffi::blkid;
use crate::mountinfo::{self, Entry};
use crate::units::{Bytes, MountPoint};

/// A root that is mounted, with what is mounted in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mounted {
    /// Where the root is mounted.
    pub root: String,
    /// What is mounted there and below, the root first.
    pub areas: Vec<MountedArea>,
    /// What the root file system has free.
    pub free: Bytes,
    /// How many files the root file system has room for; `None` where it makes room as they come.
    pub free_inodes: Option<u64>,
    /// What is in the way: anything but mount points, empty directories and `lost+found`.
    pub unexpected: Vec<String>,
}

/// One file system of a mounted root.
#[derive(Clone, Debug, PartialEq)]
pub struct MountedArea {
    /// Where, as the installed system will see it.
    pub at: MountPoint,
    /// Its device's node.
    pub node: String,
    /// Its type, as the kernel has it.
    pub filesystem: String,
    /// Its UUID, where libblkid finds one.
    pub uuid: Option<String>,
    /// The subvolume of a btrfs.
    pub subvolume: Option<String>,
    /// The volume group and the name, if it is a logical volume.
    pub volume: Option<(String, String)>,
    /// The whole disks that it is on.
    pub disks: Vec<String>,
    /// What it has free.
    pub free: Bytes,
}

impl Mounted {
    /// What is mounted at `path`.
    pub fn at(&self, path: &str) -> Option<&MountedArea> {
        self.areas.iter().find(|area| area.at.as_str() == path)
    }

    /// The EFI system partition, if it is mounted where systems have it.
    pub fn esp(&self) -> Option<&MountedArea> {
        ["/boot/efi", "/efi"].iter().find_map(|at| self.at(at)).filter(|area| area.filesystem == "vfat")
    }

    /// The disks that /boot is on, or the root where that is the same.
    pub fn boot_disks(&self) -> &[String] {
        self.at("/boot").or(self.areas.first()).map_or(&[], |area| area.disks.as_slice())
    }
}

/// Looks at what is mounted at `root`.
pub fn mounted(root: &Path) -> Result<Mounted> {
    let roots = SystemRoots::host();
    let root = fs::canonicalize(root).map_err(|error| {
        Error::input(Stage::Probe, format!("there is nothing at {}", root.display())).because(error)
    })?;
    let table = mountinfo::of_this_thread().doing(Stage::Probe, "reading the mounts")?;
    let areas: Vec<MountedArea> =
        below(table, &root).into_iter().filter_map(|entry| area(&roots, &root, &entry)).collect();
    if areas.first().is_none_or(|area| area.at != MountPoint::root()) {
        return Err(Error::input(Stage::Probe, format!("no file system of a disk is mounted at {}", root.display()))
            .hint(["make and mount the file systems first".into(), Remedy::InstallFromKickstart]));
    }
    let free = free(&root).doing(Stage::Probe, format_args!("looking at {}", root.display()))?;
    let free_inodes = free_inodes(&root);
    let mut unexpected = Vec::new();
    find_unexpected(&root, &root, &areas, &mut unexpected)
        .doing(Stage::Probe, format_args!("listing {}", root.display()))?;
    Ok(Mounted { root: root.display().to_string(), areas, free, free_inodes, unexpected })
}

fn free(at: &Path) -> std::io::Result<Bytes> {
    let stat = rustix::fs::statvfs(at)?;
    Ok(Bytes(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// How many files find room; `None` where the file system does not count them beforehand.
fn free_inodes(at: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(at).ok()?;
    (stat.f_files > 0).then_some(stat.f_ffree)
}

/// The mounts at `root` and below by depth; where one lies over another, the upper one.
fn below(table: Vec<Entry>, root: &Path) -> Vec<Entry> {
    let mut list: Vec<Entry> = Vec::new();
    for entry in table.into_iter().filter(|entry| entry.target.starts_with(root)) {
        list.retain(|under| under.target != entry.target);
        list.push(entry);
    }
    list.sort_by_key(|entry| (entry.target.components().count(), entry.target.clone()));
    list
}

/// A file system on a device; the kernel's own have none.
fn area(roots: &SystemRoots, root: &Path, entry: &Entry) -> Option<MountedArea> {
    let inside = entry.target.strip_prefix(root).ok()?;
    let at = Path::new("/").join(inside).to_str()?.parse().ok()?;
    let sysfs = sysfs_of(roots, entry)?;
    let node = node_of(&sysfs, &entry.source)?;
    let uuid = File::open(&node).ok().and_then(|file| blkid::superblock(&file, None).ok().flatten()?.uuid);
    let mut disks = BTreeSet::new();
    whole_disks(roots, &sysfs, 0, &mut disks);
    Some(MountedArea {
        at,
        node,
        filesystem: entry.filesystem.clone(),
        uuid,
        subvolume: subvolume(entry),
        volume: volume(&sysfs),
        disks: disks.into_iter().collect(),
        free: free(&entry.target).unwrap_or_default(),
    })
}

fn subvolume(entry: &Entry) -> Option<String> {
    let name = entry.options.split(',').find_map(|option| option.strip_prefix("subvol="))?;
    let name = name.trim_start_matches('/');
    (entry.filesystem == "btrfs" && !name.is_empty()).then(|| name.to_owned())
}

/// The device's directory in sysfs. A btrfs has a number of its own; its device is the source's.
fn sysfs_of(roots: &SystemRoots, entry: &Entry) -> Option<PathBuf> {
    let by_number = |number: &str| fs::canonicalize(roots.sys.join("dev/block").join(number)).ok();
    by_number(&entry.number).or_else(|| {
        let number = fs::metadata(roots.node(&entry.source)?).ok()?.rdev();
        by_number(&format!("{}:{}", rustix::fs::major(number), rustix::fs::minor(number)))
    })
}

fn node_of(sysfs: &Path, source: &str) -> Option<String> {
    if source.starts_with("/dev/") && Path::new(source).exists() {
        return Some(source.to_owned());
    }
    let name = sysfs.file_name()?.to_str()?.replace('!', "/");
    Some(format!("/dev/{name}"))
}

/// The group and the name of a logical volume, out of device-mapper's name: a hyphen in
/// either is doubled there.
fn volume(sysfs: &Path) -> Option<(String, String)> {
    if !text(sysfs.join("dm/uuid"))?.starts_with("LVM-") {
        return None;
    }
    let name = text(sysfs.join("dm/name"))?.replace("--", "\0");
    let (group, volume) = name.split_once('-')?;
    Some((group.replace('\0', "-"), volume.replace('\0', "-")))
}

/// The disks under a device, through partitions, volumes and arrays.
fn whole_disks(roots: &SystemRoots, sysfs: &Path, depth: usize, found: &mut BTreeSet<String>) {
    let below = names(sysfs.join("slaves"));
    // Stacks are three or four deep.
    if !below.is_empty() && depth < 8 {
        for name in below {
            if let Ok(path) = fs::canonicalize(roots.sys.join("class/block").join(name)) {
                whole_disks(roots, &path, depth + 1, found);
            }
        }
        return;
    }
    let disk = if sysfs.join("partition").exists() { sysfs.parent() } else { Some(sysfs) };
    if let Some(name) = disk.and_then(Path::file_name).and_then(|name| name.to_str()) {
        found.insert(format!("/dev/{}", name.replace('!', "/")));
    }
}

/// Anything in the root or in /boot that is neither a mount point nor an empty directory. What
/// is in other file systems is not ours to judge: an ESP may be shared.
fn find_unexpected(
    dir: &Path,
    root: &Path,
    areas: &[MountedArea],
    unexpected: &mut Vec<String>,
) -> std::io::Result<()> {
    let is_area = |path: &Path| areas.iter().any(|area| root.join(area.at.as_str().trim_start_matches('/')) == path);
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name() == "lost+found" || (is_area(&path) && path != root.join("boot")) {
            continue;
        }
        if !entry.file_type()?.is_dir() {
            unexpected.push(path.display().to_string());
        } else if unexpected.len() < 10 {
            find_unexpected(&path, root, areas, unexpected)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_the_root_are_found_and_the_upper_one_counts() {
        let table = "\
22 1 0:21 / /proc rw - proc proc rw
40 1 259:3 / /mnt/sys rw shared:1 - xfs /dev/vda3 rw
41 40 259:2 / /mnt/sys/boot rw - ext4 /dev/vda2 rw
42 40 259:9 / /mnt/sys/boot rw - ext4 /dev/vda9 rw
43 1 259:4 / /mnt/system rw - xfs /dev/vda4 rw
44 40 0:50 /root /mnt/sys/a\\040b rw - btrfs /dev/vdb rw,subvolid=5,subvol=/root
";
        let found = below(mountinfo::entries(table), Path::new("/mnt/sys"));
        let shown: Vec<(&str, &str)> =
            found.iter().map(|entry| (entry.target.to_str().unwrap(), entry.source.as_str())).collect();
        assert_eq!(shown, [("/mnt/sys", "/dev/vda3"), ("/mnt/sys/a b", "/dev/vdb"), ("/mnt/sys/boot", "/dev/vda9")]);
        assert_eq!(subvolume(&found[1]).as_deref(), Some("root"));
        assert_eq!(subvolume(&found[0]), None);
    }

    #[test]
    fn what_is_no_mount_point_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for name in ["lost+found", "boot/efi", "empty/deeper"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        fs::write(root.join("lost+found/x"), "").unwrap();
        fs::write(root.join("boot/efi/shared"), "").unwrap();
        let area = |at: &str| MountedArea {
            at: at.parse().unwrap(),
            node: String::new(),
            filesystem: "vfat".into(),
            uuid: None,
            subvolume: None,
            volume: None,
            disks: Vec::new(),
            free: Bytes(0),
        };
        let areas = [area("/"), area("/boot"), area("/boot/efi")];
        let unexpected = || {
            let mut found = Vec::new();
            find_unexpected(root, root, &areas, &mut found).unwrap();
            found
        };
        assert!(unexpected().is_empty(), "{:?}", unexpected());
        fs::write(root.join("boot/vmlinuz"), "").unwrap();
        assert_eq!(unexpected(), [root.join("boot/vmlinuz").display().to_string()]);
    }

    #[test]
    fn a_directory_is_no_mounted_root() {
        let dir = tempfile::tempdir().unwrap();
        let error = mounted(dir.path()).unwrap_err();
        assert!(error.to_string().starts_with("no file system of a disk is mounted at"), "{error}");
        assert!(mounted(Path::new("/nowhere/at/all")).is_err());
    }
}

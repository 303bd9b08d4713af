//! What an installation has open outside of its process is written down beside its mount points. Who is
//! killed closes nothing; the next one does it then: volume groups that are still active, file systems
//! that are frozen, disk images under their temporary names, the directory itself.
//!
//! Whether its installation is alive is told by a lock, which the kernel takes away with the process.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FileType, FlockOperation, flock};
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::places::{ImageFile, RUN, RUN_PREFIX};
use crate::error::{Error, Result, Stage};
use crate::host::root::Root;
use crate::host::{Host, Mount, MountKind, in_private_mounts, locate};
use crate::program::Program;
use crate::retry::retry;

/// The name of the list.
const LIST: &str = "open";

/// Something that outlives a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opened {
    /// The disk that is installed onto, or the loop device of a disk image.
    Disk(PathBuf),
    /// A disk image under its temporary name.
    Image(PathBuf),
    /// An active volume group.
    Group(String),
}

/// The list of a running installation.
pub struct List(File);

impl List {
    /// Begins one in the directory `name` of `run`.
    pub fn begin(run: &dyn Root, name: &str) -> io::Result<Self> {
        let file = run.append(&format!("{name}/{LIST}"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(List(file))
    }

    /// Adds to it.
    pub fn note(&mut self, opened: &Opened) {
        let line = serde_json::to_string(opened).map_err(io::Error::other);
        if let Err(error) = line.and_then(|line| writeln!(self.0, "{line}")) {
            tracing::warn!(%error, ?opened, "noting what is open");
        }
    }
}

/// Closes what installations have left open that were killed. What cannot be closed is met again where it
/// is in the way.
pub fn clear(host: &dyn Host) {
    if let Err(error) = clear_all(host) {
        tracing::warn!(%error, "clearing up after an installation that was killed");
    }
}

fn clear_all(host: &dyn Host) -> io::Result<()> {
    let run = host.open(Path::new(RUN))?;
    for (name, kind) in run.list("")? {
        let pid = name.strip_prefix(RUN_PREFIX).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|pid| kind == FileType::Directory && *pid != rustix::process::getpid()) else {
            continue;
        };
        // It is opened and never made: another installation may be removing its directory just now.
        let list = match run.file(&format!("{name}/{LIST}")) {
            Ok(list) => list,
            Err(error) if error.kind() == io::ErrorKind::NotFound && test_kill_process(pid).is_ok() => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                run.remove_mount_points(&name)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let text = run.read(&format!("{name}/{LIST}"))?.unwrap_or_default();
        let alive = flock(&list, FlockOperation::NonBlockingLockExclusive).is_err();
        // One that has just begun may have no lock yet.
        if alive || text.is_empty() && test_kill_process(pid).is_ok() {
            continue;
        }
        tracing::info!(%name, "clearing up after an installation that was killed");
        for opened in text.lines().rev().filter_map(|line| serde_json::from_str(line).ok()) {
            close(host, &opened);
        }
        run.remove_mount_points(&name)?;
    }
    Ok(())
}

fn close(host: &dyn Host, opened: &Opened) {
    match opened {
        Opened::Group(name) => {
            let deactivate = Program::new("lvm").args(["vgchange", "--activate", "n", name.as_str()]);
            if locate("lvm").is_some()
                && let Err(error) = host.run(&deactivate, &mut |_| ())
            {
                tracing::info!(%error, "deactivating a volume group");
            }
        }
        Opened::Image(path) => {
            let Some(image) = path.to_str().map(ImageFile::at) else { return };
            let removed = host.open(&image.directory).and_then(|directory| {
                retry(Duration::from_secs(2), Duration::from_millis(50), io_busy, || {
                    remove(directory.as_ref(), &image.name)
                })
            });
            if let Err(error) = removed {
                tracing::warn!(path = %path.display(), %error, "removing an unfinished disk image");
            }
        }
        Opened::Disk(disk) => {
            for partition in partitions_of(disk) {
                thaw(host, &partition);
            }
        }
    }
}

/// The partitions of `disk` that the kernel knows.
fn partitions_of(disk: &Path) -> Vec<PathBuf> {
    let Some(name) = fs::canonicalize(disk).ok().and_then(|path| path.file_name().map(ToOwned::to_owned)) else {
        return Vec::new();
    };
    let entries = fs::read_dir(Path::new("/sys/class/block").join(name)).into_iter().flatten().flatten();
    let partitions = entries.filter(|entry| entry.path().join("partition").exists());
    partitions.map(|entry| Path::new("/dev").join(entry.file_name())).collect()
}

fn io_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Removes a disk image that no one uses: neither an installation nor a loop device has its lock.
fn remove(directory: &dyn Root, name: &str) -> io::Result<()> {
    if !directory.exists(name) {
        return Ok(());
    }
    flock(directory.append(name)?, FlockOperation::NonBlockingLockExclusive)?;
    directory.remove(name)
}

/// Removes what others that were killed have left of the same disk image.
pub fn clear_beside(directory: &dyn Root, image: &ImageFile) {
    for (name, kind) in directory.list("").unwrap_or_default() {
        let left = name.starts_with(&image.temporary_prefix()) && name != image.temporary;
        if left
            && kind == FileType::RegularFile
            && let Err(error) = remove(directory, &name)
        {
            tracing::info!(%name, %error, "is left of another installation, which may still run");
        }
    }
}

/// Thaws the file system on `partition`, where the kernel has one there that is mounted nowhere any more:
/// a frozen one cannot go. To be mounted for that changes nothing on it.
fn thaw(host: &dyn Host, partition: &Path) {
    let Some(name) = partition.file_name() else { return };
    let held = ["ext4", "xfs"].into_iter().find(|kind| Path::new("/sys/fs").join(kind).join(name).exists());
    let Some(kind) = held else { return };
    let panicked = Error::failed(Stage::Storage, "thawing stopped by an internal error");
    let thawed = in_private_mounts("thaw", Stage::Storage, panicked, || {
        let target = Path::new("/mnt").to_owned();
        let mount = Mount { source: partition.display().to_string(), target, kind: MountKind::Device(kind.into()) };
        let done = host.mount(&mount).map(|()| host.thaw(&mount.target));
        done.map_err(|error| Error::failed(Stage::Storage, "mounting what may be frozen").because(error))
    });
    if let Err(error) = thawed {
        tracing::info!(partition = %partition.display(), %error, "thawing");
    }
}

/// [`clear`], before anything is looked at.
pub fn clear_leftovers(host: &dyn Host) -> Result<()> {
    super::require_root()?;
    clear(host);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::recording::Recording;

    /// A machine on which an installation with this number and this list was.
    fn after(pid: i32, opened: &[Opened]) -> Recording {
        let host = Recording::new();
        let directory = host.at(Path::new(RUN)).join(format!("{RUN_PREFIX}{pid}"));
        fs::create_dir_all(directory.join("root")).unwrap();
        fs::create_dir(directory.join("system")).unwrap();
        let lines: String = opened.iter().map(|one| serde_json::to_string(one).unwrap() + "\n").collect();
        fs::write(directory.join(LIST), lines).unwrap();
        fs::create_dir_all(host.at(Path::new("/srv"))).unwrap();
        host
    }

    /// A number that no process has: larger than the kernel gives.
    const DEAD: i32 = 1 << 30;

    #[test]
    fn what_was_left_is_closed_the_last_first() {
        let image = PathBuf::from("/srv/.d.img.bootc-ks-1");
        let host = after(DEAD, &[Opened::Disk("/dev/none".into()), Opened::Image(image.clone())]);
        fs::write(host.at(&image), "").unwrap();
        fs::write(host.at(Path::new("/srv/d.img")), "").unwrap();
        clear(&host);
        assert!(!host.at(&image).exists() && host.at(Path::new("/srv/d.img")).exists());
        assert_eq!(fs::read_dir(host.at(Path::new(RUN))).unwrap().count(), 0);
    }

    #[test]
    fn who_lives_is_left_alone() {
        let image = PathBuf::from("/srv/.d.img.bootc-ks-1");
        let host = after(DEAD, &[Opened::Image(image.clone())]);
        fs::write(host.at(&image), "").unwrap();
        let run = host.open(Path::new(RUN)).unwrap();
        let list = List::begin(run.as_ref(), &format!("{RUN_PREFIX}{DEAD}")).unwrap();
        clear(&host);
        assert!(host.at(&image).exists());
        drop(list);
        // Its image may be attached still.
        let lock = File::open(host.at(&image)).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let directory = host.open(Path::new("/srv")).unwrap();
        let mine = ImageFile::at("/srv/d.img");
        clear_beside(directory.as_ref(), &mine);
        assert!(host.at(&image).exists());
        drop(lock);
        fs::write(host.at(Path::new("/srv/.other.img.bootc-ks-1")), "").unwrap();
        clear_beside(directory.as_ref(), &mine);
        assert!(!host.at(&image).exists() && host.at(Path::new("/srv/.other.img.bootc-ks-1")).exists());
    }

    #[test]
    fn a_frozen_file_system_that_no_one_has_mounted_is_thawed() {
        use crate::block::{LoopDevice, announce_partitions, require_unused};
        use crate::host::Real;
        use crate::units::Bytes;
        assert!(rustix::process::geteuid().is_root(), "this test mounts and needs root");
        let run = |name: &str, args: &[&str]| {
            let status = std::process::Command::new(name).args(args).status();
            let status = status.unwrap_or_else(|_| panic!("`{name}` is missing: run tools/setup"));
            assert!(status.success(), "{name} {args:?}");
        };
        let dir = tempfile::tempdir().unwrap();
        let device = LoopDevice::create(dir.path().join("disk"), Bytes::mib(64)).unwrap();
        let nodes = announce_partitions(device.path(), &[(1, Bytes::mib(1), Bytes::mib(32))]).unwrap();
        let node = nodes[0].display().to_string();
        run("mkfs.ext4", &["-q", "-F", &node]);
        let panicked = Error::failed(Stage::Storage, "panicked");
        in_private_mounts("frozen", Stage::Storage, panicked, || {
            let target = PathBuf::from("/mnt");
            Real.mount(&Mount { source: node.clone(), target, kind: MountKind::Device("ext4".into()) }).unwrap();
            run("fsfreeze", &["--freeze", "/mnt"]);
            Ok(())
        })
        .unwrap();
        let unused = |within| {
            retry(Duration::from_secs(within), Duration::from_millis(50), |_| true, || require_unused(device.path()))
        };
        unused(1).unwrap_err();
        close(&Real, &Opened::Disk(device.path().to_owned()));
        unused(10).unwrap();
    }

    #[test]
    fn one_that_has_just_begun_is_alive_and_other_directories_are_not_ours() {
        let host = after(std::os::unix::process::parent_id().cast_signed(), &[]);
        for name in ["bootc-ks", "bootc-ks-x", "bootc-ks-12a", "other-1"] {
            fs::create_dir_all(host.at(Path::new(RUN)).join(name)).unwrap();
        }
        clear(&host);
        assert_eq!(fs::read_dir(host.at(Path::new(RUN))).unwrap().count(), 5);
    }
}

//! What has been opened and must be closed, last first. Every entry is tried, and the first
//! error is kept: one mount that will not go must not leave the others.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result, Stage};
use crate::host::{Attached, Host};
use crate::storage::kind::Group;

/// Something to close.
pub enum Close {
    /// Unmount what is mounted here.
    Unmount(PathBuf),
    /// Deactivate this volume group.
    Group(String),
    /// Forget the partitions of this disk and write its buffers out.
    Disk(PathBuf),
    /// Detach this disk image.
    Image(Box<dyn Attached>),
    /// Remove this directory tree of mount points, empty by now.
    Directories(PathBuf),
}

/// The stack.
#[derive(Default)]
pub struct Teardown {
    stack: Vec<Close>,
    /// What went wrong without leaving anything open.
    pub warnings: Vec<String>,
}

impl Teardown {
    /// Notes something that is open now.
    pub fn push(&mut self, close: Close) {
        self.stack.push(close);
    }

    /// How much is open, to come back to with [`Teardown::unwind_to`].
    pub fn mark(&self) -> usize {
        self.stack.len()
    }

    /// Closes everything above `mark`.
    pub fn unwind_to(&mut self, mark: usize, host: &dyn Host) -> Result<()> {
        let mut first: Option<Error> = None;
        while self.stack.len() > mark {
            let Some(close) = self.stack.pop() else { break };
            if let Err(error) = self.one(close, host) {
                tracing::warn!(%error, "closing");
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn one(&mut self, close: Close, host: &dyn Host) -> Result<()> {
        let host = host.uninterrupted();
        match close {
            Close::Unmount(path) => {
                self.unmount(&path, host).doing(Stage::Finish, format_args!("unmounting {}", path.display()))
            }
            Close::Group(name) => {
                host.run(&Group::close(&name), &mut |_| ()).doing(Stage::Finish, "deactivating the volume group")
            }
            Close::Disk(path) => host.disks().flush(&path),
            Close::Image(disk) => disk.detach(),
            // Never a recursive removal: should a mount have stayed, it would empty that.
            Close::Directories(path) => {
                remove_mount_points(&path, host).doing(Stage::Finish, "removing the mount points")
            }
        }
    }

    /// Unmounts, if need be from under what a script has left running: some start late, and no program
    /// waits for them, so that they were not seen when it ended.
    fn unmount(&mut self, path: &Path, host: &dyn Host) -> std::io::Result<()> {
        match host.unmount(path) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                let ended = host.end_stray_processes(&[path]).join(", ");
                if !ended.is_empty() {
                    self.warnings.push(format!("a script left processes behind, which were ended: {ended}"));
                }
                host.unmount(path)
            }
            outcome => outcome,
        }
    }
}

fn remove_mount_points(path: &Path, host: &dyn Host) -> std::io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    host.open(parent)?.remove_mount_points(&name.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::host::recording::Recording;
    use crate::host::{Mount, MountKind, Real, in_private_mounts};

    #[test]
    fn what_was_opened_last_is_closed_first_and_one_failure_stops_nothing() {
        let host = Recording::new();
        let mut teardown = Teardown::default();
        teardown.push(Close::Unmount("/t/root".into()));
        let mark = teardown.mark();
        teardown.push(Close::Group("system".into()));
        teardown.push(Close::Directories("/nowhere/at/all".into()));
        teardown.push(Close::Unmount("/t/root/boot".into()));
        let error = teardown.unwind_to(mark, &host).unwrap_err();
        assert!(error.to_string().starts_with("removing the mount points"), "{error}");
        assert_eq!(host.calls(), ["umount /t/root/boot", "open /nowhere/at", "run lvm vgchange --activate n system"]);
        teardown.unwind_to(0, &host).unwrap();
        assert_eq!(host.calls().last().map(String::as_str), Some("umount /t/root"));
    }

    #[test]
    fn what_is_in_the_way_is_ended() {
        assert!(rustix::process::geteuid().is_root(), "this test mounts and needs root");
        let dir = tempfile::tempdir().unwrap();
        let (source, target) = ("tmpfs".into(), dir.path().to_owned());
        let panicked = Error::failed(Stage::Finish, "panicked");
        let child = in_private_mounts("test", Stage::Finish, panicked, || {
            Real.mount(&Mount { source, target: target.clone(), kind: MountKind::Virtual("tmpfs") }).unwrap();
            let child = std::process::Command::new("sleep").arg("1000").current_dir(&target).spawn().unwrap();
            let mut teardown = Teardown::default();
            teardown.push(Close::Unmount(target.clone()));
            teardown.unwind_to(0, &Real).unwrap();
            assert!(teardown.warnings[0].contains("ended: sleep (process "), "{:?}", teardown.warnings);
            Ok(child)
        });
        assert_eq!(child.unwrap().wait().unwrap().signal(), Some(15));
    }
}

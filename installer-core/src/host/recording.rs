//! A machine for unit tests: its disks, mounts and programs are a list of calls, its files lie in a
//! directory that stands for its root. Needs no privilege. Any one call can be made to fail.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{FileType, Stat};
use uuid::Uuid;

use super::root::{Root, TargetRoot};
use super::{Attached, Disks, Host, Mount, MountKind, ProgramError};
use crate::block::GptPartition;
use crate::error::{Context, Result, Stage};
use crate::machine::{Machine, partition_path};
use crate::program::Program;
use crate::units::Bytes;

/// The machine.
pub struct Recording {
    state: Arc<State>,
    /// What a program leaves behind.
    effect: fn(&Recording, &Program),
}

struct State {
    dir: tempfile::TempDir,
    calls: Mutex<Vec<String>>,
    /// Which call fails.
    fails: Option<usize>,
    /// What is bound where, the last first.
    bound: Mutex<Vec<(PathBuf, PathBuf)>>,
}

impl State {
    fn call(&self, call: String) -> io::Result<()> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(call);
        if self.fails == Some(calls.len() - 1) { Err(io::Error::other("made to fail")) } else { Ok(()) }
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self::new()
    }
}

impl Recording {
    /// One on which all goes well.
    pub fn new() -> Self {
        Recording::failing(None)
    }

    /// One whose call of this number, from 0, fails.
    pub fn failing(fails: Option<usize>) -> Self {
        // Where there is a file system in memory, thousands of writes reach no disk.
        let base = Some(Path::new("/dev/shm")).filter(|memory| memory.is_dir()).map(Path::to_owned);
        let dir = tempfile::tempdir_in(base.unwrap_or_else(std::env::temp_dir)).unwrap();
        for name in ["run", "mnt", "etc", "dev", "sys/firmware/efi/efivars"] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("etc/resolv.conf"), "nameserver 192.0.2.1\n").unwrap();
        fs::write(dir.path().join("sys/firmware/efi/efivars/Timeout-x"), "").unwrap();
        let state = State { dir, calls: Mutex::default(), fails, bound: Mutex::default() };
        Recording { state: Arc::new(state), effect: |_, _| () }
    }

    /// The same, whose programs do this.
    pub fn with(mut self, effect: fn(&Recording, &Program)) -> Self {
        self.effect = effect;
        self
    }

    /// What it was asked to do, in order.
    pub fn calls(&self) -> Vec<String> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Notes a call, which fails if it is its turn.
    pub fn call(&self, call: impl Into<String>) -> io::Result<()> {
        self.state.call(call.into())
    }

    fn on_disks(&self, call: String) -> Result<()> {
        self.call(call.as_str()).doing(Stage::Storage, call)
    }

    /// Where `path` of this machine really is.
    pub fn at(&self, path: &Path) -> PathBuf {
        let bound = self.state.bound.lock().unwrap();
        let mut path = path.to_owned();
        for _ in 0..8 {
            let below = bound.iter().rev().find_map(|(at, source)| Some(source.join(path.strip_prefix(at).ok()?)));
            match below {
                Some(source) if source != path => path = source,
                _ => break,
            }
        }
        self.state.dir.path().join(path.strip_prefix("/").unwrap_or(&path))
    }
}

impl Host for Recording {
    fn run(&self, program: &Program, _line: &mut dyn FnMut(&str)) -> std::result::Result<(), ProgramError> {
        let command = program.to_string();
        self.call(format!("run {command}")).map_err(|source| ProgramError::Start { command, source })?;
        (self.effect)(self, program);
        Ok(())
    }

    fn mount(&self, mount: &Mount) -> io::Result<()> {
        self.call(format!("mount {} {}", mount.source, mount.target.display()))?;
        let source = match mount.kind {
            MountKind::Bind | MountKind::BindReadOnly | MountKind::BindRecursive => mount.source.clone().into(),
            // What is mounted below another file system may as well lie in that.
            _ if self.at(&mount.target).starts_with(self.state.dir.path().join("mounted")) => return Ok(()),
            _ => {
                let source = Path::new("/mounted").join(self.state.bound.lock().unwrap().len().to_string());
                fs::create_dir_all(self.at(&source))?;
                source
            }
        };
        self.state.bound.lock().unwrap().push((mount.target.clone(), source));
        Ok(())
    }

    fn unmount(&self, target: &Path) -> io::Result<()> {
        self.call(format!("umount {}", target.display()))?;
        self.state.bound.lock().unwrap().retain(|(at, _)| at != target);
        Ok(())
    }

    fn uninterrupted(&self) -> &dyn Host {
        self
    }

    fn disks(&self) -> &dyn Disks {
        self
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Root>> {
        self.call(format!("open {}", path.display()))?;
        let root = TargetRoot::open(&self.at(path))?.keeping_owners();
        Ok(Box::new(RecordedRoot { root, at: path.to_owned(), state: Arc::clone(&self.state) }))
    }

    fn end_stray_processes(&self, _: &[&Path]) -> Vec<String> {
        Vec::new()
    }

    fn thaw(&self, _: &Path) {}

    fn write_out(&self, _: &Path) {}
}

impl Disks for Recording {
    fn probe(&self) -> Result<Machine> {
        self.on_disks("probe".into())?;
        let text = include_str!("../../../tests/machines/server-uefi-nvme.json");
        serde_json::from_str(text).doing(Stage::Probe, "reading the recorded machine")
    }

    fn create_image(&self, file: &Path, _: Bytes) -> Result<Box<dyn Attached>> {
        self.on_disks(format!("attach {}", file.display()))?;
        fs::write(self.at(file), "").unwrap();
        Ok(Box::new(RecordedImage { state: Arc::clone(&self.state) }))
    }

    fn require_unused(&self, disk: &Path) -> Result<()> {
        self.on_disks(format!("require unused {}", disk.display()))
    }

    fn exists(&self, _: &Path) -> bool {
        true
    }

    fn disarm(&self, disk: &Path, partitions: &[PathBuf]) -> Result<()> {
        self.on_disks(format!("disarm {} ({})", disk.display(), partitions.len()))
    }

    fn wipe(&self, device: &Path) -> Result<Vec<String>> {
        self.on_disks(format!("wipe {}", device.display())).map(|()| Vec::new())
    }

    fn write_table(&self, disk: &Path, _: Bytes, _: Uuid, partitions: &[GptPartition]) -> Result<()> {
        self.on_disks(format!("write table {} ({})", disk.display(), partitions.len()))
    }

    fn forget_partitions(&self, disk: &Path) -> Result<()> {
        self.on_disks(format!("forget partitions {}", disk.display()))
    }

    fn announce_partitions(&self, disk: &Path, partitions: &[(u32, Bytes, Bytes)]) -> Result<Vec<PathBuf>> {
        self.on_disks(format!("announce partitions {} ({})", disk.display(), partitions.len()))?;
        Ok(partitions.iter().map(|(number, ..)| partition_path(disk, *number)).collect())
    }

    fn has_udev(&self) -> bool {
        true
    }

    fn flush(&self, device: &Path) -> Result<()> {
        self.on_disks(format!("flush {}", device.display()))
    }
}

struct RecordedImage {
    state: Arc<State>,
}

impl Attached for RecordedImage {
    fn path(&self) -> &Path {
        Path::new("/dev/loop0")
    }

    fn detach(self: Box<Self>) -> Result<()> {
        self.state.call("detach /dev/loop0".into()).doing(Stage::Finish, "detaching /dev/loop0")
    }
}

/// A directory of the machine. What only asks whether something is there is no call.
struct RecordedRoot {
    root: TargetRoot,
    at: PathBuf,
    state: Arc<State>,
}

impl RecordedRoot {
    fn call(&self, what: &str, path: &str) -> io::Result<()> {
        self.state.call(format!("{what} {}", self.at.join(path.trim_start_matches('/')).display()))
    }
}

impl Root for RecordedRoot {
    fn read(&self, path: &str) -> io::Result<Option<String>> {
        self.call("read", path)?;
        self.root.read(path)
    }

    fn file(&self, path: &str) -> io::Result<fs::File> {
        self.call("read", path)?;
        self.root.file(path)
    }

    fn read_bytes(&self, path: &str) -> io::Result<Vec<u8>> {
        self.call("read", path)?;
        self.root.read_bytes(path)
    }

    fn exists(&self, path: &str) -> bool {
        self.root.exists(path)
    }

    fn is_dir(&self, path: &str) -> bool {
        self.root.is_dir(path)
    }

    fn read_link(&self, path: &str) -> Option<PathBuf> {
        self.root.read_link(path)
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        self.root.stat(path)
    }

    fn set_attribute(&self, path: &str, name: &str, value: &[u8]) -> io::Result<()> {
        self.call("label", path)?;
        self.root.set_attribute(path, name, value)
    }

    fn list(&self, path: &str) -> io::Result<Vec<(String, FileType)>> {
        self.call("list", path)?;
        self.root.list(path)
    }

    fn create_dirs(&self, path: &str) -> io::Result<()> {
        self.call("create directory", path)?;
        self.root.create_dirs(path)
    }

    fn create_dir(&self, path: &str, mode: u32, uid: u32, gid: u32) -> io::Result<()> {
        self.call("create directory", path)?;
        self.root.create_dir(path, mode, uid, gid)
    }

    fn write(&self, path: &str, content: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
        self.call("write", path)?;
        self.root.write(path, content, mode, owner)
    }

    fn overwrite(&self, path: &str, content: &[u8]) -> io::Result<()> {
        self.call("overwrite", path)?;
        self.root.overwrite(path, content)
    }

    fn append(&self, path: &str) -> io::Result<fs::File> {
        self.call("append", path)?;
        self.root.append(path)
    }

    fn symlink(&self, path: &str, target: &str) -> io::Result<()> {
        self.call("link", path)?;
        self.root.symlink(path, target)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call("rename", from)?;
        self.root.rename(from, to)
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.call("exchange", one)?;
        self.root.exchange(one, other)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.call("remove", path)?;
        self.root.remove(path)
    }

    fn remove_mount_points(&self, path: &str) -> io::Result<()> {
        self.call("remove mount points", path)?;
        self.root.remove_mount_points(path)
    }

    fn copy_tree(&self, from: &str, to: &str, uid: u32, gid: u32) -> io::Result<()> {
        self.call("copy", from)?;
        self.root.copy_tree(from, to, uid, gid)
    }
}

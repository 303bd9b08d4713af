//! What a program of the image gets to see of the machine that installs: nothing but its own system,
//! a few devices, and where it needs it the network. [`crate::ffi::cage`] makes it so; here is what.

use std::ffi::CString;
use std::fs;
use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use super::root::{Root, TargetRoot};
use crate::ffi::cage::{self, Act, Line, Plan};
use crate::program::Cage;

/// What root of a container may do as well (`capabilities(7)`), by number: with files, owners and
/// processes, `ping`, `chattr`, file capabilities. Nothing of it reaches beyond the cage.
const CAPABILITIES: &[u32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 18, 28, 29, 31];
/// CAP_SYS_ADMIN, for who mounts.
const MOUNTS: u32 = 21;
/// CAP_MKNOD, for who makes device nodes. What is not in the cage's /dev cannot be opened all the same.
const NODES: u32 = 27;

/// In /proc, what changes the machine and not the cage.
const READ_ONLY: &[&str] = &["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"];
/// The character devices that every program may expect.
const DEVICES: &[(&str, u32, u32)] =
    &[("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
const LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("pts/ptmx", "ptmx"),
];

/// Consoles and the kernel's log, to which scripts for Anaconda speak: what they write there is lost, and
/// they go on.
const NOWHERE: &[&str] = &[
    "console", "hvc0", "kmsg", "tty0", "tty1", "tty2", "tty3", "tty4", "tty5", "tty6", "tty7", "tty8", "tty9",
    "ttyAMA0", "ttyS0", "ttyS1", "ttyS2", "ttyS3",
];

fn c(text: impl AsRef<[u8]>) -> CString {
    // A path or a word with a NUL is none for the kernel.
    CString::new(text.as_ref()).unwrap_or_default()
}

fn mount(kind: &str, at: &str, flags: u64, options: &str) -> Act {
    Act::Mount(c(kind), c(at), flags | libc::MS_NOSUID, c(options))
}

/// The cage as the kernel is told of it.
fn plan(cage: &Cage) -> io::Result<Plan> {
    let system = TargetRoot::open(&cage.root)?;
    let mut acts = Vec::new();
    // What the image has no directory for, it does without.
    if system.is_dir("proc") {
        acts.push(mount("proc", "/proc", libc::MS_NODEV | libc::MS_NOEXEC, ""));
        acts.extend(READ_ONLY.iter().map(|at| Act::ReadOnly(c(at))));
    }
    if system.is_dir("sys") {
        acts.push(mount("sysfs", "/sys", libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_RDONLY, ""));
    }
    if system.is_dir("dev") {
        acts.extend(devices(&cage.devices));
    }
    let capabilities = CAPABILITIES.iter().copied();
    let capabilities = capabilities.chain(cage.mounts.then_some(MOUNTS)).chain(cage.nodes.then_some(NODES));
    Ok(Plan {
        root: c(cage.root.as_os_str().as_bytes()),
        namespaces: namespaces(cage.network),
        acts,
        capabilities: capabilities.fold(0, |all, number| all | 1 << number),
    })
}

/// Those that the running kernel has.
fn namespaces(network: bool) -> i32 {
    let mut all = libc::CLONE_NEWNS;
    let others = [("pid", libc::CLONE_NEWPID), ("ipc", libc::CLONE_NEWIPC), ("uts", libc::CLONE_NEWUTS)];
    let own_network = (!network).then_some(("net", libc::CLONE_NEWNET));
    for (name, flag) in others.into_iter().chain(own_network) {
        if Path::new("/proc/self/ns").join(name).exists() {
            all |= flag;
        }
    }
    all
}

/// A /dev of the cage's own.
fn devices(disks: &[PathBuf]) -> Vec<Act> {
    let mut acts = vec![mount("tmpfs", "/dev", libc::MS_NOEXEC, "mode=755,size=64k")];
    let node = |name: &str, kind: u32, device| Act::Node(c(format!("/dev/{name}")), kind, device);
    acts.extend(
        DEVICES
            .iter()
            .map(|(name, major, minor)| node(name, libc::S_IFCHR | 0o666, rustix::fs::makedev(*major, *minor))),
    );
    acts.extend(LINKS.iter().map(|(to, name)| Act::Link(c(to), c(format!("/dev/{name}")))));
    acts.extend(NOWHERE.iter().map(|name| Act::Link(c("null"), c(format!("/dev/{name}")))));
    for name in ["pts", "shm"] {
        acts.push(Act::Directory(c(format!("/dev/{name}")), 0o755));
    }
    for disk in disks {
        let Ok(meta) = fs::metadata(disk) else { continue };
        if !meta.file_type().is_block_device() {
            continue;
        }
        for name in names(disk, meta.rdev()) {
            if let Some((directory, _)) = name.rsplit_once('/') {
                acts.push(Act::Directory(c(format!("/dev/{directory}")), 0o755));
            }
            acts.push(node(&name, libc::S_IFBLK | 0o600, meta.rdev()));
        }
    }
    // Nothing more is made in it.
    acts.push(Act::ReadOnly(c("/dev")));
    acts.push(mount("devpts", "/dev/pts", libc::MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"));
    acts.push(mount("tmpfs", "/dev/shm", libc::MS_NODEV, "mode=1777"));
    acts
}

/// Below /dev, the names by which a disk is looked for: its own, the one that it was called by, and
/// the device mapper's.
fn names(disk: &Path, device: u64) -> Vec<String> {
    let below = |path: &Path| {
        let name = path.strip_prefix("/dev").ok()?.to_str()?;
        // More than a directory deep nothing is kept by such a name.
        (name.split('/').count() <= 2).then(|| name.to_owned())
    };
    let mapped = format!("/sys/dev/block/{}:{}/dm/name", rustix::fs::major(device), rustix::fs::minor(device));
    let mapped = fs::read_to_string(mapped).ok().map(|name| format!("mapper/{}", name.trim_end()));
    let mut all: Vec<String> = [below(disk), fs::canonicalize(disk).ok().and_then(|path| below(&path)), mapped]
        .into_iter()
        .flatten()
        .collect();
    all.sort();
    all.dedup();
    all
}

/// What a process is called in a message.
pub(super) fn name(pid: Pid) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{} (process {pid})", name.trim_end())
}

/// A cage in which something may still run.
struct Open {
    first: Pid,
    ended: OwnedFd,
    life: PipeWriter,
    /// The mounts of the installation that it belongs to.
    mounts: Option<PathBuf>,
}

/// Those in which programs have left something running.
static LEFT: Mutex<Vec<Open>> = Mutex::new(Vec::new());

/// Has `command` run in `cage`.
pub(super) fn put_into(command: &mut Command, cage: &Cage) -> io::Result<Line> {
    // That it is no chroot any more is not seen by its first process; services are not to be started
    // all the same.
    command.env("SYSTEMD_OFFLINE", "1");
    cage::put_into(command, plan(cage)?)
}

/// A cage whose program has been started; nothing, if it has ended before it could be looked at.
pub(super) struct Running(Option<Open>);

impl Running {
    pub(super) fn of(mut line: Line) -> io::Result<Self> {
        let first = line.first_process()?;
        let ended = cage::watch_for_end(first)?;
        Ok(Running(ended.map(|ended| Open { first, ended, life: line.life, mounts: mounts() })))
    }

    /// When the program has ended: the cage is gone, or is kept until [`end_all`].
    pub(super) fn program_ended(self) {
        if let Some(cage) = self.0.filter(|cage| !cage.ends_within(Duration::from_millis(100))) {
            LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(cage);
        }
    }
}

impl Open {
    fn ends_within(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&self.ended, PollFlags::IN)], Some(&left)) {
                Ok(ready) if ready > 0 => return true,
                Err(rustix::io::Errno::INTR) => {}
                _ => return false,
            }
        }
    }

    /// All that runs in it but its first process.
    fn others(&self) -> Vec<Pid> {
        let namespace = |process: Pid| fs::read_link(format!("/proc/{process}/ns/pid")).ok();
        let Some(ours) = namespace(self.first) else { return Vec::new() };
        // A kernel without such namespaces has all in one.
        if namespace(rustix::process::getpid()).is_none_or(|outside| outside == ours) {
            return Vec::new();
        }
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        pids.filter(|pid| *pid != self.first && namespace(*pid).is_some_and(|other| other == ours)).collect()
    }

    /// Ends all that runs in it; returns its names. First comes what only has some last lines to write.
    fn end(self, grace: Duration, patience: Duration) -> Vec<String> {
        if self.ends_within(grace) {
            return Vec::new();
        }
        let mut names: Vec<String> = self.others().into_iter().map(name).collect();
        names.sort();
        let asked = Instant::now();
        while asked.elapsed() < patience {
            for pid in self.others() {
                let _ = kill_process(pid, Signal::TERM);
            }
            if self.ends_within(Duration::from_millis(50)) {
                return names;
            }
        }
        // Its first process ends, and with that the kernel ends the rest.
        let Open { first, ended, life, .. } = self;
        drop(life);
        let _ = kill_process(first, Signal::KILL);
        let _ = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&Timespec { tv_sec: 10, tv_nsec: 0 }));
        names
    }
}

/// What the calling thread sees mounted.
fn mounts() -> Option<PathBuf> {
    fs::read_link("/proc/thread-self/ns/mnt").ok()
}

/// Ends what this installation's programs have left running in cages; returns its names.
pub(super) fn end_all(grace: Duration, patience: Duration) -> Vec<String> {
    let ours = mounts();
    let mut all = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let (left, others) = std::mem::take(&mut *all).into_iter().partition(|cage| cage.mounts == ours);
    *all = others;
    drop(all);
    let left: Vec<Open> = left;
    left.into_iter().flat_map(|cage| cage.end(grace, patience)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::error::{Error, Stage};
    use crate::host::{Host, Mount, MountKind, ProgramError, Real, in_private_mounts};
    use crate::program::Program;

    /// Does `work` with a system whose programs are this machine's.
    fn with_system(work: impl FnOnce(&Path) + Send) {
        assert!(rustix::process::geteuid().is_root(), "this test mounts and needs root");
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for name in ["usr", "proc", "sys", "dev", "tmp", "etc", "var"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        for name in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{name}"), root.join(name)).unwrap();
        }
        let panicked = Error::failed(Stage::Finish, "panicked");
        in_private_mounts("test", Stage::Finish, panicked, || {
            let bind = |at: &str| {
                let mount = Mount { source: at.into(), target: root.join(&at[1..]), kind: MountKind::BindRecursive };
                Real.mount(&mount).unwrap();
            };
            // As an installation has it for scripts outside.
            ["/usr", "/proc", "/sys", "/dev"].into_iter().for_each(bind);
            work(root);
            Ok(())
        })
        .unwrap();
    }

    fn inside(root: &Path, script: &str, more: impl FnOnce(&mut Cage)) -> Result<Vec<String>, ProgramError> {
        let mut lines = Vec::new();
        let program = Program::new("/bin/sh").args(["-c", script]).inside(root).with(more);
        Real.run(&program, &mut |line| lines.push(line.to_owned())).map(|()| lines)
    }

    #[test]
    fn only_the_system_and_what_was_allowed_is_seen() {
        with_system(|root| {
            let lines = |script: &str| inside(root, script, |_| ()).unwrap();
            assert_eq!(lines("ls -1 / | tr '\\n' ' '"), ["bin dev etc lib lib64 proc sbin sys tmp usr var"]);
            assert_eq!(
                lines("find /dev ! -type l ! -type d | sort | tr '\\n' ' '"),
                ["/dev/full /dev/null /dev/pts/ptmx /dev/random /dev/tty /dev/urandom /dev/zero"]
            );
            assert_eq!(lines("exec 3>&1 </dev/tty3 >/dev/tty3 2>&1; echo lost; cat; echo told >&3"), ["told"]);
            // The first process and the shell.
            assert_eq!(lines("set -- /proc/[0-9]*; echo $# $$; ls /sys/class/net"), ["2 2", "lo"]);
            assert_eq!(
                lines("echo x > /dev/null; head -c 3 /dev/zero | wc -c; echo y > /dev/shm/z; cat /dev/shm/z"),
                ["3", "y"]
            );
            let network = inside(root, "ls /sys/class/net /proc/self/status", |cage| cage.network = true).unwrap();
            assert!(network.contains(&"lo".to_owned()), "{network:?}");
            for forbidden in [
                "mount -t tmpfs x /tmp",
                "mount -t devtmpfs x /tmp",
                "mknod /tmp/disk b 7 0",
                "mknod /dev/disk b 7 0",
                "touch /dev/x",
                "echo 1 > /proc/sys/kernel/printk",
                "test -w /proc/sysrq-trigger",
                "test -w /sys/kernel/uevent_helper",
                "cat /proc/1/environ",
                "cat /proc/1/maps",
                "ls /proc/1/root/",
                "umount /proc",
                "nsenter -t 1 -m true",
                "chroot /proc/1/root true",
            ] {
                assert!(inside(root, forbidden, |_| ()).is_err(), "{forbidden}");
            }
        });
    }

    #[test]
    fn the_targets_disk_alone_is_in_dev() {
        with_system(|root| {
            let directory = tempfile::tempdir().unwrap();
            let size = crate::units::Bytes::mib(4);
            let one = crate::block::LoopDevice::create(directory.path().join("one"), size).unwrap();
            let other = crate::block::LoopDevice::create(directory.path().join("other"), size).unwrap();
            let shown = |more: bool| {
                let nodes = [one.path().to_owned(), "/dev/none".into(), "/dev/null".into()];
                inside(root, "ls /dev/loop* 2>/dev/null; :", |cage| {
                    cage.devices = if more { nodes.into() } else { Vec::new() }
                })
            };
            assert_eq!(shown(false).unwrap(), Vec::<String>::new());
            assert_eq!(shown(true).unwrap(), [one.path().display().to_string()]);
            let write = format!("printf cage | dd of={} conv=notrunc status=none", one.path().display());
            inside(root, &write, |cage| cage.devices = vec![one.path().to_owned()]).unwrap();
            assert_eq!(&fs::read(one.path()).unwrap()[..4], b"cage");
            let node = format!(
                "mknod /tmp/x b 7 {} && cat /tmp/x",
                other.path().to_str().unwrap().trim_start_matches("/dev/loop")
            );
            inside(root, &node, |cage| cage.nodes = true).unwrap_err();
        });
    }

    #[test]
    fn a_program_ends_as_it_ends_outside() {
        with_system(|root| {
            let error = inside(root, "echo one; echo two >&2; exit 3", |_| ()).unwrap_err().to_string();
            assert!(error.starts_with("'chroot ") && error.ends_with("failed with exit code 3: one | two"), "{error}");
            let error = inside(root, "kill -9 $$", |_| ()).unwrap_err().to_string();
            assert!(error.ends_with("was killed by signal 9"), "{error}");
            for name in ["/usr/bin/none-such", "none-such"] {
                let error = Real.run(&Program::new(name).inside(root), &mut |_| ()).unwrap_err();
                assert_eq!(error.to_string(), format!("{name} is not installed"));
            }
            let mut reads = Program::new("cat").inside(root);
            reads.stdin = Some(crate::units::Secret::new("hunter2"));
            let mut seen = Vec::new();
            Real.run(&reads, &mut |line| seen.push(line.to_owned())).unwrap();
            assert_eq!(seen, ["hunter2"]);
            let mut ignores = Program::new("true").inside(root);
            ignores.stdin = Some(crate::units::Secret::new("x".repeat(1 << 20)));
            Real.run(&ignores, &mut |_| ()).unwrap();
        });
    }

    #[test]
    fn what_is_left_running_is_ended_and_named() {
        with_system(|root| {
            inside(
                root,
                "setsid sleep 1000 & setsid sh -c 'trap : TERM; while :; do sleep 1; done' & echo last",
                |_| (),
            )
            .unwrap();
            let names = end_all(Duration::from_millis(50), Duration::from_millis(500));
            assert!(names.iter().any(|name| name.starts_with("sleep (process ")), "{names:?}");
            assert!(end_all(Duration::ZERO, Duration::ZERO).is_empty());
        });
    }
}

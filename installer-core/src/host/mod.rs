//! The installing machine as `apply` uses it: programs, mounts, block devices, files.
//!
//! [`Real`] is this machine. The unit tests have one whose disks are a list of calls and whose root
//! is a directory (`recording`), so that whole plans run there, and any call can be made to fail.

mod cage;
mod disks;
mod libexec;
mod memory;
mod namespace;
mod output;
#[cfg(test)]
pub mod recording;
pub mod root;
mod stray_processes;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use crate::cancel::Cancel;
use crate::ffi::session::{ends_with_us, in_own_session};
use crate::mountinfo;
use crate::program::{OSTREE_PROGRAM, Program, row};
use crate::retry::retry;

use output::Output;
use root::{Root, TargetRoot};

pub use disks::{Attached, Disks, KernelDisks};
pub use libexec::{LIBEXEC_VARIABLE, set_libexec};
pub use memory::MemoryFile;
pub use namespace::in_private_mounts;

/// A file system to mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Device, directory (bind) or name.
    pub source: String,
    /// Where.
    pub target: PathBuf,
    /// How.
    pub kind: MountKind,
}

/// How a file system is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A device with a file system of this type.
    Device(String),
    /// A directory that is seen at a second place.
    Bind,
    /// The same, without a way to write through it.
    BindReadOnly,
    /// The same with everything mounted below it; what happens there stays there.
    BindRecursive,
    /// A kernel file system of this type (`proc`, `tmpfs`).
    Virtual(&'static str),
}

/// Why a program did not do its work: its command line and the end of what it said.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not there.
    #[error("{name} is not installed{}", .purpose.map(|p| format!(" (needed to {p})")).unwrap_or_default())]
    Missing {
        /// Its name.
        name: String,
        /// What it is for.
        purpose: Option<&'static str>,
    },
    /// It could not be started.
    #[error("starting '{command}': {source}")]
    Start {
        /// The command line.
        command: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It said no.
    #[error("'{command}' {status}{}", if .tail.is_empty() { String::new() } else { format!(": {}", .tail) })]
    Status {
        /// The command line.
        command: String,
        /// `failed with exit code 1`, `was killed by signal 9`.
        status: String,
        /// The last lines of its output.
        tail: String,
    },
}

/// What can be done on the installing machine. Block devices, files and processes are those of the
/// running kernel, unless a host says otherwise.
pub trait Host: Send + Sync {
    /// Runs `program` to its end and gives each line of its output to `line`; its standard
    /// output and standard error are one stream.
    fn run(&self, program: &Program, line: &mut dyn FnMut(&str)) -> Result<(), ProgramError>;
    /// Mounts.
    fn mount(&self, mount: &Mount) -> std::io::Result<()>;
    /// Unmounts what is mounted at `target` and below.
    fn unmount(&self, target: &Path) -> std::io::Result<()>;
    /// The same, but a running program cannot be cancelled: for steps that undo something.
    fn uninterrupted(&self) -> &dyn Host;

    /// Its block devices.
    fn disks(&self) -> &dyn Disks {
        &KernelDisks
    }

    /// The directory at `path` with everything below it.
    fn open(&self, path: &Path) -> std::io::Result<Box<dyn Root>> {
        Ok(Box::new(TargetRoot::open(path)?))
    }

    /// Thaws the file system that is mounted at `path`, which who was killed may have left frozen: what
    /// writes to it would wait for ever.
    fn thaw(&self, path: &Path) {
        let thawed = std::fs::File::open(path).and_then(crate::ffi::freeze::thaw);
        match thawed {
            Ok(true) => tracing::warn!(path = %path.display(), "was frozen"),
            Ok(false) => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "thawing"),
        }
    }

    /// Writes to its device what the file system at `path` keeps in memory.
    fn write_out(&self, path: &Path) {
        let written = std::fs::File::open(path).and_then(|directory| Ok(rustix::fs::syncfs(directory)?));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "writing out");
        }
    }

    /// Ends what scripts have left running that uses one of `roots`; returns its names.
    fn end_stray_processes(&self, roots: &[&Path]) -> Vec<String> {
        stray_processes::end(roots)
    }
}

/// Where `name` is: a program of ours where those are kept, another one in $PATH or in the
/// directories where a rescue shell's $PATH may not look.
pub fn locate(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.exists());
    }
    if name == OSTREE_PROGRAM {
        return libexec::find(name);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

/// How many lines of a failed program's output go into its error.
const TAIL_LINES: usize = 6;

/// This machine.
pub struct Real;

/// This machine, where a program that runs is ended when the installation is cancelled.
pub struct Stoppable(Option<Cancel>);

impl Stoppable {
    /// By this flag.
    pub fn by(cancel: Cancel) -> Self {
        Stoppable(Some(cancel))
    }
}

/// One that cannot be cancelled.
static STEADY: Stoppable = Stoppable(None);

impl Host for Stoppable {
    fn run(&self, program: &Program, line: &mut dyn FnMut(&str)) -> Result<(), ProgramError> {
        run(program, Owner::Installation(self.0.as_ref()), line)
    }

    fn mount(&self, mount: &Mount) -> std::io::Result<()> {
        Real.mount(mount)
    }

    fn unmount(&self, target: &Path) -> std::io::Result<()> {
        Real.unmount(target)
    }

    fn uninterrupted(&self) -> &dyn Host {
        &STEADY
    }
}

/// Whom a program belongs to.
#[derive(Clone, Copy)]
enum Owner<'a> {
    /// The session of the process that started us: a terminal's Ctrl-C is for it as well.
    Us,
    /// This installation: it has a session of its own, for a terminal sends Ctrl-C and its own end to
    /// all processes in front of it, and what is to be done then is decided here. It is ended when the
    /// flag is raised, where there is one.
    Installation(Option<&'a Cancel>),
}

fn run(program: &Program, owner: Owner<'_>, line: &mut dyn FnMut(&str)) -> Result<(), ProgramError> {
    let text = program.to_string();
    tracing::debug!(command = %text, "running");
    let missing = || ProgramError::Missing {
        name: program.name.clone(),
        purpose: row(&program.name).map(|row| row.purpose).filter(|_| program.cage.is_none()),
    };
    // Inside another system the name is looked up there.
    let path = if program.cage.is_some() { Some(PathBuf::from(&program.name)) } else { locate(&program.name) };
    let path = path.ok_or_else(missing)?;
    let start = |source| ProgramError::Start { command: text.clone(), source };
    let (reader, writer) = std::io::pipe().map_err(start)?;
    let mut command = Command::new(path);
    command
        .args(&program.args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .envs(program.env.iter().map(|(key, value)| (key, value)))
        .stdin(if program.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(writer.try_clone().map_err(start)?)
        .stderr(writer);
    let stop = match owner {
        Owner::Us => None,
        Owner::Installation(stop) => stop,
    };
    let line_of_life = match &program.cage {
        Some(cage) => Some(cage::put_into(&mut command, cage).map_err(start)?),
        None => {
            if matches!(owner, Owner::Installation(_)) || program.time_limit.is_some() {
                in_own_session(&mut command);
            }
            if !program.outlives {
                ends_with_us(&mut command);
            }
            None
        }
    };
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if program.cage.is_some() => missing(),
        _ => start(error),
    })?;
    // The command holds the writing ends; without this the reader never sees the end.
    drop(command);
    let caged = line_of_life.map(cage::Running::of).transpose().map_err(start)?;
    if let (Some(mut stdin), Some(secret)) = (child.stdin.take(), &program.stdin) {
        // A program that ends before it has read everything says why itself: by its output and its
        // status, which a broken pipe must not hide.
        match stdin.write_all(secret.expose().as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(start(error)),
            _ => {}
        }
    }
    let deadline = program.time_limit.map(|limit| Instant::now() + limit);
    let tail = read_lines(Output::of(reader, &child, stop, deadline).map_err(start)?, line);
    let late = deadline.is_some_and(|end| Instant::now() >= end);
    let status = child.wait().map_err(start)?;
    if let Some(caged) = caged {
        caged.program_ended();
    }
    if status.success() {
        return Ok(());
    }
    use std::os::unix::process::ExitStatusExt;
    let status = match (status.code(), status.signal()) {
        _ if late => {
            format!("did not end within {} s, and was ended", program.time_limit.unwrap_or_default().as_secs())
        }
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        _ => "failed".to_owned(),
    };
    Err(ProgramError::Status { command: text, status, tail: tail.join(" | ") })
}

impl Host for Real {
    fn run(&self, program: &Program, line: &mut dyn FnMut(&str)) -> Result<(), ProgramError> {
        run(program, Owner::Us, line)
    }

    fn mount(&self, mount: &Mount) -> std::io::Result<()> {
        tracing::debug!(source = %mount.source, target = %mount.target.display(), "mounting");
        let (source, target) = (mount.source.as_str(), &mount.target);
        match &mount.kind {
            MountKind::Device(kind) => {
                rustix::mount::mount(source, target, kind.as_str(), MountFlags::empty(), None)?;
            }
            MountKind::Virtual(kind) => {
                rustix::mount::mount(source, target, *kind, MountFlags::NOSUID | MountFlags::NODEV, None)?;
            }
            MountKind::Bind => rustix::mount::mount_bind(source, target)?,
            MountKind::BindReadOnly => {
                rustix::mount::mount_bind(source, target)?;
                rustix::mount::mount_remount(target, MountFlags::BIND | MountFlags::RDONLY, "")?;
            }
            MountKind::BindRecursive => {
                rustix::mount::mount_bind_recursive(source, target)?;
                // Unmounting here must not unmount there.
                let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
                rustix::mount::mount_change(target, slave)?;
            }
        }
        Ok(())
    }

    fn unmount(&self, target: &Path) -> std::io::Result<()> {
        for mounted in mounts_at_or_below(target)? {
            tracing::debug!(target = %mounted.display(), "unmounting");
            unmount_patiently(&mounted)?;
            // What else is mounted at that place was there before.
            if mounted == PathBuf::from_iter(target.components()) {
                break;
            }
        }
        Ok(())
    }

    fn uninterrupted(&self) -> &dyn Host {
        self
    }
}

/// What this thread sees mounted at `target` and below, the last first. A recursive bind
/// brings mounts along that no other list has.
fn mounts_at_or_below(target: &Path) -> std::io::Result<Vec<PathBuf>> {
    let target = PathBuf::from_iter(target.components());
    let points = mountinfo::of_this_thread()?.into_iter().map(|entry| entry.target);
    let mut list: Vec<PathBuf> = points.filter(|point| point.starts_with(&target)).collect();
    list.reverse();
    Ok(list)
}

/// Something may still be closing a file; a moment's patience beats a failed installation.
fn unmount_patiently(target: &Path) -> std::io::Result<()> {
    let busy = |error: &rustix::io::Errno| *error == rustix::io::Errno::BUSY;
    let unmount = || rustix::mount::unmount(target, UnmountFlags::NOFOLLOW);
    Ok(retry(Duration::from_secs(5), Duration::from_millis(100), busy, unmount)?)
}

/// No line of a program's output is longer: what is behind is left out, so that none takes the memory.
const LONGEST_LINE: u64 = 16 << 10;

/// Hands every line over and keeps the last few.
fn read_lines(reader: impl Read, line: &mut dyn FnMut(&str)) -> Vec<String> {
    let mut tail: Vec<String> = Vec::new();
    let mut reader = BufReader::new(reader);
    let mut raw = Vec::new();
    while (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut raw).is_ok_and(|n| n > 0) {
        let cut = raw.len() as u64 == LONGEST_LINE && !raw.ends_with(b"\n") && skip_line(&mut reader);
        let mut text = String::from_utf8_lossy(&raw).trim_end().to_owned();
        if cut {
            text.push_str(" […]");
        }
        tracing::debug!(target: "program", "{text}");
        line(&text);
        if !text.is_empty() {
            if tail.len() == TAIL_LINES {
                tail.remove(0);
            }
            tail.push(shortened(&text));
        }
        raw.clear();
    }
    tail
}

/// Reads to the end of the line; whether there was something.
fn skip_line(reader: &mut impl BufRead) -> bool {
    let mut any = false;
    loop {
        let Ok(bytes) = reader.fill_buf() else { return any };
        if bytes.is_empty() {
            return any;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        any |= end != Some(0);
        let length = end.map_or(bytes.len(), |end| end + 1);
        reader.consume(length);
        if end.is_some() {
            return any;
        }
    }
}

/// A line for an error, which has several.
fn shortened(text: &str) -> String {
    const MOST: usize = 500;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{} […]", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_cut() {
        let limit = usize::try_from(LONGEST_LINE).unwrap();
        for (text, lengths) in [
            ("x".repeat(limit - 1) + "\ny\n", [limit - 1, 1]),
            ("x".repeat(limit) + "\ny", [limit, 1]),
            ("x".repeat(limit + 1) + "\ny", [limit + " […]".len(), 1]),
            ("\0".repeat(9 * limit) + "\ny", [limit + " […]".len(), 1]),
        ] {
            let mut seen = Vec::new();
            let tail = read_lines(text.as_bytes(), &mut |line| seen.push(line.len()));
            assert_eq!((seen.as_slice(), tail.len()), (lengths.as_slice(), 2));
            assert!(tail[0].len() < 1000);
        }
    }

    #[test]
    fn a_failed_program_tells_its_command_and_its_last_words() {
        let program = Program::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]);
        let mut seen = Vec::new();
        let error = Real.run(&program, &mut |line| seen.push(line.to_owned())).unwrap_err();
        assert_eq!(seen, ["one", "two"]);
        assert_eq!(error.to_string(), "'sh -c 'echo one; echo two >&2; exit 3'' failed with exit code 3: one | two");
    }

    #[test]
    fn what_a_program_leaves_behind_is_not_waited_for() {
        for leftover in ["sleep 1000", "exec 2>/dev/null; yes"] {
            let program = Program::new("sh").args(["-c", &format!("({leftover}) & echo $!; echo last")]);
            let (mut seen, started) = (Vec::new(), std::time::Instant::now());
            Real.run(&program, &mut |line| seen.push(line.to_owned())).unwrap();
            assert!(started.elapsed().as_secs() < 500, "{leftover}");
            seen.retain(|line| line != "y" && !line.is_empty());
            assert_eq!((seen.len(), seen[1].as_str()), (2, "last"), "{leftover}");
            let pid = rustix::process::Pid::from_raw(seen[0].parse().unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    #[test]
    fn a_program_that_reads_nothing_is_judged_by_its_status() {
        let mut program = Program::new("sh").args(["-c", "echo 'no such library' >&2; exit 127"]);
        program.stdin = Some(crate::units::Secret::new("x".repeat(1 << 20)));
        let error = Real.run(&program, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("exit code 127") && error.contains("no such library"), "{error}");
    }

    #[test]
    fn secrets_go_in_by_stdin_and_stay_out_of_the_text() {
        let mut program = Program::new("cat");
        program.stdin = Some(crate::units::Secret::new("hunter2"));
        let mut seen = Vec::new();
        Real.run(&program, &mut |line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen, ["hunter2"]);
        assert!(!format!("{program} {program:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Real.run(&Program::new("mkfs.nowhere"), &mut |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "mkfs.nowhere is not installed");
    }
}

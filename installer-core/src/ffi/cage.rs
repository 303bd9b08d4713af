//! A program in a cage: with another system as its root, in namespaces of its own, and ended with us.
//!
//! ```text
//! us ── fork ─► keeper ── fork ─► first process of the cage ── fork ─► the program
//!  └── life line (a pipe) ──────────────►┘
//! ```
//!
//! A new PID namespace begins with the next child, so there are three. The keeper is the child that
//! [`Command`] knows: it ends as the program ends. The first process makes the cage's mounts, waits for
//! all that the program leaves behind, and ends when nothing is left or when the other end of the life
//! line is closed; the kernel then ends all that is in the cage with it. None of them but the program
//! executes anything: between fork and exec only calls that are safe after a fork are made, so all that
//! needs memory is prepared beforehand.

use std::ffi::CString;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Something that is made inside the cage; paths are those of the new root.
#[derive(Debug)]
pub enum Act {
    /// A directory, if there is none.
    Directory(CString, u32),
    /// A device node.
    Node(CString, u32, u64),
    /// A symbolic link, to the first at the second.
    Link(CString, CString),
    /// A kernel file system of this type, mounted at this place, with flags and options.
    Mount(CString, CString, u64, CString),
    /// This place made read-only, if it is there.
    ReadOnly(CString),
}

/// The cage, prepared.
#[derive(Debug)]
pub struct Plan {
    /// The directory that becomes `/`.
    pub root: CString,
    /// `CLONE_NEW…` of those namespaces that the kernel has.
    pub namespaces: i32,
    /// What is made in it, in order.
    pub acts: Vec<Act>,
    /// The capabilities that the program keeps, as bits.
    pub capabilities: u64,
}

/// Our end of a cage.
#[derive(Debug)]
pub struct Line {
    /// Closed, it ends the cage.
    pub life: PipeWriter,
    tells: PipeReader,
}

/// Has `command`, when it is started, run in the cage `plan`. What it returns has to be kept.
pub fn put_into(command: &mut Command, plan: Plan) -> io::Result<Line> {
    let (life_end, life) = io::pipe()?;
    let (tells, teller) = io::pipe()?;
    let parent = rustix::process::getpid().as_raw_nonzero().get();
    let enter = move || enter(&plan, parent, life_end.as_raw_fd(), teller.as_raw_fd());
    // SAFETY: the closure makes system calls only; it neither allocates nor takes a lock, and what it
    // reads was made before the fork.
    unsafe { command.pre_exec(enter) };
    Ok(Line { life, tells })
}

impl Line {
    /// The number of the cage's first process, once `command` was started and dropped.
    pub fn first_process(&mut self) -> io::Result<rustix::process::Pid> {
        let mut bytes = [0; 4];
        self.tells.read_exact(&mut bytes)?;
        rustix::process::Pid::from_raw(i32::from_ne_bytes(bytes)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// What a system call returned, or its error.
fn sure(answer: impl Into<i64>) -> io::Result<i64> {
    let answer = answer.into();
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// The same, called again when a signal came in between.
fn patiently(mut call: impl FnMut() -> i64) -> io::Result<i64> {
    loop {
        match sure(call()) {
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            other => return other,
        }
    }
}

/// In the child: becomes the keeper, which does not come back, or the program, which does.
fn enter(plan: &Plan, parent: i32, life: RawFd, teller: RawFd) -> io::Result<()> {
    let mut ends: [RawFd; 2] = [0; 2];
    // SAFETY: all of these take numbers, or memory of ours that outlives the call.
    unsafe {
        sure(libc::setsid())?;
        super::session::end_with(parent)?;
        sure(libc::unshare(plan.namespaces))?;
        sure(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        match sure(libc::fork())? {
            0 => {}
            first => return keep(first as i32, ends, teller),
        }
        // The handlers of the process that we are a copy of are not for this one.
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGCHLD] {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::close(ends[0]);
        if let Err(error) = furnish(plan) {
            report(ends[1], FAILED, error.raw_os_error().unwrap_or(libc::EIO));
            libc::_exit(1);
        }
        // Who is in the cage must not read what this copy of our memory holds.
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        let mut children: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut children);
        libc::sigaddset(&mut children, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &children, std::ptr::null_mut());
        match libc::fork() {
            0 => {
                libc::sigprocmask(libc::SIG_UNBLOCK, &children, std::ptr::null_mut());
                limit(plan.capabilities)
            }
            program => watch(program, &children, life, ends[1]),
        }
    }
}

/// What is told through the pipe between the cage's first process and the keeper: what kind, and a number.
const READY: i32 = 0;
const FAILED: i32 = 1;
const ENDED: i32 = 2;

fn report(to: RawFd, kind: i32, value: i32) {
    let message = [kind, value];
    // SAFETY: the memory is ours. A pipe takes eight bytes at once.
    let _ = patiently(|| unsafe { libc::write(to, message.as_ptr().cast(), size_of_val(&message)) as i64 });
}

/// Waits for the program's end, and ends alike.
fn keep(first: i32, ends: [RawFd; 2], teller: RawFd) -> io::Result<()> {
    let mut message = [0_i32; 2];
    // SAFETY: as above; descriptors are closed that only this process, a copy, has in these numbers.
    unsafe {
        libc::close(ends[1]);
        libc::write(teller, (&raw const first).cast(), size_of_val(&first));
        let size = size_of_val(&message);
        let mut next = || patiently(|| libc::read(ends[0], message.as_mut_ptr().cast(), size) as i64).map(|_| message);
        match next()? {
            [FAILED, error] => return Err(io::Error::from_raw_os_error(error)),
            [READY, _] => {}
            _ => return Err(io::ErrorKind::BrokenPipe.into()),
        }
        // A signal to end goes to all of the group; the program may want to finish something first.
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::signal(signal, libc::SIG_IGN);
        }
        // The other end of each of them has to see when the program closes it.
        close_all_but(&[ends[0]]);
        let mut status = [0_i32; 2];
        let got = patiently(|| libc::read(ends[0], status.as_mut_ptr().cast(), size) as i64);
        let status = match (got, status) {
            (Ok(8), [ENDED, status]) => status,
            // The first process was ended, and all with it.
            _ => libc::SIGKILL,
        };
        if libc::WIFEXITED(status) {
            libc::_exit(libc::WEXITSTATUS(status));
        }
        let signal = libc::WTERMSIG(status);
        // No core: it would be one of this program.
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::signal(signal, libc::SIG_DFL);
        libc::kill(libc::getpid(), signal);
        libc::_exit(128 + signal)
    }
}

/// Closes all descriptors but these, which are in rising order.
unsafe fn close_all_but(keep: &[RawFd]) {
    let mut from: libc::c_uint = 0;
    for fd in keep.iter().map(|fd| *fd as libc::c_uint) {
        if fd > from {
            // SAFETY: who calls this knows that nothing else of this process uses them.
            unsafe { close_range(from, fd - 1) };
        }
        from = fd + 1;
    }
    // SAFETY: as above.
    unsafe { close_range(from, libc::c_uint::MAX) };
}

unsafe fn close_range(first: libc::c_uint, last: libc::c_uint) {
    // SAFETY: as above.
    unsafe {
        // From Linux 5.9 on.
        if libc::syscall(libc::SYS_close_range, first, last, 0) != 0 {
            for fd in first..=last.min(4096) {
                libc::close(fd as RawFd);
            }
        }
    }
}

/// As the cage's first process: waits for the program, then for all that it left behind.
fn watch(program: i32, children: &libc::sigset_t, life: RawFd, to: RawFd) -> ! {
    // SAFETY: numbers, and memory of ours.
    unsafe {
        if program < 0 {
            report(to, FAILED, *libc::__errno_location());
            libc::_exit(1);
        }
        report(to, READY, 0);
        let signals = libc::signalfd(-1, children, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        let mut keep = [life, to, signals];
        keep.sort_unstable();
        close_all_but(&keep);
        loop {
            loop {
                let mut status = 0;
                match libc::waitpid(-1, &mut status, libc::WNOHANG) {
                    0 => break,
                    pid if pid == program => report(to, ENDED, status),
                    pid if pid < 0 => libc::_exit(0),
                    _ => {}
                }
            }
            let wait = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            let mut ready = [wait(signals), wait(life)];
            libc::poll(ready.as_mut_ptr(), 2, -1);
            if ready[1].revents != 0 {
                libc::_exit(1);
            }
            let mut one = [0_u8; size_of::<libc::signalfd_siginfo>()];
            while libc::read(signals, one.as_mut_ptr().cast(), one.len()) > 0 {}
        }
    }
}

/// Makes the cage's mounts and enters its root.
fn furnish(plan: &Plan) -> io::Result<()> {
    let (here, root, none) = (c".".as_ptr(), c"/".as_ptr(), std::ptr::null());
    // SAFETY: every path is a C string that lives as long as the plan or for ever.
    unsafe {
        sure(libc::mount(none, root, none, libc::MS_REC | libc::MS_PRIVATE, none.cast()))?;
        // A new root has to be a mount point.
        let new = plan.root.as_ptr();
        sure(libc::mount(new, new, none, libc::MS_BIND | libc::MS_REC, none.cast()))?;
        let old = sure(libc::open(root, libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC))? as RawFd;
        sure(libc::chdir(new))?;
        no_devices()?;
        if libc::syscall(libc::SYS_pivot_root, here, here) == 0 {
            sure(libc::fchdir(old))?;
            sure(libc::umount2(here, libc::MNT_DETACH))?;
        } else {
            // The root of a machine that runs from its initramfs cannot be left, and is covered.
            sure(libc::mount(here, root, none, libc::MS_MOVE, none.cast()))?;
            sure(libc::chroot(here))?;
        }
        libc::close(old);
        sure(libc::chdir(root))?;
    }
    plan.acts.iter().try_for_each(do_one)
}

/// No device node below the working directory, with all that is mounted there, is one in the cage.
fn no_devices() -> io::Result<()> {
    let attributes: [u64; 4] = [libc::MOUNT_ATTR_NODEV, 0, 0, 0];
    // SAFETY: the structure is `struct mount_attr`, of four numbers.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            c".".as_ptr(),
            libc::AT_RECURSIVE,
            attributes.as_ptr(),
            size_of_val(&attributes),
        )
    };
    match sure(answer) {
        // From Linux 5.12 on.
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => Ok(()),
        other => other.map(drop),
    }
}

fn do_one(act: &Act) -> io::Result<()> {
    let none = std::ptr::null();
    let is = |error: &io::Error, code| error.raw_os_error() == Some(code);
    // SAFETY: every path is a C string that lives as long as the plan.
    unsafe {
        match act {
            Act::Directory(at, mode) => match sure(libc::mkdir(at.as_ptr(), *mode)) {
                Err(error) if !is(&error, libc::EEXIST) => Err(error),
                _ => sure(libc::chmod(at.as_ptr(), *mode)).map(drop),
            },
            Act::Node(at, mode, device) => match sure(libc::mknod(at.as_ptr(), *mode, *device)) {
                Err(error) if !is(&error, libc::EEXIST) => Err(error),
                // The mask of new files is not for them.
                _ => sure(libc::chmod(at.as_ptr(), *mode & 0o7777)).map(drop),
            },
            Act::Link(to, at) => match sure(libc::symlink(to.as_ptr(), at.as_ptr())) {
                Err(error) if !is(&error, libc::EEXIST) => Err(error),
                _ => Ok(()),
            },
            Act::Mount(kind, at, flags, options) => {
                let (kind, options) = (kind.as_ptr(), options.as_ptr());
                // What the machine has there is not to be beneath; and a file system is not mounted over
                // itself, as the machine's /sys would be where the network is the same.
                for _ in 0..16 {
                    if libc::umount2(at.as_ptr(), libc::MNT_DETACH | libc::UMOUNT_NOFOLLOW) != 0 {
                        break;
                    }
                }
                sure(libc::mount(kind, at.as_ptr(), kind, *flags, options.cast())).map(drop)
            }
            Act::ReadOnly(at) => {
                let at = at.as_ptr();
                match sure(libc::mount(at, at, none, libc::MS_BIND | libc::MS_REC, none.cast())) {
                    Err(error) if is(&error, libc::ENOENT) => return Ok(()),
                    other => other?,
                };
                let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | libc::MS_NOSUID;
                sure(libc::mount(none, at, none, flags, none.cast())).map(drop)
            }
        }
    }
}

/// Gives up all capabilities but these for good: what is executed has no others, also where root owns the file.
fn limit(capabilities: u64) -> io::Result<()> {
    // SAFETY: numbers. From the first number on that the kernel does not know there are none.
    unsafe {
        for number in 0..64 {
            if capabilities >> number & 1 == 0 && libc::prctl(libc::PR_CAPBSET_DROP, number, 0, 0, 0) != 0 {
                let error = io::Error::last_os_error();
                if error.raw_os_error() == Some(libc::EINVAL) {
                    break;
                }
                return Err(error);
            }
        }
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        // What this process may have been started with is not for the image.
        let (first, last) = (3 as libc::c_uint, libc::c_uint::MAX);
        libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC);
    }
    Ok(())
}

/// A process by a descriptor of it; `None` if it has ended already.
pub fn watch_for_end(process: rustix::process::Pid) -> io::Result<Option<OwnedFd>> {
    match rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => Ok(None),
        outcome => Ok(Some(outcome?)),
    }
}

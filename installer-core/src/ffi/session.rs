//! A session of its own for a program, and an end with us.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes `command` the leader of a session and of a process group: no terminal sends it signals,
/// and it has none to talk to.
pub fn in_own_session(command: &mut Command) {
    let setsid = || Ok(rustix::process::setsid().map(drop)?);
    // SAFETY: between fork and exec only setsid is called, which is async-signal-safe.
    unsafe { command.pre_exec(setsid) };
}

/// Has the kernel end `command` when the thread that starts it ends, however that comes about. Who
/// starts a program waits for it, so that it is ended with this process alone.
pub fn ends_with_us(command: &mut Command) {
    let parent = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: between fork and exec only system calls are made.
    unsafe { command.pre_exec(move || end_with(parent)) };
}

/// In a new process: ends it when `parent` ends.
pub(super) fn end_with(parent: i32) -> io::Result<()> {
    // SAFETY: both take and give numbers.
    unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
            return Err(io::Error::last_os_error());
        }
        // It may have ended before this was said.
        if libc::getppid() != parent {
            libc::_exit(1);
        }
    }
    Ok(())
}

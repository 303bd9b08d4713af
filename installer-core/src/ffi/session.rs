//! A session of its own for a program.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes `command` the leader of a session and of a process group: no terminal sends it signals,
/// and it has none to talk to.
pub fn in_own_session(command: &mut Command) {
    let setsid = || Ok(rustix::process::setsid().map(drop)?);
    // SAFETY: between fork and exec only setsid is called, which is async-signal-safe.
    unsafe { command.pre_exec(setsid) };
}

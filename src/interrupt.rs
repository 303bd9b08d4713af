//! Ctrl-C and its like while an installation runs: it ends before its next step, closes what it
//! has opened, and says what is left on the disk. A terminal that goes away is no reason to end.

use std::io::IsTerminal;

use anyhow::Context;
use installer_core::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Raises `cancel` at SIGINT and SIGTERM, from now to the end of the process. Those that the process that
/// started us has told to be ignored (`nohup`, a shell's job in the background) are.
pub fn watch(cancel: Cancel) -> anyhow::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !ignores(&status, *signal));
    let mut signals = Signals::new(wanted).context("preparing for Ctrl-C")?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                tracing::warn!("the terminal is gone; the installation goes on");
                continue;
            }
            // Behind a bar, the cursor is at the end of its line.
            let over = if std::io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
            eprintln!("{over}stopping: what is open is closed first");
            cancel.cancel();
        }
    });
    Ok(())
}

/// Whether a process with this `status` (proc_pid_status(5)) ignores `signal`.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_counts_from_one() {
        let status = "SigBlk:\t0000000000000003\nSigIgn:\t0000000000001003\n";
        assert!(ignores(status, SIGHUP) && ignores(status, SIGINT) && !ignores(status, SIGTERM));
        assert!(!ignores("", SIGHUP));
    }
}

//! Ctrl-C and its like while an installation runs: it ends before its next step, closes what it
//! has opened, and says what is left on the disk. A terminal that goes away is no reason to end.

use anyhow::Context;
use installer_core::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Raises `cancel` at SIGINT and SIGTERM, from now to the end of the process.
pub fn watch(cancel: Cancel) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("preparing for Ctrl-C")?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                tracing::warn!("the terminal is gone; the installation goes on");
                continue;
            }
            eprintln!("stopping: what is open is closed first");
            cancel.cancel();
        }
    });
    Ok(())
}

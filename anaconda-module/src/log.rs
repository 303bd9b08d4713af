//! The log of an installation, in the form that the command writes. What is told by `tracing`
//! belongs to the process, and so there is one log at a time.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use installer_core::apply::{LOG_FILTER, Log};
use installer_core::{Error, Result, Stage, private_file};
use tracing_subscriber::EnvFilter;

static LOG: Mutex<Option<File>> = Mutex::new(None);

fn log() -> MutexGuard<'static, Option<File>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A log that is being written; closed when dropped.
pub struct Writing {
    /// Where, and from where on it is this installation's.
    pub log: Log,
}

/// Begins to write a log to `path`, behind what is there.
pub fn start(path: &Path) -> Result<Writing> {
    let (file, from) = private_file::append(path)
        .map_err(|error| Error::input(Stage::Request, format!("creating the log {}", path.display())).because(error))?;
    *log() = Some(file);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = EnvFilter::try_from_env("BOOTC_KS_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
        let to = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Current);
        // This library's own `tracing`: no other subscriber can have been set before.
        let _ = tracing::subscriber::set_global_default(to.finish());
    });
    tracing::info!("bootc_ks {} begins", env!("CARGO_PKG_VERSION"));
    Ok(Writing { log: Log { path: path.to_owned(), from } })
}

impl Drop for Writing {
    fn drop(&mut self) {
        *log() = None;
    }
}

/// Whatever log is being written now.
struct Current;

impl Write for Current {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match log().as_mut() {
            Some(file) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        log().as_mut().map_or(Ok(()), Write::flush)
    }
}

//! The log: everything at debug level, in a file, and copied to the installed system.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use installer_core::apply::LOG_FILTER;
use tracing_subscriber::EnvFilter;

/// Where logs are kept.
const DIRECTORY: &str = "/var/log/bootc-ks";

/// Starts logging to `file`, or to a new file of our own. Returns where; without a place to
/// write (a read-only rescue system) there is no log, which is no reason not to install.
pub fn start(file: Option<&Path>) -> Option<PathBuf> {
    let path = file.map_or_else(|| Path::new(DIRECTORY).join("install.log"), Path::to_owned);
    let open = || -> std::io::Result<File> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent)?;
        }
        File::create(&path)
    };
    let log = match open() {
        Ok(log) => log,
        Err(error) => {
            eprintln!("note: no log is kept: {}: {error}", path.display());
            return None;
        }
    };
    let filter = EnvFilter::try_from_env("BOOTC_KS_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(log)).finish();
    tracing::subscriber::set_global_default(subscriber).ok()?;
    Some(path)
}

/// Logs to standard error, for a command whose standard output is not for people; `level` and
/// what is worse, unless the environment says otherwise.
pub fn to_stderr(level: &str) {
    let filter = EnvFilter::try_from_env("BOOTC_KS_LOG")
        .or_else(|_| EnvFilter::try_from_default_env())
        .unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).finish();
    // Only a second call could fail, and there is none.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

//! The log: everything at debug level, in a file, and copied to the installed system. Each run adds
//! to it, and begins and ends with lines that no filter takes away: who ran, and how it went.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use installer_core::apply::{LOG_FILTER, Log};
use installer_core::printable::printable;
use installer_core::private_file;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use crate::fetch::{server_of, without_password};

/// Where logs are kept.
const DIRECTORY: &str = "/var/log/bootc-ks";

/// A log in which control characters are shown: programs and registries write into it, and it is
/// read on terminals.
struct Shown<W>(W);

impl<W: Write> Write for Shown<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(printable(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The file, for what is always in it.
static LOG: OnceLock<Mutex<File>> = OnceLock::new();

/// Starts logging to `file`, or to the one of our own. Returns where; without a place to
/// write (a read-only rescue system) there is no log, which is no reason not to install.
pub fn start(file: Option<&Path>) -> Option<Log> {
    let path: PathBuf = file.map_or_else(|| Path::new(DIRECTORY).join("install.log"), Path::to_owned);
    let opened = private_file::create_parents(&path);
    let opened =
        opened.and_then(|()| private_file::append(&path)).and_then(|(log, from)| Ok((log.try_clone()?, log, from)));
    let (ours, log, from) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("note: no log is kept: {}: {error}", path.display());
            return None;
        }
    };
    // One installation runs in a process.
    let _ = LOG.set(Mutex::new(ours));
    always(&format!("bootc-ks {} begins: {}", env!("CARGO_PKG_VERSION"), command_line(std::env::args())));
    let filter = EnvFilter::try_from_env("BOOTC_KS_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(Shown(log))).finish();
    tracing::subscriber::set_global_default(subscriber).ok()?;
    Some(Log { path, from })
}

/// Writes a line into the log, if one is kept.
pub fn always(line: &str) {
    let Some(mut log) = LOG.get().and_then(|log| log.lock().ok()) else { return };
    let mut time = String::new();
    // Writing to a String cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    if let Err(error) = writeln!(log, "{time} {}", printable(line)) {
        eprintln!("note: the log is not written any more: {error}");
    }
}

/// The command as it was typed, without what URLs may have of passwords and tokens.
fn command_line(args: impl Iterator<Item = String>) -> String {
    let mut last = String::new();
    let shown = |arg: String| {
        let (option, value) = match arg.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (format!("{option}="), value.to_owned()),
            _ => (String::new(), arg),
        };
        let of_webhook = option == "--webhook=" || option.is_empty() && last == "--webhook";
        last.clone_from(&value);
        let value = match value.contains("://") {
            // Receivers of webhooks like to have the token in the path.
            true if of_webhook => format!("{}/***", server_of(&value)),
            true => without_password(&value),
            false => value,
        };
        installer_core::program::quote(&format!("{option}{value}"))
    };
    args.map(shown).collect::<Vec<_>>().join(" ")
}

/// Logs to standard error, for a command whose standard output is not for people; `level` and
/// what is worse, unless the environment says otherwise.
pub fn to_stderr(level: &str) {
    let filter = EnvFilter::try_from_env("BOOTC_KS_LOG")
        .or_else(|_| EnvFilter::try_from_default_env())
        .unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(|| Shown(std::io::stderr()))
        .finish();
    // Only a second call could fail, and there is none.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_has_no_secrets() {
        let words =
            ["bootc-ks", "install", "https://me:hunter2@a/x.ks?token=t", "--image=docker://u:p@r/i", "--yes", "a b"];
        let shown = command_line(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(shown, "bootc-ks install 'https://***@a/x.ks?***' '--image=docker://***@r/i' --yes 'a b'");
        let words = ["--webhook", "https://h/T0KEN", "--webhook=https://h/T0KEN?t=1", "https://h/path"];
        let shown = command_line(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(shown, "--webhook 'https://h/***' '--webhook=https://h/***' https://h/path");
    }
}

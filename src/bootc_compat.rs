//! This program under the name `bootc`: where a link or a copy of that name comes before the
//! original in PATH, Anaconda's own deployment calls us. `install to-filesystem` is ours, and
//! everything else is handed to the original.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use installer_core::{Error, Stage};

use crate::error;
use crate::install::to_filesystem;

#[derive(Debug, Parser)]
#[command(name = "bootc", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(subcommand)]
    Install(Install),
}

#[derive(Debug, Subcommand)]
enum Install {
    ToFilesystem(to_filesystem::Args),
}

/// Whether we go by that name.
pub fn is_our_name() -> bool {
    std::env::args_os().next().is_some_and(|name| Path::new(&name).file_name() == Some("bootc".as_ref()))
}

/// What that name promises.
pub fn run() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let ours = args.first().is_some_and(|word| word == "install") && args.get(1).is_some_and(|w| w == "to-filesystem");
    let outcome = if ours {
        let Verb::Install(Install::ToFilesystem(args)) = Cli::parse().verb;
        to_filesystem::run(&args)
    } else {
        hand_over(&args).map_err(Into::into)
    };
    outcome.unwrap_or_else(|error| error::tell(&error))
}

/// Becomes the original; comes back only if that fails.
fn hand_over(args: &[OsString]) -> Result<ExitCode, Error> {
    let Some(original) = original() else {
        return Err(Error::world(Stage::Request, "this bootc is bootc-ks, which knows 'install to-filesystem' alone")
            .hint("put the original beside it as bootc.real, or behind it in PATH"));
    };
    let error = Command::new(&original).args(args).exec();
    Err(Error::world(Stage::Request, format!("starting {}", original.display())).because(error))
}

/// `bootc.real` beside us or in PATH, or a `bootc` there that is not this file.
fn original() -> Option<PathBuf> {
    let myself = std::env::current_exe().ok()?;
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    let mine = identity(&myself);
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
    let dirs: Vec<PathBuf> =
        myself.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&path)).collect();
    let real = dirs.iter().map(|dir| dir.join("bootc.real")).find(|file| file.is_file());
    // A copy of us would hand over to itself for ever.
    let size = std::fs::metadata(&myself).ok()?.len();
    let is_copy = |path: &Path| identity(path) == mine || std::fs::metadata(path).is_ok_and(|meta| meta.len() == size);
    real.or_else(|| dirs.iter().map(|dir| dir.join("bootc")).find(|file| file.is_file() && !is_copy(file)))
}

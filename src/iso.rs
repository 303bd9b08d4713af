//! `bootc-ks iso`: media that install without a question.

mod build;
mod customize;
mod foreign;
mod reset;
mod show;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use installer_core::{Error, Stage};
use isolinux::Found;
use pxe::custom::Custom;

use crate::site;

/// Make an ISO that installs without a question, and put kickstarts onto it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make an ISO of an installer environment
    Build(build::Args),
    /// Put a kickstart, kernel arguments or certificates onto an ISO
    Customize(customize::Args),
    /// Show what is on an ISO
    Show(show::Args),
    /// Bring an ISO back to what it was when it was built
    Reset(reset::Args),
}

/// Does it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Build(args) => build::run(args),
        Verb::Customize(args) => customize::run(args),
        Verb::Show(args) => show::run(args),
        Verb::Reset(args) => reset::run(args),
    }
}

/// What a user wants on a medium, for `build` and `customize` alike.
#[derive(Debug, clap::Args)]
struct CustomArgs {
    /// The kickstart: a path, '-' for standard input, or an http(s) URL
    #[arg(long, value_name = "KS")]
    ks: Option<String>,

    /// Another kernel argument; repeatable
    #[arg(long, value_name = "ARG")]
    karg: Vec<String>,

    /// A certificate authority for the installer to trust, in PEM form; repeatable
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
}

impl CustomArgs {
    fn read(&self) -> anyhow::Result<Custom> {
        let mut custom = Custom::default();
        if let Some(name) = &self.ks {
            custom.kickstart = Some(site::for_medium(name)?.into_bytes());
        }
        for path in &self.ca {
            let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            custom.add_certificate(&path.to_string_lossy(), &pem)?;
        }
        Ok(custom)
    }
}

/// Opens and reads a medium.
fn open(path: &Path, write: bool) -> anyhow::Result<(File, Found)> {
    let name = path.display();
    let unreadable = |error: std::io::Error| Error::input(Stage::Media, format!("{name}: {error}"));
    let mut file = OpenOptions::new().read(true).write(write).open(path).map_err(unreadable)?;
    // Where files cannot be locked they are changed without.
    if write && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(Error::refused(Stage::Media, format!("{name} is being changed by another program")).into());
    }
    let found = isolinux::look(&mut file).map_err(|error| error.context(name))?;
    Ok((file, found))
}

//! `bootc-ks iso customize`: a kickstart onto a medium that is there.

use std::fs::File;
use std::io::{IsTerminal, Seek};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use installer_core::{Error, Stage};
use isolinux::{Change, Found, Medium, State};
use pxe::custom::Custom;

use super::{CustomArgs, foreign, open};
use crate::atomic_file;

/// Put a kickstart, kernel arguments or certificates onto an ISO.
#[derive(Debug, clap::Args)]
#[command(after_help = "An ISO that 'bootc-ks iso build' made, a file or the whole device that it was written to, is \
    changed in place, in an instant, unless there is an --output. What was built into it stays below what is put in: \
    the kickstart takes the place of that one, kernel arguments and certificates are added. If something stops the \
    change half way, the ISO starts nothing until it is customised again or reset.\n\n\
    Of an ISO of another installer (Anaconda's of Fedora, CentOS and RHEL) a customised copy is written, which needs \
    --output, xorriso and mtools: the kickstart becomes /ks.cfg in it, and every boot menu names it.\n\n\
    Exit codes: 0 done; 2 the kickstart or the ISO cannot be used, or there is not enough room; 3 a program is \
    missing or failed; 4 the ISO has been customised before, or has a /ks.cfg.")]
#[command(group = clap::ArgGroup::new("something").args(["ks", "karg", "ca"]).multiple(true).required(true))]
pub struct Args {
    /// The ISO
    #[arg(value_name = "ISO")]
    pub(super) iso: PathBuf,

    #[command(flatten)]
    pub(super) custom: CustomArgs,

    /// Leave the ISO as it is and write a copy to this file, which only its owner may read; '-' is
    /// standard output, for ISOs of 'bootc-ks iso build'
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Put it in place of what was put in before
    #[arg(long)]
    pub(super) force: bool,
}

/// Writes and says so.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let custom = args.custom.read()?;
    let (file, found) = open(&args.iso, args.output.is_none())?;
    match found {
        Found::Ours(medium) => args.customize(file, &medium, &custom),
        Found::Foreign(iso) => foreign::customize(*iso, args, &custom),
    }
}

impl Args {
    fn customize(&self, mut file: File, medium: &Medium, custom: &Custom) -> anyhow::Result<ExitCode> {
        let name = self.iso.display();
        if !self.force {
            refuse(medium, &self.iso)?;
        }
        let change = medium.change(custom, &self.custom.karg)?;
        match &self.output {
            None => change.apply(&file).map_err(|error| error.context(name))?,
            Some(output) if output == Path::new("-") => copy_to_stdout(&change, &mut file)?,
            Some(output) => {
                file.rewind().with_context(|| format!("reading {name}"))?;
                atomic_file::create_private_by(output, |out| {
                    change.copy(&mut file, out).map_err(|error| error.context(name))?;
                    Ok(())
                })?;
            }
        }
        let written = self.output.as_ref().unwrap_or(&self.iso).to_string_lossy();
        let written = if written == "-" { "standard output".into() } else { written };
        eprintln!("{written}: customised, volume {}", medium.manifest().volume);
        Ok(ExitCode::SUCCESS)
    }
}

fn refuse(medium: &Medium, iso: &Path) -> anyhow::Result<()> {
    let name = iso.display();
    let (what, hint) = match medium.state() {
        State::AsBuilt => return Ok(()),
        State::Customised => ("has been customised already", "puts this in place of what is there"),
        State::Unfinished => ("was being changed when something went wrong", "writes it anew"),
    };
    let hint = format!("--force {hint}; 'bootc-ks iso reset' brings it back to what was built");
    Err(Error::refused(Stage::Media, format!("{name} {what}")).hint(hint).into())
}

fn copy_to_stdout(change: &Change, file: &mut File) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        return Err(Error::input(Stage::Media, "standard output is a terminal")
            .hint("send it to a file or a program, or name a file with --output")
            .into());
    }
    file.rewind().context("reading the ISO")?;
    change.copy(file, &mut out)?;
    Ok(())
}

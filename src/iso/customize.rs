//! `bootc-ks iso customize`: a kickstart onto a medium that is there.

use std::fs::File;
use std::io::{IsTerminal, Seek};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use installer_core::{Error, Stage};
use isolinux::{Change, Found, Medium, State};
use pxe::custom::Custom;

pub use super::arguments::CustomizeArgs as Args;
use super::foreign;
use super::open::open;
use crate::atomic_file;

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

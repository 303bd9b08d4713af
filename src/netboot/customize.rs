//! `bootc-ks netboot customize`: a kickstart behind an initrd.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use installer_core::{Error, Stage};
use pxe::custom::Custom;
use pxe::initrd;

use crate::{atomic_file, site};

/// Put a kickstart into an installer's initrd.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The kickstart becomes /ks.cfg of the booted installer, with what it includes in place; Anaconda \
    reads it by 'inst.ks=file:/ks.cfg'. It may hold secrets: every client that can fetch the new initrd can read them. \
    The file given is left as it is.\n\n\
    Exit codes: 0 done; 2 the kickstart or the initrd cannot be used; 4 the initrd has been customised before."
)]
pub struct Args {
    /// The initrd.img of an installer
    #[arg(value_name = "INITRD")]
    initrd: PathBuf,

    /// The kickstart; `-` is standard input
    #[arg(long, value_name = "KS")]
    ks: String,

    /// Write the new initrd to this file, which only its owner may read
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Writes the new initrd and says how large it is.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let custom = Custom { kickstart: Some(site::for_medium(&args.ks)?.into_bytes()), ..Custom::default() };
    let name = args.initrd.display();
    let unreadable = |error: std::io::Error| Error::input(Stage::Media, format!("{name}: {error}"));
    let mut initrd = BufReader::new(File::open(&args.initrd).map_err(unreadable)?);
    let mut length = 0;
    atomic_file::create_private_by(&args.output, |out| {
        length = initrd::customize(&mut initrd, &custom, out).map_err(|error| error.context(name.to_string()))?;
        Ok(())
    })?;
    eprintln!("{}: {length} bytes; boot it with 'inst.ks=file:/ks.cfg'", args.output.display());
    Ok(ExitCode::SUCCESS)
}

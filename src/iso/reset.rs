//! `bootc-ks iso reset`: off with what was put in.

use std::path::PathBuf;
use std::process::ExitCode;

use isolinux::Found;
use pxe::custom::Custom;

use super::foreign;
use super::open::open;

/// Bring an ISO back to what it was when it was built.
#[derive(Debug, clap::Args)]
#[command(after_help = "What 'bootc-ks iso customize' put in is overwritten; what was built in stays. A change that \
    something stopped half way is undone as well.\n\n\
    Exit codes: 0 done; 2 the ISO cannot be used.")]
pub struct Args {
    /// The ISO: a file, or the whole device that it was written to
    #[arg(value_name = "ISO")]
    iso: PathBuf,
}

/// Writes and says so.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (file, found) = open(&args.iso, true)?;
    let medium = match found {
        Found::Ours(medium) => medium,
        Found::Foreign(iso) => return Err(foreign::no_reset(&iso, &args.iso)),
    };
    let change = medium.change(&Custom::default(), &[])?;
    change.apply(&file).map_err(|error| error.context(args.iso.display()))?;
    eprintln!("{}: as it was built, volume {}", args.iso.display(), medium.manifest().volume);
    Ok(ExitCode::SUCCESS)
}

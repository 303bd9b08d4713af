//! `bootc-ks netboot`: what boots an installer from a network.

mod customize;

use std::process::ExitCode;

/// Prepare what boots an installer from a network.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Put a kickstart into an installer's initrd
    Customize(customize::Args),
}

/// Does it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Customize(args) => customize::run(args),
    }
}

//! `bootc-ks netboot`: what boots an installer from a network.

mod build;
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
    /// Make an installer environment out of an image
    Build(build::Args),
    /// Put a kickstart into an installer's initrd
    Customize(customize::Args),
}

/// Does it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Build(args) => build::run(args),
        Verb::Customize(args) => customize::run(args),
    }
}

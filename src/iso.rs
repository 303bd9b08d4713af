//! `bootc-ks iso`: media that install without a question.

mod arguments;
mod build;
mod customize;
mod foreign;
mod open;
mod reset;
mod show;
mod table;

use std::process::ExitCode;

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

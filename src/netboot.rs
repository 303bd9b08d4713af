//! `bootc-ks netboot`: what boots an installer from a network.

mod arm;
pub mod build;
pub mod client;
mod customize;
mod list;
mod serve;
mod show;
mod tree;

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
    /// Write a static tree for boot servers that are there already
    Tree(tree::Args),
    /// Serve boot scripts and kickstarts, and keep track of the machines that are installed
    Serve(serve::Args),
    /// Let machines be installed at their next boot from the network
    Arm(arm::Args),
    /// List the machines of a running server
    List(list::Args),
    /// Show what a running server knows of a machine
    Show(show::Args),
}

/// Does it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Build(args) => build::run(args),
        Verb::Customize(args) => customize::run(args),
        Verb::Tree(args) => tree::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Arm(args) => arm::run(args),
        Verb::List(args) => list::run(args),
        Verb::Show(args) => show::run(args),
    }
}

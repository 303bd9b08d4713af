//! The command: parse the arguments, call one of the four verbs, say how it went.

#[macro_use]
mod output;

mod atomic_file;
mod bootc_compat;
mod check;
mod commands;
mod convert;
mod diagnostics;
mod docs;
mod error;
mod explain;
mod fetch;
mod flatten;
mod fmt;
mod image;
mod inspect;
mod install;
mod installer;
mod interrupt;
mod iso;
mod logging;
mod lsp;
mod netboot;
mod plan;
mod probe;
mod progress;
mod site;
mod try_vm;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Install bootable container images on machines, from a kickstart.
#[derive(Debug, Parser)]
#[command(name = "bootc-ks", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done; 1 failed after the disk was written to; 2 bad input; \
    3 something is missing (network, registry, image, tool, disk); 4 refused by a safety rule. \
    With 2, 3 and 4 the disk is untouched.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check kickstart files and say all that is wrong with them
    Check(check::Args),
    /// Write kickstart files in their canonical form
    Fmt(fmt::Args),
    /// Bring a kickstart to another version of kickstart
    Convert(convert::Args),
    /// Make one file of a kickstart and what it includes
    Flatten(flatten::Args),
    /// Say what a diagnostic code means, with an example and the remedy
    Explain(explain::Args),
    /// Show this machine as the installer sees it
    Probe(probe::Args),
    /// Show what must be known of an image before it is installed
    Inspect(inspect::Args),
    /// Show what would be done; nothing is touched
    Plan(plan::Args),
    /// Install
    Install(Box<install::Verb>),
    /// Prepare what boots an installer from a network
    Netboot(netboot::Args),
    /// Make an ISO that installs without a question, and put kickstarts onto it
    Iso(iso::Args),
    /// Help an editor with kickstart files (a language server)
    Lsp(lsp::Args),
    /// List the commands and options of kickstart, and what becomes of each here
    Commands(commands::Args),
    /// Try a kickstart in a virtual machine: boot, install, restart, log in
    Try(try_vm::Args),
    /// Be the installer of an installer environment
    #[command(hide = true)]
    Supervise(installer::Args),
    /// Write the pages that are made from the code
    #[command(hide = true)]
    Docs(docs::Args),
}

fn main() -> ExitCode {
    if bootc_compat::is_our_name() {
        return bootc_compat::run();
    }
    let outcome = match Cli::parse().verb {
        Verb::Check(args) => check::run(args),
        Verb::Fmt(args) => fmt::run(&args),
        Verb::Convert(args) => convert::run(&args),
        Verb::Flatten(args) => flatten::run(&args),
        Verb::Explain(args) => Ok(explain::run(&args)),
        Verb::Probe(args) => probe::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Plan(args) => plan::run(&args),
        Verb::Install(args) => install::run(&args),
        Verb::Netboot(args) => netboot::run(&args),
        Verb::Iso(args) => iso::run(&args),
        Verb::Lsp(args) => lsp::run(&args),
        Verb::Commands(args) => commands::run(&args),
        Verb::Try(args) => try_vm::run(&args),
        Verb::Supervise(args) => installer::run(&args),
        Verb::Docs(args) => docs::run(&args, &Cli::command()),
    };
    let code = outcome.unwrap_or_else(|error| error::tell(&error));
    match output::finish() {
        Some(error) => {
            eprintln!("error: writing to standard output: {error}");
            ExitCode::FAILURE
        }
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense() {
        super::Cli::command().debug_assert();
    }
}

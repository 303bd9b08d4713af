//! The whole command line: one verb, one module.

use clap::{Parser, Subcommand};

use crate::{
    check, colour, commands, completions, convert, docs, explain, flatten, fmt, inspect, install, installer, iso, lsp,
    netboot, plan, probe, record, try_vm,
};

/// Install bootable container images on machines, from a kickstart.
#[derive(Debug, Parser)]
#[command(name = "bootc-ks", version, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 1 failed after the disk was written to, or what was asked for could not be written; 2 bad input; \
    3 something is missing (network, registry, image, tool, disk); 4 refused by a safety rule. \
    With 2, 3 and 4 the disk is untouched."
)]
pub struct Cli {
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN", hide_possible_values = true)]
    pub color: colour::Choice,

    #[command(subcommand)]
    pub verb: Verb,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Verb {
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
    /// Show how this system was installed
    Status(record::StatusArgs),
    /// Say what has changed since this system was installed
    Verify(record::VerifyArgs),
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
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Be the installer of an installer environment
    #[command(hide = true)]
    Supervise(installer::Args),
    /// Write the pages that are made from the code
    #[command(hide = true)]
    Docs(docs::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense() {
        super::Cli::command().debug_assert();
    }
}

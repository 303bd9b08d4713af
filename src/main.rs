//! The command: parse the arguments, call one of the four verbs, say how it went.

#[macro_use]
mod output;

mod atomic_file;
mod bootc_compat;
mod check;
mod cli;
mod colour;
mod commands;
mod completions;
mod convert;
mod diagnostics;
mod docs;
mod error;
mod explain;
mod fetch;
mod flatten;
mod fmt;
mod hmac;
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
mod record;
mod site;
mod syslog;
mod try_vm;
mod webhook;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use cli::{Cli, Verb};

fn main() -> ExitCode {
    if bootc_compat::is_our_name() {
        return bootc_compat::run();
    }
    let cli = Cli::parse();
    colour::choose(cli.color);
    let outcome = match cli.verb {
        Verb::Check(args) => check::run(args),
        Verb::Fmt(args) => fmt::run(&args),
        Verb::Convert(args) => convert::run(&args),
        Verb::Flatten(args) => flatten::run(&args),
        Verb::Explain(args) => Ok(explain::run(&args)),
        Verb::Probe(args) => probe::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Plan(args) => plan::run(&args),
        Verb::Install(args) => install::run(&args),
        Verb::Status(args) => record::status(&args),
        Verb::Verify(args) => record::verify(&args),
        Verb::Netboot(args) => netboot::run(&args),
        Verb::Iso(args) => iso::run(&args),
        Verb::Lsp(args) => lsp::run(&args),
        Verb::Commands(args) => commands::run(&args),
        Verb::Try(args) => try_vm::run(&args),
        Verb::Completions(args) => Ok(completions::run(&args, &Cli::command())),
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

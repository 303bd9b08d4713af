//! `bootc-ks lsp`: a language server for kickstart files, on standard input and output.
//!
//! ```text
//!  editor ══► wire ──► server ──┬─► notifications ──► state: documents (text), settings
//!                               └─► requests ──► hover · completion · navigation · outline · formatting · actions
//!         ◄══ wire ◄── server ◄── diagnostics ◄── prepare::examine ◄── state (+ buffers, disk)
//! ```
//!
//! One thread reads, one answers; a burst of keystrokes is checked once, when it is over.
//! Nothing is written to, nothing is fetched, and no text of a document is logged.

mod actions;
mod answer;
mod buffers;
mod capabilities;
mod common_values;
mod completion;
mod cursor;
mod diagnostics;
mod formatting;
mod hover;
mod language;
mod markup;
mod names;
mod navigation;
mod notifications;
mod outline;
mod places;
mod requests;
mod server;
mod state;
mod text;
mod uri;
mod wire;

use std::io::{self, BufReader};
use std::process::ExitCode;

use anyhow::Context;

use crate::logging;

/// Help an editor with kickstart files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Speak over standard input and output, as is always done; editors like to say it
    #[arg(long)]
    pub stdio: bool,
}

/// Serve an editor. The exit code is the protocol's: 0 if the editor shut the server down
/// before it said `exit`, else 1.
pub fn run(_args: &Args) -> anyhow::Result<ExitCode> {
    logging::to_stderr("warn");
    let input = BufReader::new(io::stdin());
    let proper = server::serve(input, io::stdout().lock()).context("writing to the editor")?;
    Ok(if proper { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `bootc-ks flatten`: a kickstart and all that it includes as one file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use installer_core::prepare::loader::FileLoader;
use kickstart_parser::format::{NotFlattened, flatten};
use kickstart_parser::{ParseOptions, codes, parse};

use crate::atomic_file;
use crate::diagnostics;
use crate::error::BadKickstart;
use crate::fetch::{self, fetch, fetch_include};
use crate::fmt;

/// Paste included files in place.
#[derive(Debug, clap::Args)]
#[command(after_help = "Includes that %pre makes stay. Comments say where each file begins and ends; inside a \
    section there are none, for they would change the script.\n\n\
    Exit codes: 0 done; 2 something cannot be read, or the files do not fit together.")]
pub struct Args {
    /// The kickstart: a file, a URL, or `-` for standard input
    #[arg(value_name = "KS")]
    file: String,

    /// Write to this file, which only its owner may read, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the flat text.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = fmt::display_name(&args.file);
    let text = if fetch::is_url(&args.file) { fetch(&args.file)? } else { fmt::read(&args.file)? };
    let loader = FileLoader::with_fetch(&fetch_include);
    let parsed = parse(&text, name, &ParseOptions { syntax: None, loader: Some(&loader) });
    let flat = match flatten(&parsed) {
        Ok(flat) => flat,
        Err(NotFlattened::Broken(found)) => {
            eprint!("{}", diagnostics::render(&found, &parsed.sources, &diagnostics::style_for(&std::io::stderr())));
            return Err(BadKickstart(format!("{name}: the files do not fit together")).into());
        }
        Err(reason) => bail!("{name}: {reason}"),
    };
    for include in &parsed.document.deferred {
        let at = parsed.sources.locate(include.span);
        // One file is no whole one where a part of it is only hoped for.
        let told = parsed.diagnostics.iter().find(|d| d.code == codes::INCLUDE_DEFERRED.id && d.span == include.span);
        if let Some(told) = told.filter(|told| !told.message.contains("is made by %pre")) {
            return Err(BadKickstart(format!("{}:{}: {}", at.path, at.line, told.message)).into());
        }
        eprintln!("note: {}:{}: `{}` is made by %pre and stays an include", at.path, at.line, include.path);
    }
    match &args.output {
        Some(path) => atomic_file::create_private(path, &flat)?,
        None => print_data!("{flat}"),
    }
    Ok(ExitCode::SUCCESS)
}

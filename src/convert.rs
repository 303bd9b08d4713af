//! `bootc-ks convert`: a kickstart for another version of kickstart.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use kickstart_parser::convert::{Conversion, Outcome, convert};
use kickstart_parser::{ParseOptions, Syntax, UnknownSyntax, parse};

use crate::atomic_file;
use crate::fmt;

/// Bring a kickstart to another version of kickstart.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What was removed is replaced by its successor, where there is one. A line that has none stays, \
    below a comment that says what to do. Standard error says what was done, line by line. Included files are \
    converted by themselves.\n\n\
    Exit codes: 0 done; 2 lines are left that the new version does not take, or the file cannot be read."
)]
pub struct Args {
    /// The kickstart; `-` is standard input
    #[arg(value_name = "KS")]
    file: String,

    /// The version to convert to: RHEL7 to RHEL11, F35 to F46, DEVEL
    #[arg(long, value_name = "VERSION", value_parser = syntax)]
    to: Syntax,

    /// The version that the file is for, unless its `#version=` line says so
    #[arg(long, value_name = "VERSION", value_parser = syntax)]
    from: Option<Syntax>,

    /// Write to this file, which only its owner may read, instead of standard output
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["in_place", "diff"])]
    output: Option<PathBuf>,

    /// Change the file itself
    #[arg(long, conflicts_with = "diff")]
    in_place: bool,

    /// Show what would change, with stars in place of passwords
    #[arg(long)]
    diff: bool,
}

fn syntax(name: &str) -> Result<Syntax, UnknownSyntax> {
    name.parse()
}

/// The exit code for input that cannot be used as it is.
const BAD_INPUT: u8 = 2;

/// Writes the converted text, and says what was done.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = fmt::display_name(&args.file);
    let text = fmt::read(&args.file)?;
    let new = convert(&text, args.from, args.to);
    if args.diff {
        let before = parse(&text, name, &ParseOptions { syntax: args.from, loader: None });
        print_data!("{}", atomic_file::diff(name, &before, &new.text));
    } else if args.in_place {
        if args.file == "-" {
            bail!("standard input cannot be changed in place");
        }
        atomic_file::replace(Path::new(&args.file), &new.text)?;
    } else if let Some(path) = &args.output {
        atomic_file::create_private(path, &new.text)?;
    } else {
        print_data!("{}", new.text);
    }
    report(name, &new, args.to);
    Ok(if new.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(BAD_INPUT) })
}

fn report(name: &str, new: &Conversion, to: Syntax) {
    let mut left = 0;
    for note in &new.notes {
        let word = match note.outcome {
            Outcome::Converted => "converted",
            Outcome::Deprecated => "deprecated",
            Outcome::Left => {
                left += 1;
                "left"
            }
        };
        eprintln!("{name}:{}: {word}: {}", note.line, note.message);
    }
    if left > 0 {
        eprintln!("{name}: lines that {to} does not take: {left}; a comment above each says what to do");
    }
}

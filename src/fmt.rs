//! `bootc-ks fmt`: kickstarts in their canonical form.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use installer_core::prepare::loader;
use kickstart_parser::{ParseOptions, Parsed, SourceId, Syntax, UnknownSyntax, format, parse};

use crate::atomic_file;

/// Format kickstart files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Comments, blank lines, the order of things and the bodies of sections stay as they are. \
    Lines that are not understood, and lines with {{ }} or <% %> in them, stay verbatim.\n\n\
    Exit codes: 0 done (with --check: nothing to do); 1 --check found files that would change; \
    2 a file could not be read or formatted.")]
pub struct Args {
    /// Kickstart files, changed in place; `-` reads standard input and writes standard output
    #[arg(value_name = "KS", required = true)]
    files: Vec<String>,

    /// Change nothing; list the files that would change
    #[arg(long)]
    check: bool,

    /// Change nothing; show what would change, with stars in place of passwords
    #[arg(long)]
    diff: bool,

    /// Write what pykickstart would write, to standard output: commands in its order, no comments
    #[arg(long, conflicts_with_all = ["check", "diff"])]
    as_pykickstart: bool,

    /// Read the files as this version of kickstart: RHEL7 to RHEL11, F35 to F46, DEVEL
    #[arg(long, value_name = "VERSION", value_parser = syntax)]
    syntax: Option<Syntax>,
}

fn syntax(name: &str) -> Result<Syntax, UnknownSyntax> {
    name.parse()
}

/// The exit code of `--check` when files would change.
const WOULD_CHANGE: u8 = 1;
/// The exit code for input that cannot be used.
const BAD_INPUT: u8 = 2;

/// Formats every file that can be formatted, whatever becomes of the others.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (mut changed, mut bad) = (false, false);
    for name in &args.files {
        match one(name, args) {
            Ok(change) => changed |= change,
            Err(error) => {
                eprintln!("error: {error:#}");
                bad = true;
            }
        }
    }
    Ok(match () {
        () if bad => ExitCode::from(BAD_INPUT),
        () if changed && args.check => ExitCode::from(WOULD_CHANGE),
        () => ExitCode::SUCCESS,
    })
}

/// Formats one file; whether that changes it.
fn one(name: &str, args: &Args) -> anyhow::Result<bool> {
    let text = read(name)?;
    if args.as_pykickstart {
        return as_pykickstart(name, &text, args.syntax).map(|()| false);
    }
    let shown_name = display_name(name);
    // Each file by itself: what it includes does not change how it is written.
    let parsed = parse(&text, shown_name, &ParseOptions { syntax: args.syntax, loader: None });
    let new = match format::format(&parsed, SourceId::ROOT) {
        Ok(new) => new,
        Err(reason) => bail!("{shown_name} is left alone: {reason}"),
    };
    tell_what_is_kept(&parsed);
    let changed = new != text;
    if args.check && changed {
        println!("{shown_name}");
    }
    if args.diff {
        print_data!("{}", atomic_file::diff(shown_name, &parsed, &new));
    }
    if !args.check && !args.diff {
        match name {
            "-" => print_data!("{new}"),
            _ if changed => atomic_file::replace(Path::new(name), &new)?,
            _ => {}
        }
    }
    Ok(changed)
}

fn tell_what_is_kept(parsed: &Parsed) {
    for found in format::kept(parsed, SourceId::ROOT) {
        let found = found.resolve(&parsed.sources);
        eprintln!("note: {}:{}: left as it is: {} ({})", found.path, found.line, found.message, found.code);
    }
}

fn as_pykickstart(name: &str, text: &str, syntax: Option<Syntax>) -> anyhow::Result<()> {
    let loader = loader::FileLoader::new();
    let parsed = parse(text, display_name(name), &ParseOptions { syntax, loader: Some(&loader) });
    // The lints are ours; pykickstart knows only the language.
    if let Some(found) = parsed.diagnostics.iter().find(|d| d.code.starts_with('E')) {
        let found = found.resolve(&parsed.sources);
        bail!("{}:{}: {} ({})", found.path, found.line, found.message, found.code);
    }
    print_data!("{}", parsed.kickstart.to_pykickstart(parsed.syntax));
    Ok(())
}

/// The text of a file, or of standard input.
pub fn read(name: &str) -> anyhow::Result<String> {
    let text = if name == "-" { loader::read_stdin() } else { loader::read(Path::new(name)) };
    text.map_err(|error| anyhow::anyhow!("{}: {}", display_name(name), loader::describe(&error)))
}

/// What messages call a file.
pub fn display_name(name: &str) -> &str {
    if name == "-" { "<stdin>" } else { name }
}

//! `bootc-ks docs`, hidden: the pages that are made from the code, so that they cannot say
//! something else than it does. `docs/kickstart.md` and `docs/kickstart/`,
//! `docs/diagnostics.md` and `docs/diagnostics/`, `docs/commands.md`, `docs/man/`.

mod command_list;
mod man;
mod page;
mod reference;
mod surroundings;
mod verbs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Command;

use crate::explain;
use page::{MADE, line};

/// Write the pages that are made from the code.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory of the pages
    #[arg(long, value_name = "DIR", default_value = "docs")]
    output: PathBuf,
}

/// Writes the pages of `command`, the whole command line.
pub fn run(args: &Args, command: &Command) -> anyhow::Result<ExitCode> {
    for (name, text) in pages(command)? {
        let path = args.output.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every page, by its path below docs/.
fn pages(command: &Command) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut list = vec![(PathBuf::from("diagnostics.md"), diagnostics())];
    list.extend(reference::pages());
    for code in explain::all() {
        list.push((
            Path::new("diagnostics").join(format!("{}.md", code.id)),
            format!("{MADE}\n{}", explain::page(code)),
        ));
    }
    list.push((PathBuf::from("commands.md"), command_list::page(command)));
    for (name, text) in man::pages(command)? {
        list.push((Path::new("man").join(name), text));
    }
    Ok(list)
}

fn diagnostics() -> String {
    let mut out = format!("{MADE}\n{}", include_str!("docs/diagnostics-intro.md"));
    for code in explain::all() {
        let (id, about) = (code.id, code.explanation);
        line(&mut out, &format!("\n### {id}: {}\n\n{about} [Example and remedy](diagnostics/{id}.md).", code.title));
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_committed_pages_are_what_the_code_makes() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let pages = pages(&crate::cli::Cli::command()).unwrap();
        for (name, text) in &pages {
            let committed = fs::read_to_string(docs.join(name)).unwrap_or_default();
            assert!(committed == *text, "docs/{} is not what the code makes: cargo run -- docs", name.display());
        }
        let made: BTreeSet<PathBuf> = pages.into_iter().map(|(name, _)| docs.join(name)).collect();
        let made_only = ["man", "kickstart", "diagnostics"].iter();
        for entry in made_only.flat_map(|made| fs::read_dir(docs.join(made)).unwrap()) {
            let path = entry.unwrap().path();
            assert!(made.contains(&path), "{} is not made any more", path.display());
        }
    }
}

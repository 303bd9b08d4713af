//! `bootc-ks docs`, hidden: the pages that are made from the code, so that they cannot say
//! something else than it does. `docs/kickstart.md`, `docs/diagnostics.md`, `docs/man/`.

mod man;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Command;
use kickstart_parser::catalog::{self, ArgumentInfo, CommandInfo, OptionInfo, SectionInfo, Value, Versions};

use crate::explain;
use installer_core::request::effects::{self, Effect, Fate};

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
    let mut list = vec![(PathBuf::from("kickstart.md"), reference()), (PathBuf::from("diagnostics.md"), diagnostics())];
    for code in explain::all() {
        list.push((
            Path::new("diagnostics").join(format!("{}.md", code.id)),
            format!("{MADE}\n{}", explain::page(code)),
        ));
    }
    for (name, text) in man::pages(command)? {
        list.push((Path::new("man").join(name), text));
    }
    Ok(list)
}

const MADE: &str = "<!-- Made by `bootc-ks docs`; do not edit. -->\n";

fn reference() -> String {
    let mut out = format!("{MADE}\n{}", include_str!("docs/kickstart-intro.md"));
    let all = catalog::commands();
    let with = |fate: Fate| all.iter().filter(move |c| fate_of(c.name) == fate);
    for command in with(Fate::Used) {
        understood(&mut out, command);
    }
    out.push_str("\n## Sections\n\n");
    out.push_str(include_str!("docs/sections.md"));
    for section in catalog::sections() {
        section_row(&mut out, &section);
    }
    out.push_str("\n## Commands without effect\n\nThese mean nothing where a container image is installed. A warning (R002) says so.\n\n");
    names(&mut out, with(Fate::NoEffect));
    out.push_str("\n## Commands that are refused\n\nThese are kickstart, but not supported here: an error (R001) says so, since leaving one out would install something else than was asked for.\n\n");
    names(&mut out, with(Fate::Refused));
    out
}

fn fate_of(name: &str) -> Fate {
    effects::entry(name).map_or(Fate::Refused, |entry| entry.fate)
}

fn understood(out: &mut String, command: &CommandInfo) {
    let does = effects::entry(command.name).map_or("", |entry| entry.does);
    let arguments: String = command.arguments.iter().map(argument).collect();
    line(out, &format!("\n### {}\n\n`{}{arguments}", command.name, command.name));
    out.pop();
    let options = if command.options.is_empty() { "" } else { " [OPTION…]" };
    line(out, &format!("{options}`{}\n\n{does}", versions(&command.versions, " — ")));
    if command.repeatable {
        line(out, "\nMay be given more than once.");
    }
    if command.options.is_empty() {
        return;
    }
    line(out, "\n| option | here | |\n|---|---|---|");
    for option in &command.options {
        option_row(out, command.name, option);
    }
}

fn argument(argument: &ArgumentInfo) -> String {
    let name = argument.what.trim_start_matches("a ").to_uppercase();
    // "a key in quotes" is how it is written, not what it is.
    let name = name.trim_end_matches(" IN QUOTES");
    if argument.required { format!(" {name}") } else { format!(" [{name}]") }
}

fn option_row(out: &mut String, command: &str, option: &OptionInfo) {
    let (effect, text) =
        effects::row(command, option.name).map_or((Effect::Ignored, ""), |(_, effect, text)| (*effect, *text));
    let aliases: String = option.aliases.iter().map(|alias| format!(", `{alias}`")).collect();
    let mut notes: Vec<String> = Vec::new();
    notes.extend(option.required.then(|| "required".to_owned()));
    notes.extend(Some(text.to_owned()).filter(|text| !text.is_empty()));
    notes.extend(Some(versions(&option.versions, "")).filter(|text| !text.is_empty()));
    let cells = [format!("`{}{}`{aliases}", option.name, value(option.value)), effect.word().into(), notes.join("; ")];
    line(out, &format!("| {} |", cells.join(" | ")).replace("  |", " |"));
}

fn value(value: Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Text => "=TEXT".into(),
        Value::Secret => "=SECRET".into(),
        Value::Number => "=NUMBER".into(),
        Value::Boolean => "=yes|no".replace('|', "\\|"),
        Value::List => "=A,B,…".into(),
        Value::Choice(of) => format!("={}", of.join("\\|")),
    }
}

/// "since RHEL8, deprecated in F40", behind `before` where there is anything to say.
fn versions(versions: &Versions, before: &str) -> String {
    let parts =
        [("since", &versions.since), ("deprecated in", &versions.deprecated), ("removed in", &versions.removed)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, when)| !when.is_empty())
        .map(|(word, when)| if when.starts_with("not in") { when.clone() } else { format!("{word} {when}") })
        .collect();
    if parts.is_empty() { String::new() } else { format!("{before}{}", parts.join("; ")) }
}

fn section_row(out: &mut String, section: &SectionInfo) {
    let options: Vec<String> = section.options.iter().map(|o| format!("`{}{}`", o.name, value(o.value))).collect();
    let entry = effects::entry(section.name);
    let here = match fate_of(section.name) {
        Fate::Used => entry.map_or("", |entry| entry.does),
        Fate::NoEffect => "no effect, warned about (R002)",
        Fate::Refused => "refused (R001)",
    };
    line(out, &format!("| `{}` | {here} | {} |", section.name, options.join(", ")).replace("  |", " |"));
}

fn names<'a>(out: &mut String, commands: impl Iterator<Item = &'a CommandInfo>) {
    for command in commands {
        line(out, &format!("- `{}`{}", command.name, versions(&command.versions, " — ")));
    }
}

fn diagnostics() -> String {
    let mut out = format!("{MADE}\n{}", include_str!("docs/diagnostics-intro.md"));
    for code in explain::all() {
        let (id, about) = (code.id, code.explanation);
        line(&mut out, &format!("\n### {id}: {}\n\n{about} [Example and remedy](diagnostics/{id}.md).", code.title));
    }
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_committed_pages_are_what_the_code_makes() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let pages = pages(&crate::Cli::command()).unwrap();
        for (name, text) in &pages {
            let committed = fs::read_to_string(docs.join(name)).unwrap_or_default();
            assert!(committed == *text, "docs/{} is not what the code makes: cargo run -- docs", name.display());
        }
        let made: BTreeSet<PathBuf> = pages.into_iter().map(|(name, _)| docs.join(name)).collect();
        for dir in ["man", "diagnostics"] {
            for entry in fs::read_dir(docs.join(dir)).unwrap() {
                let path = entry.unwrap().path();
                assert!(made.contains(&path), "{} is not made any more", path.display());
            }
        }
    }
}

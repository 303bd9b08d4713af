//! `bootc-ks commands`: the language as this version has it, and what becomes of each part
//! of it here.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context, bail};
use installer_core::request::effects::{self, Effect, Fate};
use kickstart_parser::Syntax;
use kickstart_parser::catalog::{self, ArgumentInfo, CommandInfo, OptionInfo, SectionInfo, State, Value, Versions};
use serde::Serialize;

/// List the commands, options and sections of kickstart, and what becomes of each here.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these commands and sections (`part`, `%post`); all if none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// The version of kickstart: RHEL7 to RHEL11, F35 to F46, DEVEL
    #[arg(long, value_name = "VERSION", default_value_t = Syntax::default())]
    syntax: Syntax,

    /// The form of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// The form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// The whole listing, version 1.
#[derive(Serialize)]
struct Listing {
    schema: u32,
    kind: &'static str,
    syntax: &'static str,
    commands: Vec<Row>,
    sections: Vec<Row>,
}

/// A command or a section.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    /// `active`, `deprecated` or `removed` in this version.
    state: &'static str,
    /// `supported`, `no effect` or `refused`.
    here: &'static str,
    doc: &'static str,
    /// What it does here, or what to do instead.
    note: &'static str,
    repeatable: bool,
    arguments: Vec<Argument>,
    options: Vec<OptionRow>,
}

#[derive(Serialize)]
struct Argument {
    name: &'static str,
    required: bool,
}

#[derive(Serialize)]
struct OptionRow {
    name: &'static str,
    aliases: &'static [&'static str],
    /// What it takes, as the text shows it; null for a switch.
    value: Option<String>,
    required: bool,
    state: &'static str,
    here: &'static str,
    doc: &'static str,
    note: &'static str,
}

/// Lists what there is in the version that is asked for.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let listing = listing(args)?;
    let out = match args.format {
        Format::Text => text(&listing),
        Format::Json => serde_json::to_string_pretty(&listing).context("writing the list")? + "\n",
    };
    print!("{out}");
    Ok(ExitCode::SUCCESS)
}

fn listing(args: &Args) -> anyhow::Result<Listing> {
    let (commands, sections) = (catalog::commands(), catalog::sections());
    let names = || commands.iter().map(|c| c.name).chain(sections.iter().map(|s| s.name));
    for name in &args.names {
        if !names().any(|known| known == name) {
            bail!("there is no command or section '{name}'; 'bootc-ks commands' lists them all");
        }
    }
    let wanted = |name: &str| args.names.is_empty() || args.names.iter().any(|n| n == name);
    let syntax = args.syntax;
    let there = |versions: &Versions| versions.state(syntax) != State::Absent;
    let commands = commands.iter().filter(|c| wanted(c.name) && there(&c.versions));
    Ok(Listing {
        schema: 1,
        kind: "commands",
        syntax: syntax.name(),
        commands: commands.map(|c| command(c, syntax)).collect(),
        sections: sections.iter().filter(|s| wanted(s.name)).map(|s| section(s, syntax)).collect(),
    })
}

fn command(info: &CommandInfo, syntax: Syntax) -> Row {
    let argument = |a: &ArgumentInfo| Argument { name: a.what, required: a.required };
    Row {
        state: state(&info.versions, syntax),
        repeatable: info.repeatable,
        arguments: info.arguments.iter().map(argument).collect(),
        ..row(info.name, info.doc, &info.options, syntax)
    }
}

fn section(info: &SectionInfo, syntax: Syntax) -> Row {
    row(info.name, info.doc, &info.options, syntax)
}

fn row(name: &'static str, doc: &'static str, options: &[OptionInfo], syntax: Syntax) -> Row {
    let entry = effects::entry(name);
    let fate = entry.map_or(Fate::Refused, |entry| entry.fate);
    let there = |o: &&OptionInfo| !matches!(o.versions.state(syntax), State::Absent | State::Removed);
    Row {
        name,
        state: "active",
        here: word(fate),
        doc,
        note: entry.map_or("", |entry| entry.does),
        repeatable: true,
        arguments: Vec::new(),
        options: options.iter().filter(there).map(|o| option(name, fate, o, syntax)).collect(),
    }
}

fn option(command: &str, fate: Fate, info: &OptionInfo, syntax: Syntax) -> OptionRow {
    let row = effects::row(command, info.name);
    let (here, note) = match row {
        Some((_, Effect::Used, note)) => ("supported", *note),
        Some((_, Effect::Warned | Effect::Ignored, note)) => ("no effect", *note),
        Some((_, Effect::Refused, note)) => ("refused", *note),
        None => (word(fate), ""),
    };
    OptionRow {
        name: info.name,
        aliases: info.aliases,
        value: value(info.value),
        required: info.required,
        state: state(&info.versions, syntax),
        here,
        doc: info.doc,
        note,
    }
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Used => "supported",
        Fate::NoEffect => "no effect",
        Fate::Refused => "refused",
    }
}

fn state(versions: &Versions, syntax: Syntax) -> &'static str {
    match versions.state(syntax) {
        State::Absent => "absent",
        State::Active => "active",
        State::Deprecated => "deprecated",
        State::Removed => "removed",
    }
}

/// What an option takes, in the way of a usage line.
fn value(value: Value) -> Option<String> {
    let word = match value {
        Value::None => return None,
        Value::Text => "TEXT".into(),
        Value::Secret => "SECRET".into(),
        Value::Number => "NUMBER".into(),
        Value::Boolean => "yes|no".into(),
        Value::List => "A,B,…".into(),
        Value::Choice(of) => of.join("|"),
    };
    Some(word)
}

fn text(listing: &Listing) -> String {
    let mut out = String::new();
    for row in listing.commands.iter().chain(&listing.sections) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}  [{}]  {}", row.name, marks(row.here, row.state, false), row.doc);
        for option in &row.options {
            let value = option.value.as_ref().map_or(String::new(), |v| format!("={v}"));
            let name = format!("{}{value}", option.name);
            let marks = marks(option.here, option.state, option.required);
            let _ = writeln!(out, "  {name:<28} [{marks}]  {}", option.doc);
        }
    }
    let supported = listing.commands.iter().filter(|c| c.here == "supported").count();
    let of = listing.commands.len();
    let _ = writeln!(out, "\n{}: {of} commands, {supported} of them supported here", listing.syntax);
    out
}

fn marks(here: &str, state: &str, required: bool) -> String {
    let state = Some(state).filter(|s| *s != "active");
    [Some(here), state, required.then_some("required")].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str], syntax: Syntax) -> anyhow::Result<Listing> {
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        listing(&Args { names, syntax, format: Format::Text })
    }

    #[test]
    fn versions_decide_what_there_is() {
        let names = |syntax| list(&[], syntax).unwrap().commands.iter().map(|c| c.name).collect::<Vec<_>>();
        assert!(!names(Syntax::Rhel7).contains(&"sshkey"));
        assert!(names(Syntax::Rhel10).contains(&"sshkey"));
        let part = list(&["part"], Syntax::F44).unwrap();
        let options: Vec<_> = part.commands[0].options.iter().map(|o| o.name).collect();
        assert!(options.contains(&"--hw-passphrase") && !options.contains(&"--start"), "{options:?}");
        assert!(
            !list(&["part"], Syntax::Rhel9).unwrap().commands[0].options.iter().any(|o| o.name == "--hw-passphrase")
        );
    }

    #[test]
    fn what_becomes_of_things_is_said() {
        let list = list(&["raid", "url", "autopart", "%post"], Syntax::F44).unwrap();
        let here: Vec<_> = list.commands.iter().map(|c| (c.name, c.here)).collect();
        assert_eq!(here, [("autopart", "supported"), ("raid", "refused"), ("url", "no effect")]);
        assert_eq!((list.sections[0].name, list.sections[0].here), ("%post", "supported"));
        assert_eq!(list.commands[0].options.iter().find(|o| o.name == "--encrypted").unwrap().here, "refused");
    }

    #[test]
    fn a_name_that_is_none_is_told() {
        let error = list(&["prat"], Syntax::F44).err().unwrap();
        assert!(error.to_string().contains("'prat'"), "{error}");
    }
}

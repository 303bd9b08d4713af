//! The kickstart reference: an index, and a page for every command and section.

use std::path::PathBuf;

use installer_core::request::effects::{self, Effect, Fate};
use kickstart_parser::catalog::{self, ArgumentInfo, CommandInfo, OptionInfo, SectionInfo, Value, Versions};

use super::page::{MADE, line};

/// Every page of the reference, by its path below docs/.
pub fn pages() -> Vec<(PathBuf, String)> {
    let (commands, sections) = (catalog::commands(), catalog::sections());
    let mut pages = vec![(PathBuf::from("kickstart.md"), index(&commands, &sections))];
    pages.extend(commands.iter().map(|c| (path(c.name), command(c))));
    pages.extend(sections.iter().map(|s| (path(s.name), section(s))));
    pages
}

/// `kickstart/part.md`, `kickstart/section-post.md`.
fn path(name: &str) -> PathBuf {
    PathBuf::from(link(name))
}

fn link(name: &str) -> String {
    format!("kickstart/{}.md", name.replace('%', "section-"))
}

fn index(commands: &[CommandInfo], sections: &[SectionInfo]) -> String {
    let mut out = format!("{MADE}\n{}", include_str!("kickstart-intro.md"));
    line(&mut out, "\n| command | here | |\n|---|---|---|");
    for command in commands {
        let gone = versions(&command.versions, "; ");
        index_row(&mut out, command.name, &format!("{}{gone}", command.doc));
    }
    out.push_str("\n## Sections\n\n");
    out.push_str(include_str!("sections.md"));
    line(&mut out, "\n| section | here | |\n|---|---|---|");
    for section in sections {
        index_row(&mut out, section.name, section.doc);
    }
    out
}

fn index_row(out: &mut String, name: &str, text: &str) {
    line(out, &format!("| [`{name}`]({}) | {} | {text} |", link(name), word(fate(name))).replace("  |", " |"));
}

fn fate(name: &str) -> Fate {
    effects::entry(name).map_or(Fate::Refused, |entry| entry.fate)
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Used => "supported",
        Fate::NoEffect => "no effect",
        Fate::Refused => "refused",
    }
}

fn command(command: &CommandInfo) -> String {
    let arguments: String = command.arguments.iter().map(argument).collect();
    let options = if command.options.is_empty() { "" } else { " [OPTION…]" };
    let mut out = head(command.name, command.doc, &format!("{}{arguments}{options}", command.name));
    if let Some(versions) = Some(versions(&command.versions, "")).filter(|v| !v.is_empty()) {
        line(&mut out, &format!("\nVersions: {versions}."));
    }
    if command.repeatable {
        line(&mut out, "\nMay be given more than once.");
    }
    here(&mut out, command.name);
    table(&mut out, command.name, &command.options);
    out
}

fn section(section: &SectionInfo) -> String {
    let options = if section.options.is_empty() { "" } else { " [OPTION…]" };
    let mut out = head(section.name, section.doc, &format!("{}{options}\n…\n%end", section.name));
    here(&mut out, section.name);
    table(&mut out, section.name, &section.options);
    out
}

fn head(name: &str, doc: &str, usage: &str) -> String {
    format!("{MADE}\n# {name}\n\n{doc}\n\n```text\n{usage}\n```\n")
}

/// What becomes of it here.
fn here(out: &mut String, name: &str) {
    let does = effects::entry(name).map_or("", |entry| entry.does);
    // The texts are written for pages in docs/.
    let does = does.replace("](install.md", "](../install.md");
    let text = match fate(name) {
        Fate::Used => does,
        Fate::NoEffect => format!(
            "No effect where a container image is installed; a warning says so \
             ([R002](../diagnostics.md)). What to do: {does}."
        ),
        Fate::Refused => format!(
            "Refused before anything is touched ([R001](../diagnostics.md)): leaving it out would install \
             something else than was asked for. What to do: {does}."
        ),
    };
    line(out, &format!("\n## With bootc-ks\n\n{text}"));
}

fn table(out: &mut String, command: &str, options: &[OptionInfo]) {
    let Some(first) = options.first() else { return };
    // Of a command that is refused as a whole there is no more to say.
    let (more, rule) =
        if effects::row(command, first.name).is_some() { (" with bootc-ks |", "---|") } else { ("", "") };
    line(out, &format!("\n## Options\n\n| option | meaning | versions |{more}\n|---|---|---|{rule}"));
    for option in options {
        row(out, command, option);
    }
}

fn row(out: &mut String, command: &str, option: &OptionInfo) {
    let aliases: String = option.aliases.iter().map(|alias| format!(", `{alias}`")).collect();
    let effect = effects::row(command, option.name).map(|row| match row {
        (_, effect, "") => effect.word().to_owned(),
        (_, Effect::Used, text) => (*text).to_owned(),
        (_, effect, text) => format!("{}: {text}", effect.word()),
    });
    let required = if option.required { "; required" } else { "" };
    let mut cells = vec![
        format!("`{}{}`{aliases}", option.name, value(option.value)),
        format!("{}{required}", option.doc),
        versions(&option.versions, ""),
    ];
    cells.extend(effect);
    line(out, &format!("| {} |", cells.join(" | ")).replace("  |", " |"));
}

fn argument(argument: &ArgumentInfo) -> String {
    let name = argument.what.trim_start_matches("a ").to_uppercase();
    // "a key in quotes" is how it is written, not what it is.
    let name = name.trim_end_matches(" IN QUOTES").replace(' ', "-");
    if argument.required { format!(" {name}") } else { format!(" [{name}]") }
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

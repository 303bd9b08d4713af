//! The tables of the language, made once, and looked up by what was written.

use installer_core::request::effects::{self, Effect, Fate};
use kickstart_parser::catalog::{self, ArgumentInfo, CommandInfo, OptionInfo, SectionInfo, Value, Versions};

use super::markup::Markup;

/// The tables of the language.
pub struct Language {
    /// Every command, by name.
    pub commands: Vec<CommandInfo>,
    /// Every section.
    pub sections: Vec<SectionInfo>,
}

impl Language {
    /// Make the tables.
    pub fn new() -> Language {
        Language { commands: catalog::commands(), sections: catalog::sections() }
    }

    /// The command of that name.
    pub fn command(&self, name: &str) -> Option<&CommandInfo> {
        self.commands.binary_search_by_key(&name, |command| command.name).ok().map(|at| &self.commands[at])
    }

    /// The section of that name, with its percent sign.
    pub fn section(&self, name: &str) -> Option<&SectionInfo> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The options of a command or section.
    pub fn options(&self, name: &str) -> &[OptionInfo] {
        match self.command(name) {
            Some(command) => &command.options,
            None => self.section(name).map_or(&[], |section| &section.options),
        }
    }

    /// The option of a command or section that a word means: by its name, another name, or an
    /// abbreviation that fits no other.
    pub fn option(&self, command: &str, written: &str) -> Option<&OptionInfo> {
        let options = self.options(command);
        let exact = |option: &&OptionInfo| option.name == written || option.aliases.contains(&written);
        options.iter().find(exact).or_else(|| {
            let mut fitting = options.iter().filter(|option| {
                option.name.starts_with(written) || option.aliases.iter().any(|alias| alias.starts_with(written))
            });
            fitting.next().filter(|_| written.len() > 2 && fitting.next().is_none())
        })
    }
}

/// A command: its form, what it says, its versions, what this tool does.
pub fn describe_command(command: &CommandInfo) -> String {
    let arguments: String = command.arguments.iter().map(argument).collect();
    let options = if command.options.is_empty() { "" } else { " [OPTION…]" };
    let mut out = code(&format!("{}{arguments}{options}", command.name));
    paragraph(&mut out, &capital(command.doc));
    if command.repeatable {
        paragraph(&mut out, "May be given more than once.");
    }
    paragraph(&mut out, &versions(&command.versions));
    paragraph(&mut out, &fate(command.name));
    out
}

/// A section: its form, what it is for, what this tool does.
pub fn describe_section(section: &SectionInfo) -> String {
    let options: String = section.options.iter().map(|o| format!(" [{}{}]", o.name, value(o.value))).collect();
    let mut out = code(&format!("{}{options}\n…\n%end", section.name));
    paragraph(&mut out, &capital(section.doc));
    paragraph(&mut out, &fate(section.name));
    out
}

/// An option: its form, what it says, its versions, what this tool does.
pub fn describe_option(command: &str, option: &OptionInfo) -> String {
    let mut out = code(&format!("{}{}", option.name, value(option.value)));
    paragraph(&mut out, &sentence(option.doc));
    if !option.aliases.is_empty() {
        paragraph(&mut out, &format!("The same as `{}`.", option.aliases.join("`, `")));
    }
    if option.required {
        paragraph(&mut out, "Required.");
    }
    paragraph(&mut out, &versions(&option.versions));
    if let Some((_, effect, text)) = effects::row(command, option.name) {
        paragraph(&mut out, &here(effect.word(), text));
    } else if let Some(word) = fate_word(command) {
        paragraph(&mut out, &format!("**bootc-ks:** `{command}` is {word}"));
    }
    out
}

/// What an option takes, in the way that it is written.
pub fn value(value: Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Text => "=TEXT".to_owned(),
        Value::Secret => "=SECRET".to_owned(),
        Value::Number => "=NUMBER".to_owned(),
        Value::Boolean => "=yes|no".to_owned(),
        Value::List => "=A,B,…".to_owned(),
        Value::Choice(of) => format!("={}", of.join("|")),
    }
}

/// Whether this tool does anything with an option.
pub fn is_used(command: &str, option: &str) -> bool {
    effects::row(command, option).is_none_or(|(_, effect, _)| *effect == Effect::Used)
}

/// A text in the form that the editor shows.
pub fn render(text: &str, markup: Markup) -> String {
    match markup {
        Markup::Markdown => text.to_owned(),
        Markup::Plain => text.lines().filter(|line| !line.starts_with("```")).fold(String::new(), |mut out, line| {
            out.push_str(&without_links(&line.replace("**", "").replace('`', "")));
            out.push('\n');
            out
        }),
    }
}

/// A link of Markdown as a text in which the address can be read: `text (address)`.
fn without_links(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some((before, text, address, after)) = link(rest) {
        out.push_str(before);
        out.push_str(&format!("{text} ({address})"));
        rest = after;
    }
    out + rest
}

/// The first link of a line: what is before it, its text, its address, what is after it.
fn link(line: &str) -> Option<(&str, &str, &str, &str)> {
    let middle = line.find("](")?;
    let start = line[..middle].rfind('[')?;
    let end = middle + line[middle..].find(')')?;
    Some((&line[..start], &line[start + 1..middle], &line[middle + 2..end], &line[end + 1..]))
}

fn fate(name: &str) -> String {
    let Some(entry) = effects::entry(name) else {
        return String::new();
    };
    here(fate_word(name).unwrap_or("supported"), entry.does)
}

/// The word for what becomes of a command or section that is not used.
pub fn fate_word(name: &str) -> Option<&'static str> {
    match effects::entry(name)?.fate {
        Fate::Used => None,
        Fate::NoEffect => Some("without effect"),
        Fate::Refused => Some("refused"),
    }
}

fn here(word: &str, text: &str) -> String {
    // The tables are written for the pages in docs/, beside which their links lead.
    let text = text.replace("](install.md", concat!("](", env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/install.md"));
    if text.is_empty() { format!("**bootc-ks:** {word}") } else { format!("**bootc-ks:** {word}. {}", sentence(&text)) }
}

fn argument(argument: &ArgumentInfo) -> String {
    let name = argument.what.trim_start_matches("a ").trim_start_matches("an ").to_uppercase();
    if argument.required { format!(" {name}") } else { format!(" [{name}]") }
}

fn versions(versions: &Versions) -> String {
    let parts =
        [("since", &versions.since), ("deprecated in", &versions.deprecated), ("removed in", &versions.removed)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, when)| !when.is_empty())
        .map(|(word, when)| if when.starts_with("not in") { when.clone() } else { format!("{word} {when}") })
        .collect();
    sentence(&parts.join("; "))
}

fn code(text: &str) -> String {
    format!("```kickstart\n{text}\n```\n")
}

fn paragraph(out: &mut String, text: &str) {
    if !text.is_empty() {
        out.push_str(&format!("\n{text}\n"));
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn sentence(text: &str) -> String {
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capital(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_as_the_parser_finds_them() {
        let language = Language::new();
        let name = |command: &str, written: &str| language.option(command, written).map(|option| option.name);
        assert_eq!(name("part", "--size"), Some("--size"));
        assert_eq!(name("part", "--ondrive"), Some("--ondisk"));
        assert_eq!(name("part", "--siz"), Some("--size"));
        assert_eq!(name("part", "--on"), None);
        assert_eq!(name("part", "--"), None);
        assert_eq!(name("%post", "--nochr"), Some("--nochroot"));
        assert_eq!(name("nonsense", "--size"), None);
    }

    #[test]
    fn everything_can_be_described() {
        let language = Language::new();
        let part = describe_command(language.command("part").unwrap());
        assert!(part.starts_with("```kickstart\npart MOUNT POINT [OPTION…]\n```\n"), "{part}");
        assert!(part.contains("**bootc-ks:** supported. Makes one partition."), "{part}");
        let url = describe_command(language.command("url").unwrap());
        assert!(url.contains("**bootc-ks:** without effect"), "{url}");
        let active = describe_option("part", language.option("part", "--active").unwrap());
        assert!(active.contains("Deprecated in RHEL8; removed in RHEL9, F34."), "{active}");
        assert!(active.contains("**bootc-ks:** no effect."), "{active}");
        let post = describe_section(language.section("%post").unwrap());
        assert!(post.contains("[--nochroot]") && post.contains("%end"), "{post}");
        let plain = render(&active, Markup::Plain);
        assert!(!plain.contains("**") && !plain.contains("```"), "{plain}");
        assert_eq!(
            render("see [a](https://x/y) and [b](z), [c]", Markup::Plain),
            "see a (https://x/y) and b (z), [c]\n"
        );
        for command in &language.commands {
            let plain = render(&describe_command(command), Markup::Plain);
            assert!(!plain.contains("]("), "{plain}");
        }
    }

    #[test]
    fn no_link_leads_nowhere() {
        let language = Language::new();
        for command in &language.commands {
            let text = describe_command(command);
            for (at, _) in text.match_indices("](") {
                assert!(text[at + 2..].starts_with("https://"), "{text}");
            }
        }
    }
}

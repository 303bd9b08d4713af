//! What the language knows, as data: for reference pages, completion and editors.
//!
//! Only a view of the tables that the parser itself works with.

use crate::args::spec::{Kind, Many, Opt, Positional, Spec};
use crate::commands::COMMANDS;
use crate::sections;
pub use crate::syntax::State;
use crate::syntax::{ALWAYS, At, Life, NEVER, Syntax};

/// A command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandInfo {
    /// Its name.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub doc: &'static str,
    /// The versions that have it.
    pub versions: Versions,
    /// Whether each line stands for itself instead of setting one thing.
    pub repeatable: bool,
    /// Its options; empty too for a command whose words are not looked at.
    pub options: Vec<OptionInfo>,
    /// Its arguments that are no options.
    pub arguments: Vec<ArgumentInfo>,
}

/// An option of a command or section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionInfo {
    /// Its name, with its dashes.
    pub name: &'static str,
    /// What it says, in a few words.
    pub doc: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub value: Value,
    /// Whether the command does nothing without it.
    pub required: bool,
    /// The versions that have it.
    pub versions: Versions,
}

/// What an option takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// Nothing.
    None,
    /// Any text.
    Text,
    /// A text that is never shown.
    Secret,
    /// A whole number.
    Number,
    /// `yes` or `no`.
    Boolean,
    /// Words separated by commas.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// An argument that is no option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgumentInfo {
    /// What it is: "a language".
    pub what: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

/// The versions that have a thing, in words; empty where there is nothing to say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Versions {
    /// Which brought it (`RHEL8`, `F41, not in RHEL`).
    pub since: String,
    /// Which deprecated it.
    pub deprecated: String,
    /// Which removed it (`RHEL9, F34`).
    pub removed: String,
    life: Life,
}

impl Versions {
    /// What a version makes of it.
    pub fn state(&self, syntax: Syntax) -> State {
        self.life.state(syntax)
    }
}

/// A section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SectionInfo {
    /// Its name, with its percent sign.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub doc: &'static str,
    /// Its options.
    pub options: Vec<OptionInfo>,
}

/// Every command, by name.
pub fn commands() -> Vec<CommandInfo> {
    COMMANDS.iter().map(|(name, command)| self::command(name, command.spec)).collect()
}

/// Every section.
pub fn sections() -> Vec<SectionInfo> {
    sections::all().map(|(name, spec)| SectionInfo { name, doc: spec.doc, options: options(spec) }).collect()
}

fn command(name: &'static str, spec: &Spec) -> CommandInfo {
    CommandInfo {
        name,
        doc: spec.doc,
        versions: versions(&spec.life),
        repeatable: spec.repeatable,
        options: options(spec),
        arguments: spec.positionals.iter().map(argument).collect(),
    }
}

fn options(spec: &Spec) -> Vec<OptionInfo> {
    spec.options.iter().map(option).collect()
}

fn option(option: &Opt) -> OptionInfo {
    let value = match option.kind {
        Kind::Flag => Value::None,
        Kind::Text if option.secret => Value::Secret,
        Kind::Text => Value::Text,
        Kind::Int | Kind::Count => Value::Number,
        Kind::Bool => Value::Boolean,
        Kind::List => Value::List,
        Kind::Choice(of) => Value::Choice(of),
    };
    OptionInfo {
        name: option.name,
        doc: option.doc,
        aliases: option.aliases,
        value,
        required: option.required,
        versions: versions(&option.life),
    }
}

fn argument(positional: &Positional) -> ArgumentInfo {
    ArgumentInfo { what: positional.what, required: positional.many == Many::One }
}

fn versions(life: &Life) -> Versions {
    Versions { since: begun(life.since), deprecated: ended(life.deprecated), removed: ended(life.removed), life: *life }
}

/// Since when: a line that has had it always needs no word.
fn begun(at: At) -> String {
    let line = |name: &str, prefix: &str, n: u8| match n {
        ALWAYS => None,
        NEVER => Some(format!("not in {name}")),
        n => Some(format!("{prefix}{n}")),
    };
    // "F41, not in RHEL" reads better than the other way round.
    match at.rhel {
        NEVER => join(line("Fedora", "F", at.fedora), line("RHEL", "RHEL", at.rhel)),
        _ => join(line("RHEL", "RHEL", at.rhel), line("Fedora", "F", at.fedora)),
    }
}

/// Until when: a line that never did it needs no word.
fn ended(at: At) -> String {
    let line = |name: &str, prefix: &str, n: u8| match n {
        NEVER => None,
        ALWAYS => Some(format!("every {name}")),
        n => Some(format!("{prefix}{n}")),
    };
    join(line("RHEL", "RHEL", at.rhel), line("Fedora", "F", at.fedora))
}

fn join(one: Option<String>, other: Option<String>) -> String {
    [one, other].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_told_as_they_are() {
        let all = commands();
        assert!(all.is_sorted_by(|a, b| a.name < b.name));
        let find = |name: &str| all.iter().find(|c| c.name == name).unwrap();
        let part = find("part");
        assert!(part.repeatable);
        assert_eq!(part.arguments, [ArgumentInfo { what: "a mount point", required: true }]);
        let active = part.options.iter().find(|o| o.name == "--active").unwrap();
        assert_eq!(active.versions.deprecated, "RHEL8");
        assert_eq!(active.versions.removed, "RHEL9, F34");
        assert_eq!(active.versions.state(Syntax::Rhel8), State::Deprecated);
        assert_eq!(find("sshkey").versions.since, "RHEL8");
        assert_eq!(find("auth").versions.removed, "RHEL10, every Fedora");
        assert_eq!(find("rhsm").versions.since, "RHEL8, not in Fedora");
    }

    #[test]
    fn sections_have_their_options() {
        let all = sections();
        let find = |name: &str| all.iter().find(|s| s.name == name).unwrap();
        assert!(find("%post").options.iter().any(|o| o.name == "--nochroot"));
        assert!(find("%pre").options.iter().all(|o| o.name != "--nochroot"));
    }
}

//! What could be written at a place.

use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTag, Documentation, MarkupContent, Position, Range, TextEdit,
};
use kickstart_parser::catalog::{OptionInfo, State as Standing, Value, Versions};
use kickstart_parser::{ParseOptions, Parsed, Syntax, parse};

use super::common_values;
use super::cursor::{section_at, words};
use super::language::{self, describe_command, describe_option, describe_section};
use super::names::{Kind, names};
use super::state::State;

/// What could be written at a place.
pub fn completion(state: &mut State, uri: &str, position: Position) -> Option<Vec<CompletionItem>> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let offset = document.text.offset(position);
    let line = document.text.index().line(document.text.as_str(), position.line);
    let before = document.text.as_str().get(line.start..offset)?;
    let section = section_at(&parsed, line.start).is_some();
    let start = before.len() - unfinished(before).len();
    let range = document.text.range(line.start + start..offset);
    let place = Place { state, parsed: &parsed, range };
    Some(place.items(before, section))
}

/// The last, unfinished word of a line.
fn unfinished(before: &str) -> &str {
    before.rsplit([' ', '\t']).next().unwrap_or("")
}

/// A place to write at.
struct Place<'a> {
    state: &'a State,
    parsed: &'a Parsed,
    /// The word that is being written.
    range: Range,
}

impl Place<'_> {
    fn items(&self, before: &str, in_section: bool) -> Vec<CompletionItem> {
        let word = unfinished(before);
        let first = before.trim_start().len() == word.len();
        match (first, in_section) {
            (true, true) if word.is_empty() || word.starts_with('%') => self.inside(),
            (_, true) => Vec::new(),
            (true, false) if word.starts_with('#') => self.versions(),
            (true, false) => self.statements(word),
            (false, false) => self.arguments(before, word),
        }
    }

    /// Lines inside a section.
    fn inside(&self) -> Vec<CompletionItem> {
        vec![self.item("%end", CompletionItemKind::Keyword), self.item("%include ", CompletionItemKind::Keyword)]
    }

    /// Special comments.
    fn versions(&self) -> Vec<CompletionItem> {
        let line = |syntax: &Syntax| self.item(&format!("#version={syntax}"), CompletionItemKind::Constant);
        Syntax::ALL.iter().map(line).collect()
    }

    /// The first word of a line.
    fn statements(&self, word: &str) -> Vec<CompletionItem> {
        let language = &self.state.language;
        let mut items = Vec::new();
        if word.is_empty() || word.starts_with('%') {
            items.push(self.item("%include ", CompletionItemKind::Keyword));
            for section in &language.sections {
                let item = self.item(section.name, CompletionItemKind::Function);
                items.push(self.documented(item, describe_section(section)));
            }
        }
        if !word.starts_with('%') {
            for command in &language.commands {
                let item = self.item(command.name, CompletionItemKind::Keyword);
                let item = CompletionItem { detail: language::fate_word(command.name).map(str::to_owned), ..item };
                items.extend(self.standing(item, &command.versions, || describe_command(command)));
            }
        }
        items
    }

    /// Further words of a command or of a section's header.
    fn arguments(&self, before: &str, word: &str) -> Vec<CompletionItem> {
        // A line of its own: what stands behind the place does not matter.
        let head = parse(before, "", &ParseOptions::default());
        let Some(words) = head.document.statements.first().map(words) else {
            return Vec::new();
        };
        let Some(command) = words.first().map(|word| word.value.as_str()) else {
            return Vec::new();
        };
        let written: Vec<&str> = words.iter().skip(1).map(|word| word.value.as_str()).collect();
        let finished = if word.is_empty() { &written[..] } else { &written[..written.len().saturating_sub(1)] };
        if let Some((option, value)) = word.split_once('=') {
            return self.values(command, option, value, Some(option));
        }
        let takes_next = |last: &&&str| {
            let option = self.state.language.option(command, last);
            last.starts_with("--") && !last.contains('=') && option.is_some_and(|option| option.value != Value::None)
        };
        if let Some(option) = finished.last().filter(takes_next) {
            return self.values(command, option, word, None);
        }
        let mut items = Vec::new();
        if word.is_empty() || word.starts_with('-') {
            items = self.options(command, finished);
        }
        if !word.starts_with('-') {
            items.extend(self.positionals(command, finished));
        }
        items
    }

    fn options(&self, command: &str, written: &[&str]) -> Vec<CompletionItem> {
        let language = &self.state.language;
        let given = |option: &OptionInfo| {
            let same = |word: &&str| {
                let name = word.split('=').next().unwrap_or("");
                language.option(command, name).is_some_and(|known| known.name == option.name)
            };
            written.iter().any(same)
        };
        let missing = language.options(command).iter().filter(|option| !given(option));
        missing.filter_map(|option| self.option(command, option)).collect()
    }

    fn option(&self, command: &str, option: &OptionInfo) -> Option<CompletionItem> {
        let equals = if option.value == Value::None { "" } else { "=" };
        let item = self.item(&format!("{}{equals}", option.name), CompletionItemKind::Property);
        let used = language::is_used(command, option.name);
        // What is needed first, what does nothing last.
        let rank = match (option.required, used) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        let item = CompletionItem {
            sort_text: Some(format!("{rank}{}", option.name)),
            detail: Some(option.doc).filter(|doc| !doc.is_empty()).map(str::to_owned),
            ..item
        };
        self.standing(item, &option.versions, || describe_option(command, option))
    }

    /// The values of an option; `prefix` is what stands before the equals sign.
    fn values(&self, command: &str, option: &str, value: &str, prefix: Option<&str>) -> Vec<CompletionItem> {
        let Some(option) = self.state.language.option(command, option) else {
            return self.named_values(command, option, prefix);
        };
        let mut before = prefix.map_or(String::new(), |prefix| format!("{prefix}="));
        if option.value == Value::List
            && let Some((listed, _)) = value.rsplit_once(',')
        {
            before = format!("{before}{listed},");
        }
        let of: &[&str] = match option.value {
            Value::Choice(of) => of,
            Value::Boolean => &["yes", "no"],
            _ => common_values::values(command, option.name),
        };
        let mut items: Vec<CompletionItem> = of.iter().map(|value| self.value(&before, value)).collect();
        items.extend(self.named_values(command, option.name, prefix));
        items
    }

    /// Values that other lines give a name to.
    fn named_values(&self, command: &str, option: &str, prefix: Option<&str>) -> Vec<CompletionItem> {
        let before = prefix.map_or(String::new(), |prefix| format!("{prefix}="));
        match (command, option) {
            ("sshkey", "--username") => {
                let users = std::iter::once("root".to_owned()).chain(self.made(Kind::User));
                users.map(|name| self.value(&before, &name)).collect()
            }
            ("logvol", "--vgname") => {
                self.made(Kind::VolumeGroup).into_iter().map(|name| self.value(&before, &name)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Arguments that are no options.
    fn positionals(&self, command: &str, written: &[&str]) -> Vec<CompletionItem> {
        let fresh = |name: &&str| !written.contains(name);
        match command {
            "part" | "partition" | "logvol" | "mount" => {
                let used: Vec<&str> = self.parsed.kickstart.partitions.iter().map(|p| p.mount.as_str()).collect();
                let free = common_values::MOUNT_POINTS.iter().filter(|point| !used.contains(*point));
                let any = written.iter().any(|word| !word.starts_with('-'));
                free.filter(|_| !any).map(|point| self.item(point, CompletionItemKind::Folder)).collect()
            }
            "volgroup" | "raid" | "btrfs" => {
                let prefix = if command == "volgroup" { "pv." } else { command };
                let members = self.made(Kind::Member);
                let members = members.iter().map(String::as_str).filter(|name| name.starts_with(prefix)).filter(fresh);
                members.map(|name| self.item(name, CompletionItemKind::Reference)).collect()
            }
            _ => common_values::arguments(command)
                .iter()
                .map(|word| self.item(word, CompletionItemKind::Value))
                .collect(),
        }
    }

    fn made(&self, kind: Kind) -> Vec<String> {
        let mut made: Vec<String> = names(self.parsed, &self.state.language)
            .into_iter()
            .filter(|name| name.made && name.kind == kind)
            .map(|name| name.name.to_owned())
            .collect();
        made.sort();
        made.dedup();
        made
    }

    fn value(&self, before: &str, value: &str) -> CompletionItem {
        let item = self.item(&format!("{before}{value}"), CompletionItemKind::Value);
        CompletionItem { label: value.to_owned(), filter_text: Some(format!("{before}{value}")), ..item }
    }

    fn item(&self, text: &str, kind: CompletionItemKind) -> CompletionItem {
        let edit = TextEdit { range: self.range, new_text: text.to_owned() };
        CompletionItem {
            label: text.trim_end().to_owned(),
            kind: Some(kind),
            text_edit: Some(edit.into()),
            ..CompletionItem::default()
        }
    }

    fn documented(&self, item: CompletionItem, text: String) -> CompletionItem {
        let markup = self.state.client.markup;
        let text = MarkupContent { kind: markup.kind(), value: language::render(&text, markup) };
        CompletionItem { documentation: Some(Documentation::MarkupContent(text)), ..item }
    }

    /// The item, if the version has what it stands for.
    fn standing(&self, item: CompletionItem, versions: &Versions, text: impl Fn() -> String) -> Option<CompletionItem> {
        let tags = match versions.state(self.parsed.syntax) {
            Standing::Absent | Standing::Removed => return None,
            Standing::Active => None,
            Standing::Deprecated => Some(vec![CompletionItemTag::Deprecated]),
        };
        Some(self.documented(CompletionItem { tags, ..item }, text()))
    }
}

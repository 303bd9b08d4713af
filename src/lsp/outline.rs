//! The shape of a document: its symbols, and what can be folded away.

use gen_lsp_types::{
    BaseSymbolInformation, DocumentSymbol, DocumentSymbolResponse, FoldingRange, FoldingRangeKind, Location,
    SymbolInformation, SymbolKind,
};
use kickstart_parser::{LineKind, Parsed, SourceId, Span, Statement};

use super::cursor::{sections, words};
use super::places::Places;
use super::state::State;

/// What neighbouring commands are about; commands of one group are shown below its name.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "storage",
        &[
            "autopart",
            "bootloader",
            "btrfs",
            "clearpart",
            "fcoe",
            "ignoredisk",
            "iscsi",
            "iscsiname",
            "logvol",
            "mount",
            "nvdimm",
            "part",
            "partition",
            "raid",
            "reqpart",
            "snapshot",
            "stratisfs",
            "stratispool",
            "volgroup",
            "zerombr",
            "zfcp",
            "zipl",
        ],
    ),
    ("accounts", &["auth", "authconfig", "authselect", "group", "realm", "rootpw", "sshkey", "sshpw", "user"]),
    ("network", &["firewall", "network", "rdp", "vnc"]),
    (
        "source",
        &[
            "bootc",
            "cdrom",
            "driverdisk",
            "harddrive",
            "hmc",
            "liveimg",
            "method",
            "module",
            "nfs",
            "ostreecontainer",
            "ostreesetup",
            "repo",
            "updates",
            "url",
        ],
    ),
    ("system", &["firstboot", "keyboard", "lang", "selinux", "services", "timesource", "timezone", "xconfig"]),
    ("installation", &["cmdline", "eula", "graphical", "halt", "logging", "poweroff", "reboot", "shutdown", "text"]),
];

fn group_of(command: &str) -> Option<&'static str> {
    GROUPS.iter().find(|(_, members)| members.contains(&command)).map(|(name, _)| *name)
}

/// The symbols of a document.
pub fn symbols(state: &mut State, uri: &str) -> Option<DocumentSymbolResponse> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let places = Places::new(state, document, &parsed);
    if !state.client.nested_symbols {
        let flat = entries(&parsed).map(|entry| entry.flat(&places, &document.uri)).collect();
        return Some(DocumentSymbolResponse::SymbolInformationList(flat));
    }
    let mut list: Vec<DocumentSymbol> = Vec::new();
    for entry in entries(&parsed) {
        let symbol = entry.nested(&places);
        match entry.group {
            None => list.push(symbol),
            Some(group) => match list.last_mut() {
                Some(open) if open.kind == SymbolKind::Namespace && open.name == group => {
                    open.range.end = symbol.range.end;
                    open.children.get_or_insert_default().push(symbol);
                }
                _ => list.push(group_symbol(group, symbol)),
            },
        }
    }
    Some(DocumentSymbolResponse::DocumentSymbolList(list))
}

/// A command or section.
struct Entry {
    name: String,
    detail: String,
    kind: SymbolKind,
    group: Option<&'static str>,
    whole: Span,
    head: Span,
}

fn entries(parsed: &Parsed) -> impl Iterator<Item = Entry> {
    let own = |statement: &&Statement| words(statement).first().is_some_and(|word| word.span.source == SourceId::ROOT);
    parsed.document.statements.iter().filter(own).filter_map(|statement| entry(parsed, statement))
}

fn entry(parsed: &Parsed, statement: &Statement) -> Option<Entry> {
    let first = words(statement).first()?;
    let (head, whole, kind) = match statement {
        Statement::Command(line) => (line.span, line.span, SymbolKind::Property),
        Statement::Section(section) => {
            let last = section.body_spans.iter().rfind(|span| span.source == SourceId::ROOT).copied();
            let end = section.end.or(last).unwrap_or(section.span);
            (section.span, section.span.to(end), SymbolKind::Function)
        }
    };
    // As the parser shows it: with stars for passwords.
    let rest = first.span.range().end..head.range().end;
    let detail = parsed.sources.get(SourceId::ROOT)?.shown(rest).trim().to_owned();
    let group = group_of(&first.value);
    Some(Entry { name: first.value.to_string(), detail, kind, group, whole, head })
}

impl Entry {
    #[allow(deprecated)] // The fields are there all the same.
    fn nested(&self, places: &Places<'_>) -> DocumentSymbol {
        DocumentSymbol {
            name: self.name.clone(),
            detail: Some(self.detail.clone()).filter(|detail| !detail.is_empty()),
            kind: self.kind,
            tags: None,
            deprecated: None,
            range: places.range(self.whole),
            selection_range: places.range(self.head),
            children: None,
        }
    }

    #[allow(deprecated)] // The fields are there all the same.
    fn flat(&self, places: &Places<'_>, uri: &gen_lsp_types::Uri) -> SymbolInformation {
        SymbolInformation {
            deprecated: None,
            location: Location { uri: uri.clone(), range: places.range(self.whole) },
            base_symbol_information: BaseSymbolInformation {
                name: format!("{} {}", self.name, self.detail).trim_end().to_owned(),
                kind: self.kind,
                tags: None,
                container_name: self.group.map(str::to_owned),
            },
        }
    }
}

#[allow(deprecated)] // The fields are there all the same.
fn group_symbol(group: &str, first: DocumentSymbol) -> DocumentSymbol {
    DocumentSymbol {
        name: group.to_owned(),
        detail: None,
        kind: SymbolKind::Namespace,
        tags: None,
        deprecated: None,
        range: first.range,
        selection_range: first.selection_range,
        children: Some(vec![first]),
    }
}

/// What can be folded: sections, and comments of more than one line.
pub fn folds(state: &mut State, uri: &str) -> Option<Vec<FoldingRange>> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let places = Places::new(state, document, &parsed);
    let fold = |span: Span, kind: FoldingRangeKind| {
        let range = places.range(span);
        (range.end.line > range.start.line).then_some(FoldingRange {
            start_line: range.start.line,
            start_character: None,
            end_line: range.end.line,
            end_character: None,
            kind: Some(kind),
            collapsed_text: None,
        })
    };
    let sections =
        sections(&parsed).filter_map(|section| fold(section.span.to(section.end?), FoldingRangeKind::Region));
    let comments = comments(&parsed).into_iter().filter_map(|span| fold(span, FoldingRangeKind::Comment));
    Some(sections.chain(comments).collect())
}

/// Neighbouring lines of comment.
fn comments(parsed: &Parsed) -> Vec<Span> {
    let mut blocks: Vec<Span> = Vec::new();
    let mut open = false;
    for line in parsed.document.files.first().map_or(&[][..], |file| &file.lines) {
        let comment = line.kind == LineKind::Comment;
        match blocks.last_mut() {
            Some(last) if comment && open => *last = last.to(line.span),
            _ if comment => blocks.push(line.span),
            _ => {}
        }
        open = comment;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::language::Language;

    #[test]
    fn groups_have_commands() {
        let language = Language::new();
        for (group, members) in GROUPS {
            assert!(members.is_sorted(), "{group}");
            for name in *members {
                assert!(language.command(name).is_some(), "{name}");
                assert_eq!(group_of(name), Some(*group), "{name} is in two groups");
            }
        }
    }
}

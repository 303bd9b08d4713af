//! A kickstart and what it includes as one text.
//!
//! Includes among commands are pasted between two comments that say where the text is from.
//! Includes inside a section are pasted as they are, for a comment would change the body; the
//! comment stands above the section. An include that is not there yet stays.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::codes;
use crate::document::{File, Line, LineKind, Section, Statement};
use crate::lex;
use crate::span::{SourceId, Span};
use crate::{Diagnostic, ParseOptions, Parsed, parse};

/// Why there is no flat text.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotFlattened {
    /// The files do not fit together; this is the first finding that says so.
    Broken(Box<Diagnostic>),
    /// The text would say something else than the files.
    Different,
}

impl fmt::Display for NotFlattened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotFlattened::Broken(found) => write!(f, "the files do not fit together: {}", found.message),
            NotFlattened::Different => f.write_str("as one text, the files would not say the same"),
        }
    }
}

impl std::error::Error for NotFlattened {}

/// Mistakes within one line; they can be pasted like anything else.
const WITHIN_A_LINE: &[&codes::Code] = &[
    &codes::UNCLOSED_QUOTE,
    &codes::LINE_CONTINUATION,
    &codes::UNKNOWN_SECTION,
    &codes::EMPTY_COMMAND,
    &codes::EMPTY_CERTIFICATE,
    &codes::TEMPLATE,
];

/// The kickstart with its includes in place; it parses to the same.
pub fn flatten(parsed: &Parsed) -> Result<String, NotFlattened> {
    let breaks = |d: &&Diagnostic| d.code.starts_with("E0") && WITHIN_A_LINE.iter().all(|code| code.id != d.code);
    if let Some(found) = parsed.diagnostics.iter().find(breaks) {
        return Err(NotFlattened::Broken(Box::new(found.clone())));
    }
    let mut paste = Paste::new(parsed);
    paste.file(SourceId::ROOT);
    let (text, awake) = (paste.out, paste.awake);
    if !awake && says_the_same(parsed, &text) { Ok(text) } else { Err(NotFlattened::Different) }
}

struct Paste<'a> {
    parsed: &'a Parsed,
    files: BTreeMap<SourceId, &'a File>,
    /// What the include at a place brought in.
    included: BTreeMap<(SourceId, u32), SourceId>,
    out: String,
    /// A line of a body was only text in its own file, and would paste something in this one.
    awake: bool,
}

impl<'a> Paste<'a> {
    fn new(parsed: &'a Parsed) -> Paste<'a> {
        let files: BTreeMap<_, _> = parsed.document.files.iter().map(|f| (f.source, f)).collect();
        let from = |id: &SourceId| parsed.sources.get(*id).and_then(|s| s.included_from());
        let included = files.keys().filter_map(|id| from(id).map(|at| ((at.source, at.start), *id))).collect();
        Paste { parsed, files, included, out: String::new(), awake: false }
    }

    /// The file that a line brought in.
    fn child(&self, line: &Line) -> Option<SourceId> {
        let range = (line.span.source, line.span.start)..=(line.span.source, line.span.end);
        self.included.range(range).next().map(|(_, id)| *id)
    }

    fn file(&mut self, id: SourceId) {
        let Some(file) = self.files.get(&id).copied() else {
            return;
        };
        let mut rest = file.lines.as_slice();
        while let Some((line, after)) = rest.split_first() {
            match line.kind {
                LineKind::SectionStart => {
                    let body =
                        after.iter().take_while(|l| matches!(l.kind, LineKind::Body | LineKind::Include)).count();
                    self.section(line, &after[..body]);
                    rest = &after[body..];
                    continue;
                }
                LineKind::Include => match self.child(line) {
                    Some(child) => self.between_comments(line, child),
                    None => self.line(line),
                },
                LineKind::Comment | LineKind::Broken if id != SourceId::ROOT => self.foreign_line(line),
                _ => self.line(line),
            }
            rest = after;
        }
    }

    fn line(&mut self, line: &Line) {
        let text = self.text(line);
        self.out.push_str(text);
        self.out.push_str(self.parsed.sources.slice(line.terminator));
    }

    /// A line without the byte order mark of a file that is not the first any more.
    fn text(&self, line: &Line) -> &'a str {
        let text = self.parsed.sources.slice(line.span);
        let marked = line.span.start == 0 && line.span.source != SourceId::ROOT;
        text.strip_prefix('\u{feff}').filter(|_| marked).unwrap_or(text)
    }

    /// Only the kickstart itself says which version it is for, and pastes other texts.
    fn foreign_line(&mut self, line: &Line) {
        let text = self.text(line);
        if text.starts_with("#version=") || text.starts_with("#platform=") || pastes(text) {
            self.out.push_str("# ");
        }
        self.line(line);
    }

    fn between_comments(&mut self, line: &Line, child: SourceId) {
        let name = self.name(child);
        self.out.push_str(&format!("# begin of {name}, included by {}\n", self.place(line.span)));
        self.file(child);
        self.end_line();
        self.out.push_str(&format!("# end of {name}\n"));
    }

    fn section(&mut self, start: &Line, body: &[Line]) {
        let mut names = Vec::new();
        self.names_in(body, &mut names);
        for name in names {
            self.out.push_str(&format!("# the section below holds {name}, included by {}\n", self.place(start.span)));
        }
        self.line(start);
        let name = super::line::section_name(self.text(start));
        self.body(body, is_read_by_lines(name.as_deref()));
        // Whatever a fragment ends with, the section's end is a line of its own.
        self.end_line();
    }

    fn names_in(&self, body: &[Line], names: &mut Vec<String>) {
        for child in body.iter().filter(|l| l.kind == LineKind::Include).filter_map(|l| self.child(l)) {
            names.push(self.name(child));
            if let Some(file) = self.files.get(&child) {
                self.names_in(&file.lines, names);
            }
        }
    }

    /// In a script, the end of a file that lacks a line end is joined with what follows; in a
    /// section that is read `by_lines` it is not.
    fn body(&mut self, lines: &[Line], by_lines: bool) {
        for line in lines {
            match (line.kind, self.child(line)) {
                (LineKind::Include, Some(child)) => self.fragment(child, by_lines),
                (LineKind::Include, None) => {
                    self.end_line();
                    self.line(line);
                }
                _ => {
                    self.awake |= line.span.source != SourceId::ROOT && pastes(self.text(line));
                    self.line(line);
                }
            }
        }
    }

    /// A file inside a section, without what is not part of the section.
    fn fragment(&mut self, id: SourceId, by_lines: bool) {
        let Some(file) = self.files.get(&id).copied() else {
            return;
        };
        let filler = |line: &Line| line.kind == LineKind::Body && crate::reader::is_filler(self.text(line));
        let begins = |line: &Line| line.kind == LineKind::Body && !filler(line);
        let begin = file.lines.iter().position(begins).unwrap_or(file.lines.len());
        let (before, rest) = file.lines.split_at(begin);
        let before: Vec<Line> = before.iter().filter(|line| !filler(line)).copied().collect();
        self.body(&before, by_lines);
        self.body(rest, by_lines);
        if by_lines {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(['\n', '\r']) {
            self.out.push('\n');
        }
    }

    /// The name of a file in a form that stays on its line.
    fn name(&self, id: SourceId) -> String {
        let path = self.parsed.sources.get(id).map_or("", |s| s.path());
        path.chars().map(|c| if crate::lex::is_break(c) { '?' } else { c }).collect()
    }

    fn place(&self, span: Span) -> String {
        format!("{}:{}", self.name(span.source), self.parsed.sources.locate(span).line)
    }
}

/// Whether a line pastes another text, if it is one of the kickstart itself.
fn pastes(line: &str) -> bool {
    line.trim_start().starts_with("%ksappend")
}

/// Whether the text has the same statements as the files that it was made of.
fn says_the_same(parsed: &Parsed, text: &str) -> bool {
    let options = ParseOptions { syntax: Some(parsed.syntax), loader: None };
    let again = parse(text, "", &options);
    let (one, other) = (&parsed.document.statements, &again.document.statements);
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
}

/// The body as it is read: joined, or line by line.
fn body(section: &Section) -> Cow<'_, str> {
    if !is_read_by_lines(section.words.first().map(|word| word.value.as_str())) {
        return Cow::Borrowed(&section.body);
    }
    let mut text = String::with_capacity(section.body.len());
    let mut rest = section.body.as_str();
    for span in &section.body_spans {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(span.len()));
        if !text.is_empty() && !text.ends_with(lex::is_break) {
            text.push('\n');
        }
        text.push_str(piece);
        rest = after;
    }
    Cow::Owned(text)
}

/// Whether a section's lines are taken one by one, wherever they come from.
fn is_read_by_lines(section: Option<&str>) -> bool {
    matches!(section, Some("%packages" | "%addon" | "%anaconda"))
}

fn same(one: &Statement, other: &Statement) -> bool {
    let words = |list: &[crate::Word]| list.iter().map(|w| w.value.to_string()).collect::<Vec<_>>();
    match (one, other) {
        (Statement::Command(a), Statement::Command(b)) => words(&a.words) == words(&b.words),
        (Statement::Section(a), Statement::Section(b)) => {
            words(&a.words) == words(&b.words) && body(a).trim_end() == body(b).trim_end()
        }
        _ => false,
    }
}

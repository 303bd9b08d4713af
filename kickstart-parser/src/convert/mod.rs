//! A kickstart for another version of the language: what `bootc-ks convert` writes.
//!
//! ```text
//!  each line ──► rules (one row per thing that is gone) ──► edits on spans ──► text
//!                                  the parser, in the new version: what is left ──┘
//! ```
//!
//! Comments and layout stay. What has no successor stays too, below a comment that says so.

mod auth;
mod line;
mod outcome;
mod rules;

use std::collections::{HashMap, HashSet};

use crate::codes;
use crate::document::LineKind;
use crate::format;
use crate::lex;
use crate::{Diagnostic, ParseOptions, SourceId, Syntax, parse};
use line::Edited;
pub use outcome::Outcome;

/// What became of a line, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The line in the text as it was, from 1.
    pub line: usize,
    /// What became of it.
    pub outcome: Outcome,
    /// What was done, or what is to be done.
    pub message: String,
}

/// A converted text.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The text.
    pub text: String,
    /// What was done, in the order of the lines.
    pub notes: Vec<Note>,
}

// The text may hold passwords.
impl std::fmt::Debug for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversion").field("notes", &self.notes).finish_non_exhaustive()
    }
}

impl Conversion {
    /// Whether the new version takes every line.
    pub fn is_complete(&self) -> bool {
        self.notes.iter().all(|n| n.outcome != Outcome::Left)
    }
}

/// The mark of the comments that are put above lines that are left.
const MARK: &str = "# bootc-ks convert: ";
const VERSION: &str = "#version=";

/// A line of the new text.
struct Row {
    /// The line that it was made of.
    line: usize,
    /// With its line end.
    text: String,
}

/// Convert a text, without what it includes. `from` is the version that it was written for,
/// if that is known.
///
/// ```
/// use kickstart_parser::{Syntax, convert::convert};
///
/// let new = convert("timezone Etc/UTC --isUtc # clock\n", None, Syntax::Rhel10);
/// assert_eq!(new.text, "#version=RHEL10\ntimezone Etc/UTC --utc # clock\n");
/// assert!(new.is_complete());
/// ```
pub fn convert(text: &str, from: Option<Syntax>, to: Syntax) -> Conversion {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = parse(text, "", &ParseOptions { syntax: from, loader: None });
    let lines = parsed.document.files.first().map_or(&[][..], |f| &f.lines);
    let (mut rows, mut notes) = (Vec::with_capacity(lines.len()), Vec::new());
    let mut versioned = false;
    for (n, line) in lines.iter().enumerate() {
        let content = parsed.sources.slice(line.span);
        let end = parsed.sources.slice(line.terminator);
        let mut row = |text: String| push(&mut rows, Row { line: n + 1, text });
        match line.kind {
            LineKind::Comment if content.starts_with(VERSION) && !versioned => {
                versioned = true;
                row(format!("{VERSION}{to}{end}"));
            }
            LineKind::Command | LineKind::SectionStart if !format::is_template(content) => {
                let edited = line::edit(content, parsed.syntax, |line| rules::apply(line, to));
                let said = edited.said.iter().map(|(outcome, message)| (n + 1, *outcome, message.clone()));
                notes.extend(said.map(|(line, outcome, message)| Note { line, outcome, message }));
                take_over(edited, content, end, &mut row);
            }
            _ => row(format!("{content}{end}")),
        }
    }
    if !versioned {
        rows.insert(0, Row { line: 0, text: format!("{VERSION}{to}\n") });
    }
    judge(&rows, &mut notes, to);
    let said = notes.iter().filter(|n| n.outcome == Outcome::Left).map(|n| (n.line, n.message.clone())).collect();
    notes.sort_by_key(|note| note.line);
    Conversion { text: with_remarks(&rows, said), notes }
}

/// Add a row; a blank one goes if it would become the second half of the line end before it,
/// because what stood between them is gone.
fn push(rows: &mut Vec<Row>, row: Row) {
    let joins = row.text == "\n" && rows.last().is_some_and(|last| last.text.ends_with('\r'));
    if !joins {
        rows.push(row);
    }
}

/// The rows of a line that rules were applied to.
fn take_over(edited: Edited, content: &str, end: &str, row: &mut impl FnMut(String)) {
    if let Some(text) = edited.text(content) {
        row(format!("{text}{}", if edited.after.is_empty() || !end.is_empty() { end } else { "\n" }));
    }
    for line in edited.after {
        row(format!("{line}\n"));
    }
}

/// What is found because nothing is read but the text itself.
const NOT_HERE: &[&codes::Code] = &[&codes::INCLUDE_FAILED, &codes::KSAPPEND_FAILED, &codes::UNREADABLE_FILE];

/// What the new version says of the text: errors are lines that are left.
fn judge(rows: &[Row], notes: &mut Vec<Note>, to: Syntax) {
    let text: String = rows.iter().map(|r| r.text.as_str()).collect();
    let parsed = parse(&text, "", &ParseOptions { syntax: Some(to), loader: None });
    let left = notes.iter().filter(|n| n.outcome == Outcome::Left).map(|n| n.line);
    let mut told: HashSet<usize> = left.collect();
    for found in &parsed.diagnostics {
        let outcome = match found.code {
            code if NOT_HERE.iter().any(|known| known.id == code) => continue,
            code if code.starts_with('E') => Outcome::Left,
            code if code == codes::COMMAND_DEPRECATED.id || code == codes::OPTION_DEPRECATED.id => Outcome::Deprecated,
            _ => continue,
        };
        let at = parsed.sources.locate(found.span).line;
        let Some(row) = at.checked_sub(1).and_then(|n| rows.get(n)) else {
            continue;
        };
        let news = !told.contains(&row.line) && !format::is_template(&row.text);
        if found.span.source == SourceId::ROOT && news {
            if outcome == Outcome::Left {
                told.insert(row.line);
            }
            notes.push(Note { line: row.line, outcome, message: message(found) });
        }
    }
}

fn message(found: &Diagnostic) -> String {
    match &found.help {
        Some(help) => format!("{}; {help}", found.message),
        None => found.message.clone(),
    }
}

/// The text, with a comment above each line that is left.
fn with_remarks(rows: &[Row], said: Vec<(usize, String)>) -> String {
    let mut out = String::new();
    let mut before = "";
    let mut said: HashMap<usize, String> = said.into_iter().collect();
    for row in rows {
        if let Some(message) = said.remove(&row.line) {
            let message: String = message.chars().map(|c| if lex::is_break(c) { ' ' } else { c }).collect();
            let remark = format!("{MARK}{message}\n");
            // The text may have been converted before.
            if before.trim_end() != remark.trim_end() {
                out.push_str(&remark);
            }
        }
        out.push_str(&row.text);
        before = &row.text;
    }
    out
}

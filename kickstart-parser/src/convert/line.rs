//! One line under conversion: what is on it, and how it is to be changed.

use std::collections::HashMap;
use std::ops::Range;

use super::outcome::Outcome;
use crate::args::scan::scan;
use crate::args::{Args, Cx};
use crate::commands;
use crate::document::Word;
use crate::format::quote;
use crate::lex;
use crate::sections;
use crate::span::{SourceId, Span};
use crate::syntax::Syntax;

/// What became of a line.
#[derive(Default)]
pub(super) struct Edited {
    /// Replacements of parts of the line, in bytes.
    edits: Vec<(Range<usize>, String)>,
    dropped: bool,
    /// Where the last word ends and a comment may begin.
    end: usize,
    /// Lines that follow it.
    pub after: Vec<String>,
    pub said: Vec<(Outcome, String)>,
}

impl Edited {
    /// The line as it is now; `None` if nothing is left of it.
    pub fn text(&self, content: &str) -> Option<String> {
        if self.dropped {
            let comment = content.get(self.end..).unwrap_or("").trim();
            // At the left edge it would become what names the version.
            let indent = if comment.starts_with("#version=") || comment.starts_with("#platform=") { " " } else { "" };
            return (!comment.is_empty()).then(|| format!("{indent}{comment}"));
        }
        let mut edits: Vec<_> = self.edits.iter().collect();
        edits.sort_by_key(|(range, _)| range.start);
        let (mut out, mut at) = (String::new(), 0);
        for (range, text) in edits {
            // Two rules for one word: the first has said what becomes of it.
            if range.start >= at {
                out.push_str(content.get(at..range.start).unwrap_or(""));
                out.push_str(text);
                at = range.end;
            }
        }
        out.push_str(content.get(at..).unwrap_or(""));
        Some(out)
    }
}

/// An option on a line.
pub(super) struct Found {
    /// The option with its value.
    pub range: Range<usize>,
    /// The option alone.
    pub name: Range<usize>,
    pub value: Option<String>,
}

/// A line as a rule sees it.
pub(super) struct Line<'a> {
    content: &'a str,
    pub words: Vec<Word>,
    /// The options that were understood, by where they begin.
    known: HashMap<u32, &'static str>,
    edited: Edited,
}

/// Reads a line that was written for `from`, and lets `change` change it.
pub(super) fn edit(content: &str, from: Syntax, change: impl FnOnce(&mut Line<'_>)) -> Edited {
    let words: Vec<Word> = match lex::words(content) {
        Ok(raw) => raw.into_iter().map(|w| Word::new(w, SourceId::ROOT, 0)).collect(),
        Err(_) => return Edited::default(),
    };
    let args = words.split_first().and_then(|(name, rest)| read(&name.value, rest, from));
    let known = args.iter().flat_map(|a| &a.given).map(|g| (g.span.start, g.name)).collect();
    let end = words.last().map_or(0, |w| w.span.end as usize);
    let mut line = Line { content, words, known, edited: Edited { end, ..Edited::default() } };
    change(&mut line);
    line.edited
}

/// The arguments, in the version that they were written for or the oldest that takes them.
fn read(name: &str, words: &[Word], from: Syntax) -> Option<Args> {
    let spec = match commands::find(name) {
        Some((_, command)) => command.spec,
        None => sections::all().find(|(section, _)| *section == name)?.1,
    };
    std::iter::once(from).chain(Syntax::ALL.iter().copied()).find_map(|syntax| {
        let (mut diagnostics, mut secrets) = (Vec::new(), Vec::new());
        let mut cx = Cx { syntax, diagnostics: &mut diagnostics, secrets: &mut secrets, defined: HashMap::new() };
        let args = scan(spec, Span::default(), words, &mut cx);
        (!args.broken).then_some(args)
    })
}

impl Line<'_> {
    pub fn name(&self) -> &str {
        self.words.first().map_or("", |w| w.value.as_str())
    }

    /// Where an option is given: by its name, or abbreviated if the line could be read.
    pub fn find(&self, option: &str, takes_value: bool) -> Vec<Found> {
        let mut found = Vec::new();
        let mut words = self.words.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let (name, value) = match word.value.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.value.as_str(), None),
            };
            if name != option && self.known.get(&word.span.start) != Some(&option) {
                continue;
            }
            let length = name.len();
            let (mut range, mut value) = (word.span.range(), value);
            if takes_value
                && value.is_none()
                && let Some(next) = words.next_if(|next| !next.value.starts_with("--"))
            {
                range.end = next.span.range().end;
                value = Some(next.value.to_string());
            }
            found.push(Found { range, name: word.part(0, length).range(), value });
        }
        found
    }

    pub fn has(&self, option: &str) -> bool {
        !self.find(option, false).is_empty()
    }

    /// Put something in the place of a part of the line.
    pub fn replace(&mut self, range: Range<usize>, text: &str) {
        self.edited.edits.push((range, text.to_owned()));
    }

    /// Take a part out, with the blanks before it.
    pub fn remove(&mut self, range: Range<usize>) {
        let start = self.content.get(..range.start).map_or(range.start, |before| before.trim_end().len());
        self.replace(start..range.end, "");
    }

    /// Take the line out; a comment on it stays.
    pub fn drop(&mut self) {
        self.edited.dropped = true;
    }

    /// Take the line out if no more than its name is left.
    pub fn drop_if_bare(&mut self) {
        let mut removed: Vec<_> = self.edited.edits.iter().map(|(range, _)| range.clone()).collect();
        removed.sort_by_key(|range| range.start);
        let mut removed = removed.into_iter().peekable();
        let mut is_removed = |word: &Word| {
            let at = word.span.range().start;
            while removed.next_if(|range| range.end <= at).is_some() {}
            removed.peek().is_some_and(|range| range.start <= at)
        };
        if self.words.iter().skip(1).all(&mut is_removed) {
            self.drop();
        }
    }

    /// The whole line in new words; a comment on it stays.
    pub fn rewrite(&mut self, words: &[&str]) {
        let start = self.words.first().map_or(0, |w| w.span.range().start);
        let text: Vec<String> = words.iter().map(|w| quote::word(w)).collect();
        self.edited.edits = vec![(start..self.edited.end, text.join(" "))];
    }

    /// Add a line below.
    pub fn add(&mut self, line: String) {
        self.edited.after.push(line);
    }

    pub fn say(&mut self, outcome: Outcome, message: impl Into<String>) {
        self.edited.said.push((outcome, message.into()));
    }
}

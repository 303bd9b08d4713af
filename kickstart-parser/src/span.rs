//! Where things are: byte ranges, and the source texts they point into.
//!
//! A [`Span`] is a byte range of one source; [`Sources`] keeps every text
//! that took part in a parse (the kickstart and whatever it includes) and
//! turns a span into the line and column that a person or an editor wants.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::lex;

/// One source text of a [`Sources`]; the kickstart itself is [`SourceId::ROOT`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SourceId(pub(crate) u32);

impl SourceId {
    /// The file that was given to [`crate::parse`].
    pub const ROOT: SourceId = SourceId(0);

    /// The position of this source in [`Sources::iter`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A range of bytes in one source; always on character boundaries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// The source that the bytes belong to.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    pub(crate) fn new(source: SourceId, start: usize, end: usize) -> Span {
        // Sources longer than u32::MAX are refused before they get a span.
        Span { source, start: start as u32, end: end as u32 }
    }

    /// The range, for slicing the text of the source.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span over both; `self` if they are of different sources.
    pub fn to(self, other: Span) -> Span {
        if self.source != other.source {
            return self;
        }
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The length in bytes.
    pub fn len(self) -> usize {
        self.range().len()
    }

    /// Whether the span covers no byte (the end of a file, for example).
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// A place as people count: lines and columns from 1, columns in characters.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Location {
    /// The path of the source, as it was given or as the loader named it.
    pub path: String,
    /// The line of the first character.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The line of the last character.
    pub end_line: usize,
    /// The column after the last character.
    pub end_column: usize,
}

/// One text with its name and its line starts.
pub struct Source {
    path: String,
    text: Arc<str>,
    /// Where the lines begin, computed at the first question: a file without findings needs no lines.
    starts: OnceLock<Vec<u32>>,
    /// Bytes are characters: columns need no counting.
    ascii: bool,
    included_from: Option<Span>,
    /// Where passwords are, sorted.
    secrets: Vec<Span>,
}

// The text may hold passwords: it does not get into logs by way of `{:?}`.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("path", &self.path)
            .field("bytes", &self.text.len())
            .field("included_from", &self.included_from)
            .finish()
    }
}

impl Source {
    /// The path of the source, as it was given or as the loader named it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A part of the text for showing, with passwords replaced by stars, byte
    /// by byte, so that spans stay right.
    pub fn shown(&self, range: std::ops::Range<usize>) -> String {
        let mut text = self.text.get(range.clone()).unwrap_or("").to_owned();
        let from = self.secrets.partition_point(|s| (s.end as usize) <= range.start);
        for secret in self.secrets.iter().skip(from) {
            let start = (secret.start as usize).max(range.start);
            let end = (secret.end as usize).min(range.end);
            if start >= range.end {
                break;
            }
            let inside = start - range.start..end.max(start) - range.start;
            if text.get(inside.clone()).is_some() {
                let stars = "*".repeat(inside.len());
                text.replace_range(inside, &stars);
            }
        }
        text
    }

    /// The `%include` line that brought this source in.
    pub fn included_from(&self) -> Option<Span> {
        self.included_from
    }

    fn starts(&self) -> &[u32] {
        self.starts.get_or_init(|| lex::lines(&self.text).map(|line| line.start as u32).collect())
    }

    fn line_of(&self, offset: usize) -> usize {
        self.starts().partition_point(|s| *s as usize <= offset).max(1) - 1
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let offset = floor_boundary(&self.text, offset);
        let line = self.line_of(offset);
        let start = self.starts().get(line).map_or(0, |s| *s as usize);
        let column = match self.text.get(start..offset) {
            Some(before) if self.ascii => before.len(),
            Some(before) => before.chars().count(),
            None => 0,
        };
        (line + 1, column + 1)
    }

    /// The bytes of the lines that a span touches, and the number of the
    /// first; for showing them without the rest of the text.
    pub fn lines_around(&self, span: Span) -> (std::ops::Range<usize>, usize) {
        let first = self.line_of(span.start as usize);
        let last = self.line_of(span.end.max(span.start) as usize);
        let start_of = |line: usize| self.starts().get(line).map(|s| *s as usize);
        let range = start_of(first).unwrap_or(0)..start_of(last + 1).unwrap_or(self.text.len());
        (range, first + 1)
    }
}

/// Every text that took part in a parse.
#[derive(Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
}

impl Sources {
    pub(crate) fn add(&mut self, path: String, text: Arc<str>, from: Option<Span>) -> SourceId {
        let id = SourceId(self.all.len() as u32);
        let (ascii, starts) = (text.is_ascii(), OnceLock::new());
        self.all.push(Source { path, ascii, text, secrets: Vec::new(), starts, included_from: from });
        id
    }

    /// Remember where passwords are; see [`Source::shown`].
    pub(crate) fn hide(&mut self, mut secrets: Vec<Span>) {
        secrets.sort_unstable();
        secrets.dedup();
        for secret in secrets {
            if let Some(source) = self.all.get_mut(secret.source.index()) {
                source.secrets.push(secret);
            }
        }
    }

    pub(crate) fn text(&self, id: SourceId) -> Arc<str> {
        self.all.get(id.index()).map_or_else(|| Arc::from(""), |s| s.text.clone())
    }

    /// All sources, the root first, then the includes in the order of reading.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.all.iter()
    }

    /// One source.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.all.get(id.index())
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source).and_then(|s| s.text.get(span.range())).unwrap_or("")
    }

    /// The span in lines and columns.
    pub fn locate(&self, span: Span) -> Location {
        let Some(source) = self.get(span.source) else {
            return Location { path: String::new(), line: 1, column: 1, end_line: 1, end_column: 1 };
        };
        let (line, column) = source.position(span.start as usize);
        let (end_line, end_column) = source.position(span.end.max(span.start) as usize);
        Location { path: source.path.clone(), line, column, end_line, end_column }
    }

    /// The text of the line on which a span begins, without its line end.
    pub fn line(&self, span: Span) -> &str {
        let Some(source) = self.get(span.source) else {
            return "";
        };
        let start = source.starts().get(source.line_of(span.start as usize)).map_or(0, |s| *s as usize);
        let rest = source.text.get(start..).unwrap_or("");
        lex::lines(rest).next().and_then(|l| rest.get(l.start..l.content_end)).unwrap_or("")
    }

    /// The `%include` lines that lead to a span, innermost first.
    pub fn include_chain(&self, span: Span) -> Vec<Location> {
        let mut chain = Vec::new();
        let mut at = self.get(span.source).and_then(Source::included_from);
        while let Some(from) = at {
            chain.push(self.locate(from));
            at = self.get(from.source).and_then(Source::included_from);
        }
        chain
    }
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Sources {
        let mut sources = Sources::default();
        sources.add("a.ks".into(), Arc::from(text), None);
        sources
    }

    #[test]
    fn columns_count_characters() {
        let s = sources("text\nlang čeština x\r\nlast");
        let at = |a: usize, b: usize| {
            let l = s.locate(Span::new(SourceId::ROOT, a, b));
            (l.line, l.column, l.end_line, l.end_column)
        };
        assert_eq!(at(0, 4), (1, 1, 1, 5));
        let x = "text\nlang čeština ".len();
        assert_eq!(at(x, x + 1), (2, 14, 2, 15));
        assert_eq!(at(x + 3, x + 7), (3, 1, 3, 5));
        assert_eq!(s.line(Span::new(SourceId::ROOT, x, x)), "lang čeština x");
        assert_eq!(s.line(Span::new(SourceId::ROOT, x + 7, x + 7)), "last");
        let lines = |a: usize, b: usize| {
            let source = s.get(SourceId::ROOT).unwrap();
            let (range, first) = source.lines_around(Span::new(SourceId::ROOT, a, b));
            (source.text()[range].to_owned(), first)
        };
        assert_eq!(lines(1, 2), ("text\n".to_owned(), 1));
        assert_eq!(lines(x + 4, x + 4), ("last".to_owned(), 3));
    }

    #[test]
    fn nothing_is_out_of_reach() {
        let s = sources("");
        assert_eq!(s.locate(Span::new(SourceId::ROOT, 9, 12)).line, 1);
        assert_eq!(s.slice(Span::new(SourceId(7), 0, 1)), "");
    }
}

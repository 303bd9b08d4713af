//! What was written, before its meaning is looked at.
//!
//! A [`Document`] has two views of the same text: the *lines* of every file,
//! whose spans put together are the file again, byte for byte; and the
//! *statements* in the order in which they take effect, with includes
//! resolved.

use std::fmt;

use smol_str::SmolStr;

use crate::lex::RawWord;
use crate::span::{SourceId, Span};

/// A word of a command line, with quotes and escapes resolved.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// What the word says.
    pub value: SmolStr,
    /// Where it is, quotes included.
    pub span: Span,
    /// How many leading bytes of the value are spelled as they read.
    linear: u32,
}

// A word may be a password.
impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({}..{})", self.span.start, self.span.end)
    }
}

impl Word {
    pub(crate) fn new(raw: RawWord, source: SourceId, line_start: usize) -> Word {
        Word {
            value: raw.value,
            span: Span::new(source, line_start + raw.start, line_start + raw.end),
            linear: raw.linear as u32,
        }
    }

    /// The span of a part of the value; as close as quotes allow.
    pub(crate) fn part(&self, from: usize, to: usize) -> Span {
        let linear = self.linear as usize;
        let start = self.span.start + from.min(linear) as u32;
        let end = if to <= linear { self.span.start + to as u32 } else { self.span.end };
        Span { start, end: end.max(start), ..self.span }
    }
}

/// What a physical line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineKind {
    /// Nothing but blanks.
    Blank,
    /// A comment of its own.
    Comment,
    /// A command.
    Command,
    /// The first line of a section.
    SectionStart,
    /// A line inside a section.
    Body,
    /// `%end`.
    SectionEnd,
    /// `%include`, inside a section or outside.
    Include,
    /// A line that could not be made sense of; a diagnostic says why.
    Broken,
}

/// A physical line of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// The line without its line end.
    pub span: Span,
    /// The line end, empty at the end of the file.
    pub terminator: Span,
}

/// The lines of one file. A file that is included twice is there twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Which source it is.
    pub source: SourceId,
    /// Its lines, without a gap.
    pub lines: Vec<Line>,
}

/// A command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandLine {
    /// The line from its first to its last word.
    pub span: Span,
    /// The words; there is at least the command's name.
    pub words: Vec<Word>,
}

/// A section with its header and its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Section {
    /// The header from its first to its last word.
    pub span: Span,
    /// The words of the header; the first is the section's name.
    pub words: Vec<Word>,
    /// The body as written, included text in the place of its `%include`.
    pub body: String,
    /// Where the body comes from: one span per stretch of lines.
    pub body_spans: Vec<Span>,
    /// The `%end`, if there is one.
    pub end: Option<Span>,
}

// A script may hold passwords.
impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section")
            .field("span", &self.span)
            .field("body_spans", &self.body_spans)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// Something that takes effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    /// A command.
    Command(CommandLine),
    /// A section.
    Section(Section),
}

impl Statement {
    /// The words of the command line, or of the section's header.
    pub(crate) fn words(&self) -> &[Word] {
        match self {
            Statement::Command(line) => &line.words,
            Statement::Section(section) => &section.words,
        }
    }
}

/// The text of a kickstart, taken apart without loss.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Document {
    /// The kickstart itself and what it includes, in the order of reading.
    pub files: Vec<File>,
    /// What takes effect, in order.
    pub statements: Vec<Statement>,
    /// Includes that are not there (yet): each has a diagnostic, which is
    /// [`crate::codes::INCLUDE_DEFERRED`] if a `%pre` script names the file.
    pub deferred: Vec<DeferredInclude>,
}

/// An `%include` whose file is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeferredInclude {
    /// The file as written.
    pub path: String,
    /// The line.
    pub span: Span,
}

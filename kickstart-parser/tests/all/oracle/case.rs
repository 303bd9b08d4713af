//! One question: a text, and how it is to be read.

use std::collections::BTreeMap;

use kickstart_parser::{IncludeRequest, LoadError, Loaded, Loader, Syntax};

/// All that ends a line there, usual or not.
pub const LINE_ENDS: [char; 10] =
    ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// How the other side reads the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As a whole kickstart.
    Whole,
    /// As one line, by a parser that knows one command.
    Single,
}

/// What becomes of `%include`.
#[derive(Clone, Debug)]
pub enum Includes {
    /// Files by their names; others are missing, which is an error.
    Files(BTreeMap<String, String>),
    /// As if each were an empty file; a `%ksappend` is a line like any other.
    Ignored,
}

/// A text and how it is to be read.
#[derive(Clone, Debug)]
pub struct Case {
    pub version: Syntax,
    pub text: String,
    pub mode: Mode,
    /// The command it is about, where it is about one.
    pub command: Option<String>,
    /// The file it comes from, where it is one; named instead of printed.
    pub file: Option<String>,
    pub includes: Includes,
    /// Whether a section of an unknown name is an error.
    pub unknown_section_is_error: bool,
}

impl Case {
    /// A case without includes and special wishes.
    pub fn new(version: Syntax, text: impl Into<String>, mode: Mode) -> Case {
        Case {
            version,
            text: text.into(),
            mode,
            command: None,
            file: None,
            includes: Includes::Files(BTreeMap::new()),
            unknown_section_is_error: true,
        }
    }

    /// Whether a `%ksappend` names this file.
    fn is_pasted(&self, name: &str) -> bool {
        let mut words = self.text.split(LINE_ENDS).map(str::split_whitespace);
        words.any(|mut words| words.next().is_some_and(|w| w.starts_with("%ksappend")) && words.next() == Some(name))
    }

    /// A line, counted from 1.
    pub fn line(&self, line: usize) -> Option<&str> {
        let mut rest = self.text.as_str();
        for _ in 1..line {
            let at = rest.find(LINE_ENDS)?;
            let end = if rest[at..].starts_with("\r\n") { "\r\n" } else { &rest[at..rest.ceil_char_boundary(at + 1)] };
            rest = &rest[at + end.len()..];
        }
        rest.split(LINE_ENDS).next()
    }

    /// The first word of a line, counted from 1.
    pub fn first_word(&self, line: usize) -> Option<&str> {
        self.line(line)?.split_whitespace().next()
    }
}

impl Loader for Case {
    fn load(&self, request: IncludeRequest<'_>) -> Result<Loaded, LoadError> {
        match &self.includes {
            Includes::Files(files) => files.load(request),
            Includes::Ignored if self.is_pasted(request.name) => {
                Err(LoadError { message: "not pasted".to_owned(), help: None })
            }
            Includes::Ignored => Ok(Loaded { path: request.name.to_owned(), text: String::new() }),
        }
    }
}

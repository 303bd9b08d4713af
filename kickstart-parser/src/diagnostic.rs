//! What is wrong, where, and what to do about it.
//!
//! A [`Diagnostic`] points with spans, for carets; [`Diagnostic::resolve`]
//! turns it into the flat form that is written as JSON.

use std::fmt;

use crate::codes::{Code, Severity};
use crate::span::{Sources, Span};

/// Bytes of a message; a word that it quotes may have any length.
const MAX_MESSAGE: usize = 1000;

/// A further place that a diagnostic talks about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there.
    pub message: String,
}

/// A remedy that a machine may apply: all of its edits, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, in a few words.
    pub description: String,
    /// What to replace by what; the spans do not overlap, and no replacement
    /// repeats text of the kickstart, so that no password gets out by it.
    pub edits: Vec<(Span, String)>,
}

impl Fix {
    /// A fix that replaces one place.
    pub fn replace(description: impl Into<String>, span: Span, replacement: impl Into<String>) -> Fix {
        Fix { description: description.into(), edits: vec![(span, replacement.into())] }
    }

    /// Say of a misspelt word which one it should be.
    pub(crate) fn did_you_mean(span: Span, name: &str) -> Fix {
        Fix::replace(format!("write `{name}`"), span, name)
    }

    fn resolve(&self, sources: &Sources) -> ResolvedFix {
        let edit = |(span, replacement): &(Span, String)| {
            let at = sources.locate(*span);
            ResolvedEdit {
                path: at.path,
                line: at.line,
                column: at.column,
                end_line: at.end_line,
                end_column: at.end_column,
                replacement: replacement.clone(),
            }
        };
        ResolvedFix { description: self.description.clone(), edits: self.edits.iter().map(edit).collect() }
    }
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The stable code; [`crate::codes::ALL`] explains each.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence, no full stop, no line number.
    pub message: String,
    /// The place to point at.
    pub span: Span,
    /// Further places.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// The same as a change to the text, where there is no doubt about it.
    pub fix: Option<Fix>,
    /// A comment of the kickstart allows it, though it is an error: `check` says nothing of it, and
    /// an installation goes no further all the same.
    pub allowed: bool,
}

impl Diagnostic {
    /// A finding of the given kind; its severity is that of the code.
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: code.id,
            severity: code.severity,
            message: shortened(message.into()),
            span,
            labels: Vec::new(),
            help: None,
            fix: None,
            allowed: false,
        }
    }

    /// Add what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(shortened(help.into()));
        self
    }

    /// Add what a machine may do about it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Diagnostic {
        self.fix = Some(fix);
        self
    }

    /// Let a machine write `name` where this points, if there is one.
    #[must_use]
    pub(crate) fn fix_if(self, name: Option<&str>) -> Diagnostic {
        match name {
            Some(name) => {
                let fix = Fix::did_you_mean(self.span, name);
                self.fix(fix)
            }
            None => self,
        }
    }

    /// Add a further place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Whether the kickstart cannot be used with this.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The flat form, in lines and columns.
    pub fn resolve(&self, sources: &Sources) -> ResolvedDiagnostic {
        let at = sources.locate(self.span);
        ResolvedDiagnostic {
            code: self.code,
            severity: self.severity,
            message: self.message.clone(),
            path: at.path,
            line: at.line,
            column: at.column,
            end_line: at.end_line,
            end_column: at.end_column,
            help: self.help.clone(),
            fix: self.fix.as_ref().map(|fix| fix.resolve(sources)),
        }
    }
}

/// A message with no more of a very long text in it than shows which one it is.
fn shortened(message: String) -> String {
    if message.len() <= MAX_MESSAGE {
        return message;
    }
    let head = message.floor_char_boundary(MAX_MESSAGE / 2);
    let tail = message.ceil_char_boundary(message.len() - MAX_MESSAGE / 4);
    format!("{}…{}", &message[..head], &message[tail..])
}

/// A [`Diagnostic`] in lines and columns; the form that is serialised.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct ResolvedDiagnostic {
    /// The stable code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// The file, which may be an included one.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line of the end.
    pub end_line: usize,
    /// The column after the end.
    pub end_column: usize,
    /// What to do about it.
    pub help: Option<String>,
    /// The same as a change to the text.
    pub fix: Option<ResolvedFix>,
}

/// A [`Fix`] in lines and columns.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ResolvedFix {
    /// What it does, in a few words.
    pub description: String,
    /// All of its edits.
    pub edits: Vec<ResolvedEdit>,
}

/// One edit of a [`ResolvedFix`].
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ResolvedEdit {
    /// The file.
    pub path: String,
    /// The line of the first character that goes.
    pub line: usize,
    /// Its column in characters.
    pub column: usize,
    /// The line of the end.
    pub end_line: usize,
    /// The column after the last character that goes.
    pub end_column: usize,
    /// What comes instead.
    pub replacement: String,
}

impl ResolvedDiagnostic {
    /// A finding about a file as a whole, for callers who could not read it.
    pub fn of_file(code: &'static Code, path: &str, message: &str) -> ResolvedDiagnostic {
        ResolvedDiagnostic {
            code: code.id,
            severity: code.severity,
            message: message.to_owned(),
            path: path.to_owned(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            help: None,
            fix: None,
        }
    }
}

impl fmt::Display for ResolvedDiagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}[{}]: {}", self.path, self.line, self.column, self.severity, self.code, self.message)
    }
}

//! `%include`: what may be included, how much of it, and what becomes of
//! files that are not there.

use std::sync::Arc;

use super::{Reader, join};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::{DeferredInclude, Section, Statement, Word};
use crate::loader::{IncludeRequest, LoadError, Loaded};
use crate::span::{SourceId, Span};

/// Nested includes; more is a mistake, and recursion has to end somewhere.
const MAX_DEPTH: usize = 32;
/// All includes of one parse: two files that include each other's children
/// twice would otherwise double with every level.
const MAX_INCLUDES: usize = 1000;
/// All text of one parse.
const MAX_BYTES: usize = 256 << 20;

impl Reader<'_> {
    pub(super) fn add_source(&mut self, path: String, text: &str, from: Option<Span>) -> Option<SourceId> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MAX_BYTES {
            let source = self.sources.add(path, Arc::from(""), from);
            let at = from.unwrap_or(Span::new(source, 0, 0));
            self.diagnostics.push(Diagnostic::new(&codes::TOO_LARGE, at, "there is too much text for a kickstart"));
            return None;
        }
        Some(self.sources.add(path, Arc::from(text), from))
    }

    pub(super) fn include(&mut self, content: &str, span: Span, within: Option<&mut Section>) {
        let words = match self.words(content, span) {
            Ok(words) => words,
            Err(error) => return self.report_lex_error(error, content, span),
        };
        let Some(file) = words.get(1).filter(|w| !w.value.is_empty()) else {
            self.diagnostics.push(Diagnostic::new(
                &codes::INCLUDE_WITHOUT_FILE,
                join(&words, span),
                "`%include` needs the name of a file",
            ));
            return;
        };
        if self.stack.len() >= MAX_DEPTH || self.includes >= MAX_INCLUDES {
            // Said once: every include after the first one too many is the same.
            if !std::mem::replace(&mut self.said_too_many, true) {
                self.diagnostics.push(Diagnostic::new(
                    &codes::TOO_MANY_INCLUDES,
                    file.span,
                    "there are too many includes",
                ));
            }
            return;
        }
        self.includes += 1;
        match self.load(&file.value) {
            Err(error) => {
                let message = format!("`{}` cannot be included: {}", file.value, error.message);
                let mut diagnostic = Diagnostic::new(&codes::INCLUDE_FAILED, file.span, message);
                diagnostic.help = error.help;
                self.failed_include(file, diagnostic);
            }
            Ok(loaded) if self.stack.contains(&loaded.path) => {
                let message = format!("`{}` includes itself", loaded.path);
                self.diagnostics.push(Diagnostic::new(&codes::INCLUDE_CYCLE, file.span, message));
            }
            Ok(loaded) => {
                let path = loaded.path.clone();
                if let Some(source) = self.add_source(loaded.path, &loaded.text, Some(file.span)) {
                    self.stack.push(path);
                    self.read_file(source, within);
                    self.stack.pop();
                }
            }
        }
    }

    fn load(&self, name: &str) -> Result<Loaded, LoadError> {
        let from = self.stack.last().map_or("", String::as_str);
        match self.options.loader {
            Some(loader) => loader.load(IncludeRequest { name, from }),
            None => Err(LoadError { message: "includes are not followed here".to_owned(), help: None }),
        }
    }

    fn failed_include(&mut self, file: &Word, diagnostic: Diagnostic) {
        let include = DeferredInclude { path: file.value.clone(), span: file.span };
        self.failed.push((include, diagnostic));
    }

    /// A file that a `%pre` script names is most likely written by it.
    pub(super) fn judge_failed_includes(&mut self) {
        for (include, diagnostic) in std::mem::take(&mut self.failed) {
            let made_by_script = self.document.statements.iter().any(|s| match s {
                Statement::Section(s) => {
                    s.words.first().is_some_and(|w| w.value == "%pre") && s.body.contains(&include.path)
                }
                Statement::Command(_) => false,
            });
            if made_by_script {
                let message = format!("`{}` is made by %pre and not checked yet", include.path);
                self.diagnostics.push(Diagnostic::new(&codes::INCLUDE_DEFERRED, include.span, message));
            } else {
                self.diagnostics.push(diagnostic);
            }
            self.document.deferred.push(include);
        }
    }
}

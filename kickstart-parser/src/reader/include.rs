//! `%include`: what may be included, how much is read in all, and what
//! becomes of files that are not there.

use std::sync::Arc;

use super::{Reader, join};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::{DeferredInclude, Section, Statement, Word};
use crate::limits::{MAX_BYTES, MAX_DEPTH, MAX_INCLUDES, MAX_LINES, MAX_SEARCHED, MAX_WORDS};
use crate::loader::{IncludeRequest, LoadError, Loaded};
use crate::span::{SourceId, Span};
use crate::templates;

impl Reader<'_> {
    /// Count a line that is about to be read.
    pub(super) fn count(&mut self, line: Span) {
        self.lines += 1;
        let most = match (self.lines > MAX_LINES, self.words > MAX_WORDS) {
            _ if self.full => return,
            (true, _) => format!("{MAX_LINES} lines"),
            (_, true) => format!("{MAX_WORDS} words"),
            (false, false) => return,
        };
        self.full = true;
        let start = Span { end: line.start, ..line };
        self.diagnostics.push(Diagnostic::new(&codes::TOO_LARGE, start, format!("there are more than {most}")));
    }

    /// Keep of what was found on a line what is not one too many of its kind.
    pub(super) fn cut_off(&mut self, before: usize) {
        self.tally.cut_off(&mut self.diagnostics, before);
    }

    pub(super) fn add_source(&mut self, path: String, text: &str, from: Option<Span>) -> Option<SourceId> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MAX_BYTES {
            let source = self.sources.add(path, Arc::from(""), from);
            let at = from.unwrap_or(Span::new(source, 0, 0));
            let message = format!("there are more than {} MiB of text", MAX_BYTES >> 20);
            self.diagnostics.push(Diagnostic::new(&codes::TOO_LARGE, at, message));
            self.full = true;
            return None;
        }
        Some(self.sources.add(path, Arc::from(text), from))
    }

    pub(super) fn include(&mut self, content: &str, span: Span, within: Option<&mut Section>) {
        let words = match &within {
            Some(_) => self.words_of_section(content, span),
            None => self.words(content, span),
        };
        let words = match words {
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
        if !self.may_read_another(file) {
            return;
        }
        match self.load(&file.value) {
            Err(_) if templates::find(&file.value).is_some() => self.diagnostics.push(templates::report(file.span)),
            Err(error) => {
                let message = format!("`{}` cannot be included: {}", file.value, error.message);
                let mut diagnostic = Diagnostic::new(&codes::INCLUDE_FAILED, file.span, message);
                diagnostic.help = error.help;
                self.failed_include(file, diagnostic);
            }
            Ok(loaded) if self.stack.contains(&loaded.path) => self.report_cycle(&loaded.path, file),
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

    /// Count a file that is about to be read, if it is not one too many.
    pub(super) fn may_read_another(&mut self, file: &Word) -> bool {
        let deep = self.stack.len() >= MAX_DEPTH;
        if !deep && self.includes < MAX_INCLUDES {
            self.includes += 1;
            return true;
        }
        // Said once: every include after the first one too many is the same.
        if !std::mem::replace(&mut self.said_too_many, true) {
            let message = match deep {
                true => format!("includes are nested more than {MAX_DEPTH} deep"),
                false => format!("there are more than {MAX_INCLUDES} includes"),
            };
            let diagnostic = Diagnostic::new(&codes::TOO_MANY_INCLUDES, file.span, message);
            self.diagnostics.push(match deep {
                true => diagnostic.help("does a file include itself under several names?"),
                false => diagnostic,
            });
        }
        false
    }

    fn report_cycle(&mut self, path: &str, file: &Word) {
        let message = format!("`{path}` includes itself");
        let mut diagnostic = Diagnostic::new(&codes::INCLUDE_CYCLE, file.span, message);
        // The way round, from the file itself to the line that closes the circle.
        let mut at = Some(file.span.source);
        while let Some(source) = at.and_then(|id| self.sources.get(id)) {
            if source.path() == path {
                break;
            }
            let from = source.included_from();
            if let Some(from) = from {
                diagnostic = diagnostic.label(from, format!("`{}` is included here", source.path()));
            }
            at = from.map(|from| from.source);
        }
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn load(&self, name: &str) -> Result<Loaded, LoadError> {
        let from = self.stack.last().map_or("", String::as_str);
        match self.options.loader {
            Some(loader) => loader.load(IncludeRequest { name, from }),
            None => Err(LoadError { message: "includes are not followed here".to_owned(), help: None }),
        }
    }

    fn failed_include(&mut self, file: &Word, diagnostic: Diagnostic) {
        let include = DeferredInclude { path: file.value.to_string(), span: file.span };
        self.failed.push((include, diagnostic));
    }

    /// A file that a `%pre` script names is most likely written by it.
    pub(super) fn judge_failed_includes(&mut self) {
        for (include, diagnostic) in std::mem::take(&mut self.failed) {
            let path = &include.path;
            let scripts = || {
                self.document.statements.iter().filter_map(|statement| match statement {
                    Statement::Section(s) if s.words.first().is_some_and(|w| w.value == "%pre") => Some(s),
                    _ => None,
                })
            };
            let later = if scripts().any(|script| searched(&script.body).contains(path)) {
                Some(format!("`{path}` is made by %pre and not checked yet"))
            } else if path.contains("://") {
                None
            } else if scripts().next().is_some() {
                // Names are put together, and files fetched, in more ways than can be told.
                Some(format!("`{path}` is not there; %pre may make it, so it is not checked yet"))
            } else if OF_THE_MEDIUM.iter().any(|folder| path.starts_with(folder)) {
                Some(format!("`{path}` is part of an installation medium, so it is not checked here"))
            } else {
                None
            };
            self.diagnostics.push(match later {
                Some(message) => Diagnostic::new(&codes::INCLUDE_DEFERRED, include.span, message),
                None => diagnostic,
            });
            self.document.deferred.push(include);
        }
    }
}

/// Where the files of Anaconda's own media are, while it runs.
const OF_THE_MEDIUM: &[&str] = &["/run/install/", "/usr/share/anaconda/", "/mnt/install/", "/mnt/source/"];

/// The part of a script that is searched for names: there may be many of them.
fn searched(script: &str) -> &str {
    script.get(..script.floor_char_boundary(MAX_SEARCHED)).unwrap_or(script)
}

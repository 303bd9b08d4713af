//! Lines to statements: comments, sections, includes.
//!
//! The reader knows which words begin a section, and nothing about commands
//! beyond the question whether a word is one. Everything it cannot read
//! becomes a diagnostic and a [`LineKind::Broken`] line, and it goes on.

use std::sync::Arc;

use crate::ParseOptions;
use crate::codes;
use crate::commands;
use crate::diagnostic::Diagnostic;
use crate::document::{
    CommandLine, DeferredInclude, Document, File, Line, LineKind, Section, Statement, Word,
};
use crate::lex::{self, LexError, RawLine};
use crate::loader::IncludeRequest;
use crate::sections;
use crate::span::{SourceId, Sources, Span};

/// Nested includes; more is a mistake, and recursion has to end somewhere.
const MAX_DEPTH: usize = 32;
/// All includes of one parse: two files that include each other's children
/// twice would otherwise double with every level.
const MAX_INCLUDES: usize = 1000;
/// All text of one parse.
const MAX_BYTES: usize = 256 << 20;

pub(crate) struct Reader<'a> {
    options: &'a ParseOptions<'a>,
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
    pub document: Document,
    /// The paths of the files being read, outermost first.
    stack: Vec<String>,
    includes: usize,
    said_too_many: bool,
    bytes: usize,
    /// Includes that failed, to be judged when all scripts are known.
    failed: Vec<(DeferredInclude, Diagnostic)>,
}

/// A section whose `%end` has not come yet.
struct Open {
    section: Section,
}

impl<'a> Reader<'a> {
    pub fn new(options: &'a ParseOptions<'a>) -> Reader<'a> {
        Reader {
            options,
            sources: Sources::default(),
            diagnostics: Vec::new(),
            document: Document::default(),
            stack: Vec::new(),
            includes: 0,
            said_too_many: false,
            bytes: 0,
            failed: Vec::new(),
        }
    }

    /// Read the kickstart itself and everything that it includes.
    pub fn read(&mut self, text: &str, path: &str) {
        let Some(source) = self.add_source(path.to_owned(), text, None) else {
            return;
        };
        self.stack.push(path.to_owned());
        self.read_file(source, None);
        self.judge_failed_includes();
    }

    fn add_source(&mut self, path: String, text: &str, from: Option<Span>) -> Option<SourceId> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MAX_BYTES {
            let source = self.sources.add(path, Arc::from(""), from);
            let at = from.unwrap_or(Span::new(source, 0, 0));
            self.diagnostics.push(Diagnostic::new(
                &codes::TOO_LARGE,
                at,
                "there is too much text for a kickstart",
            ));
            return None;
        }
        Some(self.sources.add(path, Arc::from(text), from))
    }

    /// Read one file; `within` is the section that includes it, if one does.
    fn read_file(&mut self, source: SourceId, mut within: Option<&mut Open>) {
        let text = self.sources.text(source);
        let slot = self.document.files.len();
        self.document.files.push(File {
            source,
            lines: Vec::new(),
        });
        let mut lines = Vec::new();
        let mut open: Option<Open> = None;
        let mut continues = false;
        for raw in lex::lines(&text) {
            let span = Span::new(source, raw.start, raw.content_end);
            let terminator = Span::new(source, raw.content_end, raw.end);
            let content = text.get(span.range()).unwrap_or("");
            let kind = match (&mut open, within.as_deref_mut()) {
                (Some(section), _) => {
                    let kind = self.body_line(section, content, &raw, span, true);
                    if kind != LineKind::Body && kind != LineKind::Include {
                        self.close(&mut open, kind, content, span)
                    } else {
                        kind
                    }
                }
                (None, Some(outer)) => self.body_line(outer, content, &raw, span, false),
                (None, None) => {
                    let was = continues;
                    self.command_line(content, &raw, span, &mut open, &mut continues, was)
                }
            };
            lines.push(Line {
                kind,
                span,
                terminator,
            });
        }
        if let Some(open) = open {
            self.report_unfinished(&open, None);
            self.document
                .statements
                .push(Statement::Section(open.section));
        }
        if let Some(file) = self.document.files.get_mut(slot) {
            file.lines = lines;
        }
    }

    /// The open section ends at this line, well or not.
    fn close(
        &mut self,
        open: &mut Option<Open>,
        kind: LineKind,
        content: &str,
        span: Span,
    ) -> LineKind {
        let Some(mut done) = open.take() else {
            return kind;
        };
        if kind == LineKind::SectionEnd {
            done.section.end = Some(span);
        } else {
            self.report_unfinished(&done, Some(span));
        }
        self.document
            .statements
            .push(Statement::Section(done.section));
        if kind == LineKind::SectionStart
            && let Ok(words) = self.words(content, span)
        {
            *open = Some(start(words, span));
        }
        kind
    }

    fn report_unfinished(&mut self, open: &Open, at: Option<Span>) {
        let name = open.section.words.first().map_or("", |w| w.value.as_str());
        let message = match at {
            Some(_) => format!("`{name}` is still open where this section begins"),
            None => format!("`{name}` does not end with `%end`"),
        };
        let mut diagnostic = Diagnostic::new(
            &codes::UNFINISHED_SECTION,
            at.unwrap_or(open.section.span),
            message,
        )
        .help("put a line `%end` after the last line of the section");
        if at.is_some() {
            diagnostic = diagnostic.label(open.section.span, "the open section begins here");
        }
        self.diagnostics.push(diagnostic);
    }

    /// A line inside a section; the file that ends it must be the one that began it.
    fn body_line(
        &mut self,
        open: &mut Open,
        content: &str,
        raw: &RawLine,
        span: Span,
        own: bool,
    ) -> LineKind {
        let trimmed = content.trim_start();
        if trimmed.starts_with('%') {
            let first = trimmed.split_whitespace().next().unwrap_or("");
            if first == "%include" {
                self.include(content, span, Some(open));
                return LineKind::Include;
            }
            let ends = first == "%end";
            if ends || sections::is_known(first) {
                if own {
                    return if ends {
                        LineKind::SectionEnd
                    } else {
                        LineKind::SectionStart
                    };
                }
                self.foreign_section_line(open, first, span);
                return LineKind::Broken;
            }
        }
        let whole = Span::new(span.source, raw.start, raw.end);
        open.section.body.push_str(self.slice(whole).as_ref());
        match open.section.body_spans.last_mut() {
            Some(last) if last.source == whole.source && last.end == whole.start => {
                *last = last.to(whole);
            }
            _ => open.section.body_spans.push(whole),
        }
        LineKind::Body
    }

    fn slice(&self, span: Span) -> String {
        self.sources.slice(span).to_owned()
    }

    fn foreign_section_line(&mut self, open: &Open, first: &str, span: Span) {
        let code = if first == "%end" {
            &codes::STRAY_END
        } else {
            &codes::UNFINISHED_SECTION
        };
        self.diagnostics.push(
            Diagnostic::new(
                code,
                span,
                format!("`{first}` in a file that is included inside a section"),
            )
            .label(open.section.span, "the section begins here")
            .help("a section begins and ends in the same file"),
        );
    }

    /// A line outside of any section.
    fn command_line(
        &mut self,
        content: &str,
        raw: &RawLine,
        span: Span,
        open: &mut Option<Open>,
        continues: &mut bool,
        was_continued: bool,
    ) -> LineKind {
        *continues = false;
        let trimmed = content.trim();
        if trimmed.is_empty() {
            return LineKind::Blank;
        }
        if trimmed.starts_with('#') {
            self.note_unusual(raw, span);
            return LineKind::Comment;
        }
        let mut span = span;
        let mut content = content;
        if span.start == 0 && content.starts_with('\u{feff}') {
            self.diagnostics.push(
                Diagnostic::new(
                    &codes::BYTE_ORDER_MARK,
                    Span { end: 3, ..span },
                    "the file begins with a byte order mark",
                )
                .help("save the file as UTF-8 without one"),
            );
            content = &content[3..];
            span.start = 3;
            if content.trim().is_empty() || content.trim_start().starts_with('#') {
                return LineKind::Comment;
            }
        }
        if was_continued && looks_continued(trimmed) {
            *continues = trimmed.ends_with('\\');
            return LineKind::Broken;
        }
        self.note_unusual(raw, span);
        let words = match self.words(content, span) {
            Ok(words) => words,
            Err(error) => {
                self.report_lex_error(error, span);
                let LexError::TrailingBackslash(offset) = error else {
                    return LineKind::Broken;
                };
                // The line without the backslash is still worth a look.
                *continues = true;
                let Ok(words) = self.words(&content[..offset], span) else {
                    return LineKind::Broken;
                };
                words
            }
        };
        self.statement(words, content, span, open)
    }

    fn statement(
        &mut self,
        words: Vec<Word>,
        content: &str,
        span: Span,
        open: &mut Option<Open>,
    ) -> LineKind {
        let Some(first) = words.first() else {
            return LineKind::Comment;
        };
        let name = first.value.as_str();
        match name {
            "" => self.diagnostics.push(Diagnostic::new(
                &codes::EMPTY_COMMAND,
                first.span,
                "the command is an empty word",
            )),
            "%include" => {
                self.include(content, span, None);
                return LineKind::Include;
            }
            "%end" => self.diagnostics.push(
                Diagnostic::new(&codes::STRAY_END, first.span, "`%end` ends no section")
                    .help("does a script above print a line `%end`? It ends the script there"),
            ),
            _ if name.starts_with("%ksappend") => self.diagnostics.push(
                Diagnostic::new(
                    &codes::UNSUPPORTED_KSAPPEND,
                    first.span,
                    "`%ksappend` is not supported",
                )
                .help("use `%include`"),
            ),
            _ if name.starts_with('%') => {
                if sections::is_known(name) {
                    *open = Some(start(words, span));
                    return LineKind::SectionStart;
                }
                let mut diagnostic = Diagnostic::new(
                    &codes::UNKNOWN_SECTION,
                    first.span,
                    format!("there is no section `{name}`"),
                );
                if let Some(close) = crate::args::value::closest(name, sections::names()) {
                    diagnostic = diagnostic.help(format!("did you mean `{close}`?"));
                }
                self.diagnostics.push(diagnostic);
                // Its body is no list of commands.
                *open = Some(start(words, span));
                return LineKind::SectionStart;
            }
            _ => {
                let span = join(&words, span);
                self.document
                    .statements
                    .push(Statement::Command(CommandLine { span, words }));
                return LineKind::Command;
            }
        }
        LineKind::Broken
    }

    fn words(&self, content: &str, span: Span) -> Result<Vec<Word>, LexError> {
        Ok(lex::words(content)?
            .into_iter()
            .map(|w| Word::new(w, span.source, span.start as usize))
            .collect())
    }

    fn report_lex_error(&mut self, error: LexError, span: Span) {
        let at = |offset: usize| {
            let start = span.start as usize + offset;
            Span::new(span.source, start, start + 1)
        };
        self.diagnostics.push(match error {
            LexError::Unclosed(offset) => Diagnostic::new(
                &codes::UNCLOSED_QUOTE,
                at(offset),
                "this quote is not closed on its line",
            ),
            LexError::TrailingBackslash(offset) => Diagnostic::new(
                &codes::LINE_CONTINUATION,
                at(offset),
                "a kickstart command does not continue on the next line",
            )
            .help("write the whole command on one line"),
        });
    }

    fn note_unusual(&mut self, raw: &RawLine, span: Span) {
        if raw.unusual {
            self.diagnostics.push(Diagnostic::new(
                &codes::UNUSUAL_LINE_END,
                Span::new(span.source, raw.content_end, raw.end),
                "an invisible character ends the line here",
            ));
        }
    }

    fn include(&mut self, content: &str, span: Span, within: Option<&mut Open>) {
        let words = match self.words(content, span) {
            Ok(words) => words,
            Err(error) => return self.report_lex_error(error, span),
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
        let Some(loader) = self.options.loader else {
            let diagnostic = Diagnostic::new(
                &codes::INCLUDE_FAILED,
                file.span,
                format!(
                    "`{}` is not read: includes are not followed here",
                    file.value
                ),
            );
            return self.failed_include(file, diagnostic);
        };
        let from = self.stack.last().map_or("", String::as_str);
        match loader.load(IncludeRequest {
            name: &file.value,
            from,
        }) {
            Err(error) => {
                let message = format!("`{}` cannot be included: {}", file.value, error.message);
                let mut diagnostic = Diagnostic::new(&codes::INCLUDE_FAILED, file.span, message);
                diagnostic.help = error.help;
                self.failed_include(file, diagnostic);
            }
            Ok(loaded) if self.stack.contains(&loaded.path) => {
                let message = format!("`{}` includes itself", loaded.path);
                self.diagnostics
                    .push(Diagnostic::new(&codes::INCLUDE_CYCLE, file.span, message));
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

    fn failed_include(&mut self, file: &Word, diagnostic: Diagnostic) {
        let include = DeferredInclude {
            path: file.value.clone(),
            span: file.span,
        };
        self.failed.push((include, diagnostic));
    }

    /// A file that a `%pre` script names is most likely written by it.
    fn judge_failed_includes(&mut self) {
        for (include, diagnostic) in std::mem::take(&mut self.failed) {
            let made_by_script = self.document.statements.iter().any(|s| match s {
                Statement::Section(s) => {
                    s.words.first().is_some_and(|w| w.value == "%pre")
                        && s.body.contains(&include.path)
                }
                Statement::Command(_) => false,
            });
            if made_by_script {
                let message = format!("`{}` is made by %pre and not checked yet", include.path);
                self.diagnostics.push(Diagnostic::new(
                    &codes::INCLUDE_DEFERRED,
                    include.span,
                    message,
                ));
            } else {
                self.diagnostics.push(diagnostic);
            }
            self.document.deferred.push(include);
        }
    }
}

fn start(words: Vec<Word>, span: Span) -> Open {
    Open {
        section: Section {
            span: join(&words, span),
            words,
            body: String::new(),
            body_spans: Vec::new(),
            end: None,
        },
    }
}

/// From the first to the last word.
fn join(words: &[Word], line: Span) -> Span {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => line,
    }
}

/// Whether a line after a trailing backslash is meant as the rest of the
/// command before it, so that it is not reported a second time.
fn looks_continued(trimmed: &str) -> bool {
    let first = trimmed.split_whitespace().next().unwrap_or("");
    !first.starts_with('%') && !commands::is_known(first)
}

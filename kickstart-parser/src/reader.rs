//! Lines to statements: comments, sections, includes.
//!
//! The reader knows which words begin a section, and nothing about commands
//! beyond the question whether a word is one. Everything it cannot read
//! becomes a diagnostic and a [`LineKind::Broken`] line, and it goes on.

mod append;
mod include;

use crate::args::guess;
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::document::{CommandLine, DeferredInclude, Document, File, Line, LineKind, Section, Statement, Word};
use crate::fixes;
use crate::lex::{self, LexError, RawLine, RawWord};
use crate::limits::{MAX_LINE, Tally};
use crate::options::ParseOptions;
use crate::secret;
use crate::sections;
use crate::span::{SourceId, Sources, Span};
use crate::templates;

pub(crate) struct Reader<'a> {
    options: &'a ParseOptions<'a>,
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
    pub document: Document,
    /// Lines that are broken, but look as if they held a password.
    pub secrets: Vec<Span>,
    /// The line that is being continued may hold a password.
    hides: bool,
    /// The paths of the files being read, outermost first.
    stack: Vec<String>,
    includes: usize,
    said_too_many: bool,
    bytes: usize,
    lines: usize,
    words: usize,
    /// The words of the line that is being read, so that each line gets no more room than it needs.
    raw_words: Vec<RawWord>,
    /// There was too much; nothing more is read.
    full: bool,
    tally: Tally,
    /// What the last `#platform=` says.
    pub platform: Option<String>,
    /// Includes that failed, to be judged when all scripts are known.
    failed: Vec<(DeferredInclude, Diagnostic)>,
}

/// Where the reading of a file stands.
#[derive(Default)]
struct State<'s> {
    /// The section that includes the file.
    within: Option<&'s mut Section>,
    /// The section that the file has opened.
    open: Option<Section>,
    /// The line before ended in a backslash.
    continues: bool,
    /// Where it was, if blanks follow it: it is the blank then that the backslash escapes.
    before_blank: Option<Span>,
    /// Of a file that a section includes: there was a line that is part of it.
    begun: bool,
}

impl<'a> Reader<'a> {
    pub fn new(options: &'a ParseOptions<'a>) -> Reader<'a> {
        Reader {
            options,
            sources: Sources::default(),
            diagnostics: Vec::new(),
            document: Document::default(),
            secrets: Vec::new(),
            hides: false,
            stack: Vec::new(),
            includes: 0,
            said_too_many: false,
            bytes: 0,
            lines: 0,
            words: 0,
            raw_words: Vec::new(),
            full: false,
            tally: Tally::default(),
            platform: None,
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
        let tally = std::mem::take(&mut self.tally);
        self.diagnostics.extend(tally.rest());
    }

    /// Read one file; `within` is the section that includes it, if one does.
    fn read_file(&mut self, source: SourceId, within: Option<&mut Section>) {
        let mut state = State { within, ..State::default() };
        self.read_lines(source, &mut state, false);
        if let Some(open) = state.open {
            if !self.full {
                self.report_unfinished(&open, None);
            }
            self.document.statements.push(Statement::Section(open));
        }
    }

    /// Read the lines of a file, or of a text that is `pasted` into one.
    fn read_lines(&mut self, source: SourceId, state: &mut State<'_>, pasted: bool) {
        let text = self.sources.text(source);
        self.report_nul(source, &text);
        let slot = self.document.files.len();
        self.document.files.push(File { source, lines: Vec::new() });
        let pastes = source == SourceId::ROOT;
        let mut lines = Vec::new();
        for raw in lex::lines(&text) {
            let span = Span::new(source, raw.start, raw.content_end);
            let terminator = Span::new(source, raw.content_end, raw.end);
            self.count(span);
            if self.full {
                // The rest as one line: no byte is lost.
                let end = text.len();
                let (span, terminator) = (Span::new(source, raw.start, end), Span::new(source, end, end));
                lines.push(Line { kind: LineKind::Broken, span, terminator });
                break;
            }
            let before = self.diagnostics.len();
            let content = text.get(span.range()).unwrap_or("");
            let appends = content.trim_start().starts_with("%ksappend");
            if appends && pastes && self.ksappend(content, span, state) {
                lines.push(Line { kind: LineKind::Include, span, terminator });
                self.cut_off(before);
                continue;
            }
            let kind = match (&mut state.open, state.within.as_deref_mut()) {
                (Some(section), _) => {
                    let kind = self.body_line(section, content, &raw, span, true);
                    if kind != LineKind::Body && kind != LineKind::Include {
                        self.close(&mut state.open, kind, content, span)
                    } else {
                        kind
                    }
                }
                // The installer has always left these out.
                (None, Some(_)) if !state.begun && is_filler(content) => LineKind::Body,
                (None, Some(outer)) => {
                    let kind = self.body_line(outer, content, &raw, span, false);
                    state.begun |= kind == LineKind::Body;
                    kind
                }
                (None, None) if appends => self.ignored_ksappend(span, pasted),
                (None, None) => self.command_line(content, &raw, span, state),
            };
            lines.push(Line { kind, span, terminator });
            self.cut_off(before);
        }
        if let Some(file) = self.document.files.get_mut(slot) {
            file.lines = lines;
        }
    }

    fn report_nul(&mut self, source: SourceId, text: &str) {
        if let Some(at) = text.find('\0') {
            let message = "there is a NUL byte in the text";
            self.diagnostics.push(
                Diagnostic::new(&codes::NUL_BYTE, Span::new(source, at, at + 1), message)
                    .help("is the file damaged, or saved as UTF-16?"),
            );
        }
    }

    /// The open section ends at this line, well or not.
    fn close(&mut self, open: &mut Option<Section>, kind: LineKind, content: &str, span: Span) -> LineKind {
        let Some(mut done) = open.take() else {
            return kind;
        };
        if kind == LineKind::SectionEnd {
            done.end = Some(span);
        } else {
            self.report_unfinished(&done, Some(span));
        }
        self.document.statements.push(Statement::Section(done));
        if kind == LineKind::SectionStart
            && let Ok(words) = self.words(content, span)
        {
            *open = Some(start(words, span));
        }
        kind
    }

    fn report_unfinished(&mut self, open: &Section, at: Option<Span>) {
        let name = open.words.first().map_or("", |w| w.value.as_str());
        let message = match at {
            Some(_) => format!("`{name}` is still open where this section begins"),
            None => format!("`{name}` does not end with `%end`"),
        };
        let mut diagnostic = Diagnostic::new(&codes::UNFINISHED_SECTION, at.unwrap_or(open.span), message);
        let place = at.unwrap_or_else(|| {
            let end = self.sources.text(open.span.source).len();
            Span::new(open.span.source, end, end)
        });
        diagnostic = match fixes::misspelt_end(open, &self.sources) {
            Some((there, certain)) => {
                diagnostic.fix = certain.then(|| Fix::did_you_mean(there, "%end"));
                diagnostic.label(there, "this does not end it").help("write `%end`, in small letters and as one word")
            }
            None => {
                diagnostic.fix = fixes::insert_end(open, place, &self.sources);
                diagnostic.help("put a line `%end` after the last line of the section")
            }
        };
        if at.is_some() {
            diagnostic = diagnostic.label(open.span, "the open section begins here");
        }
        self.diagnostics.push(diagnostic);
    }

    /// A line inside a section; the file that ends it must be the one that began it.
    fn body_line(&mut self, open: &mut Section, content: &str, raw: &RawLine, span: Span, own: bool) -> LineKind {
        // Other blanks do not separate words.
        let blank = [' ', '\t'];
        let trimmed = content.trim_start_matches(blank);
        if trimmed.starts_with('%') {
            let first = trimmed.split(blank).next().unwrap_or("");
            if first == "%include" {
                self.include(content, span, Some(open));
                return LineKind::Include;
            }
            let ends = first == "%end";
            if ends || sections::is_known(first) {
                if own {
                    // It is a line of words too, and has no comments.
                    let words = if ends { self.words_of_section(content, span) } else { Ok(Vec::new()) };
                    if let Err(error @ LexError::Unclosed(_)) = words {
                        self.report_lex_error(error, content, span);
                    }
                    return if ends { LineKind::SectionEnd } else { LineKind::SectionStart };
                }
                self.foreign_section_line(open, first, span);
                return LineKind::Broken;
            }
        }
        let whole = Span::new(span.source, raw.start, raw.end);
        self.note_joined(open, whole);
        open.body.push_str(self.slice(whole).as_ref());
        match open.body_spans.last_mut() {
            Some(last) if last.source == whole.source && last.end == whole.start => {
                *last = last.to(whole);
            }
            _ => open.body_spans.push(whole),
        }
        LineKind::Body
    }

    /// The text before may come from another file, and end in the middle of a line.
    fn note_joined(&mut self, open: &Section, next: Span) {
        let Some(before) = open.body_spans.last().filter(|before| before.source != next.source) else {
            return;
        };
        let whole_lines = open.body.is_empty() || open.body.ends_with(lex::is_break);
        let by_lines = ["%packages", "%addon", "%anaconda"].contains(&open.words.first().map_or("", |w| &w.value));
        if !whole_lines && !by_lines {
            let end = Span { start: before.end, ..*before };
            self.diagnostics.push(no_line_end(end).label(next, "this line is appended to it"));
        }
    }

    fn slice(&self, span: Span) -> String {
        self.sources.slice(span).to_owned()
    }

    fn foreign_section_line(&mut self, open: &Section, first: &str, span: Span) {
        let code = if first == "%end" { &codes::STRAY_END } else { &codes::UNFINISHED_SECTION };
        self.diagnostics.push(
            Diagnostic::new(code, span, format!("`{first}` in a file that is included inside a section"))
                .label(open.span, "the section begins here")
                .help("a section begins and ends in the same file"),
        );
    }

    /// A line outside of any section.
    fn command_line(&mut self, content: &str, raw: &RawLine, span: Span, state: &mut State<'_>) -> LineKind {
        let was_continued = std::mem::take(&mut state.continues);
        let trimmed = content.trim();
        if trimmed.is_empty() {
            state.continues = was_continued;
            return LineKind::Blank;
        }
        if trimmed.starts_with('#') {
            state.continues = was_continued;
            self.note_unusual(raw, span);
            if let Some(platform) = content.strip_prefix("#platform=").map(str::trim) {
                self.platform = Some(platform.to_owned()).filter(|p| !p.is_empty());
            }
            return LineKind::Comment;
        }
        // It has been reported; what the line means is unknown.
        if content.contains('\0') {
            return LineKind::Broken;
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
                .help("save the file as UTF-8 without one")
                .fix(Fix::replace("remove the byte order mark", Span { end: 3, ..span }, "")),
            );
            content = &content[3..];
            span.start = 3;
            if content.trim().is_empty() || content.trim_start().starts_with('#') {
                return LineKind::Comment;
            }
        }
        let before_blank = state.before_blank.take();
        if was_continued && fixes::looks_continued(trimmed) {
            self.diagnostics.extend(before_blank.map(fixes::continuation));
            state.continues = trimmed.ends_with('\\');
            self.hides |= secret::may_have_password(content);
            if self.hides {
                self.secrets.push(span);
            }
            return LineKind::Broken;
        }
        self.note_unusual(raw, span);
        let words = match self.words(content, span) {
            Ok(words) => words,
            Err(error) => {
                self.report_lex_error(error, content, span);
                state.continues = content.ends_with('\\');
                let LexError::TrailingBackslash(offset) = error else {
                    return LineKind::Broken;
                };
                // The line without the backslash is still worth a look.
                let Ok(words) = self.words(&content[..offset], span) else {
                    return LineKind::Broken;
                };
                words
            }
        };
        if trimmed.ends_with('\\') && secret::may_have_password(content) && !state.continues {
            let at = span.start as usize + content.trim_end().len();
            state.before_blank = Some(Span::new(span.source, at - 1, at));
            (state.continues, self.hides) = (true, true);
        }
        self.statement(words, content, span, &mut state.open)
    }

    fn statement(&mut self, words: Vec<Word>, content: &str, span: Span, open: &mut Option<Section>) -> LineKind {
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
            "%" if self.parted_mark(&words) => return self.parted(words, span, open),
            // Mako's control lines, and what is left of others.
            "%" | "%>" => self.diagnostics.push(templates::report(first.span)),
            _ if name.starts_with('%') => {
                if sections::is_known(name) {
                    *open = Some(start(words, span));
                    return LineKind::SectionStart;
                }
                let mut diagnostic =
                    Diagnostic::new(&codes::UNKNOWN_SECTION, first.span, format!("there is no section `{name}`"));
                let marks = || sections::names().chain(["%include", "%end"]);
                if let Some(close) = guess::closest(name, marks()) {
                    let certain = guess::certain(name, marks());
                    diagnostic = diagnostic.help(format!("did you mean `{close}`?")).fix_if(certain);
                }
                self.diagnostics.push(diagnostic);
                // Its body is no list of commands.
                *open = Some(start(words, span));
                return LineKind::SectionStart;
            }
            _ => {
                let span = join(&words, span);
                self.document.statements.push(Statement::Command(CommandLine { span, words }));
                return LineKind::Command;
            }
        }
        LineKind::Broken
    }

    /// Whether the line is a section's, or an include, with a blank behind the percent sign.
    fn parted_mark(&self, words: &[Word]) -> bool {
        words.get(1).is_some_and(|word| {
            let name = format!("%{}", word.value);
            ["%include", "%end"].contains(&name.as_str()) || sections::is_known(&name)
        })
    }

    fn parted(&mut self, mut words: Vec<Word>, span: Span, open: &mut Option<Section>) -> LineKind {
        let Some(mark) = words.get(1).cloned() else {
            return LineKind::Broken;
        };
        let name = format!("%{}", mark.value);
        let percent = words.remove(0);
        let at = percent.span.to(mark.span);
        self.diagnostics.push(
            Diagnostic::new(&codes::UNKNOWN_SECTION, at, format!("there is a blank in `{name}`"))
                .help(format!("write `{name}`"))
                .fix(Fix::did_you_mean(at, &name)),
        );
        if !sections::is_known(&name) {
            return LineKind::Broken;
        }
        if let Some(first) = words.first_mut() {
            first.value = name.into();
        }
        // Its body is no list of commands.
        *open = Some(start(words, span));
        LineKind::SectionStart
    }

    fn words(&mut self, content: &str, span: Span) -> Result<Vec<Word>, LexError> {
        if content.len() > MAX_LINE {
            return Err(LexError::TooLong);
        }
        self.raw_words.clear();
        lex::words_into(content, &mut self.raw_words)?;
        self.words += self.raw_words.len();
        Ok(self.raw_words.drain(..).map(|w| Word::new(w, span.source, span.start as usize)).collect())
    }

    /// The words of a line of a section that is not only text: there are no comments on it.
    fn words_of_section(&mut self, content: &str, span: Span) -> Result<Vec<Word>, LexError> {
        const STAND_IN: &str = "\u{1}";
        let mut words = self.words(&content.replace('#', STAND_IN), span)?;
        for word in words.iter_mut().filter(|word| word.value.contains(STAND_IN)) {
            word.value = word.value.replace(STAND_IN, "#").into();
        }
        Ok(words)
    }

    fn report_lex_error(&mut self, error: LexError, content: &str, span: Span) {
        // Where the password begins cannot be told without words.
        self.hides = secret::may_have_password(content);
        if self.hides {
            let command = content.trim_start().find([' ', '\t']).map_or(0, |blank| blank + 1);
            let indent = content.len() - content.trim_start().len();
            let start = span.start + (indent + command) as u32;
            self.secrets.push(Span { start, ..span });
        }
        let at = |offset: usize| {
            let start = span.start as usize + offset;
            Span::new(span.source, start, start + 1)
        };
        if let Some(mark) = templates::find(content) {
            let start = span.start as usize;
            let at = Span::new(span.source, start + mark.start, start + mark.end);
            return self.diagnostics.push(templates::report(at));
        }
        let quoted = matches!(error, LexError::Unclosed(_)) && content.ends_with('\\');
        self.diagnostics.push(match error {
            LexError::TooLong => {
                let message = format!("this line is longer than {} MiB", MAX_LINE >> 20);
                Diagnostic::new(&codes::TOO_LARGE, Span { end: span.start, ..span }, message)
            }
            LexError::Unclosed(_) if quoted => fixes::continuation(at(content.len() - 1)),
            LexError::Unclosed(offset) => {
                Diagnostic::new(&codes::UNCLOSED_QUOTE, at(offset), "this quote is not closed on its line")
            }
            LexError::TrailingBackslash(offset) => {
                let mut diagnostic = fixes::continuation(at(offset));
                let backslash = span.range().start + offset;
                diagnostic.fix = fixes::join_lines(&self.sources.text(span.source), span.source, backslash);
                diagnostic
            }
        });
    }

    fn note_unusual(&mut self, raw: &RawLine, span: Span) {
        if raw.unusual {
            let end = Span::new(span.source, raw.content_end, raw.end);
            self.diagnostics.push(
                Diagnostic::new(&codes::UNUSUAL_LINE_END, end, "an invisible character ends the line here")
                    .fix(Fix::replace("write an ordinary line end", end, "\n")),
            );
        }
    }
}

/// The last line of a text that goes on in another one.
fn no_line_end(end: Span) -> Diagnostic {
    Diagnostic::new(&codes::NO_LINE_END, end, "the last line of this text has no line end").help("add one")
}

fn start(words: Vec<Word>, span: Span) -> Section {
    Section { span: join(&words, span), words, body: String::new(), body_spans: Vec::new(), end: None }
}

/// What an included file may begin with and is not part of the section that includes it.
pub(crate) fn is_filler(content: &str) -> bool {
    let trimmed = content.trim();
    trimmed.is_empty() || trimmed.starts_with('#')
}

/// From the first to the last word.
fn join(words: &[Word], line: Span) -> Span {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => line,
    }
}

//! `%ksappend`: a text that is pasted into the kickstart before anything else is looked at.
//!
//! Other tools do that to the text, so that no line number is right afterwards. Here the lines
//! of the pasted text keep their own source and are read as if they stood in the place of the
//! line: a section may begin in one text and end in the other. It happens in the kickstart
//! itself only, inside sections too, and not in what is pasted.

use super::{Reader, State, no_line_end};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::{LineKind, Word};
use crate::lex;
use crate::loader::{LoadError, Loaded};
use crate::span::Span;

impl Reader<'_> {
    /// Paste what a line names. `false`: the line is only a line of the section that it is in.
    pub(super) fn ksappend(&mut self, content: &str, span: Span, state: &mut State<'_>) -> bool {
        let body = state.open.is_some();
        // No quotes here: the words are looked at before there are any rules for them.
        let file = second_word(content, span);
        let loaded = match &file {
            None => Err(LoadError { message: "it needs the name of a file or a URL".to_owned(), help: None }),
            Some(file) if self.may_read_another(file) => self.load(&file.value),
            Some(_) => return !body,
        };
        let at = file.map_or(span, |file| file.span);
        if body {
            self.diagnostics.push(self.in_body(span, &loaded));
        }
        match loaded {
            Ok(loaded) => {
                self.paste(loaded, at, body, state);
                true
            }
            Err(_) if body => false,
            Err(error) => {
                let message = format!("`%ksappend` cannot be followed: {}", error.message);
                let mut diagnostic = Diagnostic::new(&codes::KSAPPEND_FAILED, at, message);
                diagnostic.help = error.help;
                self.diagnostics.push(diagnostic);
                true
            }
        }
    }

    fn paste(&mut self, loaded: Loaded, at: Span, body: bool, state: &mut State<'_>) {
        let complete = loaded.text.is_empty() || loaded.text.ends_with(lex::is_break);
        let path = loaded.path.clone();
        let Some(source) = self.add_source(loaded.path, &loaded.text, Some(at)) else {
            return;
        };
        if !complete && !body {
            let end = Span::new(source, loaded.text.len(), loaded.text.len());
            self.diagnostics.push(no_line_end(end).label(at, "other tools append the line after this one to it"));
        }
        self.stack.push(path);
        self.read_lines(source, state, true);
        self.stack.pop();
    }

    fn in_body(&self, span: Span, loaded: &Result<Loaded, LoadError>) -> Diagnostic {
        let message = match loaded {
            Ok(_) => "a file is pasted into the section here".to_owned(),
            Err(error) => format!("`%ksappend` counts inside sections too: {}", error.message),
        };
        Diagnostic::new(&codes::KSAPPEND_IN_BODY, span, message)
    }

    /// A line that only the kickstart itself may have.
    pub(super) fn ignored_ksappend(&mut self, span: Span, pasted: bool) -> LineKind {
        let what = if pasted { "pasted by another one" } else { "included" };
        let message = format!("`%ksappend` is passed over in a file that is {what}");
        self.diagnostics.push(Diagnostic::new(&codes::KSAPPEND_IGNORED, span, message).help("use `%include`"));
        LineKind::Broken
    }
}

/// The word after the first one, blanks between them.
fn second_word(content: &str, span: Span) -> Option<Word> {
    let word = content.split_whitespace().nth(1)?;
    // Both are parts of the same text, so this is where the word begins.
    let start = word.as_ptr() as usize - content.as_ptr() as usize;
    let raw = lex::RawWord { value: word.into(), start, end: start + word.len(), linear: word.len() };
    Some(Word::new(raw, span.source, span.start as usize))
}

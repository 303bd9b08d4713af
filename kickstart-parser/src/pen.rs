//! The pen that command lines are written with, as pykickstart writes them.

use std::fmt::{Display, Write as _};

use crate::syntax::Syntax;

/// Writes command lines.
pub(crate) struct Pen {
    pub syntax: Syntax,
    out: String,
    trims: bool,
}

impl Pen {
    pub fn new(syntax: Syntax) -> Pen {
        Pen { syntax, out: String::new(), trims: false }
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.out
    }

    /// A line as it is.
    pub fn line(&mut self, text: &str) -> &mut Pen {
        self.out.push_str(text);
        self.out.push('\n');
        self
    }

    /// Begins a command line, or goes on with it: no blank comes before.
    pub fn text(&mut self, text: impl Display) -> &mut Pen {
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{text}");
        self
    }

    /// From now on, whether a value loses the blanks at its end when another word follows.
    pub fn trimming(&mut self, trims: bool) -> &mut Pen {
        self.trims = trims;
        self
    }

    /// A word behind a blank.
    pub fn word(&mut self, word: impl Display) -> &mut Pen {
        if self.trims {
            self.out.truncate(self.out.trim_end().len());
        }
        self.text(' ').text(word)
    }

    /// ` --switch`, if it is set.
    pub fn flag(&mut self, name: &str, set: bool) -> &mut Pen {
        if set {
            self.word(name);
        }
        self
    }

    /// ` --option=value`, if there is a value.
    pub fn option<T: Display>(&mut self, name: &str, value: Option<T>) -> &mut Pen {
        if let Some(value) = value {
            self.word(name).text('=').text(value);
        }
        self
    }

    /// ` --option="value"`, if there is a value.
    pub fn quoted<T: Display>(&mut self, name: &str, value: Option<T>) -> &mut Pen {
        if let Some(value) = value {
            self.word(name).text("=\"").text(value).text('"');
        }
        self
    }

    /// ` --option=a,b`, if there are any.
    pub fn list(&mut self, name: &str, values: &[String]) -> &mut Pen {
        self.option(name, (!values.is_empty()).then(|| values.join(",")))
    }

    /// Ends the line.
    pub fn end(&mut self) {
        self.out.push('\n');
    }

    /// Ends the line without the blanks at its end, those of a last value included.
    pub fn end_trimmed(&mut self) {
        // Python's blanks are more than Unicode's.
        let blank = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
        self.out.truncate(self.out.trim_end_matches(blank).len());
        self.end();
    }
}

//! One file, as far as it could be looked at.

use kickstart_parser::Parsed;

/// What became of one file.
pub enum Checked {
    Parsed(Box<Parsed>),
    /// There was nothing to parse.
    Unreadable(String),
}

impl Checked {
    pub fn is_good(&self) -> bool {
        match self {
            Checked::Parsed(parsed) => !parsed.has_errors(),
            Checked::Unreadable(_) => false,
        }
    }

    pub fn as_parsed(&self) -> Option<&Parsed> {
        match self {
            Checked::Parsed(parsed) => Some(parsed),
            Checked::Unreadable(_) => None,
        }
    }

    pub fn parsed(self) -> Option<Parsed> {
        match self {
            Checked::Parsed(parsed) => Some(*parsed),
            Checked::Unreadable(_) => None,
        }
    }
}

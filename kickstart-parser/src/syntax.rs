//! The versions of the language, and the columns that say when a thing was
//! added, deprecated and removed.
//!
//! RHEL and Fedora are two lines of versions that take things up at different
//! times, so every point in time is a pair ([`At`]).

use std::fmt;
use std::str::FromStr;

/// A version of the kickstart language.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
#[allow(missing_docs)] // The names are the documentation.
pub enum Syntax {
    Rhel7,
    Rhel8,
    Rhel9,
    Rhel10,
    Rhel11,
    F35,
    F36,
    F37,
    F38,
    F39,
    F40,
    F41,
    F42,
    F43,
    /// The default: new enough for every command of image mode, while options
    /// that older files still use are warned about and not refused.
    #[default]
    F44,
    F45,
    F46,
    /// Whatever Fedora's development version has; at least the newest release.
    Devel,
}

impl Syntax {
    /// Every version, oldest first, RHEL before Fedora.
    pub const ALL: &'static [Syntax] = &[
        Syntax::Rhel7,
        Syntax::Rhel8,
        Syntax::Rhel9,
        Syntax::Rhel10,
        Syntax::Rhel11,
        Syntax::F35,
        Syntax::F36,
        Syntax::F37,
        Syntax::F38,
        Syntax::F39,
        Syntax::F40,
        Syntax::F41,
        Syntax::F42,
        Syntax::F43,
        Syntax::F44,
        Syntax::F45,
        Syntax::F46,
        Syntax::Devel,
    ];

    /// The name as `#version=` and `--syntax` spell it.
    pub fn name(self) -> &'static str {
        match self {
            Syntax::Rhel7 => "RHEL7",
            Syntax::Rhel8 => "RHEL8",
            Syntax::Rhel9 => "RHEL9",
            Syntax::Rhel10 => "RHEL10",
            Syntax::Rhel11 => "RHEL11",
            Syntax::F35 => "F35",
            Syntax::F36 => "F36",
            Syntax::F37 => "F37",
            Syntax::F38 => "F38",
            Syntax::F39 => "F39",
            Syntax::F40 => "F40",
            Syntax::F41 => "F41",
            Syntax::F42 => "F42",
            Syntax::F43 => "F43",
            Syntax::F44 => "F44",
            Syntax::F45 => "F45",
            Syntax::F46 => "F46",
            Syntax::Devel => "DEVEL",
        }
    }

    fn level(self) -> (Line, u8) {
        match self {
            Syntax::Rhel7 => (Line::Rhel, 7),
            Syntax::Rhel8 => (Line::Rhel, 8),
            Syntax::Rhel9 => (Line::Rhel, 9),
            Syntax::Rhel10 => (Line::Rhel, 10),
            Syntax::Rhel11 => (Line::Rhel, 11),
            Syntax::F35 => (Line::Fedora, 35),
            Syntax::F36 => (Line::Fedora, 36),
            Syntax::F37 => (Line::Fedora, 37),
            Syntax::F38 => (Line::Fedora, 38),
            Syntax::F39 => (Line::Fedora, 39),
            Syntax::F40 => (Line::Fedora, 40),
            Syntax::F41 => (Line::Fedora, 41),
            Syntax::F42 => (Line::Fedora, 42),
            Syntax::F43 => (Line::Fedora, 43),
            Syntax::F44 => (Line::Fedora, 44),
            Syntax::F45 => (Line::Fedora, 45),
            Syntax::F46 => (Line::Fedora, 46),
            Syntax::Devel => (Line::Fedora, NEVER - 1),
        }
    }

    /// Whether this version is at or after the point in its line.
    pub(crate) fn reached(self, at: At) -> bool {
        match self.level() {
            (Line::Rhel, n) => n >= at.rhel,
            (Line::Fedora, n) => n >= at.fedora,
        }
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A version name that this crate does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownSyntax(pub String);

impl fmt::Display for UnknownSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kickstart syntax `{}` is not supported; there are RHEL7 to RHEL11, F35 to F46 and DEVEL", self.0)
    }
}

impl std::error::Error for UnknownSyntax {}

impl FromStr for Syntax {
    type Err = UnknownSyntax;

    fn from_str(name: &str) -> Result<Syntax, UnknownSyntax> {
        Syntax::ALL
            .iter()
            .copied()
            .find(|s| s.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownSyntax(name.to_owned()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Rhel,
    Fedora,
}

/// Before every version that is supported.
pub(crate) const ALWAYS: u8 = 0;
/// Not in any version so far.
pub(crate) const NEVER: u8 = u8::MAX;

/// A point in both lines of versions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct At {
    pub rhel: u8,
    pub fedora: u8,
}

impl At {
    pub const fn new(rhel: u8, fedora: u8) -> At {
        At { rhel, fedora }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |n: u8| n != ALWAYS && n != NEVER;
        match (known(self.rhel), known(self.fedora)) {
            (true, true) => write!(f, "RHEL{} and F{}", self.rhel, self.fedora),
            (true, false) => write!(f, "RHEL{}", self.rhel),
            (false, true) => write!(f, "F{}", self.fedora),
            (false, false) if self.rhel == ALWAYS && self.fedora == NEVER => f.write_str("RHEL"),
            (false, false) if self.rhel == NEVER && self.fedora == ALWAYS => f.write_str("Fedora"),
            (false, false) => f.write_str("every supported version"),
        }
    }
}

/// What a version makes of a command or an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not there yet.
    Absent,
    /// There, and to be used.
    Active,
    /// There, and not to be used.
    Deprecated,
    /// There no more.
    Removed,
}

/// The version columns of a command or an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Life {
    pub since: At,
    pub deprecated: At,
    pub removed: At,
}

impl Default for Life {
    fn default() -> Life {
        Life::ALL
    }
}

impl Life {
    /// In every version.
    pub const ALL: Life =
        Life { since: At::new(ALWAYS, ALWAYS), deprecated: At::new(NEVER, NEVER), removed: At::new(NEVER, NEVER) };

    pub const fn since(rhel: u8, fedora: u8) -> Life {
        Life { since: At::new(rhel, fedora), ..Life::ALL }
    }

    pub const fn deprecated(self, rhel: u8, fedora: u8) -> Life {
        Life { deprecated: At::new(rhel, fedora), ..self }
    }

    pub const fn removed(self, rhel: u8, fedora: u8) -> Life {
        Life { removed: At::new(rhel, fedora), ..self }
    }

    pub fn state(&self, syntax: Syntax) -> State {
        if syntax.reached(self.removed) {
            State::Removed
        } else if !syntax.reached(self.since) {
            State::Absent
        } else if syntax.reached(self.deprecated) {
            State::Deprecated
        } else {
            State::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for s in Syntax::ALL {
            assert_eq!(s.name().parse::<Syntax>(), Ok(*s));
        }
        assert_eq!("rhel10".parse(), Ok(Syntax::Rhel10));
        let e = "RHEL6".parse::<Syntax>().unwrap_err();
        assert!(e.to_string().contains("RHEL6"));
    }

    #[test]
    fn the_two_lines_are_separate() {
        let life = Life::since(8, 38).deprecated(NEVER, 40).removed(10, NEVER);
        for (syntax, state) in [
            (Syntax::Rhel7, State::Absent),
            (Syntax::Rhel8, State::Active),
            (Syntax::Rhel10, State::Removed),
            (Syntax::F37, State::Absent),
            (Syntax::F39, State::Active),
            (Syntax::F46, State::Deprecated),
            (Syntax::Devel, State::Deprecated),
        ] {
            assert_eq!(life.state(syntax), state, "{syntax}");
        }
    }
}

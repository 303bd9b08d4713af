//! The vocabulary of the command tables.
//!
//! A command's file holds one `const` [`Spec`], written with the functions
//! below, and nothing else about the form of its arguments:
//!
//! ```text
//! const SPEC: Spec = Spec::new("reqpart").options(&[flag("--add-boot").since(8, 0)]);
//! ```

use crate::syntax::{ALWAYS, Life, NEVER};

/// The first supported version of each line.
const OLDEST: (u8, u8) = (7, 35);

/// What an option takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Nothing.
    Flag,
    Text,
    /// A whole number, negative ones included.
    Int,
    /// A whole number from 0.
    Count,
    Bool,
    /// Words separated by commas; blanks around them and empty ones are dropped.
    List,
    Choice(&'static [&'static str]),
}

/// One option of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opt {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    pub required: bool,
    /// A switch that an earlier line of the same command can set for good.
    pub sticky: bool,
    /// A value that an earlier line of the same command does not set for good.
    pub resets: bool,
    /// The value may be left out.
    pub bare: bool,
    /// The value is a password.
    pub secret: bool,
    pub life: Life,
    /// What it says, in a few words without a full stop: hover texts and the reference.
    pub doc: &'static str,
}

const fn option(name: &'static str, kind: Kind) -> Opt {
    Opt {
        name,
        aliases: &[],
        kind,
        required: false,
        sticky: false,
        resets: false,
        bare: false,
        secret: false,
        life: Life::ALL,
        doc: "",
    }
}

pub(crate) const fn flag(name: &'static str) -> Opt {
    option(name, Kind::Flag)
}

pub(crate) const fn text(name: &'static str) -> Opt {
    option(name, Kind::Text)
}

pub(crate) const fn int(name: &'static str) -> Opt {
    option(name, Kind::Int)
}

pub(crate) const fn count(name: &'static str) -> Opt {
    option(name, Kind::Count)
}

pub(crate) const fn boolean(name: &'static str) -> Opt {
    option(name, Kind::Bool)
}

pub(crate) const fn list(name: &'static str) -> Opt {
    option(name, Kind::List)
}

pub(crate) const fn choice(name: &'static str, of: &'static [&'static str]) -> Opt {
    option(name, Kind::Choice(of))
}

impl Opt {
    /// What the option says, in our own words.
    pub const fn doc(self, doc: &'static str) -> Opt {
        Opt { doc, ..self }
    }

    /// Other names for the same option.
    pub const fn or(self, aliases: &'static [&'static str]) -> Opt {
        Opt { aliases, ..self }
    }

    pub const fn required(self) -> Opt {
        Opt { required: true, ..self }
    }

    pub const fn sticky(self) -> Opt {
        Opt { sticky: true, ..self }
    }

    pub const fn resets(self) -> Opt {
        Opt { resets: true, ..self }
    }

    /// The value may be left out: the option alone says something too.
    pub const fn bare(self) -> Opt {
        Opt { bare: true, ..self }
    }

    /// The value is a password: it is masked where lines are shown.
    pub const fn secret(self) -> Opt {
        Opt { secret: true, ..self }
    }

    /// The RHEL and Fedora versions that brought the option; 0 is "always".
    pub const fn since(self, rhel: u8, fedora: u8) -> Opt {
        Opt { life: Life { since: Life::since(rhel, fedora).since, ..self.life }, ..self }
    }

    /// The RHEL and Fedora versions that deprecated it.
    pub const fn deprecated(self, rhel: u8, fedora: u8) -> Opt {
        Opt { life: self.life.deprecated(rhel, fedora), ..self }
    }

    /// The RHEL and Fedora versions that removed it.
    pub const fn removed(self, rhel: u8, fedora: u8) -> Opt {
        Opt { life: self.life.removed(rhel, fedora), ..self }
    }

    /// Removed before the oldest supported version: known only to be explained.
    pub const fn long_gone(self) -> Opt {
        self.removed(OLDEST.0, OLDEST.1)
    }

    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// How many words a positional takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Many {
    One,
    Optional,
    Any,
}

/// An argument that is no option.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positional {
    /// What it is, for messages: "a language".
    pub what: &'static str,
    pub many: Many,
}

pub(crate) const fn one(what: &'static str) -> Positional {
    Positional { what, many: Many::One }
}

pub(crate) const fn optional(what: &'static str) -> Positional {
    Positional { what, many: Many::Optional }
}

pub(crate) const fn any(what: &'static str) -> Positional {
    Positional { what, many: Many::Any }
}

/// The form of a command's arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub name: &'static str,
    pub life: Life,
    /// Each line stands for itself (`part`), instead of setting one thing (`lang`).
    pub repeatable: bool,
    pub options: &'static [Opt],
    pub positionals: &'static [Positional],
    /// Arguments may be passwords: messages do not quote them, and they are
    /// masked where lines are shown.
    pub secret: bool,
    /// Every word is an argument, whatever it looks like.
    pub raw: bool,
    /// Arguments that no position takes are not reported, but left to the command.
    pub leftovers: bool,
    /// What the command says, in a sentence: hover texts and the reference.
    pub doc: &'static str,
}

impl Spec {
    pub const fn new(name: &'static str) -> Spec {
        Spec {
            name,
            life: Life::ALL,
            repeatable: false,
            options: &[],
            positionals: &[],
            secret: false,
            leftovers: false,
            raw: false,
            doc: "",
        }
    }

    /// What the command says, in our own words.
    pub const fn doc(self, doc: &'static str) -> Spec {
        Spec { doc, ..self }
    }

    pub const fn options(self, options: &'static [Opt]) -> Spec {
        Spec { options, ..self }
    }

    pub const fn positionals(self, positionals: &'static [Positional]) -> Spec {
        Spec { positionals, ..self }
    }

    pub const fn repeatable(self) -> Spec {
        Spec { repeatable: true, ..self }
    }

    pub const fn secret(self) -> Spec {
        Spec { secret: true, ..self }
    }

    /// Every word is an argument, whatever it looks like.
    pub const fn raw(self) -> Spec {
        Spec { raw: true, ..self }
    }

    /// Arguments that no position takes are left to the command.
    pub const fn leftovers(self) -> Spec {
        Spec { leftovers: true, ..self }
    }

    pub const fn since(self, rhel: u8, fedora: u8) -> Spec {
        Spec { life: Life { since: Life::since(rhel, fedora).since, ..self.life }, ..self }
    }

    /// The RHEL and Fedora versions that deprecated the command.
    pub const fn deprecated(self, rhel: u8, fedora: u8) -> Spec {
        Spec { life: self.life.deprecated(rhel, fedora), ..self }
    }

    /// The RHEL and Fedora versions that removed it.
    pub const fn removed(self, rhel: u8, fedora: u8) -> Spec {
        Spec { life: self.life.removed(rhel, fedora), ..self }
    }

    pub fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|o| o.name == name)
    }
}

/// Short names for the columns.
pub(crate) const NO: u8 = NEVER;
pub(crate) const ALL: u8 = ALWAYS;

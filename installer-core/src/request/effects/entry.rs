//! The form of the table of effects.

use Fate::{NoEffect, Refused, Used};

/// What becomes of a command or a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It does what [`Entry::does`] says; [`Entry::options`] has the options.
    Used,
    /// A warning: it means nothing where a container image is installed.
    NoEffect,
    /// An error: leaving it out would install something else than was asked for.
    Refused,
}

/// What becomes of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It does what the text says.
    Used,
    /// It has no effect, and a warning says so.
    Warned,
    /// It has no effect.
    Ignored,
    /// An error.
    Refused,
}

impl Effect {
    /// The word in the reference.
    pub fn word(self) -> &'static str {
        match self {
            Effect::Used => "used",
            Effect::Warned => "no effect, warned about",
            Effect::Ignored => "no effect",
            Effect::Refused => "refused",
        }
    }
}

/// An option, what becomes of it, and a few words.
pub type Row = (&'static str, Effect, &'static str);

/// A command or section and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub fate: Fate,
    /// What it does here, in Markdown; of one that is not used, what to do instead.
    pub does: &'static str,
    /// Its options in the parser's order; of one that is used only.
    pub options: &'static [Row],
}

pub(super) const fn used(name: &'static str, does: &'static str, options: &'static [Row]) -> Entry {
    Entry { name, fate: Used, does, options }
}

pub(super) const fn no_effect(name: &'static str, does: &'static str) -> Entry {
    Entry { name, fate: NoEffect, does, options: &[] }
}

pub(super) const fn refused(name: &'static str, does: &'static str) -> Entry {
    Entry { name, fate: Refused, does, options: &[] }
}

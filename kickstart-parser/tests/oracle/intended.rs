//! Where this crate differs from the first implementation on purpose.
//!
//! Each entry is a kind of input or of finding, with the reason. What no
//! entry covers is a mistake.

use super::answer::Answer;
use super::case::Case;
use super::compare::Level;

/// A disagreement, as the entries see it.
pub struct Seen<'a> {
    pub level: Level,
    pub case: &'a Case,
    pub theirs: &'a Answer,
    pub ours: &'a Answer,
}

impl Seen<'_> {
    /// This crate refuses what the other one accepts, or goes on from to another error, and this is why.
    fn stricter(&self, code: &str) -> bool {
        let earlier = self.level == Level::Line && self.ours.line < self.theirs.line;
        (self.level == Level::Verdict || earlier) && self.ours.error == code
    }

    fn command(&self) -> &str {
        self.case.command.as_deref().unwrap_or("")
    }
}

/// A kind of difference that is meant.
pub struct Intended {
    pub name: &'static str,
    pub why: &'static str,
    pub applies: fn(&Seen<'_>) -> bool,
}

/// All of them.
pub const INTENDED: &[Intended] = &[
    Intended {
        name: "a crash is no verdict",
        why: "an empty command word and a lone dash in %packages end in an IndexError, deep includes in a \
              RecursionError: nobody decided that these are errors",
        applies: |seen| matches!(seen.theirs.error.as_str(), "IndexError" | "RecursionError"),
    },
    Intended {
        name: "members are not lost",
        why: "words after the options of raid, volgroup and btrfs are dropped without a word there; a device that is \
              named and not used is a mistake",
        applies: |seen| seen.stricter("E209") && matches!(seen.command(), "raid" | "volgroup" | "btrfs"),
    },
    Intended {
        name: "an open section is told where it begins",
        why: "the missing %end is noticed at the next section or at the end of the file, but the header is the place to \
              look at",
        applies: |seen| seen.level == Level::Line && seen.ours.error == "E004" && seen.theirs.line > seen.ours.line,
    },
    Intended {
        name: "an add-on has a name",
        why: "the parser there takes %addon without one; Anaconda then refuses it",
        applies: |seen| seen.stricter("E208") && seen.ours.message.contains("%addon"),
    },
    Intended {
        name: "numbers have a range",
        why: "negative times and sizes, and numbers that nothing has room for, go through there",
        applies: |seen| seen.stricter("E213"),
    },
    Intended {
        name: "digits are 0 to 9",
        why: "a number in the digits of another script is taken there; nobody writes one on purpose, and no other tool \
              reads it",
        applies: |seen| {
            let foreign = |c: char| c.is_numeric() && !c.is_ascii();
            seen.stricter("E210") && seen.case.text.contains(foreign)
        },
    },
    Intended {
        name: "a section ends where it is included",
        why: "a section that an included file leaves open swallows the rest of the including file there",
        applies: |seen| seen.stricter("E004") && seen.case.text.contains("%include"),
    },
];

/// The entry that covers a disagreement.
pub fn find(seen: &Seen<'_>) -> Option<&'static Intended> {
    INTENDED.iter().find(|entry| (entry.applies)(seen))
}

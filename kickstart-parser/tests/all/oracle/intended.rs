//! Where this crate differs from the first implementation on purpose.
//!
//! Each entry is a kind of input or of finding, with the reason. What no
//! entry covers is a mistake.

use super::answer::{Answer, comparable};
use super::case::{Case, LINE_ENDS};
use super::compare::Level;

/// A disagreement, as the entries see it.
pub struct Seen<'a> {
    pub level: Level,
    pub case: &'a Case,
    pub theirs: &'a Answer,
    pub ours: &'a Answer,
}

impl Seen<'_> {
    /// This crate refuses what the other one accepts, or goes on from to another error.
    fn is_stricter(&self) -> bool {
        let earlier = self.level == Level::Line && self.ours.line < self.theirs.line;
        !self.ours.ok && (self.level == Level::Verdict || earlier)
    }

    /// It does, and this is why.
    fn stricter(&self, code: &str) -> bool {
        self.is_stricter() && self.ours.error == code
    }

    /// The line with the first error.
    fn ours_line(&self) -> Option<&str> {
        self.case.line(self.ours.line?)
    }

    /// The command it is about; in a file, that of the line with the first error.
    fn command(&self) -> &str {
        let line = [self.ours.line, self.theirs.line].into_iter().flatten().min();
        let word = || self.case.first_word(line?);
        self.case.command.as_deref().or_else(word).unwrap_or("")
    }

    /// What both write, where that is what differs.
    fn written(&self) -> Option<(String, String)> {
        let text = |answer: &Answer| Some(comparable(answer.canonical.as_deref()?, self.case));
        if self.level == Level::Canonical { text(self.theirs).zip(text(self.ours)) } else { None }
    }

    /// Both write the same, once this has been done to what the other one writes.
    fn written_alike_after(&self, change: impl Fn(&str) -> String) -> bool {
        self.written().is_some_and(|(theirs, ours)| change(&theirs) == change(&ours))
    }

    /// The lines whose first word is one of these, quotes aside, and that word as it is written.
    fn lines_of<'b>(&'b self, names: &'b [&str]) -> impl Iterator<Item = (&'b str, &'b str)> {
        let word = |line: &'b str| line.split_whitespace().next().unwrap_or("");
        let plain = |word: &str| word.replace(['"', '\'', '\\'], "");
        let all = self.case.text.lines().map(move |line| (word(line), line));
        all.filter(move |(word, _)| names.contains(&plain(word).as_str()))
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
              RecursionError: no design makes these errors",
        applies: |seen| matches!(seen.theirs.error.as_str(), "IndexError" | "RecursionError"),
    },
    Intended {
        name: "members are not lost",
        why: "of words before and after the options of raid, volgroup, btrfs and stratispool, some are dropped without \
              a word there; a device that is named and not used is a mistake",
        applies: |seen| {
            seen.stricter("E209") && matches!(seen.command(), "raid" | "volgroup" | "btrfs" | "stratispool")
        },
    },
    Intended {
        name: "options are no members",
        why: "volgroup and stratispool take the options that they do not know for devices there, in place of the ones \
              before them",
        applies: |seen| {
            let unknown = ["E201", "E202", "E203"].iter().any(|code| seen.stricter(code));
            unknown && matches!(seen.command(), "volgroup" | "stratispool")
        },
    },
    Intended {
        name: "two dashes end the options",
        why: "only btrfs and device take them for an argument there, and refuse it",
        applies: |seen| {
            let dashes = seen.case.text.split_whitespace().any(|word| word == "--" || word.starts_with("--#"));
            let looser = seen.level == Level::Verdict || seen.theirs.line < seen.ours.line;
            matches!(seen.command(), "btrfs" | "device") && dashes && looser && !seen.theirs.ok
        },
    },
    Intended {
        name: "two slashes are one",
        why: "a mount point that begins with exactly two keeps them there, and counts as another one; to Linux it is the \
              same",
        applies: |seen| seen.written_alike_after(|text| text.replace(" //", " /")),
    },
    Intended {
        name: "a line is cut where its first word ends",
        why: "auth, authselect and realm keep their line as it is written; where the name is indented or quoted, it is cut \
              at the wrong place there",
        applies: |seen| {
            let names = ["auth", "authconfig", "authselect", "realm"];
            let odd = seen.lines_of(&names).any(|(word, line)| !names.contains(&word) || !line.starts_with(word));
            odd && (seen.level == Level::Canonical || !seen.theirs.ok)
        },
    },
    Intended {
        name: "a deprecated option is one in every form",
        why: "an abbreviated or empty option of timezone goes without the warning there",
        applies: |seen| {
            let more = seen.ours.deprecated.is_superset(&seen.theirs.deprecated);
            seen.level == Level::Warnings && more && seen.lines_of(&["timezone"]).next().is_some()
        },
    },
    Intended {
        name: "a user may have many keys",
        why: "sshkey warns of a second key for the same user there, but keeps both; here only the same key twice is worth \
              a word",
        applies: |seen| {
            seen.level == Level::Warnings && seen.theirs.duplicate && seen.lines_of(&["sshkey"]).count() > 1
        },
    },
    Intended {
        name: "a comment is no realm",
        why: "what realm takes as it is written has the comment in it there: in \"realm join #x\" the comment would be the \
              realm",
        applies: |seen| seen.stricter("E209") && seen.command() == "realm",
    },
    Intended {
        name: "two dashes are no time zone",
        why: "timezone is content with them there, and sets nothing",
        applies: |seen| seen.stricter("E208") && seen.command() == "timezone",
    },
    Intended {
        name: "no line is lost for its blanks",
        why: "a line of a section that would be %end, %include or a header, were its blank not an unusual one such as \
              U+00A0, is dropped there; here it stays what it is, a line of the section",
        applies: |seen| {
            let unusual = |line: &str| line.contains(|c: char| c.is_whitespace() && !c.is_ascii());
            let lost = |line: &str| line.trim().starts_with('%') && unusual(line);
            seen.level == Level::Canonical && seen.case.text.lines().any(lost)
        },
    },
    Intended {
        name: "an empty script is none",
        why: "the empty lines of a script with nothing else in it become part of the next script there",
        applies: |seen| {
            let has_lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).collect::<String>();
            seen.written_alike_after(has_lines) && has_empty_script(&seen.case.text)
        },
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
        name: "an unusual line end is one",
        why: "vertical tabs, form feeds and Unicode's separators end a line there and stay part of its last word; here \
              they only end the line, with a warning",
        applies: |seen| seen.case.text.contains(&LINE_ENDS[2..]),
    },
    Intended {
        name: "no line continuation",
        why: "a backslash at the end of a line is an argument there, a line end; its author wants the next line",
        applies: |seen| seen.ours_line().is_some_and(|line| line.trim_end().ends_with('\\')) && seen.is_stricter(),
    },
    Intended {
        name: "a byte order mark is no text",
        why: "it is part of the first word there, which is then unknown; here it is a warning",
        applies: |seen| seen.case.text.starts_with('\u{feff}'),
    },
    Intended {
        name: "numbers have a range",
        why: "negative times and sizes, and numbers that nothing has room for, go through there",
        applies: |seen| seen.stricter("E213"),
    },
    Intended {
        name: "digits are 0 to 9",
        why: "a number in the digits of another script is taken there; it is not written on purpose, and no other tool \
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
    Intended {
        name: "a pasted text is there",
        why: "the parser there passes over %ksappend, which another part of it deals with; here a text that cannot be \
              had is an error",
        applies: |seen| seen.stricter("E013") || seen.theirs.message.contains("%ksappend"),
    },
    Intended {
        name: "text has no NUL bytes",
        why: "they are taken for letters there; such a file is damaged",
        applies: |seen| seen.stricter("E014"),
    },
];

/// Whether there is a section of nothing but empty lines.
fn has_empty_script(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    std::iter::from_fn(|| lines.next().map(|line| (line, lines.peek().copied())))
        .any(|(line, next)| line.starts_with('%') && next.is_some_and(|next| next.starts_with("%end")))
}

/// The entry that covers a disagreement.
pub fn find(seen: &Seen<'_>) -> Option<&'static Intended> {
    INTENDED.iter().find(|entry| (entry.applies)(seen))
}

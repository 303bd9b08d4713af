//! Two answers, level by level, and the counts of it.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::answer::{Answer, comparable};
use super::case::Case;
use super::intended::{self, Seen};

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Verdict,
    Line,
    Canonical,
    Warnings,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Verdict, Level::Line, Level::Canonical, Level::Warnings];

    pub fn name(self) -> &'static str {
        match self {
            Level::Verdict => "verdict",
            Level::Line => "first line",
            Level::Canonical => "canonical",
            Level::Warnings => "warnings",
        }
    }

    /// Whether the answers agree; `None` where one of them does not tell.
    pub fn agrees(self, case: &Case, theirs: &Answer, ours: &Answer) -> Option<bool> {
        if self == Level::Verdict {
            return Some(theirs.ok == ours.ok);
        }
        if theirs.ok != ours.ok || theirs.ok == (self == Level::Line) {
            return None;
        }
        match self {
            Level::Verdict => None,
            Level::Line => theirs.line.map(|line| Some(line) == ours.line),
            Level::Canonical => same_text(case, theirs, ours),
            Level::Warnings => Some(same_warnings(theirs, ours)),
        }
    }
}

/// Of some recorded texts there is only the sum.
fn same_text(case: &Case, theirs: &Answer, ours: &Answer) -> Option<bool> {
    let written = ours.canonical.as_deref()?;
    match (&theirs.canonical, &theirs.canonical_sha256) {
        (Some(text), _) => Some(comparable(text, case) == comparable(written, case)),
        (None, Some(sum)) => Some(*sum == sha256(written)),
        (None, None) => None,
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lines where both tell one. That this crate also warns of settings made
/// twice, where the other one merges them in silence, is what it adds.
fn same_warnings(theirs: &Answer, ours: &Answer) -> bool {
    let deprecated = if theirs.deprecated_somewhere {
        (ours.deprecated_somewhere || !ours.deprecated.is_empty()) && theirs.deprecated.is_subset(&ours.deprecated)
    } else {
        theirs.deprecated == ours.deprecated
    };
    deprecated && (ours.duplicate || !theirs.duplicate)
}

/// How often.
#[derive(Clone, Copy, Default)]
pub struct Count {
    pub same: usize,
    pub differs: usize,
    pub intended: usize,
}

impl Count {
    /// How much agrees, of what is not meant to differ.
    pub fn percent(&self) -> f64 {
        let all = self.same + self.differs;
        if all == 0 { 100.0 } else { self.same as f64 * 100.0 / all as f64 }
    }

    fn add(&mut self, other: Count) {
        self.same += other.same;
        self.differs += other.differs;
        self.intended += other.intended;
    }
}

/// A difference that is not meant.
pub struct Disagreement {
    /// The command it is about; in a file, that of the line with the first error.
    pub command: String,
    pub told: String,
}

/// The counts of many comparisons, by command, and the disagreements.
#[derive(Default)]
pub struct Tally {
    commands: BTreeMap<String, [Count; 4]>,
    intended: BTreeMap<&'static str, (usize, &'static str)>,
    /// What no entry covers, ready to print.
    pub disagreements: Vec<Disagreement>,
    /// How many were compared.
    pub cases: usize,
}

impl Tally {
    /// Compare on every level.
    pub fn add(&mut self, case: &Case, theirs: &Answer, ours: &Answer) {
        self.cases += 1;
        let key = case.command.as_deref().unwrap_or("(files)").to_owned();
        let counts = self.commands.entry(key).or_default();
        for (level, count) in Level::ALL.into_iter().zip(counts) {
            match level.agrees(case, theirs, ours) {
                None => {}
                Some(true) => count.same += 1,
                Some(false) => match intended::find(&Seen { level, case, theirs, ours }) {
                    Some(entry) => {
                        count.intended += 1;
                        self.intended.entry(entry.name).or_insert((0, entry.why)).0 += 1;
                    }
                    None => {
                        count.differs += 1;
                        let command = blamed(case, theirs, ours);
                        self.disagreements.push(Disagreement { command, told: told(level, case, theirs, ours) });
                    }
                },
            }
        }
    }

    /// All commands together.
    pub fn total(&self, level: Level) -> Count {
        let mut total = Count::default();
        for counts in self.commands.values() {
            total.add(counts[level as usize]);
        }
        total
    }

    /// A line for each command that differs somewhere, or for all.
    pub fn table(&self, all: bool) -> String {
        let mut text = String::new();
        for (command, counts) in &self.commands {
            if !all && counts.iter().all(|c| c.differs == 0) {
                continue;
            }
            let _ = write!(text, "  {command:22}");
            for (level, c) in Level::ALL.into_iter().zip(counts) {
                let _ = write!(text, "  {} {:>4}/{:<4}", level.name(), c.same, c.same + c.differs);
            }
            let intended: usize = counts.iter().map(|c| c.intended).sum();
            if intended > 0 {
                let _ = write!(text, "  intended {intended}");
            }
            text.push('\n');
        }
        text
    }

    /// What differs on purpose here, and why.
    pub fn reasons(&self) -> String {
        let entries = self.intended.iter();
        entries.map(|(name, (times, why))| format!("  {times:>4} intended: {name}: {why}\n")).collect()
    }

    /// One line for people.
    pub fn summary(&self, name: &str) -> String {
        let mut text = format!("{name}: {} cases", self.cases);
        for level in Level::ALL {
            let total = self.total(level);
            if total.same + total.differs > 0 {
                let all = total.same + total.differs;
                let _ = write!(text, ", {} {:.2} % ({} of {all})", level.name(), total.percent(), total.same);
            }
        }
        for (name, (times, _)) in &self.intended {
            let _ = write!(text, "; {times} intended ({name})");
        }
        text
    }
}

fn blamed(case: &Case, theirs: &Answer, ours: &Answer) -> String {
    let word = |answer: &Answer| answer.line.and_then(|line| case.first_word(line));
    case.command.as_deref().or_else(|| word(theirs)).or_else(|| word(ours)).unwrap_or("").to_owned()
}

/// A disagreement, for people.
pub fn told(level: Level, case: &Case, theirs: &Answer, ours: &Answer) -> String {
    let text = match &case.file {
        Some(name) => name.clone(),
        None if case.text.trim_end_matches('\n').contains('\n') => format!("\n{}", indented(&case.text)),
        None => visible(&case.text),
    };
    let mut told = format!("{}: {} {:?}: {text}", level.name(), case.version, case.mode);
    match level {
        Level::Verdict | Level::Line => {
            let _ = write!(told, "\n    theirs: {}\n    ours:   {}", verdict(case, theirs), verdict(case, ours));
        }
        Level::Canonical if theirs.canonical.is_none() => {
            told.push_str(
                "\n    theirs: only its sum is recorded; `corpus_files_in_full` of the differential test tells",
            );
        }
        Level::Canonical => {
            let written = |a: &Answer| comparable(a.canonical.as_deref().unwrap_or(""), case);
            let _ = write!(told, "\n{}", changed_lines(&written(theirs), &written(ours)));
        }
        Level::Warnings => {
            let lines = |a: &Answer| {
                let line = if a.deprecated_somewhere { ", and without a line" } else { "" };
                let duplicate = if a.duplicate { "; duplicates" } else { "" };
                format!("deprecated on lines {:?}{line}{duplicate}", a.deprecated)
            };
            let _ = write!(told, "\n    theirs: {}\n    ours:   {}", lines(theirs), lines(ours));
        }
    }
    told
}

fn verdict(case: &Case, answer: &Answer) -> String {
    if answer.ok {
        return "accepts".to_owned();
    }
    let line = answer.line.map_or(String::new(), |line| format!(" on line {line}"));
    let message = answer.message.replace('\n', " ");
    let text = answer.line.filter(|_| case.file.is_some()).and_then(|line| case.text.lines().nth(line.wrapping_sub(1)));
    let text = text.map_or(String::new(), |text| format!("\n            {}", text.trim()));
    format!("{}{line}: {message}{text}", answer.error)
}

/// The lines from the first to the last that differ.
fn changed_lines(theirs: &str, ours: &str) -> String {
    let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let head = theirs.iter().zip(&ours).take_while(|(a, b)| a == b).count();
    let rest = theirs[head..].iter().rev().zip(ours[head..].iter().rev());
    let tail = rest.take_while(|(a, b)| a == b).count();
    let part = |of: &[&str]| of[head..of.len() - tail].join("\n            ");
    format!("    theirs: {}\n    ours:   {}", part(&theirs), part(&ours))
}

/// With what cannot be seen, or not told from a blank, spelled out.
fn visible(text: &str) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic() || (c.is_alphanumeric() && !c.is_ascii());
    text.chars().map(|c| if plain(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

fn indented(text: &str) -> String {
    let mut lines: Vec<String> = text.split('\n').take(40).map(|line| format!("        {}", visible(line))).collect();
    if text.lines().count() > lines.len() {
        lines.push("        …".to_owned());
    }
    lines.join("\n")
}

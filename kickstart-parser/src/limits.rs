//! How much is read, and how much is told: a text may be damaged, generated or hostile, and
//! neither the memory nor the reader's patience is without end.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;

/// All text of one parse.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// All lines of one parse.
pub(crate) const MAX_LINES: usize = 1_000_000;
/// All words of commands and section headers of one parse.
pub(crate) const MAX_WORDS: usize = 1_000_000;
/// A line that is taken apart into words; those of scripts are not.
pub(crate) const MAX_LINE: usize = 1 << 20;
/// Nested includes; more is a mistake, and recursion has to end somewhere.
pub(crate) const MAX_DEPTH: usize = 32;
/// All includes of one parse: two files that include each other's children
/// twice would otherwise double with every level.
pub(crate) const MAX_INCLUDES: usize = 1000;
/// Findings of one kind; the rest is counted.
pub(crate) const MAX_FINDINGS: usize = 1000;
/// How much of a script is searched for the name of a file that is not there.
pub(crate) const MAX_SEARCHED: usize = 256 << 10;

/// Counts findings by their codes, and keeps those that are not one too many.
#[derive(Default)]
pub(crate) struct Tally {
    told: HashMap<&'static str, usize>,
    /// The first that was left out of each kind, and how many there were.
    left_out: HashMap<&'static str, (Diagnostic, usize)>,
}

impl Tally {
    /// Go through what has been found since there were `before` findings.
    pub fn cut_off(&mut self, found: &mut Vec<Diagnostic>, before: usize) {
        if found.len() <= before {
            return;
        }
        for diagnostic in found.split_off(before) {
            let told = self.told.entry(diagnostic.code).or_default();
            if *told < MAX_FINDINGS {
                *told += 1;
                found.push(diagnostic);
            } else {
                self.left_out.entry(diagnostic.code).or_insert((diagnostic, 0)).1 += 1;
            }
        }
    }

    /// One finding for all of a kind that were left out, at the place of the first.
    pub fn rest(self) -> impl Iterator<Item = Diagnostic> {
        self.left_out.into_values().map(|(first, count)| Diagnostic {
            message: format!("from here on there are {count} more findings of this kind"),
            labels: Vec::new(),
            help: None,
            fix: None,
            ..first
        })
    }
}

/// The findings without those that are one too many of their kind.
pub(crate) fn bounded(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut tally = Tally::default();
    tally.cut_off(&mut found, 0);
    found.extend(tally.rest());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParseOptions, parse};

    #[test]
    fn the_rest_is_counted() {
        let line = "bogus\nlang\n";
        for (lines, expected) in [(MAX_FINDINGS, 2 * MAX_FINDINGS), (MAX_FINDINGS + 7, 2 * MAX_FINDINGS + 2)] {
            let parsed = parse(&line.repeat(lines), "a.ks", &ParseOptions::default());
            let errors: Vec<_> = parsed.diagnostics.iter().filter(|d| d.is_error()).collect();
            assert_eq!(errors.len(), expected);
            let rest: Vec<_> = errors.iter().filter(|d| d.message.contains(" 7 more findings")).collect();
            let lines = |d: &Diagnostic| parsed.sources.locate(d.span).line;
            let places: Vec<_> = rest.iter().map(|d| (d.code, lines(d))).collect();
            assert!(rest.is_empty() || places == [("E101", 2001), ("E208", 2002)], "{places:?}");
        }
    }

    #[test]
    fn messages_stay_short() {
        for word in ["x".repeat(100_000), "\u{10d}".repeat(100_001)] {
            let parsed = parse(&format!("{word}\nautopart --type={word}\n"), "a.ks", &ParseOptions::default());
            let found = &parsed.diagnostics[..2];
            assert!(found.iter().all(|d| d.is_error() && d.message.len() < 1000));
            assert!(found[0].message.starts_with("there is no command `") && found[0].message.ends_with('`'));
        }
    }

    #[test]
    fn what_is_too_large_is_read_as_far_as_it_goes() {
        for (text, message) in [
            ("\n".repeat(MAX_LINES + 5), "there are more than 1000000 lines"),
            ("lang cs\n".repeat(MAX_WORDS / 2 + 5), "there are more than 1000000 words"),
            (format!("%post\n{}%end\n", "x\n".repeat(MAX_LINES)), "there are more than 1000000 lines"),
            (format!("text\nlang {}\n", "x".repeat(MAX_LINE)), "this line is longer than 1 MiB"),
            (" ".repeat(MAX_BYTES + 1), "there are more than 64 MiB of text"),
        ] {
            let parsed = parse(&text, "a.ks", &ParseOptions::default());
            let errors: Vec<_> = parsed.diagnostics.iter().filter(|d| d.is_error()).map(|d| &d.message).collect();
            assert_eq!(errors, [message]);
            let lines: usize = parsed.document.files.iter().map(|f| f.lines.len()).sum();
            assert!(lines <= MAX_LINES + 1, "{lines}");
        }
    }
}

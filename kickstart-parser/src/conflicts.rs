//! Commands that cannot be used together: one table, and the memory that it needs while the
//! lines are gone through in order.
//!
//! The language looks from the later line back at the earlier ones, and for a few pairs only
//! from one side. Where it does not look, one of the commands has no effect in the end; that
//! is a warning here.

use crate::args::Cx;
use crate::args::spec::ALL;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::{At, NEVER};

/// What a command cannot stand behind.
struct Conflict {
    later: &'static str,
    /// Since when, and behind what. A pair begins with the younger of its commands at the
    /// earliest, so that `since` says something only where it came later than both.
    earlier: &'static [(&'static str, At)],
}

const ALWAYS: At = At::new(ALL, ALL);
const NOT_YET: At = At::new(NEVER, NEVER);

/// How partitions are made by hand, beside `autopart` or `mount`.
const OTHERWISE: &[(&str, At)] = &[("autopart", ALWAYS), ("mount", ALWAYS)];

/// By the name of the later command, sorted.
const CONFLICTS: &[Conflict] = &[
    Conflict {
        later: "autopart",
        earlier: &[
            ("part", ALWAYS),
            ("raid", ALWAYS),
            ("volgroup", ALWAYS),
            ("logvol", ALWAYS),
            ("reqpart", ALWAYS),
            ("stratispool", ALWAYS),
            ("stratisfs", ALWAYS),
            ("mount", NOT_YET),
        ],
    },
    Conflict { later: "bootc", earlier: &[("ostreecontainer", ALWAYS), ("ostreesetup", ALWAYS)] },
    Conflict { later: "logvol", earlier: OTHERWISE },
    Conflict {
        later: "mount",
        earlier: &[
            ("autopart", ALWAYS),
            ("part", ALWAYS),
            ("raid", ALWAYS),
            ("volgroup", ALWAYS),
            ("logvol", ALWAYS),
            ("reqpart", ALWAYS),
            ("stratispool", ALWAYS),
            ("stratisfs", ALWAYS),
        ],
    },
    Conflict { later: "ostreecontainer", earlier: &[("bootc", ALWAYS), ("ostreesetup", ALWAYS)] },
    Conflict { later: "ostreesetup", earlier: &[("bootc", ALWAYS), ("ostreecontainer", At::new(10, ALL))] },
    Conflict { later: "part", earlier: OTHERWISE },
    Conflict { later: "raid", earlier: OTHERWISE },
    Conflict { later: "reqpart", earlier: OTHERWISE },
    Conflict { later: "stratisfs", earlier: OTHERWISE },
    Conflict { later: "stratispool", earlier: OTHERWISE },
    Conflict { later: "volgroup", earlier: OTHERWISE },
];

/// Where the commands of the table were used first.
#[derive(Default)]
pub(crate) struct Used {
    first: [Option<Span>; CONFLICTS.len()],
    /// Pairs that were reported: once is enough.
    told: Vec<(&'static str, &'static str)>,
}

fn place(name: &str) -> Option<usize> {
    CONFLICTS.iter().position(|c| c.later == name)
}

impl Used {
    /// Take note of a line, and report what it cannot stand behind. `written` is the name as
    /// it stands there, `name` that of the command.
    pub fn line(&mut self, name: &'static str, written: &str, span: Span, cx: &mut Cx<'_>) {
        let Some(place_here) = place(name) else {
            return;
        };
        // Lines of one kind alone are the rule.
        if self.first.iter().enumerate().all(|(at, first)| first.is_none() || at == place_here) {
            self.first[place_here].get_or_insert(span);
            return;
        }
        for (other, since) in CONFLICTS[place_here].earlier {
            if let Some(before) = place(other).and_then(|at| self.first[at])
                && !self.told.contains(&(name, other))
            {
                self.told.push((name, other));
                cx.report(conflict(written, other, *since, span, before, cx));
            }
        }
        self.first[place_here].get_or_insert(span);
    }
}

fn conflict(written: &str, other: &str, since: At, span: Span, before: Span, cx: &Cx<'_>) -> Diagnostic {
    let diagnostic = if cx.syntax.reached(since) {
        let message = format!("`{written}` cannot be used together with `{other}`");
        Diagnostic::new(&codes::CONFLICT, span, message)
    } else {
        let message = format!("of `{written}` and `{other}` only one has an effect");
        Diagnostic::new(&codes::ONE_COUNTS, span, message)
    };
    diagnostic.label(before, format!("`{other}` is here"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParseOptions, Syntax, commands, parse};

    /// The conflicts of a text: the code, the line, the line of the other command.
    fn conflicts(syntax: Syntax, text: &str) -> Vec<(&'static str, usize, usize)> {
        let parsed = parse(text, "a.ks", &ParseOptions { syntax: Some(syntax), ..ParseOptions::default() });
        let line = |span| parsed.sources.locate(span).line;
        let those = parsed.diagnostics.iter().filter(|d| ["L002", "L011"].contains(&d.code));
        those.map(|d| (d.code, line(d.span), line(d.labels[0].span))).collect()
    }

    #[test]
    fn the_table_is_sorted_and_names_commands() {
        assert!(CONFLICTS.is_sorted_by(|a, b| a.later < b.later));
        for conflict in CONFLICTS {
            assert!(commands::is_known(conflict.later), "{}", conflict.later);
            for (other, since) in conflict.earlier {
                assert!(commands::is_known(other), "{other}");
                let back = CONFLICTS.iter().find(|c| c.later == *other).unwrap();
                assert!(back.earlier.iter().any(|(n, _)| *n == conflict.later), "{other} x {}", conflict.later);
                assert!(*since == ALWAYS || back.earlier.contains(&(conflict.later, ALWAYS)), "{other}");
            }
        }
    }

    #[test]
    fn the_later_line_is_the_wrong_one() {
        for (text, expected) in [
            ("autopart\nreqpart\n", &[("L002", 2, 1)][..]),
            ("reqpart\nautopart\n", &[("L002", 2, 1)]),
            ("part / --size=1\nlang cs\nautopart\n", &[("L002", 3, 1)]),
            ("autopart\npartition / --size=1\npart /a --size=1\n", &[("L002", 2, 1)]),
            ("part / --size=1\npart /a --size=1\nautopart\n", &[("L002", 3, 1)]),
            ("mount /dev/sda1 /\nraid / --device=0 --level=1 raid.1 raid.2\n", &[("L002", 2, 1)]),
            ("autopart\nmount /dev/sda1 /\n", &[("L002", 2, 1)]),
            ("mount /dev/sda1 /\nautopart\n", &[("L011", 2, 1)]),
            ("mount /dev/sda1 /\nautopart\nmount /dev/sda2 /a\n", &[("L011", 2, 1), ("L002", 3, 2)]),
            ("ostreecontainer --url=a\nbootc --source-imgref=a\n", &[("L002", 2, 1)]),
            ("autopart\npart\n", &[("L002", 2, 1)]),
            ("autopart\nbtrfs / --subvol --name=a b\n", &[]),
            ("autopart\nautopart\n", &[]),
        ] {
            assert_eq!(conflicts(Syntax::F44, text), expected, "{text}");
        }
    }

    #[test]
    fn versions_look_from_both_sides_or_from_one() {
        let tree = "ostreesetup --osname=a --url=http://b --ref=c";
        let behind = format!("ostreecontainer --url=a\n{tree}\n");
        let before = format!("{tree}\nostreecontainer --url=a\n");
        for (syntax, text, expected) in [
            (Syntax::Rhel9, behind.as_str(), &[("L011", 2, 1)][..]),
            (Syntax::Rhel9, &before, &[("L002", 2, 1)]),
            (Syntax::Rhel10, &behind, &[("L002", 2, 1)]),
            (Syntax::F38, &behind, &[("L002", 2, 1)]),
            (Syntax::F46, "stratispool p a\nautopart\n", &[("L002", 2, 1)]),
            (Syntax::F46, "mount a /\nstratisfs / --name=a --poolname=p\n", &[("L002", 2, 1)]),
            (Syntax::F44, "stratispool p a\nautopart\n", &[]),
        ] {
            assert_eq!(conflicts(syntax, text), expected, "{syntax}: {text}");
        }
    }
}

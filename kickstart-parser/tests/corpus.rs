//! The answers of the language's first implementation, where a corpus of them
//! is at hand: `BOOTC_KS_CORPUS`, or `shared/corpus` beside the workspace.
//! Nothing of it is part of this repository.
//!
//! ```text
//! BOOTC_KS_ONLY=raid   only this command (several with commas), all that differs, no thresholds
//! BOOTC_KS_SHOW=all    all that differs; or of one level: verdict, first, canonical, warnings
//! ```
//!
//! with `cargo test -p kickstart-parser --test corpus -- --nocapture`.

// Tests may stop where they stand; the lint knows only functions marked as such.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod oracle;

use oracle::answer::Answer;
use oracle::compare::{Level, Tally};
use oracle::corpus;

/// How much has to agree, in percent, of what is not meant to differ.
const ROWS: [(Level, f64); 4] =
    [(Level::Verdict, 88.0), (Level::Line, 99.5), (Level::Canonical, 25.0), (Level::Warnings, 99.5)];
const FILES: [(Level, f64); 3] = [(Level::Verdict, 97.5), (Level::Line, 98.5), (Level::Warnings, 98.5)];

/// The commands that were asked for; empty for all.
fn only() -> Vec<String> {
    let names = std::env::var("BOOTC_KS_ONLY").unwrap_or_default();
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn wanted(command: Option<&str>, only: &[String]) -> bool {
    only.is_empty() || command.is_some_and(|command| only.iter().any(|name| name == command))
}

/// Print what was asked for, the summary in any case, and hold it to the thresholds.
fn conclude(name: &str, tally: &Tally, thresholds: &[(Level, f64)]) {
    let only = only();
    let show = std::env::var("BOOTC_KS_SHOW").unwrap_or_default();
    let all = show == "all" || (show.is_empty() && !only.is_empty());
    let detailed = all || !show.is_empty();
    let mut text = String::new();
    for found in &tally.disagreements {
        let shown = all || (detailed && found.told.starts_with(&show));
        if shown && wanted(Some(&found.command), &only) {
            text += &found.told;
            text.push('\n');
        }
    }
    text += &tally.table(detailed);
    if detailed {
        text += &tally.reasons();
    }
    // At once: the tests run side by side.
    println!("{text}{}", tally.summary(name));
    if only.is_empty() {
        for (level, least) in thresholds {
            let percent = tally.total(*level).percent();
            assert!(percent >= *least, "{name}: {} {percent:.2} %, must be {least} %", level.name());
        }
    }
}

#[test]
fn rows() {
    let Some(dir) = corpus::place() else {
        return;
    };
    let only = only();
    for file in corpus::row_files(&dir) {
        let (mut tally, mut unread) = (Tally::default(), 0);
        for row in corpus::rows(&file) {
            if row["command"].is_string() && !wanted(row["command"].as_str(), &only) {
                continue;
            }
            let cases = corpus::cases_of_row(&row);
            unread += usize::from(cases.is_empty());
            for (case, theirs) in cases {
                tally.add(&case, &theirs, &Answer::ours(&case));
            }
        }
        let name = file.file_stem().unwrap().to_string_lossy();
        conclude(&format!("{name} (and {unread} rows that are not compared)"), &tally, &ROWS);
    }
}

#[test]
fn whole_files() {
    let Some(dir) = corpus::place() else {
        return;
    };
    let mut tally = Tally::default();
    for (case, theirs) in corpus::whole_files(&dir) {
        tally.add(&case, &theirs, &Answer::ours(&case));
    }
    conclude("kickstarts", &tally, &FILES);
}

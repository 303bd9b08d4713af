//! The recorded answers of the language's first implementation (`oracle/corpus.rs` has their place).
//!
//! ```text
//! BOOTC_KS_ONLY=raid   only this command (several with commas), all that differs, no thresholds
//! BOOTC_KS_SHOW=all    all that differs; or of one level: verdict, first, canonical, warnings
//! ```
//!
//! with `cargo test -p kickstart-parser --test all -- --nocapture --ignored corpus`.

use crate::oracle::answer::Answer;
use crate::oracle::compare::{Level, Tally};
use crate::oracle::corpus;
use crate::oracle::intended::INTENDED;

/// How much has to agree, in percent, of what is not meant to differ.
const LEAST: [(Level, f64); 4] =
    [(Level::Verdict, 100.0), (Level::Line, 99.5), (Level::Canonical, 99.0), (Level::Warnings, 99.0)];

/// The commands that were asked for; empty for all.
fn only() -> Vec<String> {
    let names = std::env::var("BOOTC_KS_ONLY").unwrap_or_default();
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn wanted(command: Option<&str>, only: &[String]) -> bool {
    only.is_empty() || command.is_some_and(|command| only.iter().any(|name| name == command))
}

/// Print what was asked for, the summary in any case, and hold it to the thresholds.
fn conclude(name: &str, tally: &Tally) {
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
        assert!(tally.cases > 0, "{name}: nothing was compared");
        for (level, least) in LEAST {
            let percent = tally.total(level).percent();
            assert!(percent >= least, "{name}: {} {percent:.2} %, must be {least} %", level.name());
        }
    }
}

#[test]
#[ignore = "needs the corpus, which is not part of this repository"]
fn rows() {
    let dir = corpus::place();
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
        conclude(&format!("{name} (and {unread} rows that are not compared)"), &tally);
    }
}

#[test]
#[ignore = "needs the corpus, which is not part of this repository"]
fn whole_files() {
    let dir = corpus::place();
    let mut tally = Tally::default();
    for (case, theirs) in corpus::whole_files(&dir) {
        tally.add(&case, &theirs, &Answer::ours(&case));
    }
    conclude("kickstarts", &tally);
}

/// The page that tells people has every difference that is meant; `BOOTC_KS_BLESS=1` writes it so.
#[test]
fn the_page_lists_what_is_meant_to_differ() {
    const HEADER: &str = "| | |\n|---|---|\n";
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/agreement.md");
    let text = std::fs::read_to_string(page).unwrap();
    let rows = INTENDED.iter().map(|entry| format!("| {} | {} |\n", entry.name, entry.why));
    let table = format!("{HEADER}{}", rows.collect::<String>());
    if std::env::var_os("BOOTC_KS_BLESS").is_some() {
        let before = text.split(HEADER).next().unwrap();
        return std::fs::write(page, format!("{before}{table}")).unwrap();
    }
    assert!(text.ends_with(&table), "docs/agreement.md is not up to date: set BOOTC_KS_BLESS=1\n{table}");
    for (at, entry) in INTENDED.iter().enumerate() {
        assert!(INTENDED[..at].iter().all(|other| other.name != entry.name), "{} is there twice", entry.name);
    }
}

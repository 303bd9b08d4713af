//! The answers of the language's first implementation, where a corpus of them
//! is at hand: `BOOTC_KS_CORPUS`, or `shared/corpus` beside the workspace.
//! Nothing of it is part of this repository.
//!
//! ```text
//! BOOTC_KS_ONLY=raid   only this command (several with commas), all that differs, no thresholds
//! BOOTC_KS_SHOW=all    all that differs; or of one level: verdict, line, canonical, warnings
//! ```
//!
//! with `cargo test -p kickstart-parser --test corpus -- --nocapture`.

// Tests may stop where they stand; the lint knows only functions marked as such.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod oracle;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use kickstart_parser::Syntax;
use oracle::answer::Answer;
use oracle::case::{Case, Includes, Mode};
use oracle::compare::{Level, Tally};
use serde_json::Value;

/// How much has to agree, in percent, of what is not meant to differ.
const ROWS: [(Level, f64); 3] = [(Level::Verdict, 75.0), (Level::Line, 95.0), (Level::Warnings, 98.0)];
const FILES: [(Level, f64); 3] = [(Level::Verdict, 96.0), (Level::Line, 98.0), (Level::Warnings, 98.0)];

fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let dir = std::env::var_os("BOOTC_KS_CORPUS").map_or(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    // Past the capture of test output: a comparison that did not take place
    // must not look like one that went well.
    let notice = format!("\nNO CORPUS at {}: answers were NOT compared\n\n", dir.display());
    let _ = std::io::stderr().write_all(notice.as_bytes());
    None
}

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
        let shown = all || (detailed && found.level.name().ends_with(&show));
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

/// The questions and answers of one row; none for a version that is not read.
fn cases_of_row(row: &Value) -> Vec<(Case, Answer)> {
    let Ok(version) = row["version"].as_str().unwrap_or("").parse::<Syntax>() else {
        return Vec::new();
    };
    let mut case = Case::new(version, row["input"].as_str().unwrap_or(""), Mode::Single);
    case.command = row["command"].as_str().map(str::to_owned);
    let flag = |name: &str| row["flags"][name].as_bool().unwrap_or(true);
    case.unknown_section_is_error = flag("unknownSectionIsFatal");
    if flag("followIncludes") {
        let files = row["include_files"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        case.includes = Includes::Files(files.map(|(name, value)| (name.clone(), text(value))).collect());
    } else {
        case.includes = Includes::Ignored;
    }
    let expected = [(Mode::Single, "expect"), (Mode::Whole, "expect_file")];
    let told = expected.into_iter().filter(|(_, key)| row[key].is_object());
    told.map(|(mode, key)| {
        let mut theirs = Answer::recorded(&row[key]);
        if row["nondeterministic_canonical"] == true {
            theirs.canonical = None;
        }
        (Case { mode, ..case.clone() }, theirs)
    })
    .collect()
}

#[test]
fn rows() {
    let Some(dir) = corpus() else {
        return;
    };
    let only = only();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    assert!(!files.is_empty(), "no .jsonl in {}", dir.display());
    for file in files {
        let (mut tally, mut unread) = (Tally::default(), 0);
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            if row["command"].is_string() && !wanted(row["command"].as_str(), &only) {
                continue;
            }
            let cases = cases_of_row(&row);
            unread += usize::from(cases.is_empty());
            for (case, theirs) in cases {
                tally.add(&case, &theirs, &Answer::ours(&case));
            }
        }
        let name = file.file_stem().unwrap().to_string_lossy();
        conclude(&format!("{name} (and {unread} rows of versions that are not read)"), &tally, &ROWS);
    }
}

/// The recorded answers about whole files: `oracle.json`, beside the files or above them.
fn recorded_files(dir: &Path) -> BTreeMap<String, Value> {
    let places = [dir.join("oracle.json"), dir.join("kickstarts/oracle.json")];
    let Some(text) = places.iter().find_map(|place| std::fs::read_to_string(place).ok()) else {
        return BTreeMap::new();
    };
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let files = recorded["files"].as_object().into_iter().flatten();
    files.map(|(name, told)| (name.clone(), told["results"].clone())).collect()
}

#[test]
fn whole_files() {
    let Some(dir) = corpus() else {
        return;
    };
    let mut tally = Tally::default();
    for (name, results) in recorded_files(&dir) {
        let bytes = std::fs::read(dir.join("kickstarts").join(&name)).unwrap();
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        for (version, told) in results.as_object().into_iter().flatten() {
            let Ok(version) = version.parse::<Syntax>() else {
                continue;
            };
            let mut case = Case::new(version, text.clone(), Mode::Whole);
            case.includes = Includes::Ignored;
            case.file = Some(name.clone());
            tally.add(&case, &Answer::recorded(told), &Answer::ours(&case));
        }
    }
    conclude("kickstarts", &tally, &FILES);
}

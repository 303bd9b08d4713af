//! The recorded answers, where a corpus of them is at hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kickstart_parser::Syntax;
use serde_json::Value;

use super::answer::Answer;
use super::case::{Case, Includes, Mode};

/// Its place: `BOOTC_KS_CORPUS`, or `shared/corpus` beside the workspace.
pub fn place() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let dir = std::env::var_os("BOOTC_KS_CORPUS").map_or(beside, PathBuf::from);
    let whole = dir.join("oracle.json").is_file() && dir.join("kickstarts").is_dir();
    assert!(whole, "no corpus at {}: BOOTC_KS_CORPUS says where it is", dir.display());
    dir
}

/// The files with one question to a line.
pub fn row_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    assert!(!files.is_empty(), "no .jsonl in {}", dir.display());
    files
}

/// The lines of such a file.
pub fn rows(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A section that the program which recorded the answers had made up and registered: no
/// kickstart has it.
const MADE_UP_SECTION: &str = "%raw";

/// The questions and answers of one row; none for a version that is not read, and for what is
/// no kickstart.
pub fn cases_of_row(row: &Value) -> Vec<(Case, Answer)> {
    let made_up = |text: &str| text.lines().any(|line| line.split_whitespace().next() == Some(MADE_UP_SECTION));
    if row["input"].as_str().is_some_and(made_up) {
        return Vec::new();
    }
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

/// The questions and answers about whole files: `oracle.json`, beside the files or above them.
pub fn whole_files(dir: &Path) -> Vec<(Case, Answer)> {
    let places = [dir.join("oracle.json"), dir.join("kickstarts/oracle.json")];
    let Some(text) = places.iter().find_map(|place| std::fs::read_to_string(place).ok()) else {
        return Vec::new();
    };
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let files: BTreeMap<String, Value> = serde_json::from_value(recorded["files"].clone()).unwrap();
    files.iter().flat_map(|(name, told)| cases_of_file(dir, name, &told["results"])).collect()
}

fn cases_of_file(dir: &Path, name: &str, results: &Value) -> Vec<(Case, Answer)> {
    let bytes = std::fs::read(dir.join("kickstarts").join(name)).unwrap();
    // What is no UTF-8 is not read at all.
    let Ok(text) = String::from_utf8(bytes) else {
        return Vec::new();
    };
    let results = results.as_object().into_iter().flatten();
    results
        .filter_map(|(version, told)| Some((version.parse::<Syntax>().ok()?, told)))
        .map(|(version, told)| {
            let mut case = Case::new(version, text.clone(), Mode::Whole);
            case.includes = Includes::Ignored;
            case.file = Some(name.to_owned());
            (case, Answer::recorded(told))
        })
        .collect()
}

//! Random kickstarts, read by this crate and by the language's first implementation.
//!
//! ```text
//! BOOTC_KS_ONLY=raid           only these commands, or `all`; what differs is printed, nothing is asserted
//! BOOTC_KS_FUZZ_SEED=7         other kickstarts than usual; printed in any case
//! BOOTC_KS_FUZZ_SECONDS=60     as long as that instead of the usual number
//! ```
//!
//! with `cargo test -p kickstart-parser --test all -- --nocapture differential`. Half an
//! hour of it: `-- --ignored`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use crate::oracle::answer::Answer;
use crate::oracle::case::{Case, Includes, Mode};
use crate::oracle::compare::{Level, Tally, told};
use crate::oracle::corpus;
use crate::oracle::intended::{self, Seen};
use crate::oracle::process::Oracle;
use crate::oracle::random::Random;
use crate::oracle::{files, lines, minimise};
use kickstart_parser::Syntax;
use kickstart_parser::catalog::{self, CommandInfo};

/// How much is compared in an ordinary run: at most twenty seconds.
const LINES: usize = 9_000;
const FILES: usize = 1_500;
/// Kinds of differences that are made small and printed at most.
const SHOWN: usize = 60;
const SEED: u64 = 20;
/// Questions asked at once.
const BATCH: usize = 250;

/// When to stop.
#[derive(Clone, Copy)]
enum Until {
    Cases(usize),
    Time(Instant),
}

impl Until {
    fn reached(self, done: usize) -> bool {
        match self {
            Until::Cases(cases) => done >= cases,
            Until::Time(end) => Instant::now() >= end,
        }
    }
}

/// A class of disagreements, by what each side says.
struct Found {
    times: usize,
    level: Level,
    case: Case,
}

fn environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {value:?}")))
}

fn only() -> Vec<String> {
    let names = std::env::var("BOOTC_KS_ONLY").unwrap_or_default();
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Compare what `make` makes, print what differs, each class once and as
/// small as it gets; how many classes there are.
fn compare(name: &str, until: Until, oracle: &mut Oracle, mut make: impl FnMut() -> Case) -> usize {
    let (mut tally, mut found, mut done) = (Tally::default(), BTreeMap::<String, Found>::new(), 0);
    while !until.reached(done) {
        let cases: Vec<Case> = (0..BATCH).map(|_| make()).collect();
        for (case, theirs) in cases.iter().zip(oracle.ask(&cases)) {
            let ours = Answer::ours(case);
            tally.add(case, &theirs, &ours);
            for (level, class) in classes(case, &theirs, &ours) {
                let first = || Found { times: 0, level, case: case.clone() };
                found.entry(class).or_insert_with(first).times += 1;
            }
        }
        done += cases.len();
    }
    let mut text = String::new();
    for Found { times, level, case } in found.values().take(SHOWN) {
        let (case, theirs, ours) = minimise::minimise(case, *level, oracle);
        text += &format!("{times:>5} times: {}\n", told(*level, &case, &theirs, &ours));
    }
    text += &format!("{} kinds of differences\n", found.len());
    println!("{text}{}{}", tally.table(false), tally.summary(name));
    found.len()
}

/// The levels on which two answers differ without being meant to, and the kind of difference.
fn classes(case: &Case, theirs: &Answer, ours: &Answer) -> Vec<(Level, String)> {
    let differs = |level: &Level| {
        level.agrees(case, theirs, ours) == Some(false)
            && intended::find(&Seen { level: *level, case, theirs, ours }).is_none()
    };
    // Names and numbers aside, the same words are the same kind.
    let words = theirs.message.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic));
    let their_error = || format!("{} {:?}", theirs.error, words.clone().collect::<Vec<&str>>());
    let command = case.command.as_deref().unwrap_or("(file)");
    let class = |level: Level| {
        let kind = match level {
            // The parser that reports first is the one that the other does not agree with.
            Level::Line if theirs.line < ours.line => their_error(),
            Level::Line => ours.error.clone(),
            Level::Verdict => format!("{} {}", ours.error, their_error()),
            Level::Canonical => changed_option(theirs, ours),
            Level::Warnings => String::new(),
        };
        format!("{command} {} {kind}", level.name())
    };
    Level::ALL.into_iter().filter(differs).map(|level| (level, class(level))).collect()
}

/// The first option that is written differently.
fn changed_option(theirs: &Answer, ours: &Answer) -> String {
    let (Some(theirs), Some(ours)) = (&theirs.canonical, &ours.canonical) else {
        return String::new();
    };
    let differing = theirs.split_whitespace().zip(ours.split_whitespace()).find(|(a, b)| a != b);
    let name = |word: &str| word.split('=').next().unwrap_or("").to_owned();
    differing.map_or(String::new(), |(a, b)| format!("{} {}", name(a), name(b)))
}

fn version(random: &mut Random) -> Syntax {
    Syntax::ALL[random.below(Syntax::ALL.len())]
}

fn single_lines(seed: u64, until: Until, of: &[&CommandInfo], oracle: &mut Oracle) -> usize {
    let mut random = Random(seed);
    let name = format!("{} commands, seed {seed}", of.len());
    compare(&name, until, oracle, || {
        let command = random.pick(of);
        let mut case = Case::new(version(&mut random), lines::line(command, &mut random), Mode::Single);
        case.command = Some(command.name.to_owned());
        case
    })
}

fn files(seed: u64, until: Until, of: &[&CommandInfo], oracle: &mut Oracle) -> usize {
    let mut random = Random(seed);
    compare(&format!("files, seed {seed}"), until, oracle, || {
        let mut case = Case::new(version(&mut random), files::file(of, &mut random), Mode::Whole);
        case.includes = Includes::Ignored;
        case
    })
}

fn run(seed: u64, seconds: Option<u64>) {
    let mut oracle = Oracle::start();
    let (all, only) = (catalog::commands(), only());
    let chosen = |name: &str| only.is_empty() || only.iter().any(|o| o == name || o == "all");
    let commands: Vec<&CommandInfo> = all.iter().filter(|command| chosen(command.name)).collect();
    let until = |cases: usize| match seconds {
        None => Until::Cases(cases),
        Some(seconds) => Until::Time(Instant::now() + Duration::from_secs(seconds / 2)),
    };
    let in_lines = single_lines(seed, until(LINES), &commands, &mut oracle);
    let in_files = files(seed, until(FILES), &commands, &mut oracle);
    assert!(!only.is_empty() || in_lines + in_files == 0, "{in_lines} kinds of lines differ, {in_files} of files");
}

#[test]
fn random_kickstarts() {
    run(environment("BOOTC_KS_FUZZ_SEED").unwrap_or(SEED), environment("BOOTC_KS_FUZZ_SECONDS"));
}

#[test]
#[ignore = "half an hour"]
fn random_kickstarts_for_half_an_hour() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(SEED, |d| d.as_secs());
    run(environment("BOOTC_KS_FUZZ_SEED").unwrap_or(now), Some(environment("BOOTC_KS_FUZZ_SECONDS").unwrap_or(1800)));
}

/// The answers are those that were recorded: the same program, asked in the same way.
#[test]
#[ignore = "needs the corpus, which is not part of this repository"]
fn the_oracle_answers_as_the_corpus_has_it() {
    let (dir, mut oracle) = (corpus::place(), Oracle::start());
    let rows: Vec<_> = corpus::row_files(&dir).iter().flat_map(|file| corpus::rows(file)).collect();
    let of_rows = rows.iter().flat_map(corpus::cases_of_row);
    // Every eleventh: all commands and versions, and not all day.
    let asked: Vec<(Case, Answer)> = of_rows.chain(corpus::whole_files(&dir)).step_by(11).collect();
    let cases: Vec<Case> = asked.iter().map(|(case, _)| case.clone()).collect();
    for ((case, recorded), now) in asked.iter().zip(oracle.ask(&cases)) {
        for level in Level::ALL {
            let agrees = level.agrees(case, recorded, &now);
            assert!(agrees != Some(false), "{}", told(level, case, recorded, &now));
        }
    }
    assert!(cases.len() > 100, "only {} questions", cases.len());
}

/// Whole files of which the corpus has only the sum of the canonical text: all of it is compared.
#[test]
#[ignore = "wants the corpus, and asks pykickstart for each of its files"]
fn corpus_files_in_full() {
    let (dir, mut oracle) = (corpus::place(), Oracle::start());
    let cases: Vec<Case> = corpus::whole_files(&dir).into_iter().map(|(case, _)| case).collect();
    let mut tally = Tally::default();
    for (case, theirs) in cases.iter().zip(oracle.ask(&cases)) {
        tally.add(case, &theirs, &Answer::ours(case));
    }
    let only = only();
    let wanted = |command: &String| only.is_empty() || only.contains(command);
    for found in tally.disagreements.iter().filter(|found| wanted(&found.command)) {
        println!("{}", found.told);
    }
    println!("{}{}", tally.reasons(), tally.summary("kickstarts"));
    assert!(cases.len() > 100, "only {} files", cases.len());
    assert!(tally.disagreements.is_empty(), "{} files differ", tally.disagreements.len());
}

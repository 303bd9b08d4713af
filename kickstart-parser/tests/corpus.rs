//! The verdicts of the language's first implementation, where a corpus of
//! them is at hand: `BOOTC_KS_CORPUS`, or `shared/corpus` beside the
//! workspace. Nothing of it is part of this repository.

// Tests may stop where they stand; the lint knows only functions marked as such.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use kickstart_parser::{ParseOptions, Syntax, parse};
use serde_json::Value;

/// The commands that are compared; the others are refused by name.
const COMMANDS: &[&str] = &[
    "autopart",
    "bootloader",
    "clearpart",
    "cmdline",
    "eula",
    "firstboot",
    "graphical",
    "halt",
    "ignoredisk",
    "keyboard",
    "lang",
    "network",
    "ostreecontainer",
    "part",
    "partition",
    "poweroff",
    "reboot",
    "reqpart",
    "rootpw",
    "selinux",
    "shutdown",
    "sshkey",
    "text",
    "timezone",
    "user",
    "zerombr",
];

fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let dir = std::env::var_os("BOOTC_KS_CORPUS").map_or(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    // Past the capture of test output: a comparison that did not take place
    // must not look like one that went well.
    let notice = format!("\nNO CORPUS at {}: verdicts were NOT compared\n\n", dir.display());
    let _ = std::io::stderr().write_all(notice.as_bytes());
    None
}

#[derive(Default)]
struct Count {
    same: usize,
    stricter: usize,
    laxer: usize,
    line_same: usize,
    line_differs: usize,
}

fn rows(file: &str) -> Vec<Value> {
    let Some(dir) = corpus() else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(dir.join(file)).unwrap_or_default();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn compare(row: &Value, expected: &Value, counts: &mut BTreeMap<String, Count>) {
    let command = row["command"].as_str().unwrap_or("");
    let Ok(syntax) = row["version"].as_str().unwrap_or("").parse::<Syntax>() else {
        return;
    };
    let input = row["input"].as_str().unwrap_or("");
    let options = ParseOptions { syntax: Some(syntax), ..ParseOptions::default() };
    let parsed = parse(input, "input.ks", &options);
    // `L` codes are ours alone, except the conflicts that the language has too.
    let first = parsed.diagnostics.iter().find(|d| d.code.starts_with('E') || d.code == "L002");
    let ok = expected["ok"].as_bool().unwrap_or(false);
    let count = counts.entry(command.to_owned()).or_default();
    match (ok, first) {
        (true, None) => count.same += 1,
        (false, Some(d)) => {
            count.same += 1;
            // A command by itself has no line: 0.
            if let Some(line) = expected["error"]["line"].as_u64().filter(|l| *l > 0) {
                if line as usize == parsed.sources.locate(d.span).line {
                    count.line_same += 1;
                } else {
                    count.line_differs += 1;
                }
            }
        }
        (true, Some(d)) => {
            count.stricter += 1;
            println!("stricter {syntax} {input:?}: {} {}", d.code, d.message);
        }
        (false, None) => {
            count.laxer += 1;
            println!("laxer {syntax} {input:?}: {}", expected["error"]["class"]);
        }
    }
}

fn agreement(file: &str, expectation: &str) -> (usize, usize) {
    let mut counts = BTreeMap::new();
    for row in rows(file) {
        let command = row["command"].as_str().unwrap_or("");
        if COMMANDS.contains(&command) && !row[expectation].is_null() {
            compare(&row, &row[expectation], &mut counts);
        }
    }
    let (mut same, mut all) = (0, 0);
    for (command, c) in &counts {
        println!(
            "{command:16} same {:4} stricter {:3} laxer {:3}, first line same {} differs {}",
            c.same, c.stricter, c.laxer, c.line_same, c.line_differs
        );
        same += c.same;
        all += c.same + c.stricter + c.laxer;
    }
    println!("{file}: {same} of {all} verdicts agree");
    (same, all)
}

#[test]
fn verdicts_of_single_commands() {
    for (file, expectation) in [("pykickstart-cross.jsonl", "expect"), ("pykickstart-cases.jsonl", "expect_file")] {
        let (same, all) = agreement(file, expectation);
        assert!(same * 100 >= all * 99, "{file}: {same} of {all}");
    }
}

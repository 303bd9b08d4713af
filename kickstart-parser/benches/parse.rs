//! The stop watch of `tools/bench-parser`: parses files and says how long it took.
//!
//! `parse time FILE…` prints the seconds that one pass over all files takes (reading them is
//! not part of it), `parse once FILE` parses a file once, for measuring memory.

// A measurement that cannot be made may stop where it stands, and says its result.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use kickstart_parser::{ParseOptions, parse};

/// One pass may be over in microseconds; this much is measured at least.
const LONG_ENOUGH: Duration = Duration::from_millis(500);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let Some((what, files)) = arguments.split_first() else {
        println!("usage: parse time FILE… | parse peak FILE");
        return;
    };
    let texts: Vec<String> = files.iter().map(|file| text(std::fs::read(file).unwrap())).collect();
    match what.as_str() {
        "time" => println!("{:.9}", seconds(&texts)),
        _ => {
            black_box(pass(&texts));
            println!("{}", peak());
        }
    }
}

/// As text, in the memory where it is, if it is text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The kernel's account of this process's memory, at its highest.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Parses everything; the number of findings, so that nothing is optimised away.
fn pass(texts: &[String]) -> usize {
    let options = ParseOptions::default();
    texts.iter().map(|text| black_box(parse(black_box(text), "a.ks", &options)).diagnostics.len()).sum()
}

/// The best of many passes: what else the machine does only ever adds.
fn seconds(texts: &[String]) -> f64 {
    let begin = Instant::now();
    let mut best = Duration::MAX;
    while begin.elapsed() < LONG_ENOUGH || best == Duration::MAX {
        let start = Instant::now();
        black_box(pass(texts));
        best = best.min(start.elapsed());
    }
    best.as_secs_f64()
}

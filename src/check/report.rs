//! The findings in the flat form that every machine-readable format begins with.

use std::collections::{HashMap, HashSet};

use kickstart_parser::{Diagnostic, Location, Parsed, ResolvedDiagnostic, Sources, Syntax, codes};
use serde::Serialize;

use super::checked::Checked;

/// The whole report, version 1.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    files: Vec<FileReport<'a>>,
}

#[derive(Serialize)]
struct FileReport<'a> {
    path: &'a str,
    /// The version the file was read as; null if it could not be read.
    syntax: Option<&'static str>,
    diagnostics: Vec<ResolvedDiagnostic>,
}

/// One JSON document for all files.
pub fn json(checked: &[(String, Checked)], syntax: Option<Syntax>) -> anyhow::Result<String> {
    let files = checked
        .iter()
        .map(|(path, file)| match file {
            Checked::Parsed(parsed) => {
                FileReport { path, syntax: Some(parsed.syntax.name()), diagnostics: resolved(parsed) }
            }
            Checked::Unreadable(reason) => {
                FileReport { path, syntax: syntax.map(Syntax::name), diagnostics: vec![unreadable(path, reason)] }
            }
        })
        .collect();
    pretty(&Report { schema: 1, files })
}

/// A JSON text that ends in a line end.
pub fn pretty(value: &impl Serialize) -> anyhow::Result<String> {
    use anyhow::Context;
    let mut out = serde_json::to_string_pretty(value).context("writing the report")?;
    out.push('\n');
    Ok(out)
}

fn resolved(parsed: &Parsed) -> Vec<ResolvedDiagnostic> {
    parsed.diagnostics.iter().map(|d| d.resolve(&parsed.sources)).collect()
}

/// The finding that there is nothing to look at.
pub fn unreadable(path: &str, reason: &str) -> ResolvedDiagnostic {
    ResolvedDiagnostic::of_file(&codes::UNREADABLE_FILE, path, reason)
}

/// A finding with what other tools want to know of it.
pub struct Finding {
    /// What and where.
    pub flat: ResolvedDiagnostic,
    /// Further places, and what is there.
    pub related: Vec<(Location, String)>,
    /// The same for the same finding in a later version of the file: lines
    /// may have moved, but not changed.
    pub fingerprint: String,
}

/// Every finding once, though a file may be included by several.
pub fn findings(checked: &[(String, Checked)]) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    let mut times: HashMap<String, usize> = HashMap::new();
    let mut add = |flat: ResolvedDiagnostic, related, line: &str| {
        if !seen.insert((flat.code, flat.path.clone(), flat.line, flat.column, flat.message.clone())) {
            return;
        }
        let text = [flat.code, &flat.path, &flat.message, line.trim()].join("\0");
        let nth = times.entry(text.clone()).or_default();
        let fingerprint = format!("{:032x}", fnv(format!("{text}\0{nth}").as_bytes()));
        *nth += 1;
        all.push(Finding { flat, related, fingerprint });
    };
    for (path, file) in checked {
        match file {
            Checked::Unreadable(reason) => add(unreadable(path, reason), Vec::new(), ""),
            Checked::Parsed(parsed) => {
                for diagnostic in &parsed.diagnostics {
                    let line = shown_line(diagnostic, &parsed.sources);
                    add(diagnostic.resolve(&parsed.sources), related(diagnostic, &parsed.sources), &line);
                }
            }
        }
    }
    all
}

/// The line that a finding begins on, without its passwords.
fn shown_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let start = kickstart_parser::Span { end: diagnostic.span.start, ..diagnostic.span };
    sources.get(start.source).map_or_else(String::new, |s| s.shown(s.lines_around(start).0))
}

fn related(diagnostic: &Diagnostic, sources: &Sources) -> Vec<(Location, String)> {
    let labels = diagnostic.labels.iter().map(|label| (sources.locate(label.span), label.message.clone()));
    let chain = sources.include_chain(diagnostic.span).into_iter().map(|at| (at, "included from here".to_owned()));
    labels.chain(chain).collect()
}

/// FNV-1a, 128 bits: short, stable, and not security relevant here.
fn fnv(bytes: &[u8]) -> u128 {
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, step)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_fnv() {
        assert_eq!(super::fnv(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}

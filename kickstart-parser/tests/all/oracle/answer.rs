//! What is said about a text, by either side, in the form that is compared.

use std::collections::BTreeSet;

use kickstart_parser::{Diagnostic, ParseOptions, Parsed, parse};
use serde_json::Value;

use super::case::{Case, Includes, Mode};

/// What one side says.
#[derive(Clone, Default, Debug)]
pub struct Answer {
    pub ok: bool,
    /// The line of the first error, if that is told.
    pub line: Option<usize>,
    /// The text written back in its canonical form, if that is told.
    pub canonical: Option<String>,
    /// Of the canonical text, where that itself is not told.
    pub canonical_sha256: Option<String>,
    /// Lines with something deprecated.
    pub deprecated: BTreeSet<usize>,
    /// Something is deprecated, but no line is told.
    pub deprecated_somewhere: bool,
    /// Something is defined twice.
    pub duplicate: bool,
    /// What the first error is: a code, or the class of an exception.
    pub error: String,
    /// The error in words, for people.
    pub message: String,
}

impl Answer {
    /// A recorded answer. A command by itself has the line 0.
    pub fn recorded(told: &Value) -> Answer {
        let error = if told["error"].is_null() { &told["first_error"] } else { &told["error"] };
        let mut answer = Answer {
            ok: told["ok"].as_bool().unwrap_or(false),
            line: error["line"].as_u64().filter(|line| *line > 0).map(|line| line as usize),
            canonical: told["canonical"].as_str().map(str::to_owned),
            canonical_sha256: told["canonical_sha256"].as_str().map(str::to_owned),
            error: text(&error["class"]),
            message: text(&error["message"]),
            ..Answer::default()
        };
        for warning in told["warnings"].as_array().into_iter().flatten() {
            let message = text(&warning["message"]);
            match (warning["class"].as_str(), number_of_line(&message)) {
                (Some("KickstartDeprecationWarning"), Some(line)) => {
                    answer.deprecated.insert(line.max(1));
                }
                (Some("KickstartDeprecationWarning"), None) => answer.deprecated_somewhere = true,
                _ => answer.duplicate |= message.ends_with("has already been defined."),
            }
        }
        answer
    }

    /// What this crate says.
    pub fn ours(case: &Case) -> Answer {
        let options = ParseOptions { syntax: Some(case.version), loader: Some(case) };
        let parsed = parse(&case.text, "input.ks", &options);
        let lines = |codes: &[&str]| {
            let those = parsed.diagnostics.iter().filter(|d| codes.contains(&d.code));
            those.map(|d| parsed.sources.locate(d.span).line).collect::<BTreeSet<usize>>()
        };
        let mut answer = Answer {
            ok: true,
            canonical: Some(canonical(&parsed, case)),
            deprecated: lines(&["W101", "W201"]),
            duplicate: !lines(&["L001", "L007", "L008", "L012"]).is_empty(),
            ..Answer::default()
        };
        let passed_over = |code: &str| match code {
            "E003" => !case.unknown_section_is_error,
            "E013" => matches!(case.includes, Includes::Ignored),
            _ => false,
        };
        let counts = |d: &&Diagnostic| is_language_error(d.code) && d.is_error() && !passed_over(d.code);
        if let Some(first) = parsed.diagnostics.iter().find(counts) {
            answer.ok = false;
            answer.line = Some(parsed.sources.locate(first.span).line);
            answer.error = first.code.to_owned();
            answer.message = first.message.clone();
        }
        answer
    }
}

/// Whether a code is an error of the language: what is only refused here, and
/// the checks across commands that the language does not make, are not.
fn is_language_error(code: &str) -> bool {
    code.starts_with('E') || code == "L002"
}

/// The canonical text, without the lines that say who wrote it.
fn canonical(parsed: &Parsed, case: &Case) -> String {
    let text = parsed.kickstart.to_pykickstart(case.version);
    let lines = text.split('\n').filter(|line| !line.starts_with("# Generated") && !line.starts_with("#version="));
    lines.collect::<Vec<&str>>().join("\n")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// The number in "on line 7".
fn number_of_line(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once(" on line ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// What is compared of a canonical text: all of it, for a file. For a single
/// command neither the comments nor the boot loader's line that is always there.
pub fn comparable(canonical: &str, case: &Case) -> String {
    if case.mode == Mode::Whole {
        return canonical.to_owned();
    }
    let lines = canonical.lines().map(str::trim_end);
    let wanted: Vec<&str> = lines
        // "None" is what a deprecated command is recorded as.
        .filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "None")
        .filter(|line| *line != "bootloader --location=none" || case.command.as_deref() == Some("bootloader"))
        .collect();
    wanted.join("\n")
}

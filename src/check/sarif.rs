//! SARIF 2.1.0, which code scanning services and editors read.

use std::collections::BTreeSet;

use kickstart_parser::{Location, ResolvedFix, Severity};
use serde_json::{Value, json};

use super::report::{Finding, pretty};
use crate::explain;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One log with one run.
pub fn sarif(findings: &[Finding]) -> anyhow::Result<String> {
    let used: Vec<&str> = findings.iter().map(|f| f.flat.code).collect::<BTreeSet<_>>().into_iter().collect();
    let rules: Vec<Value> = used.iter().filter_map(|id| rule(id)).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &used)).collect();
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(id: &str) -> Option<Value> {
    let code = explain::find(id)?;
    let page = explain::page(code);
    Some(json!({
        "id": code.id,
        "name": name(code.title),
        "shortDescription": { "text": code.title },
        "fullDescription": { "text": code.explanation },
        "help": { "text": page, "markdown": page },
        "helpUri": explain::link(code),
        "defaultConfiguration": { "level": level(code.severity) },
    }))
}

/// `unclosed quote` as `UnclosedQuote`.
fn name(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..])).collect()
}

fn result(finding: &Finding, used: &[&str]) -> Value {
    let flat = &finding.flat;
    let place = Location {
        path: flat.path.clone(),
        line: flat.line,
        column: flat.column,
        end_line: flat.end_line,
        end_column: flat.end_column,
    };
    let message = match &flat.help {
        Some(help) => format!("{}\n{help}", flat.message),
        None => flat.message.clone(),
    };
    let mut result = json!({
        "ruleId": flat.code,
        "ruleIndex": used.iter().position(|id| *id == flat.code),
        "level": level(flat.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": physical(&place) }],
        "partialFingerprints": { "lineHash/v1": finding.fingerprint },
    });
    if !finding.related.is_empty() {
        let related = finding.related.iter().enumerate().map(|(n, (at, message))| {
            json!({ "id": n + 1, "message": { "text": message }, "physicalLocation": physical(at) })
        });
        result["relatedLocations"] = related.collect();
    }
    if let Some(fix) = &flat.fix {
        result["fixes"] = json!([fix_of(fix)]);
    }
    result
}

fn physical(at: &Location) -> Value {
    json!({ "artifactLocation": { "uri": uri(&at.path) }, "region": region(at.line, at.column, at.end_line, at.end_column) })
}

fn region(line: usize, column: usize, end_line: usize, end_column: usize) -> Value {
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

fn fix_of(fix: &ResolvedFix) -> Value {
    let files: BTreeSet<&str> = fix.edits.iter().map(|edit| edit.path.as_str()).collect();
    let changes = files.into_iter().map(|path| {
        let replacements = fix.edits.iter().filter(|edit| edit.path == path).map(|edit| {
            json!({
                "deletedRegion": region(edit.line, edit.column, edit.end_line, edit.end_column),
                "insertedContent": { "text": edit.replacement },
            })
        });
        json!({ "artifactLocation": { "uri": uri(path) }, "replacements": replacements.collect::<Vec<_>>() })
    });
    json!({ "description": { "text": fix.description }, "artifactChanges": changes.collect::<Vec<_>>() })
}

/// A path as a URI, relative if the path is; a URL stays what it is.
fn uri(path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let escaped: String =
        path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    if path.starts_with('/') { format!("file://{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris_and_titles_names() {
        assert_eq!(uri("a b/č.ks"), "a%20b/%C4%8D.ks");
        assert_eq!(uri("/etc/a.ks"), "file:///etc/a.ks");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
        assert_eq!(uri("http://h/x y"), "http://h/x y");
        assert_eq!(name("%end without a section"), "EndWithoutASection");
    }
}

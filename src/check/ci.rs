//! What GitHub and GitLab show beside the lines of a merge request.

use kickstart_parser::Severity;
use serde_json::json;

use super::report::{Finding, pretty};

/// Workflow commands of GitHub Actions.
pub fn github(findings: &[Finding]) -> String {
    findings.iter().map(workflow_command).collect()
}

fn workflow_command(finding: &Finding) -> String {
    let flat = &finding.flat;
    let command = match flat.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut place = format!("file={},line={},col={}", property(&flat.path), flat.line, flat.column);
    place.push_str(&format!(",endLine={}", flat.end_line));
    // The end column counts on the first line only.
    if flat.end_line == flat.line && flat.end_column > flat.column {
        place.push_str(&format!(",endColumn={}", flat.end_column - 1));
    }
    let help = flat.help.iter().map(|help| format!("\n{help}"));
    let message: String = std::iter::once(flat.message.clone()).chain(help).collect();
    format!("::{command} {place},title={}::{}\n", property(flat.code), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A Code Quality report of GitLab.
pub fn gitlab(findings: &[Finding]) -> anyhow::Result<String> {
    let issues: Vec<_> = findings
        .iter()
        .map(|finding| {
            let flat = &finding.flat;
            json!({
                "description": flat.message,
                "check_name": flat.code,
                "fingerprint": finding.fingerprint,
                "severity": match flat.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "minor",
                    Severity::Info => "info",
                },
                "location": { "path": flat.path, "lines": { "begin": flat.line, "end": flat.end_line } },
            })
        })
        .collect();
    pretty(&issues)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("50% a:b,c\r\n"), "50%25 a:b,c%0D%0A");
        assert_eq!(property("C:\\a,b%.ks"), "C%3A\\a%2Cb%25.ks");
    }
}

//! What is wrong with a document, exactly as `bootc-ks check` says it.

use gen_lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Message,
    PublishDiagnosticsParams, Uri,
};
use installer_core::request::CODES;
use kickstart_parser::{Diagnostic as Finding, Severity, SourceId, codes};

use super::places::Places;
use super::state::State;

/// More findings than a person reads make an editor slow.
const MOST: usize = 1000;

/// Findings that are better shown as "deprecated".
const DEPRECATED: &[&str] = &["W101", "W201"];
/// Findings about what could as well be left out.
const NO_EFFECT: &[&str] = &["R002", "W301", "W302"];

/// Findings about what is nowhere: of a part, they are for the whole to make.
const MISSING: &[&str] = &["L003", "L004", "L005", "L006"];

/// Everything that is wrong with a document.
pub fn publication(state: &mut State, uri: &str) -> Option<PublishDiagnosticsParams> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let places = Places::new(state, document, &parsed);
    let part = state.is_included(document);
    let findings =
        parsed.diagnostics.iter().filter(|finding| !(finding.allowed || part && MISSING.contains(&finding.code)));
    let diagnostics = findings.take(MOST).map(|finding| diagnostic(finding, &places)).collect();
    Some(PublishDiagnosticsParams { uri: document.uri.clone(), version: Some(document.version), diagnostics })
}

/// A document that is closed has nothing wrong with it.
pub fn nothing(uri: Uri) -> PublishDiagnosticsParams {
    PublishDiagnosticsParams { uri, version: None, diagnostics: Vec::new() }
}

/// A finding in the editor's terms. One in an included file stands where that is included.
pub fn diagnostic(finding: &Finding, places: &Places<'_>) -> Diagnostic {
    let included = finding.span.source != SourceId::ROOT;
    let mut message = finding.message.clone();
    if included {
        message = format!("in the included file: {message}");
    }
    if let Some(help) = &finding.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let own = included.then_some((finding.span, "here"));
    let labels = finding.labels.iter().map(|label| (label.span, label.message.as_str()));
    let related: Vec<DiagnosticRelatedInformation> = own
        .into_iter()
        .chain(labels)
        .filter_map(|(span, message)| {
            let location = places.location(span)?;
            Some(DiagnosticRelatedInformation { location, message: message.to_owned() })
        })
        .collect();
    Diagnostic {
        range: places.range(places.in_document(finding.span)),
        severity: Some(severity(finding.severity)),
        code: Some(Code::String(finding.code.to_owned())),
        code_description: description(finding.code),
        source: Some("bootc-ks".to_owned()),
        message: Message::String(message),
        tags: tag(finding.code).map(|tag| vec![tag]),
        related_information: Some(related).filter(|related| !related.is_empty()),
        data: None,
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Info => DiagnosticSeverity::Information,
    }
}

fn tag(code: &str) -> Option<DiagnosticTag> {
    if DEPRECATED.contains(&code) {
        Some(DiagnosticTag::Deprecated)
    } else if NO_EFFECT.contains(&code) {
        Some(DiagnosticTag::Unnecessary)
    } else {
        None
    }
}

/// The page that explains a code.
fn description(id: &str) -> Option<CodeDescription> {
    let code = codes::find(id).or_else(|| CODES.iter().copied().find(|code| code.id == id))?;
    let title = format!("{}: {}", code.id, code.title).to_lowercase();
    let anchor: String = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect();
    let page = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/diagnostics.md");
    Some(CodeDescription { href: Uri(format!("{page}#{}", anchor.replace(' ', "-"))) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_an_entry_for_every_code() {
        let page = include_str!("../../docs/diagnostics.md");
        let anchors: Vec<String> = page
            .lines()
            .filter_map(|line| line.strip_prefix("### "))
            .map(str::to_lowercase)
            .map(|title| title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>())
            .map(|title| title.replace(' ', "-"))
            .collect();
        for code in codes::ALL.iter().chain(CODES) {
            let href = description(code.id).unwrap().href.0;
            let (_, anchor) = href.split_once('#').unwrap();
            assert!(anchors.iter().any(|a| a == anchor), "{anchor}");
        }
        assert_eq!(description("X999"), None);
    }
}

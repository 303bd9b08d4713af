//! What can be done about what is wrong: the remedies that `bootc-ks check --fix` applies,
//! one by one or all at once, and the comments that allow a finding.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use gen_lsp_types::{
    Code, CodeAction, CodeActionContext, CodeActionKind, CodeActionTriggerKind, Diagnostic, Range, TextEdit, Uri,
    WorkspaceEdit,
};
use installer_core::request::CODES;
use kickstart_parser::{Diagnostic as Finding, File, Fix, Line, LineKind, Parsed, SourceId, Span, codes};

use super::diagnostics::diagnostic;
use super::places::Places;
use super::state::State;
use crate::check::fix::take;

/// The kind of the action that applies every fix.
pub const FIX_ALL: &str = "source.fixAll.bootc-ks";

/// Findings about the comments that allow: no comment silences them.
const ABOUT_COMMENTS: &[&str] = &[codes::ALLOW_UNKNOWN.id, codes::ALLOW_UNUSED.id];

/// What can be done about the findings that the editor shows on the lines of a range.
pub fn actions(state: &mut State, uri: &str, range: Range, context: &CodeActionContext) -> Option<Vec<CodeAction>> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let places = Places::new(state, document, &parsed);
    let mut actions = Vec::new();
    if wanted(context, "quickfix") {
        let shown = shown(&parsed, &places, range, context);
        actions.extend(shown.iter().filter_map(|shown| fix(shown, &parsed, &places)));
        actions.extend(allowances(&shown, &parsed, &places));
    }
    // It may be long, and a light bulb is no place to look for it.
    let unasked = context.only.is_none() && context.trigger_kind == Some(CodeActionTriggerKind::Automatic);
    if wanted(context, FIX_ALL) && !unasked {
        actions.extend(fix_all(&parsed, &places, &document.path));
    }
    Some(actions)
}

/// Whether the editor wants actions of a kind: of all kinds, or of one that this is or belongs to.
fn wanted(context: &CodeActionContext, kind: &str) -> bool {
    let belongs = |wish: &CodeActionKind| {
        let wish = String::from(wish.clone());
        kind.strip_prefix(&wish).is_some_and(|rest| wish.is_empty() || rest.is_empty() || rest.starts_with('.'))
    };
    context.only.as_ref().is_none_or(|only| only.iter().any(belongs))
}

/// A finding, and how the editor shows it.
struct Shown<'a> {
    finding: &'a Finding,
    diagnostic: Diagnostic,
}

/// The findings that the editor shows on the lines of the range. Whole lines, because some
/// editors ask with the place of the cursor about everything on its line.
fn shown<'a>(parsed: &'a Parsed, places: &Places<'_>, range: Range, context: &CodeActionContext) -> Vec<Shown<'a>> {
    let known: HashSet<(&str, Range)> = context
        .diagnostics
        .iter()
        .filter_map(|diagnostic| match &diagnostic.code {
            Some(Code::String(code)) => Some((code.as_str(), diagnostic.range)),
            _ => None,
        })
        .collect();
    let here = |finding: &&Finding| {
        let at = places.range(places.in_document(finding.span));
        at.start.line <= range.end.line && range.start.line <= at.end.line && known.contains(&(finding.code, at))
    };
    let found = parsed.diagnostics.iter().filter(here);
    found.map(|finding| Shown { finding, diagnostic: diagnostic(finding, places) }).collect()
}

/// The remedy of a finding, if it has one and an editor can reach the place.
fn fix(shown: &Shown<'_>, parsed: &Parsed, places: &Places<'_>) -> Option<CodeAction> {
    let Fix { description, edits } = shown.finding.fix.as_ref()?;
    let edit = workspace_edit(edits.iter().map(|(span, new)| (*span, new.as_str())), places)?;
    let file = elsewhere(shown.finding.span, parsed);
    let action = quick_fix(format!("{description}{file}"), shown, edit);
    Some(CodeAction { is_preferred: Some(true), ..action })
}

fn quick_fix(title: String, shown: &Shown<'_>, edit: WorkspaceEdit) -> CodeAction {
    CodeAction {
        title,
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![shown.diagnostic.clone()]),
        edit: Some(edit),
        ..CodeAction::default()
    }
}

/// The name of a file that is not the document, for a title.
fn elsewhere(span: Span, parsed: &Parsed) -> String {
    match parsed.sources.get(span.source) {
        Some(source) if span.source != SourceId::ROOT => {
            format!(" in {}", source.path().rsplit('/').next().unwrap_or(""))
        }
        _ => String::new(),
    }
}

/// Edits by document; `None` if one of them is where no editor can write.
fn workspace_edit<'a>(edits: impl Iterator<Item = (Span, &'a str)>, places: &Places<'_>) -> Option<WorkspaceEdit> {
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for (span, new) in edits {
        let at = places.location(span)?;
        if ["http:", "https:", "ftp:"].iter().any(|scheme| at.uri.0.starts_with(scheme)) {
            return None;
        }
        changes.entry(at.uri).or_default().push(TextEdit { range: at.range, new_text: new.to_owned() });
    }
    Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() })
}

/// Every fix of the document itself that does not touch another one, as a round of
/// `check --fix` chooses them.
fn fix_all(parsed: &Parsed, places: &Places<'_>, path: &str) -> Option<CodeAction> {
    let mut taken = HashMap::new();
    let own = |fix: &&Fix| fix.edits.iter().all(|(span, _)| span.source == SourceId::ROOT);
    for fix in parsed.diagnostics.iter().filter_map(|finding| finding.fix.as_ref()).filter(own) {
        take(fix, &vec![PathBuf::from(path); fix.edits.len()], &mut taken);
    }
    let (_, (_, edits)) = taken.iter().next()?;
    let edits = edits.iter().map(|((start, end), new)| {
        let span = Span { source: SourceId::ROOT, start: *start, end: *end };
        (span, new.as_str())
    });
    Some(CodeAction {
        title: "fix everything that is certain".to_owned(),
        kind: Some(CodeActionKind::Custom(FIX_ALL.into())),
        edit: Some(workspace_edit(edits, places)?),
        ..CodeAction::default()
    })
}

/// The comments that allow the findings; several findings of a kind on a line need but one.
fn allowances(shown: &[Shown<'_>], parsed: &Parsed, places: &Places<'_>) -> Vec<CodeAction> {
    let files: HashMap<SourceId, Lines<'_>> =
        parsed.document.files.iter().map(|file| (file.source, Lines::of(file))).collect();
    let mut actions: Vec<CodeAction> = Vec::new();
    let mut known: HashMap<(&str, Span), usize> = HashMap::new();
    for one in shown.iter().filter(|one| can_be_allowed(one.finding.code)) {
        let lines = files.get(&one.finding.span.source);
        let Some(comment) = lines.and_then(|lines| comment(one.finding, lines, parsed)) else {
            continue;
        };
        if let Some(same) = known.get(&(one.finding.code, comment.at)).and_then(|at| actions.get_mut(*at)) {
            same.diagnostics.get_or_insert_default().push(one.diagnostic.clone());
        } else if let Some(edit) = workspace_edit([(comment.at, comment.text.as_str())].into_iter(), places) {
            known.insert((one.finding.code, comment.at), actions.len());
            actions.push(quick_fix(comment.title, one, edit));
        }
    }
    actions
}

fn can_be_allowed(id: &str) -> bool {
    let code = codes::find(id).or_else(|| CODES.iter().copied().find(|code| code.id == id));
    // An error is better corrected; that it can be allowed is for those who know.
    code.is_some_and(|code| code.installs_if_allowed()) && !ABOUT_COMMENTS.contains(&id)
}

/// The lines of a file, and the first that is no comment, where a comment would be one of
/// the kickstart: `%include` inside a section brings in lines of the section.
struct Lines<'a> {
    all: &'a [Line],
    top: Option<usize>,
}

impl Lines<'_> {
    fn of(file: &File) -> Lines<'_> {
        let top = file.lines.iter().position(|line| line.kind != LineKind::Comment);
        let in_section = |line: &usize| matches!(file.lines[*line].kind, LineKind::Body | LineKind::SectionEnd);
        Lines { all: &file.lines, top: top.filter(|line| !in_section(line)) }
    }
}

/// A comment to be written.
struct Comment {
    title: String,
    /// An empty span, where it goes.
    at: Span,
    text: String,
}

/// The comment that allows a finding: on the line above it, or near the top of the file if
/// the finding is about no one line, or about one that no comment can stand above.
fn comment(finding: &Finding, lines: &Lines<'_>, parsed: &Parsed) -> Option<Comment> {
    let (code, place) = (finding.code, elsewhere(finding.span, parsed));
    let at = lines.all.partition_point(|line| line.span.start <= finding.span.start).checked_sub(1)?;
    let is_target = matches!(lines.all[at].kind, LineKind::Command | LineKind::SectionStart | LineKind::Broken);
    // The mark stays in the first line, whatever comes behind it.
    let about_line = is_target && !finding.span.is_empty() && code != codes::BYTE_ORDER_MARK.id;
    let (line, title, text) = if about_line {
        (at, format!("allow {code} here{place}"), format!("# bootc-ks: allow({code})"))
    } else {
        // Behind the comments that a file begins with, `#version=` among them.
        (lines.top?, format!("allow {code} in the whole file{place}"), format!("# bootc-ks: allow-file({code})"))
    };
    let below = lines.all[line];
    let content = parsed.sources.slice(below.span);
    let mark = if content.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let content = content.get(mark..)?;
    let indent = &content[..content.len() - content.trim_start_matches([' ', '\t']).len()];
    // The line end of this line or, if it is the last and has none, of the one before.
    let before = line.checked_sub(1).map(|before| lines.all[before].terminator);
    let ends = [Some(below.terminator), before].map(|end| end.map_or("", |end| parsed.sources.slice(end)));
    let end = if ends.iter().find(|end| !end.is_empty()) == Some(&"\r\n") { "\r\n" } else { "\n" };
    let start = below.span.start + mark as u32;
    Some(Comment { title, at: Span { start, end: start, ..below.span }, text: format!("{indent}{text}{end}") })
}

//! What must hold for every text, as functions that panic where it does not.
//!
//! Each is a fuzz target; `tests/all/robust.rs` runs the same functions with the stable compiler,
//! on texts of its own making.

use std::collections::{BTreeMap, BTreeSet};

use kickstart_parser::convert::convert as convert_text;
use kickstart_parser::format::{flatten as flat, format as format_file};
use kickstart_parser::{Fix, Kickstart, ParseOptions, Parsed, SourceId, Span, Statement, Syntax, parse as parse_text};

/// One kickstart without a loader.
pub fn parse(text: &str) {
    sound(&read(text));
}

/// Separates the kickstart and the files that it may include, which are called `a`, `b`, …
pub const NEXT_FILE: char = '\u{1}';

/// A kickstart and its includes.
pub fn include(text: &str) {
    let (root, files) = split(text);
    sound(&parse_text(root, "x.ks", &ParseOptions { syntax: None, loader: Some(&files) }));
}

/// The canonical form is its own canonical form, and says the same.
pub fn format(text: &str) {
    let before = read(text);
    let Ok(once) = format_file(&before, SourceId::ROOT) else {
        return;
    };
    let after = read_as(&once, before.syntax);
    assert_eq!(meaning(&before), meaning(&after), "{text:?}\n{once:?}");
    let twice = format_file(&after, SourceId::ROOT).expect("what was formatted once can be again");
    assert_eq!(once, twice, "{text:?}");
}

/// The flat text has no includes left that were there, and says the same.
pub fn flatten(text: &str) {
    let (root, files) = split(text);
    let before = parse_text(root, "x.ks", &ParseOptions { syntax: None, loader: Some(&files) });
    if let Ok(text) = flat(&before) {
        let after = read_as(&text, before.syntax);
        assert_eq!(meaning(&before), meaning(&after), "{root:?} {files:?}\n{text:?}");
    }
}

/// Whatever a text becomes in another version, it is that version's own.
pub fn convert(text: &str) {
    // Which version: any, but for a text always the same.
    let to = Syntax::ALL[text.len() % Syntax::ALL.len()];
    let once = convert_text(text, None, to);
    let last = text.split('\n').count() * 2 + 1;
    assert!(once.notes.iter().all(|note| note.line <= text.len() + last));
    let twice = convert_text(&once.text, None, to);
    assert_eq!(once.text, twice.text, "{text:?}");
    sound(&read(&once.text));
}

/// pykickstart's form can be written in every version, and be read, though quotes may be lost.
pub fn canonical(text: &str) {
    let parsed = read(text);
    for syntax in [parsed.syntax, Syntax::ALL[text.len() % Syntax::ALL.len()]] {
        read_as(&parsed.kickstart.to_pykickstart(syntax), syntax);
    }
}

/// Fixes fit the text and each other; what they leave can be read, and what was not broken says what
/// it said before.
pub fn fix(text: &str) {
    sound(&read(&repaired(text)));
}

/// The text with everything fixed that can be, as `check --fix` does it.
pub fn repaired(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let parsed = read(&text);
        let Some(new) = fixed(&text, &parsed) else {
            break;
        };
        unharmed(&parsed, &read(&new));
        text = new;
    }
    text
}

/// What had no finding before is there afterwards, in the same order and as the same thing.
fn unharmed(before: &Parsed, after: &Parsed) {
    let mut left = after.document.statements.iter().map(said);
    for statement in before.document.statements.iter().filter(|statement| is_sound(statement, before)) {
        let one = said(statement);
        assert!(left.any(|other| other == one), "{one:?} is lost: {:?}", after.sources.get(SourceId::ROOT));
    }
}

/// The words of a statement, and the body of a section.
fn said(statement: &Statement) -> (Vec<String>, Option<&str>) {
    let (words, body) = match statement {
        Statement::Command(line) => (&line.words, None),
        Statement::Section(section) => (&section.words, Some(section.body.as_str())),
    };
    (words.iter().map(|word| word.value.to_string()).collect(), body)
}

/// Whether nothing is to be said about a statement, and it ends where it should.
fn is_sound(statement: &Statement, parsed: &Parsed) -> bool {
    let (from, to) = match statement {
        Statement::Command(line) => (line.span, line.span),
        Statement::Section(section) => match section.end {
            Some(end) => (section.span, end),
            None => return false,
        },
    };
    let touches = |span: Span| span.source == from.source && span.start <= to.end && span.end >= from.start;
    // A line that is said once more goes.
    let repeated = |labels: &[kickstart_parser::Label]| labels.iter().any(|label| touches(label.span));
    !parsed.diagnostics.iter().any(|d| touches(d.span) || repeated(&d.labels))
}

fn read(text: &str) -> Parsed {
    parse_text(text, "x.ks", &ParseOptions::default())
}

fn read_as(text: &str, syntax: Syntax) -> Parsed {
    parse_text(text, "x.ks", &ParseOptions { syntax: Some(syntax), loader: None })
}

fn split(text: &str) -> (&str, BTreeMap<String, String>) {
    let mut parts = text.split(NEXT_FILE);
    let root = parts.next().unwrap_or("");
    let files = parts.zip('a'..='z').map(|(text, name)| (name.to_string(), text.to_owned()));
    (root, files.collect())
}

/// No span out of bounds, no byte lost.
pub fn sound(parsed: &Parsed) {
    let inside = |span: Span| {
        let source = parsed.sources.get(span.source).expect("a span has a source").text();
        assert!(source.get(span.range()).is_some(), "{span:?} of {source:?}");
        let at = parsed.sources.locate(span);
        assert!(at.line >= 1 && at.column >= 1);
        assert!((at.line, at.column) <= (at.end_line, at.end_column));
    };
    for diagnostic in &parsed.diagnostics {
        inside(diagnostic.span);
        diagnostic.labels.iter().for_each(|l| inside(l.span));
        diagnostic.fix.iter().flat_map(|f| &f.edits).for_each(|(span, _)| inside(*span));
        parsed.sources.line(diagnostic.span);
        parsed.sources.include_chain(diagnostic.span);
        let _ = diagnostic.resolve(&parsed.sources).to_string();
    }
    for statement in &parsed.document.statements {
        match statement {
            Statement::Command(c) => c.words.iter().for_each(|w| inside(w.span)),
            Statement::Section(s) => {
                s.words.iter().for_each(|w| inside(w.span));
                let pieces: String = s.body_spans.iter().map(|p| parsed.sources.slice(*p)).collect();
                assert_eq!(pieces, s.body);
            }
        }
    }
    for file in &parsed.document.files {
        let spans = file.lines.iter().flat_map(|l| [l.span, l.terminator]);
        let all: String = spans.map(|s| parsed.sources.slice(s)).collect();
        let source = parsed.sources.get(file.source).expect("a file has a source");
        assert_eq!(all, source.text());
        assert_eq!(source.shown(0..source.text().len()).len(), source.text().len());
    }
}

/// What a kickstart says, without line ends and the blanks before them, which formatting changes.
fn meaning(parsed: &Parsed) -> (Vec<String>, BTreeSet<&'static str>) {
    let text = Kickstart::to_pykickstart(&parsed.kickstart, parsed.syntax);
    let lines = text.split(['\n', '\r']).map(|l| l.trim_end().to_owned()).filter(|l| !l.is_empty());
    let errors = parsed.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code);
    (lines.collect(), errors.collect())
}

/// The text with all fixes in it that do not touch each other; `None` if there is none.
fn fixed(text: &str, parsed: &Parsed) -> Option<String> {
    let mut taken: BTreeMap<u32, (u32, &str)> = BTreeMap::new();
    for fix in parsed.diagnostics.iter().filter_map(|d| d.fix.as_ref()) {
        disjoint(fix);
        if fix.edits.iter().all(|(span, _)| free(&taken, *span)) {
            taken.extend(fix.edits.iter().map(|(span, new)| (span.start, (span.end, new.as_str()))));
        }
    }
    let (mut out, mut at) = (String::new(), 0);
    for (start, (end, new)) in &taken {
        out.push_str(&text[at..*start as usize]);
        out.push_str(new);
        at = *end as usize;
    }
    out.push_str(&text[at..]);
    (!taken.is_empty()).then_some(out)
}

fn free(taken: &BTreeMap<u32, (u32, &str)>, span: Span) -> bool {
    taken.range(..=span.start).next_back().is_none_or(|(start, (end, _))| *end <= span.start && *start < span.start)
        && taken.range(span.start..).next().is_none_or(|(start, _)| *start >= span.end && *start > span.start)
}

fn disjoint(fix: &Fix) {
    let mut spans: Vec<Span> = fix.edits.iter().map(|(span, _)| *span).collect();
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start), "{spans:?}");
}

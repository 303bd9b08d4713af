//! The canonical form of a kickstart: what `bootc-ks fmt` writes.
//!
//! ```text
//!  lines of the Document ──► rows (line: each by itself, quote: its words) ──► blank lines ──► text
//! ```
//!
//! Comments, the order of things, and the bodies of sections stay as they are. Nothing is
//! written that does not read back as the same: a line that is not understood stays verbatim.

pub(crate) mod flatten;
mod line;
pub(crate) mod quote;

use std::collections::HashSet;
use std::fmt;

use crate::codes;
use crate::document::{File, Line, LineKind};
use crate::limits::MAX_FINDINGS;
use crate::span::{SourceId, Span};
use crate::{Diagnostic, Parsed};

pub use flatten::{NotFlattened, flatten};
pub(crate) use line::is_template;

/// Why a file is not formatted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Unformattable {
    /// Most lines are no kickstart: a script, most likely.
    NotAKickstart,
    /// The text was too large to be read.
    NotRead,
    /// Not all of the lines that are wrong are known.
    TooManyErrors,
}

impl fmt::Display for Unformattable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unformattable::NotAKickstart => "it does not look like a kickstart: most of its lines are no commands",
            Unformattable::NotRead => "there is too much text for a kickstart",
            Unformattable::TooManyErrors => "there are too many errors in it to know what it says",
        })
    }
}

impl std::error::Error for Unformattable {}

/// The canonical form of one file of a parse.
///
/// ```
/// use kickstart_parser::{ParseOptions, SourceId, format, parse};
///
/// let parsed = parse("lang   'cs_CZ'\r\npart / --siz 1000 --grow # all", "a.ks", &ParseOptions::default());
/// let text = format::format(&parsed, SourceId::ROOT).unwrap();
/// assert_eq!(text, "lang cs_CZ\npart / --size=1000 --grow # all\n");
/// ```
pub fn format(parsed: &Parsed, file: SourceId) -> Result<String, Unformattable> {
    let file = parsed.document.files.iter().find(|f| f.source == file).ok_or(Unformattable::NotRead)?;
    if parsed.diagnostics.iter().any(|d| d.code == codes::TOO_LARGE.id) {
        return Err(Unformattable::NotRead);
    }
    if kept(parsed, file.source).count() > MAX_FINDINGS {
        return Err(Unformattable::TooManyErrors);
    }
    let wrong = lines_in_error(parsed, file);
    if !looks_like_a_kickstart(parsed, file) {
        return Err(Unformattable::NotAKickstart);
    }
    Ok(layout(&rows(parsed, file, &wrong)))
}

/// The lines that stay as they are, by their position in the text, with what is wrong there.
///
/// An include that is not followed is no reason to leave its line alone.
pub fn kept(parsed: &Parsed, file: SourceId) -> impl Iterator<Item = &Diagnostic> {
    let concerned = move |d: &&Diagnostic| d.span.source == file && d.code.starts_with('E');
    parsed.diagnostics.iter().filter(concerned).filter(|d| d.code != codes::INCLUDE_FAILED.id)
}

fn lines_in_error(parsed: &Parsed, file: &File) -> HashSet<Span> {
    kept(parsed, file.source).filter_map(|d| line_at(file, d.span)).collect()
}

fn line_at(file: &File, span: Span) -> Option<Span> {
    let at = file.lines.partition_point(|l| l.span.start <= span.start);
    file.lines.get(at.checked_sub(1)?).map(|l| l.span)
}

/// A shell script is full of words that happen to be commands, and quotes mean something else
/// there: it is left alone.
fn looks_like_a_kickstart(parsed: &Parsed, file: &File) -> bool {
    if file.lines.iter().any(|l| l.kind == LineKind::SectionStart) {
        return true;
    }
    let unknown = |d: &&Diagnostic| d.code == codes::UNKNOWN_COMMAND.id && d.span.source == file.source;
    let is_text = |d: &&Diagnostic| {
        let line = parsed.sources.line(d.span);
        !line::is_template(line) && !line.trim_start().starts_with(['$', '@', '{', '<'])
    };
    let strange = parsed.diagnostics.iter().filter(unknown).filter(is_text).count();
    let commands = file.lines.iter().filter(|l| l.kind == LineKind::Command).count();
    strange * 2 <= commands || strange == 0
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Blank,
    Comment,
    Line,
    /// The rest of a line that ended in a backslash, for one: a blank line would part them.
    Broken,
    Start,
    End,
    /// A line of a body, with its line end.
    Body,
}

struct Row {
    kind: Kind,
    text: String,
}

fn rows(parsed: &Parsed, file: &File, wrong: &HashSet<Span>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::with_capacity(file.lines.len());
    // Inside which section, if any; the lines of a fragment are inside one of another file.
    let mut section: Option<String> = None;
    let mut fragment = file.source != SourceId::ROOT;
    for line in &file.lines {
        let content = parsed.sources.slice(line.span);
        // Cured on the way: no other tool reads past it.
        let cured = content.strip_prefix('\u{feff}').filter(|_| line.span.start == 0);
        let content = cured.unwrap_or(content);
        let canonical = || if wrong.contains(&line.span) { None } else { line::canonical(content, parsed.syntax) };
        let (kind, text) = match line.kind {
            LineKind::Blank => (Kind::Blank, String::new()),
            LineKind::Comment => comment(content),
            // What was wrong may have been the mark alone.
            LineKind::Broken if cured.is_some() && content.trim_start().starts_with('#') => comment(content),
            LineKind::Command => (Kind::Line, canonical().unwrap_or_else(|| content.to_owned())),
            LineKind::SectionStart => {
                section = line::section_name(content);
                (Kind::Start, canonical().unwrap_or_else(|| content.to_owned()))
            }
            LineKind::SectionEnd => {
                section = None;
                (Kind::End, section_end(content))
            }
            LineKind::Include if section.is_none() && !fragment => {
                (Kind::Line, canonical().unwrap_or_else(|| content.to_owned()))
            }
            LineKind::Body if section.as_deref() == Some("%packages") => {
                (Kind::Body, format!("{}\n", content.trim_end()))
            }
            LineKind::Body => (Kind::Body, format!("{content}{}", line_end(parsed, line, rows.last(), fragment))),
            LineKind::Include | LineKind::Broken => (Kind::Broken, content.to_owned()),
        };
        fragment &= matches!(line.kind, LineKind::Body | LineKind::Include | LineKind::Broken);
        rows.push(Row { kind, text });
    }
    rows
}

/// A comment at the left edge, unless it would become one that other tools read.
fn comment(content: &str) -> (Kind, String) {
    let text = content.trim();
    let read = |text: &str| text.starts_with("#version=") || text.starts_with("#platform=");
    match text {
        "" => (Kind::Blank, String::new()),
        _ if read(text) && !read(content) => (Kind::Comment, format!(" {text}")),
        _ => (Kind::Comment, text.to_owned()),
    }
}

fn section_end(content: &str) -> String {
    let rest = content.trim_start().strip_prefix("%end").unwrap_or("").trim();
    if rest.is_empty() { "%end".to_owned() } else { format!("%end {rest}") }
}

/// The line end of a body's line: CR LF becomes LF; what else a script has stays, for a CR by
/// itself is part of some `sed` command.
fn line_end<'a>(parsed: &'a Parsed, line: &Line, before: Option<&Row>, fragment: bool) -> &'a str {
    match parsed.sources.slice(line.terminator) {
        // CR CR LF: LF alone would become the second half of the first CR.
        "\r\n" if line.span.is_empty() && before.is_some_and(|row| row.text.ends_with('\r')) => "\r\n",
        "\r\n" => "\n",
        // The next line of the section goes on where a fragment ends.
        "" if !fragment => "\n",
        other => other,
    }
}

/// The rows with one blank line around sections, and none at the ends.
fn layout(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut blanks = 0;
    // A section that never ends: blank lines would become part of it.
    let mut open = false;
    let leads = leads_to_section(rows);
    for (n, row) in rows.iter().enumerate() {
        if row.kind == Kind::Blank {
            blanks += 1;
            continue;
        }
        let before = n.checked_sub(1 + blanks).and_then(|at| rows.get(at)).map(|r| r.kind);
        let in_block = blanks == 0 && before == Some(Kind::Comment);
        let wanted = match before {
            // At the very start it would be a byte order mark.
            None => usize::from(row.text.starts_with('\u{feff}')),
            Some(Kind::End) if row.kind != Kind::Broken => 1,
            Some(_) if leads.get(n).copied().unwrap_or(false) && !in_block && !open => 1,
            Some(_) => blanks,
        };
        out.extend(std::iter::repeat_n('\n', wanted));
        blanks = 0;
        open = row.kind == Kind::Start || open && row.kind != Kind::End;
        out.push_str(&row.text);
        if row.kind != Kind::Body {
            out.push('\n');
        }
    }
    out
}

/// Which rows are the first line of a section, or comments that stand directly above one.
fn leads_to_section(rows: &[Row]) -> Vec<bool> {
    let mut leads = vec![false; rows.len()];
    let mut next = false;
    for (lead, row) in leads.iter_mut().zip(rows).rev() {
        next = row.kind == Kind::Start || row.kind == Kind::Comment && next;
        *lead = next;
    }
    leads
}

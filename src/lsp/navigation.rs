//! Where things are made and used, and where links lead.

use gen_lsp_types::{DocumentLink, Location, Position, Range, Uri};
use kickstart_parser::{Parsed, SourceId, Span};

use super::cursor::{include_lines, touches, words};
use super::names::{Name, names};
use super::places::Places;
use super::state::State;
use super::uri;

/// Where what is named at a place is made; of an `%include`, the file.
pub fn definition(state: &mut State, uri: &str, position: Position) -> Option<Vec<Location>> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let offset = document.text.offset(position);
    if let Some(file) = included_at(state, &parsed, offset) {
        return Some(vec![Location { uri: file, range: Range::default() }]);
    }
    let found = names(&parsed, &state.language);
    let here = found.iter().find(|name| touches(name.span, offset))?;
    let places = Places::new(state, document, &parsed);
    Some(same(&found, here).filter(|name| name.made).filter_map(|name| places.location(name.span)).collect())
}

/// Where what is named at a place is used; with `made`, also where it is made.
pub fn references(state: &mut State, uri: &str, position: Position, made: bool) -> Option<Vec<Location>> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let offset = document.text.offset(position);
    let found = names(&parsed, &state.language);
    let here = found.iter().find(|name| touches(name.span, offset))?;
    let places = Places::new(state, document, &parsed);
    Some(same(&found, here).filter(|name| made || !name.made).filter_map(|name| places.location(name.span)).collect())
}

fn same<'a>(found: &'a [Name<'a>], one: &'a Name<'a>) -> impl Iterator<Item = &'a Name<'a>> {
    found.iter().filter(|name| (name.kind, name.name) == (one.kind, one.name))
}

/// The file that the `%include` at a byte brought in.
fn included_at(state: &State, parsed: &Parsed, offset: usize) -> Option<Uri> {
    let is_here = |from: Span| touches(from, offset);
    let source = parsed.sources.iter().find(|source| source.included_from().is_some_and(is_here))?;
    file_uri(state, source.path())
}

fn file_uri(state: &State, path: &str) -> Option<Uri> {
    match state.document_at(path) {
        Some(document) => Some(document.uri.clone()),
        None => uri::of_path(path),
    }
}

/// The links of a document: included files, and addresses in commands.
pub fn links(state: &mut State, uri: &str) -> Option<Vec<DocumentLink>> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let places = Places::new(state, document, &parsed);
    let link = |span: Span, target: Uri| DocumentLink {
        range: places.range(span),
        target: Some(target),
        tooltip: None,
        data: None,
    };
    let included = parsed.sources.iter().filter_map(|source| {
        let from = source.included_from().filter(|from| from.source == SourceId::ROOT)?;
        Some(link(from, file_uri(state, source.path())?))
    });
    let lines = include_lines(&parsed).chain(parsed.document.statements.iter().flat_map(words).map(|word| word.span));
    let addresses = lines.filter_map(|span| address(&parsed, span)).map(|(span, url)| link(span, Uri(url)));
    Some(included.chain(addresses).collect())
}

/// The address in a word of the document, if there is one.
fn address(parsed: &Parsed, span: Span) -> Option<(Span, String)> {
    if span.source != SourceId::ROOT {
        return None;
    }
    let text = parsed.sources.slice(span);
    let start = ["http://", "https://", "ftp://"].iter().filter_map(|scheme| text.find(scheme)).min()?;
    let rest = &text[start..];
    let end =
        rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '#' | '\\')).unwrap_or(rest.len());
    let from = span.start + start as u32;
    let span = Span { start: from, end: from + end as u32, ..span };
    Some((span, rest[..end].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kickstart_parser::{ParseOptions, parse};

    #[test]
    fn addresses_end_where_they_end() {
        for (text, expected) in [
            ("url --url=https://h/a?b=c", Some("https://h/a?b=c")),
            ("url --url=\"http://h/x y\"", Some("http://h/x")),
            ("%include http://h/x.ks # c", Some("http://h/x.ks")),
            ("repo --name=x --baseurl='ftp://h/x'", Some("ftp://h/x")),
            ("lang http", None),
        ] {
            let parsed = parse(text, "a.ks", &ParseOptions::default());
            let whole = Span { source: SourceId::ROOT, start: 0, end: text.len() as u32 };
            assert_eq!(address(&parsed, whole).map(|found| found.1).as_deref(), expected);
        }
    }
}

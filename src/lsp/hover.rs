//! What a command, an option or a section is.

use gen_lsp_types::{Hover, MarkupContent, Position};
use kickstart_parser::Span;

use super::cursor::Cursor;
use super::language::{self, describe_command, describe_option, describe_section};
use super::places::Places;
use super::state::State;

/// The text for what is at a place.
pub fn hover(state: &mut State, uri: &str, position: Position) -> Option<Hover> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let cursor = Cursor::at(&parsed, document.text.offset(position))?;
    let (text, span) = describe(state, cursor)?;
    let markup = state.client.markup;
    let contents = MarkupContent { kind: markup.kind(), value: language::render(&text, markup) };
    let range = Places::new(state, document, &parsed).range(span);
    Some(Hover { contents: contents.into(), range: Some(range) })
}

fn describe(state: &State, cursor: Cursor<'_>) -> Option<(String, Span)> {
    let language = &state.language;
    let name = cursor.name();
    if cursor.at == 0 {
        let text = match language.command(name) {
            Some(command) => describe_command(command),
            None => describe_section(language.section(name)?),
        };
        return Some((text, cursor.word().span));
    }
    // A value says as little without its option as the option without its value.
    let word = |at: usize| {
        let written = cursor.words.get(at)?.value.split('=').next().unwrap_or("");
        written.starts_with("--").then(|| language.option(name, written)).flatten()
    };
    let before = || word(cursor.at - 1).filter(|option| takes_next(cursor, option.value));
    let option = word(cursor.at).or_else(before)?;
    Some((describe_option(name, option), cursor.word().span))
}

/// Whether the word before the place is an option whose value is this word.
fn takes_next(cursor: Cursor<'_>, value: kickstart_parser::catalog::Value) -> bool {
    value != kickstart_parser::catalog::Value::None && !cursor.words[cursor.at - 1].value.contains('=')
}

//! The canonical form of a document, as `bootc-ks fmt` writes it.

use std::ops::Range;

use gen_lsp_types::TextEdit;
use kickstart_parser::SourceId;
use kickstart_parser::format::{Unformattable, format};

use super::state::State;

/// The edit that brings a document into its canonical form; none if it has it.
pub fn formatting(state: &mut State, uri: &str) -> Option<Result<Vec<TextEdit>, Unformattable>> {
    let parsed = state.parsed(uri)?;
    let document = state.document(uri)?;
    let new = match format(&parsed, SourceId::ROOT) {
        Ok(new) => new,
        Err(error) => return Some(Err(error)),
    };
    let edit = difference(document.text.as_str(), &new)
        .map(|(range, text)| TextEdit { range: document.text.range(range), new_text: text.to_owned() });
    Some(Ok(edit.into_iter().collect()))
}

/// What has to be replaced, in whole lines, and by what: cursors elsewhere stay where they are.
fn difference<'a>(old: &str, new: &'a str) -> Option<(Range<usize>, &'a str)> {
    if old == new {
        return None;
    }
    let same = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let start = old.as_bytes()[..same].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (old_rest, new_rest) = (&old.as_bytes()[start..], &new.as_bytes()[start..]);
    let same = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    // The common end begins behind a line end that is common, too.
    let tail = &old_rest[old_rest.len() - same..];
    let kept = tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| same - at - 1);
    Some((start..old.len() - kept, &new[start..new.len() - kept]))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_lines_that_differ_are_replaced() {
        for (old, new) in [
            ("a\nb\nc\n", "a\nx\nc\n"),
            ("a\r\nb\r\n", "a\nb\n"),
            ("a", "a\n"),
            ("", "a\n"),
            ("a\n\n\nb\n", "a\n\nb\n"),
            ("č\n", "Č\n"),
            ("x\u{2028}y\n", "x\ny\n"),
            ("a\nb\n", "a\n"),
        ] {
            let (range, text) = difference(old, new).unwrap();
            let mut edited = old.to_owned();
            edited.replace_range(range.clone(), text);
            assert_eq!(edited, new);
        }
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n"), Some((2..4, "x\n")));
        assert_eq!(difference("a\n", "a\n"), None);
    }
}

//! Bodies that were written in several places.

use crate::span::Span;

/// A body by the stretches that it was written in: text and place.
pub(super) fn stretches<'a>(body: &'a str, spans: &'a [Span]) -> impl Iterator<Item = (&'a str, Span)> {
    let mut rest = body;
    spans.iter().map(move |span| {
        let (text, after) = rest.split_at_checked(span.len()).unwrap_or((rest, ""));
        rest = after;
        (text, *span)
    })
}

//! The parser's spans as the editor's places, in the document and in what it includes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gen_lsp_types::{Location, Range, Uri};
use kickstart_parser::{Parsed, SourceId, Span};

use super::state::{Document, State};
use super::text::{Encoding, LineIndex};
use super::uri;

/// The places of one document.
pub struct Places<'a> {
    state: &'a State,
    document: &'a Document,
    parsed: &'a Parsed,
    /// Of included texts, made when they are asked for.
    indexes: RefCell<HashMap<SourceId, Rc<(Uri, LineIndex)>>>,
}

impl<'a> Places<'a> {
    /// The places of a document.
    pub fn new(state: &'a State, document: &'a Document, parsed: &'a Parsed) -> Places<'a> {
        Places { state, document, parsed, indexes: RefCell::default() }
    }

    /// The range of a span of the document itself.
    pub fn range(&self, span: Span) -> Range {
        self.document.text.range(span.range())
    }

    /// The place of any span; `None` for a text that no editor can open.
    pub fn location(&self, span: Span) -> Option<Location> {
        if span.source == SourceId::ROOT {
            return Some(Location { uri: self.document.uri.clone(), range: self.range(span) });
        }
        let source = self.parsed.sources.get(span.source)?;
        let index = self.index(span.source)?;
        Some(Location { uri: index.0.clone(), range: index.1.range(source.text(), span.range()) })
    }

    fn index(&self, id: SourceId) -> Option<Rc<(Uri, LineIndex)>> {
        if let Some(known) = self.indexes.borrow().get(&id) {
            return Some(known.clone());
        }
        let source = self.parsed.sources.get(id)?;
        let uri = match self.state.document_at(source.path()) {
            Some(document) => document.uri.clone(),
            None => uri::of_path(source.path())?,
        };
        let encoding: Encoding = self.state.client.encoding;
        let index = Rc::new((uri, LineIndex::new(source.text(), encoding)));
        self.indexes.borrow_mut().insert(id, index.clone());
        Some(index)
    }

    /// The span in the document that stands for a span anywhere: its own, or that of the
    /// `%include` that leads to it.
    pub fn in_document(&self, span: Span) -> Span {
        let mut span = span;
        while span.source != SourceId::ROOT {
            let Some(from) = self.parsed.sources.get(span.source).and_then(|source| source.included_from()) else {
                return Span { source: SourceId::ROOT, start: 0, end: 0 };
            };
            span = from;
        }
        span
    }
}

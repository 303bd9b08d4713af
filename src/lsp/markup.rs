//! The two forms that an editor takes longer texts in.

use gen_lsp_types::MarkupKind;

/// The form of longer texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Markup {
    /// As it is.
    Plain,
    /// With links, code and emphasis.
    Markdown,
}

impl Markup {
    /// Its name in the protocol.
    pub fn kind(self) -> MarkupKind {
        match self {
            Markup::Plain => MarkupKind::PlainText,
            Markup::Markdown => MarkupKind::Markdown,
        }
    }
}

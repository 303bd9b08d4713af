//! Why a layer cannot be imported, and in which order that is told.

use std::io::{self, Read};

use super::tar::Damaged;
use super::tree::TreeError;

/// Why a layer cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// Reading the layer or writing an object.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Reading or writing one named entry.
    #[error("'{path}': {source}")]
    Entry {
        /// Its path in the layer.
        path: String,
        /// What happened.
        source: io::Error,
    },
    /// The tree does not fit together.
    #[error("{0}")]
    Tree(#[from] TreeError),
    /// An entry that no container image may hold.
    #[error("'{0}': {1}")]
    Forbidden(String, &'static str),
}

/// Reads `reader`, of which a layer was read with this `outcome`, to its end: what follows the end
/// of an archive still belongs to the digest. So does the rest of a layer that is refused: if it
/// was damaged on the way, that is what is to be said.
pub(super) fn to_the_end<T>(mut reader: impl Read, outcome: Result<T, LayerError>) -> Result<T, LayerError> {
    let of_the_reader = match &outcome {
        Err(LayerError::Io(error)) => !error.get_ref().is_some_and(|inner| inner.is::<Damaged>()),
        Err(LayerError::Entry { .. }) => true,
        _ => false,
    };
    if of_the_reader {
        return outcome;
    }
    io::copy(&mut reader, &mut io::sink())?;
    outcome
}

//! What is wrong with a whole tree, and how a place in it is looked at.

use super::merge;
use super::tree::{Dir, Node, split};

/// Why a tree cannot be deployed: where, what is wrong, what to do about it in the image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'/{place}' {wrong}")]
pub struct Unfit {
    /// A path, as programs will see it.
    pub place: String,
    /// What is wrong with it.
    pub wrong: String,
    /// What to do.
    pub remedy: &'static str,
}

pub(super) fn unfit<T>(place: impl Into<String>, wrong: impl Into<String>, remedy: &'static str) -> Result<T, Unfit> {
    Err(Unfit { place: place.into(), wrong: wrong.into(), remedy })
}

/// What is at `path` itself, as programs will see it: the last name is not followed.
pub(super) fn node<'a, C>(root: &'a Dir<C>, path: &str) -> Option<&'a Node<C>> {
    let names = split(path.as_bytes());
    let (name, parents) = names.split_last()?;
    let mut place = merge::resolve(root, parents).ok()?;
    place.push(name.clone());
    root.get(&place)
}

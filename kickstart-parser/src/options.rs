//! How to parse.

use crate::loader::Loader;
use crate::syntax::Syntax;

/// How to parse.
#[derive(Clone, Copy, Default)]
pub struct ParseOptions<'a> {
    /// The version to read the file as. `None` takes the file's `#version=`
    /// line, or else the default version.
    pub syntax: Option<Syntax>,
    /// Who fetches included files. `None` does not follow includes, and
    /// reports each.
    pub loader: Option<&'a dyn Loader>,
}

//! How included files get in; this crate itself reads nothing.

use std::collections::BTreeMap;

/// What an `%include` asks for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IncludeRequest<'a> {
    /// The file or URL, as written.
    pub name: &'a str,
    /// The path of the file that has the `%include`.
    pub from: &'a str,
}

/// An included text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loaded {
    /// What to call it; the same file must always get the same path, for this
    /// is how cycles are seen.
    pub path: String,
    /// The text.
    pub text: String,
}

/// Why an included text could not be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadError {
    /// The reason, in a few words.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Fetches what `%include` names.
pub trait Loader {
    /// Get the text of an included file.
    fn load(&self, request: IncludeRequest<'_>) -> Result<Loaded, LoadError>;
}

/// A loader that knows its files by heart; for tests and editors.
impl Loader for BTreeMap<String, String> {
    fn load(&self, request: IncludeRequest<'_>) -> Result<Loaded, LoadError> {
        match self.get(request.name) {
            Some(text) => Ok(Loaded { path: request.name.to_owned(), text: text.clone() }),
            None => Err(LoadError { message: "no such file".to_owned(), help: None }),
        }
    }
}

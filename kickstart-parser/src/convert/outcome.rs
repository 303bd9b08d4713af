//! What becomes of a line.

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It says the same in the words of the new version, or was not needed any more.
    Converted,
    /// It works, but is deprecated in the new version.
    Deprecated,
    /// It is as it was, and the new version does not take it.
    Left,
}

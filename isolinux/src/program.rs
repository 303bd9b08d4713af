//! What the failure of an external program means here.

use installer_core::host::ProgramError;
use installer_core::{Error, Stage};

/// A program's failure in our words.
pub(crate) fn not_done(error: ProgramError) -> Error {
    match error {
        ProgramError::Missing { ref name, .. } => {
            let package = installer_core::program::row(name).map_or("", |row| row.packages.0);
            Error::world(Stage::Media, error.to_string()).hint(format!("Debian's package is {package}"))
        }
        other => Error::world(Stage::Media, "making the ISO").because(other),
    }
}

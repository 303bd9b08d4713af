//! A medium, opened and read.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use installer_core::{Error, Stage};
use isolinux::Found;

/// Opens and reads a medium.
pub fn open(path: &Path, write: bool) -> anyhow::Result<(File, Found)> {
    let name = path.display();
    let unreadable = |error: std::io::Error| Error::input(Stage::Media, format!("{name}: {error}"));
    let mut file = OpenOptions::new().read(true).write(write).open(path).map_err(unreadable)?;
    // Where files cannot be locked they are changed without.
    if write && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(Error::refused(Stage::Media, format!("{name} is being changed by another program")).into());
    }
    let found = isolinux::look(&mut file).map_err(|error| error.context(name))?;
    Ok((file, found))
}

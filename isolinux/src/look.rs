//! What an ISO turns out to be: one of ours, which is changed in place, or another tool's, of
//! which a changed copy can be made. Reads only.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use installer_core::error::Context as _;
use installer_core::{Error, Result, Stage};

use crate::foreign::Foreign;
use crate::iso9660::Volume;
use crate::medium::Medium;

/// An ISO that was looked at.
#[derive(Debug)]
pub enum Found {
    /// `build` made it.
    Ours(Box<Medium>),
    /// Another tool did.
    Foreign(Box<Foreign>),
}

/// Looks at what is on `file`.
pub fn look(file: &mut File) -> Result<Found> {
    let Some(volume) = Volume::read(file)? else {
        return Err(Error::input(Stage::Media, "this is no ISO image")
            .hint("pass an ISO, or the whole device that it was written to (/dev/sdX, not a partition)"));
    };
    let length = file.seek(SeekFrom::End(0)).doing(Stage::Media, "looking for the end")?;
    if length < volume.size {
        let message = format!("it ends after {length} of {} bytes", volume.size);
        return Err(Error::input(Stage::Media, message).hint("it was truncated: copy it again"));
    }
    Ok(match Medium::read(file, &volume)? {
        Some(medium) => Found::Ours(Box::new(medium)),
        None => Found::Foreign(Box::new(Foreign::read(file, &volume)?)),
    })
}

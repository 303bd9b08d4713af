//! Where the layers of an image wait between the look at it and its installation: they are fetched
//! once, and a registry that fails meanwhile costs nothing. Where they cannot wait, a disk that has
//! something to lose is not wiped, unless somebody takes the risk.

use std::path::Path;

use crate::error::{Error, Result, Stage};
use crate::image::{Image, KeepIn};
use crate::machine::{Machine, Memory};
use crate::plan;
use crate::request::Request;
use crate::storage::select::Target;
use crate::units::Bytes;

/// What if layers can only be fetched when what was on the disk is gone already?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterWipe<'a> {
    /// Then they are: who says so takes the risk that the registry fails.
    Fetch,
    /// Then nothing is done, unless there is nothing to lose.
    Refuse {
        /// What this front door calls [`AfterWipe::Fetch`].
        option: &'a str,
    },
}

/// Where layers may be kept, and how much of them: beside the disk image, where there must be room
/// for it anyway, else in the memory that the installation itself has no use for. The files are
/// nameless and end with this process.
pub(super) fn room(request: &Request) -> (KeepIn, Bytes) {
    match &request.disks.image_file {
        Some(image) => {
            let parent = Path::new(&image.path).parent().filter(|parent| !parent.as_os_str().is_empty());
            (KeepIn::Directory(parent.unwrap_or(Path::new(".")).to_owned()), Bytes(u64::MAX))
        }
        None => (KeepIn::Memory, Memory::now().map_or(Bytes(0), Memory::spare)),
    }
}

/// A disk with something on it, which is not risked.
#[derive(Debug)]
pub(super) struct Stake<'a> {
    disk: String,
    option: &'a str,
}

impl<'a> Stake<'a> {
    /// `None` where there is nothing to lose, or where it may be lost. Disks that cannot be had at
    /// all are errors here as in the plan, before gigabytes are fetched for them.
    pub fn of(request: &Request, machine: &Machine, after_wipe: AfterWipe<'a>) -> Result<Option<Self>> {
        let (target, destroys) = plan::target(request, machine)?;
        match (target, after_wipe) {
            (Target::Disk { path, .. }, AfterWipe::Refuse { option }) if !destroys.is_empty() => {
                Ok(Some(Stake { disk: path, option }))
            }
            // A file is replaced when the new one is whole.
            _ => Ok(None),
        }
    }

    /// Refuses an image whose layers are more than the `room` there is for them.
    pub fn fits(&self, image: &Image, room: Bytes) -> Result<()> {
        if image.at_hand() || image.download_size() <= room {
            return Ok(());
        }
        Err(self.refused(image, &format!("memory has room for {room} of them")))
    }

    /// Refuses an image that was read and whose layers are not all here.
    pub fn is_safe(&self, image: &Image) -> Result<()> {
        if image.at_hand() { Ok(()) } else { Err(self.refused(image, "memory did not hold them")) }
    }

    fn refused(&self, image: &Image, why: &str) -> Error {
        let Stake { disk, option } = self;
        let (reference, size) = (image.reference(), image.download_size());
        Error::refused(
            Stage::Plan,
            format!(
                "{disk} is not empty, and {reference} cannot be kept until it is installed: its layers are {size}, and \
                 {why}; fetched when the disk is wiped, they would cost what is on it if the registry fails then"
            ),
        )
        .hint(format!("say {option} to take that risk, or install from an image on a medium, or with more memory"))
    }
}

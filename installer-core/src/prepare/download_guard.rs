//! Where the layers of an image wait between the look at it and its installation: they are fetched
//! once, and a registry that fails meanwhile costs nothing. Where they cannot wait, a disk that has
//! something to lose is not wiped, unless the user takes the risk.

use std::path::Path;

use crate::error::{Error, Remedy, Result, Stage};
use crate::image::{CacheIn, Image, ImageFacts, ImageReference, Place};
use crate::machine::{FOR_THE_WORK, Machine, Memory};
use crate::plan::{self, Plan};
use crate::request::Request;
use crate::storage::select::{Loss, Target};
use crate::units::Bytes;

/// What if layers can only be fetched when what was on the disk is gone already?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterWipe {
    /// Then they are: who says so takes the risk that the registry fails.
    Fetch,
    /// Then nothing is done, unless there is nothing to lose.
    Refuse,
}

/// Where layers may be kept, and how much of them: beside the disk image, where there must be room
/// for it anyway, else in the memory that the installation itself has no use for. The files are
/// nameless and end with this process.
pub(super) fn room(request: &Request) -> (CacheIn, Bytes) {
    match &request.disks.image_file {
        Some(image) => {
            let parent = Path::new(&image.path).parent().filter(|parent| !parent.as_os_str().is_empty());
            (CacheIn::Directory(parent.unwrap_or(Path::new(".")).to_owned()), Bytes(u64::MAX))
        }
        None => (CacheIn::Memory, Memory::now().map_or(Bytes(0), Memory::spare)),
    }
}

/// What is at risk when the disk is wiped.
#[derive(Debug)]
pub(super) struct AtRisk {
    /// The disk, if there is something on it.
    disk: Option<String>,
    after_wipe: AfterWipe,
}

impl AtRisk {
    /// Disks that cannot be had at all are errors here as in the plan, before gigabytes are fetched
    /// for them.
    pub fn of(request: &Request, machine: &Machine, after_wipe: AfterWipe) -> Result<Self> {
        let (target, destroys) = plan::target(request, machine)?;
        Ok(AtRisk { disk: at_risk(&target, &destroys), after_wipe })
    }

    /// Whether the disk is empty, or there is none.
    pub fn is_nothing(&self) -> bool {
        self.disk.is_none()
    }

    /// Refuses an image whose layers are more than the `room` there is for them.
    pub fn fits(&self, image: &Image, room: Bytes) -> Result<()> {
        let size = image.download_size();
        if image.at_hand() || size <= room {
            return Ok(());
        }
        self.refuse(image, &format!("that takes {}", more(size)))
    }

    /// Refuses an image that was read and whose layers are not all here.
    pub fn is_safe(&self, image: &Image) -> Result<()> {
        if image.at_hand() {
            return Ok(());
        }
        let why = image.keeping_trouble().map_or(String::new(), |why| format!(" ({why})"));
        self.refuse(image, &format!("memory did not hold them{why}"))
    }

    fn refuse(&self, image: &Image, why: &str) -> Result<()> {
        let (Some(disk), AfterWipe::Refuse) = (&self.disk, self.after_wipe) else { return Ok(()) };
        let (reference, size) = (image.reference(), image.download_size());
        let message = format!(
            "{disk} is not empty, and the layers of {reference} ({size}) cannot wait in memory until they are \
             installed: {why}; fetched when the disk is wiped, they would cost what is on it if the registry fails then"
        );
        Err(Error::refused(Stage::Plan, message).hint(takes_a_risk()))
    }
}

fn takes_a_risk() -> Remedy {
    [Remedy::FetchAfterWipe, "install from an image on a medium".into(), "install with more memory".into()].into()
}

/// The disks that would lose something. A file is replaced when the new one is whole.
fn at_risk(target: &Target, destroys: &[Loss]) -> Option<String> {
    (matches!(target, Target::Disk { .. }) && !destroys.is_empty()).then(|| target.names())
}

/// What an installation would be refused for, of a plan that was made for this machine: that memory
/// cannot keep the image.
pub fn refusal_if_uncacheable(plan: &Plan, facts: &ImageFacts) -> Option<Error> {
    let disk = at_risk(&plan.target, &plan.destroys)?;
    let remote = facts.reference.parse::<ImageReference>().is_ok_and(|r| matches!(r.place(), Place::Registry { .. }));
    let room = Memory::now().map_or(Bytes(0), Memory::spare);
    (remote && facts.download_size > room).then(|| {
        let message = format!(
            "{disk} is not empty, and that the layers ({}) wait in memory until they are installed takes {}",
            facts.download_size,
            more(facts.download_size)
        );
        Error::refused(Stage::Plan, message).hint(takes_a_risk())
    })
}

fn more(size: Bytes) -> String {
    let missing = Memory::now().map_or(size, |memory| memory.missing_for(size));
    let missing = missing.align_up(Bytes::MIB).as_mib();
    format!("{missing} MiB more memory ({FOR_THE_WORK} is left to the installation itself)")
}

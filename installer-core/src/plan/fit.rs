//! Request + image facts → what the image lacks for what is asked: as much of the plan's
//! checks as needs no machine, all of it in one go. Pure.

use super::bootloader::Loader;
use super::defaults::{default_root_fs, root_needs};
use super::steps::accounts;
use super::{boot, boot_room, check};
use crate::error::{BootPlace, Error, Remedy, Result};
use crate::image::{ImageFacts, ImageReference};
use crate::request::{AreaRequest, Layout, Purpose, Request};
use crate::storage::kind::gpt::ALIGNMENT;
use crate::storage::solve;
use crate::system::{self, Topic};
use crate::units::Bytes;

/// What an incompatibility is about: the part of the request that does not go with the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The image, whatever is asked of it.
    Image,
    /// The partitions as a whole.
    Layout,
    /// The root file system.
    Root,
    /// The file system at /boot.
    Boot,
    /// The boot loader.
    BootLoader,
    /// The SELinux mode.
    Selinux,
    /// A setting of the system.
    System(Topic),
}

/// Something that does not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incompatibility {
    /// What it is about.
    pub subject: Subject,
    /// Whether nothing can be planned with it.
    pub fatal: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<Remedy>,
}

/// Everything in which the image does not fit the request.
pub fn incompatibilities(request: &Request, facts: &ImageFacts) -> Vec<Incompatibility> {
    let mut list = List(Vec::new());
    list.another_image(request, facts);
    list.take(Subject::Image, check::check_kernel(facts));
    list.root(request, facts);
    list.boot_room(request, facts);
    list.boot(request, facts);
    if request.system.selinux.as_deref().is_some_and(|mode| mode != "disabled") && facts.selinux.is_none() {
        let message = format!("{} enables no SELinux policy that it has", facts.reference);
        list.doubt(Subject::Selinux, message, Some("add a policy to the image, or leave the mode out".into()));
    }
    list.system(request, facts);
    list.0
}

struct List(Vec<Incompatibility>);

impl List {
    fn error(&mut self, subject: Subject, error: &Error) {
        let hint = error.remedy().cloned();
        self.0.push(Incompatibility { subject, fatal: true, message: error.to_string(), hint });
    }

    fn take<T>(&mut self, subject: Subject, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.error(subject, &error)).ok()
    }

    fn doubt(&mut self, subject: Subject, message: impl Into<String>, hint: Option<Remedy>) {
        self.0.push(Incompatibility { subject, fatal: false, message: message.into(), hint });
    }

    /// The facts may be those of an image that replaces the one asked for; or the wrong file.
    fn another_image(&mut self, request: &Request, facts: &ImageFacts) {
        let asked = request.image.as_ref().and_then(|image| image.parse::<ImageReference>().ok());
        if let Some(asked) = asked.map(|image| image.to_string()).filter(|asked| *asked != facts.reference) {
            let message = format!("the image facts are those of {}, not of {asked}", facts.reference);
            self.doubt(Subject::Image, message, Some(Remedy::InspectAgain));
        }
    }

    fn root(&mut self, request: &Request, facts: &ImageFacts) {
        let asked = match &request.layout {
            Layout::Auto { filesystem, .. } => filesystem.as_deref(),
            Layout::Custom(custom) => match custom.areas().find(|area| area.purpose == Purpose::root()) {
                // That there is none is known without an image.
                None => return,
                Some(root) => {
                    self.room(root, facts);
                    root.filesystem.as_deref()
                }
            },
        };
        // What it has cannot be known where it has none, and that is told already.
        if facts.kernel.as_ref().is_none_or(|kernel| !kernel.initramfs) {
            return;
        }
        let mut warnings = Vec::new();
        let on_volume = request.layout.has_root_on_volume();
        let filesystem = asked.unwrap_or_else(|| default_root_fs(facts));
        self.take(Subject::Root, check::check_root(facts, filesystem, on_volume, &mut warnings));
        for warning in warnings {
            self.doubt(Subject::Root, warning, None);
        }
    }

    /// Whether a root that cannot grow as far as it likes holds the image.
    fn room(&mut self, root: &AreaRequest, facts: &ImageFacts) {
        let needs = root_needs(facts);
        if let Some(most) = most(root).filter(|most| *most < needs) {
            self.error(Subject::Root, &solve::small_root(most, needs));
        }
    }

    /// The same of a /boot that is asked for by itself, and the image's kernel.
    fn boot_room(&mut self, request: &Request, facts: &ImageFacts) {
        let Layout::Custom(custom) = &request.layout else { return };
        let Some(boot) = custom.areas().find(|area| area.purpose.is_at("/boot")) else { return };
        let filesystem = boot.filesystem.as_deref().unwrap_or(solve::BOOT_FS);
        match most(boot).and_then(|most| boot_room::too_small(most, filesystem, facts)) {
            Some(boot_room::BootTooSmall::Kernel(error)) => self.error(Subject::Boot, &error),
            Some(boot_room::BootTooSmall::Update(warning)) => self.doubt(Subject::Boot, warning, None),
            None => {}
        }
    }

    /// What the image lacks for the settings of the system; what is not known of it goes without saying.
    fn system(&mut self, request: &Request, facts: &ImageFacts) {
        let known = facts.system.as_ref();
        let (_, mut found) = system::changes(&request.system, known);
        let (groups, users) = accounts(request);
        system::check_accounts(&groups, &users, known, &mut found);
        self.0.extend(found.list().iter().map(|one| Incompatibility {
            subject: Subject::System(one.topic),
            fatal: one.fatal,
            message: one.message.clone(),
            hint: (!one.hint.is_empty()).then(|| one.hint.as_str().into()),
        }));
    }

    fn boot(&mut self, request: &Request, facts: &ImageFacts) {
        if !request.bootloader {
            return;
        }
        let Some(brought) = self.take(Subject::BootLoader, boot::brought(facts)) else { return };
        if brought.loader == Loader::Bootupd && request.menu_timeout.is_some() {
            self.doubt(Subject::BootLoader, boot::NO_TIMEOUT, Some(Remedy::NoMenuTimeout));
        }
        self.take(Subject::BootLoader, boot::check_menu(&brought.loader, facts));
        let (bios, uefi) = places(&request.layout);
        if !(brought.bios || brought.uefi) {
            self.error(Subject::BootLoader, &boot::no_loader(&facts.reference, "any firmware"));
        } else if !(brought.bios && bios || brought.uefi && uefi) {
            let place = if brought.uefi { BootPlace::Esp } else { BootPlace::BiosBoot };
            let error = boot::no_place("any firmware", place);
            if brought.bios {
                // A machine with a BIOS gets a place.
                self.doubt(Subject::Layout, error.to_string(), error.remedy().cloned());
            } else {
                self.error(Subject::Layout, &error);
            }
        }
    }
}

/// What a partition or a volume gets at the most; `None` where the disk is the limit.
fn most(area: &AreaRequest) -> Option<Bytes> {
    let least = area.size.unwrap_or(ALIGNMENT);
    let most = if area.grow { area.max_size.map(|max| max.max(least)) } else { Some(least) };
    most.map(|most| most.align_up(ALIGNMENT))
}

/// Whether there will be a place for the boot loader of BIOS, and of UEFI, on whatever machine.
fn places(layout: &Layout) -> (bool, bool) {
    match layout {
        Layout::Auto { .. } => (true, true),
        Layout::Custom(custom) => {
            let has = |purpose| custom.platform || custom.areas().any(|area| area.purpose == purpose);
            (has(Purpose::BiosBoot), has(Purpose::Esp))
        }
    }
}

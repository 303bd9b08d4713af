//! Which boot loader, for which firmware: from what the image brings, what the machine is and
//! what the layout has room for.

use super::bootloader::{BootPlan, Loader};
use super::defaults::is_uefi;
use super::efi_grub;
use super::step::Step;
use crate::error::{BootPlace, Error, Remedy, Result, Stage};
use crate::image::ImageFacts;
use crate::machine::{Firmware, Machine};
use crate::request::{Purpose, Request};
use crate::storage::device::Device;
use crate::storage::select::Target;
use crate::storage::tree::Tree;

/// The GRUB platforms of an architecture: BIOS's and UEFI's.
fn platforms(architecture: &str) -> (Option<&'static str>, Option<&'static str>) {
    match architecture {
        "amd64" => (Some("i386-pc"), Some("x86_64-efi")),
        "arm64" => (None, Some("arm64-efi")),
        _ => (None, None),
    }
}

/// Seconds that the menu waits where the kickstart does not say: enough for a key, on a machine that is
/// seldom looked at.
pub const MENU_TIMEOUT: u32 = 1;

/// What a wish for the menu's time comes to where the image has bootupd.
pub const NO_TIMEOUT: &str = "the time that the menu should wait has no effect: bootupd brings its own menu";

/// What an image brings to boot with: the loader, and whether it is one for BIOS and for UEFI.
pub struct Brought {
    pub loader: Loader,
    pub bios: bool,
    pub uefi: bool,
}

/// What the image brings, if that is enough for later updates as well.
pub fn brought(facts: &ImageFacts) -> Result<Brought> {
    let (bios_platform, uefi_platform) = platforms(&facts.architecture);
    let brings = |platform: Option<&str>| platform.is_some_and(|p| facts.boot.grub_platforms.iter().any(|g| g == p));
    let brought = if facts.boot.bootupd {
        // bootupd's payload has the platforms of its architecture.
        Brought { loader: Loader::Bootupd, bios: bios_platform.is_some(), uefi: uefi_platform.is_some() }
    } else if let Some(install) = &facts.boot.grub_install {
        let loader = Loader::Grub { install: install.clone(), reads_entries: facts.boot.grub_reads_bls, efi: None };
        Brought { loader, bios: brings(bios_platform), uefi: brings(uefi_platform) }
    } else {
        return Err(Error::world(Stage::Plan, format!("{} brings no boot loader", facts.reference))
            .hint(["add bootupd, or GRUB with its installer, to the image".into(), Remedy::NoBootLoader]));
    };
    Ok(brought)
}

/// Decides; `None` where no boot loader is wanted.
pub fn choose(
    request: &Request,
    machine: &Machine,
    facts: &ImageFacts,
    tree: &Tree,
    target: &Target,
    warnings: &mut Vec<String>,
) -> Result<Option<BootPlan>> {
    if !request.bootloader {
        warnings.push("no boot loader is installed, as was asked; the disk will not boot by itself".into());
        return Ok(None);
    }
    let has = |purpose: &Purpose| tree.boot_partition(purpose).is_some();
    let Brought { loader, bios: can_bios, uefi: can_uefi } = brought(facts)?;
    if loader == Loader::Bootupd && request.menu_timeout.is_some() {
        warnings.push(NO_TIMEOUT.into());
    }
    let mut plan = BootPlan {
        loader,
        bios: can_bios && has(&Purpose::BiosBoot),
        uefi: can_uefi && has(&Purpose::Esp),
        timeout: request.menu_timeout.unwrap_or(MENU_TIMEOUT),
        password: request.menu_password.is_some(),
    };
    check(&plan, machine, facts, target, (can_bios, can_uefi))?;
    check_place(tree)?;
    check_menu(&plan.loader, facts)?;
    if matches!(target, Target::Disk { .. }) {
        check_secure_boot(machine, facts)?;
    }
    let needed = if matches!(target, Target::Disk { .. }) { is_uefi(machine) } else { !plan.bios };
    let place = tree.boot_partition(&Purpose::Esp).zip(tree.boot().map(|area| area.filesystem.as_str()));
    add_efi_grub(&mut plan, place, needed, machine, facts, warnings)?;
    Ok(Some(plan))
}

/// Whether a BIOS starts the image's boot loader from a disk of this machine.
pub fn starts_by_bios(machine: &Machine, facts: &ImageFacts) -> bool {
    !is_uefi(machine) && brought(facts).is_ok_and(|brought| brought.bios)
}

/// A boot loader reads partitions of the disk that it is started from.
fn check_place(tree: &Tree) -> Result<()> {
    let Some(boot) = tree.boot() else { return Ok(()) };
    let message = match &boot.device {
        Device::Volume { group, name } => {
            format!("/boot would be in the logical volume {group}/{name}, where the boot loader does not look for it")
        }
        _ => return Ok(()),
    };
    Err(Error::input(Stage::Plan, message).hint(Remedy::MakeBootPartition))
}

/// Decides what GRUB for UEFI is made of, for the ESP and the file system of /boot at `place`. Where
/// the image lacks something for it and the system starts without, that is a warning.
pub fn add_efi_grub(
    plan: &mut BootPlan,
    place: Option<(Device, &str)>,
    needed: bool,
    machine: &Machine,
    facts: &ImageFacts,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let (Loader::Grub { efi, .. }, true) = (&mut plan.loader, plan.uefi) else { return Ok(()) };
    let (Some((esp, filesystem)), Some(platform)) = (place, platforms(&facts.architecture).1) else { return Ok(()) };
    match efi_grub::choose(facts, platform, esp, filesystem, machine) {
        Ok(made) => *efi = Some(made),
        Err(error) if needed => return Err(error),
        Err(error) => {
            warnings.push(format!("the system will not start by UEFI: {error}"));
            plan.uefi = false;
        }
    }
    Ok(())
}

/// What is installed unsigned does not start where Secure Boot is enforced.
pub fn check_secure_boot(machine: &Machine, facts: &ImageFacts) -> Result<()> {
    if machine.firmware != (Firmware::Uefi { secure_boot: true }) || facts.boot.bootupd {
        return Ok(());
    }
    Err(Error::world(
        Stage::Plan,
        "this machine enforces Secure Boot, and the image's GRUB would be installed unsigned",
    )
    .hint("use an image with bootupd and shim, or turn Secure Boot off"))
}

/// The step that makes UEFI firmware start the system before anything else; only where it is
/// this machine that gets it.
pub fn order(boot: &BootPlan, request: &Request, machine: &Machine, tree: &Tree, target: &Target) -> Option<Step> {
    let here = is_uefi(machine) && boot.uefi && matches!(target, Target::Disk { .. });
    if !here || request.leave_boot_order {
        return None;
    }
    Some(Step::BootOrder { esp: tree.boot_partition(&Purpose::Esp)? })
}

/// Whether the machine, or for a disk image any machine, can start it.
fn check(plan: &BootPlan, machine: &Machine, facts: &ImageFacts, target: &Target, can: (bool, bool)) -> Result<()> {
    let name = &facts.reference;
    let (firmware, ok, brings, place) = match target {
        Target::Disk { .. } if is_uefi(machine) => ("UEFI", plan.uefi, can.1, BootPlace::Esp),
        Target::Disk { .. } => ("BIOS", plan.bios, can.0, BootPlace::BiosBoot),
        Target::ImageFile(_) | Target::Filesystem { .. } => {
            ("any firmware", plan.bios || plan.uefi, can.0 || can.1, BootPlace::Any)
        }
    };
    if ok {
        return Ok(());
    }
    Err(if brings { no_place(firmware, place) } else { no_loader(name, firmware) })
}

/// The image has nothing that this firmware could start.
pub fn no_loader(image: &str, firmware: &str) -> Error {
    Error::world(Stage::Plan, format!("{image} brings no boot loader for {firmware}"))
        .hint("add the GRUB modules of that platform to the image")
}

/// What the image has cannot be put anywhere.
pub fn no_place(firmware: &str, place: BootPlace) -> Error {
    Error::input(Stage::Plan, format!("the partitions leave no place for the boot loader ({firmware})"))
        .hint(Remedy::MakeBootPlace(place))
}

/// A GRUB that does not read the boot entries needs its own mkconfig for later updates.
pub fn check_menu(loader: &Loader, facts: &ImageFacts) -> Result<()> {
    match loader {
        Loader::Grub { reads_entries: false, .. } if facts.boot.grub_mkconfig.is_none() => Err(Error::world(
            Stage::Plan,
            format!(
                "the GRUB of {} neither reads boot entries nor brings grub-mkconfig: no update could be booted",
                facts.reference
            ),
        )
        .hint("add grub-mkconfig (Debian: grub2-common) and ostree-boot, or a GRUB with blscfg, to the image")),
        _ => Ok(()),
    }
}

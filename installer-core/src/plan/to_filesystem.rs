//! An image onto file systems that are there already: bootc's `install to-filesystem`, which
//! Anaconda calls when it has made and mounted what the kickstart asks for. Pure.
//!
//! Of the request count the image, the stateroot, the kernel arguments, the boot loader and
//! where updates come from; disks, layout, users and scripts are the caller's own business.

use super::boot::{self, Brought, MENU_TIMEOUT};
use super::bootloader::BootPlan;
use super::defaults::{is_uefi, planned_image, room_for};
use super::document::{Plan, SCHEMA};
use super::step::Step;
use super::{boot_room, check, root_room, steps, words};
use crate::error::{Error, Result, Stage};
use crate::image::ImageFacts;
use crate::machine::{Disk, Machine, Mounted, MountedArea};
use crate::request::{EndAction, Purpose, Request};
use crate::storage::device::Device;
use crate::storage::kind::Volume;
use crate::storage::partition_type;
use crate::storage::select::Target;
use crate::system::fstab::FstabEntry;

/// How the installed system names its root and its /boot, where the caller knows better than
/// by UUID: what `root=` takes. An empty `root` leaves it to the kernel arguments given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Specs {
    /// For the root.
    pub root: Option<String>,
    /// For /boot; an empty one leaves /boot out of fstab and of the kernel arguments.
    pub boot: Option<String>,
}

/// Decides what is done to what is `mounted`.
pub fn to_filesystem(
    request: &Request,
    specs: &Specs,
    mounted: &Mounted,
    machine: &Machine,
    facts: &ImageFacts,
) -> Result<Plan> {
    let mut warnings = Vec::new();
    check::check_image(request, machine, facts, &mut warnings)?;
    check_place(mounted, facts)?;
    check_root(mounted, facts, &mut warnings)?;
    if let Some(boot) = mounted.at("/boot") {
        boot_room::check_onto(boot.free, facts, &mut warnings)?;
    }
    let boot = boot_plan(request, mounted, machine, facts, &mut warnings)?;
    let image = planned_image(request, facts)?;
    let stateroot = words::stateroot(request, facts)?;
    let kargs = kernel_arguments(request, specs, mounted, facts)?;
    words::check_kargs(&kargs, &stateroot, facts)?;
    let mut steps = adopted(mounted)?;
    steps.extend([
        Step::InitialiseSysroot { stateroot: stateroot.clone() },
        Step::Import {
            target: image.updates_from.clone(),
            layers: facts.layers.len(),
            size: facts.download_size,
            selinux: facts.selinux.is_some(),
        },
        Step::Deploy { stateroot, origin: steps::origin(&image.updates_from), kargs },
    ]);
    // An image's own fstab stays where there is nothing to add.
    steps.extend(fstab(specs, mounted));
    let order = boot.as_ref().and_then(|boot| boot_order(boot, request, mounted, machine));
    steps.extend(boot.map(Step::Bootloader));
    steps.extend(order);
    steps.push(Step::Finish);
    if mounted.at("/var").is_some() {
        warnings.push("what the image has in /var goes into the stateroot, and not to the file system at /var".into());
    }
    let target = Target::Filesystem {
        path: mounted.root.clone(),
        disk: mounted.boot_disks().first().cloned(),
        free: mounted.free,
    };
    Ok(Plan {
        schema: SCHEMA,
        target,
        destroys: Vec::new(),
        image,
        steps,
        on_failure: Vec::new(),
        warnings,
        end: EndAction::Nothing,
        passwords: Default::default(),
        secrets: Default::default(),
        credentials: None,
    })
}

/// Whether the image may and can go there.
fn check_place(mounted: &Mounted, facts: &ImageFacts) -> Result<()> {
    if let Some(first) = mounted.unexpected.first() {
        let more = match mounted.unexpected.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        return Err(Error::refused(Stage::Plan, format!("{} is not empty: {first}{more}", mounted.root))
            .hint("give it file systems that are empty but for mount points and lost+found"));
    }
    let needs = room_for(facts);
    if mounted.free < needs {
        return Err(Error::world(
            Stage::Plan,
            format!("the file system at {} has {} free, and the image needs {needs}", mounted.root, mounted.free),
        )
        .hint("make the root file system larger"));
    }
    root_room::check_free(mounted.free_inodes, &mounted.root, facts)
}

fn check_root(mounted: &Mounted, facts: &ImageFacts, warnings: &mut Vec<String>) -> Result<()> {
    let Some(root) = mounted.at("/") else { return Ok(()) };
    check::check_root(facts, &root.filesystem, root.volume.is_some(), warnings)
}

/// What is mounted, as steps that take it.
fn adopted(mounted: &Mounted) -> Result<Vec<Step>> {
    let esp = mounted.esp().map(|area| area.at.clone());
    let boot = mounted.at("/boot").or(mounted.at("/"));
    let step = |area: &MountedArea| {
        let purpose = if Some(&area.at) == esp.as_ref() { Purpose::Esp } else { Purpose::Mount(area.at.clone()) };
        let needed = area.at.as_str() == "/" || boot.is_some_and(|boot| boot.at == area.at);
        let uuid = match &area.uuid {
            Some(uuid) => uuid.clone(),
            None if needed => return Err(no_uuid(area)),
            None => String::new(),
        };
        let device = Device::Node { path: area.node.clone() };
        Ok(Step::Adopt { device, purpose, filesystem: area.filesystem.clone(), uuid })
    };
    mounted.areas.iter().map(step).collect()
}

fn no_uuid(area: &MountedArea) -> Error {
    Error::input(Stage::Plan, format!("the {} on {} has no UUID", area.filesystem, area.node))
        .hint("use a file system that is found by its UUID (xfs, ext4, btrfs)")
}

/// bootc's order: where the root is, what the image's install configuration says, its
/// kargs.d, and what the caller adds.
fn kernel_arguments(request: &Request, specs: &Specs, mounted: &Mounted, facts: &ImageFacts) -> Result<Vec<String>> {
    let mut kargs = Vec::new();
    if let Some(root) = mounted.at("/") {
        match &specs.root {
            Some(spec) if spec.is_empty() => {}
            Some(spec) => kargs.push(format!("root={spec}")),
            None => kargs.push(format!("root=UUID={}", root.uuid.as_ref().ok_or_else(|| no_uuid(root))?)),
        }
        if let Some(name) = &root.subvolume {
            kargs.push(format!("rootflags=subvol={name}"));
        }
        if let Some((group, name)) = &root.volume {
            kargs.push(Volume::kernel_argument(group, name));
        }
    }
    kargs.push("rw".into());
    kargs.extend(boot_spec(specs, mounted).map(|spec| format!("boot={spec}")));
    steps::add_image_kargs(&mut kargs, facts);
    // Callers say where their volumes are as well; once is enough.
    for karg in &request.kargs {
        if !(karg.starts_with("rd.lvm.lv=") && kargs.contains(karg)) {
            kargs.push(karg.clone());
        }
    }
    Ok(kargs)
}

/// How the installed system finds a /boot of its own.
fn boot_spec(specs: &Specs, mounted: &Mounted) -> Option<String> {
    let boot = mounted.at("/boot")?;
    match &specs.boot {
        Some(spec) => (!spec.is_empty()).then(|| spec.clone()),
        None => Some(format!("UUID={}", boot.uuid.as_ref()?)),
    }
}

/// bootc writes a line for /boot alone; a caller that mounted more has a use for it.
fn fstab(specs: &Specs, mounted: &Mounted) -> Option<Step> {
    let others = mounted.areas.iter().filter(|area| !["/", "/boot"].contains(&area.at.as_str()));
    let boot = boot_spec(specs, mounted).zip(mounted.at("/boot")).map(|(source, area)| (source, area, "ro", 0));
    let others = others.filter(|area| area.filesystem != "vfat").filter_map(|area| {
        let source = format!("UUID={}", area.uuid.as_ref()?);
        Some((source, area, "defaults", 2))
    });
    let entries: Vec<FstabEntry> = boot
        .into_iter()
        .chain(others)
        .map(|(source, area, options, pass)| FstabEntry {
            source,
            target: area.at.to_string(),
            kind: area.filesystem.clone(),
            options: match &area.subvolume {
                Some(name) => format!("{options},subvol={name}"),
                None => options.to_owned(),
            },
            pass,
        })
        .collect();
    (!entries.is_empty()).then_some(Step::Fstab { entries })
}

/// The disk that /boot is on.
fn boot_disk<'a>(mounted: &Mounted, machine: &'a Machine) -> Option<&'a Disk> {
    let path = mounted.boot_disks().first()?;
    machine.disks.iter().find(|disk| disk.path == *path)
}

/// Whether GRUB finds a place on the disk for BIOS.
fn has_bios_place(disk: &Disk) -> bool {
    match disk.table.as_deref() {
        Some("gpt") => disk.partitions.iter().any(|partition| partition_type::is(partition, partition_type::BIOS_BOOT)),
        // The sectors behind an MBR.
        Some("dos") => true,
        _ => false,
    }
}

fn boot_plan(
    request: &Request,
    mounted: &Mounted,
    machine: &Machine,
    facts: &ImageFacts,
    warnings: &mut Vec<String>,
) -> Result<Option<BootPlan>> {
    if !request.bootloader {
        return Ok(None);
    }
    let Brought { loader, bios: can_bios, uefi: can_uefi } = boot::brought(facts)?;
    if let [first, second, ..] = mounted.boot_disks() {
        return Err(Error::world(Stage::Plan, format!("/boot is on several disks ({first}, {second})"))
            .hint("put /boot on one disk, or install without a boot loader"));
    }
    let disk = boot_disk(mounted, machine);
    let mut plan = BootPlan {
        loader,
        bios: can_bios && disk.is_some_and(has_bios_place),
        uefi: can_uefi && mounted.esp().is_some(),
        timeout: request.menu_timeout.unwrap_or(MENU_TIMEOUT),
        password: request.menu_password.is_some(),
    };
    // A loop device is a disk image, for whatever machine.
    let (firmware, ok, brings) = match disk {
        Some(disk) if disk.loopback => ("any firmware", plan.bios || plan.uefi, can_bios || can_uefi),
        _ if is_uefi(machine) => ("UEFI", plan.uefi, can_uefi),
        _ => ("BIOS", plan.bios, can_bios),
    };
    if !ok {
        return Err(if brings { no_place(mounted, firmware) } else { boot::no_loader(&facts.reference, firmware) });
    }
    boot::check_menu(&plan.loader, facts)?;
    if disk.is_none_or(|disk| !disk.loopback) {
        boot::check_secure_boot(machine, facts)?;
    }
    let needed = firmware == "UEFI" || !plan.bios;
    let esp = mounted.esp().map(|area| Device::Node { path: area.node.clone() });
    let boot = mounted.at("/boot").or(mounted.at("/")).map(|area| area.filesystem.as_str());
    boot::add_efi_grub(&mut plan, esp.zip(boot), needed, machine, facts, warnings)?;
    Ok(Some(plan))
}

fn no_place(mounted: &Mounted, firmware: &str) -> Error {
    let root = &mounted.root;
    Error::input(Stage::Plan, format!("there is no place for the boot loader ({firmware})")).hint(match firmware {
        "UEFI" => format!("mount the EFI system partition at {root}/boot/efi"),
        _ => format!(
            "make a BIOS boot partition (1 MiB) on the disk, or mount an EFI system partition at {root}/boot/efi"
        ),
    })
}

/// The firmware is told where it is this machine that gets the system.
fn boot_order(boot: &BootPlan, request: &Request, mounted: &Mounted, machine: &Machine) -> Option<Step> {
    let here = is_uefi(machine) && boot.uefi && boot_disk(mounted, machine).is_none_or(|disk| !disk.loopback);
    if !here || request.leave_boot_order {
        return None;
    }
    Some(Step::BootOrder { esp: Device::Node { path: mounted.esp()?.node.clone() } })
}

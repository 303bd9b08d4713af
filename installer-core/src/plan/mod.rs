//! Request + machine + image facts → what will happen. Pure and deterministic: the same
//! three documents give the same plan, to the byte, on any machine.
//!
//! Everything that can be known beforehand is checked here, so that nothing is destroyed for
//! an installation that cannot succeed. What only the installing machine can tell (are the
//! tools there?) is `apply::preflight`.

mod boot;
mod boot_room;
mod bootloader;
mod check;
mod defaults;
mod document;
mod efi_grub;
mod fit;
mod made_later;
mod render;
mod root_room;
mod step;
mod steps;
mod to_filesystem;
mod words;

use crate::error::{Error, Remedy, Result, Stage};
use crate::image::ImageFacts;
use crate::machine::{Machine, Partition, find_disk};
use crate::request::{Layout, Purpose, Request, Script, When};
use crate::storage::present::{self, Found};
use crate::storage::select::{self, Asked, Loss, Target};
use crate::storage::solve::{self, Given, Present};
use crate::storage::tree::Tree;
use crate::units::Digest;

pub use bootloader::{BootPlan, EfiGrub, Loader, MENU_PASSWORD, grub_directory};
pub use defaults::oci_architecture;
pub use document::{Plan, PlannedImage, SCHEMA};
pub use fit::{Incompatibility, Subject, incompatibilities};
pub use step::{AUTH_FILE, Step};
pub use to_filesystem::{Specs, to_filesystem};

pub use crate::storage::device::{Device, Names, Planned, partition_node};

use defaults::{default_root_fs, passwords, planned_image, root_needs};

/// Decides what to do.
pub fn plan(request: &Request, machine: &Machine, facts: &ImageFacts) -> Result<Plan> {
    let mut warnings = Vec::new();
    let stand_in = made_later::in_its_place(request, machine, &mut warnings);
    let request = stand_in.as_ref().unwrap_or(request);
    check::check_image(request, machine, facts, &mut warnings)?;
    if request.layout.has_volumes() && !machine.kernel.device_mapper {
        let who = match request.layout {
            Layout::Auto { .. } => "automatic partitioning makes logical volumes",
            Layout::Custom(_) => "logical volumes are asked for",
        };
        return Err(Error::world(Stage::Plan, format!("{who}, and the running kernel has no device-mapper"))
            .hint(Remedy::PlainPartitions));
    }
    let (target, destroys, mut tree) = lay_out(request, machine, facts, &mut warnings)?;
    check::check_filesystems(&tree, machine, facts, &mut warnings)?;
    boot_room::check(&tree, facts, &mut warnings)?;
    root_room::fit_inodes(&mut tree, facts)?;
    let boot = boot::choose(request, machine, facts, &tree, &target, &mut warnings)?;
    let image = planned_image(request, facts)?;
    warnings.extend(check::updates_from_itself(&image.updates_from));
    let context = steps::Context { request, facts, tree: &tree, target: &target, image: &image };
    let mut steps = steps::storage_steps(&context);
    steps.extend(steps::deploy_steps(&context)?);
    steps.extend(steps::system_steps(&context, &mut warnings)?);
    // Before the scripts: a script may want to change what the boot loader's installer wrote.
    let order = boot.as_ref().and_then(|boot| boot::order(boot, request, machine, &tree, &target));
    steps.extend(boot.map(Step::Bootloader));
    steps.extend(order);
    steps.extend(steps::scripts(request, When::Post));
    steps.push(Step::Finish);
    let passwords = passwords(request);
    let (end, credentials) = (request.end, None);
    let mut secrets = crate::system::secrets(&request.system);
    secrets.extend(request.menu_password.clone().map(|hash| (MENU_PASSWORD.to_owned(), hash)));
    let fails = |script: &&Script| matches!(script.when, When::OnError | When::Traceback);
    let on_failure = request.scripts.iter().filter(fails).cloned().collect();
    Ok(Plan {
        schema: SCHEMA,
        target,
        destroys,
        image,
        steps,
        on_failure,
        warnings,
        end,
        passwords,
        secrets,
        credentials,
    })
}

/// Where the system would go, and what would be gone there, whatever the image.
pub fn target(request: &Request, machine: &Machine) -> Result<(Target, Vec<Loss>)> {
    let found = present::find(&request.layout, machine)?;
    select::choose(&request.disks, &asked(&request.layout, &found), &found, machine)
}

/// The disks, what is lost there, and what is made on them.
fn lay_out(
    request: &Request,
    machine: &Machine,
    facts: &ImageFacts,
    warnings: &mut Vec<String>,
) -> Result<(Target, Vec<Loss>, Tree)> {
    let (chosen, losses) = target(request, machine)?;
    let before = warnings.len();
    let tree = solved(request, machine, facts, &chosen, warnings)?;
    let mut used = vec![false; chosen.disks().len()];
    for table in tree.tables() {
        // A disk image is none of this machine's disks.
        used.get_mut(table.disk).into_iter().for_each(|used| *used = true);
    }
    if used.iter().all(|used| *used) {
        return Ok((chosen, losses, tree));
    }
    // A disk that gets nothing keeps what it has.
    let unused = chosen.disks().into_iter().zip(&used).filter(|(_, used)| !**used).map(|(disk, _)| disk.path.as_str());
    let left = format!("nothing is put onto {}, which is left as it is", unused.collect::<Vec<_>>().join(", "));
    let (chosen, losses) = select::only(&chosen, &used, machine)?;
    warnings.truncate(before);
    warnings.push(left);
    let tree = solved(request, machine, facts, &chosen, warnings)?;
    Ok((chosen, losses, tree))
}

/// What is made on the disks of `target`.
fn solved(
    request: &Request,
    machine: &Machine,
    facts: &ImageFacts,
    target: &Target,
    warnings: &mut Vec<String>,
) -> Result<Tree> {
    let disks: Vec<solve::Disk<'_>> =
        target.sizes().into_iter().map(|(name, size)| solve::Disk { name, size }).collect();
    let disk = |spec: &str| match target {
        Target::Disk { .. } => {
            let found = find_disk(machine, spec);
            disks.iter().position(|disk| found.iter().any(|found| found.path == disk.name))
        }
        Target::ImageFile(_) | Target::Filesystem { .. } => Some(0),
    };
    let here = matches!(target, Target::Disk { .. });
    if !here && matches!(&request.layout, Layout::Custom(custom) if !custom.existing.is_empty()) {
        return Err(Error::input(Stage::Plan, format!("{} is new, and has no partitions to use", target.name()))
            .hint("make new partitions, each with a size"));
    }
    let found = present::find(&request.layout, machine)?;
    let place = |found: &Found<'_>| {
        let disk = disks.iter().position(|disk| disk.name == found.disk.path)?;
        let Partition { number, start, size, signature, .. } = found.partition;
        Some(Present { disk, number: *number, start: start.bytes(), size: *size, signature: signature.clone() })
    };
    let present: Vec<Present> = found.iter().filter_map(place).collect();
    solve::lay_out(
        &request.layout,
        &Given {
            disks: &disks,
            present: &present,
            disk: &disk,
            memory: machine.memory,
            root_fs: default_root_fs(facts),
            root_needs: root_needs(facts),
            boot_needs: boot_room::needs(2, solve::BOOT_FS, facts).unwrap_or_default(),
            group: &volume_group(target, request),
            bios_boot: here && request.bootloader && boot::starts_by_bios(machine, facts),
        },
        warnings,
    )
}

/// Name of the volume group that automatic partitioning makes. A host cannot have two of one
/// name, and may have one of a system that this tool has installed: so each target has its own,
/// the same each time.
fn volume_group(target: &Target, request: &Request) -> String {
    let name = match target {
        Target::Disk { boot, .. } => &boot.stable,
        other => other.name(),
    };
    let size = target.sizes().first().map_or(0, |(_, size)| size.0);
    let host = request.system.hostname.as_deref().unwrap_or_default();
    format!("system_{}", &Digest::of(format!("{name} {size} {host}").as_bytes()).hex()[..8])
}

/// The disks that the layout asks for, first the one that has what the machine boots from.
fn asked(layout: &Layout, found: &[Found<'_>]) -> Asked {
    let several = layout.spans_disks();
    let Layout::Custom(custom) = layout else { return Asked { several, any: true, ..Asked::default() } };
    let rank = |purpose: &Purpose| match purpose {
        Purpose::BiosBoot | Purpose::Esp => 0,
        at if at.is_at("/boot") => 1,
        at if *at == Purpose::root() => 2,
        _ => 3,
    };
    let new = custom.partitions.iter().filter_map(|one| Some((rank(&one.area.purpose), one.disk.as_ref()?)));
    let existing = found.iter().map(|one| (rank(&one.request.area.purpose), &one.disk.path));
    let mut disks: Vec<(u8, &String)> = new.chain(existing).collect();
    disks.sort_by_key(|(rank, _)| *rank);
    let mut named: Vec<String> = Vec::new();
    for (_, disk) in disks {
        if !named.contains(disk) {
            named.push(disk.clone());
        }
    }
    Asked { named, any: custom.partitions.iter().any(|partition| partition.disk.is_none()), several }
}

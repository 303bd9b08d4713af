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
mod device;
mod document;
mod efi_grub;
mod fit;
mod render;
mod root_room;
mod step;
mod steps;
mod to_filesystem;
mod words;

use crate::error::{Error, Remedy, Result, Stage};
use crate::image::ImageFacts;
use crate::machine::Machine;
use crate::request::{Layout, Request, Scheme, Script, When};
use crate::storage::layout::{self, Given};
use crate::storage::select::{self, Loss, Target};
use crate::units::Digest;

pub use bootloader::{BootPlan, EfiGrub, Loader, MENU_PASSWORD, grub_directory};
pub use defaults::oci_architecture;
pub use device::{Device, Names, Planned, partition_node};
pub use document::{Plan, PlannedImage, SCHEMA};
pub use fit::{Incompatibility, Subject, incompatibilities};
pub use step::{AUTH_FILE, Step};
pub use to_filesystem::{Specs, to_filesystem};

use defaults::{default_root_fs, passwords, planned_image, root_needs, scheme};

/// Decides what to do.
pub fn plan(request: &Request, machine: &Machine, facts: &ImageFacts) -> Result<Plan> {
    let mut warnings = Vec::new();
    check::check_image(request, machine, facts, &mut warnings)?;
    let scheme = scheme(request);
    if scheme == Scheme::Lvm && !machine.kernel.device_mapper {
        return Err(Error::world(
            Stage::Plan,
            "automatic partitioning makes logical volumes, and the running kernel has no device-mapper",
        )
        .hint(Remedy::PlainPartitions));
    }
    let (target, destroys) = target(request, machine)?;
    let root_fs = default_root_fs(facts);
    let mut disk_layout = layout::lay_out(
        &request.layout,
        &Given {
            disk: target.size(),
            memory: machine.memory,
            root_fs,
            root_needs: root_needs(facts),
            boot_needs: boot_room::needs(2, layout::BOOT_FS, facts).unwrap_or_default(),
            name: target.name(),
            group: &volume_group(&target, request),
        },
    )?;
    check::check_filesystems(&disk_layout, machine, facts, scheme, &mut warnings)?;
    boot_room::check(&disk_layout, facts, &mut warnings)?;
    root_room::fit_inodes(&mut disk_layout, facts)?;
    let boot = boot::choose(request, machine, facts, &disk_layout, &target, &mut warnings)?;
    let image = planned_image(request, facts)?;
    warnings.extend(check::updates_from_itself(&image.updates_from));
    let context = steps::Context { request, facts, layout: &disk_layout, target: &target, image: &image };
    let mut steps = steps::storage_steps(&context);
    steps.extend(steps::deploy_steps(&context)?);
    steps.extend(steps::system_steps(&context, &mut warnings)?);
    // Before the scripts: a script may want to change what the boot loader's installer wrote.
    let order = boot.as_ref().and_then(|boot| boot::order(boot, request, machine, &disk_layout, &target));
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
    select::choose(&request.disks, &named_disks(request)?, machine)
}

/// Name of the volume group that automatic partitioning makes. A host cannot have two of one
/// name, and may have one of a system that this tool has installed: so each target has its own,
/// the same each time.
fn volume_group(target: &Target, request: &Request) -> String {
    let name = match target {
        Target::Disk { stable, .. } => stable,
        other => other.name(),
    };
    let host = request.system.hostname.as_deref().unwrap_or_default();
    format!("system_{}", &Digest::of(format!("{name} {} {host}", target.size().0).as_bytes()).hex()[..8])
}

fn named_disks(request: &Request) -> Result<Vec<String>> {
    let Layout::Custom { partitions, .. } = &request.layout else { return Ok(Vec::new()) };
    let mut disks: Vec<String> = partitions.iter().filter_map(|p| p.disk.clone()).collect();
    disks.dedup();
    if disks.len() > 1 {
        return Err(Error::input(
            Stage::Plan,
            format!("partitions on several disks ({}) are not supported yet", disks.join(", ")),
        )
        .hint("put them on one disk, or use Anaconda"));
    }
    Ok(disks)
}

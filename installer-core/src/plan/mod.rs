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
mod efi_grub;
mod fit;
mod render;
mod step;
mod steps;
mod to_filesystem;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Stage};
use crate::image::{ImageFacts, ImageReference};
use crate::machine::{Firmware, Machine};
use crate::request::{EndAction, Layout, Password, Request, RootAccess, Scheme};
use crate::storage::layout::{self, DiskLayout, Given};
use crate::storage::select::{self, Loss, Target};
use crate::units::{Bytes, Digest, Secret};

pub use bootloader::{BootPlan, EfiGrub, Loader, grub_directory};
pub use fit::{Incompatibility, Subject, incompatibilities};
pub use step::{AUTH_FILE, Device, Names, Planned, Step, partition_node};
pub use to_filesystem::{Specs, to_filesystem};

/// The version of the JSON form of [`Plan`].
pub const SCHEMA: u32 = 1;

/// What will happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Where the system goes.
    pub target: Target,
    /// What will be gone.
    pub destroys: Vec<Loss>,
    /// The image.
    pub image: PlannedImage,
    /// What will be done, in order.
    pub steps: Vec<Step>,
    /// What the admin should know before.
    pub warnings: Vec<String>,
    /// What happens at the end.
    pub end: EndAction,
    /// Passwords by user; not part of any text.
    #[serde(skip)]
    pub passwords: BTreeMap<String, Password>,
    /// The auth.json of the installed system; not part of any text.
    #[serde(skip)]
    pub credentials: Option<Secret>,
}

/// The image of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedImage {
    /// Where it is fetched from.
    pub source: String,
    /// The manifest that was looked at; nothing else is installed.
    pub digest: Digest,
    /// Where updates come from.
    pub updates_from: String,
    /// What its files need.
    pub unpacked_size: Bytes,
}

impl Plan {
    /// The digest of the plan: `install --plan-digest` installs this and nothing else.
    pub fn digest(&self) -> Result<Digest> {
        let json = serde_json::to_vec(self)
            .map_err(|error| Error::failed(Stage::Plan, "writing the plan as JSON").because(error))?;
        Ok(Digest::of(&json))
    }

    /// The plan as JSON with its digest beside what it is the digest of.
    pub fn document(&self) -> Result<serde_json::Value> {
        let json = |error| Error::failed(Stage::Plan, "writing the plan as JSON").because(error);
        let mut value = serde_json::to_value(self).map_err(json)?;
        value["digest"] = serde_json::to_value(self.digest()?).map_err(json)?;
        Ok(value)
    }

    /// The plan for people.
    pub fn render(&self) -> Result<String> {
        render::text(self)
    }
}

/// Decides what to do.
pub fn plan(request: &Request, machine: &Machine, facts: &ImageFacts) -> Result<Plan> {
    let mut warnings = Vec::new();
    check::check_image(request, machine, facts, &mut warnings)?;
    let scheme = scheme(request);
    if scheme == Scheme::Lvm && !machine.kernel.device_mapper {
        return Err(Error::world(
            Stage::Plan,
            "autopart makes logical volumes, and the running kernel has no device-mapper",
        )
        .hint("use plain partitions: autopart --type=plain"));
    }
    let (target, destroys) = target(request, machine)?;
    let root_fs = default_root_fs(facts);
    let disk_layout = layout::lay_out(
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
    let boot = boot::choose(request, machine, facts, &disk_layout, &target, &mut warnings)?;
    let image = planned_image(request, facts)?;
    let context = Context { request, facts, layout: &disk_layout, target: &target, image: &image };
    let mut steps = steps::storage_steps(&context);
    steps.extend(steps::deploy_steps(&context));
    steps.extend(steps::system_steps(&context, &mut warnings)?);
    // Before the scripts: a script may want to change what the boot loader's installer wrote.
    let order = boot.as_ref().and_then(|boot| boot::order(boot, request, machine, &disk_layout, &target));
    steps.extend(boot.map(Step::Bootloader));
    steps.extend(order);
    steps.extend(request.scripts.iter().cloned().map(Step::Script));
    steps.push(Step::Finish);
    let passwords = passwords(request);
    let (end, credentials) = (request.end, None);
    Ok(Plan { schema: SCHEMA, target, destroys, image, steps, warnings, end, passwords, credentials })
}

/// Where the system would go, and what would be gone there, whatever the image.
pub fn target(request: &Request, machine: &Machine) -> Result<(Target, Vec<Loss>)> {
    select::choose(&request.disks, &named_disks(request)?, machine)
}

struct Context<'a> {
    request: &'a Request,
    facts: &'a ImageFacts,
    layout: &'a DiskLayout,
    target: &'a Target,
    image: &'a PlannedImage,
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

/// The root's file system where the request names none.
fn default_root_fs(facts: &ImageFacts) -> &str {
    facts.install.root_fs.as_deref().unwrap_or("xfs")
}

/// What the root must hold, at the least of what a root that is made gets.
fn root_needs(facts: &ImageFacts) -> Bytes {
    room_for(facts).align_up(layout::ALIGNMENT).max(layout::LEAST_ROOT)
}

/// Room for the image, the second deployment's share of a later update, and logs.
fn room_for(facts: &ImageFacts) -> Bytes {
    Bytes(facts.unpacked_size.0 + facts.unpacked_size.0 / 4) + Bytes::mib(256)
}

fn scheme(request: &Request) -> Scheme {
    match &request.layout {
        Layout::Auto { scheme, .. } => *scheme,
        Layout::Custom { .. } => Scheme::Plain,
    }
}

/// OCI's name of an architecture for the kernel's.
pub fn oci_architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
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

fn planned_image(request: &Request, facts: &ImageFacts) -> Result<PlannedImage> {
    let source = facts.reference.clone();
    let updates_from = match &request.update_from {
        Some(name) => name.parse::<ImageReference>()?.to_string(),
        None => source.clone(),
    };
    Ok(PlannedImage { source, digest: facts.manifest_digest.clone(), updates_from, unpacked_size: facts.unpacked_size })
}

fn passwords(request: &Request) -> BTreeMap<String, Password> {
    let mut map = BTreeMap::new();
    if let RootAccess::Password(password) = &request.system.root {
        map.insert("root".to_owned(), password.clone());
    }
    for user in &request.system.users {
        if let Some(password) = &user.password {
            map.insert(user.name.clone(), password.clone());
        }
    }
    map
}

/// Whether this machine starts by UEFI.
fn is_uefi(machine: &Machine) -> bool {
    matches!(machine.firmware, Firmware::Uefi { .. })
}

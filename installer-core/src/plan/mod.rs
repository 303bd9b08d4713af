//! Request + machine + image facts → what will happen. Pure and deterministic: the same
//! three documents give the same plan, to the byte, on any machine.
//!
//! Everything that can be known beforehand is checked here, so that nothing is destroyed for
//! an installation that cannot succeed. What only the installing machine can tell (are the
//! tools there?) is `apply::preflight`.

mod boot;
mod render;
mod step;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Stage};
use crate::image::{ImageFacts, ImageReference};
use crate::machine::{Firmware, Machine};
use crate::request::{EndAction, Layout, Password, Purpose, Request, RootAccess, Scheme};
use crate::storage::filesystem;
use crate::storage::layout::{self, DiskLayout, Given};
use crate::storage::select::{self, Loss, Target};
use crate::system::accounts::{UserPlan, valid_name};
use crate::system::files::{self, FstabEntry};
use crate::units::{Bytes, Digest, MountPoint};

pub use step::{BootPlan, Device, Loader, Names, Planned, Step, partition_node};

/// The version of the JSON form of [`Plan`].
pub const SCHEMA: u32 = 1;

/// Name of the volume group that automatic partitioning makes.
const VOLUME_GROUP: &str = "system";

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

    /// The plan for people.
    pub fn render(&self) -> Result<String> {
        render::text(self)
    }
}

/// Decides what to do.
pub fn plan(request: &Request, machine: &Machine, facts: &ImageFacts) -> Result<Plan> {
    let mut warnings = Vec::new();
    check_image(request, machine, facts, &mut warnings)?;
    let scheme = scheme(request);
    if scheme == Scheme::Lvm && !machine.kernel.device_mapper {
        return Err(Error::world(
            Stage::Plan,
            "autopart makes logical volumes, and the running kernel has no device-mapper",
        )
        .hint("use plain partitions: autopart --type=plain"));
    }
    let (target, destroys) = select::choose(&request.disks, &named_disks(request)?, machine)?;
    let root_fs = facts.install.root_fs.as_deref().unwrap_or("xfs");
    let disk_layout = layout::lay_out(
        &request.layout,
        &Given {
            disk: target.size(),
            memory: machine.memory,
            root_fs,
            root_needs: root_needs(facts),
            name: target.name(),
            group: VOLUME_GROUP,
        },
    )?;
    check_filesystems(&disk_layout, machine, facts, scheme, &mut warnings)?;
    let boot = boot::choose(request, machine, facts, &disk_layout, &target, &mut warnings)?;
    let image = planned_image(request, facts)?;
    let context = Context { request, facts, layout: &disk_layout, target: &target, image: &image };
    let mut steps = storage_steps(&context);
    steps.extend(deploy_steps(&context));
    steps.extend(system_steps(&context, &mut warnings)?);
    // Before the scripts: a script may want to change what the boot loader's installer wrote.
    steps.extend(boot.map(Step::Bootloader));
    steps.extend(request.scripts.iter().cloned().map(Step::Script));
    steps.push(Step::Finish);
    let passwords = passwords(request);
    Ok(Plan { schema: SCHEMA, target, destroys, image, steps, warnings, end: request.end, passwords })
}

struct Context<'a> {
    request: &'a Request,
    facts: &'a ImageFacts,
    layout: &'a DiskLayout,
    target: &'a Target,
    image: &'a PlannedImage,
}

/// What the root must hold: the image, the second deployment's share of a later update, room
/// for logs.
fn root_needs(facts: &ImageFacts) -> Bytes {
    let room = Bytes(facts.unpacked_size.0 + facts.unpacked_size.0 / 4) + Bytes::mib(256);
    room.align_up(layout::ALIGNMENT).max(layout::LEAST_ROOT)
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

fn check_image(request: &Request, machine: &Machine, facts: &ImageFacts, warnings: &mut Vec<String>) -> Result<()> {
    let name = &facts.reference;
    let wanted = oci_architecture(&machine.arch);
    if facts.architecture != wanted {
        return Err(Error::world(
            Stage::Plan,
            format!("{name} is for {}, and this machine is {wanted} ({})", facts.architecture, machine.arch),
        )
        .hint("build the image for this architecture, or name one that is"));
    }
    let Some(kernel) = &facts.kernel else {
        return Err(Error::world(Stage::Plan, format!("{name} has no kernel in usr/lib/modules"))
            .hint("a bootable container image holds usr/lib/modules/VERSION/vmlinuz and initramfs.img"));
    };
    if !kernel.initramfs {
        return Err(Error::world(
            Stage::Plan,
            format!("{name} has no usr/lib/modules/{}/initramfs.img", kernel.version),
        )
        .hint("run dracut in the Containerfile"));
    }
    if !request.unsigned_is_fine {
        warnings.push("no signature of the image is verified; its digest is pinned".into());
    }
    Ok(())
}

fn check_filesystems(
    layout: &DiskLayout,
    machine: &Machine,
    facts: &ImageFacts,
    scheme: Scheme,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let volumes = layout.group.iter().flat_map(|group| &group.volumes);
    let all = layout
        .partitions
        .iter()
        .map(|p| (&p.purpose, &p.filesystem))
        .chain(volumes.map(|v| (&v.purpose, &v.filesystem)));
    for (purpose, filesystem) in all {
        let (Purpose::Mount(at), Some(name)) = (purpose, filesystem) else { continue };
        if filesystem::find(name).is_none() {
            let known: Vec<&str> = filesystem::FILESYSTEMS.iter().map(|fs| fs.name).collect();
            return Err(Error::input(Stage::Plan, format!("file system '{name}' for {at} is not supported"))
                .hint(format!("use one of: {}", known.join(", "))));
        }
        if !machine.kernel.filesystems.iter().any(|fs| fs == name) {
            return Err(Error::world(Stage::Plan, format!("the running kernel cannot mount {name}, wanted for {at}"))
                .hint("choose another --fstype, or install from an environment whose kernel has it"));
        }
        if *at == MountPoint::root() {
            check_initramfs(facts, name, "the root file system", warnings)?;
        }
    }
    if scheme == Scheme::Lvm {
        check_initramfs(facts, "dm_mod", "the logical volume of the root", warnings)?;
    }
    Ok(())
}

/// Whether the image will be able to open what is made for it.
fn check_initramfs(facts: &ImageFacts, module: &str, what: &str, warnings: &mut Vec<String>) -> Result<()> {
    match facts.kernel.as_ref().and_then(|kernel| kernel.has_module(module)) {
        Some(true) => Ok(()),
        Some(false) => {
            Err(Error::world(Stage::Plan, format!("the image's initramfs lacks '{module}' and could not mount {what}"))
                .hint("choose what the image can mount, or add the module to its dracut configuration"))
        }
        None => {
            warnings.push(format!("the image's initramfs could not be read: whether it can mount {what} is not known"));
            Ok(())
        }
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

/// The origin's way to write an image that nothing verifies; bootc writes a registry's without
/// its transport (`ostree-ext`, `OstreeImageReference`).
fn origin(reference: &str) -> String {
    match reference.strip_prefix("docker://") {
        Some(name) => format!("ostree-unverified-registry:{name}"),
        None => format!("ostree-unverified-image:{reference}"),
    }
}

fn storage_steps(context: &Context<'_>) -> Vec<Step> {
    let mut steps = match context.target {
        Target::ImageFile(file) => {
            vec![Step::CreateImageFile { path: file.path.clone(), size: file.size }]
        }
        Target::Disk { path, .. } => vec![Step::Wipe { disk: path.clone() }],
    };
    steps.push(Step::Partition { partitions: context.layout.partitions.clone() });
    for (number, partition) in context.layout.partitions.iter().map(|p| (p.number, p)) {
        if let (Purpose::Lvm, Some(group)) = (&partition.purpose, &context.layout.group) {
            let on = Device::Partition { number };
            steps.push(Step::CreateGroup { group: group.name.clone(), on });
            steps.extend(group.volumes.iter().map(|volume| Step::CreateVolume {
                group: group.name.clone(),
                name: volume.name.clone(),
                size: volume.size,
            }));
        }
    }
    let areas = areas(context.layout);
    steps.extend(areas.iter().map(|area| Step::Format {
        device: area.device.clone(),
        purpose: area.purpose.clone(),
        filesystem: area.filesystem.clone(),
        label: area.label.clone(),
        options: area.mkfs_options.clone(),
    }));
    // The ESP is filled, not mounted.
    steps.extend(mounts(&areas).filter(|(at, _)| !below_var(at)).map(mount_step));
    steps
}

/// Mount points with what is mounted there, the shallow ones first.
fn mounts(areas: &[Area]) -> impl Iterator<Item = (&MountPoint, &Area)> {
    let mut mounts: Vec<(&MountPoint, &Area)> =
        areas.iter().filter_map(|area| area.mount_point().map(|at| (at, area))).collect();
    mounts.sort_by_key(|(at, _)| (at.depth(), (*at).clone()));
    mounts.into_iter()
}

/// What lies in /var is mounted in the stateroot's own, which must be there first.
fn below_var(at: &MountPoint) -> bool {
    at.as_str() == "/var" || at.as_str().starts_with("/var/")
}

fn mount_step((at, area): (&MountPoint, &Area)) -> Step {
    Step::Mount { device: area.device.clone(), at: at.clone(), filesystem: area.filesystem.clone() }
}

/// Something with a file system or a swap area on it.
struct Area {
    device: Device,
    purpose: Purpose,
    filesystem: String,
    label: Option<String>,
    options: Option<String>,
    mkfs_options: Vec<String>,
}

impl Area {
    fn mount_point(&self) -> Option<&MountPoint> {
        match &self.purpose {
            Purpose::Mount(at) => Some(at),
            _ => None,
        }
    }
}

fn areas(layout: &DiskLayout) -> Vec<Area> {
    let kind = |purpose: &Purpose, filesystem: &Option<String>| match purpose {
        Purpose::Esp => Some("vfat".to_owned()),
        Purpose::Swap => Some("swap".to_owned()),
        Purpose::Mount(_) => filesystem.clone(),
        Purpose::BiosBoot | Purpose::Lvm => None,
    };
    let mut areas: Vec<Area> = layout
        .partitions
        .iter()
        .filter_map(|p| {
            Some(Area {
                device: Device::Partition { number: p.number },
                purpose: p.purpose.clone(),
                filesystem: kind(&p.purpose, &p.filesystem)?,
                label: p.label.clone(),
                options: p.options.clone(),
                mkfs_options: p.mkfs_options.clone(),
            })
        })
        .collect();
    if let Some(group) = &layout.group {
        areas.extend(group.volumes.iter().filter_map(|v| {
            Some(Area {
                device: Device::Volume { group: group.name.clone(), name: v.name.clone() },
                purpose: v.purpose.clone(),
                filesystem: kind(&v.purpose, &v.filesystem)?,
                label: Some(v.name.clone()),
                options: None,
                mkfs_options: Vec::new(),
            })
        }));
    }
    areas
}

fn stateroot(context: &Context<'_>) -> String {
    let wanted = context.request.stateroot.as_ref().or(context.facts.install.stateroot.as_ref());
    wanted.map_or("default", String::as_str).to_owned()
}

fn deploy_steps(context: &Context<'_>) -> Vec<Step> {
    let stateroot = stateroot(context);
    let image = context.image;
    let mut steps = vec![Step::InitialiseSysroot { stateroot: stateroot.clone() }];
    steps.extend(mounts(&areas(context.layout)).filter(|(at, _)| below_var(at)).map(mount_step));
    steps.extend([
        Step::Import {
            target: image.updates_from.clone(),
            layers: context.facts.layers.len(),
            size: context.facts.download_size,
            selinux: context.facts.selinux.is_some(),
        },
        Step::Deploy { stateroot, origin: origin(&image.updates_from), kargs: kernel_arguments(context) },
        Step::Fstab { entries: fstab(context.layout) },
    ]);
    steps
}

/// bootc's order: where the root is, what the image's install configuration says, its
/// kargs.d, and what the admin adds.
fn kernel_arguments(context: &Context<'_>) -> Vec<String> {
    let areas = areas(context.layout);
    let at = |path: &str| areas.iter().find(|area| area.mount_point().is_some_and(|at| at.as_str() == path));
    let mut kargs = Vec::new();
    if let Some(root) = at("/") {
        kargs.push(format!("root=UUID={}", root.device.uuid_placeholder()));
        if let Device::Volume { group, name } = &root.device {
            kargs.push(format!("rd.lvm.lv={group}/{name}"));
        }
    }
    kargs.push("rw".into());
    if let Some(boot) = at("/boot") {
        kargs.push(format!("boot=UUID={}", boot.device.uuid_placeholder()));
    }
    kargs.extend(context.facts.install.kargs.iter().cloned());
    kargs.extend(context.facts.kargs.iter().cloned());
    kargs.extend(context.request.kargs.iter().cloned());
    kargs
}

fn fstab(layout: &DiskLayout) -> Vec<FstabEntry> {
    let mut areas = areas(layout);
    areas.sort_by_key(|area| area.mount_point().map_or(usize::MAX, MountPoint::depth));
    areas
        .iter()
        .filter_map(|area| {
            let (target, options, pass) = match &area.purpose {
                Purpose::Mount(at) if *at == MountPoint::root() => return None,
                // Read-only as bootc has it; libostree makes it writable for itself.
                Purpose::Mount(at) if at.as_str() == "/boot" => (at.to_string(), "ro", 0),
                Purpose::Mount(at) => (at.to_string(), "defaults", 2),
                Purpose::Swap => ("none".to_owned(), "defaults", 0),
                _ => return None,
            };
            Some(FstabEntry {
                source: format!("UUID={}", area.device.uuid_placeholder()),
                target,
                kind: area.filesystem.clone(),
                options: area.options.clone().unwrap_or_else(|| options.to_owned()),
                pass,
            })
        })
        .collect()
}

fn system_steps(context: &Context<'_>, warnings: &mut Vec<String>) -> Result<Vec<Step>> {
    let system = &context.request.system;
    let mut steps: Vec<Step> = files::files(system).into_iter().map(Step::File).collect();
    steps.push(Step::RootPassword { password: matches!(system.root, RootAccess::Password(_)) });
    for user in &system.users {
        if !valid_name(&user.name) {
            return Err(Error::input(Stage::Plan, format!("'{}' cannot be a user's name", user.name))
                .hint("use letters, digits, '-', '_' and '.', not beginning with a digit"));
        }
        steps.push(Step::User(UserPlan {
            name: user.name.clone(),
            uid: user.uid,
            gid: user.gid,
            groups: user.groups.clone(),
            home: home(user.home.as_deref(), &user.name),
            shell: user.shell.clone(),
            gecos: user.gecos.replace([':', '\n'], " "),
            password: user.password.is_some(),
            locked: user.locked,
        }));
    }
    let mut keys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (user, key) in &system.ssh_keys {
        if user != "root" && !system.users.iter().any(|known| known.name == *user) {
            return Err(Error::input(Stage::Plan, format!("an ssh key is given for '{user}', who is not created"))
                .hint(format!("add a line: user --name={user}")));
        }
        keys.entry(user).or_default().push(key.clone());
    }
    if keys.is_empty() && passwords(context.request).is_empty() {
        warnings.push("nobody will be able to log in: no ssh key and no password is given".into());
    }
    steps.extend(keys.into_iter().map(|(user, keys)| Step::SshKeys { user: user.to_owned(), keys }));
    Ok(steps)
}

/// Homes live under /var/home, where updates leave them alone.
fn home(asked: Option<&str>, name: &str) -> String {
    match asked {
        None => format!("/var/home/{name}"),
        Some(path) => match path.strip_prefix("/home/") {
            Some(rest) => format!("/var/home/{rest}"),
            None => path.to_owned(),
        },
    }
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

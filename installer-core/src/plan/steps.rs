//! The steps of a plan, in order: disks, image, system.

use std::collections::BTreeMap;

use super::defaults::passwords;
use super::device::Device;
use super::document::PlannedImage;
use super::step::Step;
use super::words;
use crate::error::{Error, Remedy, Result, Stage};
use crate::image::{ImageFacts, ImageReference};
use crate::request::{Purpose, Request, RootAccess, When, valid_name};
use crate::storage::layout::DiskLayout;
use crate::storage::select::Target;
use crate::system::fstab::FstabEntry;
use crate::system::{self, Findings, GroupPlan, UserPlan};
use crate::units::MountPoint;

/// What the steps are made from.
pub struct Context<'a> {
    pub request: &'a Request,
    pub facts: &'a ImageFacts,
    pub layout: &'a DiskLayout,
    pub target: &'a Target,
    pub image: &'a PlannedImage,
}

/// The origin's way to write an image that nothing verifies; bootc writes a registry's without
/// its transport (`ostree-ext`, `OstreeImageReference`).
pub fn origin(reference: &str) -> String {
    match reference.strip_prefix("docker://") {
        Some(name) => format!("ostree-unverified-registry:{name}"),
        None => format!("ostree-unverified-image:{reference}"),
    }
}

pub fn storage_steps(context: &Context<'_>) -> Vec<Step> {
    let mut steps = match context.target {
        Target::ImageFile(file) => {
            vec![Step::CreateImageFile { path: file.path.clone(), size: file.size }]
        }
        Target::Disk { path, .. } => vec![Step::Wipe { disk: path.clone() }],
        // `onto` plans those.
        Target::Filesystem { .. } => Vec::new(),
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
                mkfs_options: v.mkfs_options.clone(),
            })
        }));
    }
    areas
}

pub fn deploy_steps(context: &Context<'_>) -> Result<Vec<Step>> {
    let stateroot = words::stateroot(context.request, context.facts)?;
    let kargs = kernel_arguments(context);
    words::check_kargs(&kargs, &stateroot, context.facts)?;
    let image = context.image;
    let mut steps = vec![Step::InitialiseSysroot { stateroot: stateroot.clone() }];
    steps.extend(mounts(&areas(context.layout)).filter(|(at, _)| below_var(at)).map(mount_step));
    steps.extend(scripts(context.request, When::PreInstall));
    steps.extend([
        Step::Import {
            target: image.updates_from.clone(),
            layers: context.facts.layers.len(),
            size: context.facts.download_size,
            selinux: context.facts.selinux.is_some(),
        },
        Step::Deploy { stateroot, origin: origin(&image.updates_from), kargs },
        Step::Fstab { entries: fstab(context.layout) },
    ]);
    Ok(steps)
}

/// The steps that run the scripts of one kind, in the order of the kickstart.
pub fn scripts(request: &Request, when: When) -> impl Iterator<Item = Step> {
    request.scripts.iter().filter(move |script| script.when == when).cloned().map(Step::Script)
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
    add_image_kargs(&mut kargs, context.facts);
    kargs.extend(context.request.kargs.iter().cloned());
    kargs.extend(system::selinux_argument(&context.request.system, context.facts.selinux.as_deref(), &kargs));
    kargs
}

/// Adds the image's own: what its install configuration says and its kargs.d; and takes out what
/// the former wants deleted, by name or, with a value, by both.
pub fn add_image_kargs(kargs: &mut Vec<String>, facts: &ImageFacts) {
    kargs.extend(facts.install.kargs.iter().chain(&facts.kargs).cloned());
    let unwanted = |karg: &str| {
        let name = karg.split('=').next();
        facts.install.karg_deletes.iter().any(|delete| delete == karg || Some(delete.as_str()) == name)
    };
    kargs.retain(|karg| !unwanted(karg));
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

pub fn system_steps(context: &Context<'_>, warnings: &mut Vec<String>) -> Result<Vec<Step>> {
    let system = &context.request.system;
    let (changes, found) = system::changes(system, context.facts.system.as_ref());
    tell(&found, warnings)?;
    let mut steps: Vec<Step> = changes.into_iter().map(Step::Change).collect();
    steps.extend(credentials(context, warnings)?);
    steps.push(Step::RootPassword { password: matches!(system.root, RootAccess::Password(_)) });
    steps.extend(account_steps(context, warnings)?);
    let mut keys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (user, key) in &system.ssh_keys {
        if user != "root" && !system.users.iter().any(|known| known.name == *user) {
            return Err(Error::input(Stage::Plan, format!("an ssh key is given for '{user}', who is not created"))
                .hint(Remedy::CreateUser(user.to_owned())));
        }
        keys.entry(user).or_default().push(key.clone());
    }
    if keys.is_empty() && passwords(context.request).is_empty() {
        warnings.push("no login will be possible: no ssh key and no password is given".into());
    }
    steps.extend(keys.into_iter().map(|(user, keys)| Step::SshKeys { user: user.to_owned(), keys }));
    Ok(steps)
}

/// Groups first: users may be members of them.
fn account_steps(context: &Context<'_>, warnings: &mut Vec<String>) -> Result<Vec<Step>> {
    let system = &context.request.system;
    if let Some(user) = system.users.iter().find(|user| !valid_name(&user.name)) {
        return Err(Error::input(Stage::Plan, format!("'{}' cannot be a user's name", user.name))
            .hint("use letters, digits, '-', '_' and '.', not beginning with a digit"));
    }
    let (groups, users) = accounts(context.request);
    let mut found = Findings::default();
    system::check_accounts(&groups, &users, context.facts.system.as_ref(), &mut found);
    tell(&found, warnings)?;
    Ok(groups.into_iter().map(Step::Group).chain(users.into_iter().map(Step::User)).collect())
}

/// The accounts that are asked for.
pub fn accounts(request: &Request) -> (Vec<GroupPlan>, Vec<UserPlan>) {
    let system = &request.system;
    let groups = system.groups.iter().map(|group| GroupPlan { name: group.name.clone(), gid: group.gid });
    let users = system.users.iter().map(|user| UserPlan {
        name: user.name.clone(),
        uid: user.uid,
        gid: user.gid,
        groups: user.groups.clone(),
        home: home(user.home.as_deref(), &user.name),
        shell: user.shell.clone(),
        gecos: user.gecos.replace([':', '\n'], " "),
        password: user.password.is_some(),
        locked: user.locked,
    });
    (groups.collect(), users.collect())
}

/// What the image lacks ends the plan; the rest is for the admin to know.
fn tell(found: &Findings, warnings: &mut Vec<String>) -> Result<()> {
    if let Some(lack) = found.list().iter().find(|finding| finding.fatal) {
        return Err(Error::world(Stage::Plan, lack.message.clone()).hint(lack.hint.as_str()));
    }
    warnings.extend(found.list().iter().map(|note| note.message.clone()));
    warnings.extend(found.doubt());
    Ok(())
}

/// What the installed system fetches its updates with.
fn credentials(context: &Context<'_>, warnings: &mut Vec<String>) -> Result<Option<Step>> {
    let (access, image) = (&context.request.registry, context.image);
    if !access.keep_credentials {
        return Ok(None);
    }
    let (source, updates): (ImageReference, ImageReference) = (image.source.parse()?, image.updates_from.parse()?);
    let copied_from = access.authfile.as_ref().filter(|_| access.login.is_none());
    let registry = source.host().or(updates.host()).filter(|_| copied_from.is_some() || access.login.is_some());
    let Some(registry) = registry else {
        warnings.push("the credentials are not kept: neither image nor updates come from their registry".into());
        return Ok(None);
    };
    if copied_from.is_none() && updates.host() != Some(registry) {
        warnings.push(format!("credentials for {registry} are kept, and updates come from {}", image.updates_from));
    }
    let copied_from = copied_from.map(|file| file.display().to_string());
    Ok(Some(Step::Credentials { registry: registry.to_owned(), copied_from }))
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

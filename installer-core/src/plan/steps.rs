//! The steps of a plan, in order: disks, image, system.

use std::collections::BTreeMap;

use super::defaults::passwords;
use super::document::PlannedImage;
use super::step::Step;
use super::words;
use crate::error::{Error, Remedy, Result, Stage};
use crate::image::{ImageFacts, ImageReference, SystemFacts};
use crate::request::{Content, Request, RootAccess, When, valid_name};
use crate::storage::device::{Device, partition_node};
use crate::storage::kind::{Area, Volume};
use crate::storage::select::{Target, TargetDisk};
use crate::storage::tree::Tree;
use crate::system::fstab::FstabEntry;
use crate::system::{self, Findings, GroupPlan, UserPlan};
use crate::units::MountPoint;

/// What the steps are made from.
pub struct Context<'a> {
    pub request: &'a Request,
    pub facts: &'a ImageFacts,
    pub tree: &'a Tree,
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
        target => target.disks().into_iter().flat_map(wipe_steps).collect(),
    };
    steps.extend(context.tree.nodes.iter().filter_map(Step::of));
    // The ESP is filled, not mounted.
    steps.extend(mounted(context).into_iter().filter(|(at, _)| !below_var(at) && !is_tmp(at)).map(mount_step));
    steps
}

/// Mount points with what is mounted there, the shallow ones first.
fn mounts(tree: &Tree) -> Vec<(&MountPoint, &Area)> {
    let mut mounts: Vec<(&MountPoint, &Area)> =
        tree.areas().filter_map(|area| area.mount_point().map(|at| (at, area))).collect();
    mounts.sort_by_key(|(at, _)| (at.depth(), (*at).clone()));
    mounts
}

/// The disk, or those of its partitions that are made anew.
fn wipe_steps(disk: &TargetDisk) -> Vec<Step> {
    if !disk.keeps_table() {
        return vec![Step::Wipe { disk: disk.path.clone() }];
    }
    let anew = disk.used.iter().filter(|used| used.content != Content::Kept);
    anew.map(|used| Step::WipePartition { partition: partition_node(&disk.path, used.number) }).collect()
}

/// What is mounted while the system is installed. What is kept stays as it is, bit for bit, and a mount would
/// change it: so only where the home of a new user is in it.
fn mounted<'t>(context: &Context<'t>) -> Vec<(&'t MountPoint, &'t Area)> {
    let system = &context.request.system;
    let users = system.users.iter().map(|user| home(user.home.as_deref(), &user.name));
    let keys = system.ssh_keys.iter().map(|(user, _)| if user == "root" { "/root".into() } else { home(None, user) });
    let homes: Vec<String> = users.chain(keys).map(|home| in_var(&home)).collect();
    let has_home = |at: &MountPoint| {
        let below = format!("{}/", at.as_str().trim_end_matches('/'));
        homes.iter().any(|home| *home == at.as_str() || home.starts_with(&below))
    };
    let mut list = mounts(context.tree);
    list.retain(|(at, area)| !context.tree.keeps(&area.device) || has_home(at));
    list
}

/// Where the customary place of a home is in an image.
fn in_var(home: &str) -> String {
    match home.strip_prefix("/home/") {
        Some(rest) => format!("/var/home/{rest}"),
        None if home == "/root" => "/var/roothome".to_owned(),
        None => home.to_owned(),
    }
}

/// What lies in /var is mounted in the stateroot's own, which must be there first.
fn below_var(at: &MountPoint) -> bool {
    at.as_str() == "/var" || at.as_str().starts_with("/var/")
}

/// Nothing is installed into /tmp; systemd-tmpfiles gives it its mode when the system starts.
fn is_tmp(at: &MountPoint) -> bool {
    at.as_str() == "/tmp"
}

fn mount_step((at, area): (&MountPoint, &Area)) -> Step {
    Step::Mount { device: area.device.clone(), at: at.clone(), filesystem: area.filesystem.clone() }
}

pub fn deploy_steps(context: &Context<'_>) -> Result<Vec<Step>> {
    let stateroot = words::stateroot(context.request, context.facts)?;
    let kargs = kernel_arguments(context);
    words::check_kargs(&kargs, &stateroot, context.facts)?;
    let image = context.image;
    let mut steps = vec![Step::InitialiseSysroot { stateroot: stateroot.clone() }];
    steps.extend(mounted(context).into_iter().filter(|(at, _)| below_var(at)).map(mount_step));
    steps.extend(scripts(context.request, When::PreInstall));
    steps.extend([
        Step::Import {
            target: image.updates_from.clone(),
            layers: context.facts.layers.len(),
            size: context.facts.download_size,
            selinux: context.facts.selinux.is_some(),
        },
        Step::Deploy { stateroot, origin: origin(&image.updates_from), kargs },
        Step::Fstab { entries: fstab(context.tree) },
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
    let mut kargs = Vec::new();
    if let Some(root) = context.tree.at("/") {
        kargs.push(format!("root=UUID={}", root.device.uuid_placeholder()));
        if let Device::Volume { group, name } = &root.device {
            kargs.push(Volume::kernel_argument(group, name));
        }
    }
    kargs.push("rw".into());
    if let Some(boot) = context.tree.at("/boot") {
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

fn fstab(tree: &Tree) -> Vec<FstabEntry> {
    let mut areas: Vec<&Area> = tree.areas().collect();
    areas.sort_by_key(|area| area.mount_point().map_or(usize::MAX, MountPoint::depth));
    let entry = |area: &Area| {
        let (target, options, pass) = area.fstab()?;
        let source = format!("UUID={}", area.device.uuid_placeholder());
        Some(FstabEntry { source, target, kind: area.filesystem.clone(), options, pass })
    };
    areas.into_iter().filter_map(entry).collect()
}

/// Whether the image has this user; where its facts do not tell, a warning says so.
fn is_in_image(user: &str, facts: Option<&SystemFacts>, warnings: &mut Vec<String>) -> bool {
    let Some(facts) = facts else {
        warnings.push(format!("an ssh key is given for '{user}', who is not created: the image must have that user"));
        return true;
    };
    facts.passwd.iter().chain(&facts.vendor_passwd).any(|line| line.split(':').next() == Some(user))
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
        let made = user == "root" || system.users.iter().any(|known| known.name == *user);
        if !made && !is_in_image(user, context.facts.system.as_ref(), warnings) {
            return Err(Error::input(Stage::Plan, format!("an ssh key is given for '{user}', who is not created"))
                .hint(Remedy::CreateUser(user.to_owned())));
        }
        keys.entry(user).or_default().push(key.clone());
    }
    let locked = |name: &String| system.users.iter().any(|user| user.name == *name && user.locked);
    if keys.is_empty() && passwords(context.request).keys().all(locked) {
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

//! Which disks: those that the admin named, else the only one that there is; never one in doubt.
//! What would be lost on them is listed, and refused where it was not allowed. Pure.

use serde::{Deserialize, Serialize};

use super::partition_type;
use super::present::{self, Found, UsedPartition};
use crate::error::{Error, Remedy, Result, Stage};
use crate::machine::{Disk, Machine, find_disk, partition_path};
use crate::request::{Clear, Content, DiskChoice, ImageFile};
use crate::units::Bytes;

/// Where the system goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Target {
    /// Disks of this machine.
    Disk {
        /// The one that the machine boots from.
        #[serde(flatten)]
        boot: TargetDisk,
        /// The others.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<TargetDisk>,
    },
    /// A file that becomes a disk image.
    ImageFile(ImageFile),
    /// File systems that are mounted already.
    Filesystem {
        /// Where the root is mounted.
        path: String,
        /// The disk that the boot loader goes to, where there is one.
        disk: Option<String>,
        /// What the root file system has free.
        free: Bytes,
    },
}

/// A disk that is written to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetDisk {
    /// Its node now.
    pub path: String,
    /// Its steadiest name.
    pub stable: String,
    /// What it is, for people (`QEMU HARDDISK, serial 1234`).
    pub description: String,
    /// Its size.
    pub size: Bytes,
    /// Its logical sector size.
    pub sector_size: Bytes,
    /// The partitions of it that are used as they are, in place of the whole disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<UsedPartition>,
}

impl TargetDisk {
    /// Whether its partition table stays.
    pub fn keeps_table(&self) -> bool {
        !self.used.is_empty()
    }
}

impl Target {
    /// The disks of this machine that are written to, first the one that it boots from.
    pub fn disks(&self) -> Vec<&TargetDisk> {
        match self {
            Target::Disk { boot, more } => std::iter::once(boot).chain(more).collect(),
            Target::ImageFile(_) | Target::Filesystem { .. } => Vec::new(),
        }
    }

    /// Whether it is what this machine itself starts from: neither a file nor a loop device.
    pub fn is_of_this_machine(&self) -> bool {
        matches!(self, Target::Disk { boot, .. } if !boot.path.starts_with("/dev/loop"))
    }

    /// All of it, for messages.
    pub fn names(&self) -> String {
        match self {
            Target::Disk { .. } => self.disks().iter().map(|disk| disk.path.as_str()).collect::<Vec<_>>().join(", "),
            other => other.name().to_owned(),
        }
    }

    /// A name for messages; of several disks that of the one to boot from.
    pub fn name(&self) -> &str {
        match self {
            Target::Disk { boot, .. } => &boot.path,
            Target::ImageFile(file) => &file.path,
            Target::Filesystem { path, .. } => path,
        }
    }

    /// The names and sizes of what is partitioned, first what the machine boots from.
    pub fn sizes(&self) -> Vec<(&str, Bytes)> {
        match self {
            Target::ImageFile(file) => vec![(&file.path, file.size)],
            other => other.disks().iter().map(|disk| (disk.path.as_str(), disk.size)).collect(),
        }
    }

    /// The logical sector size of one of its disks.
    pub fn sector_size(&self, disk: usize) -> Bytes {
        self.disks().get(disk).map_or(Bytes(512), |disk| disk.sector_size)
    }
}

/// Something that will be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Its node.
    pub device: String,
    /// What it is (`ntfs "Windows", 200 GiB`).
    pub what: String,
}

/// The disks that a layout asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Those that partitions name, first the one to boot from.
    pub named: Vec<String>,
    /// Whether there are partitions that name none.
    pub any: bool,
    /// Whether the layout can be spread over several.
    pub several: bool,
}

/// Chooses the target for `choice` with the partitions that are `found`, and lists what would be lost there.
pub fn choose(
    choice: &DiskChoice,
    asked: &Asked,
    found: &[Found<'_>],
    machine: &Machine,
) -> Result<(Target, Vec<Loss>)> {
    if let Some(file) = &choice.image_file {
        let loss = Loss { device: file.path.clone(), what: "the file of that name".into() };
        return Ok((Target::ImageFile(file.clone()), file.replaces.then_some(loss).into_iter().collect()));
    }
    present::check_clear(found, choice, machine)?;
    let disks = disks(choice, asked, found, machine)?;
    let mut chosen = Vec::new();
    for disk in disks {
        let used = present::used(found, disk);
        let losses = losses(disk, &used);
        // Who names a partition for a new file system gives away what is on it.
        if !losses.is_empty() && used.is_empty() {
            may_clear(choice, disk, machine, &losses)?;
        }
        chosen.push((disk, used));
    }
    on_disks(chosen).ok_or_else(|| no_disk(machine))
}

/// The target that `disks` are, and what would be lost there.
fn on_disks(disks: Vec<(&Disk, Vec<UsedPartition>)>) -> Option<(Target, Vec<Loss>)> {
    let losses = disks.iter().flat_map(|(disk, used)| losses(disk, used)).collect();
    let mut all = disks.into_iter().map(|(disk, used)| target(disk, used));
    Some((Target::Disk { boot: all.next()?, more: all.collect() }, losses))
}

/// The target without the disks at which `used` is false, and what would be lost there.
pub fn only(chosen: &Target, used: &[bool], machine: &Machine) -> Result<(Target, Vec<Loss>)> {
    let chosen = chosen.disks().into_iter().zip(used).filter(|(_, used)| **used).map(|(disk, _)| disk);
    let found = |chosen: &TargetDisk| {
        let disk = machine.disks.iter().find(|disk| disk.path == chosen.path)?;
        Some((disk, chosen.used.clone()))
    };
    on_disks(chosen.filter_map(found).collect()).ok_or_else(|| no_disk(machine))
}

fn target(disk: &Disk, used: Vec<UsedPartition>) -> TargetDisk {
    TargetDisk {
        path: disk.path.clone(),
        stable: disk.stable_name().to_owned(),
        description: describe(disk),
        size: disk.size,
        sector_size: disk.sector_size,
        used,
    }
}

/// Whether the disks that were chosen are the same still, with the same on them, and not in use:
/// between the plan and the first write lies the time of a download, or of a person's answer.
pub fn still_there(chosen: &Target, destroys: &[Loss], machine: &Machine) -> Result<()> {
    let changed = |name: &str, what: &str| {
        Err(Error::refused(Stage::Storage, format!("{name} is not what it was when this was planned: {what}"))
            .hint("run the command again and look at the new plan"))
    };
    let mut now = Vec::new();
    for disk in chosen.disks() {
        let Some(found) = machine.disks.iter().find(|found| found.path == disk.path) else {
            return changed(&disk.path, "it is gone");
        };
        let used = present::again(&disk.used, found);
        let now_here = target(found, used.clone());
        if now_here != *disk && (TargetDisk { used: disk.used.clone(), ..now_here.clone() }) == *disk {
            return changed(&disk.path, "the partitions of it that are to be used are others now");
        }
        if now_here != *disk {
            return changed(&disk.path, &format!("it is {} ({}) now", found.stable_name(), describe(found)));
        }
        if unusable(found, &used).is_some() {
            return Err(refuse_unusable(found, &used));
        }
        now.extend(losses(found, &used));
    }
    if matches!(chosen, Target::Disk { .. }) && now != destroys {
        let list: Vec<String> = now.iter().map(|loss| format!("{}: {}", loss.device, loss.what)).collect();
        let list = if list.is_empty() { "nothing".to_owned() } else { list.join("; ") };
        return changed(&chosen.names(), &format!("there is {list} on it now"));
    }
    Ok(())
}

/// A disk in words: model, transport and serial, as far as known.
pub fn describe(disk: &Disk) -> String {
    let mut parts = vec![disk.model.clone().unwrap_or_else(|| "disk".into())];
    parts.extend(disk.transport.clone());
    parts.extend(disk.serial.as_ref().map(|serial| format!("serial {serial}")));
    parts.join(", ")
}

fn disks<'m>(choice: &DiskChoice, asked: &Asked, found: &[Found<'_>], machine: &'m Machine) -> Result<Vec<&'m Disk>> {
    let given = match &choice.clear {
        _ if !choice.only.is_empty() => choice.only.as_slice(),
        Clear::Disks(disks) => disks,
        _ => &[],
    };
    for name in &asked.named {
        // A partition lies on one disk.
        if let several @ [_, _, ..] = candidates(&[name], choice, machine)?.as_slice() {
            return Err(ambiguous(several));
        }
    }
    let mut wanted: Vec<&str> = asked.named.iter().map(String::as_str).collect();
    if wanted.is_empty() || asked.any {
        wanted.extend(given.iter().map(String::as_str));
    }
    let explicit = !wanted.is_empty();
    let mut candidates = candidates(&wanted, choice, machine)?;
    if explicit {
        for disk in &candidates {
            let used = present::used(found, disk);
            if unusable(disk, &used).is_some() {
                return Err(refuse_unusable(disk, &used));
            }
        }
    } else {
        // A stick that was left in, or the medium that this was booted from, is not meant.
        candidates.retain(|disk| !disk.removable && !disk.loopback);
        let usable: Vec<&Disk> = candidates.iter().copied().filter(|disk| unusable(disk, &[]).is_none()).collect();
        if usable.is_empty()
            && let Some(disk) = candidates.first()
        {
            return Err(refuse_unusable(disk, &[]));
        }
        candidates = usable;
    }
    match candidates.as_slice() {
        [] => Err(no_disk(machine)),
        [_] => Ok(candidates),
        _ if explicit && asked.several => Ok(candidates),
        several => Err(ambiguous(several)),
    }
}

fn candidates<'m>(wanted: &[&str], choice: &DiskChoice, machine: &'m Machine) -> Result<Vec<&'m Disk>> {
    let mut list: Vec<&Disk> = Vec::new();
    for spec in wanted {
        let found = find_disk(machine, spec);
        if found.is_empty() {
            return Err(Error::world(Stage::Plan, format!("there is no disk '{spec}' on this machine"))
                .hint(format!("disks here: {}", names(machine))));
        }
        for disk in found {
            if !list.iter().any(|seen| seen.path == disk.path) {
                list.push(disk);
            }
        }
    }
    if wanted.is_empty() {
        list = machine.disks.iter().collect();
    }
    let ignored: Vec<&str> =
        choice.ignore.iter().flat_map(|spec| find_disk(machine, spec)).map(|disk| disk.path.as_str()).collect();
    list.retain(|disk| !ignored.contains(&disk.path.as_str()));
    Ok(list)
}

fn names(machine: &Machine) -> String {
    let names: Vec<String> =
        machine.disks.iter().map(|disk| format!("{} ({}, {})", disk.path, disk.size, describe(disk))).collect();
    if names.is_empty() { "none".into() } else { names.join("; ") }
}

fn no_disk(machine: &Machine) -> Error {
    Error::world(Stage::Plan, "this machine has no disk to install onto").hint([
        Remedy::from(format!("attach one (disks seen: {})", names(machine))),
        Remedy::NameADisk { candidate: None },
        Remedy::UseADiskImage,
    ])
}

fn ambiguous(disks: &[&Disk]) -> Error {
    let list: Vec<String> =
        disks.iter().map(|disk| format!("{} ({}, {})", disk.stable_name(), disk.size, describe(disk))).collect();
    Error::refused(Stage::Plan, format!("{} disks could be meant: {}", disks.len(), list.join("; ")))
        .hint(Remedy::NameADisk { candidate: Some(disks[0].stable_name().to_owned()) })
}

/// Why the disk cannot be used, or the partitions of it that are, where it is not the whole.
fn unusable(disk: &Disk, used: &[UsedPartition]) -> Option<String> {
    let path = |used: &UsedPartition| partition_path(&disk.path, used.number).display().to_string();
    let concerns =
        |device: &String| used.is_empty() || *device == disk.path || used.iter().any(|used| path(used) == *device);
    if let Some(user) = disk.in_use.iter().find(|user| concerns(&user.device)) {
        return Some(format!("it is in use: {} is {}", user.device, user.by));
    }
    // What is on it would be lost unseen.
    if let Some(error) = &disk.unreadable {
        return Some(format!("it cannot be looked at: {error}"));
    }
    disk.read_only.then(|| "it is write-protected".to_owned())
}

fn refuse_unusable(disk: &Disk, used: &[UsedPartition]) -> Error {
    let why = unusable(disk, used).unwrap_or_default();
    let mend = match (disk.in_use.is_empty(), &disk.unreadable) {
        (false, _) => "unmount it, turn its swap off or stop its volumes",
        (true, Some(_)) => "see what is wrong with it (dmesg); as root, if you are not",
        (true, None) => "make it writable",
    };
    Error::refused(Stage::Plan, format!("{} cannot be used: {why}", disk.path))
        .hint([mend.into(), Remedy::NameAnotherDisk])
}

/// What of that which is on `disk` now is lost: all, or what is on those partitions that are used and not kept.
fn losses(disk: &Disk, used: &[UsedPartition]) -> Vec<Loss> {
    let lost =
        |number: u32| used.is_empty() || used.iter().any(|used| used.number == number && used.content != Content::Kept);
    let mut list: Vec<Loss> = disk
        .partitions
        .iter()
        .filter(|partition| lost(partition.number))
        .map(|partition| {
            let mut what = match &partition.signature {
                Some(signature) => signature.kind.clone(),
                None => "unknown content".to_owned(),
            };
            let label = partition.signature.as_ref().and_then(|s| s.label.as_ref()).or(partition.label.as_ref());
            if let Some(label) = label {
                what = format!("{what} \"{label}\"");
            }
            Loss { device: partition.path.clone(), what: format!("{what}, {}", partition.size) }
        })
        .collect();
    if let Some(signature) = disk.signature.as_ref().filter(|_| used.is_empty()) {
        list.push(Loss { device: disk.path.clone(), what: format!("{}, {}", signature.kind, disk.size) });
    }
    list
}

fn may_clear(choice: &DiskChoice, disk: &Disk, machine: &Machine, losses: &[Loss]) -> Result<()> {
    let allowed = match &choice.clear {
        Clear::All => true,
        Clear::Disks(specs) => specs.iter().any(|s| find_disk(machine, s).iter().any(|d| d.path == disk.path)),
        Clear::LinuxOnly => disk.partitions.iter().all(partition_type::is_linux) && disk.signature.is_none(),
        Clear::Nothing => false,
    };
    if allowed {
        return Ok(());
    }
    let list: Vec<String> = losses.iter().map(|loss| format!("{}: {}", loss.device, loss.what)).collect();
    let rule = match choice.clear {
        Clear::LinuxOnly => "only Linux partitions may be cleared",
        Clear::Disks(_) => "it is not one of the disks that may be cleared",
        _ => "nothing allows that to be destroyed",
    };
    Err(Error::refused(Stage::Plan, format!("{} is not empty ({}), and {rule}", disk.path, list.join("; ")))
        .hint(Remedy::AllowErasing { disk: disk.stable_name().to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(name: &str) -> Machine {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/machines/");
        serde_json::from_slice(&std::fs::read(format!("{file}{name}.json")).unwrap()).unwrap()
    }

    #[test]
    fn all_disks_that_are_named_are_used_and_only_those() {
        let machine = machine("two-disks");
        let chosen = |only: &[&str], asked: &Asked| {
            let only = only.iter().map(|name| (*name).to_owned()).collect();
            let choice = DiskChoice { only, clear: Clear::All, ..DiskChoice::default() };
            choose(&choice, asked, &[], &machine).map(|(target, _)| target.names()).map_err(|error| error.exit_code())
        };
        let spans = |named: &[&str], any| {
            let named = named.iter().map(|name| (*name).to_owned()).collect();
            Asked { named, any, several: true }
        };
        assert_eq!(chosen(&["vda", "vdb"], &spans(&[], true)), Ok("/dev/vda, /dev/vdb".into()));
        assert_eq!(chosen(&["vda", "vdb"], &spans(&["vdb"], true)), Ok("/dev/vdb, /dev/vda".into()));
        assert_eq!(chosen(&["vda", "vdb"], &spans(&["vdb"], false)), Ok("/dev/vdb".into()));
        assert_eq!(chosen(&["vd*"], &spans(&[], true)), Ok("/dev/vda, /dev/vdb".into()));
        assert_eq!(chosen(&[], &spans(&["vd*"], false)), Err(4), "a partition lies on one disk");
        assert_eq!(chosen(&[], &spans(&[], true)), Err(4), "two could be meant");
        assert_eq!(chosen(&["vda", "vdb"], &Asked::default()), Err(4), "one is wanted");
        assert_eq!(chosen(&["vda", "vdx"], &spans(&[], true)), Err(3), "there is no vdx");
    }

    #[test]
    fn a_disk_that_has_changed_since_is_not_written_to() {
        let planned = machine("laptop-windows");
        let choice = DiskChoice { clear: Clear::All, ..DiskChoice::default() };
        let (target, losses) = choose(&choice, &Asked::default(), &[], &planned).unwrap();
        still_there(&target, &losses, &planned).unwrap();
        let refused = |change: &dyn Fn(&mut Machine)| {
            let mut now = planned.clone();
            change(&mut now);
            let error = still_there(&target, &losses, &now).unwrap_err();
            assert_eq!(error.exit_code(), 4);
            error.to_string()
        };
        assert!(refused(&|now| now.disks.clear()).contains("it is gone"));
        assert!(refused(&|now| now.disks[0].size = Bytes::gib(1)).contains("is not what it was"));
        assert!(refused(&|now| now.disks[0].serial = Some("other".into())).contains("serial other"));
        assert!(refused(&|now| drop(now.disks[0].partitions.pop())).contains("on it now"));
        assert!(refused(&|now| now.disks[0].read_only = true).contains("write-protected"));
        let broken = "it cannot be looked at: Input/output error";
        assert!(refused(&|now| now.disks[0].unreadable = Some("Input/output error".into())).contains(broken));
        let used = crate::machine::InUse { device: target.name().to_owned(), by: "mounted at /mnt".into() };
        assert!(refused(&|now| now.disks[0].in_use.push(used.clone())).contains("mounted at /mnt"));
    }
}

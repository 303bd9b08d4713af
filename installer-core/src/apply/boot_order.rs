//! The firmware told to start the new system: an entry of its own, first in the order and at
//! the next start. A machine that starts from its network card first would be installed again
//! otherwise.
//!
//! The system is on the disk already: whatever fails here is a warning.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::run::Run;
use crate::error::{Context, Error, Result, Stage};
use crate::host::root::Root;
use crate::host::{Host, Mount, MountKind};
use crate::plan::{Device, Names, Step};
use crate::system::boot_entry::{BootEntry, Partition, order_with};

/// Where Linux shows the firmware's variables.
const VARIABLES: &str = "/sys/firmware/efi/efivars";
/// The namespace of the specification's own variables.
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// Non-volatile, for boot services, for the running system.
const ATTRIBUTES: u32 = 7;

/// Makes the entry and puts it first.
pub fn put_first(run: &mut Run<'_>, esp: &Device) -> Result<()> {
    let mark = run.teardown.mark();
    let outcome = put(run, esp);
    let closed = run.teardown.unwind_to(mark, run.host);
    if let Err(error) = outcome.and(closed) {
        run.warn(format!("the firmware's boot order was not changed: {error}"));
    }
    Ok(())
}

fn put(run: &mut Run<'_>, esp: &Device) -> Result<()> {
    let variables = Variables(variables(run)?);
    let entry = BootEntry { label: label(run)?, partition: partition(run, esp)?, path: removable_path() };
    let number = variables.number_for(&entry, run.host);
    let doing = "writing the firmware's boot entry";
    variables.write(&format!("Boot{number:04X}"), &entry.to_bytes()).doing(Stage::Bootloader, doing)?;
    // One that is there and cannot be read is not to be replaced by a shorter one.
    let order = variables.read("BootOrder").doing(Stage::Bootloader, "reading the firmware's boot order")?;
    let order = order_with(number, &order);
    variables.write("BootOrder", &order).doing(Stage::Bootloader, "writing the firmware's boot order")?;
    variables.write("BootNext", &number.to_le_bytes()).doing(Stage::Bootloader, "writing the firmware's next boot")?;
    tracing::info!(number, label = %entry.label, "boot entry");
    Ok(())
}

/// The directory of the variables; mounted where an installer environment has not.
fn variables(run: &mut Run<'_>) -> Result<Box<dyn Root>> {
    if let Ok(usual) = run.host.open(Path::new(VARIABLES))
        && usual.list("").is_ok_and(|names| !names.is_empty())
    {
        return Ok(usual);
    }
    let target = run.mount_point(Stage::Bootloader, "efivars")?;
    let mount = Mount { source: "efivarfs".into(), target: target.clone(), kind: MountKind::Virtual("efivarfs") };
    run.mount(Stage::Bootloader, &mount)?;
    run.open(Stage::Bootloader, &target)
}

/// What the new system calls itself.
fn label(run: &Run<'_>) -> Result<String> {
    let text = run.system()?.read("/usr/lib/os-release").doing(Stage::Bootloader, "reading the system's name")?;
    let text = text.unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("NAME=")).unwrap_or("Linux");
    Ok(name.trim_matches(['"', '\'']).to_owned())
}

/// The path that every firmware tries by itself; the loader is there.
fn removable_path() -> String {
    let file = if cfg!(target_arch = "aarch64") { "BOOTAA64.EFI" } else { "BOOTX64.EFI" };
    format!("\\EFI\\BOOT\\{file}")
}

fn partition(run: &Run<'_>, esp: &Device) -> Result<Partition> {
    let missing = || Error::failed(Stage::Bootloader, "there is no EFI system partition");
    let disk = match esp {
        Device::Partition { disk, .. } if run.plan.target.disks().get(*disk).is_some_and(|d| d.keeps_table()) => {
            return existing(&run.names.node(esp), run.host)?.ok_or_else(missing);
        }
        Device::Partition { disk, .. } => *disk,
        Device::Node { path } => return existing(path, run.host)?.ok_or_else(missing),
        Device::Volume { .. } => return Err(missing()),
    };
    let block = run.plan.target.sector_size(disk).0.max(1);
    let tables = run.plan.steps.iter().filter_map(|step| match step {
        Step::Partition(table) => Some(table),
        _ => None,
    });
    let mut planned = tables.flat_map(|table| table.partitions.iter().map(|part| (table.device(part), part)));
    let (_, planned) = planned.find(|(device, _)| device == esp).ok_or_else(missing)?;
    let guid = *run.partition_guids.get(esp).ok_or_else(missing)?;
    Ok(Partition { number: planned.number, start: planned.start.0 / block, blocks: planned.size.0 / block, guid })
}

/// A partition that was there before.
fn existing(path: &str, host: &dyn Host) -> Result<Option<Partition>> {
    // It may be a link of udev's; one that leads nowhere is not among the disks either.
    let node = fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    for disk in host.disks().probe()?.disks {
        let Some(found) = disk.partitions.iter().find(|partition| Path::new(&partition.path) == node) else { continue };
        let Some(guid) = found.uuid.as_deref().and_then(|uuid| uuid.parse().ok()) else { return Ok(None) };
        let block = disk.sector_size.0.max(1);
        let (start, blocks) = (found.start.bytes().0 / block, found.size.0 / block);
        return Ok(Some(Partition { number: found.number, start, blocks, guid }));
    }
    Ok(None)
}

/// The variables, files of one directory.
struct Variables(Box<dyn Root>);

fn file(name: &str) -> String {
    format!("{name}-{GLOBAL}")
}

impl Variables {
    /// A variable's value, without its attributes; nothing where there is no such variable.
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match self.0.read_bytes(&file(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => Ok(other?.get(4..).unwrap_or_default().to_vec()),
        }
    }

    /// Writes one.
    fn write(&self, name: &str, value: &[u8]) -> io::Result<()> {
        self.0.overwrite(&file(name), &[&ATTRIBUTES.to_le_bytes(), value].concat())
    }

    /// The number of an entry like this one whose partition is gone (an earlier installation of
    /// this machine), else the first that is free.
    fn number_for(&self, entry: &BootEntry, host: &dyn Host) -> u16 {
        let dev = host.open(Path::new("/dev")).ok();
        let is_gone = |old: &Partition| dev.as_ref().is_some_and(|dev| is_gone(old, entry, dev.as_ref()));
        let name = |number: u16| format!("Boot{number:04X}");
        let exists = |number: &u16| self.0.exists(&file(&name(*number)));
        let stale = |number: &u16| {
            let old = self.read(&name(*number)).ok().and_then(|bytes| BootEntry::from_bytes(&bytes));
            old.is_some_and(|old| old.label == entry.label && old.path == entry.path && is_gone(&old.partition))
        };
        let reusable = (0..=0xff).filter(exists).find(stale);
        reusable.or_else(|| (0..u16::MAX).find(|number| !exists(number))).unwrap_or(0)
    }
}

/// Whether no disk has that partition; the one that is being written does not count.
fn is_gone(old: &Partition, new: &BootEntry, dev: &dyn Root) -> bool {
    let links = "disk/by-partuuid";
    dev.is_dir(links) && (old.guid == new.partition.guid || !dev.exists(&format!("{links}/{}", old.guid)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::host::Real;

    fn entry(guid: Uuid) -> BootEntry {
        let partition = Partition { number: 2, start: 4096, blocks: 8, guid };
        BootEntry { label: "Debian".into(), partition, path: removable_path() }
    }

    #[test]
    fn an_entry_gets_a_free_number() {
        let dir = tempfile::tempdir().unwrap();
        let variables = Variables(Real.open(dir.path()).unwrap());
        let number = || variables.number_for(&entry(Uuid::nil()), &Real);
        assert_eq!(number(), 0);
        variables.write("Boot0000", b"\x01\0\0\0\x04\0N\0\0\0").unwrap();
        assert_eq!(number(), 1);
        assert_eq!(variables.read("Boot0000").unwrap()[..4], [1, 0, 0, 0]);
        assert_eq!(fs::read(dir.path().join(file("Boot0000"))).unwrap()[..4], [7, 0, 0, 0]);
    }

    #[test]
    fn an_entry_is_gone_when_its_partition_is() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let gone = |old| is_gone(&entry(old).partition, &entry(new), Real.open(dir.path()).unwrap().as_ref());
        assert!(!gone(old), "without udev's links it is not known");
        let links = dir.path().join("disk/by-partuuid");
        fs::create_dir_all(&links).unwrap();
        assert!(gone(old) && gone(new));
        fs::write(links.join(old.to_string()), "").unwrap();
        assert!(!gone(old));
    }
}

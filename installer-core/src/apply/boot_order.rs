//! The firmware told to start the new system: an entry of its own, first in the order and at
//! the next start. A machine that starts from its network card first would be installed again
//! otherwise.
//!
//! The system is on the disk already: whatever fails here is a warning.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::run::Run;
use crate::error::{Context, Error, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::machine;
use crate::plan::{Device, Step};
use crate::storage::layout::PlannedPartition;
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
    let variables = Variables { dir: variables_dir(run)? };
    let entry = BootEntry { label: label(run), partition: partition(run, esp)?, path: removable_path() };
    let number = variables.number_for(&entry);
    let doing = "writing the firmware's boot entry";
    variables.write(&format!("Boot{number:04X}"), &entry.to_bytes()).doing(Stage::Bootloader, doing)?;
    let order = order_with(number, &variables.read("BootOrder").unwrap_or_default());
    variables.write("BootOrder", &order).doing(Stage::Bootloader, "writing the firmware's boot order")?;
    variables.write("BootNext", &number.to_le_bytes()).doing(Stage::Bootloader, "writing the firmware's next boot")?;
    tracing::info!(number, label = %entry.label, "boot entry");
    Ok(())
}

/// The directory of the variables; mounted where an installer environment has not.
fn variables_dir(run: &mut Run<'_>) -> Result<PathBuf> {
    let usual = PathBuf::from(VARIABLES);
    if fs::read_dir(&usual).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(usual);
    }
    let target = run.work.join("efivars");
    fs::create_dir_all(&target).doing(Stage::Bootloader, "making a mount point")?;
    let mount = Mount { source: "efivarfs".into(), target: target.clone(), kind: MountKind::Virtual("efivarfs") };
    run.mount(Stage::Bootloader, &mount)?;
    Ok(target)
}

/// What the new system calls itself.
fn label(run: &Run<'_>) -> String {
    let text = fs::read_to_string(run.system_root().join("usr/lib/os-release")).unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("NAME=")).unwrap_or("Linux");
    name.trim_matches(['"', '\'']).to_owned()
}

/// The path that every firmware tries by itself; the loader is there.
fn removable_path() -> String {
    let file = if cfg!(target_arch = "aarch64") { "BOOTAA64.EFI" } else { "BOOTX64.EFI" };
    format!("\\EFI\\BOOT\\{file}")
}

fn partition(run: &Run<'_>, esp: &Device) -> Result<Partition> {
    let missing = || Error::failed(Stage::Bootloader, "there is no EFI system partition");
    let block = run.plan.target.sector_size().0.max(1);
    let number = match esp {
        Device::Partition { number } => number,
        Device::Node { path } => return existing(path)?.ok_or_else(missing),
        Device::Volume { .. } => return Err(missing()),
    };
    let all: &[PlannedPartition] = run
        .plan
        .steps
        .iter()
        .find_map(|step| match step {
            Step::Partition { partitions } => Some(partitions.as_slice()),
            _ => None,
        })
        .unwrap_or_default();
    let planned = all.iter().find(|partition| partition.number == *number).ok_or_else(missing)?;
    let guid = *run.partition_guids.get(number).ok_or_else(missing)?;
    Ok(Partition { number: *number, start: planned.start.0 / block, blocks: planned.size.0 / block, guid })
}

/// A partition that was there before.
fn existing(path: &str) -> Result<Option<Partition>> {
    let node = fs::canonicalize(path).doing(Stage::Bootloader, format_args!("looking for {path}"))?;
    for disk in machine::probe()?.disks {
        let Some(found) = disk.partitions.iter().find(|partition| Path::new(&partition.path) == node) else { continue };
        let Some(guid) = found.uuid.as_deref().and_then(|uuid| uuid.parse().ok()) else { return Ok(None) };
        let block = disk.sector_size.0.max(1);
        let (start, blocks) = (found.start.bytes().0 / block, found.size.0 / block);
        return Ok(Some(Partition { number: found.number, start, blocks, guid }));
    }
    Ok(None)
}

/// The variables, files of one directory.
struct Variables {
    dir: PathBuf,
}

impl Variables {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}-{GLOBAL}"))
    }

    /// A variable's value, without its attributes.
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(self.path(name)).ok()?;
        Some(bytes.get(4..)?.to_vec())
    }

    /// Writes one; the file system wants it in a single call, and knows no truncation.
    fn write(&self, name: &str, value: &[u8]) -> io::Result<()> {
        let bytes = [&ATTRIBUTES.to_le_bytes(), value].concat();
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(self.path(name))?;
        let written = file.write(&bytes)?;
        if written < bytes.len() { Err(io::Error::other("only a part was taken")) } else { Ok(()) }
    }

    /// The number of an entry like this one whose partition is gone (an earlier installation of
    /// this machine), else the first that is free.
    fn number_for(&self, entry: &BootEntry) -> u16 {
        let stale = |number: &u16| {
            let old = self.read(&format!("Boot{number:04X}")).and_then(|bytes| BootEntry::from_bytes(&bytes));
            old.is_some_and(|old| {
                old.label == entry.label && old.path == entry.path && is_gone(&old.partition, entry, Path::new("/dev"))
            })
        };
        let free = |number: &u16| !self.path(&format!("Boot{number:04X}")).exists();
        (0..=0xff).find(stale).or_else(|| (0..u16::MAX).find(free)).unwrap_or(0)
    }
}

/// Whether no disk has that partition; the one that is being written does not count.
fn is_gone(old: &Partition, new: &BootEntry, dev: &Path) -> bool {
    let links = dev.join("disk/by-partuuid");
    links.is_dir() && (old.guid == new.partition.guid || !links.join(old.guid.to_string()).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn entry(guid: Uuid) -> BootEntry {
        let partition = Partition { number: 2, start: 4096, blocks: 8, guid };
        BootEntry { label: "Debian".into(), partition, path: removable_path() }
    }

    #[test]
    fn an_entry_gets_a_free_number() {
        let dir = tempfile::tempdir().unwrap();
        let variables = Variables { dir: dir.path().to_owned() };
        assert_eq!(variables.number_for(&entry(Uuid::nil())), 0);
        variables.write("Boot0000", b"\x01\0\0\0\x04\0N\0\0\0").unwrap();
        assert_eq!(variables.number_for(&entry(Uuid::nil())), 1);
        assert_eq!(variables.read("Boot0000").unwrap()[..4], [1, 0, 0, 0]);
        assert_eq!(fs::read(variables.path("Boot0000")).unwrap()[..4], [7, 0, 0, 0]);
    }

    #[test]
    fn an_entry_is_gone_when_its_partition_is() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let gone = |old| is_gone(&entry(old).partition, &entry(new), dir.path());
        assert!(!gone(old), "without udev's links it is not known");
        let links = dir.path().join("disk/by-partuuid");
        fs::create_dir_all(&links).unwrap();
        assert!(gone(old) && gone(new));
        fs::write(links.join(old.to_string()), "").unwrap();
        assert!(!gone(old));
    }
}

//! What an installation that ended early has left on a disk: what firmware and boot loaders would
//! start from it. Looked at as they would, from outside.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::disk::{LoopDevice, MIB, fingerprint, sha256_hex, sparse_file};
use super::installed::Installed;
use super::mini_image::{Compression, Layer, MiniImage};
use super::mini_system::mini_system;
use super::site::Mounted;
use super::{need, output, run};

const SIZE: u64 = 700 * MIB;
/// What the boot code of the old system begins with, and of the new one.
const OLD_CODE: &[u8] = b"OLD BOOT CODE";
const NEW_CODE: &str = "NEW BOOT CODE";

/// Where the parts of the old system lie.
pub struct OldSystem {
    esp_at: u64,
    /// The last one.
    pub swap_at: u64,
}

/// A GPT with an ESP, a root and a swap area.
pub const OLD_SYSTEM: OldSystem = OldSystem { esp_at: MIB, swap_at: 601 * MIB };

/// What was found on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// What was there before, every bit of it.
    Untouched,
    /// No firmware, or no boot loader, finds anything to start, and a text says so.
    StartsNothing {
        /// Whether it is the boot loader that says so.
        boot_loader: bool,
    },
    /// The new system would be started; its files in /etc and /var, with their checksums.
    Starts(BTreeMap<String, String>),
    /// Firmware starts what was there before, although it is not all there any more.
    OldSystem(String),
    /// Nothing starts, and nothing says so.
    Mute(String),
}

/// The mini system with a GRUB that is shell scripts, for BIOS and for UEFI.
pub fn system_with_boot_loader() -> MiniImage {
    let install = format!("#!/bin/sh\nfor disk; do :; done\nprintf '{NEW_CODE}' > \"$disk\"\n");
    let make = "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = -o ] && to=$2; shift; done\nprintf loader > \"$to\"\n";
    let mut layer = Layer::new(Compression::Gzip)
        .file("usr/sbin/grub2-install", 0o755, install.as_bytes())
        .file("usr/bin/grub2-mkimage", 0o755, make.as_bytes())
        .file("usr/lib/grub/i386-pc/blscfg.mod", 0o644, b"");
    for module in ["part_gpt", "fat", "normal", "linux", "search", "search_fs_uuid", "configfile", "ext2"] {
        layer = layer.file(&format!("usr/lib/grub/x86_64-efi/{module}.mod"), 0o644, b"");
    }
    mini_system().layer(layer)
}

/// Makes a disk with a system that would start by BIOS and by UEFI.
pub fn make_old_system(disk: &Path) {
    sparse_file(disk, SIZE);
    let table =
        "label: gpt\nstart=1MiB,size=100MiB,type=U\nstart=101MiB,size=500MiB,type=L\nstart=601MiB,size=64MiB,type=S\n";
    let script = format!("printf '{table}' | \"$0\" --quiet --no-reread \"$1\"");
    run(Command::new("sh").args(["-c", &script]).arg(need("sfdisk", "fdisk")).arg(disk));
    let device = LoopDevice::attach(disk);
    run(Command::new(need("mkfs.vfat", "dosfstools")).args(["-F", "32", "-n", "OLD"]).arg(device.partition(1)));
    run(Command::new(need("mkfs.ext4", "e2fsprogs")).args(["-q", "-L", "old-root"]).arg(device.partition(2)));
    run(Command::new(need("mkswap", "util-linux")).arg(device.partition(3)));
    let loader = disk.with_extension("loader");
    fs::write(&loader, "old loader").expect("writing the old loader");
    let esp = device.partition(1);
    run(Command::new(need("mmd", "mtools")).arg("-i").arg(&esp).args(["::/EFI", "::/EFI/BOOT"]));
    run(Command::new(need("mcopy", "mtools")).arg("-i").arg(&esp).arg(&loader).arg("::/EFI/BOOT/BOOTX64.EFI"));
    drop(device);
    let file = File::options().write(true).open(disk).expect("opening the disk");
    std::os::unix::fs::FileExt::write_all_at(&file, OLD_CODE, 0).expect("writing boot code");
    assert_eq!(old_starts(disk).len(), 2);
}

/// Copies a disk in a file, holes as holes.
pub fn copy_disk(from: &Path, to: &Path) {
    run(Command::new(need("cp", "coreutils")).arg("--sparse=always").arg(from).arg(to));
}

fn read_at(disk: &Path, at: u64, length: usize) -> Vec<u8> {
    let mut file = File::open(disk).expect("opening a disk");
    file.seek(SeekFrom::Start(at)).expect("seeking in a disk");
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes).expect("reading a disk");
    bytes
}

/// Which files firmware finds at its own path on a FAT that begins at `at`.
fn loader_at(disk: &Path, at: u64) -> Option<String> {
    let image = format!("{}@@{at}", disk.display());
    let read = output(Command::new(need("mtype", "mtools")).args(["-i", &image, "::/EFI/BOOT/BOOTX64.EFI"]));
    read.status.success().then(|| String::from_utf8_lossy(&read.stdout).into_owned())
}

/// By which firmware the old system would still start.
fn old_starts(disk: &Path) -> Vec<&'static str> {
    let bios = read_at(disk, 0, OLD_CODE.len()) == OLD_CODE;
    // The new ESP may begin where the old one did.
    let uefi = loader_at(disk, OLD_SYSTEM.esp_at).is_some_and(|loader| loader == "old loader");
    [(bios, "BIOS"), (uefi, "UEFI")].into_iter().filter(|(starts, _)| *starts).map(|(_, name)| name).collect()
}

/// What would be started from `disk`, whose bytes were those of `before`.
pub fn examine(disk: &Path, before: &Path) -> Found {
    let old = old_starts(disk);
    if !old.is_empty() {
        let whole = fingerprint(disk) == fingerprint(before)
            && [OLD_SYSTEM.esp_at, 101 * MIB, OLD_SYSTEM.swap_at]
                .iter()
                .all(|at| read_at(disk, *at, MIB as usize) == read_at(before, *at, MIB as usize));
        return if whole { Found::Untouched } else { Found::OldSystem(format!("by {}", old.join(" and "))) };
    }
    let first = read_at(disk, 0, 440);
    let text = String::from_utf8_lossy(&first).into_owned();
    let partitions = new_partitions(disk);
    let bios = text.starts_with(NEW_CODE);
    let uefi = partitions.get(1).is_some_and(|esp| loader_at(disk, *esp).is_some_and(|loader| loader == "loader"));
    if !bios && !uefi {
        // No firmware has anything to start.
        return match text.contains("No system starts from this disk") {
            true => Found::StartsNothing { boot_loader: false },
            false => Found::Mute("the first sector has no text".into()),
        };
    }
    behind_the_boot_loader(disk)
}

/// Where the partitions of the new system begin.
fn new_partitions(disk: &Path) -> Vec<u64> {
    let table = output(Command::new(need("sfdisk", "fdisk")).arg("--json").arg(disk));
    let table: serde_json::Value = serde_json::from_slice(&table.stdout).unwrap_or_default();
    let partitions = table["partitiontable"]["partitions"].as_array().cloned().unwrap_or_default();
    partitions.iter().filter_map(|partition| Some(partition["start"].as_u64()? * 512)).collect()
}

/// What the boot loader finds on /boot: entries whose kernel is there.
fn behind_the_boot_loader(disk: &Path) -> Found {
    let boot = Mounted::partition(disk, 3);
    let menu = fs::read_to_string(boot.path().join("grub2/grub.cfg")).unwrap_or_default();
    let entries = fs::read_dir(boot.path().join("loader/entries")).into_iter().flatten().flatten();
    let entries: Vec<String> = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect();
    let kernel = |entry: &str| -> Option<PathBuf> {
        let path = entry.lines().find_map(|line| line.strip_prefix("linux "))?;
        Some(boot.path().join(path.trim_start_matches("/boot").trim_start_matches('/')))
    };
    let starts = entries.iter().any(|entry| kernel(entry).is_some_and(|path| path.is_file()));
    if starts && !menu.is_empty() {
        let root = Mounted::partition(disk, 4);
        return Found::Starts(files(&Installed::find(root.path(), "default")));
    }
    let says = entries.iter().any(|entry| entry.contains("title This installation was not finished"));
    match says && !menu.is_empty() {
        true => Found::StartsNothing { boot_loader: true },
        false => Found::Mute(format!("the menu is {menu:?}, with {entries:?}")),
    }
}

/// What belongs to the machine, and is alike each time that it is installed.
fn files(system: &Installed) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for top in ["etc", "var"] {
        let root = system.path(&format!("/{top}"));
        let mut open = vec![root.clone()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).expect("listing the system").flatten() {
                let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
                if kind.is_dir() {
                    open.push(path);
                    continue;
                }
                let name = format!("{top}/{}", path.strip_prefix(&root).expect("below").display());
                let alike = !name.starts_with("var/log/bootc-ks/")
                    && name != "var/lib/bootc-ks/install.json"
                    && name != "etc/fstab";
                let content = match (alike, kind.is_symlink()) {
                    (false, _) => "there".to_owned(),
                    (true, true) => fs::read_link(&path).expect("a link").display().to_string(),
                    (true, false) => sha256_hex(&fs::read(&path).unwrap_or_default()),
                };
                found.insert(name, content);
            }
        }
    }
    found
}

/// A process that may be stopped; it is ended when this is dropped.
pub struct Ended(pub u32);

impl Drop for Ended {
    fn drop(&mut self) {
        // Its number is its own only until it is waited for.
        if std::thread::panicking() {
            output(Command::new("kill").args(["-KILL", &self.0.to_string()]));
        }
    }
}

/// Waits until all threads of the process are stopped by a signal; `false` when it has ended instead.
pub fn wait_for_stop(pid: u32, patience: Duration) -> bool {
    let state = |stat: &Path| {
        let stat = fs::read_to_string(stat).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next())
    };
    let end = Instant::now() + patience;
    while Instant::now() < end {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let states: Vec<Option<char>> = threads.map(|thread| state(&thread.path().join("stat"))).collect();
        if states.iter().all(|state| matches!(state, Some('Z' | 'X') | None)) {
            return false;
        }
        if states.iter().all(|state| *state == Some('T')) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("process {pid} neither stops nor ends");
}

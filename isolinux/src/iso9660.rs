//! A look into an ISO9660 file system: where the bytes of a file lie. Files are found by their
//! plain names, which are capital letters and digits, or by those of Rock Ridge.

use std::io::{Read, Seek, SeekFrom};

use installer_core::error::Context as _;
use installer_core::{Error, Result, Stage};

const SECTOR: u64 = 2048;
/// The first volume descriptor.
const DESCRIPTORS: u64 = 16 * SECTOR;
/// More volume descriptors than any tool writes.
const MOST_DESCRIPTORS: u64 = 16;
/// No directory that is looked into here has more; a damaged one must not make us read on.
const MAX_DIRECTORY: u64 = 1 << 20;
/// Nor has any other one.
const MAX_TREE: u64 = 64 << 20;

/// No tree of directories is deeper that a tool writes: ECMA-119 has eight, and who lets more be does not
/// come near this.
const MOST_DEEP: usize = 64;
/// No medium has more directories, one that is reached in several ways counted as often.
const MOST_DIRECTORIES: usize = 100_000;

/// Where something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Bytes from the beginning.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

/// The file system of a medium.
pub(crate) struct Volume {
    /// Its label.
    pub label: String,
    /// Its length in bytes.
    pub size: u64,
    /// Whether there is a Joliet tree beside the plain one.
    pub joliet: bool,
    /// What the primary volume descriptor has for applications.
    pub application_use: Vec<u8>,
    root: Extent,
    /// That of Joliet's tree.
    joliet_root: Option<Extent>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// Its path as it is spelt on the medium (`/EFI/BOOT/grub.cfg`): by Rock Ridge, if it is there.
    pub path: String,
    /// Where it lies.
    pub extent: Extent,
    /// Whether every part of the path has a name of Rock Ridge, by which xorriso knows it.
    pub rock_ridge: bool,
}

impl Volume {
    /// Reads the primary volume descriptor; nothing if there is none.
    pub fn read(medium: &mut (impl Read + Seek)) -> Result<Option<Self>> {
        let Some(sector) = read_at(medium, Extent { offset: DESCRIPTORS, size: SECTOR })? else { return Ok(None) };
        if !sector.starts_with(b"\x01CD001\x01") || number(&sector, 128, 2) != Some(SECTOR) {
            return Ok(None);
        }
        let label = String::from_utf8_lossy(&sector[40..72]).trim_end().to_owned();
        let size = number(&sector, 80, 4).unwrap_or(0) * SECTOR;
        let application_use = sector[883..1395].to_vec();
        let Some(root) = record(&sector[156..190]) else { return Ok(None) };
        let root = root.extent;
        let joliet_root = joliet(medium)?;
        Ok(Some(Volume { label, size, joliet: joliet_root.is_some(), application_use, root, joliet_root }))
    }

    /// Where the file at `path` (`boot/grub/grub.cfg`) lies.
    pub fn find(&self, medium: &mut (impl Read + Seek), path: &str) -> Result<Option<Extent>> {
        Ok(self.locate(medium, path)?.map(|file| file.extent))
    }

    /// Makes sure that the directories are a tree which comes to an end. A program that reads all of it would
    /// not, where one of them is in itself.
    pub fn must_end(&self, medium: &mut (impl Read + Seek)) -> Result<()> {
        let refused = |why: &str| {
            Err(Error::input(Stage::Media, format!("the directories on the medium {why}"))
                .hint("it is damaged, or made to do harm: fetch it again"))
        };
        // The directories from the root down to one that is to be read.
        let mut open: Vec<Vec<Extent>> =
            [Some(self.root), self.joliet_root].into_iter().flatten().map(|root| vec![root]).collect();
        let mut count = 0;
        while let Some(way) = open.pop() {
            count += 1;
            if count > MOST_DIRECTORIES {
                return refused(&format!("are more than {MOST_DIRECTORIES}"));
            }
            if way.len() > MOST_DEEP {
                return refused(&format!("lie more than {MOST_DEEP} deep in each other"));
            }
            let Some(here) = way.last().copied().filter(|here| here.size <= MAX_TREE) else {
                return refused("are larger than directories are");
            };
            // What lies beyond the end has no entries.
            let Some(sectors) = read_at(medium, here)? else { continue };
            // The first two are the directory itself and the one above.
            for entry in entries(&sectors).filter(|entry| entry.directory && !matches!(entry.name, [0 | 1])) {
                if way.iter().any(|above| above.offset == entry.extent.offset) {
                    return refused(&format!(
                        "are a circle: '{}' leads back to where it is in",
                        entry.spelling().escape_debug()
                    ));
                }
                open.push(way.iter().copied().chain([entry.extent]).collect());
            }
        }
        Ok(())
    }

    /// The same with the spelling of its path, for capital letters and others are the same here.
    pub fn locate(&self, medium: &mut (impl Read + Seek), path: &str) -> Result<Option<Located>> {
        let mut here = Some(Record { extent: self.root, directory: true, more: false, name: &[], system: &[] });
        let (mut spelt, mut rock_ridge) = (String::new(), true);
        let mut sectors;
        for part in path.split('/') {
            let Some(at) = here.filter(|at| at.directory && at.extent.size <= MAX_DIRECTORY) else { return Ok(None) };
            let Some(read) = read_at(medium, at.extent)? else { return Ok(None) };
            sectors = read;
            here = entries(&sectors).find(|entry| entry.is_named(part));
            spelt.push('/');
            spelt.push_str(&here.as_ref().map(Record::spelling).unwrap_or_default());
            rock_ridge &= here.as_ref().is_some_and(|entry| rock_ridge_name(entry.system).is_some());
        }
        // The parts of a file above 4 GiB lie in several places.
        let found = here.filter(|at| !at.directory && !at.more);
        Ok(found.map(|at| Located { path: spelt, extent: at.extent, rock_ridge }))
    }
}

/// The root of Joliet's tree, if one of the volume descriptors is Joliet's.
fn joliet(medium: &mut (impl Read + Seek)) -> Result<Option<Extent>> {
    for number in 1..MOST_DESCRIPTORS {
        let at = Extent { offset: DESCRIPTORS + number * SECTOR, size: SECTOR };
        let Some(sector) = read_at(medium, at)? else { return Ok(None) };
        if !sector[1..].starts_with(b"CD001") || sector[0] == 255 {
            return Ok(None);
        }
        if sector[0] == 2 && [b"%/@", b"%/C", b"%/E"].iter().any(|escape| sector[88..].starts_with(*escape)) {
            return Ok(record(&sector[156..190]).map(|root| root.extent));
        }
    }
    Ok(None)
}

/// The bytes of `extent`; nothing if the medium ends before them.
pub(crate) fn read_at(medium: &mut (impl Read + Seek), extent: Extent) -> Result<Option<Vec<u8>>> {
    let reading = || format!("reading {} bytes at {}", extent.size, extent.offset);
    // Where no file goes there is nothing to read, and a system call says only that it is wrong.
    if extent.offset.checked_add(extent.size).is_none_or(|end| i64::try_from(end).is_err()) {
        return Ok(None);
    }
    medium.seek(SeekFrom::Start(extent.offset)).doing(Stage::Media, reading())?;
    let mut bytes = Vec::new();
    medium.take(extent.size).read_to_end(&mut bytes).doing(Stage::Media, reading())?;
    Ok((bytes.len() as u64 == extent.size).then_some(bytes))
}

struct Record<'a> {
    extent: Extent,
    directory: bool,
    more: bool,
    name: &'a [u8],
    /// What Rock Ridge has to say.
    system: &'a [u8],
}

impl Record<'_> {
    fn is_named(&self, name: &str) -> bool {
        let same = |other: &[u8]| other.eq_ignore_ascii_case(name.as_bytes());
        rock_ridge_name(self.system).map_or_else(|| same(plain(self.name)), |name| same(&name))
    }

    fn spelling(&self) -> String {
        let name = rock_ridge_name(self.system).unwrap_or_else(|| plain(self.name).to_vec());
        String::from_utf8_lossy(&name).into_owned()
    }
}

fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let offset = number(bytes, 2, 4)? * SECTOR;
    let size = number(bytes, 10, 4)?;
    let flags = *bytes.get(25)?;
    let length = usize::from(*bytes.get(32)?);
    let name = bytes.get(33..33 + length)?;
    // The name is filled up to an odd length, so that what follows begins at an even place.
    let system = bytes.get(33 + (length | 1)..).unwrap_or_default();
    Some(Record { extent: Extent { offset, size }, directory: flags & 2 != 0, more: flags & 0x80 != 0, name, system })
}

/// The name among the entries of Rock Ridge. A long one may go on elsewhere; those of boot
/// menus are short.
fn rock_ridge_name(system: &[u8]) -> Option<Vec<u8>> {
    let mut rest = system;
    let mut name = None;
    while let Some(entry) = rest.get(..usize::from(*rest.get(2)?)).filter(|entry| entry.len() >= 4) {
        if entry.starts_with(b"NM") {
            name.get_or_insert_with(Vec::new).extend_from_slice(entry.get(5..)?);
        }
        rest = &rest[entry.len()..];
        if rest.len() < 4 {
            break;
        }
    }
    name
}

/// The records of a directory; none crosses the end of a sector.
fn entries(directory: &[u8]) -> impl Iterator<Item = Record<'_>> {
    directory.chunks(SECTOR as usize).flat_map(|sector| {
        let mut at = 0;
        std::iter::from_fn(move || {
            let length = usize::from(*sector.get(at)?);
            let found = record(sector.get(at..at + length).filter(|bytes| !bytes.is_empty())?)?;
            at += length;
            Some(found)
        })
    })
}

/// A name without its version (`;1`) and without the dot of an empty extension.
fn plain(name: &[u8]) -> &[u8] {
    let name = name.split(|byte| *byte == b';').next().unwrap_or(name);
    name.strip_suffix(b".").unwrap_or(name)
}

/// A number in the little-endian form.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::process::{Command, Stdio};

    /// An ISO with files in directories, one of them with more entries than a sector takes.
    fn iso() -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir_all(tree.join("boot/grub")).unwrap();
        for n in 0..100 {
            std::fs::write(tree.join(format!("boot/file{n}.img")), format!("content {n}")).unwrap();
        }
        std::fs::write(tree.join("boot/grub/grub.cfg"), "menu").unwrap();
        std::fs::write(tree.join("boot/vmlinuz"), "kernel").unwrap();
        std::fs::write(tree.join("boot/extlinux.conf"), "long").unwrap();
        let status = Command::new("xorriso")
            .args(["-as", "mkisofs", "-quiet", "-r", "-J", "-V", "SOME_LABEL", "-o", "x.iso", "tree"])
            .current_dir(dir.path())
            .stderr(Stdio::null())
            .status()
            .expect("`xorriso` is missing: apt-get install xorriso (or run tools/setup)");
        assert!(status.success());
        std::fs::read(dir.path().join("x.iso")).unwrap()
    }

    #[test]
    fn files_are_found_by_their_paths() {
        let iso = iso();
        let mut medium = Cursor::new(&iso);
        let volume = Volume::read(&mut medium).unwrap().unwrap();
        assert_eq!(volume.label, "SOME_LABEL");
        assert!(volume.size <= iso.len() as u64 && volume.size > 100 * SECTOR);
        let mut content = |path: &str| {
            let extent = volume.find(&mut medium, path).unwrap()?;
            Some(String::from_utf8(read_at(&mut medium, extent).unwrap().unwrap()).unwrap())
        };
        assert_eq!(content("boot/grub/grub.cfg").as_deref(), Some("menu"));
        assert_eq!(content("boot/vmlinuz").as_deref(), Some("kernel"));
        for n in [0, 50, 99] {
            assert_eq!(content(&format!("boot/file{n}.img")), Some(format!("content {n}")));
        }
        for none in ["boot", "boot/grub", "boot/none", "boot/vmlinuz/x", "", "none/grub.cfg"] {
            assert_eq!(content(none), None, "{none}");
        }
    }

    /// Where the record of `name` begins in the directory at `extent`.
    fn record_of(iso: &[u8], extent: Extent, name: &str) -> usize {
        let (from, size) = (extent.offset as usize, extent.size as usize);
        let at = iso[from..from + size].windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        from + at - 33
    }

    #[test]
    fn a_circle_of_directories_is_refused() {
        let whole = iso();
        let volume = Volume::read(&mut Cursor::new(&whole)).unwrap().unwrap();
        volume.must_end(&mut Cursor::new(&whole)).unwrap();
        let boot = record_of(&whole, volume.root, "BOOT");
        let extent = record(&whole[boot..]).unwrap().extent;
        let grub = record_of(&whole, extent, "GRUB");
        // The one in the other leads to itself, to the one above, or to the root.
        for (at, to) in
            [(grub, record(&whole[grub..]).unwrap().extent), (grub, extent), (grub, volume.root), (boot, volume.root)]
        {
            let mut bytes = whole.clone();
            if at == grub && to == record(&whole[grub..]).unwrap().extent {
                // As its own child: its first file becomes a directory at its own place.
                let file = record_of(&whole, to, "GRUB.CFG");
                bytes[file + 25] |= 2;
                bytes[file + 2..file + 6].copy_from_slice(&((to.offset / SECTOR) as u32).to_le_bytes());
                bytes[file + 10..file + 14].copy_from_slice(&(to.size as u32).to_le_bytes());
            } else {
                bytes[at + 2..at + 6].copy_from_slice(&((to.offset / SECTOR) as u32).to_le_bytes());
                bytes[at + 10..at + 14].copy_from_slice(&(to.size as u32).to_le_bytes());
            }
            let error = volume.must_end(&mut Cursor::new(&bytes)).unwrap_err();
            assert!(error.exit_code() == 2 && error.to_string().contains("are a circle"), "{error}");
        }
    }

    #[test]
    fn names_of_rock_ridge_are_told_as_they_are_spelt() {
        let iso = iso();
        let mut medium = Cursor::new(&iso);
        let volume = Volume::read(&mut medium).unwrap().unwrap();
        assert!(volume.joliet && volume.application_use.len() == 512);
        for (path, spelt) in
            [("BOOT/Grub/GRUB.cfg", "/boot/grub/grub.cfg"), ("boot/extlinux.conf", "/boot/extlinux.conf")]
        {
            assert_eq!(volume.locate(&mut medium, path).unwrap().unwrap().path, spelt);
        }
    }

    #[test]
    fn damage_is_no_panic_and_other_files_are_no_iso() {
        assert!(Volume::read(&mut Cursor::new(&b"text"[..])).unwrap().is_none());
        assert!(Volume::read(&mut Cursor::new(vec![0; 100_000])).unwrap().is_none());
        let whole = iso();
        let system = 16 * SECTOR as usize..whole.len().min(40 * SECTOR as usize);
        for at in system.step_by(3) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let mut medium = Cursor::new(&bytes);
            if let Ok(Some(volume)) = Volume::read(&mut medium) {
                let _ = volume.find(&mut medium, "boot/grub/grub.cfg");
            }
        }
    }
}

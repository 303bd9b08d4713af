//! A look into an ISO9660 file system: where the bytes of a file lie. Plain names only, which
//! are capital letters and digits; what Rock Ridge and Joliet add is for those who mount it.

use std::io::{Read, Seek, SeekFrom};

use installer_core::error::Context as _;
use installer_core::{Result, Stage};

const SECTOR: u64 = 2048;
/// The first volume descriptor.
const DESCRIPTORS: u64 = 16 * SECTOR;
/// No directory that is looked into here has more; a damaged one must not make us read on.
const MAX_DIRECTORY: u64 = 1 << 20;

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
    root: Extent,
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
        Ok(record(&sector[156..190]).map(|root| Volume { label, size, root: root.extent }))
    }

    /// Where the file at `path` (`boot/grub/grub.cfg`) lies.
    pub fn find(&self, medium: &mut (impl Read + Seek), path: &str) -> Result<Option<Extent>> {
        let mut here = Some(Record { extent: self.root, directory: true, more: false, name: &[] });
        let mut sectors;
        for part in path.split('/') {
            let Some(at) = here.filter(|at| at.directory && at.extent.size <= MAX_DIRECTORY) else { return Ok(None) };
            let Some(read) = read_at(medium, at.extent)? else { return Ok(None) };
            sectors = read;
            here = entries(&sectors).find(|entry| plain(entry.name).eq_ignore_ascii_case(part.as_bytes()));
        }
        // The parts of a file above 4 GiB lie in several places.
        Ok(here.filter(|at| !at.directory && !at.more).map(|at| at.extent))
    }
}

/// The bytes of `extent`; nothing if the medium ends before them.
pub(crate) fn read_at(medium: &mut (impl Read + Seek), extent: Extent) -> Result<Option<Vec<u8>>> {
    let reading = || format!("reading {} bytes at {}", extent.size, extent.offset);
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
}

fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let offset = number(bytes, 2, 4)? * SECTOR;
    let size = number(bytes, 10, 4)?;
    let flags = *bytes.get(25)?;
    let name = bytes.get(33..33 + usize::from(*bytes.get(32)?))?;
    Some(Record { extent: Extent { offset, size }, directory: flags & 2 != 0, more: flags & 0x80 != 0, name })
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
        let status = Command::new("xorriso")
            .args(["-as", "mkisofs", "-quiet", "-r", "-V", "SOME_LABEL", "-o", "x.iso", "tree"])
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

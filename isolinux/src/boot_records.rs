//! By what firmware starts a medium: the boot catalogue of El Torito, the partition tables, and
//! the EFI system partitions that these name. Reads only.

use std::io::{Read, Seek};

use installer_core::Result;

use crate::iso9660::{Extent, Volume, read_at};

const SECTOR: u64 = 2048;
/// The blocks of partition tables.
const BLOCK: u64 = 512;
/// What El Torito calls EFI, and the type of such a partition in an MBR.
const EFI: u8 = 0xef;
/// The type of an EFI system partition in a GPT.
const EFI_GUID: [u8; 16] =
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
/// No medium has more partitions.
const MOST_PARTITIONS: u64 = 256;
/// Nor has one more EFI system partitions, or larger ones: they are copied to be looked into.
const MOST_EFI: usize = 8;
const LARGEST_EFI: u64 = 1 << 30;
/// Where installers of Fedora's family have the image as a file.
const FILE: &str = "images/efiboot.img";

/// The boot records of a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BootRecords {
    /// The platforms of El Torito's entries: 0 is BIOS, 0xef is EFI.
    pub platforms: Vec<u8>,
    /// Whether a BIOS finds a boot record on a stick.
    pub mbr: bool,
    /// Whether there is a GPT.
    pub gpt: bool,
    /// Where the EFI system partitions lie, each once.
    pub efi: Vec<Extent>,
}

impl BootRecords {
    /// Reads those of `medium`.
    pub fn read(medium: &mut (impl Read + Seek), volume: &Volume) -> Result<Self> {
        let entries = el_torito(medium)?;
        let head = read_at(medium, Extent { offset: 0, size: 2 * BLOCK })?.unwrap_or_default();
        let mbr = head.get(510..512) == Some(&[0x55, 0xaa]);
        let gpt = head.get(512..520) == Some(b"EFI PART");
        let mut places: Vec<u64> = entries.iter().filter(|(kind, _)| *kind == EFI).map(|(_, at)| *at).collect();
        if mbr {
            places.extend(head[446..510].chunks(16).filter(|entry| entry[4] == EFI).map(|e| number(e, 8, 4) * BLOCK));
        }
        if gpt {
            places.extend(gpt_partitions(medium, &head[512..])?);
        }
        places.extend(volume.find(medium, FILE)?.map(|extent| extent.offset));
        places.sort_unstable();
        places.dedup();
        places.truncate(MOST_EFI);
        let mut efi = Vec::new();
        for offset in places {
            efi.extend(fat(medium, offset)?);
        }
        Ok(BootRecords { platforms: entries.into_iter().map(|(kind, _)| kind).collect(), mbr, gpt, efi })
    }

    /// Whether `copy` is started by whatever this is started by.
    pub fn are_in(&self, copy: &Self) -> bool {
        let same = |a: bool, b: bool| !a || b;
        self.platforms == copy.platforms
            && same(self.mbr, copy.mbr)
            && same(self.gpt, copy.gpt)
            && self.efi.len() == copy.efi.len()
    }
}

/// The platform of each entry and where its image lies.
fn el_torito(medium: &mut (impl Read + Seek)) -> Result<Vec<(u8, u64)>> {
    let mut all = Vec::new();
    let record = read_at(medium, Extent { offset: 17 * SECTOR, size: SECTOR })?.unwrap_or_default();
    if !record.starts_with(b"\0CD001\x01EL TORITO SPECIFICATION") {
        return Ok(all);
    }
    let at = Extent { offset: number(&record, 71, 4) * SECTOR, size: SECTOR };
    let catalogue = read_at(medium, at)?.unwrap_or_default();
    let mut entries = catalogue.chunks_exact(32);
    let Some(validation) = entries.next().filter(|entry| entry[0] == 1) else { return Ok(all) };
    let (mut platform, mut left, mut last) = (validation[1], 1, false);
    for entry in entries {
        match (left, entry[0]) {
            (1.., 0x88) => all.push((platform, number(entry, 8, 4) * SECTOR)),
            (0, 0x90 | 0x91) if !last => {
                (platform, left, last) = (entry[1], number(entry, 2, 2), entry[0] == 0x91);
                continue;
            }
            (0, _) => break,
            _ => {}
        }
        left -= 1;
    }
    Ok(all)
}

/// Where the EFI system partitions of a GPT begin.
fn gpt_partitions(medium: &mut (impl Read + Seek), header: &[u8]) -> Result<Vec<u64>> {
    let (start, count, size) = (number(header, 72, 8), number(header, 80, 4), number(header, 84, 4));
    if !(128..=4096).contains(&size) || count > MOST_PARTITIONS {
        return Ok(Vec::new());
    }
    let Some(offset) = start.checked_mul(BLOCK) else { return Ok(Vec::new()) };
    let table = read_at(medium, Extent { offset, size: count * size })?.unwrap_or_default();
    let entries = table.chunks_exact(size as usize).filter(|entry| entry.starts_with(&EFI_GUID));
    Ok(entries.filter_map(|entry| number(entry, 32, 8).checked_mul(BLOCK)).collect())
}

/// The FAT file system that begins there. What is no FAT (the HFS+ of old Macs) is no place for
/// a menu that we could change.
fn fat(medium: &mut (impl Read + Seek), offset: u64) -> Result<Option<Extent>> {
    let Some(sector) = read_at(medium, Extent { offset, size: BLOCK })? else { return Ok(None) };
    let named = sector[54..].starts_with(b"FAT") || sector[82..].starts_with(b"FAT");
    let bytes = number(&sector, 11, 2);
    let sectors = [number(&sector, 19, 2), number(&sector, 32, 4)].into_iter().find(|sectors| *sectors > 0);
    let size = sectors.unwrap_or(0) * bytes;
    let sane = [512, 1024, 2048, 4096].contains(&bytes) && (1..=LARGEST_EFI).contains(&size);
    Ok((named && sane).then_some(Extent { offset, size }))
}

/// A number in the little-endian form; what is cut off counts as nothing.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A medium with a catalogue in sector 20, a FAT at `fat` and a partition table that names it.
    fn medium(fat: u64) -> Vec<u8> {
        let mut bytes = vec![0; 100 * SECTOR as usize];
        let mut put = |at: u64, part: &[u8]| bytes[at as usize..at as usize + part.len()].copy_from_slice(part);
        put(510, &[0x55, 0xaa]);
        put(446 + 4, &[0xee]);
        put(512, b"EFI PART");
        put(512 + 72, &2u64.to_le_bytes());
        put(512 + 80, &4u32.to_le_bytes());
        put(512 + 84, &128u32.to_le_bytes());
        put(1024 + 128, &EFI_GUID);
        put(1024 + 128 + 32, &(fat / BLOCK).to_le_bytes());
        put(16 * SECTOR, b"\x01CD001\x01");
        put(16 * SECTOR + 128, &2048u16.to_le_bytes());
        put(16 * SECTOR + 156, &[34]);
        put(17 * SECTOR, b"\0CD001\x01EL TORITO SPECIFICATION");
        put(17 * SECTOR + 71, &20u32.to_le_bytes());
        let catalogue = 20 * SECTOR;
        put(catalogue, &[1]);
        put(catalogue + 32, &[0x88, 0, 0, 0, 0, 0, 4, 0, 30]);
        put(catalogue + 64, &[0x91, EFI, 1]);
        put(catalogue + 96, &[0x88, 0, 0, 0, 0, 0, 4, 0, (fat / SECTOR) as u8]);
        put(fat + 11, &512u16.to_le_bytes());
        put(fat + 19, &40u16.to_le_bytes());
        put(fat + 54, b"FAT12   ");
        bytes
    }

    fn read(bytes: &[u8]) -> BootRecords {
        let mut medium = Cursor::new(bytes);
        let volume = Volume::read(&mut medium).unwrap().unwrap();
        BootRecords::read(&mut medium, &volume).unwrap()
    }

    #[test]
    fn one_partition_is_found_once_however_many_name_it() {
        let records = read(&medium(40 * SECTOR));
        let efi = vec![Extent { offset: 40 * SECTOR, size: 40 * BLOCK }];
        assert_eq!(records, BootRecords { platforms: vec![0, EFI], mbr: true, gpt: true, efi });
    }

    #[test]
    fn a_copy_that_lost_something_is_no_copy() {
        let original = read(&medium(40 * SECTOR));
        assert!(original.are_in(&read(&medium(50 * SECTOR))));
        for at in [510, 512, 20 * SECTOR as usize + 96, 40 * SECTOR as usize + 54] {
            let mut bytes = medium(40 * SECTOR);
            bytes[at] ^= 0xff;
            assert!(!original.are_in(&read(&bytes)), "{at}");
        }
    }

    #[test]
    fn damage_is_no_panic() {
        let whole = medium(40 * SECTOR);
        for at in (0..2048).chain(17 * SECTOR as usize..21 * SECTOR as usize) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let mut cursor = Cursor::new(&bytes);
            if let Some(volume) = Volume::read(&mut cursor).unwrap() {
                let _ = BootRecords::read(&mut cursor, &volume);
            }
        }
        let mut cursor = Cursor::new(&whole[..40 * SECTOR as usize]);
        let volume = Volume::read(&mut cursor).unwrap().unwrap();
        assert_eq!(BootRecords::read(&mut cursor, &volume).unwrap().efi, []);
    }
}

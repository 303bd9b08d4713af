//! Boot entries of UEFI firmware: the bytes of `Boot####` and `BootOrder`. Pure.
//!
//! Layouts: UEFI specification 2.10, sections 3.1.3 (load options) and 10.3 (device paths).

use uuid::Uuid;

/// The entry is to be tried.
const ACTIVE: u32 = 1;

/// A partition of a GPT, as firmware names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1.
    pub number: u32,
    /// Its first block.
    pub start: u64,
    /// How many blocks it has.
    pub blocks: u64,
    /// Its own GUID.
    pub guid: Uuid,
}

/// One entry: a file on a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootEntry {
    /// What the firmware's menu shows.
    pub label: String,
    /// Where the file is.
    pub partition: Partition,
    /// The file, with backslashes.
    pub path: String,
}

impl BootEntry {
    /// The value of a `Boot####` variable.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut path = Vec::new();
        node(&mut path, 4, 1, &self.partition.to_bytes());
        node(&mut path, 4, 4, &utf16(&self.path));
        node(&mut path, 0x7f, 0xff, &[]);
        let mut bytes = ACTIVE.to_le_bytes().to_vec();
        bytes.extend(u16::try_from(path.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend(utf16(&self.label));
        bytes.extend(path);
        bytes
    }

    /// Reads one that has the form of ours; entries of other forms are `None`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (label, rest) = utf16_until_nul(bytes.get(6..)?)?;
        let (disk, rest) = read_node(rest, 4, 1)?;
        let (path, _) = read_node(rest, 4, 4)?;
        Some(BootEntry { label, partition: Partition::from_bytes(disk)?, path: utf16_until_nul(path)?.0 })
    }
}

impl Partition {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.number.to_le_bytes().to_vec();
        bytes.extend(self.start.to_le_bytes());
        bytes.extend(self.blocks.to_le_bytes());
        bytes.extend(self.guid.to_bytes_le());
        // A GPT, whose signature is a GUID.
        bytes.extend([2, 2]);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
        let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let guid = Uuid::from_bytes_le(bytes.get(20..36)?.try_into().ok()?);
        Some(Partition { number, start: word(4)?, blocks: word(12)?, guid })
    }
}

fn node(path: &mut Vec<u8>, kind: u8, subtype: u8, data: &[u8]) {
    let length = u16::try_from(data.len() + 4).unwrap_or(u16::MAX);
    path.extend([kind, subtype]);
    path.extend(length.to_le_bytes());
    path.extend(data);
}

/// The data of the node at the beginning of `path`, if it is of that kind, and what follows.
fn read_node(path: &[u8], kind: u8, subtype: u8) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_le_bytes(path.get(2..4)?.try_into().ok()?));
    let data = path.get(4..length)?;
    (path[0] == kind && path[1] == subtype).then(|| (data, &path[length..]))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn utf16_until_nul(bytes: &[u8]) -> Option<(String, &[u8])> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let end = units.iter().position(|unit| *unit == 0)?;
    Some((String::from_utf16_lossy(&units[..end]), &bytes[2 * (end + 1)..]))
}

/// `BootOrder` with `first` before all others.
pub fn order_with(first: u16, old: &[u8]) -> Vec<u8> {
    let others = old.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).filter(|n| *n != first);
    std::iter::once(first).chain(others).flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> BootEntry {
        BootEntry {
            label: "Debian".into(),
            partition: Partition {
                number: 2,
                start: 4096,
                blocks: 1_048_576,
                guid: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b".parse().unwrap(),
            },
            path: "\\EFI\\BOOT\\BOOTX64.EFI".into(),
        }
    }

    #[test]
    fn an_entry_has_the_bytes_of_the_specification() {
        let bytes = entry().to_bytes();
        assert_eq!(bytes[..4], [1, 0, 0, 0], "active");
        let path = usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
        assert_eq!(path, 42 + (4 + 2 * 22) + 4, "disk, file, end");
        assert_eq!(&bytes[6..6 + 14], b"D\0e\0b\0i\0a\0n\0\0\0");
        let disk = &bytes[20..62];
        assert_eq!(disk[..4], [4, 1, 42, 0]);
        assert_eq!(disk[4..8], [2, 0, 0, 0]);
        // The first three fields of a GUID are little-endian.
        assert_eq!(disk[24..32], [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11]);
        assert_eq!(disk[40..], [2, 2]);
        assert_eq!(bytes[bytes.len() - 4..], [0x7f, 0xff, 4, 0]);
        assert_eq!(BootEntry::from_bytes(&bytes), Some(entry()));
    }

    #[test]
    fn other_entries_are_left_alone() {
        // A boot from a network card: a PCI path.
        assert_eq!(BootEntry::from_bytes(b"\x01\0\0\0\x04\0N\0\0\0\x02\x01\x0c\0\xd0\x41\x03\x0a\0\0\0\0"), None);
        let bytes = entry().to_bytes();
        for cut in 0..bytes.len() - 4 {
            assert_eq!(BootEntry::from_bytes(&bytes[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn the_new_one_is_first_and_once() {
        assert_eq!(order_with(3, &[1, 0, 3, 0, 2, 0]), [3, 0, 1, 0, 2, 0]);
        assert_eq!(order_with(0, &[]), [0, 0]);
    }
}

//! Reading the GVariant shapes of OSTree objects, the counterpart of
//! [`gvariant`](super::super::gvariant).
//!
//! The bytes come from an image, so nothing in them is trusted: every offset is checked, and
//! what is not in normal form is `None`, never a panic.

use crate::deploy::gvariant::{Checksum, Xattr};

/// Entries of a directory, borrowed from its dirtree object.
pub struct Entries<'a> {
    /// Files and symbolic links: name, content object.
    pub files: Vec<(&'a [u8], Checksum)>,
    /// Directories: name, dirtree, dirmeta.
    pub dirs: Vec<(&'a [u8], Checksum, Checksum)>,
}

/// What a dirmeta object says; `mode` with the file type.
#[derive(Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permissions and file type.
    pub mode: u32,
    /// Extended attributes.
    pub xattrs: Vec<Xattr>,
}

/// How wide a framing offset is in a container of `size` bytes.
fn width(size: usize) -> usize {
    match size {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

fn number(bytes: &[u8]) -> Option<usize> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    usize::try_from(u64::from_le_bytes(wide)).ok()
}

/// The `nth` framing offset of a container, counted from its end.
fn offset(data: &[u8], nth: usize) -> Option<usize> {
    let width = width(data.len());
    let start = data.len().checked_sub(width * (nth + 1))?;
    number(data.get(start..start + width)?)
}

/// The part of a tuple between `start` and its `count` framing offsets.
fn last_member(data: &[u8], start: usize, count: usize) -> Option<&[u8]> {
    data.get(start..data.len().checked_sub(width(data.len()) * count)?)
}

/// The elements of an array of variable-size, byte-aligned elements.
fn elements(data: &[u8]) -> Option<Vec<&[u8]>> {
    if data.is_empty() {
        return Some(Vec::new());
    }
    let width = width(data.len());
    let ends = data.get(offset(data, 0)?..)?;
    if ends.len() % width != 0 {
        return None;
    }
    let mut start = 0;
    let element = |end: &[u8]| {
        let end = number(end)?;
        let element = data.get(start..end)?;
        start = end;
        Some(element)
    };
    ends.chunks_exact(width).map(element).collect()
}

/// What stands before the NUL that ends a string.
fn string(data: &[u8]) -> Option<&[u8]> {
    let (nul, text) = data.split_last()?;
    (*nul == 0 && !text.contains(&0)).then_some(text)
}

fn checksum(data: &[u8]) -> Option<Checksum> {
    data.try_into().ok()
}

fn big_endian(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

/// `a(ayay)`: names without their NUL, values raw, in the order in which they stand.
pub fn xattrs(data: &[u8]) -> Option<Vec<Xattr>> {
    let pair = |data: &[u8]| {
        let end = offset(data, 0)?;
        let name = string(data.get(..end)?).filter(|name| !name.is_empty())?;
        Some((name.to_vec(), last_member(data, end, 1)?.to_vec()))
    };
    elements(data)?.into_iter().map(pair).collect()
}

/// A dirmeta object, `(uuua(ayay))`.
pub fn dirmeta(data: &[u8]) -> Option<Attributes> {
    Some(Attributes {
        uid: big_endian(data, 0)?,
        gid: big_endian(data, 4)?,
        mode: big_endian(data, 8)?,
        xattrs: xattrs(data.get(12..)?)?,
    })
}

/// A dirtree object, `(a(say)a(sayay))`.
pub fn dirtree(data: &[u8]) -> Option<Entries<'_>> {
    let end = offset(data, 0)?;
    let files = elements(data.get(..end)?)?.into_iter().map(|data| {
        let end = offset(data, 0)?;
        Some((string(data.get(..end)?)?, checksum(last_member(data, end, 1)?)?))
    });
    let dirs = elements(last_member(data, end, 1)?)?.into_iter().map(|data| {
        let (name_end, tree_end) = (offset(data, 0)?, offset(data, 1)?);
        let tree = checksum(data.get(name_end..tree_end)?)?;
        Some((string(data.get(..name_end)?)?, tree, checksum(last_member(data, tree_end, 2)?)?))
    });
    Some(Entries { files: files.collect::<Option<_>>()?, dirs: dirs.collect::<Option<_>>()? })
}

/// The root's dirtree and dirmeta out of a commit object, `(a{sv}aya(say)sstayay)`.
pub fn commit_root(data: &[u8]) -> Option<(Checksum, Checksum)> {
    let (body_end, tree_end) = (offset(data, 4)?, offset(data, 5)?);
    // Between them: padding and the timestamp, eight bytes at a multiple of eight.
    let tree_start = body_end.checked_next_multiple_of(8)?.checked_add(8)?;
    Some((checksum(data.get(tree_start..tree_end)?)?, checksum(last_member(data, tree_end, 6)?)?))
}

#[cfg(test)]
mod tests {
    use ostree::glib;
    use ostree::glib::variant::{StaticVariantType, ToVariant};

    use super::*;
    use crate::deploy::gvariant::{self, Commit};

    fn bytes<T: ToVariant + StaticVariantType>(value: &T) -> Vec<u8> {
        value.to_variant().data().to_vec()
    }

    #[test]
    fn directories_that_glib_wrote_are_read() {
        for count in [0usize, 1, 3, 6, 7, 300, 3000] {
            let names: Vec<String> = (0..count).map(|n| format!("entry-{n:05}")).collect();
            let files: Vec<_> = names.iter().map(|name| (name.clone(), vec![7u8; 32])).collect();
            let dirs: Vec<_> = names.iter().map(|name| (name.clone(), vec![8u8; 32], vec![9u8; 32])).collect();
            let raw = bytes(&(files, dirs));
            let entries = dirtree(&raw).unwrap();
            let expected: Vec<_> = names.iter().map(|name| (name.as_bytes(), [7; 32])).collect();
            assert_eq!(entries.files, expected);
            let expected: Vec<_> = names.iter().map(|name| (name.as_bytes(), [8; 32], [9; 32])).collect();
            assert_eq!(entries.dirs, expected);
        }
    }

    #[test]
    fn attributes_that_glib_wrote_are_read() {
        for length in [0usize, 1, 200, 250, 300, 70_000] {
            let list =
                vec![(b"security.selinux\0".to_vec(), vec![1u8; length]), (b"user.b\0".to_vec(), Vec::<u8>::new())];
            let raw = bytes(&list);
            let expected = vec![(b"security.selinux".to_vec(), vec![1; length]), (b"user.b".to_vec(), Vec::new())];
            assert_eq!(xattrs(&raw).unwrap(), expected);
            let raw = bytes(&(5u32.to_be(), 6u32.to_be(), 0o40755u32.to_be(), list));
            assert_eq!(dirmeta(&raw).unwrap(), Attributes { uid: 5, gid: 6, mode: 0o40755, xattrs: expected });
        }
        assert_eq!(xattrs(&[]), Some(vec![]));
        assert!(dirmeta(&[0; 11]).is_none());
    }

    #[test]
    fn the_root_of_a_commit_is_found_whatever_else_it_says() {
        for value in ["", "x", &"y".repeat(300), &"z".repeat(70_000)] {
            for parent in [None, Some([5; 32])] {
                let metadata = [("version", value)];
                let commit = Commit { metadata: &metadata, parent, timestamp: 7, tree: [1; 32], meta: [2; 32] };
                assert_eq!(commit_root(&gvariant::commit(&commit)), Some(([1; 32], [2; 32])));
            }
        }
        // One with a subject, a body, a related commit and values of other types.
        let metadata = glib::VariantDict::new(None);
        metadata.insert("ostree.bootable", true);
        metadata.insert("numbers", 3u64);
        let value = glib::Variant::tuple_from_iter([
            metadata.end(),
            Vec::<u8>::new().to_variant(),
            vec![("related".to_owned(), vec![3u8; 32])].to_variant(),
            "a subject".to_variant(),
            "a body".to_variant(),
            9u64.to_be().to_variant(),
            vec![1u8; 32].to_variant(),
            vec![2u8; 32].to_variant(),
        ]);
        assert_eq!(commit_root(value.data()), Some(([1; 32], [2; 32])));
    }

    #[test]
    fn damaged_objects_are_refused_without_a_panic() {
        let files = vec![("a".to_owned(), vec![7u8; 32]), ("b".to_owned(), vec![7u8; 32])];
        let tree = bytes(&(files, vec![("d".to_owned(), vec![8u8; 32], vec![9u8; 32])]));
        let list = bytes(&vec![(b"user.a\0".to_vec(), vec![1u8; 9])]);
        let commit =
            gvariant::commit(&Commit { metadata: &[], parent: None, timestamp: 7, tree: [1; 32], meta: [2; 32] });
        let try_all = |data: &[u8]| {
            let _ = (dirtree(data).is_some(), xattrs(data), dirmeta(data), commit_root(data));
        };
        for raw in [tree, list, commit] {
            for cut in 0..raw.len() {
                try_all(&raw[..cut]);
                for value in [0, 1, 0x7f, 0xff] {
                    let mut wrong = raw.clone();
                    wrong[cut] = value;
                    try_all(&wrong);
                }
            }
        }
        assert!(xattrs(&bytes(&vec![(b"no nul".to_vec(), vec![1u8])])).is_none());
    }
}

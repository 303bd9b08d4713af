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

//! The few GVariant shapes that OSTree objects are made of, written by hand.
//!
//! Content and metadata objects are hashed over exactly these bytes, so every byte counts.
//! Layouts: GVariant specification (framing offsets little-endian, their width chosen from
//! the size with the offsets in it) and libostree's `ostree-core.h`
//! (`OSTREE_DIRMETA_GVARIANT_FORMAT` and its siblings). Numbers inside are big-endian.
//!
//! Not here: reading variants, and any shape that the importer does not write.

/// One extended attribute: the name without its NUL, the raw value.
pub type Xattr = (Vec<u8>, Vec<u8>);

/// A raw SHA-256.
pub type Checksum = [u8; 32];

/// The end of a container: its framing offsets behind its body.
///
/// `ends` is in the order in which they are stored.
fn close(mut body: Vec<u8>, ends: &[usize]) -> Vec<u8> {
    if ends.is_empty() {
        return body;
    }
    let width =
        [1usize, 2, 4].into_iter().find(|width| body.len() + ends.len() * width < 1usize << (8 * width)).unwrap_or(8);
    for end in ends {
        body.extend_from_slice(&end.to_le_bytes()[..width]);
    }
    body
}

fn pad(body: &mut Vec<u8>, alignment: usize) {
    body.resize(body.len().next_multiple_of(alignment), 0);
}

fn push_string(body: &mut Vec<u8>, text: &[u8]) {
    body.extend_from_slice(text);
    body.push(0);
}

/// An array of variable-size, byte-aligned elements.
fn array<I: IntoIterator<Item = Vec<u8>>>(elements: I) -> Vec<u8> {
    let mut body = Vec::new();
    let mut ends = Vec::new();
    for element in elements {
        body.extend_from_slice(&element);
        ends.push(body.len());
    }
    close(body, &ends)
}

/// `a(ayay)`: names with their NUL, values raw, in the order given (libostree wants them
/// sorted by name).
fn xattrs(list: &[Xattr]) -> Vec<u8> {
    array(list.iter().map(|(name, value)| {
        let mut body = name.clone();
        body.push(0);
        let end = body.len();
        body.extend_from_slice(value);
        close(body, &[end])
    }))
}

/// What a content object's checksum begins with: the length-prefixed `(uuuusa(ayay))` of
/// owner, mode (with its file type), rdev 0, symlink target and extended attributes.
pub fn content_header(uid: u32, gid: u32, mode: u32, target: &[u8], list: &[Xattr]) -> Vec<u8> {
    let mut body = Vec::with_capacity(64);
    for number in [uid, gid, mode, 0] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    push_string(&mut body, target);
    let end = body.len();
    body.extend_from_slice(&xattrs(list));
    let body = close(body, &[end]);
    let mut framed = Vec::with_capacity(body.len() + 8);
    framed.extend_from_slice(&(body.len() as u32).to_be_bytes());
    framed.extend_from_slice(&[0; 4]);
    framed.extend_from_slice(&body);
    framed
}

/// A dirmeta object, `(uuua(ayay))`; `mode` carries the directory bit.
pub fn dirmeta(uid: u32, gid: u32, mode: u32, list: &[Xattr]) -> Vec<u8> {
    let mut body = Vec::with_capacity(64);
    for number in [uid, gid, mode] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    body.extend_from_slice(&xattrs(list));
    body
}

/// A dirtree object, `(a(say)a(sayay))`; both lists sorted by name, byte by byte.
pub fn dirtree<'a>(
    files: impl IntoIterator<Item = (&'a [u8], Checksum)>,
    dirs: impl IntoIterator<Item = (&'a [u8], Checksum, Checksum)>,
) -> Vec<u8> {
    let files = array(files.into_iter().map(|(name, sum)| {
        let mut body = Vec::with_capacity(name.len() + 34);
        push_string(&mut body, name);
        let end = body.len();
        body.extend_from_slice(&sum);
        close(body, &[end])
    }));
    let dirs = array(dirs.into_iter().map(|(name, tree, meta)| {
        let mut body = Vec::with_capacity(name.len() + 67);
        push_string(&mut body, name);
        let name_end = body.len();
        body.extend_from_slice(&tree);
        let tree_end = body.len();
        body.extend_from_slice(&meta);
        close(body, &[tree_end, name_end])
    }));
    let end = files.len();
    let mut body = files;
    body.extend_from_slice(&dirs);
    close(body, &[end])
}

/// What a commit object says.
pub struct Commit<'a> {
    /// String metadata, in this order.
    pub metadata: &'a [(&'a str, &'a str)],
    /// Parent commit.
    pub parent: Option<Checksum>,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Root dirtree.
    pub tree: Checksum,
    /// Root dirmeta.
    pub meta: Checksum,
}

/// A commit object, `(a{sv}aya(say)sstayay)`, with empty subject, body and related list.
pub fn commit(commit: &Commit<'_>) -> Vec<u8> {
    let mut body = string_dictionary(commit.metadata);
    let metadata_end = body.len();
    body.extend_from_slice(commit.parent.as_ref().map_or(&[][..], |parent| &parent[..]));
    let parent_end = body.len();
    let related_end = parent_end;
    push_string(&mut body, b"");
    let subject_end = body.len();
    push_string(&mut body, b"");
    let body_end = body.len();
    pad(&mut body, 8);
    body.extend_from_slice(&commit.timestamp.to_be_bytes());
    body.extend_from_slice(&commit.tree);
    let tree_end = body.len();
    body.extend_from_slice(&commit.meta);
    close(body, &[tree_end, body_end, subject_end, related_end, parent_end, metadata_end])
}

/// `a{sv}` whose values are all strings.
fn string_dictionary(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut ends = Vec::new();
    for (key, value) in entries {
        pad(&mut body, 8);
        let mut entry = Vec::new();
        push_string(&mut entry, key.as_bytes());
        let key_end = entry.len();
        pad(&mut entry, 8);
        push_string(&mut entry, value.as_bytes());
        // A variant is its value, a NUL and its type.
        entry.extend_from_slice(b"\0s");
        body.extend_from_slice(&close(entry, &[key_end]));
        ends.push(body.len());
    }
    close(body, &ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_header_has_the_known_18_bytes() {
        let header = content_header(0, 0, 0o100644, b"", &[]);
        assert_eq!(&header[..8], &[0, 0, 0, 18, 0, 0, 0, 0]);
        assert_eq!(header.len(), 8 + 18);
        assert_eq!(header[25], 0x11);
    }
}

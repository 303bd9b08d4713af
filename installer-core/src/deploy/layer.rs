//! One layer: a tar stream in, objects in the store and a tree in memory out.
//!
//! One pass: every byte is read, hashed and written once. The rules for names are those of
//! bootc's tar filter (`tar/write.rs`): `/etc` becomes `/usr/etc`, the run-time directories
//! keep no children, nothing may climb out by `..`.
//!
//! Not here: decompression and verification (done by the reader), whiteouts (the merge's).

use std::io::{self, Read};
use std::sync::Arc;

use tar::EntryType;

use super::gvariant::Xattr;
use super::store::{OBJECTS, SMALL, Store, object_sum};
use super::tree::{Content, Dir, File, Meta, TreeError, show, split};

/// Why a layer cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// Reading the layer or writing an object.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Reading or writing one named entry.
    #[error("'{path}': {source}")]
    Entry {
        /// Its path in the layer.
        path: String,
        /// What happened.
        source: io::Error,
    },
    /// The tree does not fit together.
    #[error("{0}")]
    Tree(#[from] TreeError),
    /// An entry that no container image may hold.
    #[error("'{0}': {1}")]
    Forbidden(String, &'static str),
}

/// What becomes of files while they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They become objects at once.
    Direct,
    /// They are set down until the SELinux policy, which is in some layer, is known.
    Staged,
}

/// Reads the tar stream `reader` to its end. `count` is called once an entry.
pub fn read(reader: impl Read, store: &Store, mode: Mode, mut count: impl FnMut()) -> Result<Dir, LayerError> {
    let mut root = Dir::default();
    let mut archive = tar::Archive::new(reader);
    let mut buffer = Vec::with_capacity(SMALL as usize);
    for entry in archive.entries()? {
        let mut entry = entry?;
        count();
        put(&mut root, &mut entry, store, mode, &mut buffer)?;
    }
    // What follows the end-of-archive blocks still belongs to the digest.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(root)
}

fn put<R: Read>(
    root: &mut Dir,
    entry: &mut tar::Entry<'_, R>,
    store: &Store,
    mode: Mode,
    buffer: &mut Vec<u8>,
) -> Result<(), LayerError> {
    let raw = entry.path_bytes().into_owned();
    let kind = entry.header().entry_type();
    let Some(path) = target_path(&raw)? else { return Ok(()) };
    let at = |source| LayerError::Entry { path: show(&path), source };
    match kind {
        EntryType::Directory => {
            let meta = meta(entry).map_err(at)?;
            root.put_dir(&path, meta)?;
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let meta = meta(entry).map_err(at)?;
            let file = regular(entry, meta, store, mode, buffer).map_err(at)?;
            root.put_file(&path, file)?;
        }
        EntryType::Symlink => {
            let meta = Meta { mode: 0o777, ..meta(entry).map_err(at)? };
            let target = link_target(entry, &path)?;
            let content = match mode {
                Mode::Direct => Content::Object(store.write_symlink(&meta, &target).map_err(at)?),
                Mode::Staged => Content::Symlink(target),
            };
            root.put_file(&path, File { meta, content, empty: false })?;
        }
        EntryType::Link => {
            let target = link_target(entry, &path)?;
            let Some(target) = target_path(&target)? else {
                return Err(LayerError::Forbidden(show(&path), "a hard link into a run-time directory"));
            };
            match object_below(&target) {
                Some(file) if root.get(&target).is_none() => root.put_file(&path, file)?,
                _ => root.link(&path, &target)?,
            }
        }
        EntryType::XGlobalHeader => {}
        _ => {
            return Err(LayerError::Forbidden(
                show(&path),
                "device nodes, FIFOs and sockets cannot be part of an image",
            ));
        }
    }
    Ok(())
}

fn regular<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    meta: Meta,
    store: &Store,
    mode: Mode,
    buffer: &mut Vec<u8>,
) -> io::Result<File> {
    let size = entry.size();
    let content = match mode {
        Mode::Staged => Content::Staged(Arc::new(store.stage(size, entry)?)),
        Mode::Direct if size <= SMALL => {
            buffer.clear();
            entry.read_to_end(buffer)?;
            if buffer.len() as u64 != size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Content::Object(store.write_small(&meta, buffer)?)
        }
        Mode::Direct => Content::Object(store.write_stream(&meta, size, entry)?),
    };
    Ok(File { meta, content, empty: size == 0 })
}

/// The object of an ostree-encapsulated base that a layer above may link to. Whether there is
/// such an object shows when the tree is written.
fn object_below(target: &[Vec<u8>]) -> Option<File> {
    if !target.starts_with(&OBJECTS.map(<[u8]>::to_vec)) {
        return None;
    }
    let (sum, kind) = object_sum(target)?;
    // Its owner, mode and attributes are the object's own.
    let meta = Meta { mode: 0o644, ..Meta::default_directory() };
    (kind == "file").then_some(File { meta, content: Content::Object(sum), empty: false })
}

/// The target of a hard or symbolic link.
pub fn link_target<R: Read>(entry: &tar::Entry<'_, R>, path: &[Vec<u8>]) -> Result<Vec<u8>, LayerError> {
    match entry.link_name_bytes() {
        Some(target) if std::str::from_utf8(&target).is_ok() => Ok(target.into_owned()),
        Some(_) => Err(LayerError::Forbidden(show(path), "a link target that is not UTF-8")),
        None => Err(LayerError::Forbidden(show(path), "a link without a target")),
    }
}

/// Owner, mode and the attributes of the PAX header, sorted by name.
fn meta<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Meta> {
    let mut xattrs: Vec<Xattr> = Vec::new();
    if let Some(extensions) = entry.pax_extensions()? {
        for extension in extensions {
            let extension = extension?;
            if let Some(name) = extension.key_bytes().strip_prefix(b"SCHILY.xattr.") {
                xattrs.push((name.to_vec(), extension.value_bytes().to_vec()));
            }
        }
    }
    xattrs.sort();
    let header = entry.header();
    let (uid, gid) = ids(header)?;
    Ok(Meta { uid, gid, mode: header.mode()? & 0o7777, xattrs })
}

/// Owner and group.
pub fn ids(header: &tar::Header) -> io::Result<(u32, u32)> {
    let id = |value: u64| u32::try_from(value).map_err(|_| io::Error::other("an owner above 2^32"));
    Ok((id(header.uid()?)?, id(header.gid()?)?))
}

/// Where the entry called `raw` belongs; `None` for one that is left out.
fn target_path(raw: &[u8]) -> Result<Option<Vec<Vec<u8>>>, LayerError> {
    let mut path = split(raw);
    let name = || String::from_utf8_lossy(raw).into_owned();
    if path.iter().any(|part| part == b"..") {
        return Err(LayerError::Forbidden(name(), "a path with '..' in it"));
    }
    if std::str::from_utf8(raw).is_err() {
        return Err(LayerError::Forbidden(name(), "a name that is not UTF-8"));
    }
    match path.first().map(Vec::as_slice) {
        Some(b"etc") => path.insert(0, b"usr".to_vec()),
        Some(b"run" | b"tmp" | b"proc" | b"sys" | b"dev") if path.len() > 1 => return Ok(None),
        _ => {}
    }
    Ok(Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: EntryType, size: u64, mode: u32) -> tar::Header {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        header
    }

    fn import(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Result<Dir, LayerError> {
        let mut builder = tar::Builder::new(Vec::new());
        build(&mut builder);
        let bytes = builder.into_inner().unwrap();
        let repo = tempfile::tempdir().unwrap();
        let store = Store::open(repo.path()).unwrap();
        read(bytes.as_slice(), &store, Mode::Direct, || ())
    }

    #[test]
    fn etc_moves_and_run_time_directories_lose_their_children() {
        let root = import(|tar| {
            for (path, content) in [("etc/hosts", "x"), ("run/a", "y"), ("usr/etc/keep", "z"), ("dev/null", "d")] {
                let mut header = header(EntryType::Regular, content.len() as u64, 0o644);
                tar.append_data(&mut header, path, content.as_bytes()).unwrap();
            }
            tar.append_data(&mut header(EntryType::Directory, 0, 0o1777), "tmp", io::empty()).unwrap();
            let mut link = header(EntryType::Link, 0, 0o644);
            tar.append_link(&mut link, "usr/second", "etc/hosts").unwrap();
        })
        .unwrap();
        assert!(root.find("usr/etc/hosts").is_some() && root.find("usr/etc/keep").is_some());
        assert!(root.find("run/a").is_none() && root.find("dev/null").is_none() && root.find("etc").is_none());
        assert!(root.find("usr/second").is_some(), "a link follows its target's new name");
        let Some(super::super::tree::Node::Dir(tmp)) = root.find("tmp") else { panic!("tmp is kept") };
        assert_eq!(tmp.meta.mode, 0o1777);
    }

    #[test]
    fn what_no_image_may_hold_is_refused_by_name() {
        let error = import(|tar| {
            let mut head = header(EntryType::Regular, 0, 0o644);
            head.as_mut_bytes()[..12].copy_from_slice(b"a/../../evil");
            head.set_cksum();
            tar.append(&head, io::empty()).unwrap();
        })
        .unwrap_err();
        assert!(error.to_string().contains("a/../../evil"), "{error}");
        let error = import(|tar| {
            tar.append_data(&mut header(EntryType::Char, 0, 0o644), "usr/null", io::empty()).unwrap();
        })
        .unwrap_err();
        assert!(error.to_string().contains("usr/null"), "{error}");
    }

    #[test]
    fn a_stream_that_ends_early_is_an_error() {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_data(&mut header(EntryType::Regular, 4000, 0o644), "big", &[1u8; 4000][..]).unwrap();
        let bytes = builder.into_inner().unwrap();
        let repo = tempfile::tempdir().unwrap();
        let store = Store::open(repo.path()).unwrap();
        assert!(read(&bytes[..2000], &store, Mode::Direct, || ()).is_err());
    }
}

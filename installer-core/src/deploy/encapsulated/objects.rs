//! One layer of objects: a tar stream of `bare-split-xattrs` in, verified objects in the store
//! out.
//!
//! ```text
//! sysroot/ostree/repo/objects/XX/Y.file-xattrs         attributes, named by their own checksum
//!                                  .file-xattrs-link    those of the next file: a hard link to
//!                                                       the above, or the attributes themselves
//!                                  .file                content; owner and mode in its header
//!                                  .commit .commitmeta .dirtree .dirmeta      first layer only
//! usr/bin/bash                                          hard links for container engines
//! ```
//!
//! The layout is that of ostree-ext's `tar/export.rs`. A name is believed only if the object
//! has that checksum; every entry that is not an object is passed over.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tar::EntryType;

use super::variant;
use crate::deploy::gvariant::{Checksum, Xattr};
use crate::deploy::layer::{LayerError, ids, link_target};
use crate::deploy::store::{OBJECTS, SMALL, Store, object_sum};
use crate::deploy::tree::{Meta, show, split};

/// No dirtree of a real image comes near this; libostree's own limit.
const MAX_METADATA: u64 = 128 << 20;
/// All attributes of a layer, each kept once: no file system takes more for a single file.
const MAX_XATTRS: u64 = 64 << 20;

/// What one layer brought.
#[derive(Debug, Default)]
pub struct ObjectSet {
    /// The commit object, which the first layer has.
    pub commit: Option<(Checksum, Vec<u8>)>,
    /// Content objects, and whether each is an empty regular file.
    pub files: BTreeMap<Checksum, bool>,
}

/// Reads the tar stream `reader` to its end. `first` says whether this is the layer with the
/// commit; `count` is called once an entry.
pub fn read(reader: impl Read, store: &Store, first: bool, mut count: impl FnMut()) -> Result<ObjectSet, LayerError> {
    let mut archive = tar::Archive::new(reader);
    let mut import = Importer { store, first, set: ObjectSet::default(), known: HashMap::new(), bytes: 0, next: None };
    for entry in archive.entries()? {
        let mut entry = entry?;
        count();
        let path = split(&entry.path_bytes());
        if !path.starts_with(&OBJECTS.map(<[u8]>::to_vec)) || entry.header().entry_type() == EntryType::Directory {
            continue;
        }
        let Some((sum, kind)) = object_sum(&path) else {
            return Err(LayerError::Forbidden(show(&path), "not the name of an object"));
        };
        import.object(&mut entry, &path, sum, kind)?;
    }
    // What follows the end-of-archive blocks still belongs to the digest.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    if import.next.is_some() {
        return Err(LayerError::Forbidden("the end".into(), "the attributes of a file, and no file after them"));
    }
    Ok(import.set)
}

struct Importer<'a> {
    store: &'a Store,
    first: bool,
    set: ObjectSet,
    /// Attributes by the checksum of their serialised form.
    known: HashMap<Checksum, Arc<Vec<Xattr>>>,
    /// What [`Importer::known`] was read from.
    bytes: u64,
    /// The file that has to come next, and its attributes.
    next: Option<(Checksum, Arc<Vec<Xattr>>)>,
}

impl Importer<'_> {
    fn object<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &[Vec<u8>],
        sum: Checksum,
        kind: &str,
    ) -> Result<(), LayerError> {
        let refuse = |why| Err(LayerError::Forbidden(show(path), why));
        let type_ = entry.header().entry_type();
        match (kind, type_) {
            ("file", _) => self.file(entry, path, sum),
            ("file-xattrs", EntryType::Regular) => match self.attributes(entry, path)? {
                (actual, _) if actual == sum => Ok(()),
                _ => refuse("attributes that do not have the checksum they are named by"),
            },
            ("file-xattrs-link", EntryType::Regular | EntryType::Link) => {
                if self.next.is_some() {
                    return refuse("the attributes of another file where a file has to come");
                }
                let xattrs = if type_ == EntryType::Regular {
                    self.attributes(entry, path)?.1
                } else {
                    self.linked(&link_target(entry, path)?, path)?
                };
                self.next = Some((sum, xattrs));
                Ok(())
            }
            ("commit" | "commitmeta" | "dirtree" | "dirmeta", _) if !self.first => {
                refuse("a metadata object outside of the first layer")
            }
            ("commit", EntryType::Regular) if self.set.commit.is_some() => refuse("a second commit"),
            ("commit" | "commitmeta" | "dirtree" | "dirmeta", EntryType::Regular) => {
                self.metadata(entry, path, sum, kind)
            }
            _ => refuse("an object of an unknown kind"),
        }
    }

    fn metadata<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &[Vec<u8>],
        sum: Checksum,
        kind: &str,
    ) -> Result<(), LayerError> {
        let data = whole(entry, path, MAX_METADATA)?;
        let at = |source| LayerError::Entry { path: show(path), source };
        if kind == "commitmeta" {
            // Named by the commit that it is about, not by its own checksum.
            return match &self.set.commit {
                Some((commit, _)) if *commit == sum => self.store.write_commitmeta(&sum, &data).map_err(at),
                _ => Err(LayerError::Forbidden(show(path), "detached metadata of another commit")),
            };
        }
        if self.store.write_metadata(kind, &data).map_err(at)? != sum {
            return Err(LayerError::Forbidden(show(path), WRONG));
        }
        if kind == "commit" {
            self.set.commit = Some((sum, data));
        }
        Ok(())
    }

    fn file<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &[Vec<u8>],
        sum: Checksum,
    ) -> Result<(), LayerError> {
        let refuse = |why| Err(LayerError::Forbidden(show(path), why));
        let at = |source| LayerError::Entry { path: show(path), source };
        let xattrs = match self.next.take() {
            Some((name, xattrs)) if name == sum => xattrs,
            Some(_) => return refuse("a file after the attributes of another"),
            None => return refuse("a file without its attributes before it"),
        };
        let (uid, gid) = ids(entry.header()).map_err(at)?;
        let mode = entry.header().mode().map_err(at)? & 0o7777;
        let meta = Meta { uid, gid, mode, xattrs: xattrs.to_vec() };
        let (actual, empty) = match entry.header().entry_type() {
            EntryType::Regular => {
                let size = entry.size();
                let actual = if size <= SMALL {
                    self.store.write_small(&meta, &whole(entry, path, SMALL)?)
                } else {
                    self.store.write_stream(&meta, size, entry)
                };
                (actual.map_err(at)?, size == 0)
            }
            EntryType::Symlink => (self.store.write_symlink(&meta, &link_target(entry, path)?).map_err(at)?, false),
            _ => return refuse("a file that is neither a regular file nor a symbolic link"),
        };
        if actual != sum {
            return refuse(WRONG);
        }
        self.set.files.insert(sum, empty);
        Ok(())
    }

    /// Reads attributes, and keeps them for the files that share them.
    fn attributes<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &[Vec<u8>],
    ) -> Result<(Checksum, Arc<Vec<Xattr>>), LayerError> {
        let data = whole(entry, path, MAX_XATTRS - self.bytes)?;
        let sum: Checksum = Sha256::digest(&data).into();
        if let Some(known) = self.known.get(&sum) {
            return Ok((sum, known.clone()));
        }
        let Some(xattrs) = variant::xattrs(&data) else {
            return Err(LayerError::Forbidden(show(path), "attributes that are not serialised as OSTree does"));
        };
        let xattrs = Arc::new(xattrs);
        self.bytes += data.len() as u64;
        self.known.insert(sum, xattrs.clone());
        Ok((sum, xattrs))
    }

    /// The attributes that a hard link names.
    fn linked(&self, target: &[u8], path: &[Vec<u8>]) -> Result<Arc<Vec<Xattr>>, LayerError> {
        // Relative to the repository or to the link: the last two names say it all.
        let names = split(target);
        let known = object_sum(&names).filter(|(_, kind)| *kind == "file-xattrs");
        let known = known.and_then(|(sum, _)| self.known.get(&sum));
        known.cloned().ok_or(LayerError::Forbidden(show(path), "attributes that the layer does not bring"))
    }
}

const WRONG: &str = "an object that does not have the checksum it is named by";

/// Reads an entry of at most `limit` bytes.
fn whole<R: Read>(entry: &mut tar::Entry<'_, R>, path: &[Vec<u8>], limit: u64) -> Result<Vec<u8>, LayerError> {
    let size = entry.size();
    if size > limit {
        return Err(LayerError::Forbidden(show(path), "an object that is larger than any real one"));
    }
    // Beyond the usual it grows with what is there, not with what the header promises.
    let mut data = Vec::with_capacity(size.min(SMALL) as usize);
    let read = entry.read_to_end(&mut data);
    let read = read.map_err(|source| LayerError::Entry { path: show(path), source })?;
    if read as u64 != size {
        let source = io::ErrorKind::UnexpectedEof.into();
        return Err(LayerError::Entry { path: show(path), source });
    }
    Ok(data)
}

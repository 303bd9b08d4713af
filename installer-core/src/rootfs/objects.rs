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
//! has that checksum; every entry that is not an object is passed over, but for the names that it
//! gives to objects, which help the look ([`Objects::named`]).

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::attributes::{self, Carrier};
use super::error::{LayerError, to_the_end};
use super::gvariant::{Checksum, Xattr};
use super::rules::{self, Budget, Path};
use super::tar::{Entry, Kind, Reader};
use super::tree::{Meta, say, split};
use super::variant;

/// The directory of the objects in a system's tree, and in a tar stream of objects.
pub const OBJECTS: [&[u8]; 4] = [b"sysroot", b"ostree", b"repo", b"objects"];

/// No dirtree of a real image comes near this; libostree's own limit.
const MAX_METADATA: u64 = 128 << 20;
/// All attributes of a layer, each kept once: no file system takes more for a single file.
const MAX_XATTRS: u64 = 64 << 20;

/// A content object, as far as a tree needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// Whether it is an empty regular file.
    pub empty: bool,
    /// Where it leads, if it is a symbolic link.
    pub link: Option<Box<[u8]>>,
}

/// What one layer brought.
#[derive(Debug, Default)]
pub struct ObjectSet {
    /// The commit object, which the first layer has.
    pub commit: Option<(Checksum, Vec<u8>)>,
    /// Content objects.
    pub files: BTreeMap<Checksum, Brought>,
}

/// What becomes of objects while they are read. What is given has its checksum compared by who
/// calls.
pub trait Objects {
    /// Is called once an entry, before anything else.
    fn entry(&mut self);

    /// Takes a metadata object, and returns its checksum.
    fn metadata(&mut self, kind: &str, data: &[u8]) -> io::Result<Checksum>;

    /// Takes what is said about a commit besides it.
    fn commitmeta(&mut self, commit: &Checksum, data: &[u8]) -> io::Result<()>;

    /// Takes a regular file of `size` bytes, and returns its checksum. It is said to be `sum`.
    fn regular(&mut self, sum: &Checksum, meta: &Meta, size: u64, content: &mut dyn Read) -> io::Result<Checksum>;

    /// Takes a symbolic link, and returns its checksum.
    fn symlink(&mut self, meta: &Meta, target: &[u8]) -> io::Result<Checksum>;

    /// Is told a name of a content object.
    fn named(&mut self, path: &Path, object: &Checksum);
}

/// Reads the tar stream `reader` to its end. `first` says whether this is the layer with the
/// commit.
pub fn read(
    mut reader: impl Read,
    objects: &mut impl Objects,
    first: bool,
    budget: &Budget,
) -> Result<ObjectSet, LayerError> {
    let outcome = read_entries(&mut reader, objects, first, budget);
    to_the_end(reader, outcome)
}

fn read_entries(
    reader: &mut impl Read,
    objects: &mut impl Objects,
    first: bool,
    budget: &Budget,
) -> Result<ObjectSet, LayerError> {
    let mut tar = Reader::new(reader);
    let mut import =
        Importer { objects, first, set: ObjectSet::default(), known: HashMap::new(), bytes: 0, next: None };
    while let Some(entry) = tar.next_entry()? {
        import.objects.entry();
        budget.entries(1).map_err(|why| LayerError::Forbidden(say(&entry.path), why))?;
        let path = split(&entry.path);
        if !path.starts_with(&OBJECTS.map(<[u8]>::to_vec)) {
            import.name(&entry);
            continue;
        }
        if entry.kind == Kind::Directory {
            continue;
        }
        let Some((sum, kind)) = object_sum(&path) else {
            return Err(LayerError::Forbidden(say(&entry.path), "not the name of an object"));
        };
        import.object(&entry, &mut tar, sum, kind)?;
    }
    if import.next.is_some() {
        return Err(LayerError::Forbidden("the end".into(), "the attributes of a file, and no file after them"));
    }
    Ok(import.set)
}

/// The checksum and the kind (`file`, `dirtree`, …) of the object that the last two names of
/// `path` stand for.
pub fn object_sum(path: &[Vec<u8>]) -> Option<(Checksum, &str)> {
    let [.., dir, name] = path else { return None };
    let (rest, kind) = std::str::from_utf8(name).ok()?.split_once('.')?;
    let digits = [dir.as_slice(), rest.as_bytes()].concat();
    if dir.len() != 2 || digits.len() != 64 {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut sum = [0; 32];
    for (byte, pair) in sum.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some((sum, kind))
}

struct Importer<'a, O> {
    objects: &'a mut O,
    first: bool,
    set: ObjectSet,
    /// Attributes by the checksum of their serialised form.
    known: HashMap<Checksum, Arc<Vec<Xattr>>>,
    /// What [`Importer::known`] was read from.
    bytes: u64,
    /// The file that has to come next, and its attributes.
    next: Option<(Checksum, Arc<Vec<Xattr>>)>,
}

impl<O: Objects> Importer<'_, O> {
    /// A hard link for container engines says how an object is called in the tree.
    fn name(&mut self, entry: &Entry) {
        let target = split(&entry.link);
        if entry.kind == Kind::HardLink
            && let Some((sum, "file")) = object_sum(&target)
            && let Ok(Some(path)) = rules::place(&entry.path)
        {
            self.objects.named(&path, &sum);
        }
    }

    fn object(
        &mut self,
        entry: &Entry,
        tar: &mut Reader<impl Read>,
        sum: Checksum,
        kind: &str,
    ) -> Result<(), LayerError> {
        let refuse = |why| Err(LayerError::Forbidden(say(&entry.path), why));
        match (kind, entry.kind) {
            ("file", _) => self.file(entry, tar, sum),
            ("file-xattrs", Kind::Regular) => match self.attributes(entry, tar)? {
                (actual, _) if actual == sum => Ok(()),
                _ => refuse("attributes that do not have the checksum they are named by"),
            },
            ("file-xattrs-link", Kind::Regular | Kind::HardLink) => {
                if self.next.is_some() {
                    return refuse("the attributes of another file where a file has to come");
                }
                let xattrs =
                    if entry.kind == Kind::Regular { self.attributes(entry, tar)?.1 } else { self.linked(entry)? };
                self.next = Some((sum, xattrs));
                Ok(())
            }
            ("commit" | "commitmeta" | "dirtree" | "dirmeta", _) if !self.first => {
                refuse("a metadata object outside of the first layer")
            }
            ("commit", Kind::Regular) if self.set.commit.is_some() => refuse("a second commit"),
            ("commit" | "commitmeta" | "dirtree" | "dirmeta", Kind::Regular) => self.metadata(entry, tar, sum, kind),
            _ => refuse("an object of an unknown kind"),
        }
    }

    fn metadata(
        &mut self,
        entry: &Entry,
        tar: &mut Reader<impl Read>,
        sum: Checksum,
        kind: &str,
    ) -> Result<(), LayerError> {
        let data = whole(entry, tar, MAX_METADATA)?;
        let at = |source| LayerError::Entry { path: say(&entry.path), source };
        if kind == "commitmeta" {
            // Named by the commit that it is about, not by its own checksum.
            return match &self.set.commit {
                Some((commit, _)) if *commit == sum => self.objects.commitmeta(&sum, &data).map_err(at),
                _ => Err(LayerError::Forbidden(say(&entry.path), "detached metadata of another commit")),
            };
        }
        if self.objects.metadata(kind, &data).map_err(at)? != sum {
            return Err(LayerError::Forbidden(say(&entry.path), WRONG));
        }
        if kind == "commit" {
            self.set.commit = Some((sum, data));
        }
        Ok(())
    }

    fn file(&mut self, entry: &Entry, tar: &mut Reader<impl Read>, sum: Checksum) -> Result<(), LayerError> {
        let forbid = |why| LayerError::Forbidden(say(&entry.path), why);
        let at = |source| LayerError::Entry { path: say(&entry.path), source };
        let xattrs = match self.next.take() {
            Some((name, xattrs)) if name == sum => xattrs,
            Some(_) => return Err(forbid("a file after the attributes of another")),
            None => return Err(forbid("a file without its attributes before it")),
        };
        let carrier = if entry.kind == Kind::Symlink { Carrier::Symlink } else { Carrier::File };
        let mode = entry.mode & 0o7777;
        attributes::check(carrier, mode, &xattrs).map_err(forbid)?;
        let (uid, gid) = (rules::id(entry.uid).map_err(forbid)?, rules::id(entry.gid).map_err(forbid)?);
        let meta = Meta { uid, gid, mode, xattrs: xattrs.to_vec() };
        let (actual, brought) = match entry.kind {
            Kind::Regular => {
                let actual = self.objects.regular(&sum, &meta, entry.size, &mut tar.content()).map_err(at)?;
                (actual, Brought { empty: entry.size == 0, link: None })
            }
            Kind::Symlink => {
                rules::link_target(&entry.link).map_err(forbid)?;
                let actual = self.objects.symlink(&meta, &entry.link).map_err(at)?;
                (actual, Brought { empty: false, link: Some(entry.link.clone().into_boxed_slice()) })
            }
            _ => return Err(forbid("a file that is neither a regular file nor a symbolic link")),
        };
        if actual != sum {
            return Err(forbid(WRONG));
        }
        self.set.files.insert(sum, brought);
        Ok(())
    }

    /// Reads attributes, and keeps them for the files that share them.
    fn attributes(
        &mut self,
        entry: &Entry,
        tar: &mut Reader<impl Read>,
    ) -> Result<(Checksum, Arc<Vec<Xattr>>), LayerError> {
        let data = whole(entry, tar, MAX_XATTRS - self.bytes)?;
        let sum: Checksum = Sha256::digest(&data).into();
        if let Some(known) = self.known.get(&sum) {
            return Ok((sum, known.clone()));
        }
        let Some(xattrs) = variant::xattrs(&data) else {
            let why = "attributes that are not serialised as OSTree does";
            return Err(LayerError::Forbidden(say(&entry.path), why));
        };
        let xattrs = Arc::new(xattrs);
        self.bytes += data.len() as u64;
        self.known.insert(sum, xattrs.clone());
        Ok((sum, xattrs))
    }

    /// The attributes that a hard link names.
    fn linked(&self, entry: &Entry) -> Result<Arc<Vec<Xattr>>, LayerError> {
        // Relative to the repository or to the link: the last two names say it all.
        let names = split(&entry.link);
        let known = object_sum(&names).filter(|(_, kind)| *kind == "file-xattrs");
        let known = known.and_then(|(sum, _)| self.known.get(&sum));
        known.cloned().ok_or(LayerError::Forbidden(say(&entry.path), "attributes that the layer does not bring"))
    }
}

const WRONG: &str = "an object that does not have the checksum it is named by";

/// Reads an entry of at most `limit` bytes.
fn whole(entry: &Entry, tar: &mut Reader<impl Read>, limit: u64) -> Result<Vec<u8>, LayerError> {
    if entry.size > limit {
        return Err(LayerError::Forbidden(say(&entry.path), "an object that is larger than any real one"));
    }
    // Beyond the usual it grows with what is there, not with what the header promises.
    let mut data = Vec::with_capacity(entry.size.min(512 << 10) as usize);
    let read = tar.content().take(limit).read_to_end(&mut data);
    read.map_err(|source| LayerError::Entry { path: say(&entry.path), source })?;
    Ok(data)
}

//! What the layers hold, of what an installer asks about: the import with nothing written. Names,
//! owners, modes and links go through [`crate::rootfs`], as they do there; of contents only small
//! texts and lists are kept.
//!
//! Every content has an identity. One that is wanted and was not kept when it went by, because its
//! name became known later, is read in a second pass ([`again`]).

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Cursor, Read};

use sha2::{Digest as _, Sha256};

use crate::rootfs::gvariant::{self, Checksum};
use crate::rootfs::layer::{self, Keep, Layer};
use crate::rootfs::objects::{self, ObjectSet, Objects};
use crate::rootfs::rules::{Budget, Path};
use crate::rootfs::tar::{Kind, Reader};
use crate::rootfs::{LayerError, Meta};

use super::initramfs;

/// What is wanted of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Nothing,
    /// Whether it is there, and how large.
    Name,
    /// Its text.
    Content,
    /// The modules in it.
    Modules,
}

/// Which content a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Id {
    /// That of an entry of a layer, both counted from 0.
    Entry(u32, u32),
    /// An object of an encapsulated base.
    Object(Checksum),
}

/// A file of the image, for the look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub id: Id,
    pub size: u64,
}

/// What was kept of a content.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Held {
    Content(Vec<u8>),
    /// Too large to be kept.
    TooLarge,
    Modules(Option<Vec<String>>),
}

impl Held {
    /// Whether it answers `want`; a text that was kept can be listed.
    fn serves(self, want: Want) -> Option<Held> {
        match (want, self) {
            (Want::Modules, Held::Content(raw)) => Some(Held::Modules(initramfs::modules(&raw[..]))),
            (Want::Modules, held @ Held::Modules(_)) => Some(held),
            (Want::Content, held @ (Held::Content(_) | Held::TooLarge)) => Some(held),
            _ => None,
        }
    }
}

/// No configuration file is larger.
const MAX_TEXT: u64 = 1 << 20;
/// Repository objects up to this size are kept until their name is known.
const MAX_OBJECT: u64 = 256 << 10;
/// All texts that are kept of a layer, and all metadata objects of a base.
const MAX_HELD: u64 = 64 << 20;
const MAX_METADATA: u64 = 512 << 20;
/// The tallies of a layer count file contents in blocks of this.
const BLOCK: u64 = 4096;

/// What a layer is read as.
pub(super) enum Read1 {
    /// A plain one.
    Plain(Layer<Seen>),
    /// A part of an encapsulated base.
    Base(ObjectSet),
}

/// One layer that was looked at.
pub(super) struct Looked {
    pub read: Read1,
    pub entries: u64,
    /// Sizes of regular files, each rounded up to 4 KiB.
    pub unpacked: u64,
    /// What was kept.
    pub held: HashMap<Id, Held>,
    /// Metadata objects of a base.
    pub metadata: HashMap<Checksum, Vec<u8>>,
    /// How large the content objects of a base are.
    pub sizes: HashMap<Checksum, u64>,
    /// What its files need: attributes and link targets.
    pub most: Most,
}

/// The most that any file needs of what only some file systems have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Most {
    /// Bytes of attributes, as ext4 lays them out, and whose.
    pub attributes: Option<(u64, String)>,
    /// The largest value of an attribute, and whose.
    pub value: Option<(u64, String)>,
    /// Bytes of a symbolic link's target, and whose.
    pub link: Option<(u64, String)>,
}

impl Most {
    fn raise(slot: &mut Option<(u64, String)>, bytes: u64, path: impl Fn() -> String) {
        if bytes > slot.as_ref().map_or(0, |(most, _)| *most) {
            *slot = Some((bytes, path()));
        }
    }

    /// Counts what one file needs.
    pub fn count(&mut self, meta: &Meta, link: usize, path: impl Fn() -> String) {
        Self::raise(&mut self.attributes, crate::rootfs::attributes::ext4_room(&meta.xattrs), &path);
        let value = meta.xattrs.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
        Self::raise(&mut self.value, value as u64, &path);
        Self::raise(&mut self.link, link as u64, &path);
    }

    /// Takes what another layer needs into account.
    pub fn join(&mut self, other: &Most) {
        for (slot, more) in
            [(&mut self.attributes, &other.attributes), (&mut self.value, &other.value), (&mut self.link, &other.link)]
        {
            if let Some((bytes, path)) = more {
                Self::raise(slot, *bytes, || path.clone());
            }
        }
    }
}

/// How a layer is to be read.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    /// Its number, from 0.
    pub layer: u32,
    /// How many of the lowest layers are a base.
    pub in_base: u32,
    /// What is wanted of a path.
    pub want: &'a dyn Fn(&str) -> Want,
    /// What the image may have altogether.
    pub budget: &'a Budget,
}

/// Goes through a layer's tar stream, to the very end so that its digests get verified.
pub(super) fn look(reader: impl Read, how: How<'_>) -> Result<Looked, LayerError> {
    let mut look = Look {
        how,
        next: 0,
        bytes: 0,
        unpacked: 0,
        held: HashMap::new(),
        metadata: HashMap::new(),
        sizes: HashMap::new(),
        most: Most::default(),
        last: None,
    };
    let read = if how.layer < how.in_base {
        Read1::Base(objects::read(reader, &mut look, how.layer == 0, how.budget)?)
    } else {
        Read1::Plain(layer::read(reader, &mut look, how.budget)?)
    };
    let Look { next, unpacked, held, metadata, sizes, most, .. } = look;
    Ok(Looked { read, entries: next.into(), unpacked, held, metadata, sizes, most })
}

struct Look<'a> {
    how: How<'a>,
    /// The number of the next entry.
    next: u32,
    /// What was kept, in bytes.
    bytes: u64,
    unpacked: u64,
    held: HashMap<Id, Held>,
    metadata: HashMap<Checksum, Vec<u8>>,
    sizes: HashMap<Checksum, u64>,
    most: Most,
    /// The content object that went by last, as far as it was worth keeping: its names come next.
    last: Option<(Checksum, Held)>,
}

/// A path as programs will see it.
fn seen(path: &Path) -> String {
    let text = String::from_utf8_lossy(&path.join(&b'/')).into_owned();
    text.strip_prefix("usr/etc/").map_or(text.clone(), |rest| format!("etc/{rest}"))
}

/// Where a path that a layer writes through one of the usual links will be.
fn usual(path: &str) -> Option<String> {
    let (first, _) = path.split_once('/')?;
    matches!(first, "bin" | "sbin" | "lib" | "lib64").then(|| format!("usr/{path}"))
}

impl Look<'_> {
    fn keep(&mut self, id: Id, held: Held) -> io::Result<()> {
        if let Held::Content(text) = &held {
            self.bytes += text.len() as u64;
        }
        if self.bytes > MAX_HELD {
            return Err(io::Error::other("its configuration files have more than 64 MiB"));
        }
        self.held.insert(id, held);
        Ok(())
    }

    fn wanted(&self, path: &Path) -> Want {
        let path = seen(path);
        match (self.how.want)(&path) {
            Want::Nothing => usual(&path).map_or(Want::Nothing, |path| (self.how.want)(&path)),
            want => want,
        }
    }
}

impl Keep for Look<'_> {
    type Content = Seen;

    fn entry(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    fn regular(&mut self, path: &Path, meta: &Meta, size: u64, content: &mut dyn Read) -> io::Result<Seen> {
        let id = Id::Entry(self.how.layer, self.next - 1);
        self.unpacked = self.unpacked.saturating_add(size.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX));
        self.most.count(meta, 0, || seen(path));
        if let Some(held) = take(content, size, self.wanted(path))? {
            self.keep(id, held)?;
        }
        Ok(Seen { id, size })
    }

    fn symlink(&mut self, meta: &Meta, target: &[u8]) -> io::Result<Seen> {
        self.most.count(meta, target.len(), || format!("a link to {}", crate::rootfs::tree::say(target)));
        Ok(Seen { id: Id::Entry(self.how.layer, self.next - 1), size: target.len() as u64 })
    }

    fn object(&mut self, sum: &Checksum) -> Seen {
        Seen { id: Id::Object(*sum), size: 0 }
    }

    fn linked(&mut self, _: &Path, _: &Seen) {}
}

impl Objects for Look<'_> {
    fn entry(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    fn metadata(&mut self, _: &str, data: &[u8]) -> io::Result<Checksum> {
        let sum: Checksum = Sha256::digest(data).into();
        self.bytes += data.len() as u64;
        if self.bytes > MAX_METADATA {
            return Err(io::Error::other("the directories of its commit have more than 512 MiB"));
        }
        self.metadata.insert(sum, data.to_vec());
        Ok(sum)
    }

    fn commitmeta(&mut self, _: &Checksum, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn regular(&mut self, said: &Checksum, meta: &Meta, size: u64, content: &mut dyn Read) -> io::Result<Checksum> {
        const REGULAR: u32 = 0o100_000;
        self.unpacked = self.unpacked.saturating_add(size.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX));
        self.most.count(meta, 0, || "an object of the base".into());
        let mut hash = Sha256::new();
        hash.update(gvariant::content_header(meta.uid, meta.gid, REGULAR | meta.mode, b"", &meta.xattrs));
        let mut hashed = Hashed { inner: content, hash };
        let held = unnamed(&mut hashed, size)?;
        io::copy(&mut hashed, &mut io::sink())?;
        self.last = held.map(|held| (*said, held));
        self.sizes.insert(*said, size);
        Ok(hashed.hash.finalize().into())
    }

    fn symlink(&mut self, meta: &Meta, target: &[u8]) -> io::Result<Checksum> {
        const SYMLINK: u32 = 0o120_777;
        self.most.count(meta, target.len(), || format!("a link to {}", crate::rootfs::tree::say(target)));
        self.last = None;
        Ok(Sha256::digest(gvariant::content_header(meta.uid, meta.gid, SYMLINK, target, &meta.xattrs)).into())
    }

    fn named(&mut self, path: &Path, object: &Checksum) {
        if let Some((sum, held)) = &self.last
            && sum == object
            && let Some(held) = held.clone().serves(self.wanted(path))
        {
            // What there is no room for is read in a second pass, which says so.
            let _ = self.keep(Id::Object(*sum), held);
        }
    }
}

struct Hashed<'a> {
    inner: &'a mut dyn Read,
    hash: Sha256,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// Reads what is wanted of a content.
fn take(content: &mut dyn Read, size: u64, wanted: Want) -> io::Result<Option<Held>> {
    Ok(match wanted {
        Want::Content if size > MAX_TEXT => Some(Held::TooLarge),
        Want::Content => {
            let mut text = Vec::new();
            content.read_to_end(&mut text)?;
            Some(Held::Content(text))
        }
        Want::Modules => Some(list(&[], content)?),
        Want::Nothing | Want::Name => None,
    })
}

/// Lists an initramfs, of which `begun` was read already. That it is garbage is an answer; that
/// the stream under it broke is an error.
fn list(begun: &[u8], rest: &mut dyn Read) -> io::Result<Held> {
    let mut watched = Watch { inner: rest, error: None };
    let modules = initramfs::modules(Cursor::new(begun).chain(&mut watched));
    match watched.error {
        Some(error) => Err(error),
        None => Ok(Held::Modules(modules)),
    }
}

/// A repository object whose names are not known yet: kept if it is small, listed if it begins
/// as an initramfs does.
fn unnamed(content: &mut dyn Read, size: u64) -> io::Result<Option<Held>> {
    if size <= MAX_OBJECT {
        return take(content, size, Want::Content);
    }
    let mut magic = [0; 6];
    content.read_exact(&mut magic)?;
    if initramfs::looks_like_one(&magic) { list(&magic, content).map(Some) } else { Ok(None) }
}

struct Watch<'a> {
    inner: &'a mut dyn Read,
    error: Option<io::Error>,
}

impl Read for Watch<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}

/// Reads the contents `wanted` out of layer `layer` once more, to its end.
pub(super) fn again(
    mut reader: impl Read,
    layer: u32,
    wanted: &BTreeMap<Id, Want>,
) -> Result<HashMap<Id, Held>, LayerError> {
    let mut held = HashMap::new();
    let mut tar = Reader::new(&mut reader);
    let mut number = 0;
    while let Some(entry) = tar.next_entry()? {
        let id = match objects::object_sum(&crate::rootfs::tree::split(&entry.path)) {
            Some((sum, "file")) if wanted.contains_key(&Id::Object(sum)) => Id::Object(sum),
            _ => Id::Entry(layer, number),
        };
        number += 1;
        if entry.kind == Kind::Regular
            && let Some(want) = wanted.get(&id)
            && let Some(found) = take(&mut tar.content(), entry.size, *want)?
        {
            held.insert(id, found);
        }
    }
    io::copy(&mut reader, &mut io::sink())?;
    Ok(held)
}

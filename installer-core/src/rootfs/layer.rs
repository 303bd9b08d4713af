//! One plain layer: a tar stream in, a tree in memory out, by the rules of what an image may hold.
//!
//! One pass. What becomes of contents is decided by who reads ([`Keep`]).
//!
//! Not here: decompression and verification (done by the reader), whiteouts (the merge's).

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::attributes::{self, Carrier};
use super::error::{LayerError, to_the_end};
use super::gvariant::Checksum;
use super::objects::{OBJECTS, object_sum};
use super::rules::{self, Budget, Path};
use super::tar::{Entry, Kind, Reader};
use super::tree::{Dir, File, Meta, Node, TreeError, say, show};

/// What becomes of contents while a layer is read.
pub trait Keep {
    /// What a file holds, or where it waits.
    type Content: Clone;

    /// Is called once an entry, before anything else.
    fn entry(&mut self);

    /// Takes the content of a regular file of `size` bytes.
    fn regular(&mut self, path: &Path, meta: &Meta, size: u64, content: &mut dyn Read) -> io::Result<Self::Content>;

    /// Takes a symbolic link.
    fn symlink(&mut self, meta: &Meta, target: &[u8]) -> io::Result<Self::Content>;

    /// The object of an ostree-encapsulated base that a layer above links to. Whether there is
    /// such an object shows when all layers are read.
    fn object(&mut self, sum: &Checksum) -> Self::Content;

    /// Is told of another name of `content`.
    fn linked(&mut self, path: &Path, content: &Self::Content);
}

/// A layer that was read.
#[derive(Debug)]
pub struct Layer<C> {
    /// What it holds, with its whiteouts.
    pub root: Dir<C>,
    /// Hard links to files that must lie below: name → target.
    pub(super) below: BTreeMap<Path, Path>,
}

/// Reads the tar stream `reader` to its end.
pub fn read<K: Keep>(mut reader: impl Read, keep: &mut K, budget: &Budget) -> Result<Layer<K::Content>, LayerError> {
    let outcome = read_entries(&mut reader, keep, budget);
    to_the_end(reader, outcome)
}

fn read_entries<K: Keep>(
    reader: &mut impl Read,
    keep: &mut K,
    budget: &Budget,
) -> Result<Layer<K::Content>, LayerError> {
    let mut tar = Reader::new(reader);
    let mut layer = Layer { root: Dir::default(), below: BTreeMap::new() };
    while let Some(entry) = tar.next_entry()? {
        keep.entry();
        layer.put(&entry, &mut tar, keep, budget)?;
    }
    Ok(layer)
}

impl<C: Clone> Layer<C> {
    fn put<K: Keep<Content = C>>(
        &mut self,
        entry: &Entry,
        tar: &mut Reader<impl Read>,
        keep: &mut K,
        budget: &Budget,
    ) -> Result<(), LayerError> {
        let forbid = |why| LayerError::Forbidden(say(&entry.path), why);
        let Some(path) = rules::place(&entry.path).map_err(forbid)? else { return Ok(()) };
        let at = |source| LayerError::Entry { path: show(&path), source };
        let made = match entry.kind {
            Kind::Directory => {
                rules::other_name(&path).map_err(forbid)?;
                let meta = meta(entry, Carrier::Directory, budget).map_err(forbid)?;
                self.root.put_dir(&path, meta)?
            }
            Kind::Regular => {
                rules::file_name(&path).map_err(forbid)?;
                if entry.path.ends_with(b"/") {
                    return Err(forbid("a regular file whose name ends as a directory's"));
                }
                let meta = meta(entry, Carrier::File, budget).map_err(forbid)?;
                let content = keep.regular(&path, &meta, entry.size, &mut tar.content()).map_err(at)?;
                self.put_file(&path, File { meta, content, empty: entry.size == 0, link: None })?
            }
            Kind::Symlink => {
                rules::other_name(&path).map_err(forbid)?;
                rules::link_target(&entry.link).map_err(forbid)?;
                let meta = Meta { mode: 0o777, ..meta(entry, Carrier::Symlink, budget).map_err(forbid)? };
                let content = keep.symlink(&meta, &entry.link).map_err(at)?;
                let link = Some(entry.link.clone().into_boxed_slice());
                self.put_file(&path, File { meta, content, empty: false, link })?
            }
            Kind::HardLink => {
                rules::other_name(&path).map_err(forbid)?;
                let target = target(entry).map_err(forbid)?;
                self.link(&path, target, keep)?
            }
            Kind::Device | Kind::Fifo => {
                return Err(forbid("device nodes, FIFOs and sockets cannot be part of an image"));
            }
            Kind::PaxSparse => return Err(forbid("a sparse file in the form of PAX: pack it whole")),
            Kind::Other(_) => return Err(forbid("an entry of a kind that no image has")),
        };
        budget.entries(1 + made).map_err(forbid)
    }

    fn put_file(&mut self, path: &Path, file: File<C>) -> Result<u64, TreeError> {
        let made = self.root.put_file(path, file)?;
        self.below.remove(path);
        Ok(made)
    }

    /// Gives the file at `target` a second name. What the layer does not hold has to lie below.
    fn link<K: Keep<Content = C>>(&mut self, path: &Path, target: Path, keep: &mut K) -> Result<u64, TreeError> {
        match self.root.get(&target) {
            Some(Node::File(file)) => {
                let file = file.clone();
                keep.linked(path, &file.content);
                return self.put_file(path, file);
            }
            Some(Node::Dir(_)) => return Err(TreeError::LinkToDirectory(show(path), show(&target))),
            None => {}
        }
        if let Some(sum) = object_below(&target) {
            // Its owner, mode and attributes are the object's own.
            let meta = Meta { mode: 0o644, ..Meta::default_directory() };
            let file = File { meta, content: keep.object(&sum), empty: false, link: None };
            return self.put_file(path, file);
        }
        let target = self.below.get(&target).cloned().unwrap_or(target);
        match path.split_last() {
            None => Err(TreeError::NotADirectory("/".into())),
            Some((name, parents)) => {
                let (parent, made) = self.root.make_dirs(parents)?;
                if let Some(Node::Dir(_)) = parent.entries.get(name) {
                    return Err(TreeError::TwoKinds(show(path)));
                }
                parent.entries.remove(name);
                self.below.insert(path.clone(), target);
                Ok(made)
            }
        }
    }
}

/// The object of a base that `target` is the name of.
fn object_below(target: &[Vec<u8>]) -> Option<Checksum> {
    if !target.starts_with(&OBJECTS.map(<[u8]>::to_vec)) {
        return None;
    }
    let (sum, kind) = object_sum(target)?;
    (kind == "file").then_some(sum)
}

/// Where a hard link leads.
fn target(entry: &Entry) -> Result<Path, &'static str> {
    if entry.link.is_empty() {
        return Err("a link without a target");
    }
    rules::place(&entry.link)?.ok_or("a hard link into a run-time directory")
}

/// Owner, mode and the attributes, which are the kernel's to take.
fn meta(entry: &Entry, carrier: Carrier, budget: &Budget) -> Result<Meta, &'static str> {
    let mode = entry.mode & 0o7777;
    attributes::check(carrier, mode, &entry.xattrs)?;
    budget.attributes(&entry.xattrs)?;
    Ok(Meta { uid: rules::id(entry.uid)?, gid: rules::id(entry.gid)?, mode, xattrs: entry.xattrs.clone() })
}

#[cfg(test)]
mod tests {
    use ::tar::{Builder, EntryType, Header};

    use super::*;

    /// Forgets contents.
    struct Nothing;

    impl Keep for Nothing {
        type Content = u64;
        fn entry(&mut self) {}
        fn regular(&mut self, _: &Path, _: &Meta, size: u64, content: &mut dyn Read) -> io::Result<u64> {
            let read = io::copy(content, &mut io::sink())?;
            assert_eq!(read, size);
            Ok(size)
        }
        fn symlink(&mut self, _: &Meta, _: &[u8]) -> io::Result<u64> {
            Ok(0)
        }
        fn object(&mut self, _: &Checksum) -> u64 {
            0
        }
        fn linked(&mut self, _: &Path, _: &u64) {}
    }

    fn header(kind: EntryType, size: u64, mode: u32) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        header
    }

    fn of(bytes: &[u8]) -> Result<Dir<u64>, LayerError> {
        read(bytes, &mut Nothing, &Budget::default()).map(|layer| layer.root)
    }

    fn import(build: impl FnOnce(&mut Builder<Vec<u8>>)) -> Result<Dir<u64>, LayerError> {
        let mut builder = Builder::new(Vec::new());
        build(&mut builder);
        of(&builder.into_inner().unwrap())
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
        let Some(Node::Dir(tmp)) = root.find("tmp") else { panic!("tmp is kept") };
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
        let mut builder = Builder::new(Vec::new());
        builder.append_data(&mut header(EntryType::Regular, 4000, 0o644), "big", &[1u8; 4000][..]).unwrap();
        let bytes = builder.into_inner().unwrap();
        assert!(of(&bytes).is_ok() && of(&bytes[..4608]).is_ok());
        for cut in [100, 511, 2000, 4500] {
            assert!(of(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn attributes_and_names_hold_any_byte() {
        let capability: [u8; 20] = [1, 0, 0, 2, 10, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let root = import(|tar| {
            let records = [("SCHILY.xattr.security.capability", &capability[..]), ("path", b"usr/a\nb=c d")];
            tar.append_pax_extensions(records).unwrap();
            tar.append_data(&mut header(EntryType::Regular, 1, 0o755), "x", &b"x"[..]).unwrap();
        })
        .unwrap();
        let Some(Node::File(file)) = root.find("usr/a\nb=c d") else { panic!("it has its name") };
        assert_eq!(file.meta.xattrs, [(b"security.capability".to_vec(), capability.to_vec())]);
    }

    /// One entry by hand, with its data.
    fn raw(kind: u8, name: &[u8], size: u64, data: &[u8]) -> Vec<u8> {
        let mut head = Header::new_gnu();
        head.as_mut_bytes()[..name.len()].copy_from_slice(name);
        head.as_mut_bytes()[156] = kind;
        head.set_size(size);
        head.set_mode(0o644);
        head.set_uid(0);
        head.set_gid(0);
        head.set_cksum();
        let mut bytes = [head.as_bytes().as_slice(), data].concat();
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    #[test]
    fn long_headers_have_an_end() {
        let name = "n".repeat(200);
        let fine = [raw(b'L', b"././@LongLink", 201, format!("{name}\0").as_bytes()), raw(b'0', b"short", 0, b"")];
        assert!(of(&fine.concat()).unwrap().find(&name).is_some());
        for kind in [b'L', b'K', b'x'] {
            // It is not read to find out.
            let error = of(&raw(kind, b"x", 4 << 30, b"")).unwrap_err().to_string();
            assert!(error.contains("1048576 are allowed"), "{error}");
        }
        for records in ["5 a=b\n", "99 a=b\n", "x a=b\n", "6 a=bc", "10 ab\n", " a=b\n", "7 a=b\nc"] {
            let layer = [raw(b'x', b"x", records.len() as u64, records.as_bytes()), raw(b'0', b"f", 0, b"")].concat();
            assert!(of(&layer).is_err(), "{records:?}");
        }
        let size = "12 size=600\n";
        let layer = [raw(b'x', b"x", 12, size.as_bytes()), raw(b'0', b"f", 0, &[1; 600]), raw(b'0', b"g", 0, b"")];
        let root = of(&layer.concat()).unwrap();
        assert!(matches!(root.find("f"), Some(Node::File(file)) if file.content == 600) && root.find("g").is_some());
    }

    #[test]
    fn sparse_files_come_whole() {
        let sparse = |real: u64, extents: &[(u64, u64)], data: &[u8]| {
            let mut bytes = raw(b'S', b"sp", data.len() as u64, data);
            let octal = |value: u64| format!("{value:011o}\0").into_bytes();
            for (index, (offset, length)) in extents.iter().enumerate() {
                bytes[386 + 24 * index..][..12].copy_from_slice(&octal(*offset));
                bytes[398 + 24 * index..][..12].copy_from_slice(&octal(*length));
            }
            bytes[483..495].copy_from_slice(&octal(real));
            let mut head = Header::new_gnu();
            head.as_mut_bytes().copy_from_slice(&bytes[..512]);
            head.set_cksum();
            bytes[..512].copy_from_slice(head.as_bytes());
            [bytes, raw(b'0', b"next", 0, b"")].concat()
        };
        let root = of(&sparse(10_000, &[(100, 50), (9_000, 30)], &[1; 80])).unwrap();
        assert!(matches!(root.find("sp"), Some(Node::File(file)) if file.content == 10_000), "{root:?}");
        assert!(root.find("next").is_some());
        assert!(of(&sparse(10_000, &[], b"")).is_ok());
        for (real, extents) in
            [(10, &[(0, 80)][..]), (1000, &[(0, 50), (20, 30)]), (1000, &[(0, 50)]), (1000, &[(u64::MAX >> 31, 80)])]
        {
            assert!(of(&sparse(real, extents, &[1; 80])).is_err(), "{real} {extents:?}");
        }
        let records = "22 GNU.sparse.major=1\n";
        let pax = [raw(b'x', b"x", 22, records.as_bytes()), raw(b'0', b"f", 0, b"")].concat();
        assert!(of(&pax).unwrap_err().to_string().contains("sparse"));
    }

    #[test]
    fn kinds_that_no_image_has_are_refused_but_for_run_time_directories() {
        for kind in *b"346VDMNXZ" {
            assert!(of(&raw(kind, b"var/x", 0, b"")).is_err(), "{}", kind as char);
        }
        assert!(of(&[raw(b'3', b"dev/null", 0, b""), raw(b'6', b"./run/x", 0, b"")].concat()).is_ok());
        assert!(of(&raw(b'0', b"usr/x/", 0, b"")).is_err() && of(&raw(b'5', b"usr/x/", 0, b"")).is_ok());
        for (name, kind) in [(&b"a/.wh."[..], b'0'), (b"a/.wh.b", b'5'), (b".wh.a/b", b'0'), (b"", b'0'), (b"/", b'1')]
        {
            assert!(of(&raw(kind, name, 0, b"")).is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_image_has_an_end() {
        let budget = Budget::default();
        let many = [(); 65].map(|()| 1 << 20);
        let taken = many.map(|bytes: usize| budget.attributes(&[(vec![b'n'; 100], vec![0; bytes - 100])]).is_ok());
        assert_eq!(taken.iter().filter(|ok| **ok).count(), 64);
        assert!(budget.entries(rules::MAX_ENTRIES).is_ok() && budget.entries(1).is_err());
    }
}

//! A commit of a bare OSTree repository as an ostree-encapsulated image, the way ostree-ext's
//! `tar/export.rs` writes it (format 1, `bare-split-xattrs`): a first layer with the commit,
//! every metadata object, the directories and some files, then the other files in chunks.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};

use ostree::prelude::*;
use ostree::{ObjectType, gio};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

const NONE: Option<&gio::Cancellable> = None;

/// How attributes travel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Xattrs {
    /// Once as `.file-xattrs`, then by hard links, as older versions wrote them.
    Linked,
    /// With every file, as newer versions do.
    Repeated,
}

/// The layers of `commit` as plain tar streams: the first one and `chunks` more.
pub fn layers(repo: &ostree::Repo, commit: &str, chunks: usize, xattrs: Xattrs) -> Vec<Vec<u8>> {
    let (root, _) = repo.read_commit(commit, NONE).unwrap();
    let mut files = BTreeMap::new();
    names(&root, "", &mut files);
    let mut parts: Vec<Vec<_>> = vec![Vec::new(); chunks + 1];
    for (index, file) in files.into_iter().enumerate() {
        parts[index % (chunks + 1)].push(file);
    }
    let layer = |(index, files): (usize, &Vec<(String, Vec<String>)>)| {
        let tar = tar::Builder::new(Vec::new());
        let mut writer = Writer { repo, tar, xattrs, written: HashSet::new() };
        if index == 0 {
            writer.structure(commit);
        } else {
            writer.repository();
        }
        files.iter().for_each(|(sum, paths)| writer.file(sum, paths));
        writer.tar.into_inner().unwrap()
    };
    parts.iter().enumerate().map(layer).collect()
}

/// All paths of every content object, `usr/etc` as `etc`.
fn names(dir: &gio::File, at: &str, files: &mut BTreeMap<String, Vec<String>>) {
    let flags = gio::FileQueryInfoFlags::NOFOLLOW_SYMLINKS;
    let children = dir.enumerate_children("standard::name,standard::type", flags, NONE).unwrap();
    while let Some(info) = children.next_file(NONE).unwrap() {
        let name = info.name();
        let child = dir.child(&name);
        let path = format!("{at}{}", name.to_str().unwrap());
        if info.file_type() == gio::FileType::Directory {
            names(&child, &format!("{path}/"), files);
        } else {
            let child = child.downcast_ref::<ostree::RepoFile>().unwrap();
            child.ensure_resolved().unwrap();
            files.entry(child.checksum().to_string()).or_default().push(etc(&path));
        }
    }
}

fn etc(path: &str) -> String {
    path.strip_prefix("usr/etc").map_or(path.to_owned(), |rest| format!("etc{rest}"))
}

fn object(sum: &str, kind: &str) -> String {
    format!("sysroot/ostree/repo/objects/{}/{}.{kind}", &sum[..2], &sum[2..])
}

fn header(kind: EntryType, (uid, gid, mode): (u32, u32, u32), size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_uid(uid.into());
    header.set_gid(gid.into());
    header.set_mode(mode & 0o7777);
    header.set_mtime(0);
    header.set_size(size);
    header
}

struct Writer<'a> {
    repo: &'a ostree::Repo,
    tar: tar::Builder<Vec<u8>>,
    xattrs: Xattrs,
    written: HashSet<String>,
}

impl Writer<'_> {
    fn data(&mut self, path: &str, data: &[u8]) {
        let mut header = header(EntryType::Regular, (0, 0, 0o644), data.len() as u64);
        self.tar.append_data(&mut header, path, data).unwrap();
    }

    fn dir(&mut self, path: &str, owner_and_mode: (u32, u32, u32)) {
        self.tar.append_data(&mut header(EntryType::Directory, owner_and_mode, 0), path, io::empty()).unwrap();
    }

    /// The directories of an empty repository, and its configuration.
    fn repository(&mut self) {
        let repo = "sysroot/ostree/repo";
        for dir in ["sysroot", "sysroot/ostree", repo, &format!("{repo}/objects")] {
            self.dir(dir, (0, 0, 0o755));
        }
        for first in 0..=0xff {
            self.dir(&format!("{repo}/objects/{first:02x}"), (0, 0, 0o755));
        }
        for dir in ["extensions", "refs", "refs/heads", "refs/mirrors", "refs/remotes", "state", "tmp", "tmp/cache"] {
            self.dir(&format!("{repo}/{dir}"), (0, 0, 0o755));
        }
        self.data(&format!("{repo}/config"), b"[core]\nrepo_version=1\nmode=bare-split-xattrs\n");
    }

    /// The commit, all that it consists of but files, and its directories.
    fn structure(&mut self, commit: &str) {
        let (variant, _) = self.repo.load_commit(commit).unwrap();
        let sum = |index| hex(variant.child_value(index).fixed_array::<u8>().unwrap());
        let (tree, meta) = (sum(6), sum(7));
        let root = self.owner_and_mode(&meta);
        self.dir("./", root);
        self.repository();
        self.data(&object(commit, "commit"), variant.data());
        if let Some(detached) = self.repo.read_commit_detached_metadata(commit, NONE).unwrap() {
            self.data(&object(commit, "commitmeta"), detached.data());
        }
        self.metadata(ObjectType::DirMeta, &meta, "dirmeta");
        self.tree(&tree, "");
        if !self.written.contains("var/tmp") {
            self.dir("var/tmp", (0, 0, 0o1777));
        }
    }

    fn metadata(&mut self, kind: ObjectType, sum: &str, suffix: &str) {
        if self.written.insert(format!("{sum}.{suffix}")) {
            let data = self.repo.load_variant(kind, sum).unwrap();
            self.data(&object(sum, suffix), data.data());
        }
    }

    fn owner_and_mode(&self, meta: &str) -> (u32, u32, u32) {
        let variant = self.repo.load_variant(ObjectType::DirMeta, meta).unwrap();
        let number = |index| u32::from_be(variant.child_value(index).get::<u32>().unwrap());
        (number(0), number(1), number(2))
    }

    fn tree(&mut self, sum: &str, path: &str) {
        self.metadata(ObjectType::DirTree, sum, "dirtree");
        let variant = self.repo.load_variant(ObjectType::DirTree, sum).unwrap();
        for dir in variant.child_value(1).iter() {
            let (name, tree, meta) = dir.get::<(String, Vec<u8>, Vec<u8>)>().unwrap();
            let (tree, meta) = (hex(&tree), hex(&meta));
            self.metadata(ObjectType::DirMeta, &meta, "dirmeta");
            let path = format!("{path}{name}");
            if path == "sysroot" {
                // Its entry was written with the repository's. (Upstream leaves its dirtree to
                // some other empty directory; so does this.)
                continue;
            }
            let owner_and_mode = self.owner_and_mode(&meta);
            self.dir(&etc(&path), owner_and_mode);
            self.written.insert(path.clone());
            self.tree(&tree, &format!("{path}/"));
        }
    }

    /// A content object and the hard links that are its names.
    fn file(&mut self, sum: &str, paths: &[String]) {
        let (stream, info, xattrs) = self.repo.load_file(sum, NONE).unwrap();
        let number = |name| info.attribute_uint32(name);
        let meta = (number("unix::uid"), number("unix::gid"), number("unix::mode"));
        self.attributes(sum, xattrs.data());
        let path = object(sum, "file");
        let mut data = Vec::new();
        let kind = match stream {
            Some(stream) => {
                stream.into_read().read_to_end(&mut data).unwrap();
                let mut header = header(EntryType::Regular, meta, data.len() as u64);
                self.tar.append_data(&mut header, &path, data.as_slice()).unwrap();
                EntryType::Regular
            }
            None => {
                let target = info.symlink_target().unwrap();
                let target = target.to_str().unwrap();
                let mut header = header(EntryType::Symlink, meta, 0);
                if target.len() <= 100 {
                    // As it is: `append_link` would tidy up a `//`.
                    header.set_link_name_literal(target).unwrap();
                    self.tar.append_data(&mut header, &path, io::empty()).unwrap();
                } else {
                    self.tar.append_link(&mut header, &path, target).unwrap();
                }
                EntryType::Symlink
            }
        };
        for name in paths {
            if kind == EntryType::Regular && data.is_empty() {
                self.tar.append_data(&mut header(kind, meta, 0), name, io::empty()).unwrap();
            } else {
                let mut header = header(EntryType::Link, meta, 0);
                self.tar.append_link(&mut header, name, &path).unwrap();
            }
        }
    }

    /// The attributes of the file that comes next; for container engines also as PAX header,
    /// all but the label.
    fn attributes(&mut self, sum: &str, raw: &[u8]) {
        let link = object(sum, "file-xattrs-link");
        match self.xattrs {
            Xattrs::Repeated => self.data(&link, raw),
            Xattrs::Linked => {
                let shared = object(&hex(&Sha256::digest(raw)), "file-xattrs");
                if self.written.insert(shared.clone()) {
                    self.data(&shared, raw);
                }
                self.tar.append_link(&mut header(EntryType::Link, (0, 0, 0o644), 0), &link, &shared).unwrap();
            }
        }
        let list = ostree::glib::Variant::from_data::<Vec<(Vec<u8>, Vec<u8>)>, _>(raw);
        let pairs = list.get::<Vec<(Vec<u8>, Vec<u8>)>>().unwrap();
        let key = |name: &[u8]| format!("SCHILY.xattr.{}", String::from_utf8_lossy(&name[..name.len() - 1]));
        let pax: Vec<(String, Vec<u8>)> = pairs.into_iter().map(|(name, value)| (key(&name), value)).collect();
        let pax = pax.iter().filter(|(key, _)| key != "SCHILY.xattr.security.selinux");
        self.tar.append_pax_extensions(pax.map(|(key, value)| (key.as_str(), value.as_slice()))).unwrap();
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

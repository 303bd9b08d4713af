//! One layer of a tiny image: any tar entry that an importer may meet, written
//! in the order given.

use std::io::Write;

use super::disk::sha256_hex;

/// How a layer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// A plain tar.
    None,
    /// The usual.
    Gzip,
    /// The newer.
    Zstd,
}

/// A layer, written entry by entry in the order given; nothing is added by
/// itself, not even parent directories.
pub struct Layer {
    tar: tar::Builder<Vec<u8>>,
    compression: Compression,
}

impl Layer {
    /// An empty one.
    pub fn new(compression: Compression) -> Self {
        Self { tar: tar::Builder::new(Vec::new()), compression }
    }

    /// A directory.
    pub fn dir(self, path: &str, mode: u32) -> Self {
        self.entry(path, tar::EntryType::Directory, mode, b"")
    }

    /// A regular file; `mode` may have set-id bits.
    pub fn file(self, path: &str, mode: u32, content: &[u8]) -> Self {
        self.entry(path, tar::EntryType::Regular, mode, content)
    }

    /// A symbolic link.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.link(path, tar::EntryType::Symlink, target)
    }

    /// A hard link to a path of this or a lower layer.
    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.link(path, tar::EntryType::Link, target)
    }

    /// Removes `path` of the layers below.
    pub fn whiteout(self, path: &str) -> Self {
        let (dir, name) = path.rsplit_once('/').map_or(("", path), |(dir, name)| (dir, name));
        let marker = format!("{dir}/.wh.{name}");
        self.file(marker.trim_start_matches('/'), 0o644, b"")
    }

    /// Hides what the layers below have in the directory `path`.
    pub fn opaque(self, path: &str) -> Self {
        self.file(&format!("{path}/.wh..wh..opq"), 0o644, b"")
    }

    /// An extended attribute for the entry that comes next.
    pub fn xattr_for_next(mut self, name: &str, value: &[u8]) -> Self {
        let key = format!("SCHILY.xattr.{name}");
        self.tar.append_pax_extensions([(key.as_str(), value)]).expect("writing an attribute");
        self
    }

    /// A regular file with cap_net_bind_service+ep.
    pub fn capable_file(self, path: &str, content: &[u8]) -> Self {
        // struct vfs_cap_data, revision 2, effective; permitted has bit 10.
        let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        self.xattr_for_next("security.capability", &capability).file(path, 0o755, content)
    }

    /// A regular file of another user and group.
    pub fn owned(mut self, path: &str, mode: u32, (uid, gid): (u64, u64), content: &[u8]) -> Self {
        let mut header = header(tar::EntryType::Regular, mode);
        header.set_uid(uid);
        header.set_gid(gid);
        header.set_size(content.len() as u64);
        self.tar.append_data(&mut header, path, content).expect("writing a tar entry");
        self
    }

    /// A regular file whose path is too long for an ordinary header.
    pub fn long(mut self, path: &str, content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        self.tar.append_data(&mut header, path, content).expect("writing a tar entry");
        self
    }

    /// Any entry, for what a sane tar would not have (devices, `../`).
    pub fn entry(mut self, path: &str, kind: tar::EntryType, mode: u32, content: &[u8]) -> Self {
        let mut header = header(kind, mode);
        header.set_size(content.len() as u64);
        // Set by hand: the crate refuses the names that a test may want.
        let name = header.as_old_mut();
        name.name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        self.tar.append(&header, content).expect("writing a tar entry");
        self
    }

    fn link(mut self, path: &str, kind: tar::EntryType, target: &str) -> Self {
        self.tar.append_link(&mut header(kind, 0o777), path, target).expect("writing a link");
        self
    }

    /// The blob, its media type and the digest of the plain tar.
    pub(super) fn finish(self) -> (Vec<u8>, String, String) {
        let tar = self.tar.into_inner().expect("finishing a tar");
        let diff_id = format!("sha256:{}", sha256_hex(&tar));
        let (blob, suffix) = match self.compression {
            Compression::None => (tar, ""),
            Compression::Gzip => {
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(&tar).expect("compressing");
                (gzip.finish().expect("compressing"), "+gzip")
            }
            Compression::Zstd => (zstd::encode_all(tar.as_slice(), 3).expect("compressing"), "+zstd"),
        };
        (blob, format!("application/vnd.oci.image.layer.v1.tar{suffix}"), diff_id)
    }
}

fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

//! Reading tar streams: headers of all dialects (ustar, GNU, PAX) into one [`Entry`], contents as
//! they stand in the file. What may be in an image is not decided here.
//!
//! PAX records are read by their length, because attributes hold any byte. Whatever is read
//! whole is bounded. Sparse files of GNU tar come with their holes filled.

use std::io::{self, Read};

use super::gvariant::Xattr;

/// A header's size, and what everything is padded to.
const BLOCK: u64 = 512;
/// The most that PAX records or a long name may take.
pub const MAX_HEADER: u64 = 1 << 20;
/// The most extents of a sparse file.
const MAX_EXTENTS: usize = 1 << 16;
const XATTR: &[u8] = b"SCHILY.xattr.";

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of a file before it.
    HardLink,
    /// A character or block device.
    Device,
    /// A FIFO.
    Fifo,
    /// A sparse file whose map is in PAX records.
    PaxSparse,
    /// Anything else, by its type flag.
    Other(u8),
}

/// One entry's header.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its path, as it is written.
    pub path: Vec<u8>,
    /// Where a link leads; empty where that is not said.
    pub link: Vec<u8>,
    /// The size of its content.
    pub size: u64,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Permissions, perhaps with the file type.
    pub mode: u32,
    /// Extended attributes, sorted by name.
    pub xattrs: Vec<Xattr>,
}

/// A part of a sparse file that is there.
#[derive(Clone, Copy, Debug)]
struct Extent {
    offset: u64,
    length: u64,
}

/// Goes through a tar stream.
pub struct Reader<R> {
    inner: R,
    /// What was not read yet of the current entry's data, and the padding behind it.
    left: u64,
    padding: u64,
    /// What is there of the current entry, last part first, if it is a sparse file.
    extents: Option<Vec<Extent>>,
    size: u64,
    at: u64,
}

/// What headers before an entry say of it.
#[derive(Default)]
struct Extra {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Extra {
    /// The last value of `key`; an empty one takes back what was said.
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let found = self.pax.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_slice()).filter(|value| !value.is_empty())
    }

    fn number(&self, key: &[u8]) -> io::Result<Option<u64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        number
            .map(Some)
            .ok_or_else(|| bad(format!("a PAX header whose '{}' is no number", String::from_utf8_lossy(key))))
    }

    fn xattrs(&self) -> Vec<Xattr> {
        let mut xattrs: Vec<Xattr> = Vec::new();
        for (key, value) in &self.pax {
            let Some(name) = key.strip_prefix(XATTR) else { continue };
            match xattrs.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => old.clone_from(value),
                None => xattrs.push((name.to_vec(), value.clone())),
            }
        }
        xattrs.sort();
        xattrs
    }
}

/// What is wrong with an archive itself. Comes inside of an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("the tar archive is damaged: {0}")]
pub struct Damaged(String);

fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Damaged(why.into()))
}

impl<R: Read> Reader<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Reader { inner, left: 0, padding: 0, extents: None, size: 0, at: 0 }
    }

    /// The next entry; `None` at the end of the archive.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let mut extra = Extra::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                if extra.long_name.is_some() || extra.long_link.is_some() || !extra.pax.is_empty() {
                    return Err(bad("its last header belongs to no entry"));
                }
                return Ok(None);
            };
            let size = header.entry_size().map_err(|_| bad("a size that is no number"))?;
            match header.as_bytes()[156] {
                b'L' => extra.long_name = Some(self.name(size)?),
                b'K' => extra.long_link = Some(self.name(size)?),
                b'x' => extra.pax.extend(pax(&self.whole(size)?)?),
                b'g' => self.expect(size),
                flag => return self.entry(&header, flag, size, &extra).map(Some),
            }
        }
    }

    /// The content of the entry that was returned last.
    pub fn content(&mut self) -> Content<'_, R> {
        Content(self)
    }

    /// What is behind the archive, too.
    pub fn into_inner(self) -> R {
        self.inner
    }

    fn entry(&mut self, header: &tar::Header, flag: u8, size: u64, extra: &Extra) -> io::Result<Entry> {
        // A blank one stands for 0, as every other reader has it.
        let number = |field: &[u8], value: io::Result<u64>, what: &str| match value {
            Err(_) if field.iter().all(|byte| matches!(byte, 0 | b' ')) => Ok(0),
            value => value.map_err(|_| bad(format!("{what} that is no number"))),
        };
        let old = header.as_old();
        let path = extra.long_name.clone().or_else(|| extra.get(b"path").map(<[u8]>::to_vec));
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = extra.long_link.clone().or_else(|| extra.get(b"linkpath").map(<[u8]>::to_vec));
        let link =
            link.unwrap_or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default());
        let uid = extra.number(b"uid")?.map_or_else(|| number(&old.uid, header.uid(), "an owner"), Ok)?;
        let gid = extra.number(b"gid")?.map_or_else(|| number(&old.gid, header.gid(), "a group"), Ok)?;
        let mode = number(&old.mode, header.mode().map(u64::from), "a mode")? as u32;
        let stored = extra.number(b"size")?.unwrap_or(size);
        let sparse = extra.pax.iter().any(|(key, _)| key.starts_with(b"GNU.sparse."));
        let kind = match flag {
            b'0' | 0 | b'7' | b'S' if sparse => Kind::PaxSparse,
            b'0' | 0 | b'7' | b'S' => Kind::Regular,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' | b'4' => Kind::Device,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            flag => Kind::Other(flag),
        };
        let size = if flag == b'S' { self.sparse(header, stored)? } else { stored };
        // The others have none, whatever their header says; some writers put a target's size there.
        let has_data = matches!(kind, Kind::Regular | Kind::PaxSparse | Kind::Other(_));
        if has_data {
            self.expect(stored);
        }
        (self.size, self.at) = (size, 0);
        Ok(Entry { kind, path, link, size, uid, gid, mode, xattrs: extra.xattrs() })
    }

    /// Reads the map of a sparse file of GNU tar, and returns the size that it has unpacked.
    fn sparse(&mut self, header: &tar::Header, stored: u64) -> io::Result<u64> {
        let wrong = || bad("the map of a sparse file");
        let gnu = header.as_gnu().ok_or_else(wrong)?;
        let real = gnu.real_size().map_err(|_| wrong())?;
        let mut extents = Vec::new();
        let mut take = |part: &tar::GnuSparseHeader| -> io::Result<()> {
            if part.is_empty() {
                return Ok(());
            }
            let offset = part.offset().map_err(|_| wrong())?;
            let length = part.length().map_err(|_| wrong())?;
            if extents.len() == MAX_EXTENTS {
                return Err(wrong());
            }
            extents.push(Extent { offset, length });
            Ok(())
        };
        gnu.sparse.iter().try_for_each(&mut take)?;
        let mut more = gnu.is_extended();
        while more {
            let mut next = tar::GnuExtSparseHeader::new();
            self.inner.read_exact(next.as_mut_bytes())?;
            next.sparse.iter().try_for_each(&mut take)?;
            more = next.is_extended();
        }
        let mut end = 0u64;
        let mut there = 0u64;
        for extent in &extents {
            let next = extent.offset.checked_add(extent.length).filter(|next| *next <= real);
            end = next.filter(|_| extent.offset >= end).ok_or_else(wrong)?;
            there += extent.length;
        }
        if there != stored {
            return Err(wrong());
        }
        extents.reverse();
        self.extents = Some(extents);
        Ok(real)
    }

    /// One header block; `None` at the end.
    fn header(&mut self) -> io::Result<Option<tar::Header>> {
        let mut header = tar::Header::new_old();
        let mut filled = 0;
        while filled < BLOCK as usize {
            match self.inner.read(&mut header.as_mut_bytes()[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let bytes = header.as_bytes();
        let sum = |of: fn(u8) -> i64| -> i64 {
            bytes[..148].iter().chain(&bytes[156..]).map(|byte| of(*byte)).sum::<i64>() + 8 * i64::from(b' ')
        };
        let said = header.cksum().map(i64::from).map_err(|_| bad("a header whose checksum is no number"))?;
        // Some writers of old took bytes for signed ones.
        if said != sum(i64::from) && said != sum(|byte| i64::from(byte.cast_signed())) {
            return Err(bad("a header with a wrong checksum"));
        }
        Ok(Some(header))
    }

    fn expect(&mut self, size: u64) {
        self.left = size;
        self.padding = (BLOCK - size % BLOCK) % BLOCK;
    }

    /// Reads past what is left of the entry before.
    fn skip(&mut self) -> io::Result<()> {
        let whole = self.left.checked_add(self.padding).ok_or_else(|| bad("a size that no file has"))?;
        (self.left, self.padding, self.extents) = (0, 0, None);
        if whole > 0 && io::copy(&mut self.inner.by_ref().take(whole), &mut io::sink())? < whole {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// The data of a header that belongs to the next entry.
    fn whole(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_HEADER {
            return Err(bad(format!("a header of {size} bytes; {MAX_HEADER} are allowed")));
        }
        self.expect(size);
        let mut data = vec![0; size as usize];
        self.inner.read_exact(&mut data)?;
        self.left = 0;
        Ok(data)
    }

    fn name(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut name = self.whole(size)?;
        if let Some(end) = name.iter().position(|byte| *byte == 0) {
            name.truncate(end);
        }
        Ok(name)
    }

    /// Reads what is stored; the end of the stream before the end of the entry is an error.
    fn stored(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// The records of a PAX header: `LENGTH KEY=VALUE\n`, where the length counts all of it.
fn pax(data: &[u8]) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut records = Vec::new();
    let mut rest = data;
    // Some writers pad with NUL.
    while rest.first().is_some_and(|byte| *byte != 0) {
        let (record, next) = pax_record(rest).ok_or_else(|| bad("a PAX header"))?;
        records.push(record);
        rest = next;
    }
    Ok(records)
}

type Record = (Vec<u8>, Vec<u8>);

fn pax_record(data: &[u8]) -> Option<(Record, &[u8])> {
    let blank = data.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&data[..blank]).ok()?.parse().ok()?;
    let record = data.get(..length)?.strip_suffix(b"\n")?.get(blank + 1..)?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some(((record[..equals].to_vec(), record[equals + 1..].to_vec()), &data[length..]))
}

/// The content of an entry.
pub struct Content<'a, R>(&'a mut Reader<R>);

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let tar = &mut *self.0;
        let most = |length: u64, buffer: &[u8]| usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
        let Some(extents) = &mut tar.extents else {
            let want = most(tar.left, buffer);
            return if want == 0 { Ok(0) } else { tar.stored(&mut buffer[..want]) };
        };
        while extents.last().is_some_and(|extent| extent.length == 0) {
            extents.pop();
        }
        let hole = extents.last().map_or(tar.size, |extent| extent.offset) - tar.at;
        let count = if hole > 0 {
            let want = most(hole, buffer);
            buffer[..want].fill(0);
            want
        } else if let Some(extent) = extents.last().copied() {
            let want = most(extent.length, buffer);
            let count = tar.stored(&mut buffer[..want])?;
            if let Some(extent) = tar.extents.as_mut().and_then(|extents| extents.last_mut()) {
                extent.offset += count as u64;
                extent.length -= count as u64;
            }
            count
        } else {
            0
        };
        tar.at += count as u64;
        Ok(count)
    }
}

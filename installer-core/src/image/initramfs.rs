//! Which kernel modules an initramfs holds: newc archives, plain or compressed, one after the
//! other, as dracut and initramfs-tools write them. Names only; nothing is unpacked.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::newc::{HEADER, Header, MAGIC_SIZE, TRAILER, is_newc};

/// The names of the modules, sorted; `None` where a part is compressed in a way that this tool
/// does not read (xz, lz4, lzma, lzo, bzip2) or is no archive at all.
pub(super) fn modules(reader: impl Read) -> Option<Vec<String>> {
    let mut names = BTreeSet::new();
    let mut input = BufReader::with_capacity(128 << 10, reader);
    list(&mut input, &mut names, true).ok()?;
    Some(names.into_iter().collect())
}

/// Whether something that begins like this is worth a try.
pub(super) fn looks_like_one(magic: &[u8]) -> bool {
    is_newc(magic) || magic.starts_with(GZIP) || magic.starts_with(ZSTD)
}

/// The name of the module in a file of this name (`usr/lib/…/virtio-blk.ko.zst` is `virtio_blk`).
pub(super) fn module_name(path: &str) -> Option<String> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = [".ko", ".ko.zst", ".ko.xz", ".ko.gz"].iter().find_map(|end| file.strip_suffix(end))?;
    (!stem.is_empty()).then(|| stem.replace('-', "_"))
}

/// The longest name of a module (`MODULE_NAME_LEN`).
const MAX_NAME: usize = 64;
/// A kernel with everything has seven thousand.
const MAX_MODULES: usize = 100_000;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Goes through archive after archive until the end; `outer` ones may be compressed.
fn list(input: &mut dyn BufRead, names: &mut BTreeSet<String>, outer: bool) -> io::Result<()> {
    while skip_zeros(input)? {
        let mut magic = [0; MAGIC_SIZE];
        input.read_exact(&mut magic)?;
        if is_newc(&magic) {
            archive(magic, input, names)?;
            continue;
        }
        if !outer {
            return Err(invalid("junk in a compressed archive"));
        }
        // What was looked at belongs to the compressed stream; what follows it does not.
        let mut whole = Cursor::new(magic).chain(&mut *input);
        if magic.starts_with(GZIP) {
            let mut inner = BufReader::new(flate2::bufread::GzDecoder::new(&mut whole));
            list(&mut inner, names, false)?;
        } else if magic.starts_with(ZSTD) {
            let mut inner = BufReader::new(zstd::Decoder::with_buffer(&mut whole)?.single_frame());
            list(&mut inner, names, false)?;
        } else {
            return Err(invalid("neither newc nor a compression that is known"));
        }
    }
    Ok(())
}

/// Skips the padding between archives; false at the end.
fn skip_zeros(input: &mut dyn BufRead) -> io::Result<bool> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
        let more = zeros < buffer.len();
        input.consume(zeros);
        if more {
            return Ok(true);
        }
    }
}

/// One newc archive, whose first magic was read already, up to its trailer.
fn archive(magic: [u8; MAGIC_SIZE], input: &mut dyn BufRead, names: &mut BTreeSet<String>) -> io::Result<()> {
    let mut header = [0; HEADER];
    header[..MAGIC_SIZE].copy_from_slice(&magic);
    loop {
        input.read_exact(&mut header[MAGIC_SIZE..])?;
        let Header { size, name_size, .. } = Header::parse(&header).ok_or_else(|| invalid("a damaged header"))?;
        let mut name = vec![0; (HEADER + name_size).next_multiple_of(4) - HEADER];
        input.read_exact(&mut name)?;
        let name = String::from_utf8_lossy(&name[..name_size - 1]);
        if name == TRAILER {
            return Ok(());
        }
        names.extend(module_name(&name).filter(|name| name.len() <= MAX_NAME));
        if names.len() > MAX_MODULES {
            return Err(invalid("more modules than any kernel has"));
        }
        let size = u64::from(size).next_multiple_of(4);
        if io::copy(&mut input.take(size), &mut io::sink())? < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        input.read_exact(&mut header[..MAGIC_SIZE])?;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::newc::Writer;
    use super::*;
    use std::io::Write;

    /// A newc archive of small files, padded as cpio pads it.
    pub fn newc(names: &[&str]) -> Vec<u8> {
        let mut writer = Writer::new();
        names.iter().for_each(|name| writer.file(name, 0o644, b"module").unwrap());
        let mut out = writer.finish();
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }

    pub fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn early_and_main_archives_are_read() {
        let early = newc(&["kernel/x86/microcode/AuthenticAMD.bin", "early_cpio"]);
        let main = newc(&[
            "usr/lib/modules/6.1/kernel/virtio-blk.ko.zst",
            "usr/lib/modules/6.1/xfs.ko",
            "init",
            "usr/x/nvme.ko.xz",
        ]);
        let late = newc(&["dm-mod.ko.gz", "not.ko.txt", ".ko"]);
        let zstd = zstd::encode_all(&main[..], 1).unwrap();
        for middle in [main.clone(), gzip(&main), zstd] {
            let image = [early.clone(), middle, vec![0; 300], late.clone()].concat();
            assert_eq!(modules(&image[..]).unwrap(), ["dm_mod", "nvme", "virtio_blk", "xfs"]);
        }
        assert_eq!(modules(&b""[..]), Some(vec![]));
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        let good = newc(&["a.ko"]);
        let xz = [0xfd, b'7', b'z', b'X', b'Z', 0, 1, 2, 3];
        assert_eq!(modules(&[&good[..], &xz].concat()[..]), None);
        assert_eq!(modules(&good[..150]), None);
        assert_eq!(modules(&[&good[..], b"junk"].concat()[..]), None);
        let whole = gzip(&good);
        assert_eq!(modules(&whole[..whole.len() / 2]), None);
        for cut in 0..good.len() {
            let mut broken = good.clone();
            broken[cut] ^= 0xff;
            modules(&broken[..]);
        }
    }
}

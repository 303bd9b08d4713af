//! Additions behind an initrd: the kernel unpacks one archive after the other. The last file
//! of ours is a mark of fixed form, so that the end of a file tells whether it is there and
//! how much was added.

use std::io::{self, Read, Seek, SeekFrom, Write};

use installer_core::error::Context;
use installer_core::image::newc;
use installer_core::{Error, Result, Stage};

use crate::custom::Custom;

/// The file that marks an archive as ours.
const MARK: &str = ".bootc-ks-custom";

/// What the kernel can make out at the beginning of an initrd.
const FORMATS: &[&[u8]] = &[
    b"070701",
    b"070702",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ",
    b"BZh",
    b"\x5d\x00\x00",
    b"\x89LZO",
    b"\x02\x21\x4c\x18",
];

/// Writes `initrd` with `custom` behind it to `out`. One that has been customised already is
/// refused: what is in two archives cannot be taken for one.
pub fn customize(initrd: &mut (impl Read + Seek), custom: &Custom, out: &mut impl Write) -> Result<u64> {
    let reading = "reading the initrd";
    let mut start = [0; 8];
    let count = initrd.read(&mut start).doing(Stage::Media, reading)?;
    if !FORMATS.iter().any(|format| start[..count].starts_with(format)) {
        return Err(Error::input(Stage::Media, "this is no initrd: it begins like none that a kernel unpacks")
            .hint("pass an installer's initrd.img as it lies on its medium, or in the tree that it boots from"));
    }
    if read(initrd)?.is_some() {
        return Err(Error::refused(Stage::Media, "the initrd has been customised already")
            .hint("start again from the installer's own initrd.img"));
    }
    initrd.seek(SeekFrom::Start(0)).doing(Stage::Media, reading)?;
    let writing = "writing the customised initrd";
    let length = io::copy(initrd, out).doing(Stage::Media, writing)?;
    let padding = newc::padding(length);
    let archive = archive(custom)?;
    out.write_all(padding).doing(Stage::Media, writing)?;
    out.write_all(&archive).doing(Stage::Media, writing)?;
    out.flush().doing(Stage::Media, writing)?;
    Ok(length + (padding.len() + archive.len()) as u64)
}

/// What was added to `initrd`, if anything was.
pub fn read(initrd: &mut (impl Read + Seek)) -> Result<Option<Custom>> {
    let reading = "reading the initrd";
    let end = tail(0)?.len() as u64;
    let length = initrd.seek(SeekFrom::End(0)).doing(Stage::Media, reading)?;
    let Some(at) = length.checked_sub(end) else { return Ok(None) };
    let mut found = Vec::new();
    initrd.seek(SeekFrom::Start(at)).doing(Stage::Media, reading)?;
    initrd.read_to_end(&mut found).doing(Stage::Media, reading)?;
    // The mark's inode number is the only part that varies beside its content.
    let Ok(entries) = newc::read(&found) else { return Ok(None) };
    let [mark] = entries[..] else { return Ok(None) };
    if mark.path != MARK {
        return Ok(None);
    }
    let size = std::str::from_utf8(mark.content).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let damaged = || Error::input(Stage::Media, "the mark at the end of the initrd is damaged");
    let start = size.and_then(|size| length.checked_sub(size)).ok_or_else(damaged)?;
    let mut archive = Vec::new();
    initrd.seek(SeekFrom::Start(start)).doing(Stage::Media, reading)?;
    initrd.read_to_end(&mut archive).doing(Stage::Media, reading)?;
    Custom::from_cpio(&archive).map(Some)
}

fn archive(custom: &Custom) -> Result<Vec<u8>> {
    let with = |size: usize| {
        let mut writer = newc::Writer::new();
        custom.write(&mut writer)?;
        mark(&mut writer, size)?;
        Ok::<_, Error>(writer.finish())
    };
    // The size has always as many digits.
    let size = with(0)?.len();
    with(size)
}

/// What an archive of `size` bytes ends in.
fn tail(size: usize) -> Result<Vec<u8>> {
    let mut writer = newc::Writer::new();
    mark(&mut writer, size)?;
    Ok(writer.finish())
}

fn mark(writer: &mut newc::Writer, size: usize) -> Result<()> {
    writer.file(MARK, 0o444, format!("{size:011}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn custom() -> Custom {
        Custom { kickstart: Some(b"reboot\n".to_vec()), ..Custom::default() }
    }

    fn customized(initrd: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let length = customize(&mut Cursor::new(initrd), &custom(), &mut out)?;
        assert_eq!(length, out.len() as u64);
        Ok(out)
    }

    #[test]
    fn it_is_added_at_a_multiple_of_four_and_found_again() {
        for length in [6, 7, 8, 9, 5000] {
            let mut initrd = b"\x1f\x8b".to_vec();
            initrd.resize(length, 7);
            assert!(read(&mut Cursor::new(&initrd)).unwrap().is_none());
            let out = customized(&initrd).unwrap();
            assert!(out.starts_with(&initrd));
            let entries = newc::read(&out[length.next_multiple_of(4)..]).unwrap();
            assert_eq!(entries[0].path, "ks.cfg");
            assert_eq!(read(&mut Cursor::new(&out)).unwrap(), Some(custom()));
            let again = customized(&out).unwrap_err();
            assert!(again.to_string().contains("already"), "{again}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        for other in [&b""[..], b"\x7fELF....", b"MZ"] {
            assert!(customized(other).unwrap_err().to_string().contains("no initrd"));
        }
    }
}

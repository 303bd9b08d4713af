//! What firmware starts from a disk: the code in its first sector, and what is on a FAT.
//!
//! Before anything else of a disk is overwritten both are, so that no half of an old system starts.
//! What takes the place of the code says why nothing does.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::node::open;
use crate::error::{Context, Result, Stage};

/// Bytes of code before the partition table of an MBR.
const CODE: usize = 440;
/// The part of a FAT that tells where everything else of it is.
const BOOT_SECTOR: usize = 512;
/// BIOS has it in memory from here.
const LOADED_AT: u16 = 0x7c00;
/// Writes the text behind it to the screen, lets BIOS try the next disk, and else waits for ever.
const PROGRAM: [u8; 27] = [
    0xfc, // cld
    0x31, 0xc0, // xor ax, ax
    0x8e, 0xd8, // mov ds, ax
    0xbe, 0, 0,    // mov si, the text
    0xac, // lodsb
    0x08, 0xc0, // or al, al
    0x74, 0x09, // jz to int 18h
    0xb4, 0x0e, // mov ah, 0eh
    0xbb, 0x07, 0x00, // mov bx, 7
    0xcd, 0x10, // int 10h
    0xeb, 0xf2, // jmp to lodsb
    0xcd, 0x18, // int 18h
    0xf4, // hlt
    0xeb, 0xfd, // jmp to hlt
];
const TEXT: &str =
    "\r\nNo system starts from this disk: its installation was not finished, or put no boot loader there.\r\n";

/// The code of a disk that starts nothing.
pub(super) fn notice() -> [u8; CODE] {
    let mut code = [0; CODE];
    code[..PROGRAM.len()].copy_from_slice(&PROGRAM);
    let text = LOADED_AT + u16::try_from(PROGRAM.len()).unwrap_or_default();
    code[6..8].copy_from_slice(&text.to_le_bytes());
    code[PROGRAM.len()..PROGRAM.len() + TEXT.len()].copy_from_slice(TEXT.as_bytes());
    code
}

/// Takes from `disk` what firmware would start, be it by BIOS or, from one of `partitions`, by UEFI.
pub fn disarm(disk: impl AsRef<Path>, partitions: &[PathBuf]) -> Result<()> {
    let disk = disk.as_ref();
    let overwrite = |device: &Path, bytes: &[u8]| {
        let file = open(device, true)?;
        file.write_all_at(bytes, 0)?;
        file.sync_all()
    };
    overwrite(disk, &notice()).doing(Stage::Storage, format_args!("removing the boot code of {}", disk.display()))?;
    for partition in partitions {
        let doing = format!("removing what firmware starts from {}", partition.display());
        if open(partition, false).and_then(|file| is_fat(&file)).doing(Stage::Storage, &doing)? {
            overwrite(partition, &[0; BOOT_SECTOR]).doing(Stage::Storage, &doing)?;
        }
    }
    Ok(())
}

/// Whether firmware might take it for a FAT.
fn is_fat(file: &File) -> io::Result<bool> {
    let mut sector = [0; BOOT_SECTOR];
    match file.read_exact_at(&mut sector, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        outcome => outcome?,
    }
    let jumps = matches!(sector[0], 0xe9 | 0xeb);
    Ok(jumps && (sector[54..].starts_with(b"FAT") || sector[82..].starts_with(b"FAT")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_leads_to_its_text_and_fits() {
        let code = notice();
        let text = usize::from(u16::from_le_bytes([code[6], code[7]]) - LOADED_AT);
        assert!(code[text..].starts_with(b"\r\nNo system starts from this disk"));
        assert_eq!(code[text + TEXT.len()], 0, "the text ends");
        // Both jumps are from what follows them.
        assert_eq!((code[13 + 9], code[13 + 10]), (0xcd, 0x18));
        assert_eq!((22_i16 + i16::from(code[21].cast_signed()), code[8]), (8, 0xac));
    }

    #[test]
    fn a_disk_keeps_its_table_and_its_other_file_systems() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, fill: &[(usize, &[u8])]| {
            let mut bytes = vec![0x11; 4096];
            fill.iter().for_each(|(at, what)| bytes[*at..at + what.len()].copy_from_slice(what));
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let disk = file("disk", &[(510, &[0x55, 0xaa])]);
        let esp = file("esp", &[(0, &[0xeb]), (82, b"FAT32   ")]);
        let small = file("small", &[(0, &[0xe9]), (54, b"FAT12   ")]);
        let other = file("other", &[(82, b"FAT32   ")]);
        let short = dir.path().join("short");
        std::fs::write(&short, "x").unwrap();
        disarm(&disk, &[esp.clone(), small.clone(), other.clone(), short]).unwrap();
        let read = |path: &Path| std::fs::read(path).unwrap();
        assert!(read(&disk).starts_with(&PROGRAM[..5]) && read(&disk)[CODE..510].iter().all(|byte| *byte == 0x11));
        assert_eq!(read(&disk)[510..512], [0x55, 0xaa]);
        for fat in [&esp, &small] {
            assert!(read(fat)[..BOOT_SECTOR].iter().all(|byte| *byte == 0));
            assert!(read(fat)[BOOT_SECTOR..].iter().all(|byte| *byte == 0x11));
        }
        assert_eq!(read(&other)[0], 0x11);
    }
}

//! libblkid on image files: what mkfs and sfdisk write is recognised, and wiped without a
//! trace. `wipefs`, which lists signatures by its own code, is the judge.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::blkid::{self, Superblock};
use crate::units::{Bytes, Sectors};

struct Image {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Image {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image");
        // mkfs.xfs wants 300 MiB; the file is sparse.
        File::create(&path).unwrap().set_len(320 << 20).unwrap();
        Image { _directory: directory, path }
    }

    /// Runs `program … image`, with `input` on its standard input.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new(program)
            .args(arguments)
            .arg(&self.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs {program}: {error}"));
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn sfdisk(&self, script: &str) {
        // By default sfdisk wipes older signatures, which some tests put there on purpose.
        self.run("sfdisk", &["--quiet", "--wipe=never"], script);
    }

    fn file(&self) -> File {
        File::options().read(true).write(true).open(&self.path).unwrap()
    }

    fn zero(&self, from: SeekFrom, length: usize) {
        let mut file = self.file();
        file.seek(from).unwrap();
        file.write_all(&vec![0; length]).unwrap();
    }

    /// Wipes, and checks that nothing is found afterwards. Returns what was there.
    fn wiped(&self) -> Vec<String> {
        let wiped = blkid::wipe(&self.file()).unwrap();
        let left = self.run("wipefs", &["--parsable"], "");
        assert_eq!(left, "", "wipefs still finds something");
        assert_eq!(blkid::superblock(&self.file(), None).unwrap(), None);
        assert_eq!(blkid::table(&self.file(), None, blkid::Gpt::Any).unwrap(), None);
        assert!(blkid::wipe(&self.file()).unwrap().is_empty());
        let mut kinds: Vec<String> = wiped.into_iter().map(|found| found.kind).collect();
        kinds.sort();
        kinds
    }
}

const UUID: &str = "01234567-89ab-4cde-8f01-23456789abcd";

#[test]
fn file_systems_are_recognised_and_wiped() {
    let xfs_uuid = format!("uuid={UUID}");
    let cases: [(&str, Vec<&str>, &str); 4] = [
        ("xfs", vec!["-q", "-f", "-L", "data", "-m", &xfs_uuid], "mkfs.xfs"),
        ("ext4", vec!["-q", "-F", "-L", "data", "-U", UUID], "mkfs.ext4"),
        ("swap", vec!["-q", "-L", "data", "-U", UUID], "mkswap"),
        ("vfat", vec!["-n", "DATA", "-i", "01234567"], "mkfs.vfat"),
    ];
    for (kind, arguments, program) in cases {
        let image = Image::new();
        image.run(program, &arguments, "");
        let found = blkid::superblock(&image.file(), None).unwrap().unwrap();
        let (uuid, label) = if kind == "vfat" { ("0123-4567", "DATA") } else { (UUID, "data") };
        let expected = Superblock { kind: kind.into(), uuid: Some(uuid.into()), label: Some(label.into()) };
        assert_eq!(found, expected);
        assert_eq!(
            blkid::table(&image.file(), None, blkid::Gpt::Protected).unwrap(),
            None,
            "{kind} is no partition table"
        );
        assert!(image.wiped().iter().all(|wiped| wiped == kind), "{kind}");
    }
}

#[test]
fn a_gpt_is_read_and_wiped_with_its_backup() {
    let image = Image::new();
    image.sfdisk(&format!(
        "label: gpt\nlabel-id: {UUID}\n\
         1 : start=2048, size=4096, type=uefi, name=\"EFI system\"\n\
         5 : start=8192, size=16384, type=linux, uuid=11111111-2222-4333-8444-555555555555\n"
    ));
    let table = blkid::table(&image.file(), None, blkid::Gpt::Protected).unwrap().unwrap();
    assert_eq!((table.kind.as_str(), table.uuid.as_deref()), ("gpt", Some(UUID)));
    let places: Vec<_> = table.entries.iter().map(|entry| (entry.number, entry.start, entry.size)).collect();
    assert_eq!(places, [(1, Sectors(2048), Sectors(4096)), (5, Sectors(8192), Sectors(16384))]);
    assert_eq!(table.entries[0].name.as_deref(), Some("EFI system"));
    assert_eq!(table.entries[0].type_code, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
    assert_eq!(table.entries[1].uuid.as_deref(), Some("11111111-2222-4333-8444-555555555555"));
    assert_eq!(image.wiped(), ["PMBR", "gpt", "gpt"]);
}

#[test]
fn a_damaged_gpt_is_wiped_as_well() {
    // Only the backup is left.
    let image = Image::new();
    image.sfdisk("label: gpt\n,\n");
    image.zero(SeekFrom::Start(0), 17408);
    assert_eq!(image.wiped(), ["gpt"]);
    // No protective MBR.
    let image = Image::new();
    image.sfdisk("label: gpt\n,\n");
    image.zero(SeekFrom::Start(0), 512);
    assert_eq!(image.wiped(), ["gpt", "gpt"]);
}

#[test]
fn a_dos_table_with_logical_partitions_is_read_and_wiped() {
    let image = Image::new();
    image.sfdisk(
        "label: dos\nlabel-id: 0xcafe0001\n1 : start=2048, size=4096, type=83, bootable\n\
         2 : start=8192, size=40960, type=5\n5 : start=10240, size=4096, type=8e\n",
    );
    let table = blkid::table(&image.file(), None, blkid::Gpt::Protected).unwrap().unwrap();
    assert_eq!((table.kind.as_str(), table.uuid.as_deref()), ("dos", Some("cafe0001")));
    let found: Vec<_> = table.entries.iter().map(|entry| (entry.number, entry.type_code.as_str())).collect();
    assert_eq!(found, [(1, "0x83"), (2, "0x5"), (5, "0x8e")]);
    assert_eq!(image.wiped(), ["dos"]);
}

#[test]
fn a_gpt_without_its_mbr_is_seen_by_who_asks_for_it() {
    let image = Image::new();
    image.sfdisk("label: gpt\n,1M\n,\n");
    for (from, length) in [(SeekFrom::Start(0), 512), (SeekFrom::Start(512), 512)] {
        // The MBR, and then the first copy as well.
        image.zero(from, length);
        assert_eq!(blkid::table(&image.file(), None, blkid::Gpt::Protected).unwrap(), None);
        assert_eq!(blkid::table(&image.file(), None, blkid::Gpt::Any).unwrap().unwrap().entries.len(), 2);
    }
}

#[test]
fn everything_at_once_is_wiped() {
    let image = Image::new();
    image.run("mkfs.ext4", &["-q", "-F"], "");
    // A dos table fits in front of ext4's superblock, so both are there.
    image.sfdisk("label: dos\n,\n");
    assert_eq!(image.wiped(), ["dos", "ext4"]);
}

#[test]
fn a_file_system_is_found_by_its_place_on_the_disk() {
    let image = Image::new();
    image.run("mkfs.ext4", &["-q", "-F", "-E", "offset=1048576", "-U", UUID], "");
    assert_eq!(blkid::superblock(&image.file(), None).unwrap(), None);
    let found = blkid::superblock(&image.file(), Some((Bytes::mib(1), Bytes::mib(300)))).unwrap().unwrap();
    assert_eq!((found.kind.as_str(), found.uuid.as_deref()), ("ext4", Some(UUID)));
}

#[test]
fn nothing_is_nothing() {
    let image = Image::new();
    assert!(image.wiped().is_empty());
    let empty = tempfile::tempfile().unwrap();
    assert!(!matches!(blkid::superblock(&empty, None), Ok(Some(_))));
}

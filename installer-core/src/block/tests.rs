//! On image files and on loop devices of our own making; the latter need root.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Command;
use std::time::Duration;

use uuid::{Uuid, uuid};

use super::*;
use crate::ffi::blkid;
use crate::units::Bytes;

const DISK: Uuid = uuid!("11111111-2222-4333-8444-555555555555");
const LINUX: Uuid = uuid!("0fc63daf-8483-4772-8e79-3d69d8477de4");
const ESP: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");

/// Runs a tool that the test cannot do without, and says so if it fails.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("this test needs {program}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap() + &stderr
}

fn image(directory: &tempfile::TempDir, size: Bytes) -> String {
    let path = directory.path().join("disk.img");
    File::create(&path).unwrap().set_len(size.0).unwrap();
    path.to_str().unwrap().to_owned()
}

fn partition(number: u32, start: u64, size: u64) -> GptPartition {
    GptPartition {
        number,
        type_guid: if number == 1 { ESP } else { LINUX },
        name: format!("part-{number}-ä"),
        start: Bytes::mib(start),
        size: Bytes::mib(size),
        uuid: Uuid::from_u128(0xaaaa_0000_0000_4000_8000_0000_0000_0000 + u128::from(number)),
        attributes: if number == 2 { 1 << 59 } else { 0 },
    }
}

/// A number is missing on purpose: kept partitions keep theirs.
fn layout() -> Vec<GptPartition> {
    vec![partition(1, 1, 8), partition(2, 9, 16), partition(4, 25, 30)]
}

fn loop_device(directory: &tempfile::TempDir, size: Bytes) -> LoopDevice {
    LoopDevice::create(directory.path().join("loop.img"), size).expect("this test needs root and a free loop device")
}

fn announced(layout: &[GptPartition]) -> Vec<(u32, Bytes, Bytes)> {
    layout.iter().map(|partition| (partition.number, partition.start, partition.size)).collect()
}

#[test]
fn partition_names_follow_the_disks_name() {
    for (disk, expected) in [
        ("/dev/sda", "/dev/sda3"),
        ("/dev/nvme0n1", "/dev/nvme0n1p3"),
        ("/dev/loop7", "/dev/loop7p3"),
        ("/dev/mmcblk0", "/dev/mmcblk0p3"),
        ("/dev/disk/by-id/nvme-X_1", "/dev/disk/by-id/nvme-X_1-part3"),
    ] {
        assert_eq!(partition_path(disk, 3).to_str().unwrap(), expected);
    }
}

#[test]
fn sfdisk_reads_the_table_that_we_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = image(&directory, Bytes::mib(64));
    write_gpt(&path, Bytes(512), DISK, &layout()).unwrap();
    let verified = run("sfdisk", &["--verify", &path]);
    assert!(verified.contains("No errors detected"), "{verified}");
    let json: serde_json::Value = serde_json::from_str(&run("sfdisk", &["--json", &path])).unwrap();
    let table = &json["partitiontable"];
    assert_eq!(table["label"], "gpt");
    assert_eq!(table["id"].as_str().unwrap().to_lowercase(), DISK.to_string());
    let entries = table["partitions"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    for (entry, wanted) in entries.iter().zip(layout()) {
        assert!(entry["node"].as_str().unwrap().ends_with(&wanted.number.to_string()), "{entry}");
        assert_eq!(entry["start"], wanted.start.0 / 512);
        assert_eq!(entry["size"], wanted.size.0 / 512);
        assert_eq!(entry["type"].as_str().unwrap().to_lowercase(), wanted.type_guid.to_string());
        assert_eq!(entry["uuid"].as_str().unwrap().to_lowercase(), wanted.uuid.to_string());
        assert_eq!(entry["name"], wanted.name);
    }
    assert_eq!(entries[1]["attrs"], "GUID:59");
}

#[test]
fn the_same_table_is_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = image(&directory, Bytes::mib(64));
    write_gpt(&path, Bytes(512), DISK, &layout()).unwrap();
    let first = std::fs::read(&path).unwrap();
    // Rubbish in between must not shine through.
    File::options().write(true).open(&path).unwrap().write_all(&[0xA5; 17408]).unwrap();
    write_gpt(&path, Bytes(512), DISK, &layout()).unwrap();
    assert!(std::fs::read(&path).unwrap() == first, "two writings differ");
}

#[test]
fn large_sectors_and_other_tools_tables_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = image(&directory, Bytes::mib(64));
    write_gpt(&path, Bytes(4096), DISK, &layout()).unwrap();
    assert_eq!(read_gpt(&path, Bytes(4096)).unwrap(), (DISK, layout()));
    assert!(read_gpt(&path, Bytes(512)).is_err());
    let table = blkid::table(&File::open(&path).unwrap(), Some(Bytes(4096)), blkid::Gpt::Protected).unwrap().unwrap();
    let starts: Vec<_> = table.entries.iter().map(|entry| (entry.number, entry.start.bytes())).collect();
    assert_eq!(starts, [(1, Bytes::mib(1)), (2, Bytes::mib(9)), (4, Bytes::mib(25))]);
}

#[test]
fn broken_layouts_are_refused_before_a_byte_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = image(&directory, Bytes::mib(64));
    let mut unaligned = partition(1, 1, 8);
    unaligned.start.0 += 100;
    let mut long = partition(1, 1, 8);
    long.name = "x".repeat(37);
    for bad in [
        vec![partition(0, 1, 8)],
        vec![partition(129, 1, 8)],
        vec![partition(1, 1, 8), partition(1, 9, 8)],
        vec![partition(1, 1, 8), partition(2, 8, 8)],
        vec![partition(1, 0, 8)],
        vec![partition(1, 1, 63)],
        vec![partition(1, 1, 0)],
        vec![unaligned],
        vec![long],
    ] {
        assert!(write_gpt(&path, Bytes(512), DISK, &bad).is_err(), "{bad:?}");
    }
    assert!(write_gpt(&path, Bytes(520), DISK, &[]).is_err());
    let mut content = Vec::new();
    File::open(&path).unwrap().read_to_end(&mut content).unwrap();
    assert!(content.iter().all(|byte| *byte == 0));
}

#[test]
fn a_damaged_backup_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = image(&directory, Bytes::mib(64));
    write_gpt(&path, Bytes(512), DISK, &layout()).unwrap();
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(-512)).unwrap();
    file.write_all(&[0; 512]).unwrap();
    assert!(read_gpt(&path, Bytes(512)).is_err());
}

#[test]
fn a_loop_device_is_a_disk_with_partitions() {
    let directory = tempfile::tempdir().unwrap();
    let device = loop_device(&directory, Bytes::mib(64));
    assert_eq!(geometry(device.path()).unwrap(), (Bytes::mib(64), Bytes(512)));
    write_gpt(device.path(), Bytes(512), DISK, &layout()).unwrap();
    let nodes = announce_partitions(device.path(), &announced(&layout())).unwrap();
    assert_eq!(nodes, [device.partition(1), device.partition(2), device.partition(4)]);
    for node in &nodes {
        wait_for_node(node, Duration::from_secs(5)).unwrap();
    }
    // What is already so stays, what is not goes: no node flickers for nothing.
    let fewer = [partition(1, 1, 8), partition(2, 9, 20)];
    announce_partitions(device.path(), &announced(&fewer)).unwrap();
    assert_eq!(run("blockdev", &["--getsize64", device.partition(2).to_str().unwrap()]).trim(), (20 << 20).to_string());
    assert!(wait_for_node(device.partition(4), Duration::ZERO).is_err());
    forget_partitions(device.path()).unwrap();
    assert!(wait_for_node(device.partition(1), Duration::ZERO).is_err());
    device.detach().unwrap();
}

#[test]
fn what_is_written_through_a_loop_device_is_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let device = loop_device(&directory, Bytes::mib(64));
    announce_partitions(device.path(), &[(3, Bytes::mib(2), Bytes::mib(1))]).unwrap();
    File::options().write(true).open(device.partition(3)).unwrap().write_all(b"hello").unwrap();
    flush(device.partition(3)).unwrap();
    let (path, backing) = (device.path().to_owned(), device.backing_file().to_owned());
    device.detach().unwrap();
    let mut file = File::open(&backing).unwrap();
    let mut text = [0; 5];
    file.seek(SeekFrom::Start(2 << 20)).unwrap();
    file.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"hello");
    let attached = run("losetup", &["--associated", backing.to_str().unwrap()]);
    assert_eq!(attached.trim(), "", "{} is still attached", path.display());
}

#[test]
fn a_busy_partition_is_named_and_dropping_cleans_up() {
    let directory = tempfile::tempdir().unwrap();
    let device = loop_device(&directory, Bytes::mib(64));
    announce_partitions(device.path(), &[(1, Bytes::mib(2), Bytes::mib(1))]).unwrap();
    let opened = File::open(device.partition(1)).unwrap();
    let error = forget_partitions(device.path()).unwrap_err();
    assert!(error.to_string().contains("p1 is in use"), "{error}");
    drop(opened);
    let backing = device.backing_file().to_owned();
    drop(device);
    assert_eq!(run("losetup", &["--associated", backing.to_str().unwrap()]).trim(), "");
}

/// udev and friends look at every new partition; that is no reason to give up.
#[test]
fn a_process_that_only_looks_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let device = loop_device(&directory, Bytes::mib(64));
    announce_partitions(device.path(), &[(1, Bytes::mib(2), Bytes::mib(1))]).unwrap();
    let opened = File::open(device.partition(1)).unwrap();
    let prober = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        drop(opened);
    });
    forget_partitions(device.path()).unwrap();
    prober.join().unwrap();
    device.detach().unwrap();
}

#[test]
fn an_existing_image_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = image(&directory, Bytes::mib(1));
    let error = LoopDevice::create(&path, Bytes::mib(2)).unwrap_err();
    assert!(error.to_string().contains("exists"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
}

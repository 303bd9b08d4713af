//! Recorded trees, and this very machine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::block::{GptPartition, LoopDevice, announce_partitions, write_gpt};
use crate::units::{Bytes, Sectors};

mod recorded;

/// A machine as directories and files.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Tree(tempfile::tempdir().unwrap());
        tree.file("proc/meminfo", "MemTotal:        8000000 kB\nMemFree: 1 kB\n");
        tree.file("proc/sys/kernel/osrelease", "6.12.1-test\n");
        tree.file("proc/sys/kernel/arch", "x86_64\n");
        tree.file("proc/filesystems", "nodev\tsysfs\n\text4\n");
        fs::create_dir_all(tree.path("sys/class/block")).unwrap();
        tree
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// A block device below `bus` (a path under sys/devices) with the given files.
    fn block(&self, bus: &str, name: &str, files: &[(&str, &str)]) {
        let directory = format!("devices/{bus}/block/{name}");
        for (file, content) in files {
            self.file(&format!("sys/{directory}/{file}"), format!("{content}\n"));
        }
        self.link(&format!("sys/class/block/{name}"), &format!("../../{directory}"));
    }

    fn probe(&self) -> Machine {
        probe_at(self.0.path()).unwrap()
    }
}

const SATA: &str = "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0";

/// A Fedora on LVM: sda1 is /boot, sda2 the volume group with / and swap.
fn installed() -> Tree {
    let tree = Tree::new();
    let disk = [
        ("dev", "8:0"),
        ("size", "41943040"),
        ("queue/logical_block_size", "512"),
        ("queue/rotational", "1"),
        ("removable", "0"),
        ("ro", "0"),
        ("device/model", "ST1000NM0008    "),
        ("device/wwid", "naa.5000c500a1b2c3d4"),
        ("sda1/partition", "1"),
        ("sda1/start", "2048"),
        ("sda1/size", "2097152"),
        ("sda1/dev", "8:1"),
        ("sda2/partition", "2"),
        ("sda2/start", "2099200"),
        ("sda2/size", "39841792"),
        ("sda2/dev", "8:2"),
        ("sda2/holders/dm-0/name", ""),
        ("sda2/holders/dm-1/name", ""),
    ];
    tree.block(SATA, "sda", &disk);
    tree.file(&format!("sys/devices/{SATA}/block/sda/device/vpd_pg80"), b"\0\x80\0\x08ZA1BCDEF\0");
    tree.block("virtual", "dm-0", &[("dev", "253:0"), ("size", "1000"), ("dm/name", "fedora-root")]);
    tree.block("virtual", "dm-1", &[("dev", "253:1"), ("size", "1000"), ("dm/name", "fedora-swap")]);
    tree.file(
        "proc/self/mountinfo",
        "1 0 253:0 / / rw - xfs /dev/mapper/fedora-root rw\n2 1 8:1 / /boot\\040old rw shared:1 - ext4 /dev/sda1 rw\n",
    );
    tree.file("proc/swaps", "Filename Type Size Used Priority\n/dev/dm-1 partition 1 0 -2\n");
    tree.link("dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "../../sda");
    tree.link("dev/disk/by-id/wwn-0x5000c500a1b2c3d4-part1", "../../sda1");
    tree.link("dev/disk/by-id/ata-ST1000NM0008_ZA1BCDEF", "../../sda");
    tree.link("dev/disk/by-diskseq/1", "../../sda");
    tree
}

#[test]
fn an_installed_disk_is_described_and_in_use() {
    let machine = installed().probe();
    let disk = &machine.disks[0];
    assert_eq!(machine.disks.len(), 1, "device-mapper devices are no disks");
    assert_eq!((disk.size, disk.sector_size, disk.rotational), (Bytes::gib(20), Bytes(512), true));
    assert_eq!(disk.model.as_deref(), Some("ST1000NM0008"));
    assert_eq!(disk.serial.as_deref(), Some("ZA1BCDEF"));
    assert_eq!(disk.wwn.as_deref(), Some("0x5000c500a1b2c3d4"));
    assert_eq!(disk.transport.as_deref(), Some("sata"));
    assert_eq!(disk.links, ["/dev/disk/by-id/ata-ST1000NM0008_ZA1BCDEF", "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"]);
    assert_eq!(disk.stable_name(), "/dev/disk/by-id/ata-ST1000NM0008_ZA1BCDEF");
    assert_eq!((disk.partitions[1].start, disk.partitions[1].size), (Sectors(2_099_200), Sectors(39_841_792).bytes()));
    let uses: Vec<_> = disk.in_use.iter().map(|usage| (usage.device.as_str(), usage.by.as_str())).collect();
    assert_eq!(
        uses,
        [
            ("/dev/sda1", "mounted at /boot old"),
            ("/dev/sda2", "held by dm-0 (fedora-root)"),
            ("/dev/sda2", "mounted at / through dm-0 (fedora-root)"),
            ("/dev/sda2", "held by dm-1 (fedora-swap)"),
            ("/dev/sda2", "swap through dm-1 (fedora-swap)"),
        ]
    );
}

#[test]
fn mounted_btrfs_members_are_in_use_though_the_mount_table_names_one() {
    let tree = Tree::new();
    for (name, number) in [("vda", "254:0"), ("vdb", "254:16")] {
        tree.block(&format!("pci0000:00/virtio-{name}/virtio1"), name, &[("dev", number), ("size", "2048")]);
    }
    tree.file("proc/self/mountinfo", "1 0 0:33 /root / rw - btrfs /dev/vda rw\n");
    tree.file("sys/fs/btrfs/some-uuid/devices/vda/dev", "");
    tree.file("sys/fs/btrfs/some-uuid/devices/vdb/dev", "");
    let machine = tree.probe();
    let uses: Vec<_> = machine.disks.iter().map(|disk| disk.in_use[0].by.as_str()).collect();
    assert_eq!(uses, ["mounted at /", "part of a mounted btrfs file system"]);
}

#[test]
fn only_disks_are_disks_and_they_come_in_order() {
    let tree = Tree::new();
    let some = [("size", "2048")];
    for name in [
        "sdb",
        "sdaa",
        "sda",
        "nvme10n1",
        "nvme2n1",
        "ram0",
        "zram0",
        "sr0",
        "md127",
        "dm-3",
        "fd0",
        "mmcblk0",
        "mmcblk0boot0",
        "cciss!c0d0",
    ] {
        tree.block("virtual", name, &some);
    }
    tree.block("virtual", "sdc", &[("size", "0")]);
    tree.block("virtual", "nvme2c0n1", &[("size", "2048"), ("hidden", "1")]);
    tree.block("virtual", "loop0", &[("size", "0")]);
    tree.block("virtual", "loop3", &[("size", "2048"), ("loop/backing_file", "/x")]);
    tree.block("virtual", "sdd", &[("size", "2048"), ("device/type", "5")]);
    let machine = tree.probe();
    let names: Vec<_> = machine.disks.iter().map(|disk| disk.name.as_str()).collect();
    assert_eq!(names, ["cciss/c0d0", "mmcblk0", "nvme2n1", "nvme10n1", "sda", "sdb", "sdaa", "loop3"]);
    let last = machine.disks.last().unwrap();
    assert!(last.loopback && last.transport.as_deref() == Some("loop"));
}

#[test]
fn transports_are_told_from_the_path_of_buses() {
    let tree = Tree::new();
    for (bus, name) in [
        ("pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0", "sda"),
        ("pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0", "sdb"),
        ("pci0000:00/0000:01:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0", "sdc"),
        ("pci0000:00/0000:00:05.0/virtio2", "vda"),
        ("pci0000:00/0000:02:00.0/nvme/nvme0", "nvme0n1"),
        ("virtual/nvme-subsystem/nvme-subsys1", "nvme1n1"),
        ("platform/fe340000.mmc/mmc_host/mmc0/mmc0:0001", "mmcblk0"),
        ("platform/host3/session1/target3:0:0/3:0:0:0", "sdd"),
        ("platform/unknown", "sde"),
    ] {
        tree.block(bus, name, &[("size", "2048")]);
    }
    let found: BTreeMap<_, _> = tree.probe().disks.into_iter().map(|disk| (disk.name, disk.transport)).collect();
    for (name, transport) in [
        ("sda", "usb"),
        ("sdb", "sata"),
        ("sdc", "sas"),
        ("vda", "virtio"),
        ("nvme0n1", "nvme"),
        ("nvme1n1", "nvme"),
        ("mmcblk0", "mmc"),
        ("sdd", "iscsi"),
    ] {
        assert_eq!(found[name].as_deref(), Some(transport), "{name}");
    }
    assert_eq!(found["sde"], None);
}

fn gpt_partition(number: u32, start: u64, size: u64) -> GptPartition {
    GptPartition {
        number,
        type_guid: uuid::uuid!("0fc63daf-8483-4772-8e79-3d69d8477de4"),
        name: format!("name{number}"),
        start: Bytes::mib(start),
        size: Bytes::mib(size),
        uuid: uuid::Uuid::from_u128(u128::from(number)),
        attributes: 0,
    }
}

#[test]
fn partitions_that_the_kernel_does_not_see_come_from_the_table() {
    let tree = Tree::new();
    tree.block(
        "pci0/virtio1",
        "vda",
        // The kernel knows 1 as the table has it, and 3 from an older table.
        &[
            ("size", "131072"),
            ("vda1/partition", "1"),
            ("vda1/start", "2048"),
            ("vda1/size", "2048"),
            ("vda3/partition", "3"),
            ("vda3/start", "9"),
            ("vda3/size", "9"),
        ],
    );
    tree.file("dev/vda", "");
    fs::File::options().write(true).open(tree.path("dev/vda")).unwrap().set_len(64 << 20).unwrap();
    let table = [gpt_partition(1, 1, 1), gpt_partition(2, 2, 40), gpt_partition(3, 42, 1)];
    write_gpt(tree.path("dev/vda"), Bytes(512), uuid::Uuid::from_u128(7), &table).unwrap();
    let status = Command::new("mkfs.ext4")
        .args(["-q", "-F", "-E", "offset=2097152", "-L", "inside"])
        .args([tree.path("dev/vda").to_str().unwrap(), "40M"])
        .status()
        .expect("this test needs mkfs.ext4");
    assert!(status.success());
    let disk = tree.probe().disks.remove(0);
    assert_eq!(disk.table.as_deref(), Some("gpt"));
    let [first, second, third] = &disk.partitions[..] else { panic!("{:?}", disk.partitions) };
    assert_eq!((first.path.as_str(), first.label.as_deref()), ("/dev/vda1", Some("name1")));
    assert_eq!((second.path.as_str(), second.start, second.size), ("/dev/vda2", Sectors(4096), Bytes::mib(40)));
    assert_eq!(second.type_code.as_deref(), Some("0fc63daf-8483-4772-8e79-3d69d8477de4"));
    assert_eq!(second.uuid.as_deref(), Some("00000000-0000-0000-0000-000000000002"));
    let signature = second.signature.as_ref().unwrap();
    assert_eq!((signature.kind.as_str(), signature.label.as_deref()), ("ext4", Some("inside")));
    assert_eq!((third.start, third.label.as_deref()), (Sectors(9), None), "the kernel's own idea stays visible");
}

/// An error must not be taken for an empty disk.
#[test]
fn a_disk_that_cannot_be_read_is_not_an_empty_one() {
    let tree = Tree::new();
    for name in ["vda", "vdb"] {
        tree.block("pci0/virtio1", name, &[("size", "131072")]);
    }
    // libblkid refuses what is no block device and no file.
    fs::create_dir_all(tree.path("dev/vda")).unwrap();
    let disks = tree.probe().disks;
    assert!(disks[0].unreadable.is_some(), "{:?}", disks[0]);
    assert_eq!(disks[1].unreadable, None, "a recorded machine has no node for it");
}

#[test]
fn firmware_memory_and_kernel() {
    let tree = Tree::new();
    let machine = tree.probe();
    assert_eq!(
        (machine.firmware, machine.memory, machine.arch.as_str()),
        (Firmware::Bios, Bytes(8_000_000 << 10), "x86_64")
    );
    let kernel = Kernel { release: "6.12.1-test".into(), device_mapper: false, filesystems: vec!["ext4".into()] };
    assert_eq!(machine.kernel, kernel);

    tree.file("usr/lib/modules/6.12.1-test/modules.builtin", "kernel/fs/erofs/erofs.ko\n");
    tree.file("lib/modules/6.12.1-test/modules.dep", "kernel/drivers/md/dm-mod.ko.zst:\nkernel/fs/xfs/xfs.ko.zst: kernel/lib/libcrc32c.ko.zst\nkernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko\n");
    fs::create_dir_all(tree.path("sys/firmware/efi")).unwrap();
    let machine = tree.probe();
    assert_eq!(machine.kernel.filesystems, ["erofs", "ext4", "vfat", "xfs"]);
    assert!(machine.kernel.device_mapper);
    assert_eq!(machine.firmware, Firmware::Uefi { secure_boot: false });
    tree.file("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", [6, 0, 0, 0, 1]);
    assert_eq!(tree.probe().firmware, Firmware::Uefi { secure_boot: true });
}

#[test]
fn device_mapper_may_be_registered_already() {
    for (file, line) in [("devices", "Block devices:\n252 device-mapper"), ("misc", "236 device-mapper")] {
        let tree = Tree::new();
        tree.file(&format!("proc/{file}"), line);
        assert!(tree.probe().kernel.device_mapper, "{file}");
    }
}

#[test]
fn no_sysfs_is_an_error_that_says_so() {
    let error = probe_at(Path::new("/nonexistent")).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.remedy().is_some());
}

/// Mounted for as long as it lives.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    assert!(
        status.unwrap_or_else(|error| panic!("this test needs {program}: {error}")).success(),
        "{program} {arguments:?}"
    );
}

#[test]
fn this_machine_with_a_disk_of_our_own() {
    let directory = tempfile::tempdir().unwrap();
    let device = LoopDevice::create(directory.path().join("disk"), Bytes::mib(64)).expect("this test needs root");
    let table = [gpt_partition(1, 1, 4), gpt_partition(2, 8, 50)];
    write_gpt(device.path(), Bytes(512), uuid::Uuid::from_u128(7), &table).unwrap();
    announce_partitions(device.path(), &[(1, Bytes::mib(1), Bytes::mib(4)), (2, Bytes::mib(8), Bytes::mib(50))])
        .unwrap();
    let partition = device.partition(2).to_str().unwrap().to_owned();
    run("mkfs.ext4", &["-q", "-L", "ours", &partition]);
    let ours = || {
        let machine = probe().unwrap();
        machine.disks.into_iter().find(|disk| Path::new(&disk.path) == device.path()).expect("our disk")
    };

    let disk = ours();
    assert!(disk.loopback && disk.in_use.is_empty(), "{disk:?}");
    assert_eq!((disk.size, disk.table.as_deref(), disk.partitions.len()), (Bytes::mib(64), Some("gpt"), 2));
    assert_eq!(disk.partitions[1].signature.as_ref().unwrap().label.as_deref(), Some("ours"));
    assert_eq!(disk.partitions[0].signature, None);

    let point = directory.path().join("mounted at");
    fs::create_dir(&point).unwrap();
    run("mount", &[&partition, point.to_str().unwrap()]);
    let mounted = Mounted(point.clone());
    let expected = InUse { device: partition.clone(), by: format!("mounted at {}", point.display()) };
    assert_eq!(ours().in_use, [expected]);
    let name = device.path().file_name().unwrap().to_str().unwrap();
    assert!(usage::opened_exclusively(Path::new("/dev"), name));
    drop(mounted);
    assert!(!usage::opened_exclusively(Path::new("/dev"), name));
    device.detach().unwrap();
}

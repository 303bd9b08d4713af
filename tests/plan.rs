//! Kickstart × machine × image facts → the plan, or the refusal. Needs neither root nor a
//! network: recorded machines (`tests/machines`), recorded images (`tests/images`).
//!
//! Plans are compared with `tests/expected`; `BOOTC_KS_BLESS=1 cargo test --workspace plan::` writes
//! those files anew.

use std::path::{Path, PathBuf};

use crate::support::cli::{Outcome, run_in};
use crate::support::source_root;

fn kickstarts() -> PathBuf {
    source_root().join("tests/kickstarts")
}

fn plan(kickstart: &str, machine: &str, image: &str, format: &str) -> Outcome {
    // Relative, so that no path of this machine is in what is compared.
    let (machine, image) = (format!("../machines/{machine}.json"), format!("../images/{image}.json"));
    let kickstart = format!("{kickstart}.ks");
    let args = ["plan", &kickstart, "--machine", &machine, "--image-facts", &image, "--format", format];
    let first = run_in(&kickstarts(), &args);
    let again = run_in(&kickstarts(), &args);
    assert_eq!((first.code, &first.stdout, &first.stderr), (again.code, &again.stdout, &again.stderr), "{args:?}");
    first
}

fn compare(name: &str, seen: &str) -> Result<(), String> {
    let path = source_root().join("tests/expected").join(name);
    if std::env::var_os("BOOTC_KS_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(&path, seen).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected == seen {
        return Ok(());
    }
    let difference = expected.lines().zip(seen.lines()).enumerate().find(|(_, (old, new))| old != new);
    Err(match difference {
        Some((line, (old, new))) => format!("{name}:{}\n  expected: {old}\n  planned:  {new}", line + 1),
        None => format!("{name}: {} lines expected, {} planned", expected.lines().count(), seen.lines().count()),
    })
}

/// Kickstart, machine, image facts, and what the text must say whatever the snapshot holds.
const PLANS: &[(&str, &str, &str, &[&str])] = &[
    (
        "plain",
        "vm-virtio",
        "demo",
        &["Destroys: nothing", "BIOS and UEFI with the image's GRUB", "the machine restarts"],
    ),
    (
        "image-mode",
        "vm-virtio",
        "demo",
        &["$ lvm vgcreate --yes system_", "rd.lvm.lv=system_", "warning: no signature of the image"],
    ),
    ("demo", "vm-virtio", "demo", &["create the user admin-user", "console=ttyS0,115200n8"]),
    ("plain", "vm-virtio", "bootupd-no-grub", &["BIOS and UEFI with bootupd"]),
    ("plain", "vm-virtio", "composefs-required", &["make btrfs for /"]),
    ("plain", "vm-virtio", "unreadable-initramfs", &["warning: the image's initramfs could not be read"]),
    ("plain", "aarch64-uefi", "arm64", &["for UEFI with bootupd"]),
    ("private", "vm-virtio", "demo", &["write the credentials for registry.example to /etc/ostree/auth.json"]),
    (
        "plain",
        "vm-virtio",
        "install-config",
        &[
            "demo.installkarg=1 console=ttyS0,115200n8 lsm=",
            "warning: the image's install configuration is not followed in: ostree, root-mount",
        ],
    ),
    (
        "plain",
        "laptop-windows",
        "fedora-bootupd",
        &["ntfs \"Windows\", 476 GiB", "vfat \"SYSTEM\", 260 MiB", "/dev/nvme0n1p4"],
    ),
    ("own-partitions", "laptop-windows", "fedora-bootupd", &["write a GPT with 4 partitions", "EFI system 200 MiB"]),
    ("drives", "server-uefi-nvme", "fedora-bootupd", &["S64FNE0R100001", "LVM2_member", "/dev/nvme0n1p3"]),
    (
        "own-volumes",
        "vm-virtio",
        "demo",
        &[
            "$ lvm vgcreate --yes --physicalextentsize 8192k vg_site /dev/vda4",
            "make ext4 for /var/home",
            "rd.lvm.lv=vg_site/root",
            "/var/home ext4 nodev,nosuid",
        ],
    ),
    (
        "own-volumes-two-disks",
        "two-disks",
        "demo",
        &[
            "wipe all signatures from /dev/vdb",
            "$ lvm vgcreate --yes data /dev/vda4 /dev/vdb1",
            "<uuid of partition 2 of disk 2> none swap",
            "warning: a BIOS boot partition of 1 MiB is added",
        ],
    ),
    ("autopart-two-disks", "two-disks", "demo", &["disk 2: /dev/vdb (40 GiB", "/dev/vda4 /dev/vdb1"]),
    ("no-biosboot", "vm-virtio", "demo", &["BIOS boot 1 MiB", "warning: a BIOS boot partition"]),
    (
        "kept-home",
        "old-linux",
        "demo",
        &[
            "Keeps: the partition table of /dev/vda",
            "/dev/vda6: ext4, 6.8 GiB Destroys: /dev/vda1",
            "use the EFI system partition",
            "use the ext4 at /var/home 9. mount /",
            "/var/home ext4 nodev",
        ],
    ),
    ("made-by-pre", "vm-virtio", "demo", &["warning: the partitions are made by %pre, they are not known yet"]),
    ("usr", "vm-virtio", "demo", &["--name root --size 8704m vg"]),
    ("only-use", "two-disks", "demo", &["Target: /dev/vdb (40 GiB", "Destroys: nothing"]),
    ("careful", "no-device-mapper", "demo", &["Target: /dev/vdb (20 GiB", "Destroys: nothing"]),
    ("no-bootloader", "vm-virtio", "no-bootloader", &["warning: no boot loader is installed"]),
    (
        "everything",
        "vm-virtio",
        "selinux",
        &[
            "stateroot site",
            "mount /var/home",
            "noatime,nodev",
            "console=ttyS0 audit=0 quiet panic=30",
            "enable sshd.service",
            "disable kdump.service",
            "| address1=192.0.2.7/24,192.0.2.1",
            "| psk=<key of wlan0>",
            "| server ntp.example.org iburst",
            "<system>' /usr/bin/firewall-offline-cmd --service=ssh --port=8080:tcp",
            "create the group site",
            "warning: these image facts do not say whether the image has chrony, NetworkManager",
            "run the script at everything.ks:36 on this machine with /bin/bash",
            "the machine turns off",
        ],
    ),
];

#[test]
fn plans_are_what_they_were() {
    let mut wrong = Vec::new();
    for (kickstart, machine, image, words) in PLANS {
        let name = format!("{kickstart}.{machine}.{image}");
        let text = plan(kickstart, machine, image, "text").exits(0);
        let flat = text.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        wrong.extend(words.iter().filter(|word| !flat.contains(**word)).map(|word| format!("{name}: no `{word}`")));
        let json = plan(kickstart, machine, image, "json").exits(0);
        wrong.extend(compare(&format!("{name}.txt"), &text.stdout).err());
        wrong.extend(compare(&format!("{name}.json"), &json.stdout).err());
        // Both forms speak of the same plan.
        let digest = json.json()["digest"].as_str().unwrap_or("-").to_owned();
        assert!(text.stdout.ends_with(&format!("Plan digest: {digest}\n")), "{digest} is not the digest of\n{text}");
        assert_eq!(json.json()["schema"], 2, "{json}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Kickstart, machine, image facts, exit code, and what is said.
const REFUSALS: &[(&str, &str, &str, i32, &[&str])] = &[
    ("image-mode", "no-device-mapper", "demo", 3, &["device-mapper", "autopart --type=plain"]),
    ("plain", "no-disk", "demo", 3, &["no disk", "--disk-image"]),
    (
        "plain",
        "tiny-disk",
        "demo",
        3,
        &["/dev/vda is too small", "it has 1 GiB", "need 2 GiB", "the image alone needs 545 MiB"],
    ),
    ("plain", "disk-in-use", "demo", 4, &["/dev/vda cannot be used", "/dev/vda2 is mounted at /boot"]),
    ("careful", "two-disks", "demo", 4, &["2 disks could be meant", "20 GiB", "40 GiB", "ignoredisk --only-use="]),
    (
        "careful",
        "laptop-windows",
        "fedora-bootupd",
        4,
        &["is not empty", "ntfs \"Windows\"", "ntfs \"Recovery\"", "vfat \"SYSTEM\"", "clearpart --all"],
    ),
    ("linux-only", "laptop-windows", "fedora-bootupd", 4, &["only Linux partitions may be cleared"]),
    ("plain", "laptop-windows", "demo", 3, &["Secure Boot", "bootupd and shim"]),
    ("plain", "vm-virtio", "arm64", 3, &["arm64:latest is for arm64", "this machine is amd64"]),
    ("plain", "aarch64-uefi", "demo", 3, &["demo:latest is for amd64", "this machine is arm64"]),
    ("plain", "vm-virtio", "no-bootloader", 3, &["brings no boot loader", "bootloader --location=none"]),
    ("plain", "vm-virtio", "no-kernel", 3, &["has no kernel in usr/lib/modules"]),
    ("plain", "vm-virtio", "no-initramfs", 3, &["initramfs.img", "run dracut in the Containerfile"]),
    ("plain", "vm-virtio", "no-initramfs-xfs", 3, &["initramfs lacks 'xfs'", "the root file system"]),
    ("image-mode", "vm-virtio", "no-initramfs-dm", 3, &["initramfs lacks 'dm_mod'", "the logical volume of the root"]),
    ("refused/absent-disk", "vm-virtio", "demo", 3, &["there is no disk 'sdx'", "disks here: /dev/vda (20 GiB"]),
    ("refused/key-without-user", "vm-virtio", "demo", 2, &["admim-user", "user --name=admim-user", ":4:19"]),
    (
        "refused/boot-on-volume",
        "vm-virtio",
        "demo",
        2,
        &["/boot would be in the logical volume vg/root", "reqpart --add-boot"],
    ),
    (
        "refused/volumes-too-large",
        "vm-virtio",
        "demo",
        3,
        &["volume group vg is too small", "it has 5 GiB for volumes"],
    ),
    ("refused/no-place-for-grub", "aarch64-uefi", "arm64", 2, &["no place for the boot loader (UEFI)", "--fstype=efi"]),
    ("refused/no-root", "vm-virtio", "demo", 2, &["none for `/`", "add `part /"]),
    ("refused/no-partitions", "vm-virtio", "demo", 2, &["says nothing about partitions", "autopart --type=plain"]),
    ("refused/root-too-small", "vm-virtio", "demo", 3, &["/ is too small", "300 MiB", "545 MiB"]),
    (
        "refused/boot-too-small",
        "vm-virtio",
        "large-kernel",
        3,
        &["/boot is too small", "200 MiB", "(180 MiB)", "419 MiB"],
    ),
    ("refused/log-too-small", "vm-virtio", "demo", 2, &["/var/log gets 256 MiB", "xfs takes 300 MiB", "--fstype=ext4"]),
    ("plain", "vm-virtio", "bound-images", 3, &["wants other images", "app.image", "bound-images.d"]),
    ("refused/etc-partition", "vm-virtio", "demo", 2, &["part /etc", "belongs to the image", ":4:6"]),
    (
        "refused/no-such-partition",
        "old-linux",
        "demo",
        3,
        &["no partition 'vda9'", "no-such-partition.ks:3", "/dev/vda4 (xfs, 10 GiB)"],
    ),
    ("refused/kept-root", "old-linux", "demo", 2, &["/ cannot be kept", ":3:1"]),
    ("refused/cleared-and-kept", "old-linux", "demo", 2, &["all partitions of Linux are to be cleared", ".ks:4"]),
    ("refused/kept-otherwise", "old-linux", "demo", 3, &["it is ext4, and xfs is asked for", ".ks:4"]),
    ("refused/not-biosboot", "old-linux", "demo", 3, &["/dev/vda3 is not a BIOS boot partition", "bios_grub on"]),
    ("refused/beside-kept", "old-linux", "demo", 2, &["would be made on /dev/vda", "name a partition that is there"]),
    (
        "refused/not-supported",
        "vm-virtio",
        "demo",
        2,
        &["autopart --encrypted is not supported", "`iscsi` is not supported"],
    ),
];

#[test]
fn refusals_say_what_is_wrong_and_what_to_do() {
    for (kickstart, machine, image, code, words) in REFUSALS {
        let outcome = plan(kickstart, machine, image, "text").exits(*code).one_error().says(words);
        assert_eq!(outcome.stdout, "", "a refusal is no plan: {outcome}");
        outcome.keeps(&["s3cret-passphrase"]);
    }
}

#[test]
fn every_example_is_a_good_kickstart() {
    let mut count = 0;
    for entry in std::fs::read_dir(kickstarts()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ks") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            run_in(&kickstarts(), &["check", &name]).exits(0);
            count += 1;
        }
    }
    assert!(count >= 9, "only {count} kickstarts were found");
}

#[test]
fn a_plan_has_no_secrets() {
    for format in ["text", "json"] {
        let outcome = plan("everything", "vm-virtio", "selinux", format).exits(0);
        outcome.keeps(&["root.hash", "admin.hash", "s3cret-wpa-key"]);
    }
}

#[test]
fn what_is_no_machine_or_no_image_is_refused_by_name() {
    let good = "../images/demo.json";
    let run = |machine: &str, image: &str| {
        run_in(&kickstarts(), &["plan", "plain.ks", "--machine", machine, "--image-facts", image])
    };
    run(good, good).exits(2).one_error().says(&["../images/demo.json", "no machine document"]);
    run("plain.ks", good).exits(2).one_error().says(&["plain.ks"]);
    run("none.json", good).exits(2).one_error().says(&["none.json"]);
    run("../machines/vm-virtio.json", "../machines/vm-virtio.json").exits(2).one_error().says(&["image facts"]);
}

#[test]
fn a_disk_image_needs_no_disk() {
    let args = ["plan", "plain.ks", "--machine", "../machines/no-disk.json", "--image-facts", "../images/demo.json"];
    let file = ["--disk-image", "none/disk.img", "--size", "10G"];
    let outcome = run_in(&kickstarts(), &[args.as_slice(), &file].concat()).exits(0);
    for word in ["the disk image none/disk.img (10 GiB)", "Destroys:    nothing", "mkfs.xfs"] {
        assert!(outcome.stdout.contains(word), "no `{word}` in\n{outcome}");
    }
    let small = ["--disk-image", "none/disk.img", "--size", "1G"];
    run_in(&kickstarts(), &[args.as_slice(), &small].concat()).exits(3).says(&["none/disk.img is too small"]);
}

/// /boot may hold this kernel, and not the next.
#[test]
fn an_update_has_no_room_in_a_small_boot() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(kickstarts().join("own-partitions.ks")).unwrap();
    let planned = |size: u32| {
        let text = text.replace("--fstype=ext4 --size=1024", &format!("--fstype=ext4 --size={size}"));
        std::fs::write(dir.path().join("a.ks"), text).unwrap();
        let recorded = |name: &str| kickstarts().parent().unwrap().join(name).display().to_string();
        let (machine, image) = (recorded("machines/vm-virtio.json"), recorded("images/large-kernel.json"));
        let args = ["plan", "a.ks", "--machine", &machine, "--image-facts", &image];
        run_in(dir.path(), &args).exits(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(planned(418).contains("not those of an update beside them"), "{}", planned(418));
    assert!(!planned(419).contains("of an update"), "{}", planned(419));
}

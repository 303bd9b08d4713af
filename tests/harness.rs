//! Proves that the test harness itself does what the other tests rely on.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::disk::{self, LoopDevice};
use crate::support::faulty::{Fault, FaultyProxy};
use crate::support::mini_image::{Compression, Layer, MiniImage, write_index};
use crate::support::network::Network;
use crate::support::qemu::{Firmware, Machine};
use crate::support::registry::Registry;
use crate::support::uml::UserModeLinux;
use crate::support::{need, output, payload, run};

fn skopeo() -> Command {
    Command::new(need("skopeo", "skopeo"))
}

/// Pulls through `address` into a new directory; whether it worked.
fn pull(address: &str, into: &Path) -> bool {
    let mut command = skopeo();
    command.args(["copy", "--quiet", "--src-tls-verify=false", "--src-no-creds"]);
    command.arg(format!("docker://{address}/mini:1")).arg(format!("dir:{}", into.display()));
    output(&mut command).status.success()
}

#[test]
fn a_mini_image_survives_a_registry_and_a_faulty_proxy() {
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("oci");
    let top = Layer::new(Compression::Zstd)
        .dir("usr/share", 0o755)
        .file("usr/share/a", 0o4755, b"set-id")
        .hard_link("usr/share/b", "usr/share/a")
        .capable_file("usr/share/c", b"capable")
        .whiteout("etc/hosts")
        .opaque("usr/lib/os-release.d");
    let written = MiniImage::bootable().layer(top).write(&layout, "mini");

    let registry = Registry::start();
    assert_eq!(registry.push(&layout, "mini", "mini:1"), written);

    let proxy = FaultyProxy::start(&registry.address());
    assert!(pull(&proxy.address(), &dir.path().join("clean")));
    assert!(proxy.count("/blobs/") >= 3);

    for (n, fault) in [Fault::Status(500), Fault::CutAfter(20), Fault::Corrupt { offset: 15 }].into_iter().enumerate() {
        let out = dir.path().join(format!("broken-{n}"));
        proxy.inject("/blobs/", fault.clone(), None);
        assert!(!pull(&proxy.address(), &out), "{fault:?} went unnoticed");
        proxy.heal();
    }
    proxy.inject("/manifests/", Fault::Status(404), Some(1));
    assert!(!pull(&proxy.address(), &dir.path().join("once")));
    assert!(pull(&proxy.address(), &dir.path().join("again")), "the fault was for one request");
}

#[test]
fn a_registry_with_a_login_refuses_strangers() {
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("oci");
    MiniImage::bootable().write(&layout, "mini");
    let registry = Registry::start_with_login("installer", "s3cret");
    registry.push(&layout, "mini", "mini:1");
    assert!(!pull(&registry.address(), &dir.path().join("stranger")));
    let mut inspect = skopeo();
    inspect.args(["inspect", "--tls-verify=false", "--authfile"]).arg(registry.auth_file());
    run(inspect.arg(format!("docker://{}/mini:1", registry.address())));
}

#[test]
fn an_index_has_an_image_for_each_architecture() {
    let dir = tempfile::tempdir().unwrap();
    let images = ["amd64", "arm64"].map(|arch| MiniImage::bootable().architecture(arch)).into();
    let digest = write_index(dir.path(), "multi", images);
    let registry = Registry::start();
    assert_eq!(registry.push(dir.path(), "multi", "multi:1"), digest);
    for arch in ["amd64", "arm64"] {
        let mut inspect = skopeo();
        inspect.args(["inspect", "--tls-verify=false", "--override-arch", arch]);
        let json = run(inspect.arg(format!("docker://{}/multi:1", registry.address())));
        assert!(json.contains(&format!("\"Architecture\": \"{arch}\"")), "{json}");
    }
}

#[test]
fn a_tar_of_a_mini_layer_is_read_by_gnu_tar() {
    let dir = tempfile::tempdir().unwrap();
    let layer = Layer::new(Compression::None).dir("d", 0o755).capable_file("d/f", b"x").symlink("d/s", "f");
    MiniImage::empty().layer(layer).write(dir.path(), "t");
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("index.json")).unwrap()).unwrap();
    let blob = |value: &serde_json::Value| {
        crate::support::mini_image::blob_path(dir.path(), value["digest"].as_str().unwrap())
    };
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(blob(&index["manifests"][0])).unwrap()).unwrap();
    let list =
        run(Command::new("tar").args(["--list", "--verbose", "--xattrs", "--file"]).arg(blob(&manifest["layers"][0])));
    assert!(list.contains("d/s -> f") && list.lines().count() >= 3, "{list}");
}

#[test]
fn a_fingerprint_tells_a_touched_disk_and_loop_devices_go_away() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("disk.img");
    disk::sparse_file(&image, 64 * disk::MIB);
    let before = disk::fingerprint(&image);
    assert_eq!(before.size, 64 * disk::MIB);

    let device = LoopDevice::attach(&image);
    let path = device.path().to_owned();
    assert_eq!(disk::fingerprint(&path), before);
    let mut table = Command::new("sh");
    table.args(["-c", "printf 'label: gpt\\nsize=8M\\nsize=8M\\n' | sfdisk --quiet --no-reread \"$0\""]).arg(&path);
    run(&mut table);
    device.show_partitions();
    let mut byte = [0];
    std::fs::File::open(device.partition(2)).unwrap().read_exact(&mut byte).unwrap();
    drop(device);

    assert_ne!(disk::fingerprint(&image), before);
    let left = run(Command::new(need("losetup", "mount")).arg("--associated").arg(&image));
    assert_eq!(left, "", "the loop device is still attached");
}

#[test]
fn a_machine_starts_the_demo_kernel() {
    let dir = tempfile::tempdir().unwrap();
    let [kernel, initramfs] = ["vmlinuz", "initramfs.img"].map(|name| dir.path().join(name));
    let unpack = "cd \"$0\"; layer=$(skopeo inspect oci:\"$1\":demo | jq -r '.Layers[1]'); \
        tar -xzf \"$1/blobs/sha256/${layer#sha256:}\" --strip-components=4 --wildcards '*/vmlinuz' '*/initramfs.img'";
    need("jq", "jq");
    run(Command::new("bash").args(["-euc", unpack]).arg(dir.path()).arg(crate::support::demo_image()));

    let machine = Machine::new(Firmware::Bios).arg("-kernel").arg(&kernel).arg("-initrd").arg(&initramfs);
    // No root to be found: the initramfs coming up is all that is asked for.
    let mut vm = machine.arg("-append").arg("console=ttyS0 root=none").start();
    vm.wait_for_serial("Run /init as init process", Duration::from_secs(300));
    vm.wait_for_serial("systemd", Duration::from_secs(180));
    assert!(!vm.serial().contains('\x1b'));
}

/// BIOS, iPXE and dnsmasq in a namespace: a script, a kernel and an initrd by TFTP.
#[test]
fn a_machine_boots_from_a_network_of_its_own() {
    let mut network = Network::new();
    let root = network.dir().join("tftp");
    std::fs::create_dir(&root).expect("making a directory");
    payload::kernel(&root.join("vmlinuz"));
    let init = "/bin/busybox mount -t devtmpfs dev /dev\n/bin/busybox mount -t proc proc /proc\nexec >/dev/ttyS0 2>&1\n\
        /bin/busybox echo \"BOOTED $(/bin/busybox cat /proc/cmdline)\"\n/bin/busybox poweroff -f\n";
    payload::initrd(&root.join("initrd.img"), init);
    let script = "#!ipxe\nkernel vmlinuz console=ttyS0 quiet from=${net0/mac},${net0/ip} initrd=initrd.img\n\
        initrd initrd.img\nboot\n";
    std::fs::write(root.join("boot.ipxe"), script).expect("writing the script");
    network.dnsmasq(&format!(
        "dhcp-range=10.77.0.50,10.77.0.99\nenable-tftp\ntftp-root={}\ndhcp-boot=boot.ipxe\n",
        root.display()
    ));
    let card = network.card();
    let mut vm = Machine::new(Firmware::Bios).memory(512).network(&card).start();
    vm.wait_for_serial("BOOTED", Duration::from_secs(600));
    vm.wait_for_exit(Duration::from_secs(180));
    let from = format!("from={},{}", card.mac, card.ip);
    assert!(vm.serial().contains(&from), "no {from} in\n{}", vm.serial());
    assert!(network.dnsmasq_log().contains("DHCPACK"));
    let name = network.name().to_owned();
    drop((vm, network));
    let left = run(Command::new(need("ip", "iproute2")).args(["netns", "list"]));
    assert!(!left.contains(&name), "{name} is left");
}

/// Volumes of two disks, made by one machine and found by another; what is written on the host is
/// not kept, and nothing of the machine is left.
#[test]
fn a_script_runs_on_made_up_disks() {
    let dir = tempfile::tempdir().unwrap();
    let disks = ["one.img", "two.img"].map(|name| dir.path().join(name));
    let mut machine = UserModeLinux::new().memory(512);
    for disk in &disks {
        disk::sparse_file(disk, 300 * disk::MIB);
        machine = machine.disk(disk);
    }
    let script = "set -e; echo said; echo complained >&2; touch kept /etc/not-kept-by-a-script
        vgcreate --quiet pool /dev/ubda /dev/disk/by-id/uml-disk1; lvcreate --quiet --name root --size 400M pool
        mkfs.xfs -q /dev/pool/root; mkfs.vfat -n LABEL -C esp.img 1024; mkdir /run/esp; mount -o loop esp.img /run/esp
        findmnt -no FSTYPE /run/esp; umount /run/esp; \"$BOOTC_KS\" --version; exit 7";
    let done = machine.run(dir.path(), script).exits(7);
    assert!(done.stdout.starts_with("said\n"), "{done}");
    assert!(done.stdout.contains("vfat\nbootc-ks ") && done.stderr.contains("complained\n"), "{done}");
    assert!(dir.path().join("kept").exists() && !Path::new("/etc/not-kept-by-a-script").exists());

    let found = machine.run(dir.path(), "blkid -s TYPE -o value /dev/pool/root; vgs --noheadings -o pv_count").exits(0);
    assert_eq!(found.stdout.split_whitespace().collect::<Vec<_>>(), ["xfs", "2"], "{found}");
    let files = run(Command::new(need("find", "findutils")).arg(dir.path()).args(["-printf", "%f\n"]));
    assert!(!files.contains("serial.log"), "{files}");
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains("/dev/shm/disk/"), "{mounts}");
}

/// A machine whose power is cut has written what it has flushed, and leaves no process.
#[test]
fn a_machine_that_is_cut_off_leaves_no_process() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk.img");
    disk::sparse_file(&disk, 64 * disk::MIB);
    payload::initrd(
        &dir.path().join("initrd"),
        "/bin/busybox mount -t devtmpfs dev /dev\nexec >/dev/console 2>&1\n\
        /bin/busybox echo written | /bin/busybox dd of=/dev/ubda conv=fsync\n/bin/busybox echo BOOTED\n/bin/busybox sleep 1000\n",
    );
    let mark = format!("marked.{}=1", std::process::id());
    let machine = UserModeLinux::new().memory(256).disk(&disk);
    let mut vm = machine.start_initramfs(&dir.path().join("initrd"), &mark, false);
    vm.wait_for_serial("BOOTED", Duration::from_secs(120));
    assert!(processes_with(&mark) > 0);
    vm.cut_power();
    assert_eq!(processes_with(&mark), 0, "a process of it runs still");
    assert!(std::fs::read(&disk).unwrap().starts_with(b"written\n"));
}

/// How many processes have `word` among their arguments.
fn processes_with(word: &str) -> usize {
    let lines = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

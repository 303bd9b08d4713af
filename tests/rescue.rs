//! A machine that runs from one disk installs onto others: a kernel with device-mapper, real
//! LVM, udev, and a vfat that can be mounted.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli::{bootc_ks, finish};
use crate::support::disk::sparse_file;
use crate::support::network::{HOST, Network};
use crate::support::registry::Registry;
use crate::support::ssh::SshKey;
use crate::support::uml::UserModeLinux;
use crate::support::vm::Vm;
use crate::support::{demo_image, need, ostree_program, run};

/// What Debian's ca-certificates makes.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Where the kickstart is served, beside the registry.
const PORT: u16 = 8080;

/// Serves the kickstarts in the network.
fn serve(network: &mut Network, first: &str, second: &str) {
    let dir = network.dir().join("www");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("1.ks"), first).unwrap();
    std::fs::write(dir.join("2.ks"), second).unwrap();
    let mut httpd = network.command(&need("busybox", "busybox-static"));
    network.start("httpd", httpd.args(["httpd", "-f", "-p", &format!("{HOST}:{PORT}"), "-h"]).arg(dir));
    network.wait_for_http(&format!("http://{HOST}:{PORT}/2.ks"));
}

fn kickstart(registry: &str, key: &SshKey) -> String {
    format!(
        "lang en_US.UTF-8\nkeyboard us\ntimezone Etc/UTC --utc\nnetwork --hostname=installed\n\
         ignoredisk --only-use=/dev/disk/by-id/uml-disk1\nzerombr\nclearpart --all --initlabel\nautopart\nreboot\n\
         user --name=admin-user --groups=wheel\nsshkey --username=admin-user \"{}\"\n\
         ostreecontainer --url={registry}/demo:latest --no-signature-verification\n",
        key.public
    )
}

/// Volume groups of one's own in place of automatic partitioning: one for the system, and one over
/// two disks for what the users keep, in a volume that neither of them could hold.
fn own_volumes(kickstart: &str) -> String {
    let disk = |number: u8| format!("--ondisk=/dev/disk/by-id/uml-disk{number}");
    let (one, two) = (disk(1), disk(2));
    let partitions = format!(
        "part /boot --size=1024 --label=boot {one}\npart pv.1 --size=3072 {one}\n\
         part pv.2 --size=1024 --grow {one}\npart pv.3 --size=1024 --grow {two}\n"
    );
    let volumes = "volgroup system_own pv.1\nlogvol / --vgname=system_own --name=root --size=2048 --grow\n\
        logvol swap --vgname=system_own --name=swap --size=256\nvolgroup data pv.2 pv.3 --pesize=8192\n\
        logvol /home --vgname=data --name=home --fstype=ext4 --size=2560 --grow --fsoptions=nodev\n";
    kickstart
        .replace("ignoredisk --only-use=/dev/disk/by-id/uml-disk1\n", "")
        .replace("autopart\n", &format!("{partitions}{volumes}"))
}

/// Copies our two programs into the machine, below `/var/tmp`, and beside them this machine's CA
/// certificates, which the image does not have.
fn send_command(vm: &Vm, dir: &Path) {
    let strip = need("strip", "binutils");
    let [command, ostree] = [PathBuf::from(env!("CARGO_BIN_EXE_bootc-ks")), ostree_program()].map(|program| {
        let small = dir.join(program.file_name().unwrap_or_default());
        run(Command::new(&strip).arg("-o").arg(&small).arg(&program));
        small
    });
    vm.send(&[&command, &ostree, Path::new(CERTIFICATES)], "/var/tmp/");
    let missing = vm.ssh("ldd /var/tmp/bootc-ks /var/tmp/bootc-ks-ostree | grep 'not found'");
    assert!(!missing.status.success(), "the image lacks {}", String::from_utf8_lossy(&missing.stdout));
}

#[test]
fn a_running_machine_installs_onto_its_other_disks_with_lvm() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    let registry = Registry::start();
    registry.push(&demo_image(), "demo", "demo:latest");
    let mut network = Network::new();
    let guest = registry.serve_in(&mut network);
    network.dnsmasq("dhcp-range=10.77.0.50,10.77.0.99\n");
    let automatic = kickstart(&guest, &key);
    serve(&mut network, &automatic, &own_volumes(&automatic));

    // The machine that installs, itself made by us.
    let first = kickstart(&registry.address(), &key).replace("autopart", "autopart --type=plain");
    std::fs::write(dir.path().join("first.ks"), first).unwrap();
    let args = ["install", "first.ks", "--disk-image", "first.img", "--size", "5G", "--log", "install.log"];
    finish(bootc_ks(dir.path()).args(args).args(["--insecure-registry", &registry.address()])).exits(0);
    let second = dir.path().join("second.img");
    sparse_file(&second, 6 << 30);
    let third = dir.path().join("third.img");
    sparse_file(&third, 2 << 30);

    let machine = UserModeLinux::new().memory(2048).network(&network.card());
    let mut vm = machine.disk(&dir.path().join("first.img")).disk(&second).disk(&third).start_installed();
    vm.log_in(&key, "admin-user");
    send_command(&vm, dir.path());
    install_inside(&vm, &guest);
    vm.power_off();

    let mut vm = UserModeLinux::new().disk(&second).disk(&third).start_installed();
    let took = vm.log_in(&key, "admin-user");
    println!("a login {:.0} s after the kernel's start", took.as_secs_f64());
    looks_right(&vm);
    vm.power_off();
}

fn install_inside(vm: &Vm, registry: &str) {
    let of_round = format!("/var/tmp/bootc-ks CMD http://{HOST}:{PORT}/ROUND.ks --insecure-registry {registry}");
    let bare = of_round.replace("ROUND", "1");
    let command = format!("sudo -n SSL_CERT_FILE=/var/tmp/ca-certificates.crt {of_round}");
    let probe = vm.ssh_ok("sudo -n /var/tmp/bootc-ks probe --json");
    let machine: serde_json::Value = serde_json::from_str(&probe).expect("reading the probe");
    assert_eq!(machine["kernel"]["device_mapper"], true, "{machine:#}");
    assert_eq!(machine["disks"].as_array().map(Vec::len), Some(3), "{machine:#}");
    // A registry that need not be verified needs no certificates; a disk needs its reader to be root.
    let ordinary = vm.ssh(&bare.replace("CMD", "plan"));
    let told = String::from_utf8_lossy(&ordinary.stderr);
    assert!(!ordinary.status.success() && told.contains("as root, if you are not"), "{told}");
    let command = |verb: &str, round: u8| command.replace("CMD", verb).replace("ROUND", &round.to_string());
    let plan = vm.ssh_ok(&command("plan", 1));
    assert!(plan.contains("Target:      /dev/ubdb (6 GiB") && plan.contains("uml-disk1"), "{plan}");
    // Twice: the second finds what the first has left and has leave to clear it, and takes one disk more.
    for round in 1..=2 {
        let told = vm.ssh_ok(&(command("install", round) + " --yes --no-reboot 2>&1"));
        println!("round {round}: {}", told.lines().find(|line| line.starts_with("Installed")).unwrap_or(&told));
        assert!(told.contains("Installed on /dev/ubdb"), "{told}");
        assert_eq!(told.contains("LVM2_member"), round == 2, "what is destroyed is listed: {told}");
        let mounted = vm.ssh_ok("grep -c /run/bootc-ks /proc/mounts || true");
        assert_eq!(mounted, "0", "something is still mounted");
        // This system's udev starts every volume group that it sees, ours again as well; and
        // an active volume means a disk in use.
        vm.ssh_ok("sudo -n udevadm settle && sudo -n lvm vgchange --quiet --activate n 2>&1");
    }
}

fn looks_right(vm: &Vm) {
    vm.ssh("systemctl is-system-running --wait");
    assert_eq!(vm.ssh_ok("systemctl --failed --no-legend --plain"), "");
    assert_eq!(vm.ssh_ok("hostname"), "installed");
    let root = vm.ssh_ok("findmnt -no SOURCE /sysroot | cut -d'[' -f1");
    assert!(root.starts_with("/dev/mapper/system_") && root.ends_with("-root"), "{root}");
    assert_eq!(vm.ssh_ok("findmnt -no FSTYPE /sysroot"), "xfs");
    assert_eq!(vm.ssh_ok("findmnt -no FSTYPE /boot"), "ext4");
    assert!(vm.ssh_ok("cat /proc/swaps").contains("/dev/dm-"), "no swap");
    let cmdline = vm.ssh_ok("cat /proc/cmdline");
    let volume = root.trim_start_matches("/dev/mapper/").replace('-', "/");
    assert!(cmdline.contains(&format!(" rd.lvm.lv={volume} ")), "{cmdline}");
    let home = vm.ssh_ok("findmnt -rno SOURCE,FSTYPE,OPTIONS /var/home");
    assert!(home.starts_with("/dev/mapper/data-home ext4 ") && home.contains("nodev"), "{home}");
    let size: u64 = vm.ssh_ok("findmnt -bno SIZE /var/home").trim().parse().unwrap();
    assert!(size > 3 << 30, "{size}: the volume is on one disk alone");
    vm.ssh_ok("sudo -n true");
    vm.ssh_ok("sudo -n ostree fsck --quiet");
    vm.ssh_ok("sudo -n test -s /var/log/bootc-ks/install.log");
}

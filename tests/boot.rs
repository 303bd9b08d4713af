//! The main thing: an image in a registry, a kickstart, a disk, and a machine that starts from
//! it, is what was asked for, lets its administrator in and takes updates; and then machines with
//! both kinds of firmware, whose boot loaders start what the last update made, from the same disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::support::cli::{bootc_ks, finish};
use crate::support::disk::sparse_file;
use crate::support::qemu::{Firmware, Machine};
use crate::support::registry::Registry;
use crate::support::ssh::{SshKey, ssh};
use crate::support::uml::UserModeLinux;
use crate::support::vm::Vm;
use crate::support::{demo_image, example, source_root};

/// An emulated machine on a busy host.
const PATIENCE: Duration = Duration::from_secs(1200);
/// The origin file of a deployment.
const ORIGIN: &str = "$(ls -d /sysroot/ostree/deploy/default/deploy/*.origin | head -n1)";

/// Installs the demo image from `registry` by the example kickstart; returns the digest.
fn install(dir: &Path, key: &SshKey, registry: &Registry) -> String {
    let digest = registry.push(&demo_image(), "demo", "demo:latest");
    let example = std::fs::read_to_string(source_root().join("tests/kickstarts/plain.ks")).unwrap();
    let text = example
        .replace("registry.example/demo:latest", &format!("{}/demo:latest", registry.address()))
        .replace("@SSHKEY@", &key.public);
    let extra = "bootloader --append=\"site.one=1 site.two=2\"\n%post\necho by-post > /etc/by-post\n%end\n";
    std::fs::write(dir.join("site.ks"), text + extra).unwrap();
    let args = ["--disk-image", "disk.img", "--size", "5G", "--log", "install.log", "--format", "json"];
    let insecure = ["--insecure-registry", &registry.address()];
    let report = finish(bootc_ks(dir).args(["install", "site.ks"]).args(args).args(insecure)).exits(0).json();
    assert_eq!(report["image"], digest.as_str(), "{report:#}");
    report["commit"].as_str().unwrap().to_owned()
}

#[test]
fn an_installed_disk_takes_updates_and_boots_under_both_firmwares() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    let registry = Registry::start();
    let commit = install(dir.path(), &key, &registry);
    let disk = dir.path().join("disk.img");

    let mut vm = UserModeLinux::new().disk(&disk).start_installed();
    let took = vm.log_in(&key, "admin-user");
    println!("a login {:.0} s after the kernel's start", took.as_secs_f64());
    wait_until_running(&vm);
    is_what_was_asked_for(&vm, &commit);
    update(&vm, &commit, "first");
    vm.restart();
    wait_until_running(&vm);
    is_updated(&vm, &commit, &["first"]);
    update(&vm, &commit, "second");
    // What an update has done when it says so is on the disk.
    vm.crash();
    wait_until_running(&vm);
    is_updated(&vm, &commit, &["first", "second"]);

    // What ran before the update is the next entry of the menu, and is what it was.
    let mut vm = vm.power_off().entry(1).start_installed();
    vm.log_in(&key, "admin-user");
    wait_until_running(&vm);
    is_updated(&vm, &commit, &["first"]);
    assert!(!vm.ask("cat /proc/cmdline").contains("updated.second"), "it is the new one");
    vm.power_off();

    // The firmware, the boot loader and the image's own kernel; each firmware has never seen the disk.
    for firmware in [Firmware::Bios, Firmware::Uefi] {
        let vm = start(&disk, firmware, &key);
        has_its_kernel_arguments(&vm.ssh_ok("cat /proc/cmdline"));
        is_updated(&vm, &commit, &["first", "second"]);
        menu_is_written_as_before(&vm, &commit, firmware);
        vm.power_off(Duration::from_secs(300));
    }
}

/// The example of image mode, by programs of this host and on a kernel that can carry its volumes.
#[test]
fn the_example_is_installed_where_the_kernel_has_lvm() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    std::fs::write(dir.path().join("site.ks"), example::kickstart(&key)).unwrap();
    let disk = dir.path().join("disk.img");
    sparse_file(&disk, 6 << 30);
    let machine = UserModeLinux::new().memory(2048).disk(&disk);
    let image = format!("oci:{}:demo", demo_image().display());
    let args = ["install", "site.ks", "--image", &image, "--yes", "--no-reboot", "--log", "install.log"];
    let outcome = machine.bootc_ks(dir.path(), &args).exits(0);
    assert!(outcome.stdout.contains("Installed on /dev/ubda"), "{outcome}");
    let mut vm = machine.start_installed();
    vm.log_in(&key, "admin-user");
    example::looks_right(&vm);
    // The cut-off machine's volumes are found again.
    vm.ask("sudo -n sh -c 'echo kept > /var/kept; sync'");
    vm.crash();
    example::looks_right(&vm);
    assert_eq!(vm.ask("cat /var/kept"), "kept");
    vm.power_off();
}

fn start(disk: &Path, firmware: Firmware, key: &SshKey) -> Vm {
    let mut vm = Machine::new(firmware).disk(disk).start();
    let took = vm.wait_for_ssh(key, "admin-user", PATIENCE);
    println!("{firmware:?}: a login {:.0} s after power on", took.as_secs_f64());
    let uefi = vm.ssh("test -d /sys/firmware/efi").status.success();
    assert_eq!(uefi, firmware == Firmware::Uefi, "the firmware is not the one that was asked for");
    wait_until_running(&vm);
    vm
}

/// Waits until everything that starts has started.
fn wait_until_running(vm: &Vm) {
    let state = vm.ssh("systemctl is-system-running --wait");
    let failed = vm.ssh_ok("systemctl --failed --no-legend --plain");
    assert_eq!(failed, "", "units have failed ({})", String::from_utf8_lossy(&state.stdout).trim());
}

fn is_what_was_asked_for(vm: &Vm, commit: &str) {
    let status = vm.ssh_ok("sudo -n ostree admin status");
    assert!(status.contains(&format!("* default {commit}.")), "{status}");
    let id = vm.ssh_ok("id");
    assert!(id.contains("(admin-user)") && id.contains("(wheel)"), "{id}");
    vm.ssh_ok("sudo -n true");
    assert_eq!(vm.ssh_ok("hostname"), "demo");
    assert_eq!(vm.ssh_ok("pwd"), "/var/home/admin-user");
    assert_eq!(vm.ssh_ok("cat /etc/by-post"), "by-post");

    let root = vm.ssh_ok("sudo -n grep '^root:' /etc/shadow");
    let password = root.split(':').nth(1).unwrap_or_default();
    assert!(password.starts_with(['*', '!']), "a password opens root: {root}");
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = SshKey::generate(elsewhere.path());
    assert!(!ssh(vm.way(), &stranger, "admin-user", "true").status.success(), "any key opens the machine");

    assert_eq!(vm.ssh_ok("findmnt -no FSTYPE /sysroot"), "xfs");
    assert_eq!(vm.ssh_ok("findmnt -no FSTYPE /boot"), "ext4");
    let options = |at: &str| vm.ssh_ok(&format!("findmnt -no OPTIONS {at}"));
    assert!(options("/boot").split(',').any(|option| option == "ro"), "/boot: {}", options("/boot"));
    assert!(options("/usr").split(',').any(|option| option == "ro"), "/usr: {}", options("/usr"));
    assert!(!vm.ssh("sudo -n touch /usr/written").status.success(), "/usr can be written to");
    vm.ssh_ok("sudo -n touch /etc/written /var/written");
    assert_eq!(vm.ssh_ok("sudo -n getcap /usr/libexec/demo/capable | cut -d' ' -f2"), "cap_net_bind_service=ep");
    assert_eq!(vm.ssh_ok("/usr/libexec/demo/setuid -u"), "0");
    vm.ssh_ok("! test -e /usr/share/demo/removed-by-layer-3");
    let seen =
        "cd /usr/share/demo; stat -c %i link-a link-b | uniq | wc -l; readlink symlink; ls opaque | wc -l; cat gr*.txt";
    assert_eq!(vm.ssh_ok(seen), "1\nlink-a\n1\nA name that is not ASCII.");
    vm.ssh_ok("sudo -n ostree fsck --quiet");
}

/// Those of the image and of the kickstart, in bootc's order; consoles and all.
fn has_its_kernel_arguments(cmdline: &str) {
    let wanted = [
        "rw",
        "boot=UUID=",
        "demo.installkarg=1",
        "console=tty0",
        "console=ttyS0,115200n8",
        "demo.x86=1",
        "site.one=1",
        "site.two=2",
    ];
    let mut places = wanted.map(|karg| {
        cmdline.split(' ').position(|word| word.starts_with(karg)).unwrap_or_else(|| panic!("no {karg} in {cmdline}"))
    });
    let seen = places;
    places.sort_unstable();
    assert_eq!(seen, places, "the order is not {wanted:?} in {cmdline}");
    assert!(!cmdline.contains("demo.arm"), "an argument for other machines: {cmdline}");
}

/// Another deployment of the same commit, which has the kernel argument `updated.WORD=1`.
fn update(vm: &Vm, commit: &str, word: &str) {
    vm.ssh_ok(&format!("echo {word} | sudo -n tee -a /etc/kept /var/kept >/dev/null"));
    vm.ssh_ok(&format!("sudo -n ostree admin deploy --karg-append=updated.{word}=1 --origin-file={ORIGIN} {commit}"));
}

/// An update under this firmware writes the menu that it has read, with one word more.
fn menu_is_written_as_before(vm: &Vm, commit: &str, firmware: Firmware) {
    let menu = || vm.ssh_ok("sudo -n cat /boot/grub/grub.cfg");
    let words = |menu: &str| {
        let lines: BTreeSet<String> =
            menu.lines().map(|line| line.trim_start().split(' ').next().unwrap_or_default().to_owned()).collect();
        lines
    };
    let before = menu();
    let word = format!("{firmware:?}");
    vm.ssh_ok(&format!("sudo -n ostree admin deploy --karg-append=updated.{word}=1 --origin-file={ORIGIN} {commit}"));
    let after = menu();
    assert!(after.contains(&format!("updated.{word}=1")), "the menu was not rewritten: {after}");
    assert_eq!(words(&before), words(&after), "another kind of menu");
    vm.ssh_ok("sudo -n ostree admin undeploy 0");
    assert!(!menu().contains(&format!("updated.{word}=1")), "the menu has what is gone");
}

/// Asserts that it runs what the last of these updates made, and that nothing is lost.
fn is_updated(vm: &Vm, commit: &str, words: &[&str]) {
    let cmdline = vm.ssh_ok("cat /proc/cmdline");
    let has = |karg: &str| cmdline.split(' ').any(|word| word == karg);
    assert!(has("site.two=2"), "arguments were lost: {cmdline}");
    for word in words {
        assert!(has(&format!("updated.{word}=1")), "the menu was not rewritten: {cmdline}");
        let count = format!("grep -cx {word} /etc/kept /var/kept");
        assert_eq!(vm.ssh_ok(&count), "/etc/kept:1\n/var/kept:1", "{word}");
    }
    let status = vm.ssh_ok("sudo -n ostree admin status");
    // The installed deployment is the first of this commit; each update makes one more.
    let running = format!("* default {commit}.{}", words.len());
    assert!(status.contains(&running), "not {running}: {status}");
}

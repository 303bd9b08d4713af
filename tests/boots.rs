//! The ways in: a machine starts from the network or from a medium, is installed by the example
//! kickstart as it stands, restarts, and lets its admin in; and it is installed once. Real
//! firmware, real boot loaders.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::cli::run_in;
use crate::support::disk::sparse_file;
use crate::support::environment::environment;
use crate::support::network::{Card, HOST, Network, wait_until};
use crate::support::qemu::{Firmware, Machine};
use crate::support::registry::Registry;
use crate::support::ssh::{SshKey, Way, ssh};
use crate::support::vm::Vm;
use crate::support::{demo_image, dies_with_the_test, example, free_port, need, run};

/// An installation and two starts under emulation, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1500);
/// What the installer says when it begins.
const BEGINS: &str = "this machine is going to be installed";

/// A working directory with the example kickstart and an empty disk.
struct Site {
    dir: tempfile::TempDir,
    key: SshKey,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SshKey::generate(dir.path());
        std::fs::write(dir.path().join("site.ks"), example::kickstart(&key)).unwrap();
        sparse_file(&dir.path().join("disk.img"), 8 << 30);
        Site { dir, key }
    }

    fn disk(&self) -> std::path::PathBuf {
        self.dir.path().join("disk.img")
    }

    /// Waits for the installed system and looks at it.
    fn is_installed_once(&self, vm: &mut Vm) {
        let took = vm.wait_for_ssh(&self.key, "admin-user", PATIENCE);
        println!("a login {:.0} s after the machine was switched on to be installed", took.as_secs_f64());
        let serial = vm.serial();
        assert_eq!(serial.matches(BEGINS).count(), 1, "not once: {serial}");
        assert!(serial.contains("Installed; reboot now."), "{serial}");
        example::looks_right(vm);
    }
}

/// The network's services: the registry, which is returned, and the server with one machine that
/// is armed and gets `karg` besides.
fn serve(network: &mut Network, site: &Site, card: &Card, karg: &str) -> Registry {
    let registry = Registry::start();
    registry.push(&demo_image(), "demo", "demo:latest");
    let address = registry.serve_in(network);
    let machines = format!(
        "[[machine]]\nname = 'one'\nmac = '{}'\nkickstart = 'site.ks'\n\
         kargs = ['bootc-ks.image={address}/demo:latest', 'bootc-ks.insecure={address}', '{karg}']\n",
        card.mac
    );
    std::fs::write(site.dir.path().join("machines.toml"), machines).unwrap();
    let mut server = netboot(network, site, &["serve", "--machines", "machines.toml", "--environment"]);
    network.start("serve", server.arg(environment()).env("BOOTC_KS_LOG", "debug"));
    network.wait_for_http(&format!("http://{HOST}/boot.ipxe"));
    run(&mut netboot(network, site, &["arm", "one"]));
    registry
}

/// The command in the network.
fn netboot(network: &Network, site: &Site, args: &[&str]) -> Command {
    let mut command = network.command(Path::new(env!("CARGO_BIN_EXE_bootc-ks")));
    command.current_dir(site.dir.path()).arg("netboot").arg(args[0]).args(["--state", "state"]).args(&args[1..]);
    command
}

/// What the server knows of the machine at the end.
fn is_reported_installed(network: &Network) {
    let machines = network.curl(&[], &format!("http://{HOST}/v1/machines"));
    assert!(machines.contains(r#""state":"installed""#), "{machines}");
}

#[test]
fn by_pxe_under_bios() {
    let (mut network, site) = (Network::new(), Site::new());
    let card = network.card();
    let _registry = serve(&mut network, &site, &card, "quiet");
    network.dnsmasq(&format!("dhcp-range=10.77.0.50,10.77.0.99\ndhcp-boot=http://{HOST}/boot.ipxe\n"));
    // The card stays the first thing that the firmware tries.
    let mut vm = Machine::new(Firmware::Bios).disk(&site.disk()).network(&card).start();
    site.is_installed_once(&mut vm);
    is_reported_installed(&network);
    // Memory was too small to keep the image, which is that of the installer, and the disk was empty:
    // it was not read twice.
    let log = vm.ssh_ok("sudo -n cat /var/log/bootc-ks/install.log");
    assert!(log.contains("the image is known"), "{log}");
    // What was written in little memory is whole. It takes a minute, and once is enough.
    vm.ssh_ok("sudo -n ostree fsck --quiet");
    vm.power_off(Duration::from_secs(300));
}

#[test]
fn by_http_under_uefi() {
    let (mut network, site) = (Network::new(), Site::new());
    let card = network.card();
    // Something is on the disk, and memory is too small to keep the image.
    run(Command::new(need("mkfs.ext4", "e2fsprogs")).args(["-q", "-F", "-L", "precious"]).arg(site.disk()));
    let _registry = serve(&mut network, &site, &card, "bootc-ks.fetch-after-wipe");
    // Without shim in the image GRUB is the first that is loaded.
    network.dnsmasq(&format!(
        "dhcp-range=10.77.0.50,10.77.0.99\ndhcp-match=set:http,option:client-arch,16\n\
         dhcp-boot=tag:http,http://{HOST}/grubx64.efi\ndhcp-option-force=tag:http,60,HTTPClient\n"
    ));
    let mut vm = Machine::new(Firmware::Uefi).disk(&site.disk()).network(&card).start();
    site.is_installed_once(&mut vm);
    is_reported_installed(&network);
    // The firmware was told: it is the new entry that it started.
    let started = vm.ssh_ok("od -An -tx2 -j4 -N2 /sys/firmware/efi/efivars/BootCurrent-*");
    let entry = format!("tr -d '\\0' < /sys/firmware/efi/efivars/Boot{}-*", started.trim().to_uppercase());
    let entry = vm.ssh_ok(&entry);
    assert!(entry.contains("Debian") && entry.contains("BOOTX64.EFI"), "{entry}");
    vm.power_off(Duration::from_secs(300));
}

/// What docs/netboot.md has of memory: `BOOTC_KS_MEMORY` lists the sizes in MiB.
#[test]
#[ignore = "measures: how much memory an installation from the network and from a stick takes"]
fn with_little_memory() {
    let sizes = std::env::var("BOOTC_KS_MEMORY").unwrap_or_else(|_| "384 512 640".to_owned());
    for mib in sizes.split_whitespace().map(|size| size.parse().expect("sizes in MiB")) {
        for way in ["PXE, BIOS", "stick with the image, UEFI"] {
            let (mut network, site) = (Network::new(), Site::new());
            let card = network.card();
            let (_registry, mut vm) = if way.starts_with("PXE") {
                let registry = serve(&mut network, &site, &card, "quiet");
                network.dnsmasq(&format!("dhcp-range=10.77.0.50,10.77.0.99\ndhcp-boot=http://{HOST}/boot.ipxe\n"));
                let machine = Machine::new(Firmware::Bios).memory(mib).disk(&site.disk()).network(&card);
                (Some(registry), machine.start())
            } else {
                let image = format!("oci:{}:demo", demo_image().display());
                iso(&site, &["--embed-image", image.as_str(), "--target", "quay.io/myimage:latest"]);
                let machine = Machine::new(Firmware::Uefi).memory(mib).isolated().disk(&site.disk());
                (None, machine.usb(&site.dir.path().join("site.iso")).start())
            };
            let words = [
                "Installed; reboot now.",
                "error: too little memory",
                "error: this installer is not whole",
                "The installer could not be loaded",
            ];
            let ends = ["Kernel panic", "not installed ("];
            let said = vm.wait_for_one_of(&[&words[..], &ends].concat(), PATIENCE);
            println!("{mib} MiB, {way}: {}", said.unwrap_or("nothing"));
            if !said.is_some_and(|said| words.contains(&said)) {
                let serial = vm.serial();
                println!("{}", serial.get(serial.len().saturating_sub(3000)..).unwrap_or_default());
            }
        }
    }
}

/// Makes an ISO of the environment.
fn iso(site: &Site, more: &[&str]) {
    let environment = environment().display().to_string();
    let build = ["iso", "build", "--ks", "site.ks", "--output", "site.iso", "--environment", environment.as_str()];
    run_in(site.dir.path(), &[&build, more].concat()).exits(0);
}

#[test]
fn from_a_disc_under_bios() {
    let site = Site::new();
    let registry = Registry::start();
    registry.push(&demo_image(), "demo", "demo:latest");
    let guest = registry.address().replace("127.0.0.1", "10.0.2.2");
    let (image, insecure) = (format!("bootc-ks.image={guest}/demo:latest"), format!("bootc-ks.insecure={guest}"));
    iso(&site, &["--karg", image.as_str(), "--karg", insecure.as_str()]);
    // The disk first, as machines are set up that get their system from a disc; it is empty.
    let mut vm = Machine::new(Firmware::Bios).disk(&site.disk()).last_disc(&site.dir.path().join("site.iso")).start();
    site.is_installed_once(&mut vm);
    vm.power_off(Duration::from_secs(300));
}

#[test]
fn from_a_stick_under_uefi_without_a_network() {
    let site = Site::new();
    let image = format!("oci:{}:demo", demo_image().display());
    iso(&site, &["--embed-image", image.as_str(), "--target", "quay.io/myimage:latest"]);
    let medium = site.dir.path().join("site.iso");
    // The stick stays in, and first; the new entry of the firmware goes before it.
    let mut vm = Machine::new(Firmware::Uefi).isolated().disk(&site.disk()).usb(&medium).start();
    site.is_installed_once(&mut vm);
    let origin = vm.ssh_ok("sudo -n cat /ostree/deploy/default/deploy/*.origin");
    assert!(origin.contains("ostree-unverified-registry:quay.io/myimage:latest"), "{origin}");
    vm.power_off(Duration::from_secs(300));
}

#[test]
fn secure_boot_lets_the_installer_start() {
    let site = Site::new();
    iso(&site, &[]);
    let medium = site.dir.path().join("site.iso");
    let mut vm = Machine::new(Firmware::SecureBoot).isolated().disk(&site.disk()).usb(&medium).start();
    vm.wait_for_serial(BEGINS, PATIENCE);
    // The kernel itself says what the firmware told it.
    let serial = vm.serial();
    assert!(serial.contains("Secure boot enabled"), "{serial}");
}

#[test]
fn try_goes_the_whole_way() {
    try_by("bios");
}

#[test]
#[ignore = "as long again for another firmware; part of `make test-long`"]
fn try_goes_the_whole_way_under_uefi() {
    try_by("uefi");
}

fn try_by(firmware: &str) {
    let site = Site::new();
    let registry = Registry::start();
    registry.push(&demo_image(), "demo", "demo:latest");
    let (image, ssh_port) = (format!("{}/demo:latest", registry.address()), free_port());
    let log = site.dir.path().join("console");
    let out = std::fs::File::create(&log).unwrap();
    let mut command = dies_with_the_test(Path::new(env!("CARGO_BIN_EXE_bootc-ks")));
    command.current_dir(site.dir.path()).args(["try", "site.ks", "--image", image.as_str(), "--disks", "8G"]);
    command.args(["--firmware", firmware]);
    command.args(["--insecure-registry", &registry.address(), "--ssh-port", &ssh_port.to_string(), "--memory", "1G"]);
    command.arg("--environment").arg(environment()).stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
    let mut child = command.spawn().unwrap();
    let way = Way::Port(ssh_port);
    let text = || String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    wait_until(PATIENCE, "a login", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended: {}", text());
        ssh(&way, &site.key, "admin-user", "true").status.success()
    });
    assert!(text().contains("Installed; reboot now."), "{}", text());
    ssh(&way, &site.key, "admin-user", "sudo -n systemctl poweroff");
    assert!(child.wait().unwrap().success(), "{}", text());
    let left = std::fs::read_dir(site.dir.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with(".bootc-ks")), "something is left");
}

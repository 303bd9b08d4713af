//! Machines that boot from `bootc-ks netboot serve`: real firmware, real boot loaders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::bootserver::{Site, environment};
use crate::support::network::{Card, HOST, Network};
use crate::support::qemu::{Firmware, Machine};
use crate::support::{payload, run};

/// What the small initramfs says: its command line, and the kickstart that came with it.
const INIT: &str = "/bin/busybox mount -t devtmpfs dev /dev\n/bin/busybox mount -t proc proc /proc\n\
    exec >/dev/ttyS0 2>&1\n/bin/busybox echo \"CMDLINE $(/bin/busybox cat /proc/cmdline)\"\n\
    /bin/busybox stat -c 'MODE %a' /ks.cfg; /bin/busybox cat /ks.cfg\n/bin/busybox echo BOOTED\n\
    /bin/busybox reboot -f\n";

/// The command in the network.
fn netboot(network: &Network, site: &Site, args: &[&str]) -> Command {
    let mut command = network.command(Path::new(env!("CARGO_BIN_EXE_bootc-ks")));
    command.current_dir(site.path("")).arg("netboot").args(args).args(["--state", "state"]);
    command
}

/// A server on port 80 of the network, with one machine, which is armed. The server's log.
fn serve(network: &mut Network, site: &Site, card: &Card) -> PathBuf {
    site.write(
        "machines.toml",
        &format!(
            "[[machine]]\nname = 'pxe'\nmac = '{}'\nkickstart = 'site.ks'\nvars = {{ hostname = 'pxe' }}\n",
            card.mac
        ),
    );
    payload::kernel(&site.path("kernel"));
    payload::initrd(&site.path("initrd"), INIT);
    environment(&site.path("env"), &fs::read(site.path("kernel")).unwrap(), &fs::read(site.path("initrd")).unwrap());
    let mut command = netboot(network, site, &["serve", "--environment", "env", "--machines", "machines.toml"]);
    command.env("BOOTC_KS_LOG", "debug");
    let log = network.start("serve", &mut command);
    network.wait_for_http(&format!("http://{HOST}/boot.ipxe"));
    run(&mut netboot(network, site, &["arm", "pxe"]));
    log
}

/// What an installer has to find, whatever booted it.
fn assert_installer(serial: &str, card: &Card) {
    let bootif = format!("BOOTIF=01-{}", card.mac.replace(':', "-"));
    for part in
        ["MODE 600", "rootpw --plaintext hunter2", "--hostname=pxe", "ip=dhcp", &bootif, "bootc-ks.report=http://"]
    {
        assert!(serial.contains(part), "no `{part}` in\n{serial}");
    }
    let cmdline = serial.lines().find(|line| line.starts_with("CMDLINE")).unwrap();
    assert!(!cmdline.contains("inst.ks") && !cmdline.contains("/ks/"), "{cmdline}");
}

/// BIOS: dnsmasq, iPXE, the script of the server. The machine restarts into the network, where
/// there is nothing for it any more.
#[test]
fn a_machine_boots_by_ipxe_and_then_from_its_disk() {
    let mut network = Network::new();
    let card = network.card();
    let site = Site::new("");
    let log = serve(&mut network, &site, &card);
    network.dnsmasq(&format!("dhcp-range=10.77.0.50,10.77.0.99\ndhcp-boot=http://{HOST}/boot.ipxe\n"));
    let disk = site.path("disk.img");
    fs::write(&disk, vec![0; 1 << 20]).unwrap();
    let mut vm = Machine::new(Firmware::Bios).memory(512).disk(&disk).network(&card).start();
    vm.wait_for_serial("BOOTED", Duration::from_secs(600));
    assert_installer(&vm.serial(), &card);
    vm.wait_for_serial("booting from its disk", Duration::from_secs(600));
    vm.wait_for_serial("Booting from SAN device 0x80", Duration::from_secs(180));
    assert_eq!(vm.serial().matches("BOOTED").count(), 1);
    let machines = network.curl(&[], &format!("http://{HOST}/v1/machines"));
    assert!(machines.contains(r#""state":"installing""#) && machines.contains("it restarted while"), "{machines}");
    assert!(!fs::read_to_string(log).unwrap().contains("hunter2"));
}

//! `bootc-ks netboot tree`: the files, judged by the programs that read them, and booted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::bootserver::environment;
use crate::support::cli::{Outcome, run_in};
use crate::support::network::{Card, HOST, Network, inside, wait_until};
use crate::support::qemu::{Firmware, Machine};
use crate::support::{need, output, payload, run};
use serde_json::Value;

const KS: &str = "zerombr\nclearpart --all --initlabel\nautopart --type=plain\nreboot\n";

fn tree(dir: &Path, url: &str) -> Outcome {
    run_in(dir, &["netboot", "tree", "--environment", "env", "--url", url, "--ks", "site.ks", "-o", "tree"])
}

#[test]
fn the_programs_that_read_the_tree_understand_it() {
    let dir = tempfile::tempdir().unwrap();
    environment(&dir.path().join("env"), b"a kernel", b"an initramfs");
    fs::write(dir.path().join("site.ks"), KS).unwrap();
    tree(dir.path(), "http://10.0.0.1/boot").exits(0).says(&["files; examples for dnsmasq, Kea and nginx"]);
    let tree_dir = dir.path().join("tree");
    run(Command::new("sha256sum").args(["--check", "--strict", "--quiet", "sha256sums"]).current_dir(&tree_dir));
    for name in ["dnsmasq-full.conf", "dnsmasq-proxy.conf"] {
        let file = tree_dir.join("examples").join(name);
        run(Command::new(need("dnsmasq", "dnsmasq-base")).arg("--test").arg("-C").arg(file));
    }
    run(Command::new(need("nginx", "nginx-light")).arg("-t").arg("-c").arg(tree_dir.join("examples/nginx.conf")));
    let kea: Value = serde_json::from_slice(&fs::read(tree_dir.join("examples/kea-dhcp4.json")).unwrap()).unwrap();
    assert_eq!(kea["Dhcp4"]["client-classes"][0]["boot-file-name"], "http://10.0.0.1/boot/boot.ipxe");
    let script_check =
        Command::new(need("grub-script-check", "grub-common")).arg(tree_dir.join("grub/grub.cfg")).output();
    assert!(script_check.unwrap().status.success(), "{}", fs::read_to_string(tree_dir.join("grub/grub.cfg")).unwrap());
}

#[test]
fn what_cannot_be_written_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    environment(&dir.path().join("env"), b"a kernel", b"an initramfs");
    fs::write(dir.path().join("site.ks"), "autopart --tpye=plain\n").unwrap();
    tree(dir.path(), "http://10.0.0.1").one_error().exits(2).says(&["site.ks cannot be used: 1 error"]);
    fs::write(dir.path().join("site.ks"), KS).unwrap();
    tree(dir.path(), "https://10.0.0.1").one_error().exits(2).says(&["read http:// alone"]);
    tree(dir.path(), "http://10.0.0.1/../x").one_error().exits(2).says(&["would not understand"]);
    assert!(!dir.path().join("tree").exists(), "nothing is written before all is known");
    fs::create_dir(dir.path().join("tree")).unwrap();
    fs::write(dir.path().join("tree/thesis.txt"), "x").unwrap();
    tree(dir.path(), "http://10.0.0.1").one_error().exits(4).says(&["is not empty", "hint: give -o a new directory"]);
    fs::write(dir.path().join("env/initrd.img"), "trunc").unwrap();
    tree(dir.path(), "http://10.0.0.1").one_error().exits(2).says(&["initrd.img is not the file"]);
}

/// A tree whose installer says its command line and switches the machine off, and a network.
struct Bootable {
    network: Network,
    card: Card,
    dir: tempfile::TempDir,
}

impl Bootable {
    fn new() -> Self {
        let network = Network::new();
        let card = network.card();
        // nginx's workers are another user, who has to get there.
        let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
        payload::kernel(&dir.path().join("kernel"));
        let init = "/bin/busybox mount -t devtmpfs dev /dev\n/bin/busybox mount -t proc proc /proc\nexec >/dev/ttyS0 2>&1\n\
            /bin/busybox echo \"CMDLINE $(/bin/busybox cat /proc/cmdline)\"\n/bin/busybox poweroff -f\n";
        payload::initrd(&dir.path().join("initrd"), init);
        let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
        environment(&dir.path().join("env"), &read("kernel"), &read("initrd"));
        fs::write(dir.path().join("site.ks"), KS).unwrap();
        tree(dir.path(), &format!("http://{HOST}")).exits(0);
        Bootable { network, card, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("tree").join(name)
    }

    /// An example's text, for this machine in place of the one that it names.
    fn example(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path("examples").join(name)).unwrap();
        let listed = text.replace("52:54:00:12:34:56", &self.card.mac);
        assert_ne!(listed, text);
        listed
    }

    /// nginx by the example, as it is.
    fn serve(&mut self) {
        let mut nginx = self.network.command(&need("nginx", "nginx-light"));
        nginx.args(["-g", "daemon off;", "-c"]).arg(self.path("examples/nginx.conf"));
        self.network.start("nginx", &mut nginx);
        self.network.wait_for_http(&format!("http://{HOST}/boot.ipxe"));
    }

    /// Kea with this configuration, on a host of its own.
    fn kea(&mut self, configuration: &str) {
        let file = self.network.dir().join("kea.json");
        let mut all: Value = serde_json::from_str(configuration).unwrap();
        all["Dhcp4"]["lease-database"]["name"] = self.network.dir().join("leases.csv").display().to_string().into();
        fs::write(&file, all.to_string()).unwrap();
        let host = self.network.neighbour();
        let mut kea = inside(&host, &need("kea-dhcp4", "kea-dhcp4-server"));
        let dir = self.network.dir().to_owned();
        kea.env("KEA_PIDFILE_DIR", &dir).env("KEA_LOCKFILE_DIR", &dir).arg("-c").arg(file);
        let log = self.network.start("kea", &mut kea);
        wait_until(Duration::from_secs(20), "Kea starts", || {
            let said = fs::read_to_string(&log).unwrap_or_default();
            assert!(!said.contains("ERROR"), "{said}");
            said.contains("DHCP4_STARTED")
        });
    }

    /// Switches the machine on and waits for its command line.
    fn boots(&self) {
        let mut vm = Machine::new(Firmware::Bios).memory(512).network(&self.card).start();
        vm.wait_for_serial("CMDLINE", Duration::from_secs(600));
        vm.wait_for_exit(Duration::from_secs(180));
        let bootif = format!("BOOTIF=01-{}", self.card.mac.replace(':', "-"));
        for part in ["ip=dhcp", &format!("inst.ks=http://{HOST}/ks.cfg"), &bootif] {
            assert!(vm.serial().contains(part), "no `{part}` in\n{}", vm.serial());
        }
    }
}

/// The examples, as they are: dnsmasq offers the tree to the machine that is listed, nginx
/// serves it, iPXE boots it.
#[test]
fn a_machine_boots_the_tree_with_the_examples() {
    let mut site = Bootable::new();
    let dhcp = site.example("dnsmasq-full.conf");
    site.network.dnsmasq(&dhcp);
    site.serve();
    assert_eq!(site.network.curl(&[], &format!("http://{HOST}/ks.cfg")), KS);
    let hidden = output(site.network.command(&need("curl", "curl")).args(["-sf", &format!("http://{HOST}/")]));
    assert!(!hidden.status.success(), "the tree is not listed");
    site.boots();
}

#[test]
fn kea_offers_it_by_the_example() {
    let mut site = Bootable::new();
    let configuration = site.example("kea-dhcp4.json");
    site.kea(&configuration);
    site.serve();
    site.boots();
}

/// Addresses come from another server, and what to boot from dnsmasq's proxy.
#[test]
fn the_proxy_adds_it_to_another_servers_addresses() {
    let mut site = Bootable::new();
    let mut addresses: Value = serde_json::from_str(&site.example("kea-dhcp4.json")).unwrap();
    addresses["Dhcp4"].as_object_mut().unwrap().remove("client-classes");
    site.kea(&addresses.to_string());
    let proxy = site.example("dnsmasq-proxy.conf");
    site.network.dnsmasq(&proxy);
    site.serve();
    site.boots();
}

/// Its files are copied into the tree, as the example says; the rest comes by HTTP.
#[test]
fn pxelinux_boots_it() {
    let mut site = Bootable::new();
    for file in ["/usr/lib/PXELINUX/lpxelinux.0", "/usr/lib/syslinux/modules/bios/ldlinux.c32"] {
        let name = Path::new(file).file_name().unwrap().to_str().unwrap();
        fs::copy(file, site.path(name)).unwrap_or_else(|error| panic!("{file} (run tools/setup): {error}"));
    }
    let root = site.path("").display().to_string();
    let (first, last) = ("10.77.0.50", "10.77.0.99");
    site.network.dnsmasq(&format!("dhcp-range={first},{last}\ndhcp-boot=lpxelinux.0\nenable-tftp\ntftp-root={root}\n"));
    site.serve();
    site.boots();
}

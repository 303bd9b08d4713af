//! `bootc-ks netboot tree`: the files, judged by the programs that read them, and booted.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::bootserver::environment;
use support::cli::{Outcome, run_in};
use support::network::{HOST, Network};
use support::qemu::{Firmware, Machine};
use support::{need, output, payload, run};

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
    let kea: serde_json::Value =
        serde_json::from_slice(&fs::read(tree_dir.join("examples/kea-dhcp4.json")).unwrap()).unwrap();
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

/// The examples, as they are: dnsmasq offers the tree to the machine that is listed, nginx
/// serves it, iPXE boots it.
#[test]
fn a_machine_boots_the_tree_with_the_examples() {
    let mut network = Network::new();
    let card = network.card();
    // nginx's workers are somebody else, who has to get there.
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    payload::kernel(&dir.path().join("kernel"));
    let init = "/bin/busybox mount -t devtmpfs dev /dev\n/bin/busybox mount -t proc proc /proc\nexec >/dev/ttyS0 2>&1\n\
        /bin/busybox echo \"CMDLINE $(/bin/busybox cat /proc/cmdline)\"\n/bin/busybox poweroff -f\n";
    payload::initrd(&dir.path().join("initrd"), init);
    let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
    environment(&dir.path().join("env"), &read("kernel"), &read("initrd"));
    fs::write(dir.path().join("site.ks"), KS).unwrap();
    tree(dir.path(), &format!("http://{HOST}")).exits(0);
    let example = |name: &str| dir.path().join("tree/examples").join(name);
    let dhcp = fs::read_to_string(example("dnsmasq-full.conf")).unwrap();
    let listed = dhcp.replace("52:54:00:12:34:56", &card.mac);
    assert_ne!(listed, dhcp);
    network.dnsmasq(&listed);
    let mut nginx = network.command(&need("nginx", "nginx-light"));
    network.start("nginx", nginx.args(["-g", "daemon off;", "-c"]).arg(example("nginx.conf")));
    network.wait_for_http(&format!("http://{HOST}/boot.ipxe"));
    assert_eq!(network.curl(&[], &format!("http://{HOST}/ks.cfg")), KS);
    let hidden = output(network.command(&need("curl", "curl")).args(["-sf", &format!("http://{HOST}/")]));
    assert!(!hidden.status.success(), "the tree is not listed");

    let mut vm = Machine::new(Firmware::Bios).memory(512).network(&card).start();
    vm.wait_for_serial("CMDLINE", Duration::from_secs(600));
    vm.wait_for_exit(Duration::from_secs(180));
    let bootif = format!("BOOTIF=01-{}", card.mac.replace(':', "-"));
    for part in ["ip=dhcp", &format!("inst.ks=http://{HOST}/ks.cfg"), &bootif] {
        assert!(vm.serial().contains(part), "no `{part}` in\n{}", vm.serial());
    }
}

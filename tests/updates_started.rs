//! Updates and the way back, started: the demo image is installed, runs, is updated by bootc's
//! importer, runs with /etc merged, /var kept and the new kernel arguments, and is what it was
//! after a rollback. The machines are user-mode Linux.

use std::path::{Path, PathBuf};

use crate::support::cli::{Outcome, run_in};
use crate::support::mini_image::{Compression, Layer};
use crate::support::peer::Peer;
use crate::support::site::Mounted;
use crate::support::ssh::SshKey;
use crate::support::uml::{Running, UserModeLinux};
use crate::support::update::{Update, deployments, encapsulate_tag};
use crate::support::{demo_image, layout};
use crate::to_filesystem::Place;

/// The new kernel argument.
const NEW: &str = "demo.updated=1";

fn news() -> Layer {
    let dirs = ["etc", "usr", "usr/lib", "usr/lib/bootc", "usr/lib/bootc/kargs.d", "usr/share", "usr/share/demo"];
    dirs.iter()
        .fold(Layer::new(Compression::Gzip), |layer, dir| layer.dir(dir, 0o755))
        .file("etc/new.conf", 0o644, b"new")
        .file("etc/issue", 0o644, b"of the new image")
        .file("usr/share/demo/news", 0o644, b"news")
        .file("usr/lib/bootc/kargs.d/90-new.toml", 0o644, format!("kargs = [\"{NEW}\"]\n").as_bytes())
}

/// The machine with this disk, logged in as root.
fn start(disk: &Path, key: &SshKey) -> Running {
    let mut vm = UserModeLinux::new().disk(disk).authorize_root(key).start_installed();
    let took = vm.log_in(key, "root");
    println!("a login {:.0} s after the kernel's start", took.as_secs_f64());
    vm.ssh("systemctl is-system-running --wait");
    assert_eq!(vm.ask("systemctl --failed --no-legend --plain"), "", "units have failed");
    vm
}

/// What is not as the installation left it.
fn verify(root: &Path) -> Outcome {
    run_in(root, &["verify", "--root", root.to_str().unwrap()])
}

/// Whether a line of `verify` is about more than what Debian's tmpfiles.d makes a link at each start.
fn odd(line: &str) -> bool {
    !line.starts_with("file /etc/vconsole.conf: ") && !line.contains("since the installation")
}

/// What the disk of a machine has after each of its lives.
fn runs_is_updated_and_goes_back(update: &Update, disk: &Path, partition: u32) {
    let key = SshKey::generate(update.site.dir.path());
    let vm = start(disk, &key);
    vm.ask("test ! -e /usr/share/demo/news");
    // The journal of the first boot names the record, and what told it is gone.
    vm.ask("journalctl --boot --output=cat | grep 'installed this system: /var/lib/bootc-ks/install.json'");
    vm.ask("test ! -e /etc/systemd/system/bootc-ks-installed.service");
    vm.ask("test ! -e /etc/systemd/system/multi-user.target.d");
    vm.ask("echo local > /etc/local.conf; echo local > /etc/issue; echo first > /var/lib/kept");
    vm.power_off();

    let mounted = Mounted::writable(disk, partition);
    let told = verify(mounted.path()).stdout;
    assert_eq!(told.lines().filter(|line| odd(line)).collect::<Vec<_>>(), Vec::<&str>::new());
    let peer = Peer::new().with("sysroot", mounted.path());
    update.is_found(&peer);
    update.one_layer_is_needed(&peer);
    let status = peer.ask(&["upgrade", "/mnt/sysroot", &update.origin()]);
    assert_eq!(deployments(&status)[0].0, update.digests[1], "{status}");
    drop(mounted);

    let vm = start(disk, &key);
    assert_eq!(vm.ask("cat /usr/share/demo/news /etc/new.conf"), "newsnew");
    assert_eq!(vm.ask("cat /etc/local.conf /etc/issue /var/lib/kept"), "local\nlocal\nfirst");
    assert!(vm.ask("cat /proc/cmdline").contains(NEW), "the new kernel argument is not there");
    assert_eq!(vm.ask("ostree admin status | grep -c '^[* ] default '"), "2");
    vm.ask("echo second >> /var/lib/kept; ostree fsck --quiet");
    vm.power_off();

    let mounted = Mounted::writable(disk, partition);
    let told = verify(mounted.path()).exits(1).stdout;
    let image = format!(": digest is {}, was {}\n", update.digests[1], update.digests[0]);
    assert!(told.contains(&image) && told.contains(&format!("kernel argument {NEW} is new\n")), "{told}");
    let peer = Peer::new().with("sysroot", mounted.path());
    let status = peer.ask(&["rollback", "/mnt/sysroot"]);
    assert_eq!(deployments(&status)[0].0, update.digests[0], "{status}");
    drop(mounted);

    let vm = start(disk, &key);
    vm.ask("test ! -e /usr/share/demo/news && test ! -e /etc/new.conf");
    assert_eq!(vm.ask("cat /etc/local.conf /var/lib/kept"), "local\nfirst\nsecond");
    assert!(!vm.ask("cat /proc/cmdline").contains(NEW), "an argument of the new image");
    vm.power_off();
}

/// Installs what `update` begins with, without a boot loader; the kernel is user-mode Linux anyway.
fn install(update: &Update) -> PathBuf {
    let text = format!(
        "lang en_US.UTF-8\nkeyboard us\ntimezone Etc/UTC --utc\nnetwork --hostname=demo\nrootpw --lock\n\
         part / --fstype=ext4 --size=1500 --grow\nbootloader --location=none\n\
         ostreecontainer --url={} --no-signature-verification\n",
        update.name()
    );
    update.site.write("site.ks", &text);
    let address = update.registry.address();
    let disk = ["--disk-image", "disk.img", "--size", "2500M", "--insecure-registry", &address];
    update.site.install(&disk).exits(0);
    update.site.path("disk.img")
}

/// Puts the demo image into `layout` as `old`.
fn demo(layout: &Path) {
    layout::copy(&demo_image(), layout, "demo", "old");
}

#[test]
fn a_disk() {
    let update = Update::new(demo, news());
    let disk = install(&update);
    runs_is_updated_and_goes_back(&update, &disk, 1);
}

#[test]
#[ignore = "three starts of a machine, as for a disk"]
fn a_mounted_file_system() {
    let update = Update::new(demo, news());
    let dir = update.site.dir.path();
    let place = Place::make(dir, "disk.img", 2500 << 20, "label: gpt\n,,L\n", &[(1, "mkfs.ext4", "")]);
    let (address, target) = (update.registry.address(), update.name());
    let source = format!("registry:{target}");
    let args = ["install", "to-filesystem", "--source-imgref", &source, "--target-imgref", &target];
    let more = ["--stateroot=default", "--bootloader=none", "--insecure-registry", &address];
    update.site.run(&[&args[..], &more, &[place.path()]].concat()).exits(0);
    drop(place);
    runs_is_updated_and_goes_back(&update, &update.site.path("disk.img"), 1);
}

#[test]
#[ignore = "three starts of a machine, and the image is imported and exported before"]
fn an_encapsulated_image() {
    let update = Update::new(|layout| encapsulate_tag(&demo_image(), "demo", layout), news());
    let disk = install(&update);
    runs_is_updated_and_goes_back(&update, &disk, 1);
}

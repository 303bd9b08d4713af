//! What comes after an installation: bootc's importer finds our image under its name, an update
//! with one layer more needs that layer alone, it is deployed with /etc merged, /var kept and
//! the new kernel arguments, and there is a way back. The importer is `tests/peer`; that what it
//! deploys can be started is seen in `updates_started.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::mini_image::{Compression, Layer};
use crate::support::mini_system::mini_system;
use crate::support::peer::{Peer, ostree};
use crate::support::site::{Mounted, kickstart};
use crate::support::update::{Update, deployments, encapsulate};
use crate::to_filesystem::Place;

/// What the new image has and the old one has not.
fn news() -> Layer {
    Layer::new(Compression::Zstd)
        .file("etc/new.conf", 0o640, b"new\n")
        .file("etc/hosts", 0o644, b"127.0.0.1 changed by the image\n")
        .file("etc/skel/.profile", 0o644, b"# from the new skel\n")
        .whiteout("etc/os-release")
        .file("usr/share/mini/news", 0o644, b"news\n")
        .file("var/lib/state", 0o600, b"what the new image has in /var\n")
        .file("usr/lib/bootc/kargs.d/20-b.toml", 0o644, b"kargs = [\"mini.third=3\", \"mini.first=1\"]\n")
}

/// The root of a deployment of `commit`.
fn root(sysroot: &Path, commit: &Value) -> PathBuf {
    sysroot.join(format!("ostree/deploy/default/deploy/{}.0", commit.as_str().unwrap()))
}

fn text(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("reading {path}: {error}"))
}

/// All of it, on a system root with the mini image that is mounted writable.
fn takes_an_update_and_goes_back(update: &Update, sysroot: &Path) {
    let peer = Peer::new().with("sysroot", sysroot);
    update.is_found(&peer);
    update.one_layer_is_needed(&peer);

    let status = peer.ask(&["status", "/mnt/sysroot"]);
    let before = root(sysroot, &status["deployments"][0]["commit"]);
    fs::write(before.join("etc/hosts"), "changed by the admin\n").unwrap();
    fs::write(before.join("etc/local.conf"), "made by the admin\n").unwrap();
    let var = sysroot.join("ostree/deploy/default/var");
    fs::write(var.join("lib/state"), "kept\n").unwrap();

    let status = peer.ask(&["upgrade", "/mnt/sysroot", &update.origin()]);
    let [(new, new_kargs), (old, old_kargs)] = deployments(&status).try_into().expect("two deployments");
    assert_eq!([old, new], update.digests, "{status}");
    let after = root(sysroot, &status["deployments"][0]["commit"]);
    assert_eq!(text(&after, "etc/hosts"), "changed by the admin\n");
    assert_eq!(text(&after, "etc/local.conf"), "made by the admin\n");
    assert_eq!(text(&after, "etc/new.conf"), "new\n");
    assert_eq!(text(&after, "etc/skel/.profile"), "# from the new skel\n");
    assert_eq!(text(&after, "usr/share/mini/news"), "news\n");
    assert!(before.join("etc/os-release").exists() && !after.join("etc/os-release").exists());
    let shadow = text(&after, "etc/shadow");
    assert!(shadow.contains("admin-user:"), "the account is gone: {shadow}");
    assert_eq!(text(&var, "lib/state"), "kept\n");

    let own = |kargs: &[String]| -> Vec<String> {
        kargs.iter().filter(|karg| !karg.starts_with("ostree=")).cloned().collect()
    };
    let mut expected = own(&old_kargs);
    expected.retain(|karg| karg != "mini.second=2");
    expected.push("mini.third=3".to_owned());
    assert_eq!(own(&new_kargs), expected);
    assert!(expected.iter().any(|karg| karg == "site.last=1"), "{expected:?}");

    let status = peer.ask(&["rollback", "/mnt/sysroot"]);
    let [(next, next_kargs), (last, _)] = deployments(&status).try_into().expect("two deployments");
    assert_eq!([&next, &last], [&update.digests[0], &update.digests[1]], "{status}");
    assert_eq!(own(&next_kargs), own(&old_kargs), "{status}");
    ostree(&sysroot.join("ostree/repo"), &["fsck", "--quiet"]);
}

fn install_on_disk(update: &Update) -> Mounted {
    update.site.write("site.ks", &kickstart("").replace("registry.example/mini:1", &update.name()));
    let address = update.registry.address();
    let disk = ["--disk-image", "disk.img", "--size", "700M", "--insecure-registry", &address];
    update.site.install(&disk).exits(0);
    Mounted::writable(&update.site.path("disk.img"), 1)
}

#[test]
fn a_disk_takes_one_and_goes_back() {
    let update = Update::new(|layout| _ = mini_system().write(layout, "old"), news());
    let disk = install_on_disk(&update);
    takes_an_update_and_goes_back(&update, disk.path());
}

#[test]
fn a_mounted_file_system_takes_one_and_goes_back() {
    let update = Update::new(|layout| _ = mini_system().write(layout, "old"), news());
    let place = Place::small(update.site.dir.path());
    let (address, target) = (update.registry.address(), update.name());
    let source = format!("registry:{target}");
    let args = ["install", "to-filesystem", "--source-imgref", &source, "--target-imgref", &target];
    let more = ["--karg=site.last=1", "--stateroot=default", "--bootloader=none", "--insecure-registry", &address];
    update.site.run(&[&args[..], &more, &[place.path()]].concat()).exits(0);
    let sysroot = Path::new(place.path());
    let status = Peer::new().with("sysroot", sysroot).ask(&["status", "/mnt/sysroot"]);
    // As if the administrator's account had been made by hand.
    let shadow = root(sysroot, &status["deployments"][0]["commit"]).join("etc/shadow");
    let line = format!("{}admin-user:*::0:99999:7:::\n", fs::read_to_string(&shadow).unwrap());
    fs::write(&shadow, line).unwrap();
    takes_an_update_and_goes_back(&update, sysroot);
}

#[test]
fn an_encapsulated_image_takes_one_and_goes_back() {
    let update = Update::new(|layout| encapsulate(mini_system(), layout), news());
    let disk = install_on_disk(&update);
    takes_an_update_and_goes_back(&update, disk.path());
}

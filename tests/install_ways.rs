//! Ways in and ways out of an installation: where the image comes from, scripts that fail,
//! failures half-way. Root, no network, a second or two each.

use crate::support::disk::MIB;
use crate::support::installed::Installed;
use crate::support::mini_system::mini_system;
use crate::support::registry::Registry;
use crate::support::site::{Mounted, OccupiedDisk, Site, kickstart};
use serde_json::Value;

fn open(site: &Site) -> (Mounted, Installed) {
    let mounted = Mounted::partition(&site.path("disk.img"), 1);
    let installed = Installed::find(mounted.path(), "default");
    (mounted, installed)
}

#[test]
fn a_script_that_must_not_fail_ends_it() {
    let site = Site::with(mini_system());
    let failing = "%post --erroronfail\necho almost\nexit 5\n%end\n";
    site.write("site.ks", &kickstart(failing));
    site.write("disk.img", "what was there before");
    let outcome = site.install_image(&["--yes", "--format", "json", "--events", "events.jsonl"]).exits(1);
    let outcome = outcome.one_error().says(&["%post script at site.ks:", "exit code 5", "almost"]);
    let error = &outcome.json()["error"];
    assert_eq!(
        (&error["disk_touched"], &error["exit_code"], &error["stage"]),
        (&true.into(), &1.into(), &"script".into())
    );
    assert_eq!(std::fs::read_to_string(site.path("disk.img")).unwrap(), "what was there before");
    assert_eq!(site.names(), ["disk.img", "events.jsonl", "install.log", "oci", "site.ks"]);
    let events = std::fs::read_to_string(site.path("events.jsonl")).unwrap();
    let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["disk_touched"]), (&"failed".into(), &true.into()), "{events}");
}

#[test]
fn a_failure_half_way_leaves_nothing_open() {
    let site = Site::with(mini_system());
    let disk = OccupiedDisk::make(&site.path("disk"), 700 * MIB);
    let name = disk.name();
    site.write("site.ks", &kickstart(&format!("clearpart --all\nignoredisk --only-use={name}\n")));
    for step in ["format", "import", "deploy", "finish"] {
        let args = ["--image", "oci:oci:mini", "--yes", "--fail-before", step];
        let outcome = site.install(&args).exits(1).one_error().says(&[step, "it will not boot"]);
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(&name), "{name} is still mounted: {outcome}");
        // Nobody holds it: it can be installed onto again at once.
    }
    site.install(&["--image", "oci:oci:mini", "--yes"]).exits(0);
    disk.device.show_partitions();
    let root = Mounted::node(&disk.device.partition(1));
    Installed::find(root.path(), "default").ostree(&["fsck"]);
}

#[test]
fn what_pre_makes_is_included() {
    let site = Site::with(mini_system());
    let made = site.path("made.ks");
    let made = made.display();
    let pre = format!("%include {made}\n%pre\necho 'user --name=from-pre' > {made}\necho pre was here\n%end\n");
    site.write("site.ks", &kickstart(&pre));
    // A plan runs nothing.
    site.run(&["plan", "site.ks", "--image", "oci:oci:mini", "--disk-image", "x", "--size", "700M"]);
    assert!(!site.path("made.ks").exists(), "planning ran %pre");
    site.install_image(&[]).exits(0).says(&["pre was here"]);
    let (_mounted, system) = open(&site);
    assert_eq!(system.line("/etc/passwd", "from-pre")[5], "/var/home/from-pre");

    std::fs::remove_file(site.path("disk.img")).unwrap();
    site.write("site.ks", &kickstart("%pre --erroronfail\nexit 3\n%end\n"));
    site.install_image(&[]).exits(3).one_error().says(&["%pre script at site.ks:", "exit code 3"]);
    assert!(!site.path("disk.img").exists());
}

#[test]
fn from_a_registry_by_name() {
    let site = Site::with(mini_system());
    let registry = Registry::start();
    let host = registry.address();
    let digest = registry.push(&site.path("oci"), "mini", "org/mini:1");
    site.write("site.ks", &kickstart("").replace("registry.example/mini:1", &format!("{host}/org/mini:1")));
    let args = ["--disk-image", "disk.img", "--size", "700M", "--insecure-registry", &host, "--format", "json"];
    let report = site.install(&args).exits(0).json();
    assert_eq!(report["image"], digest.as_str());
    let (_mounted, system) = open(&site);
    let origin = std::fs::read_to_string(system.root.with_extension("0.origin")).unwrap();
    assert!(origin.contains(&format!("ostree-unverified-registry:{host}/org/mini:1")), "{origin}");
    assert_eq!(system.metadata("ostree.manifest-digest"), digest);
}

#[test]
fn from_a_registry_that_wants_to_know_who_asks() {
    let site = Site::with(mini_system());
    let registry = Registry::start_with_login("installer", "s3cret-of-the-registry");
    let host = registry.address();
    registry.push(&site.path("oci"), "mini", "org/mini:1");
    let reference = format!("{host}/org/mini:1");
    let args = ["--image", &reference, "--disk-image", "disk.img", "--size", "700M", "--insecure-registry", &host];
    let refused = site.install(&args).exits(3).one_error().says(&[&host, "--authfile"]);
    refused.keeps(&["s3cret-of-the-registry"]);
    let auth = registry.auth_file().display().to_string();
    let outcome = site.install(&[&args[..], &["--authfile", &auth]].concat()).exits(0);
    outcome.keeps(&["s3cret-of-the-registry"]);
    let log = std::fs::read_to_string(site.path("install.log")).unwrap();
    assert!(!log.contains("s3cret-of-the-registry"), "{log}");
    let (_mounted, system) = open(&site);
    system.ostree(&["fsck"]);
}

#[test]
fn updates_come_from_where_the_admin_says() {
    let site = Site::with(mini_system());
    site.write("site.ks", &kickstart("").replace("--no-signature-verification", "--stateroot=site"));
    site.install_image(&["--target-image", "quay.io/org/os:stable"]).exits(0);
    let mounted = Mounted::partition(&site.path("disk.img"), 1);
    let system = Installed::find(mounted.path(), "site");
    let origin = std::fs::read_to_string(system.root.with_extension("0.origin")).unwrap();
    assert!(origin.contains("ostree-unverified-registry:quay.io/org/os:stable\n"), "{origin}");
    let name = "ostree/container/image/docker_3A__2F__2F_quay_2E_io/org/os_3A_stable";
    assert_eq!(system.ostree(&["rev-parse", name]).trim(), system.commit);
}

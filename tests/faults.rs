//! What can go wrong before the first write, for real: one clear message that names the
//! thing, the right exit code, and an untouched disk.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::cli::{Outcome, bootc_ks, finish};
use crate::support::disk::{LoopDevice, MIB, fingerprint, sparse_file};
use crate::support::faulty::{Fault, FaultyProxy};
use crate::support::mini_image::{Compression, Layer, MiniImage, blob_path};
use crate::support::mini_system::mini_system;
use crate::support::need;
use crate::support::registry::Registry;
use crate::support::site::{OccupiedDisk, SECRET, Site, kickstart};
use serde_json::Value;

/// A site, and a disk with data that its kickstart is run against.
struct Bench {
    site: Site,
    disk: OccupiedDisk,
}

impl Bench {
    fn new(image: MiniImage) -> Self {
        let site = Site::with(image);
        let disk = OccupiedDisk::make(&site.path("disk"), 700 * MIB);
        let bench = Self { site, disk };
        bench.kickstart("");
        bench
    }

    /// A kickstart that allows to clear that disk and nothing else, and `more` lines.
    fn kickstart(&self, more: &str) {
        let disk = self.disk.name();
        let clear = format!("zerombr\nclearpart --all --initlabel\nignoredisk --only-use={disk}\n{more}");
        self.site.write("site.ks", &kickstart(&clear));
    }

    /// An installation that has to fail with `code`, onto the disk and onto a file; both must
    /// be as before, and the message must have `words`.
    fn fails(&self, args: &[&str], code: i32, words: &[&str]) {
        self.fails_onto(&["--yes"], args, code, words);
        self.fails_onto(&["--disk-image", "disk.img", "--size", "700M"], args, code, words);
    }

    fn fails_onto(&self, onto: &[&str], args: &[&str], code: i32, words: &[&str]) {
        let look = || {
            let names: Vec<String> = self.site.names().into_iter().filter(|name| name != "install.log").collect();
            (fingerprint(self.disk.device.path()), names)
        };
        let before = look();
        let outcome = self.site.install(&[onto, args].concat());
        assert_eq!(before, look(), "something was touched by\n{outcome}");
        let log = std::fs::read_to_string(self.site.path("install.log")).unwrap_or_default();
        assert!(!log.contains(SECRET), "the log has the password:\n{log}");
        outcome.exits(code).one_error().says(words).keeps(&[SECRET]);
    }
}

const LAYOUT: &[&str] = &["--image", "oci:oci:mini"];

#[test]
fn a_kickstart_that_cannot_be_used() {
    let bench = Bench::new(mini_system());
    for (lines, words) in [
        ("user --name=\"open\n", &["E001", "this quote is not closed"][..]),
        ("partitoin /var --size=1\n", &["E101", "there is no command `partitoin`"]),
        (
            "sshkey --username=missing-user \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEFkbWluLS0tQWRtaW4tLS1BZG1pbi0tLUFkbWluLS0t\"\n",
            &["L003", "add `user --name=missing-user`"],
        ),
        ("part /etc --size=10\n", &["part /etc"]),
        ("part swap --size=10 --fstype=nosuchfs\npart /var --size=50 --fstype=nosuchfs\n", &["nosuchfs"]),
    ] {
        bench.kickstart(lines);
        bench.fails(LAYOUT, 2, words);
    }
    // All of it at once.
    bench.kickstart("partitoin /var\nuser --nmae=ghost\n");
    bench.fails(LAYOUT, 2, &["no command `partitoin`", "no option `--nmae`", "2 errors"]);
    std::fs::remove_file(bench.site.path("site.ks")).unwrap();
    bench.fails(LAYOUT, 2, &["site.ks"]);
}

#[test]
fn an_image_that_is_none() {
    let bench = Bench::new(mini_system());
    bench.fails(&["--image", "oci:oci:nosuchtag"], 3, &["nosuchtag"]);
    bench.fails(&["--image", "oci:nosuchdir:mini"], 3, &["nosuchdir"]);
    bench.fails(&["--image", "quay.io/UPPER/Case"], 2, &["UPPER/Case"]);

    MiniImage::bootable()
        .without_label("containers.bootc")
        .without_label("ostree.bootable")
        .write(&bench.site.path("oci"), "application");
    bench.fails(&["--image", "oci:oci:application"], 2, &["oci:oci:application", "not a bootable container image"]);

    MiniImage::bootable().architecture("arm64").write(&bench.site.path("oci"), "arm");
    let here = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    if here == "amd64" {
        bench.fails(&["--image", "oci:oci:arm"], 3, &["oci:oci:arm", "arm64", "amd64"]);
    }

    let kernel = "usr/lib/modules/6.1.0-test/vmlinuz";
    let headless = MiniImage::bootable().layer(Layer::new(Compression::Gzip).whiteout(kernel));
    headless.write(&bench.site.path("oci"), "headless");
    bench.fails(&["--image", "oci:oci:headless"], 3, &["oci:oci:headless", "no kernel"]);

    // Without the line that does without a boot loader.
    let text = std::fs::read_to_string(bench.site.path("site.ks")).unwrap();
    bench.site.write("site.ks", &text.replace("--location=none", ""));
    bench.fails(LAYOUT, 3, &["brings no boot loader"]);
}

/// A registry with `mini:1`, a proxy in front of it that can be told to misbehave, and a bench.
struct Served {
    bench: Bench,
    _registry: Registry,
    proxy: FaultyProxy,
    digest: String,
}

impl Served {
    fn new() -> Self {
        let bench = Bench::new(mini_system());
        let registry = Registry::start();
        let digest = registry.push(&bench.site.path("oci"), "mini", "mini:1");
        let proxy = FaultyProxy::start(&registry.address());
        Self { bench, _registry: registry, proxy, digest }
    }

    fn args(&self, name: &str) -> Vec<String> {
        let host = self.proxy.address();
        vec!["--image".into(), format!("{host}/{name}"), "--insecure-registry".into(), host]
    }

    /// One fault for ever (each attempt of several costs seconds, so onto the disk alone).
    fn fails(&self, pattern: &str, fault: Fault, code: i32, words: &[&str]) {
        self.proxy.heal();
        self.proxy.inject(pattern, fault, None);
        let args = self.args("mini:1");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let host = self.proxy.address();
        // However little memory there is, it is not what is asked about.
        self.bench.fails_onto(&["--yes", "--fetch-after-wipe"], &args, code, &[words, &[&host]].concat());
    }
}

#[test]
fn a_registry_that_has_nothing_or_wants_a_login() {
    let served = Served::new();
    let args = served.args("no/such:1");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    served.bench.fails(&args, 3, &["does not have", "no/such:1", "check name and tag"]);
    served.fails("/manifests/", Fault::Status(404), 3, &["does not have", "mini:1"]);
    served.fails("/manifests/", Fault::Status(401), 3, &["only to those who are logged in", "--authfile"]);
    served.fails("/manifests/", Fault::Status(403), 3, &["forbids access", "mini"]);
    served.fails("/blobs/", Fault::Status(404), 3, &["does not have", "layer|configuration"]);
    served.fails("/blobs/", Fault::Status(403), 3, &["forbids access", "mini"]);
}

#[test]
fn a_registry_in_trouble() {
    let served = Served::new();
    served.fails("/manifests/", Fault::Status(500), 3, &["is in trouble (HTTP 500)", "try later"]);
    assert!(served.proxy.count("/manifests/") > 3, "trouble that may pass is tried again");
    served.fails("/blobs/", Fault::Status(500), 3, &["is in trouble (HTTP 500)", "try later"]);
}

#[test]
fn a_registry_that_is_not_there() {
    let bench = Bench::new(mini_system());
    let host = format!("127.0.0.1:{}", crate::support::free_port());
    let reference = format!("{host}/mini:1");
    let args = ["--image", reference.as_str(), "--insecure-registry", &host];
    bench.fails_onto(&["--yes"], &args, 3, &["nothing listens at", &host]);
    // Plain http where it was not allowed.
    let registry = Registry::start();
    registry.push(&bench.site.path("oci"), "mini", "mini:1");
    let reference = format!("{}/mini:1", registry.address());
    bench.fails_onto(&["--yes"], &["--image", &reference], 3, &["http", "--insecure-registry"]);
}

#[test]
fn content_that_is_not_what_was_promised() {
    let served = Served::new();
    let damaged = "the content is not what the manifest says";
    served.fails("/blobs/", Fault::Corrupt { offset: 20 }, 3, &["reading its configuration", damaged]);
    let layout = served.bench.site.path("oci");
    let read = |path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let manifest = read(blob_path(&layout, &served.digest));
    let digest = manifest["layers"][1]["digest"].as_str().unwrap();
    let short = &digest["sha256:".len()..][..8];
    // In the first bytes what is damaged is the compression, further on the files.
    for offset in [5, 5_000] {
        served.proxy.heal();
        served.proxy.inject(digest, Fault::Corrupt { offset }, None);
        let args = served.args("mini:1");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        served.bench.fails_onto(&["--yes", "--fetch-after-wipe"], &args, 3, &["layer 2 of 3", short, damaged]);
    }

    // A layout on a disk that has seen better days.
    let blob = blob_path(&layout, digest);
    let mut bytes = std::fs::read(&blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(blob, bytes).unwrap();
    served.bench.fails(LAYOUT, 3, &["layer 2 of 3", short, damaged]);
}

#[test]
fn layers_wait_in_memory_for_their_installation() {
    let served = Served::new();
    served.installs_after(&memory(4096), &[]).exits(0);
    let layout = served.bench.site.path("oci");
    let manifest = std::fs::read(blob_path(&layout, &served.digest)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for layer in manifest["layers"].as_array().unwrap() {
        let digest = layer["digest"].as_str().unwrap();
        assert_eq!(served.proxy.count(digest), 1, "{:#?}", served.proxy.requests());
    }
}

/// What makes a machine with so many MiB of free memory of this one, for the command that follows.
fn memory(mib: u32) -> String {
    format!(
        "sed 's/^MemAvailable:.*/MemAvailable: {} kB/' /proc/meminfo > meminfo; mount --bind meminfo /proc/meminfo",
        mib * 1024
    )
}

impl Served {
    /// The digest of the layer in the middle.
    fn layer(&self) -> String {
        let manifest = std::fs::read(blob_path(&self.bench.site.path("oci"), &self.digest)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        manifest["layers"][1]["digest"].as_str().unwrap().to_owned()
    }

    /// The file of what `inspect` says of the image.
    fn facts(&self) -> &'static str {
        let args = self.args("mini:1");
        let inspect = ["inspect", &args[1], "--insecure-registry", &args[3], "--json"];
        self.bench.site.write("facts.json", &self.bench.site.run(&inspect).exits(0).stdout);
        "facts.json"
    }

    /// An empty disk in the place of the one that is not.
    fn empty_disk(&self) -> LoopDevice {
        let file = self.bench.site.path("empty");
        sparse_file(&file, 700 * MIB);
        let empty = LoopDevice::attach(&file);
        let only = format!("ignoredisk --only-use={}\n", empty.path().display());
        self.bench.site.write("site.ks", &kickstart(&only));
        empty
    }

    /// Installs over the network, where `script` has changed something.
    fn installs_after(&self, script: &str, more: &[&str]) -> Outcome {
        self.runs_after(script, &[&INSTALL[..], more].concat())
    }

    /// The same for another command.
    fn runs_after(&self, script: &str, command: &[&str]) -> Outcome {
        let args = self.args("mini:1");
        let args: Vec<&str> = command.iter().copied().chain(args.iter().map(String::as_str)).collect();
        runs_after(script, &self.bench, &args)
    }
}

/// Where layers would come over the network when the disk is wiped, it is not: the registry may fail.
#[test]
fn a_disk_is_not_risked_for_an_image_that_memory_cannot_keep() {
    let served = Served::new();
    let disk = served.bench.disk.device.path().to_owned();
    let before = fingerprint(&disk);
    let refused = |outcome: Outcome, why: &str| {
        let name = disk.display().to_string();
        outcome.exits(4).one_error().says(&[&name, "is not empty", "mini:1", why, "--fetch-after-wipe"]);
        assert_eq!(before, fingerprint(&disk));
    };
    refused(served.installs_after(&memory(512), &[]), "takes 514 MiB more memory");
    assert_eq!(served.proxy.count(&served.layer()), 0, "fetched for nothing: {:#?}", served.proxy.requests());
    let foreseen = served.runs_after(&memory(512), &["plan", "site.ks"]).exits(0);
    foreseen.says(&["warning: 'install' will refuse this without --fetch-after-wipe", "takes 514 MiB more memory"]);
    // That its files are known does not bring them.
    refused(served.installs_after(&memory(512), &["--image-facts", served.facts()]), "takes 514 MiB more memory");
    // Memory that was there and is not: files, nameless ones too, may not have more than 16 KiB.
    let full = format!("{}; trap '' XFSZ; ulimit -f 32", memory(4096));
    refused(served.installs_after(&full, &[]), "memory did not hold them (File too large");
}

/// An empty disk has nothing to lose.
#[test]
fn an_empty_disk_takes_an_image_that_memory_cannot_keep() {
    let served = Served::new();
    let _empty = served.empty_disk();
    served.installs_after(&memory(512), &[]).exits(0);
    assert_eq!(served.proxy.count(&served.layer()), 2, "{:#?}", served.proxy.requests());
}

/// And if its files are known, they need not be read before; nothing can be lost.
#[test]
fn an_empty_disk_takes_an_image_that_is_known_at_once() {
    let served = Served::new();
    let _empty = served.empty_disk();
    served.installs_after(&memory(512), &["--image-facts", served.facts()]).exits(0);
    // Once for the facts, once for the installation, and a question whether it is there.
    let gets = served.proxy.requests();
    let gets: Vec<_> = gets.iter().filter(|r| r.path.contains(&served.layer()) && r.method == "GET").collect();
    assert_eq!(gets.len(), 2, "{gets:#?}");
}

/// Who takes the risk has the registry waited for: giving up would cost the disk.
#[test]
fn once_the_disk_is_wiped_a_registry_is_waited_for() {
    let served = Served::new();
    // One more than what ends an attempt before the wipe.
    served.proxy.inject_after(1, &served.layer(), Fault::Status(503), Some(6));
    served.installs_after(&memory(512), &["--fetch-after-wipe"]).exits(0).says(&["(HTTP 503)", "attempt 7 in"]);
    assert_eq!(served.proxy.count(&served.layer()), 8, "{:#?}", served.proxy.requests());
}

#[test]
fn a_connection_that_is_cut_for_ever() {
    let served = Served::new();
    served.fails("/blobs/", Fault::CutAfter(5_000), 3, &["layer", "the connection"]);
}

#[test]
fn a_connection_that_is_cut_a_few_times_costs_only_time() {
    let served = Served::new();
    served.proxy.inject("/blobs/", Fault::CutAfter(40_000), Some(2));
    served.proxy.inject("/manifests/", Fault::Status(503), Some(1));
    let outcome = served.installs_after(&memory(4096), &["--format", "json"]).exits(0);
    assert_eq!(outcome.json()["image"], served.digest.as_str(), "{outcome}");
    let resumed = served.proxy.requests().iter().filter(|request| request.range.is_some()).count();
    assert!(resumed >= 1, "what had arrived was not kept: {:#?}", served.proxy.requests());
    outcome.says(&["attempt 2 in"]);
}

#[test]
fn a_disk_that_will_not_do() {
    let bench = Bench::new(mini_system());
    let name = bench.disk.name();
    let only = |disk: &str| kickstart(&format!("clearpart --all\nignoredisk --only-use={disk}\n"));
    // Too small.
    let text = only(&name).replace("--size=520", "--size=5200");
    bench.site.write("site.ks", &text);
    bench.fails(LAYOUT, 3, &["is too small"]);
    bench.fails_onto(&["--yes"], LAYOUT, 3, &[&name, "700 MiB", "5.1 GiB"]);
    // Not there.
    bench.site.write("site.ks", &only("/dev/nosuchdisk"));
    bench.fails_onto(&["--yes"], LAYOUT, 3, &["there is no disk '/dev/nosuchdisk'"]);
    // In use.
    bench.site.write("site.ks", &only(&name));
    let mounted = crate::support::site::Mounted::node(&bench.disk.device.partition(1));
    let at = format!("mounted at {}", mounted.path().display());
    bench.fails_onto(&["--yes"], LAYOUT, 4, &[&name, "is in use", &at]);
    drop(mounted);
    // In use by a process of which the kernel tells nothing but that.
    let claimed = File::options().read(true).custom_flags(libc::O_EXCL).open(bench.disk.device.path()).unwrap();
    bench.fails_onto(&["--yes"], LAYOUT, 4, &[&name, "is in use by another process"]);
    drop(claimed);
}

const INSTALL: [&str; 5] = ["install", "site.ks", "--yes", "--log", "install.log"];

/// Installs with `args` in a mount namespace of its own, when `script` has changed something there.
fn installs_after(script: &str, bench: &Bench, args: &[&str]) -> Outcome {
    runs_after(script, bench, &[&INSTALL[..], args].concat())
}

fn runs_after(script: &str, bench: &Bench, args: &[&str]) -> Outcome {
    let script = format!("{script}; exec \"$@\"");
    let mut command = Command::new(need("unshare", "util-linux"));
    command.current_dir(bench.site.dir.path()).args(["--mount", "sh", "-ec", &script, "sh"]);
    finish(command.arg(env!("CARGO_BIN_EXE_bootc-ks")).args(args))
}

#[test]
fn a_file_system_without_room() {
    let bench = Bench::new(mini_system());
    std::fs::create_dir(bench.site.path("full")).unwrap();
    let onto = ["--disk-image", "full/disk.img", "--size", "700M"];
    let outcome = installs_after("mount -t tmpfs -o size=90m none full", &bench, &[LAYOUT, &onto].concat());
    outcome.exits(3).one_error().says(&["no room for full/disk.img: 90 MiB are free", "make room"]);
}

/// A machine that has the disk of `bench` alone: the command runs where /sys/class/block has nothing
/// else, for it must not see a disk of the machine that tests.
#[test]
fn a_machine_without_a_disk() {
    let bench = Bench::new(mini_system());
    bench.site.write("site.ks", &kickstart("clearpart --all\n"));
    let before = fingerprint(bench.disk.device.path());
    let link =
        std::fs::read_link(Path::new("/sys/class/block").join(bench.disk.device.path().file_name().unwrap())).unwrap();
    // A loop device is not a disk to install onto unless it is named.
    for only in ["", &format!("; ln -s '{}' /sys/class/block/", link.display())] {
        let outcome = installs_after(&format!("mount -t tmpfs none /sys/class/block{only}"), &bench, LAYOUT);
        outcome.exits(3).one_error().says(&["this machine has no disk to install onto", "--disk-image"]);
        assert_eq!(fingerprint(bench.disk.device.path()), before);
    }
}

#[test]
fn a_disk_without_consent_to_erase_it() {
    let bench = Bench::new(mini_system());
    let name = bench.disk.name();
    bench.site.write("site.ks", &kickstart(&format!("ignoredisk --only-use={name}\n")));
    bench.fails_onto(&[], LAYOUT, 4, &[&name, "is not empty", "precious", "clearpart --all"]);
    bench.fails_onto(&["--yes"], LAYOUT, 4, &["is not empty", "precious"]);
    // The whole of it reviewed, and something else found: nothing is done.
    bench.kickstart("");
    let wrong = format!("sha256:{}", "0".repeat(64));
    bench.fails(&[LAYOUT, &["--plan-digest", &wrong]].concat(), 4, &["was reviewed", &wrong]);
    bench.fails(&[LAYOUT, &["--plan-digest", "sha256:12"]].concat(), 2, &["--plan-digest"]);
}

#[test]
fn a_file_that_is_there_stays() {
    let bench = Bench::new(mini_system());
    bench.site.write("disk.img", "data");
    let onto = ["--disk-image", "disk.img", "--size", "700M"];
    bench.fails_onto(&onto, LAYOUT, 4, &["disk.img", "--yes"]);
    assert_eq!(std::fs::read_to_string(bench.site.path("disk.img")).unwrap(), "data");
    let nowhere = ["--disk-image", "none/disk.img", "--size", "700M"];
    bench.fails_onto(&nowhere, LAYOUT, 2, &["none/disk.img"]);
    let disk = bench.disk.name();
    let onto = ["--disk-image", &disk, "--size", "700M", "--yes"];
    bench.fails_onto(&onto, LAYOUT, 2, &[&disk, "is a disk", &format!("ignoredisk --only-use={disk}")]);
    let onto = ["--disk-image", "oci", "--size", "700M", "--yes"];
    bench.fails_onto(&onto, LAYOUT, 2, &["oci is not a file"]);
}

#[test]
fn no_secret_is_told_anywhere() {
    let bench = Bench::new(mini_system());
    let more = format!("rootpw --plaintext {SECRET}-root\nuser --name=second --password={SECRET}-2 --plaintext\n");
    bench.kickstart(&more);
    let file = ["--disk-image", "disk.img", "--size", "700M", "--events", "events.jsonl"];
    for format in ["text", "json"] {
        bench.site.run(&[&["plan", "site.ks", "--format", format], LAYOUT].concat()).exits(0).keeps(&[SECRET]);
        let args = [&["--yes", "--format", format], LAYOUT, &file].concat();
        bench.site.install(&args).exits(0).keeps(&[SECRET]);
        for name in ["events.jsonl", "install.log"] {
            let text = std::fs::read_to_string(bench.site.path(name)).unwrap();
            assert!(!text.contains(SECRET), "{name} has a password:\n{text}");
        }
    }
    let disk = crate::support::site::Mounted::partition(&bench.site.path("disk.img"), 1);
    let records = disk.path().join("ostree/deploy/default/var/log/bootc-ks");
    for name in ["plan.json", "kickstart.ks", "install.log"] {
        let text = std::fs::read_to_string(records.join(name)).unwrap();
        assert!(!text.contains(SECRET), "the installed {name} has a password:\n{text}");
    }
}

#[test]
fn a_signature_policy_that_does_not_let_the_image_in() {
    let bench = Bench::new(mini_system());
    std::fs::create_dir_all(bench.site.path(".config/containers")).unwrap();
    let policy = |text: &str| bench.site.write(".config/containers/policy.json", text);
    let any = r#"[{"type": "insecureAcceptAnything"}]"#;
    for (text, words) in [
        (r#"{"default": [{"type": "reject"}]}"#.to_owned(), "must not be used (reject"),
        (
            r#"{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/x"}]}"#.into(),
            "signatures cannot be",
        ),
        (
            format!(r#"{{"default": {any}, "transports": {{"oci": {{"": [{{"type": "reject"}}]}}}}}}"#),
            "default for oci",
        ),
        (format!(r#"{{"default": {any}, "default": {any}}}"#), "is there twice"),
    ] {
        policy(&text);
        bench.fails(&["--image", "oci:oci:mini"], 4, &[words, ".config/containers/policy.json"]);
    }
    // The rule that lets it in is said, and is no part of what was reviewed.
    let plan = |format: &str| {
        let args = ["plan", "site.ks", "--image", "oci:oci:mini", "--format", format];
        bench.site.run(&[&args[..], &["--disk-image", "disk.img", "--size", "700M"]].concat()).exits(0).stdout
    };
    policy(&format!(r#"{{"default": [{{"type": "reject"}}], "transports": {{"oci": {{"": {any}}}}}}}"#));
    let text = plan("text");
    assert!(text.contains("Policy:      insecureAcceptAnything, the default for oci of "), "{text}");
    let document: Value = serde_json::from_str(&plan("json")).unwrap();
    let rule = &document["image"]["signature_policy"];
    assert_eq!(
        (rule["transport"].as_str(), rule["requirement"].as_str()),
        (Some("oci"), Some("insecureAcceptAnything"))
    );
    policy(&format!(r#"{{"default": {any}}}"#));
    let other: Value = serde_json::from_str(&plan("json")).unwrap();
    assert_eq!(document["digest"], other["digest"]);
    assert!(other["image"]["signature_policy"]["transport"].is_null());
}

#[test]
fn a_machine_that_trusts_no_authority() {
    let site = Site::with(mini_system());
    let mut inspect = bootc_ks(site.dir.path());
    inspect.args(["inspect", "registry.invalid/mini:1"]).env("SSL_CERT_FILE", "/dev/null").env_remove("SSL_CERT_DIR");
    finish(&mut inspect).exits(3).one_error().says(&["no CA certificates", "install ca-certificates"]);
}

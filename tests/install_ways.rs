//! Ways in and ways out of an installation: where the image comes from, scripts that fail,
//! failures half-way. Root, no network, a second or two each.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::cli::{bootc_ks, finish, start, wait};
use crate::support::disk::{MIB, fingerprint};
use crate::support::installed::{Installed, attribute};
use crate::support::mini_image::{Compression, Layer};
use crate::support::mini_system::mini_system;
use crate::support::registry::Registry;
use crate::support::site::{Mounted, OccupiedDisk, Site, kickstart};
use crate::support::{need, output, run};
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
    assert_eq!((&last["type"], &last["disk_touched"]), (&"failed".into(), &true.into()), "{events}");
}

/// The least /boot that is not refused holds the kernel, the initramfs and what lies beside them.
#[test]
fn a_boot_that_just_holds_the_kernel() {
    let mut initramfs = vec![0; 40 * MIB as usize];
    File::open("/dev/urandom").unwrap().read_exact(&mut initramfs).unwrap();
    let layer = Layer::new(Compression::Gzip).file("usr/lib/modules/6.1.0-test/initramfs.img", 0o644, &initramfs);
    let site = Site::with(mini_system().layer(layer));
    let boot = |mib: u32| {
        site.write("site.ks", &kickstart(&format!("part /boot --fstype=ext4 --size={mib}\n")));
        site.install_image(&[])
    };
    boot(77).exits(3).one_error().says(&["/boot is too small: it gets 77 MiB, and takes 78 MiB"]);
    let plan = boot(78).exits(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plan.contains("not those of an update beside them"), "{plan}");
}

/// Waits until `child` has said `words` on its standard error; the rest of it is read by a thread
/// that returns all.
fn hears(child: &mut Child, words: &str) -> JoinHandle<String> {
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (sender, receiver) = channel();
    let words = words.to_owned();
    let reader = std::thread::spawn(move || {
        let mut all = String::new();
        for line in stderr.lines().map_while(Result::ok) {
            if line.contains(&words) {
                let _ = sender.send(());
            }
            all.push_str(&line);
            all.push('\n');
        }
        all
    });
    receiver.recv_timeout(Duration::from_secs(120)).expect("the installation does not get that far");
    reader
}

/// Ends the process group of this number, if it is there still.
struct EndGroup(u32);

impl Drop for EndGroup {
    fn drop(&mut self) {
        output(Command::new("kill").args(["-s", "TERM", "--", &format!("-{}", self.0)]));
    }
}

/// What an installation opens goes with it.
fn left_nothing(site: &Site, pid: u32) {
    assert!(!Path::new(&format!("/run/bootc-ks-{pid}")).exists(), "its mount points are there");
    let attached =
        run(Command::new(need("losetup", "mount")).args(["--list", "--noheadings", "--output", "BACK-FILE"]));
    let here = site.dir.path().display().to_string();
    let ours: Vec<&str> = attached.lines().filter(|file| file.contains(&here)).collect();
    assert!(ours.iter().all(|file| file.ends_with("/disk")), "still attached: {ours:?}");
    assert!(site.names().iter().all(|name| !name.contains("bootc-ks")), "{:?}", site.names());
}

#[test]
fn ctrl_c_closes_what_is_open() {
    let site = Site::with(mini_system());
    site.write("site.ks", &kickstart("%post\necho begun\nwhile :; do :; done\n%end\n"));
    for signal in ["INT", "TERM"] {
        // A shell that runs the tests in the background ignores SIGINT, and so would the command.
        let mut command = Command::new(need("env", "coreutils"));
        command.current_dir(site.dir.path()).args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_bootc-ks")]);
        command.args(["install", "site.ks", "--log", "install.log", "--image", "oci:oci:mini"]);
        command.args(["--disk-image", "disk.img", "--size", "700M"]);
        let mut child = start(command.process_group(0));
        let pid = child.id();
        let _end = EndGroup(pid);
        let said = hears(&mut child, "| begun");
        let send = |signal: &str| run(Command::new("kill").args(["-s", signal, "--", &format!("-{pid}")]));
        // A terminal that goes away changes nothing, not for the script either.
        send("HUP");
        std::thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        send(signal);
        let end = Instant::now() + Duration::from_secs(120);
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "SIG{signal} does not end it");
            std::thread::sleep(Duration::from_millis(50));
        }
        let outcome = wait(child, &command).exits(1);
        let said = said.join().unwrap();
        assert!(!said.contains("the %post script"), "the terminal's end was the script's: {said}");
        assert!(said.contains("error: cancelled") && said.contains("the unfinished disk image was removed"), "{said}");
        assert_eq!(outcome.stdout.lines().filter(|line| line.contains("Installed")).count(), 0);
        assert_eq!(site.names(), ["install.log", "oci", "site.ks"]);
        left_nothing(&site, pid);
    }
}

/// The files that are attached to loop devices and that `site` has made.
fn attached(site: &Site) -> Vec<String> {
    let list = run(Command::new(need("losetup", "mount")).args(["--list", "--noheadings", "--output", "BACK-FILE"]));
    let here = site.dir.path().display().to_string();
    list.lines().filter(|file| file.contains(&here)).map(str::to_owned).collect()
}

#[test]
fn what_is_killed_outright_hinders_no_other_one() {
    let site = Site::with(mini_system());
    site.write("site.ks", &kickstart("%post\necho begun\nwhile :; do :; done\n%end\n"));
    let mut pids = Vec::new();
    for words in ["import the image", "write /etc/fstab", "| begun"] {
        let mut command = bootc_ks(site.dir.path());
        command.args(["install", "site.ks", "--log", "install.log", "--image", "oci:oci:mini"]);
        command.args(["--disk-image", "disk.img", "--size", "700M"]);
        let mut child = start(&mut command);
        pids.push(child.id());
        let said = hears(&mut child, words);
        child.kill().unwrap();
        child.wait().unwrap();
        said.join().unwrap();
        // Its programs, the script too, would keep the disk in use.
        let end = Instant::now() + Duration::from_secs(20);
        while !attached(&site).is_empty() {
            assert!(Instant::now() < end, "still attached after '{words}': {:?}", attached(&site));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert!(site.names().iter().any(|name| name.starts_with(".disk.img.bootc-ks-")), "{:?}", site.names());
    site.write("site.ks", &kickstart(""));
    let outcome = site.install_image(&[]).exits(0);
    pids.push(outcome.pid);
    pids.into_iter().for_each(|pid| left_nothing(&site, pid));
    let log = std::fs::read_to_string(site.path("install.log")).unwrap();
    assert_eq!(log.matches(" begins: ").count(), 4, "each run adds to the log");
    assert_eq!(log.lines().last().map(|line| line.ends_with("bootc-ks ends: installed")), Some(true));
    assert_eq!(site.mode("install.log"), 0o600);
    assert_eq!(site.mode("disk.img"), 0o600);
}

#[test]
fn a_closed_output_does_not_stop_it() {
    let site = Site::with(mini_system());
    let mut command = bootc_ks(site.dir.path());
    command.args(["install", "site.ks", "--log", "install.log", "--image", "oci:oci:mini", "--events", "-"]);
    command.args(["--disk-image", "disk.img", "--size", "700M"]);
    let mut child = start(&mut command);
    (child.stdout, child.stderr) = (None, None);
    left_nothing(&site, wait(child, &command).exits(0).pid);
    let (_mounted, system) = open(&site);
    system.ostree(&["fsck"]);

    let mut plan = bootc_ks(site.dir.path());
    plan.args(["plan", "site.ks", "--image", "oci:oci:mini", "--disk-image", "x", "--size", "700M"]);
    let mut child = start(&mut plan);
    child.stdout = None;
    let outcome = wait(child, &plan).exits(0);
    assert!(!outcome.stderr.contains("error"), "{outcome}");
}

/// A package's daemon, an agent: %post starts it, and no script ends it.
#[test]
fn what_post_leaves_behind_is_ended() {
    let site = Site::with(mini_system());
    site.write("site.ks", &kickstart("%post\ncd /var\nwhile :; do :; done &\necho done > /etc/post\n%end\n"));
    let outcome = site.install_image(&[]).exits(0).says(&["left processes behind, which were ended: sh"]);
    left_nothing(&site, outcome.pid);
    let (_mounted, system) = open(&site);
    assert_eq!(system.text("/etc/post"), "done\n");
}

/// The same outside: what runs in the system by a chroot of the script's own, what only works in it, and
/// what has nothing to do with it.
#[test]
fn what_post_leaves_behind_outside_is_ended_if_it_is_in_the_way() {
    let site = Site::with(mini_system());
    // Each says when it is where it wants to be.
    let script = "cd \"$ANA_INSTALL_PATH/var\"\nchroot .. /bin/sh -c 'echo > /var/one; while :; do :; done' &\n\
                  (echo > two; exec sleep 1001) &\nuntil [ -e one ] && [ -e two ]; do sleep 0.1; done\n\
                  cd \"$OLDPWD\"\nsleep 1002 &\necho $! > elsewhere\n";
    site.write("site.ks", &kickstart(&format!("%post --nochroot\n{script}%end\n")));
    let outcome = site.install_image(&[]).exits(0);
    let told = outcome.stderr.lines().find(|line| line.contains("left processes behind, which were ended")).unwrap();
    assert_eq!(told.matches("(process ").count(), 2, "{outcome}");
    left_nothing(&site, outcome.pid);
    let elsewhere = std::fs::read_to_string(site.path("elsewhere")).unwrap();
    run(Command::new("kill").arg(elsewhere.trim()));
}

/// A `tee` that the script speaks through has its last lines to write, and ends by itself.
#[test]
fn what_only_finishes_is_let_finish() {
    let site = Site::with(mini_system());
    let script = "exec > >(sleep 0.2; tee \"$ANA_INSTALL_PATH/etc/ks-post.log\") 2>&1\necho almost\necho done\n";
    site.write("site.ks", &kickstart(&format!("%post --nochroot --interpreter=/bin/bash\n{script}%end\n")));
    let outcome = site.install_image(&[]).exits(0);
    assert!(!outcome.stderr.contains("left processes behind"), "{outcome}");
    let (_mounted, system) = open(&site);
    assert_eq!(system.text("/etc/ks-post.log"), "almost\ndone\n");
}

/// The question and its answers, on a terminal as `script` makes one.
#[test]
fn a_person_is_asked() {
    let site = Site::with(mini_system());
    let disk = OccupiedDisk::make(&site.path("disk"), 700 * MIB);
    let name = disk.name();
    site.write("site.ks", &kickstart(&format!("clearpart --all\nignoredisk --only-use={name}\n")));
    let program = env!("CARGO_BIN_EXE_bootc-ks");
    let line = format!("'{program}' install site.ks --log install.log --image oci:oci:mini");
    let answer = |answer: &str| {
        let mut command = Command::new("sh");
        let pipe = format!(
            "rm -f typed; {{ for i in $(seq 600); do grep -qs yes/no typed && break; sleep 0.1; done; echo \"{answer}\"; }} |
             {} --quiet --return --flush --command \"$0\" typed",
            need("script", "bsdutils").display()
        );
        command.current_dir(site.dir.path()).args(["-c", &pipe, &line]);
        finish(&mut command)
    };
    let before = fingerprint(disk.device.path());
    let outcome = answer("no").exits(4);
    let question = format!("Install onto {name} now? [yes/no]");
    for words in ["precious", &question, "not confirmed; nothing was touched"] {
        assert!(outcome.stdout.contains(words), "{words} is not in {outcome}");
    }
    assert_eq!(fingerprint(disk.device.path()), before);
    // While a person thinks about it, another program makes another file system there.
    let (relabel, part) = (need("e2label", "e2fsprogs"), disk.device.partition(1));
    let outcome = answer(&format!("$({} {} other)yes", relabel.display(), part.display())).exits(4);
    for words in [&question, "is not what it was when this was planned", "ext4 \"other\""] {
        assert!(outcome.stdout.contains(words), "{words} is not in {outcome}");
    }
    let outcome = answer("yes").exits(0);
    assert!(outcome.stdout.contains(&question) && outcome.stdout.contains("Installed on"), "{outcome}");
    assert_ne!(fingerprint(disk.device.path()), before);
}

#[test]
fn a_failure_half_way_leaves_nothing_open() {
    let site = Site::with(mini_system());
    let disk = OccupiedDisk::make(&site.path("disk"), 700 * MIB);
    let name = disk.name();
    site.write("site.ks", &kickstart(&format!("clearpart --all\nignoredisk --only-use={name}\n")));
    for step in ["format", "import", "deploy", "finish"] {
        let point = format!("before:{step}");
        let args = ["--image", "oci:oci:mini", "--yes", "--fail-at", &point];
        let outcome = site.install(&args).exits(1).one_error().says(&[step, "it will not boot"]);
        left_nothing(&site, outcome.pid);
        // No process holds it, in whatever namespace: it can be installed onto again at once.
        File::options().read(true).custom_flags(libc::O_EXCL).open(&name).unwrap();
        let onto_file = ["--disk-image", "disk.img", "--size", "700M"];
        let args = [&args[..], &onto_file].concat();
        let outcome = site.install(&args).exits(1).one_error().says(&[step, "the unfinished disk image was removed"]);
        left_nothing(&site, outcome.pid);
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

/// All that it takes is in the kickstart; the password stays where it is wanted, and there alone.
#[test]
fn with_credentials_of_the_kickstart() {
    const PASSWORD: &str = "s3cret-of-the-registry";
    let site = Site::with(mini_system());
    let registry = Registry::start_with_login("installer", PASSWORD);
    let host = registry.address();
    let digest = registry.push(&site.path("oci"), "mini", "org/mini:1");
    let section = |more: &str| {
        let lines = format!("username = installer\npassword = {PASSWORD}\ninsecure-registry = {host}\n{more}");
        let text = kickstart(&format!("%addon org_bootc_ks\n{lines}%end\n"));
        site.write("site.ks", &text.replace("registry.example/mini:1", &format!("{host}/org/mini:1")));
    };
    let onto = ["--disk-image", "disk.img", "--size", "700M", "--events", "events.jsonl", "--yes"];

    section(&format!("digest = sha256:{}\n", "0".repeat(64)));
    let wrong = site.install(&onto).exits(4).one_error().says(&["has the digest", &digest, "was asked for"]);
    wrong.keeps(&[PASSWORD]);
    section("bogus = 1\n");
    site.install(&onto).exits(2).says(&["unknown key `bogus`"]).keeps(&[PASSWORD]);
    assert!(!site.path("disk.img").exists());

    section(&format!("keep-credentials = yes\ntarget = {host}/org/mini:stable\ndigest = {digest}\n"));
    site.install(&onto).exits(0).says(&[]).keeps(&[PASSWORD]);
    let (_mounted, system) = open(&site);
    let kept: Value = serde_json::from_str(&system.text("/etc/ostree/auth.json")).unwrap();
    let registrys: Value = serde_json::from_slice(&std::fs::read(registry.auth_file()).unwrap()).unwrap();
    assert_eq!(kept["auths"][&host]["auth"], registrys["auths"][&host]["auth"]);
    assert_eq!(system.owner("/etc/ostree/auth.json"), (0o600, 0, 0));
    let origin = std::fs::read_to_string(system.root.with_extension("0.origin")).unwrap();
    assert!(origin.contains(&format!("ostree-unverified-registry:{host}/org/mini:stable")), "{origin}");
    let records =
        ["plan.json", "kickstart.ks", "install.log"].map(|name| system.text(&format!("/var/log/bootc-ks/{name}")));
    let ours = ["events.jsonl", "install.log"].map(|name| std::fs::read_to_string(site.path(name)).unwrap());
    for text in records.iter().chain(&ours) {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

/// Labels are the image's policy's, in the system and around it; a policy is mostly a list of paths.
#[test]
fn an_image_with_selinux_is_labelled_all_over() {
    const RULES: &str = "/.* system_u:object_r:default_t:s0\n/ -d system_u:object_r:root_t:s0\n\
        /usr(/.*)? system_u:object_r:usr_t:s0\n/etc(/.*)? system_u:object_r:etc_t:s0\n\
        /boot(/.*)? system_u:object_r:boot_t:s0\n/var(/.*)? system_u:object_r:var_t:s0\n\
        /var/home/[^/]+(/.*)? system_u:object_r:user_home_t:s0\n\
        /etc/cache\\..* -- system_u:object_r:cache_t:s0\n/var/lib/service\\..* -- system_u:object_r:service_t:s0\n";
    let policy = Layer::new(Compression::Gzip)
        .file("etc/selinux/config", 0o644, b"SELINUX=enforcing\nSELINUXTYPE=mini\n")
        .file("etc/cache.image", 0o644, b"the image's, which knows it as a file of /usr/etc")
        .file("etc/selinux/mini/policy/policy.33", 0o644, b"nothing here reads it")
        .file("etc/selinux/mini/contexts/files/file_contexts", 0o644, RULES.as_bytes());
    let site = Site::with(mini_system().layer(policy));
    let more = "%addon org_bootc_ks\nusername = a\npassword = b\nkeep-credentials = yes\n%end\n\
        %post\necho data > /var/lib/service.post\necho data > /etc/cache.post\n%end\n";
    site.write("site.ks", &kickstart(more));
    site.install_image(&["--target-image", "quay.io/org/os:1"]).exits(0);
    let (mounted, system) = open(&site);
    let label = |path: &Path| {
        let hex = attribute(path, "security.selinux").unwrap_or_default();
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        String::from_utf8(bytes).unwrap().split(':').nth(2).unwrap_or("none").to_owned()
    };
    let deploy = system.root.parent().unwrap();
    let (first, rest) = system.commit.split_at(2);
    let commit = system.repo().join(format!("objects/{first}/{rest}.commit"));
    for (path, kind) in [
        (system.path("/etc/hostname"), "etc_t"),
        (system.path("/etc/passwd"), "etc_t"),
        (system.path("/etc/ostree"), "etc_t"),
        (system.path("/etc/ostree/auth.json"), "etc_t"),
        (system.path("/usr/bin/sh"), "usr_t"),
        (system.path("/etc/cache.image"), "cache_t"),
        (system.path("/etc/cache.post"), "cache_t"),
        (system.path("/var/lib/service.post"), "service_t"),
        (system.path("/var/.ostree-selabeled"), "var_t"),
        (system.path("/var/home/admin-user/.ssh/authorized_keys"), "user_home_t"),
        (system.path("/var/log/bootc-ks/plan.json"), "var_t"),
        (system.path("/var"), "var_t"),
        (mounted.path().to_owned(), "root_t"),
        (mounted.path().join("boot"), "boot_t"),
        (system.physical.join("boot/loader"), "boot_t"),
        (mounted.path().join("ostree"), "usr_t"),
        (system.repo().join("config"), "usr_t"),
        (commit.parent().unwrap().to_owned(), "usr_t"),
        (commit, "usr_t"),
        (deploy.to_owned(), "usr_t"),
        (system.root.with_extension("0.origin"), "usr_t"),
    ] {
        assert_eq!(label(&path), kind, "{}", path.display());
    }
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

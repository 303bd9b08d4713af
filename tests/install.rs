//! Whole installations of a tiny image, onto a file and onto a disk, and a close look at what
//! they leave. Root, no network, a second or two each.

use std::path::Path;

use crate::record;
use crate::support::disk::MIB;
use crate::support::installed::{Installed, attribute, partition_table};
use crate::support::mini_image::KERNEL;
use crate::support::mini_system::{KARGS, mini_system};
use crate::support::site::{KEY, Mounted, OccupiedDisk, SECRET, Site, kickstart};
use crate::webhook;
use serde_json::Value;

const SCRIPTS: &str = "\
services --disabled=kdump --enabled=sshd,getty@tty3
firewall --enabled --port=8080:tcp --trust=eth1
group --name=site --gid=1300
network --device=ens3 --bootproto=static --ip=192.0.2.7 --netmask=255.255.255.0 --gateway=192.0.2.1
timesource --ntp-server=ntp.example.org
skipx
rootpw --iscrypted $6$salt$hashed-root
user --name=builder --uid=1600 --groups=builders(1700),wheel --shell=/bin/sh --gecos=\"Builds\" --lock
user --name=served --homedir=/var/srv/served --iscrypted --password=nope
sshkey --username=root \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFJvb3RSb290Um9vdFJvb3RSb290Um9vdFJvb3RSb290 root@example\"
%post --log=/var/log/post.log
echo \"said inside\"
echo inside > /etc/written-by-post
echo inside > /var/lib/written-by-post
(echo no > /usr/written-by-post) 2>/dev/null || echo \"usr is read-only\"
exit 7
%end
%post --nochroot
echo beside > \"$ANA_INSTALL_PATH/etc/written-from-outside\"
%end
";

fn open(site: &Site) -> (Mounted, Installed) {
    let mounted = Mounted::partition(&site.path("disk.img"), 1);
    let installed = Installed::find(mounted.path(), "default");
    (mounted, installed)
}

#[test]
fn a_disk_image_holds_what_was_asked_for() {
    let site = Site::with(mini_system());
    let (hook, (log, port)) = (webhook::Receiver::start(), webhook::log_server());
    site.write("site.ks", &kickstart(&format!("logging --host=127.0.0.1 --port={port}\n{SCRIPTS}")));
    site.write("key", &format!("{}\n", webhook::KEY));
    let told = ["--webhook", &hook.url(), "--webhook-key-file", "key"];
    let outcome = site.install_image(&[&["--format", "json", "--events", "events.jsonl"], &told[..]].concat()).exits(0);
    let report = outcome.json();
    let (mounted, system) = open(&site);

    assert_eq!(report["commit"], system.commit.as_str(), "{outcome}");
    settings(&system);
    changes(&system);
    accounts(&system);
    keys(&system);
    scripts(&site, &system, &outcome.stderr);
    content(&system);
    repository(&site, &system);
    boot(&system);
    events(&site, &report);
    webhook::have_all_of_it(&hook, &log, &std::fs::read_to_string(site.path("events.jsonl")).unwrap());
    records(&system, &report);
    record::is_on_record(&site, &system, &report);
    record::holds(&site, mounted.path());
    assert!(site.names().iter().all(|name| !name.starts_with('.')), "something was left: {:?}", site.names());
    drop(mounted);
    record::every_change_is_told(&site);
}

fn settings(system: &Installed) {
    assert_eq!(system.text("/etc/hostname"), "mini\n");
    assert_eq!(system.text("/etc/locale.conf"), "LANG=en_US.UTF-8\n");
    assert_eq!(system.text("/etc/vconsole.conf"), "KEYMAP=us\n");
    let zone = std::fs::read_link(system.path("/etc/localtime")).unwrap();
    assert_eq!(zone, Path::new("../usr/share/zoneinfo/Etc/UTC"));
    let fstab = system.text("/etc/fstab");
    assert!(fstab.lines().all(|line| line.starts_with('#')), "one partition needs no line:\n{fstab}");
}

/// What the commands that configure the system come to.
fn changes(system: &Installed) {
    let link = |name: &str| {
        let path = system.path(&format!("/etc/systemd/system/{name}"));
        std::fs::read_link(path).map(|target| target.display().to_string()).unwrap_or_default()
    };
    let vendor = "/usr/lib/systemd/system";
    for (name, target) in [
        ("multi-user.target.wants/ssh.service", "ssh.service"),
        ("sshd.service", "ssh.service"),
        ("getty.target.wants/getty@tty3.service", "getty@.service"),
        ("multi-user.target.wants/firewalld.service", "firewalld.service"),
        ("multi-user.target.wants/chronyd.service", "chronyd.service"),
        ("default.target", "multi-user.target"),
    ] {
        assert_eq!(link(name), format!("{vendor}/{target}"), "{name}");
    }
    assert_eq!(link("multi-user.target.wants/kdump.service"), "", "what was disabled is still started");
    let preset = system.text("/etc/systemd/system-preset/00-bootc-ks.preset");
    assert!(preset.contains("enable ssh.service\n") && preset.ends_with("disable kdump.service\n"), "{preset}");
    let told = system.text("/etc/firewall-was-told");
    assert_eq!(told, "--service=ssh --trust=eth1 --port=8080:tcp\n");
    let chrony = system.text("/etc/chrony.conf");
    assert_eq!(chrony, "server ntp.example.org iburst\ndriftfile /var/lib/chrony/drift\n");
    let connection = "/etc/NetworkManager/system-connections/ens3.nmconnection";
    assert!(system.text(connection).contains("address1=192.0.2.7/24,192.0.2.1\n"));
    assert_eq!(system.owner(connection), (0o600, 0, 0));
    assert_eq!(system.line("/etc/group", "site")[2], "1300");
}

fn accounts(system: &Installed) {
    let user = system.line("/etc/passwd", "admin-user");
    assert_eq!(user[2..], ["1000", "1000", "", "/var/home/admin-user", "/bin/bash"], "{user:?}");
    let builder = system.line("/etc/passwd", "builder");
    assert_eq!(builder[2..], ["1600", "1600", "Builds", "/var/home/builder", "/bin/sh"], "{builder:?}");
    assert_eq!(system.line("/etc/passwd", "served")[5], "/var/srv/served");
    assert_eq!(system.line("/etc/group", "wheel")[2..], ["10", "admin-user,builder"]);
    assert_eq!(system.line("/etc/group", "builders")[2..], ["1700", "builder"]);
    assert_eq!(system.line("/etc/gshadow", "wheel")[3], "admin-user,builder");
    assert_eq!(system.line("/etc/shadow", "root")[1], "$6$salt$hashed-root");
    let password = &system.line("/etc/shadow", "admin-user")[1];
    assert!(password.starts_with("$6$") && !password.contains(SECRET), "{password}");
    for name in ["builder", "served"] {
        let password = &system.line("/etc/shadow", name)[1];
        assert!(password.starts_with(['*', '!']), "{name} has no password, and {password} opens the account");
    }
    for (file, mode) in [("passwd", 0o644), ("group", 0o644), ("shadow", 0o600), ("gshadow", 0o600)] {
        let path = format!("/etc/{file}");
        let (found, uid, _) = system.owner(&path);
        assert_eq!(uid, 0, "{path}");
        // Debian's shadow files are 0640 and shadow's; others may not read them either way.
        assert!(found == mode || (mode == 0o600 && found == 0o640), "{path} is {found:o}");
    }
}

fn keys(system: &Installed) {
    let home = "/var/home/admin-user";
    assert_eq!(system.owner(home), (0o700, 1000, 1000));
    assert_eq!(system.owner(&format!("{home}/.profile")).1, 1000, "from /etc/skel");
    assert_eq!(system.owner(&format!("{home}/.ssh")), (0o700, 1000, 1000));
    assert_eq!(system.owner(&format!("{home}/.ssh/authorized_keys")), (0o600, 1000, 1000));
    assert_eq!(system.text(&format!("{home}/.ssh/authorized_keys")), format!("{KEY}\n"));
    assert_eq!(system.owner("/var/roothome/.ssh/authorized_keys"), (0o600, 0, 0));
    assert_eq!(system.owner("/var/roothome").0, 0o700);
    assert!(!system.exists("/var/home/builder/.ssh"));
    assert_eq!(system.owner("/var/srv/served"), (0o700, 1001, 1001));
}

fn scripts(site: &Site, system: &Installed, stderr: &str) {
    assert_eq!(system.text("/etc/written-by-post"), "inside\n");
    assert_eq!(system.text("/var/lib/written-by-post"), "inside\n");
    assert_eq!(system.text("/etc/written-from-outside"), "beside\n");
    assert_eq!(system.text("/var/log/post.log"), "said inside\nusr is read-only\n");
    assert!(stderr.contains("said inside"), "a script's output is told: {stderr}");
    // Without --erroronfail it is a warning.
    assert!(stderr.contains("%post script at site.ks:") && stderr.contains("exit code 7"), "{stderr}");
    let log = std::fs::read_to_string(site.path("install.log")).unwrap();
    assert!(log.contains("exit code 7"), "{log}");
}

fn content(system: &Installed) {
    for gone in ["/etc/removed.conf", "/usr/share/mini/gone", "/usr/share/mini/opaque/old", "/usr/etc/removed.conf"] {
        assert!(!system.exists(gone), "{gone} outlived its whiteout");
    }
    for there in ["/usr/share/mini/opaque/new", "/usr/share/mini/kept", "/usr/share/mini/dangling", "/etc/hosts"] {
        assert!(system.exists(there), "{there} is missing");
    }
    assert_eq!(system.text("/usr/share/mini/replaced"), "new\n");
    assert_eq!(system.owner("/usr/share/mini/replaced").0, 0o600);
    assert_eq!(system.owner("/usr/share/mini").0, 0o750);
    // As libostree has it: what an opaque directory was below is gone with its mode.
    assert_eq!(system.owner("/usr/share/mini/opaque").0, 0o755);
    assert_eq!(system.owner("/usr/bin/set-id").0, 0o4755);
    assert_eq!(system.owner("/usr/bin/set-group").0, 0o2711);
    let capability = attribute(&system.path("/usr/bin/capable"), "security.capability");
    assert_eq!(capability.as_deref(), Some("0100000200040000000000000000000000000000"));
    assert_eq!(attribute(&system.path("/usr/share/mini/noted"), "user.note").as_deref(), Some("6b65707420746f6f"));
    assert_eq!(system.text("/usr/share/mini/a"), system.text("/usr/share/mini/b"));
    assert_eq!(std::fs::metadata(system.path("/usr/share/mini/large")).unwrap().len(), 3_000_000);
    assert_eq!(system.text("/var/lib/state"), "what the image has in /var\n");
    assert_eq!(system.owner("/var/lib/state").0, 0o600);
    for dir in ["/run", "/tmp", "/proc", "/dev"] {
        let left = std::fs::read_dir(system.path(dir)).unwrap().count();
        assert_eq!(left, 0, "the installation left something in {dir}");
    }
}

fn repository(site: &Site, system: &Installed) {
    let index: Value = serde_json::from_slice(&std::fs::read(site.path("oci/index.json")).unwrap()).unwrap();
    let digest = index["manifests"][0]["digest"].as_str().unwrap();
    let manifest = std::fs::read(crate::support::mini_image::blob_path(&site.path("oci"), digest)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut expected: Vec<String> = manifest["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| format!("ostree/container/blob/{}", layer["digest"].as_str().unwrap().replace(':', "_3A_")))
        .collect();
    // Updates come from the registry that the kickstart names, not from this directory.
    expected.push("ostree/container/image/docker_3A__2F__2F_registry_2E_example/mini_3A_1".to_owned());
    expected.sort();
    let refs = system.ostree(&["refs"]);
    // The other is libostree's own, for the deployment.
    let mut refs: Vec<&str> = refs.lines().filter(|name| name.starts_with("ostree/container/")).collect();
    refs.sort();
    assert_eq!(refs, expected);
    assert_eq!(system.ostree(&["rev-parse", expected.last().unwrap()]).trim(), system.commit);
    assert_eq!(system.metadata("ostree.manifest-digest"), digest);
    let stored: Value = serde_json::from_str(&system.metadata("ostree.manifest")).unwrap();
    assert_eq!(stored, manifest);
    let stored: Value = serde_json::from_str(&system.metadata("ostree.container.image-config")).unwrap();
    assert_eq!(stored["architecture"], "amd64");
    system.ostree(&["fsck"]);
    for (key, value) in [("sysroot.readonly", "true"), ("sysroot.bootprefix", "true"), ("sysroot.bootloader", "none")] {
        assert_eq!(system.ostree(&["config", "get", key]).trim(), value, "{key}");
    }
    let origin = std::fs::read_to_string(system.root.with_extension("0.origin")).unwrap();
    let wanted = "container-image-reference=ostree-unverified-registry:registry.example/mini:1";
    assert!(origin.lines().any(|line| line == "[origin]") && origin.lines().any(|line| line == wanted), "{origin}");
}

fn boot(system: &Installed) {
    let boot = system.physical.join("boot");
    let kargs = system.kargs(&boot);
    let root = kargs.iter().find(|karg| karg.starts_with("root=UUID=")).expect("root=");
    let uuid = root.trim_start_matches("root=UUID=").to_owned();
    assert_eq!(uuid.len(), 36, "{root}");
    let mut expected = vec![root.clone(), "rw".to_owned()];
    expected.extend(KARGS.map(str::to_owned));
    expected.push("site.last=1".to_owned());
    let ours: Vec<String> = kargs.iter().filter(|karg| !karg.starts_with("ostree=")).cloned().collect();
    assert_eq!(ours, expected);
    let entry = system.entry(&boot);
    let linux = entry.lines().find_map(|line| line.strip_prefix("linux ")).expect("a kernel");
    assert!(linux.starts_with("/boot/ostree/default-"), "{entry}");
    for line in ["linux ", "initrd "] {
        let file = entry.lines().find_map(|text| text.strip_prefix(line)).expect(line);
        assert!(boot.join(file.trim_start_matches("/boot/")).is_file(), "{file} is not there");
        assert!(file.contains(KERNEL), "{file}");
    }
    let ostree = kargs.iter().find_map(|karg| karg.strip_prefix("ostree=/")).expect("ostree=");
    let target = std::fs::canonicalize(system.physical.join(ostree)).unwrap();
    assert_eq!(target, std::fs::canonicalize(&system.root).unwrap());
    assert_eq!(std::fs::read_link(boot.join("boot")).unwrap(), Path::new("."));
}

fn events(site: &Site, report: &Value) {
    let text = std::fs::read_to_string(site.path("events.jsonl")).unwrap();
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |kind: &str| all.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    let started = of("started");
    let [started] = started.as_slice() else { panic!("not one start:\n{text}") };
    assert_eq!((&started["schema"], &started["plan"]), (&1.into(), &report["plan"]));
    let steps = started["steps"].as_u64().unwrap();
    for (kind, field) in [("step-started", "title"), ("step-finished", "millis")] {
        let numbers: Vec<u64> = of(kind).iter().map(|event| event["step"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=steps).collect::<Vec<_>>(), "{kind}");
        assert!(of(kind).iter().all(|event| !event[field].is_null()), "{kind} without {field}:\n{text}");
    }
    assert_eq!(of("layer-started").len(), 3);
    assert_eq!(of("layer-finished").len(), 3);
    assert!(of("layer-started").iter().all(|event| event["digest"].as_str().unwrap().starts_with("sha256:")));
    let last = of("progress").last().copied().cloned().expect("progress is told");
    assert_eq!(last["done"], last["total"], "{last}");
    assert!(of("output").iter().any(|event| event["line"] == "said inside"), "{text}");
    assert!(of("warning").iter().any(|event| event["message"].as_str().unwrap().contains("exit code 7")), "{text}");
    assert_eq!(of("failed").len(), 0);
    assert_eq!(all.last().unwrap()["type"], "finished");
}

fn records(system: &Installed, report: &Value) {
    assert_eq!(report["schema"], 1);
    assert_eq!(report["target"], "disk.img");
    for key in ["plan", "image", "commit", "kargs", "steps", "warnings", "end"] {
        assert!(!report[key].is_null(), "no {key} in {report:#}");
    }
    let plan: Value = serde_json::from_str(&system.text("/var/log/bootc-ks/plan.json")).unwrap();
    assert_eq!(plan["image"]["digest"], report["image"]);
    assert!(system.text("/var/log/bootc-ks/kickstart.ks").contains("network --hostname=mini\n"));
    assert!(!system.text("/var/log/bootc-ks/install.log").is_empty());
    assert_eq!(system.owner("/var/log/bootc-ks"), (0o700, 0, 0));
}

#[test]
fn a_disk_gets_partitions_of_ones_own() {
    let site = Site::with(mini_system());
    let disk = OccupiedDisk::make(&site.path("disk"), 1300 * MIB);
    let name = disk.name();
    let layout = "reqpart\npart /boot --fstype=ext4 --size=100 --label=boot\npart swap --size=16\n\
        part /var --fstype=ext4 --size=64\npart /home --fstype=ext4 --size=32 --fsoptions=noatime,nodev\n";
    let text = kickstart(&format!("{layout}clearpart --all --initlabel\nzerombr\nignoredisk --only-use={name}\n"));
    // reboot is for machines that were installed, not for the one that installs.
    site.write("site.ks", &format!("{text}reboot\n"));
    let plan = site.run(&["plan", "site.ks", "--image", "oci:oci:mini", "--format", "json"]).exits(0).json();
    let digest = plan["digest"].as_str().unwrap();
    let args = ["--image", "oci:oci:mini", "--yes", "--plan-digest", digest, "--events", "-"];
    let outcome = site.install(&args).exits(0);
    for line in outcome.stdout.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    }

    let table = partition_table(disk.device.path());
    assert_eq!(table["label"], "gpt");
    let partitions = table["partitions"].as_array().unwrap();
    let types: Vec<&str> = partitions.iter().map(|p| &p["type"].as_str().unwrap()[..8]).collect();
    assert_eq!(types, ["21686148", "C12A7328", "0FC63DAF", "BC13C2FF", "0657FD6D", "0FC63DAF", "0FC63DAF"]);
    assert!(partitions.iter().all(|p| p["start"].as_u64().unwrap() % 2048 == 0), "{table:#}");
    let sizes: Vec<u64> = partitions.iter().map(|p| p["size"].as_u64().unwrap() / 2048).collect();
    assert_eq!([&sizes[..2], &sizes[3..]].concat(), [1, 512, 100, 16, 64, 32]);

    disk.device.show_partitions();
    let root = Mounted::node(&disk.device.partition(3));
    let boot = Mounted::node(&disk.device.partition(4));
    let var = Mounted::node(&disk.device.partition(6));
    let home = Mounted::node(&disk.device.partition(7));
    let system = Installed::find(root.path(), "default");
    let fstab = system.text("/etc/fstab");
    let lines: Vec<Vec<&str>> =
        fstab.lines().filter(|l| !l.starts_with('#')).map(|l| l.split_whitespace().skip(1).collect()).collect();
    assert_eq!(
        lines,
        [
            vec!["/boot", "ext4", "ro", "0", "0"],
            vec!["/var", "ext4", "defaults", "0", "2"],
            vec!["/var/home", "ext4", "noatime,nodev", "0", "2"],
            vec!["none", "swap", "defaults", "0", "0"]
        ],
        "{fstab}"
    );
    let kargs = system.kargs(boot.path());
    for (mount, number) in [("root=UUID=", 3), ("boot=UUID=", 4)] {
        let uuid = uuid_of(&disk.device.partition(number));
        assert!(kargs.contains(&format!("{mount}{uuid}")), "{mount}{uuid} is not in {kargs:?}");
    }
    for (target, number) in [("/boot", 4), ("none", 5), ("/var", 6), ("/var/home", 7)] {
        let line = format!("UUID={} {target} ", uuid_of(&disk.device.partition(number)));
        assert!(fstab.contains(&line), "no `{line}` in\n{fstab}");
    }
    assert!(boot.path().join("boot/loader").exists(), "the link /boot/boot is missing");
    assert_eq!(std::fs::read_to_string(var.path().join("lib/state")).unwrap(), "what the image has in /var\n");
    let record = std::fs::read_to_string(var.path().join("lib/bootc-ks/install.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!((&record["disks"][0]["path"], &record["disks"][0]["size"]), (&name.into(), &(1300 * MIB).into()));
    let keys = std::fs::read_to_string(home.path().join("admin-user/.ssh/authorized_keys")).unwrap();
    assert_eq!(keys, format!("{KEY}\n"));
    drop(boot);
    drop(root);
}

fn uuid_of(node: &Path) -> String {
    let mut blkid = std::process::Command::new(crate::support::need("blkid", "util-linux"));
    crate::support::run(blkid.args(["-p", "-s", "UUID", "-o", "value"]).arg(node)).trim().to_owned()
}

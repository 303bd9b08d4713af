//! The record of an installation: what it says of a system that was installed, and what is told when that
//! has changed. Called by tests that have such a system.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;

use crate::support::cli::run_in;
use crate::support::disk::sha256_hex;
use crate::support::installed::Installed;
use crate::support::schema::violations;
use crate::support::site::{Mounted, SECRET, Site};
use crate::support::source_root;

/// The record in the new system.
const RECORD: &str = "/var/lib/bootc-ks/install.json";

/// The record is as its schema says, tells what was installed, and has no secret.
pub fn is_on_record(site: &Site, system: &Installed, report: &Value) {
    assert_eq!(system.owner(RECORD), (0o600, 0, 0));
    let text = system.text(RECORD);
    for secret in [SECRET, "$6$", "hashed-root"] {
        assert!(!text.contains(secret), "`{secret}` is on record");
    }
    let record: Value = serde_json::from_str(&text).unwrap();
    let schema = fs::read_to_string(source_root().join("docs/schema/install.json")).unwrap();
    assert_eq!(violations(&serde_json::from_str(&schema).unwrap(), &record), Vec::<String>::new());
    for (field, value) in [("plan", &report["plan"]), ("target", &report["target"]), ("kargs", &report["kargs"])] {
        assert_eq!(&record[field], value, "{field}");
    }
    assert_eq!((&record["image"]["digest"], &record["image"]["commit"]), (&report["image"], &report["commit"]));
    let kickstart = sha256_hex(&fs::read(site.path("site.ks")).unwrap());
    assert_eq!(record["kickstart"], format!("sha256:{kickstart}"));
    assert_eq!(record["versions"]["bootc-ks"], env!("CARGO_PKG_VERSION"));
    assert_eq!(record["versions"]["system"], "Mini");
    let of = |list: &str, key: &str, name: &str| {
        let found = record[list].as_array().unwrap().iter().find(|one| one[key] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {list}: {record:#}")).clone()
    };
    let builder = of("users", "name", "builder");
    assert_eq!((&builder["uid"], &builder["shell"]), (&1600.into(), &"/bin/sh".into()), "{builder}");
    assert_eq!(builder["groups"], serde_json::json!(["builders", "wheel"]));
    assert_eq!(of("users", "name", "root")["password"], "set");
    assert_eq!(of("groups", "name", "site")["gid"], 1300);
    assert_eq!(of("units", "unit", "ssh.service")["state"], "enabled");
    assert_eq!(of("units", "unit", "kdump.service")["state"], "disabled");
    assert_eq!(of("ssh_keys", "user", "root")["file"], "/var/roothome/.ssh/authorized_keys");
    let hosts = of("files", "path", "/etc/hostname");
    assert_eq!(hosts["digest"], format!("sha256:{}", sha256_hex(b"mini\n")));
    let connection = of("files", "path", "/etc/NetworkManager/system-connections/ens3.nmconnection");
    assert_eq!((&connection["mode"], &connection["digest"]), (&"0600".into(), &Value::Null), "a secret may be in it");
    let warnings = record["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning.as_str().unwrap().contains("exit code 7")), "{warnings:?}");
    let steps = record["steps"].as_array().unwrap();
    assert!(
        steps.iter().any(|step| step["step"] == "import")
            && steps.len() + 1 == report["steps"].as_array().unwrap().len()
    );
    // The first boot tells of it, and takes what told it away.
    let unit = system.text("/etc/systemd/system/bootc-ks-installed.service");
    assert!(unit.contains(RECORD) && unit.contains("/usr/bin/rm -f"), "{unit}");
    let starts = system.text("/etc/systemd/system/multi-user.target.d/bootc-ks-installed.service.conf");
    assert_eq!(starts, "[Unit]\nWants=bootc-ks-installed.service\n");
}

/// `status` shows it, and `verify` finds nothing, of the disk's root and of the system as it sees itself.
pub fn holds(site: &Site, physical: &Path) {
    let root = physical.to_str().unwrap();
    let shown = site.run(&["status", "--root", root]).exits(0);
    for words in ["Updates:      ", "builder, id 1600, in builders wheel", "ssh.service enabled", "exit code 7"] {
        assert!(shown.stdout.contains(words), "`{words}` is not in\n{shown}");
    }
    let json = site.run(&["status", "--root", root, "--json"]).exits(0).json();
    assert_eq!(json["schema"], 1);
    let same = site.run(&["verify", "--root", root]).exits(0);
    assert!(same.stdout.starts_with("All that was looked at is as the installation of "), "{same}");
    assert_eq!(same.stderr, "");
}

/// Changes one thing after the other in the disk image; `verify` tells all of them.
pub fn every_change_is_told(site: &Site) {
    let mounted = Mounted::writable(&site.path("disk.img"), 1);
    let system = Installed::find(mounted.path(), "default");
    let rewrite = |path: &str, from: &str, to: &str| {
        let text = system.text(path);
        assert!(text.contains(from), "{text}");
        fs::write(system.path(path), text.replacen(from, to, 1)).unwrap();
    };
    let units = "/etc/systemd/system";
    rewrite("/etc/passwd", "builder:x:1600:", "builder:x:1601:");
    rewrite("/etc/passwd", "/var/srv/served:/bin/bash", "/var/srv/served:/bin/false");
    rewrite("/etc/shadow", "root:$6$", "root:!$6$");
    rewrite("/etc/group", "builders:x:1700:builder", "builders:x:1700:");
    rewrite("/etc/group", "site:x:1300:", "site:x:1301:");
    rewrite("/etc/hostname", "mini", "maxi");
    let key = "AAAAC3NzaC1lZDI1NTE5AAAAIFJvdGVSb3RlUm90ZVJvdGVSb3RlUm90ZVJvdGVSb3RlUm90";
    rewrite("/var/roothome/.ssh/authorized_keys", "ssh-ed25519 ", &format!("ssh-ed25519 {key} new\nssh-ed25519 "));
    fs::remove_file(system.path("/var/home/admin-user/.ssh/authorized_keys")).unwrap();
    fs::remove_file(system.path(&format!("{units}/multi-user.target.wants/chronyd.service"))).unwrap();
    symlink("/dev/null", system.path(&format!("{units}/firewalld.service"))).unwrap();
    let kdump = system.path(&format!("{units}/multi-user.target.wants/kdump.service"));
    symlink("/usr/lib/systemd/system/kdump.service", kdump).unwrap();
    let connection = system.path("/etc/NetworkManager/system-connections/ens3.nmconnection");
    fs::set_permissions(connection, fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(system.path("/etc/locale.conf")).unwrap();
    let entry = fs::read_dir(mounted.path().join("boot/loader/entries")).unwrap().flatten().next().unwrap().path();
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace(" site.last=1", " init=/bin/sh")).unwrap();

    let root = mounted.path().to_str().unwrap();
    let told = site.run(&["verify", "--root", root]).exits(1);
    for line in [
        "user builder: uid is 1601, was 1600",
        "user builder: groups is wheel, was builders wheel",
        "user served: shell is /bin/false, was /bin/bash",
        "user root: password is locked, was set",
        "group site: gid is 1301, was 1300",
        "ssh keys of root: fingerprints is SHA256:",
        "ssh keys of admin-user is gone",
        "unit chronyd.service: links is nothing, was ",
        "unit chronyd.service: state is disabled, was enabled",
        "unit firewalld.service: state is masked, was enabled",
        "unit kdump.service: state is enabled, was disabled",
        "file /etc/hostname: digest is sha256:",
        "file /etc/NetworkManager/system-connections/ens3.nmconnection: mode is 0644, was 0600",
        "file /etc/locale.conf is gone",
        "kernel argument site.last=1 is gone",
        "kernel argument init=/bin/sh is new",
    ] {
        assert!(told.stdout.lines().any(|said| said.starts_with(line)), "`{line}` was not told:\n{told}");
    }
    let document = site.run(&["verify", "--root", root, "--json"]).exits(1).json();
    let count = document["differences"].as_array().unwrap().len();
    // Beside those above: the links of kdump.
    assert_eq!(count, 17, "{document:#}");
    let first = &document["differences"][0];
    assert!(first["about"] == "user" && first["recorded"] != first["found"], "{first}");

    // The system as it sees itself has no boot entry where /boot is not mounted in it.
    let deployment = system.root.to_str().unwrap();
    run_in(site.dir.path(), &["verify", "--root", deployment]).exits(3).says(&["no record"]);
    fs::remove_file(system.path(RECORD)).unwrap();
    site.run(&["verify", "--root", root]).exits(3).one_error().says(&["no record of an installation", "hint:"]);
    site.run(&["status", "--root", "/nowhere"]).exits(2).one_error();
}

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::units::{Bytes, Digest};

const COMMIT: &str = "c0ffee";

/// The disk of a system with accounts, keys, units and files, mounted.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Disk(tempfile::tempdir().unwrap());
        for dir in ["etc/systemd/system/multi-user.target.wants", "usr/lib/systemd/system", "usr/lib/modules/6.1"] {
            fs::create_dir_all(disk.path(dir)).unwrap();
        }
        symlink("var/home", disk.path("home")).unwrap();
        disk.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000:Anna:/home/anna:/bin/bash\n");
        disk.write("usr/lib/passwd", "vendor:x:70:70::/:/sbin/nologin\n");
        disk.write("etc/shadow", "root:!$6$x:1::::::\nanna:$6$salt$hash:1::::::\n");
        disk.write("etc/group", "root:x:0:\nanna:x:1000:\nsite:x:1300:\nwheel:x:10:vendor,anna\n");
        disk.write("usr/lib/group", "dialout:x:20:anna\n");
        disk.write("etc/fstab", "# fstab\n");
        disk.write("etc/secret.conf", "psk=hunter2\n");
        symlink("../usr/share/zoneinfo/UTC", disk.path("etc/localtime")).unwrap();
        let start = "etc/systemd/system/multi-user.target.wants/ssh.service";
        symlink("/usr/lib/systemd/system/ssh.service", disk.path(start)).unwrap();
        symlink("/usr/lib/systemd/system/ssh.service", disk.path("etc/systemd/system/sshd.service")).unwrap();
        let keys = format!("# mine\nfrom=\"a b\",no-pty {KEY}\nnot a key\n");
        fs::create_dir_all(disk.var("home/anna/.ssh")).unwrap();
        fs::write(disk.var("home/anna/.ssh/authorized_keys"), keys).unwrap();
        let link = disk.0.path().join("ostree/boot.1/default/abc");
        fs::create_dir_all(&link).unwrap();
        symlink(format!("../../../deploy/default/deploy/{COMMIT}.0"), link.join("0")).unwrap();
        let entries = disk.0.path().join("boot/loader/entries");
        fs::create_dir_all(&entries).unwrap();
        fs::write(entries.join("ostree-1.conf"), entry(1, "root=UUID=old")).unwrap();
        fs::write(entries.join("ostree-2.conf"), entry(2, "root=UUID=1 rw site=1")).unwrap();
        disk
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join("ostree/deploy/default/deploy").join(format!("{COMMIT}.0")).join(path)
    }

    fn var(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join("ostree/deploy/default/var").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn system(&self) -> Installed {
        Installed::below(self.0.path()).unwrap()
    }
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p anna@example";

fn entry(version: u32, options: &str) -> String {
    format!("title x\nversion {version}\noptions {options} ostree=/ostree/boot.1/default/abc/0\nlinux /boot/vmlinuz\n")
}

/// A record of that system with something of everything.
fn record(system: &Installed) -> Record {
    let digest = Digest::of(b"");
    let disk = RecordedDisk {
        path: "/dev/vda".into(),
        stable: "/dev/disk/by-id/virtio-1".into(),
        size: Bytes(1),
        model: Some("m".into()),
        serial: Some("s".into()),
        wwn: Some("w".into()),
    };
    Record {
        schema: SCHEMA,
        installed: "2026-01-01T00:00:00Z".into(),
        versions: BTreeMap::from([("bootc-ks".into(), "1".into())]),
        plan: digest.clone(),
        kickstart: Some(digest.clone()),
        image: RecordedImage {
            source: "docker://q.io/a".into(),
            digest,
            updates_from: "docker://q.io/a".into(),
            commit: COMMIT.into(),
        },
        target: "/dev/vda".into(),
        disks: vec![disk],
        kargs: ["root=UUID=1", "rw", "site=1"].map(str::to_owned).into(),
        steps: vec![RecordedStep { step: "wipe".into(), title: "wipe".into(), millis: 1 }],
        warnings: vec!["w".into()],
        users: ["root", "anna"].map(|name| user(system, name).unwrap().unwrap()).into(),
        groups: vec![group(system, "site").unwrap().unwrap()],
        ssh_keys: vec![keys(system, "anna").unwrap().unwrap()],
        units: ["ssh.service", "kdump.service"].map(|name| unit(system, name).unwrap()).into(),
        files: [("/etc/fstab", false), ("/etc/localtime", false), ("/etc/secret.conf", true)]
            .map(|(path, secret)| file(system, path, secret).unwrap().unwrap())
            .into(),
    }
}

#[test]
fn what_is_there_is_seen_as_the_system_sees_it() {
    let disk = Disk::new();
    let system = disk.system();
    let anna = user(&system, "anna").unwrap().unwrap();
    assert_eq!((anna.uid, anna.gid, anna.shell.as_str(), anna.password), (1000, 1000, "/bin/bash", PasswordState::Set));
    assert_eq!(anna.groups, ["dialout", "wheel"]);
    assert_eq!(user(&system, "root").unwrap().unwrap().password, PasswordState::Locked);
    assert_eq!(user(&system, "vendor").unwrap().unwrap().password, PasswordState::None);
    assert_eq!(user(&system, "bea").unwrap(), None);
    let keys = keys(&system, "anna").unwrap().unwrap();
    assert_eq!(keys.file, "/var/home/anna/.ssh/authorized_keys");
    // As ssh-keygen -l says.
    assert_eq!(keys.fingerprints, ["SHA256:KrGK/btSt+I6hjyl6tXwVCqcAxXEXWLMNI6quwGaz0U"]);
    let ssh = unit(&system, "ssh.service").unwrap();
    let etc = "/etc/systemd/system";
    assert_eq!(ssh.links, [format!("{etc}/multi-user.target.wants/ssh.service"), format!("{etc}/sshd.service")]);
    assert_eq!(unit(&system, "kdump.service").unwrap().state, UnitState::Disabled);
    let secret = file(&system, "/etc/secret.conf", true).unwrap().unwrap();
    assert_eq!((secret.kind, secret.digest), (FileKind::File, None));
    assert_eq!(system.commit().as_deref(), Some(COMMIT));
    assert_eq!(system.kargs().unwrap()[..3], ["root=UUID=1", "rw", "site=1"]);
}

#[test]
fn nothing_differs_from_itself_and_every_change_is_told() {
    let disk = Disk::new();
    let record = record(&disk.system());
    let told = |disk: &Disk| {
        let found = verify(&record, &disk.system());
        assert_eq!(found.unseen, Vec::<String>::new());
        let name = |one: &Difference| format!("{}.{}", one.name, one.field.as_deref().unwrap_or("-"));
        found.differences.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(told(&disk), Vec::<String>::new());
    let authorized = "home/anna/.ssh/authorized_keys";
    type Tamper = fn(&Disk);
    let list: &[(Tamper, &[&str])] = &[
        (|disk| replace(disk, "etc/passwd", "1000:1000", "1001:1000"), &["anna.uid"]),
        (|disk| replace(disk, "etc/passwd", "anna:/bin/bash", "anna:/bin/sh"), &["anna.shell"]),
        (|disk| replace(disk, "etc/passwd", "anna:x", "bea:x"), &["anna.-", "anna.-"]),
        (|disk| replace(disk, "etc/shadow", "root:!", "root:"), &["root.password"]),
        (|disk| replace(disk, "etc/shadow", "$6$salt$hash", ""), &["anna.password"]),
        (|disk| replace(disk, "etc/group", "vendor,anna", "vendor"), &["anna.groups"]),
        (|disk| replace(disk, "etc/group", "1300", "1301"), &["site.gid"]),
        (|disk| replace(disk, "etc/fstab", "#", "# and"), &["/etc/fstab.digest"]),
        (
            |disk| fs::set_permissions(disk.path("etc/fstab"), fs::Permissions::from_mode(0o666)).unwrap(),
            &["/etc/fstab.mode"],
        ),
        (|disk| fs::remove_file(disk.path("etc/secret.conf")).unwrap(), &["/etc/secret.conf.-"]),
        (
            |disk| {
                fs::remove_file(disk.path("etc/localtime")).unwrap();
                symlink("elsewhere", disk.path("etc/localtime")).unwrap();
            },
            &["/etc/localtime.target"],
        ),
        (
            |disk| {
                symlink("/dev/null", disk.path("etc/systemd/system/ssh.service")).unwrap();
            },
            &["ssh.service.state"],
        ),
        (|disk| fs::remove_file(disk.path("etc/systemd/system/sshd.service")).unwrap(), &["ssh.service.links"]),
        (
            |disk| {
                let link = "etc/systemd/system/multi-user.target.wants/kdump.service";
                symlink("/usr/lib/systemd/system/kdump.service", disk.path(link)).unwrap();
            },
            &["kdump.service.links", "kdump.service.state"],
        ),
    ];
    for (tamper, expected) in list {
        let disk = Disk::new();
        tamper(&disk);
        assert_eq!(told(&disk), *expected);
    }
    let other = Disk::new();
    fs::write(other.var(authorized), KEY.replace("E1pbmlN", "E1pbmlO")).unwrap();
    assert_eq!(told(&other), ["anna.fingerprints"]);
    let other = Disk::new();
    let path = other.0.path().join("boot/loader/entries/ostree-2.conf");
    fs::write(path, entry(2, "rw root=UUID=1 init=/bin/sh")).unwrap();
    assert_eq!(told(&other), ["site=1.-", "init=/bin/sh.-"]);
}

fn replace(disk: &Disk, path: &str, from: &str, to: &str) {
    let text = fs::read_to_string(disk.path(path)).unwrap();
    assert!(text.contains(from), "{text}");
    disk.write(path, &text.replacen(from, to, 1));
}

#[test]
fn another_image_is_told_by_its_digest() {
    let disk = Disk::new();
    let mut record = record(&disk.system());
    record.image.commit = "other".into();
    let differences = verify(&record, &disk.system()).differences;
    assert_eq!((differences[0].about, differences[0].found.as_str()), (About::Image, Some(COMMIT)));
    let digest = Digest::of(b"updated");
    let objects = disk.0.path().join("ostree/repo/objects/c0");
    fs::create_dir_all(&objects).unwrap();
    let object = format!("....ostree.manifest-digest\0\0\0{digest}\0\0s");
    fs::write(objects.join("ffee.commit"), object).unwrap();
    let differences = verify(&record, &disk.system()).differences;
    assert_eq!(differences[0].found, digest.to_string());
}

#[test]
fn a_record_that_is_missing_spoiled_or_newer_is_refused_by_name() {
    let disk = Disk::new();
    let refused = || read(&disk.system()).unwrap_err();
    assert!(refused().to_string().contains("no record"), "{}", refused());
    assert_eq!(refused().exit_code(), 3);
    fs::create_dir_all(disk.var("lib/bootc-ks")).unwrap();
    let file = disk.var("lib/bootc-ks/install.json");
    for (text, says) in [("{", "not as an installation"), ("{\"schema\": 9}", "version 9"), ("[]", "version no")] {
        fs::write(&file, text).unwrap();
        assert!(refused().to_string().contains(says), "{}", refused());
        assert_eq!(refused().exit_code(), 3);
    }
    let record = record(&disk.system());
    fs::write(&file, serde_json::to_string(&record).unwrap()).unwrap();
    assert_eq!(read(&disk.system()).unwrap(), record);
}

/// What `schema` and `value` do not have in common, both ways.
fn compare(schema: &Value, root: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let name = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
    let schema = name.map_or(schema, |name| &root["$defs"][name]);
    assert!(schema["description"].is_string() || name.is_some() || at.ends_with("[]"), "{at} is not described");
    if let Some(list) = value.as_array() {
        list.iter().for_each(|item| compare(&schema["items"], root, item, &format!("{at}[]"), wrong));
    }
    let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else { return };
    for (field, value) in fields {
        match properties.get(field) {
            Some(schema) => compare(schema, root, value, &format!("{at}.{field}"), wrong),
            None => wrong.push(format!("{at}.{field} is not in the schema")),
        }
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let lacks = properties.keys().filter(|name| required.contains(&name.as_str()) && !fields.contains_key(*name));
    wrong.extend(lacks.map(|name| format!("{at}.{name} is not in the record")));
}

#[test]
fn the_published_schema_has_every_field_and_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/install.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(page).unwrap()).unwrap();
    let disk = Disk::new();
    let record = serde_json::to_value(record(&disk.system())).unwrap();
    let mut wrong = Vec::new();
    compare(&schema, &schema, &record, "record", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&schema["properties"]), fields(&record));
}

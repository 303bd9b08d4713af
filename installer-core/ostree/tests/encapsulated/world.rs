//! What the tests stand on: a source repository with a commit that has a bit of everything,
//! images on disk, and the importer's result next to libostree's own view of it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use installer_core::cancel::Cancel;
use installer_core::deploy::{Import, Imported, import};
use installer_core::event::{Event, Sink};
use installer_core::host::{Real, set_libexec};
use installer_core::image::{self, Access};
use ostree::gio;
use sha2::{Digest, Sha256};

use super::encapsulate::hex;

/// The name under which updates look for the image.
pub const TARGET: &str = "docker://quay.example/os:1";
/// Label of an encapsulated image, by the diff id of the last layer of the base.
pub const FINAL: &str = "ostree.final-diffid";

/// Runs a program that has to succeed.
pub fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).env("LC_ALL", "C.UTF-8").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `ostree` on a repository.
pub fn ostree(repo: &Path, args: &[&str]) -> String {
    run("ostree", &[&args[..1], &["--repo", text(repo)], &args[1..]].concat())
}

/// Writes a file with its parents.
pub fn write(root: &Path, path: &str, mode: u32, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Sets an extended attribute.
pub fn attribute(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, rustix::fs::XattrFlags::empty()).unwrap();
}

/// A small operating system, as a tree for `ostree commit`.
pub fn system(root: &Path) {
    let deep: String = (0..40).map(|level| format!("directory-{level}/")).collect();
    for dir in ["boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var/tmp", "usr/share/empty"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    write(root, "usr/lib/os-release", 0o644, "ID=base\n");
    write(root, "usr/lib/modules/6.1/vmlinuz", 0o755, "a kernel");
    write(root, "usr/lib/modules/6.1/initramfs.img", 0o600, "an initramfs");
    write(root, "usr/bin/sudo", 0o4755, "set-id");
    write(root, "usr/bin/mail", 0o2711, "group");
    write(root, "usr/bin/ping", 0o755, "capable");
    write(root, "usr/bin/linked", 0o755, "linked");
    write(root, "usr/bin/gone", 0o755, "gone");
    write(root, "usr/lib/big", 0o644, vec![7; 1_500_000]);
    write(root, "usr/lib/empty", 0o644, "");
    write(root, "usr/lib/.wh.kept", 0o644, "a name like any other");
    write(root, "usr/share/opaque/old", 0o644, "old");
    write(root, &format!("usr/share/{deep}file"), 0o644, "deep");
    write(root, "usr/share/žluťoučký kůň", 0o644, "not ASCII");
    write(root, "usr/etc/hosts", 0o644, "localhost");
    write(root, "usr/etc/resolv.conf", 0o644, "");
    write(root, "usr/etc/shadow", 0o000, "root:!::");
    for number in 0..50 {
        write(root, &format!("usr/lib/many/{number}"), 0o644, format!("content {number}"));
    }
    symlink("usr/bin", root.join("bin")).unwrap();
    symlink("../../..//usr/bin/sudo", root.join("usr/lib/denormal")).unwrap();
    symlink(format!("../{deep}file"), root.join("usr/share/long")).unwrap();
    fs::hard_link(root.join("usr/bin/linked"), root.join("usr/bin/linked-too")).unwrap();
    chown(root.join("usr/bin/mail"), Some(8), Some(12)).unwrap();
    fs::set_permissions(root.join("usr/bin/mail"), fs::Permissions::from_mode(0o2711)).unwrap();
    chown(root.join("usr/share/empty"), Some(2_900_000), Some(2_900_001)).unwrap();
    fs::set_permissions(root.join("var/tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    attribute(
        &root.join("usr/bin/ping"),
        "security.capability",
        &[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    attribute(&root.join("usr/lib/many/7"), "user.long", &[b'x'; 300]);
    attribute(&root.join("usr/lib/many/7"), "user.empty", b"");
    attribute(&root.join("usr/lib/many"), "user.dir", b"on a directory");
}

/// A new bare repository.
pub fn repository(path: &Path) -> ostree::Repo {
    ostree(path, &["init", "--mode=bare"]);
    let repo = ostree::Repo::new_for_path(path);
    repo.open(gio::Cancellable::NONE).unwrap();
    repo
}

/// Commits the tree at `root` as `branch`; `more` arguments may label it.
pub fn commit(repo: &Path, root: &Path, branch: &str, more: &[&str]) -> String {
    let tree = format!("--tree=dir={}", text(root));
    let fixed = ["commit", "--branch", branch, "--subject", "A system", "--add-metadata-string=version=1", &tree];
    ostree(repo, &[&fixed[..], more].concat()).trim().to_owned()
}

/// Writes `layers` (plain tar streams) as an image; the first `in_base` are the base.
pub fn image(dir: &Path, layers: &[Vec<u8>], in_base: usize) {
    let diff_id = |data: &[u8]| format!("sha256:{}", hex(&Sha256::digest(data)));
    let put = |data: &[u8], kind: &str| {
        let digest = diff_id(data);
        fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        fs::write(dir.join("blobs/sha256").join(&digest[7..]), data).unwrap();
        serde_json::json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": data.len()})
    };
    let gzip = |data: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    };
    let descriptors: Vec<_> = layers.iter().map(|tar| put(&gzip(tar), "layer.v1.tar+gzip")).collect();
    let mut labels = serde_json::json!({"containers.bootc": "1", "ostree.bootable": "true"});
    if in_base > 0 {
        labels[FINAL] = diff_id(&layers[in_base - 1]).into();
    }
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "created": "2026-01-02T03:04:05Z",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|tar| diff_id(tar)).collect::<Vec<_>>()},
    });
    let config = put(config.to_string().as_bytes(), "config.v1+json");
    let manifest = serde_json::json!({"schemaVersion": 2, "config": config, "layers": descriptors});
    let mut entry = put(manifest.to_string().as_bytes(), "manifest.v1+json");
    entry["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": "t"});
    fs::write(dir.join("index.json"), serde_json::json!({"schemaVersion": 2, "manifests": [entry]}).to_string())
        .unwrap();
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Sink for Heard {
    fn emit(&self, event: &Event) {
        if let Event::Warning { message } = event {
            self.0.lock().unwrap().push(message.clone());
        }
    }
}

/// This machine, with the program under test.
pub fn host() -> &'static Real {
    set_libexec(Path::new(env!("CARGO_BIN_EXE_bootc-ks-ostree")).parent().unwrap().to_owned());
    &Real
}

/// The result of an import.
pub struct Outcome {
    pub repo: PathBuf,
    pub commit: String,
    pub warnings: Vec<String>,
    _dir: tempfile::TempDir,
}

/// Imports an image of these layers, or says why not.
pub fn try_import(layers: &[Vec<u8>], in_base: usize, selinux: bool) -> Result<Outcome, String> {
    let dir = tempfile::tempdir().unwrap();
    let (layout, repo) = (dir.path().join("oci"), dir.path().join("repo"));
    image(&layout, layers, in_base);
    repository(&repo);
    let reference = format!("oci:{}:t", layout.display()).parse().unwrap();
    let events = Arc::new(Heard::default());
    let opened = image::open(&reference, "amd64", &Access::default(), events.clone()).unwrap();
    let job = Import {
        image: &opened,
        repo: &repo,
        selinux,
        target: TARGET,
        host: host(),
        events: &*events,
        cancel: &Cancel::new(),
    };
    let Imported { commit, .. } = import(&job).map_err(|error| error.to_string())?;
    let warnings = events.0.lock().unwrap().clone();
    Ok(Outcome { repo, commit, warnings, _dir: dir })
}

/// The complete listing of a commit: mode, owner, size, checksums, attributes, path.
pub fn listing(repo: &Path, commit: &str) -> String {
    ostree(repo, &["ls", "-R", "-C", "-X", commit])
}

/// Compares listings; on a difference shows its lines only.
pub fn assert_same(ours: &str, theirs: &str) {
    let only = |one: &str, other: &str| {
        let other: std::collections::BTreeSet<&str> = other.lines().collect();
        one.lines().filter(|line| !other.contains(line)).take(5).collect::<Vec<_>>().join("\n")
    };
    assert!(ours == theirs, "ours only:\n{}\ntheirs only:\n{}", only(ours, theirs), only(theirs, ours));
}

/// The commits that the layers' refs lead to, by libostree's list of refs.
pub fn layer_refs(result: &Outcome) -> Vec<String> {
    let refs = ostree(&result.repo, &["refs", "--list", "ostree/container/blob"]);
    refs.lines().map(|name| ostree(&result.repo, &["rev-parse", name]).trim().to_owned()).collect()
}

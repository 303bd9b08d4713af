//! `bootc-ks netboot customize`: a kickstart goes into an initrd, and a kernel finds it there.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::Value;
use support::cli::run_in;
use support::qemu::{Firmware, Machine};
use support::{demo_image, need, run};

/// An init that shows the kickstart and switches the machine off.
const INIT: &str = "#!/bin/busybox sh\n/bin/busybox mount -t devtmpfs dev /dev\nexec >/dev/ttyS0 2>&1\n\
    /bin/busybox echo BEGIN; /bin/busybox stat -c 'mode %a' /ks.cfg; /bin/busybox cat /ks.cfg; /bin/busybox echo END\n\
    /bin/busybox poweroff -f\n";

const SITE: &str = "zerombr\nclearpart --all --initlabel\nautopart --type=plain\n%include keys.ks\nreboot\n";
const KEYS: &str = "rootpw --plaintext hunter2\n";
/// What the two are together; comments tell where the second one came from.
const WHOLE: [&str; 3] = ["zerombr\n", "\nrootpw --plaintext hunter2\n", "\nreboot\n"];

/// A small initrd, compressed, of a length that is no multiple of four.
fn initrd(dir: &Path) {
    let root = dir.join("root");
    for name in ["bin", "dev"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    fs::copy(need("busybox", "busybox-static"), root.join("bin/busybox")).unwrap();
    fs::write(root.join("init"), INIT).unwrap();
    fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755)).unwrap();
    let list = ["bin", "bin/busybox", "dev", "init"].join("\n");
    let mut cpio = Command::new(need("cpio", "cpio"))
        .args(["--create", "--format=newc", "--quiet"])
        .current_dir(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    cpio.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let archive = cpio.wait_with_output().unwrap().stdout;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&archive).unwrap();
    let mut packed = packed.finish().unwrap();
    // NULs between archives are skipped by the kernel.
    packed.resize(packed.len().next_multiple_of(4) + 1, 0);
    fs::write(dir.join("initrd.img"), packed).unwrap();
}

/// The demo image's kernel.
fn kernel(to: &Path) {
    let layout = demo_image();
    let blob = |descriptor: &Value| layout.join("blobs").join(descriptor["digest"].as_str().unwrap().replace(':', "/"));
    let json = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let index = json(&layout.join("index.json"));
    let mut manifest = json(&blob(&index["manifests"][0]));
    if let Some(inner) = manifest["manifests"].get(0) {
        manifest = json(&blob(inner));
    }
    let layers = manifest["layers"].as_array().unwrap();
    let gzip = layers.iter().filter(|layer| layer["mediaType"].as_str().unwrap().ends_with("gzip"));
    for layer in gzip {
        let mut archive = tar::Archive::new(GzDecoder::new(File::open(blob(layer)).unwrap()));
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.path().unwrap().ends_with("vmlinuz") {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                return fs::write(to, content).unwrap();
            }
        }
    }
    panic!("no layer of {} has a kernel", layout.display());
}

#[test]
fn a_kernel_finds_the_kickstart_with_what_it_includes() {
    let dir = tempfile::tempdir().unwrap();
    initrd(dir.path());
    fs::write(dir.path().join("site.ks"), SITE).unwrap();
    fs::write(dir.path().join("keys.ks"), KEYS).unwrap();
    let old = fs::read(dir.path().join("initrd.img")).unwrap();
    let customize = ["netboot", "customize", "initrd.img", "--ks", "site.ks", "-o", "new.img"];
    run_in(dir.path(), &customize).exits(0).says(&["inst.ks=file:/ks.cfg"]).keeps(&["hunter2"]);
    let new = dir.path().join("new.img");
    assert_eq!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o600, "it may hold passwords");
    assert_eq!(fs::read(dir.path().join("initrd.img")).unwrap(), old);

    // An independent reader takes the second archive for one.
    let second = fs::read(&new).unwrap()[old.len().next_multiple_of(4)..].to_vec();
    fs::write(dir.path().join("second.cpio"), second).unwrap();
    let list =
        run(Command::new(need("cpio", "cpio")).args(["-t", "--quiet", "-F"]).arg(dir.path().join("second.cpio")));
    assert!(list.lines().any(|line| line == "ks.cfg"), "{list}");

    let vmlinuz = dir.path().join("vmlinuz");
    kernel(&vmlinuz);
    let mut machine = Machine::new(Firmware::Bios).memory(512);
    machine = machine.arg("-kernel").arg(&vmlinuz).arg("-initrd").arg(&new);
    let mut vm = machine.arg("-append").arg("console=ttyS0 quiet").start();
    vm.wait_for_serial("\nEND\n", Duration::from_secs(300));
    let serial = vm.serial();
    for part in WHOLE.iter().chain(&["mode 600\n"]) {
        assert!(serial.contains(part), "no `{part}` in\n{serial}");
    }
    vm.wait_for_exit(Duration::from_secs(60));
}

#[test]
fn what_cannot_be_used_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    initrd(dir.path());
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("good.ks", "zerombr\nautopart --type=plain\n");
    write("bad.ks", "autopart --tpye=plain\nrootpw --plaintext hunter2\n");
    write("text.img", "not an initrd\n");
    let call = |initrd: &str, ks: &str, out: &str| {
        run_in(dir.path(), &["netboot", "customize", initrd, "--ks", ks, "-o", out]).keeps(&["hunter2"]).one_error()
    };
    call("initrd.img", "bad.ks", "new.img").exits(2).says(&["bad.ks cannot be used: 1 error"]);
    call("initrd.img", "none.ks", "new.img").exits(2).says(&["none.ks"]);
    call("text.img", "good.ks", "new.img").exits(2).says(&["text.img: this is no initrd", "hint: pass an installer's"]);
    call("none.img", "good.ks", "new.img").exits(2).says(&["none.img: No such file"]);
    call("initrd.img", "good.ks", "none/new.img").exits(2).says(&["writing none/new.img"]);
    assert!(!dir.path().join("new.img").exists());

    run_in(dir.path(), &["netboot", "customize", "initrd.img", "--ks", "good.ks", "-o", "new.img"]).exits(0);
    let once = fs::read(dir.path().join("new.img")).unwrap();
    call("new.img", "good.ks", "new.img").exits(4).says(&["customised already"]);
    assert_eq!(fs::read(dir.path().join("new.img")).unwrap(), once, "a refusal costs nothing");
    let left = fs::read_dir(dir.path()).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0, "temporary files are left");
}

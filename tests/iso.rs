//! `bootc-ks iso`: media are made, started by real firmware, customised and reset.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::cli::{bootc_ks, finish, run_in};
use crate::support::disk::{file_sha256, sha256_hex};
use crate::support::iso::{iso, show};
use crate::support::mini_image::MiniImage;
use crate::support::qemu::{Firmware, Machine};
use crate::support::registry::Registry;
use crate::support::{need, payload, run};
use serde_json::{Value, json};

/// An init that shows what the installer would find, and switches the machine off.
const INIT: &str = "B=/bin/busybox\n$B mount -t devtmpfs dev /dev\n$B mount -t proc proc /proc\n\
    exec >/dev/ttyS0 2>&1\n$B echo BEGIN\n$B cat /proc/cmdline\n$B sha256sum /ks.cfg\n$B ls /etc/bootc-ks/certs\n\
    $B dmesg | $B grep -i secureboot:\n$B echo END\n$B poweroff -f\n";

const SITE: &str = "zerombr\nclearpart --all --initlabel\nautopart --type=plain\nrootpw --plaintext hunter2\nreboot\n";
const OTHER: &str = "zerombr\nclearpart --all\nautopart --type=plain\n%include keys.ks\npoweroff\n";
const KEYS: &str = "rootpw --plaintext hunter3\n";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

/// An environment in `dir/env` whose kernel is `kernel`, and kickstarts beside it.
fn environment(dir: &Path, kernel: impl FnOnce(&Path)) {
    let env = dir.join("env");
    fs::create_dir_all(env.join("efi")).unwrap();
    kernel(&env.join("vmlinuz"));
    payload::initrd(&env.join("initrd.img"), INIT);
    let file = |name: &str| {
        let content = fs::read(env.join(name)).unwrap();
        json!({"size": content.len(), "sha256": sha256_hex(&content)})
    };
    let manifest = json!({
        "schema": 1, "arch": "x86_64", "kernel": "6.12.0", "image": "docker://registry.example/os:1",
        "digest": "sha256:00", "kargs": ["console=ttyS0,115200", "quiet"],
        "files": {"vmlinuz": file("vmlinuz"), "initrd.img": file("initrd.img")},
    });
    fs::write(env.join("environment.json"), manifest.to_string()).unwrap();
    for (name, text) in [("site.ks", SITE), ("other.ks", OTHER), ("keys.ks", KEYS), ("house.crt", PEM)] {
        fs::write(dir.join(name), text).unwrap();
    }
}

/// One that cannot boot, for what needs no machine.
fn no_kernel(dir: &Path) {
    environment(dir, |path| fs::write(path, "not a kernel\n").unwrap());
}

/// What the machine says between BEGIN and END.
fn boots(machine: Machine, parts: &[&str]) -> String {
    let mut vm = machine.memory(640).start();
    vm.wait_for_serial("\nEND\n", Duration::from_secs(600));
    let serial = vm.serial();
    for part in parts {
        assert!(serial.contains(part), "no `{part}` in\n{serial}");
    }
    vm.wait_for_exit(Duration::from_secs(180));
    serial
}

#[test]
fn firmware_of_every_kind_starts_it_before_and_after_customisation() {
    let dir = tempfile::tempdir().unwrap();
    environment(dir.path(), payload::kernel);
    let build = ["build", "--environment", "env", "--ks", "site.ks", "--karg", "first=1", "-o", "x.iso"];
    iso(dir.path(), &build).exits(0);
    let x = dir.path().join("x.iso");
    let site = format!("{}  /ks.cfg", sha256_hex(SITE.as_bytes()));
    let built = ["initramfs_options=size=90% console=ttyS0,115200 quiet first=1", &site];
    boots(Machine::new(Firmware::Bios).cd(&x), &built);
    boots(Machine::new(Firmware::Uefi).usb(&x), &built);

    // As many arguments as go in.
    let mut long = "long=".to_owned();
    let default = show(dir.path(), "x.iso")["kargs"]["built_in"].as_str().unwrap().len();
    long.extend(std::iter::repeat_n('x', 1919 - default - 1 - long.len()));
    let customize = ["customize", "x.iso", "--ks", "other.ks", "--ca", "house.crt", "--karg", &long];
    iso(dir.path(), &customize).exits(0);
    let kickstart =
        Command::new(env!("CARGO_BIN_EXE_bootc-ks")).args(["flatten", "other.ks"]).current_dir(&dir).output();
    let other = format!("{}  /ks.cfg", sha256_hex(&kickstart.unwrap().stdout));
    let changed = [other.as_str(), "\nhouse.pem\n", &format!(" quiet first=1 {long}")];
    boots(Machine::new(Firmware::Bios).usb(&x), &changed);
    let secure = boots(Machine::new(Firmware::SecureBoot).cd(&x), &changed);
    assert!(secure.contains("Secure boot enabled"), "{secure}");

    half_way(&x);
    for (firmware, message) in
        [(Firmware::Bios, "half-changed--run-bootc-ks-iso-reset"), (Firmware::Uefi, "went wrong")]
    {
        let mut vm = Machine::new(firmware).cd(&x).memory(640).start();
        vm.wait_for_serial(message, Duration::from_secs(300));
        std::thread::sleep(Duration::from_secs(5));
        assert!(!vm.serial().contains("BEGIN"), "a medium that is half changed must start nothing");
    }
}

#[test]
fn the_images_own_boot_loader_finds_the_menu_by_what_lies_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    environment(dir.path(), payload::kernel);
    let efi = dir.path().join("env/efi");
    fs::copy("/usr/lib/shim/shimx64.efi.signed", efi.join("shimx64.efi")).unwrap();
    // As Fedora's, and other than Debian's, it knows of no file that tells a medium.
    let mut grub = Command::new(need("grub-mkimage", "grub-common"));
    grub.args(["-O", "x86_64-efi", "-p", "/EFI/BOOT", "-o"]).arg(efi.join("gcdx64.efi"));
    grub.args(["normal", "configfile", "search", "search_label", "part_msdos", "part_gpt", "fat", "iso9660"]);
    run(grub.args(["linux", "boot", "test", "echo", "sleep", "halt"]));
    iso(dir.path(), &["build", "--environment", "env", "--ks", "site.ks", "-o", "x.iso"]).exits(0);
    assert_eq!(show(dir.path(), "x.iso")["boot_loader"], "image");
    let site = format!("{}  /ks.cfg", sha256_hex(SITE.as_bytes()));
    let x = dir.path().join("x.iso");
    boots(Machine::new(Firmware::Uefi).cd(&x), &[&site]);
    boots(Machine::new(Firmware::Uefi).usb(&x), &[&site]);
}

/// Makes the medium one whose change was stopped.
fn half_way(iso: &Path) {
    let mut bytes = fs::read(iso).unwrap();
    for (before, mark) in [("\ndefault ", b"1\nprompt 1"), ("\nset ready=", b"1\nif [ \"$r")] {
        let at = bytes.windows(before.len()).position(|window| window == before.as_bytes()).unwrap() + before.len();
        assert_eq!(bytes[at..at + 10], mark[..]);
        bytes[at] = b'0';
    }
    fs::write(iso, bytes).unwrap();
}

#[test]
fn what_goes_in_is_shown_and_comes_out_again() {
    let dir = tempfile::tempdir().unwrap();
    no_kernel(dir.path());
    iso(dir.path(), &["build", "--environment", "env", "-o", "x.iso"]).exits(0);
    let x = dir.path().join("x.iso");
    let built = file_sha256(&x);
    let shown = show(dir.path(), "x.iso");
    assert_eq!(
        (&shown["state"], &shown["kickstart"], &shown["image"]),
        (&json!("as-built"), &Value::Null, &Value::Null)
    );

    iso(dir.path(), &["customize", "x.iso", "--ks", "site.ks", "--karg", "a=1"]).exits(0).says(&["x.iso: customised"]);
    let once = file_sha256(&x);
    iso(dir.path(), &["customize", "x.iso", "--karg", "b=2"])
        .exits(4)
        .one_error()
        .says(&["already", "--force", "reset"]);
    assert_eq!(file_sha256(&x), once, "a refusal changes nothing");
    let shown = show(dir.path(), "x.iso");
    assert_eq!(shown["state"], "customised");
    assert!(shown["kickstart"].as_str().unwrap().contains("rootpw --plaintext *******\n"), "{shown}");
    assert!(shown["kargs"]["now"].as_str().unwrap().ends_with(" quiet a=1"), "{shown}");

    // --force takes away what was there, in a copy as well.
    let force = ["customize", "x.iso", "--ca", "house.crt", "--karg", "b=2", "--force", "-o", "y.iso"];
    iso(dir.path(), &force).exits(0);
    assert_eq!(file_sha256(&x), once, "with --output the ISO stays as it is");
    let text = iso(dir.path(), &["show", "y.iso"]).exits(0).stdout;
    for part in ["State:        customised\n", " quiet b=2\n", "Certificates: house.pem\n", "Kickstart:    none\n"] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(dir.path().join("y.iso")).unwrap());
    assert_eq!(mode & 0o777, 0o600, "it may hold passwords");
    let copy = finish(bootc_ks(dir.path()).args(["iso", "reset", "y.iso"])).exits(0);
    assert_eq!((copy.stdout.as_str(), file_sha256(&dir.path().join("y.iso"))), ("", built.clone()));

    // In place, as a copy, and through a pipe: the same.
    iso(dir.path(), &["reset", "x.iso"]).exits(0);
    assert_eq!(file_sha256(&x), built);
    let piped = bootc_ks(dir.path())
        .args(["iso", "customize", "x.iso", "--ks", "site.ks", "--karg", "a=1", "-o", "-"])
        .output();
    assert_eq!(sha256_hex(&piped.unwrap().stdout), once);

    half_way(&x);
    assert_eq!(show(dir.path(), "x.iso")["state"], "unfinished");
    iso(dir.path(), &["customize", "x.iso", "--ks", "site.ks"]).exits(4).says(&["something went wrong"]);
    iso(dir.path(), &["reset", "x.iso"]).exits(0);
    assert_eq!(file_sha256(&x), built);
}

#[test]
fn what_is_built_in_stays_below_what_is_put_in() {
    let dir = tempfile::tempdir().unwrap();
    no_kernel(dir.path());
    iso(dir.path(), &["build", "--environment", "env", "--ks", "site.ks", "--ca", "house.crt", "-o", "x.iso"]).exits(0);
    assert_eq!(show(dir.path(), "x.iso")["state"], "as-built");
    fs::write(dir.path().join("shop.pem"), PEM).unwrap();
    iso(dir.path(), &["customize", "x.iso", "--ca", "shop.pem"]).exits(0);
    let shown = show(dir.path(), "x.iso");
    assert_eq!(shown["certificates"], json!(["house.pem", "shop.pem"]));
    assert!(shown["kickstart"].as_str().unwrap().ends_with("reboot\n"), "{shown}");
    iso(dir.path(), &["customize", "x.iso", "--ks", "other.ks", "--force"]).exits(0);
    let shown = show(dir.path(), "x.iso");
    assert_eq!(shown["certificates"], json!(["house.pem"]));
    assert!(shown["kickstart"].as_str().unwrap().ends_with("poweroff\n"), "{shown}");
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    no_kernel(dir.path());
    let build = |ks: &str, epoch: Option<&str>, output: &str| {
        let mut command = bootc_ks(dir.path());
        command.env_remove("SOURCE_DATE_EPOCH");
        command.envs(epoch.map(|epoch| ("SOURCE_DATE_EPOCH", epoch)));
        finish(command.args(["iso", "build", "--environment", "env", "--ks", ks, "-o", output])).exits(0);
        (file_sha256(&dir.path().join(output)), show(dir.path(), output)["volume"].clone())
    };
    let first = build("site.ks", None, "a.iso");
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(build("site.ks", None, "b.iso"), first);
    let other = build("other.ks", None, "c.iso");
    assert!(other.0 != first.0 && other.1 != first.1, "{other:?}");
    let dated = build("site.ks", Some("1000000000"), "a.iso");
    assert_ne!(dated.0, first.0);
    assert_eq!(build("site.ks", Some("1000000000"), "b.iso"), dated);
    let volume = first.1.as_str().unwrap();
    let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    assert!(volume.len() == 16 && volume.chars().all(good), "{volume}");
    let left = fs::read_dir(dir.path()).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0, "temporary files are left");
}

#[test]
fn an_image_on_the_medium_is_the_image() {
    let dir = tempfile::tempdir().unwrap();
    no_kernel(dir.path());
    let image = MiniImage::bootable().write(&dir.path().join("layout"), "1");
    let build = ["build", "--environment", "env", "--embed-image", "oci:layout:1", "-o", "x.iso"];
    iso(dir.path(), &build).exits(2).one_error().says(&["updates from", "--target HOST/NAME:TAG"]);
    iso(dir.path(), &[&build[..], &["--target", "registry.example/os:1"]].concat()).exits(0);
    let shown = show(dir.path(), "x.iso");
    assert_eq!(shown["image"]["digest"], image.as_str());
    let volume = shown["volume"].as_str().unwrap();
    let kargs = format!("bootc-ks.image=oci:hd:LABEL={volume}:/image bootc-ks.target=docker://registry.example/os:1");
    assert!(shown["kargs"]["now"].as_str().unwrap().ends_with(&kargs), "{shown}");

    // What comes from a registry gets its updates from there.
    let registry = Registry::start();
    registry.push(&dir.path().join("layout"), "1", "os:1");
    let name = format!("{}/os:1", registry.address());
    let from_registry = ["build", "--environment", "env", "--embed-image", &name, "-o", "y.iso", "--insecure-registry"];
    iso(dir.path(), &[&from_registry[..], &[&registry.address()]].concat()).exits(0);
    let pulled = &show(dir.path(), "y.iso")["image"];
    assert_eq!((&pulled["digest"], &pulled["target"]), (&json!(image), &json!(format!("docker://{name}"))));

    // Another tool takes it off the medium; we take it for the image.
    let xorriso = need("xorriso", "xorriso");
    let mut extract = Command::new(xorriso);
    extract.args(["-osirrox", "on", "-indev", "x.iso", "-extract", "/image", "image"]);
    run(extract.current_dir(&dir));
    let facts = run_in(dir.path(), &["inspect", "oci:image", "--json"]).exits(0).json();
    assert_eq!(facts["manifest_digest"], image.as_str());

    // A layer that is not what its digest says does not get onto a medium.
    let layer = facts["layers"][0]["digest"].as_str().unwrap().replace(':', "/");
    let blob = dir.path().join("layout/blobs").join(layer);
    let mut bytes = fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(blob, bytes).unwrap();
    let before = file_sha256(&dir.path().join("x.iso"));
    iso(dir.path(), &[&build[..], &["--target", "registry.example/os:1"]].concat()).exits(3).one_error();
    assert_eq!(file_sha256(&dir.path().join("x.iso")), before);
}

#[test]
fn what_cannot_be_built_is_said_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    no_kernel(dir.path());
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("bad.ks", "autopart --tpye=plain\nrootpw --plaintext hunter2\n");
    write("key.pem", &format!("{PEM}-----BEGIN PRIVATE KEY-----\n"));
    let fails = |args: &[&str], code: i32, words: &[&str]| {
        let build = [&["build", "--environment", "env", "-o", "x.iso"], args].concat();
        iso(dir.path(), &build).exits(code).one_error().says(words);
    };
    fails(&["--ks", "bad.ks"], 2, &["bad.ks cannot be used: 1 error"]);
    fails(&["--ks", "none.ks"], 2, &["none.ks"]);
    fails(&["--ca", "key.pem"], 2, &["private key"]);
    fails(&["--ca", "none.pem"], 2, &["none.pem"]);
    fails(&["--karg", "a b"], 2, &["kernel argument 'a b'"]);
    fails(&["--karg", "#a"], 2, &["'#a'"]);
    fails(&["--karg", &"a".repeat(1900)], 2, &["1919 is the most"]);
    fails(&["--embed-image", "oci:none", "--target", "registry.example/os"], 3, &["opening oci:none"]);
    fails(&["--embed-image", "fedora"], 2, &["which registry"]);
    fails(&["--target", "registry.example/os"], 2, &["--embed-image"]);
    let build = |env: &str, output: &str| iso(dir.path(), &["build", "--environment", env, "-o", output]).one_error();
    build("none", "x.iso").exits(3).says(&["none/environment.json", "netboot build"]);
    build("env", "none/x.iso").exits(3).says(&["writing none/x.iso"]);
    build("env", "env").exits(2).says(&["env is not a file"]);
    let mut dated = bootc_ks(dir.path());
    dated.env("SOURCE_DATE_EPOCH", "tomorrow").args(["iso", "build", "--environment", "env", "-o", "x.iso"]);
    finish(&mut dated).exits(2).one_error().says(&["'tomorrow'"]);

    let manifest = dir.path().join("env/environment.json");
    let good = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, good.replace("x86_64", "aarch64")).unwrap();
    build("env", "x.iso").exits(2).says(&["for aarch64"]);
    fs::write(&manifest, good).unwrap();
    fs::write(dir.path().join("env/initrd.img"), "truncated").unwrap();
    build("env", "x.iso").exits(2).says(&["initrd.img is not the file"]);
    assert!(!dir.path().join("x.iso").exists());
}

#[test]
fn what_cannot_be_customised_is_said_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    no_kernel(dir.path());
    iso(dir.path(), &["build", "--environment", "env", "-o", "x.iso"]).exits(0);
    let x = dir.path().join("x.iso");
    let built = file_sha256(&x);
    let fails = |args: &[&str], code: i32, words: &[&str]| {
        iso(dir.path(), &[&["customize"], args].concat()).exits(code).one_error().says(words);
    };
    let large = format!("{SITE}# {}\n", "x".repeat(300 << 10));
    fs::write(dir.path().join("large.ks"), large).unwrap();
    fails(&["x.iso", "--ks", "large.ks"], 2, &["has room for 262144", "iso build --ks"]);
    fails(&["x.iso", "--karg", "a;b"], 2, &["'a;b'"]);
    fails(&["x.iso", "--karg", &"a".repeat(1900)], 2, &["1919 is the most"]);
    fails(&["x.iso"], 2, &["--ks"]);
    fails(&["x.iso", "--ks", "none.ks"], 2, &["none.ks"]);
    fails(&["none.iso", "--karg", "a"], 2, &["none.iso: No such file"]);
    fails(&["site.ks", "--karg", "a"], 2, &["site.ks: this is no ISO image"]);
    fails(&["x.iso", "--karg", "a", "-o", "none/y.iso"], 2, &["writing none/y.iso"]);
    let mut other = Command::new(need("xorriso", "xorriso"));
    run(other.args(["-as", "mkisofs", "-quiet", "-V", "OTHER", "-o", "other.iso", "env"]).current_dir(&dir));
    fails(&["other.iso", "--karg", "a"], 2, &["other.iso was not made by", "--output FILE"]);
    assert_eq!(file_sha256(&x), built);

    let other = fs::File::open(&x).unwrap();
    other.lock().unwrap();
    fails(&["x.iso", "--karg", "a"], 4, &["being changed by another program"]);
    drop(other);

    let cut = fs::read(&x).unwrap();
    fs::write(dir.path().join("cut.iso"), &cut[..cut.len() / 3]).unwrap();
    for verb in [&["show", "cut.iso"][..], &["reset", "cut.iso"], &["customize", "cut.iso", "--karg", "a"]] {
        iso(dir.path(), verb).exits(2).one_error().says(&["cut.iso: it ends after", "truncated"]);
    }
    iso(dir.path(), &["reset", "other.iso"]).exits(2).one_error();
}

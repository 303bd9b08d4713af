//! `bootc-ks netboot customize`: a kickstart goes into an initrd, and a kernel finds it there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::cli::run_in;
use crate::support::uml::UserModeLinux;
use crate::support::{need, payload, run};

/// An init that shows the kickstart and switches the machine off.
const INIT: &str = "/bin/busybox mount -t devtmpfs dev /dev\nexec >/dev/console 2>&1\n\
    /bin/busybox echo BEGIN; /bin/busybox stat -c 'mode %a' /ks.cfg; /bin/busybox cat /ks.cfg; /bin/busybox echo END\n\
    /bin/busybox poweroff -f\n";

const SITE: &str = "zerombr\nclearpart --all --initlabel\nautopart --type=plain\n%include keys.ks\nreboot\n";
const KEYS: &str = "rootpw --plaintext hunter2\n";
/// What the two are together; comments tell where the second one came from.
const WHOLE: [&str; 3] = ["zerombr\n", "\nrootpw --plaintext hunter2\n", "\nreboot\n"];

fn initrd(dir: &Path) {
    payload::initrd(&dir.join("initrd.img"), INIT);
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

    let mut vm = UserModeLinux::new().memory(512).start_initramfs(&new, "quiet", false);
    vm.wait_for_serial("\nEND\n", Duration::from_secs(600));
    let serial = vm.serial();
    for part in WHOLE.iter().chain(&["mode 600\n"]) {
        assert!(serial.contains(part), "no `{part}` in\n{serial}");
    }
    vm.wait_for_exit(Duration::from_secs(180));
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

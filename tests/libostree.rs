//! libostree is needed where a deployment is made, and nowhere else: what is linked to it, what
//! works without it, and what is said before the wipe where it is missing.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::cli::{Outcome, bootc_ks, finish};
use crate::support::disk::{MIB, fingerprint};
use crate::support::mini_system::mini_system;
use crate::support::site::{OccupiedDisk, Site, kickstart};
use crate::support::{needed_libraries, ostree_program, source_root};

/// What comes with libostree, by the names of its libraries.
const ITS_OWN: [&str; 4] = ["libostree-", "libgio-", "libglib-", "libselinux"];

#[test]
fn one_program_alone_is_linked_to_it() {
    let of = |program: &Path| {
        let libraries = needed_libraries(program);
        libraries.into_iter().filter(|name| ITS_OWN.iter().any(|own| name.starts_with(own))).collect::<Vec<_>>()
    };
    assert_eq!(of(Path::new(env!("CARGO_BIN_EXE_bootc-ks"))), Vec::<String>::new());
    assert!(of(&ostree_program()).iter().any(|name| name.starts_with("libostree-")));
}

/// Runs the command where `libexec` is the directory of its other program.
fn with_libexec(site: &Site, libexec: impl AsRef<OsStr>, args: &[&str]) -> Outcome {
    finish(bootc_ks(site.dir.path()).env("BOOTC_KS_LIBEXEC", libexec).args(args))
}

/// A site with an occupied disk, and the arguments that install there.
fn occupied() -> (Site, OccupiedDisk) {
    let site = Site::with(mini_system());
    let disk = OccupiedDisk::make(&site.path("disk"), 700 * MIB);
    let name = disk.name();
    site.write("site.ks", &kickstart(&format!("ignoredisk --only-use={name}\nclearpart --all\nzerombr\n")));
    (site, disk)
}

const INSTALL: &[&str] = &["install", "site.ks", "--image", "oci:oci:mini", "--log", "install.log", "--yes"];

#[test]
fn without_it_kickstarts_are_checked_and_planned_and_no_disk_is_touched() {
    let (site, disk) = occupied();
    let before = fingerprint(disk.device.path());
    with_libexec(&site, "/nonexistent", &["check", "site.ks"]).exits(0);
    with_libexec(&site, "/nonexistent", &["fmt", "--as-pykickstart", "site.ks"]).exits(0);
    let tests = source_root().join("tests");
    let path = |name: &str| tests.join(name).display().to_string();
    let (plain, machine, facts) =
        (path("kickstarts/plain.ks"), path("machines/vm-virtio.json"), path("images/demo.json"));
    with_libexec(&site, "/nonexistent", &["plan", &plain, "--machine", &machine, "--image-facts", &facts]).exits(0);
    let outcome = with_libexec(&site, "/nonexistent", INSTALL).exits(3).one_error();
    outcome.says(&["bootc-ks-ostree is missing here", "/usr/libexec/bootc-ks", "BOOTC_KS_LIBEXEC"]);
    let built = ["netboot", "build", "--image", "oci:oci:mini", "--output", "environment"];
    with_libexec(&site, "/nonexistent", &built).exits(3).one_error().says(&["bootc-ks-ostree is missing here"]);
    assert_eq!(fingerprint(disk.device.path()), before);
}

/// The loader's own words for a library that is not there: a copy of the program that asks for
/// another one.
#[test]
fn a_machine_without_the_library_is_told_which_package() {
    let (site, disk) = occupied();
    let before = fingerprint(disk.device.path());
    let mut program = std::fs::read(ostree_program()).unwrap();
    let (name, other) = (b"libostree-1.so.1\0", b"libostree-9.so.9\0");
    let at = program.windows(name.len()).position(|window| window == name).expect("the library's name");
    program[at..at + name.len()].copy_from_slice(other);
    let copy = site.path("bootc-ks-ostree");
    std::fs::write(&copy, program).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let outcome = with_libexec(&site, site.dir.path(), INSTALL).exits(3).one_error();
    outcome.says(&["bootc-ks-ostree does not run here", "libostree-9.so.9", "libostree-1-1"]);
    assert_eq!(fingerprint(disk.device.path()), before);
}

/// Where a package puts the two: PREFIX/bin and PREFIX/libexec/bootc-ks.
#[test]
fn it_is_found_below_the_prefix_of_the_command() {
    let prefix = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let link = |from: &Path, dir: &str, name: &str| {
        let dir = prefix.path().join(dir);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::hard_link(from, dir.join(name)).unwrap();
    };
    link(Path::new(env!("CARGO_BIN_EXE_bootc-ks")), "bin", "bootc-ks");
    link(&ostree_program(), "libexec/bootc-ks", "bootc-ks-ostree");
    let site = Site::with(mini_system());
    let mut command = Command::new(prefix.path().join("bin/bootc-ks"));
    command.args(["install", "site.ks", "--image", "oci:oci:mini", "--disk-image", "disk.img", "--size", "700M"]);
    command.args(["--log", "install.log", "--yes"]).current_dir(site.dir.path()).env_remove("BOOTC_KS_LIBEXEC");
    finish(&mut command).exits(0);
}

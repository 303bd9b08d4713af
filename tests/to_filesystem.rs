//! `install to-filesystem`, under our own name and as `bootc`: what is mounted gets the very same
//! system as a disk that is installed from a kickstart, and starts. What does not fit is refused
//! before anything is written.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli::{Outcome, bootc_ks, finish};
use crate::support::disk::{LoopDevice, MIB, sparse_file};
use crate::support::installed::Installed;
use crate::support::mini_system::{KARGS, mini_system};
use crate::support::registry::Registry;
use crate::support::site::{Mounted, Site};
use crate::support::ssh::SshKey;
use crate::support::uml::UserModeLinux;
use crate::support::{demo_image, need, output, run};

/// File systems on a disk in a file, mounted to be installed into.
pub struct Place {
    root: PathBuf,
    mounts: Vec<PathBuf>,
    device: Option<LoopDevice>,
}

impl Place {
    /// Partitions as sfdisk has them on a new disk `file`, then file systems with their places.
    pub fn make(dir: &Path, file: &str, size: u64, table: &str, areas: &[(u32, &str, &str)]) -> Self {
        let (file, root) = (dir.join(file), dir.join("mnt"));
        sparse_file(&file, size);
        let script = "printf '%s' \"$2\" | \"$0\" --quiet --no-reread \"$1\"";
        run(Command::new("sh").args(["-c", script]).arg(need("sfdisk", "fdisk")).arg(&file).arg(table));
        let device = LoopDevice::attach(&file);
        let mut place = Place { root: root.clone(), mounts: Vec::new(), device: None };
        for (number, mkfs, at) in areas {
            let node = device.partition(*number);
            run(Command::new(need(mkfs, "e2fsprogs or xfsprogs")).arg("-q").arg(&node));
            let target = root.join(at);
            std::fs::create_dir_all(&target).unwrap();
            run(Command::new(need("mount", "mount")).arg(&node).arg(&target));
            place.mounts.push(target);
        }
        place.device = Some(device);
        place
    }

    pub fn small(dir: &Path) -> Self {
        Self::make(dir, "place.img", 900 * MIB, "label: gpt\n,,L\n", &[(1, "mkfs.ext4", "")])
    }

    pub fn path(&self) -> &str {
        self.root.to_str().unwrap()
    }

    /// What is at the root.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.root).unwrap().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        while let Some(target) = self.mounts.pop() {
            // It stays mounted where a namespace was made meanwhile.
            run(Command::new(need("sync", "coreutils")).arg("--file-system").arg(&target));
            let unmounted = output(Command::new(need("umount", "mount")).arg(&target));
            assert!(unmounted.status.success() || std::thread::panicking(), "{} stays mounted", target.display());
        }
    }
}

/// Everything in a repository by its name: objects are named by their content.
fn repository(system: &Installed) -> BTreeSet<String> {
    let list = |args: &[&str]| run(Command::new(need("find", "findutils")).current_dir(system.repo()).args(args));
    let objects = list(&["objects", "-type", "f", "-printf", "%P\n"]);
    let refs = list(&["refs/heads/ostree/container", "-type", "f", "-printf", "%P\n"]);
    objects.lines().chain(refs.lines()).map(str::to_owned).collect()
}

fn install(site: &Site, place: &Place, more: &[&str]) -> Outcome {
    let args = ["install", "to-filesystem", "--source-imgref", "oci:oci:mini", "--log", "install.log"];
    site.run(&[&args, more, &[place.path()]].concat())
}

#[test]
fn what_is_mounted_gets_what_a_disk_gets() {
    let site = Site::with(mini_system());
    site.install_image(&[]).exits(0);
    let disk = Mounted::partition(&site.path("disk.img"), 1);
    let on_disk = Installed::find(disk.path(), "default");

    let place = Place::small(site.dir.path());
    let target = ["--target-imgref", "registry.example/mini:1", "--stateroot", "default"];
    let more = ["--karg=site.last=1", "--karg", "rd.site", "--bootloader=none", "--format", "json"];
    let report = install(&site, &place, &[&target[..], &more].concat()).exits(0).json();
    let system = Installed::find(&place.root, "default");

    assert_eq!((&system.commit, report["commit"].as_str().unwrap()), (&on_disk.commit, on_disk.commit.as_str()));
    assert_eq!(repository(&system), repository(&on_disk), "not the same, object for object");
    system.ostree(&["fsck", "--quiet"]);
    let origin = std::fs::read_to_string(system.root.with_extension("0.origin")).unwrap();
    assert!(origin.contains("ostree-unverified-registry:registry.example/mini:1"), "{origin}");
    let uuid = run(Command::new(need("blkid", "util-linux"))
        .args(["-s", "UUID", "-o", "value"])
        .arg(place.device.as_ref().unwrap().partition(1)));
    let kargs = system.kargs(&place.root.join("boot"));
    let root = format!("root=UUID={}", uuid.trim());
    assert_eq!(kargs[..2], [root.as_str(), "rw"], "{kargs:?}");
    assert_eq!(kargs[2..5], KARGS, "{kargs:?}");
    assert_eq!(kargs[5..7], ["site.last=1", "rd.site"], "{kargs:?}");
    assert!(system.exists("/var/log/bootc-ks/plan.json") && system.exists("/var/log/bootc-ks/install.log"));

    // It is not empty any more.
    let again = install(&site, &place, &["--bootloader=none"]).exits(4);
    assert!(again.stderr.contains("is not empty"), "{again}");
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let site = Site::with(mini_system());
    let place = Place::small(site.dir.path());
    let empty = place.names();
    let refused = |outcome: Outcome, code: i32, says: &str| {
        let outcome = outcome.exits(code);
        assert!(outcome.stderr.contains(says), "not '{says}': {outcome}");
        assert_eq!(place.names(), empty, "something was written: {outcome}");
    };
    // The mini image has no boot loader.
    refused(install(&site, &place, &[]), 3, "brings no boot loader");
    refused(install(&site, &place, &["--composefs-backend"]), 2, "--composefs-backend");
    let missing = ["install", "to-filesystem", "--source-imgref", "oci:oci:nothing", place.path()];
    refused(site.run(&missing), 3, "nothing");
    let storage = ["install", "to-filesystem", "--source-imgref", "containers-storage:x", place.path()];
    refused(site.run(&storage), 2, "transport 'containers-storage' is not supported");
    let unmounted = ["install", "to-filesystem", "--source-imgref", "oci:oci:mini", "oci"];
    refused(site.run(&unmounted), 2, "no file system of a disk is mounted at");
    std::fs::write(place.root.join("precious"), "data").unwrap();
    let outcome = install(&site, &place, &["--bootloader=none"]).exits(4);
    assert!(outcome.stderr.contains("precious") && place.root.join("precious").exists(), "{outcome}");
}

#[test]
fn the_original_bootc_gets_what_is_not_ours() {
    let site = Site::with(mini_system());
    let dir = site.dir.path();
    let bootc = dir.join("bootc");
    symlink(env!("CARGO_BIN_EXE_bootc-ks"), &bootc).unwrap();
    let call = |path: &Path, args: &[&str]| finish(Command::new(&bootc).args(args).env("PATH", path).current_dir(dir));

    let nowhere = call(Path::new("/nowhere"), &["status"]).exits(3);
    assert!(nowhere.stderr.contains("knows 'install to-filesystem' alone"), "{nowhere}");
    let bin = dir.join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("bootc.real"), "#!/bin/sh\necho real \"$@\"\nexit 7\n").unwrap();
    std::fs::set_permissions(bin.join("bootc.real"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let handed = call(&bin, &["status", "--json"]).exits(7);
    assert_eq!(handed.stdout, "real status --json\n");
    // An argument of the part that is ours is never handed on.
    let ours = call(&bin, &["install", "to-filesystem", "--wipe", "/nowhere"]).exits(2);
    assert!(ours.stderr.contains("'--wipe'") && !ours.stdout.contains("real"), "{ours}");
}

#[test]
fn a_machine_starts_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    let registry = Registry::start();
    let digest = registry.push(&demo_image(), "demo", "demo:latest");
    let table = "label: gpt\n,1M,21686148-6449-6E6F-744E-656564454649\n,512M,L\n,,L\n";
    let areas = [(3, "mkfs.xfs", ""), (2, "mkfs.ext4", "boot")];
    let place = Place::make(dir.path(), "disk.img", 5 << 30, table, &areas);

    // As Anaconda calls it.
    let bootc = dir.path().join("bootc");
    symlink(env!("CARGO_BIN_EXE_bootc-ks"), &bootc).unwrap();
    let source = format!("registry:{}/demo:latest", registry.address());
    let target = format!("{}/demo:latest", registry.address());
    let mut command = Command::new(&bootc);
    command.current_dir(dir.path()).args(["install", "to-filesystem", "--bootloader=grub", "--stateroot=default"]);
    command.args([format!("--source-imgref={source}"), format!("--target-imgref={target}")]);
    command.args(["--karg=console=ttyS0", "--insecure-registry", &registry.address(), place.path()]);
    let outcome = finish(&mut command).exits(0);
    assert!(outcome.stdout.contains(&digest), "{outcome}");
    let system = Installed::find(&place.root, "default");
    let commit = system.commit.clone();
    let fstab = system.text("/etc/fstab");
    assert!(fstab.contains(" /boot ext4 ro 0 0"), "{fstab}");
    drop(place);

    let disk = dir.path().join("disk.img");
    has_a_boot_loader(&disk);
    let mut vm = UserModeLinux::new().disk(&disk).authorize_root(&key).start_installed();
    vm.log_in(&key, "root");
    let status = vm.ssh_ok("ostree admin status");
    assert!(status.contains(&format!("* default {commit}.0")), "{status}");
    let filesystem = |at: &str| vm.ssh_ok(&format!("findmnt -no FSTYPE {at}"));
    assert_eq!((filesystem("/sysroot").as_str(), filesystem("/boot").as_str()), ("xfs", "ext4"));
    vm.ssh_ok("ostree fsck --quiet");
    let menu = vm.ssh_ok("cat /boot/grub/grub.cfg");
    let kernel = vm.ssh_ok("cat /proc/cmdline | tr ' ' '\\n' | grep ^ostree=");
    assert!(menu.contains(&kernel), "no {kernel} in {menu}");
    vm.power_off();
}

/// GRUB is where SeaBIOS, and then GRUB itself, look for it. That it starts what its menu has is seen
/// in tests/boot.rs.
fn has_a_boot_loader(disk: &Path) {
    let mut first = vec![0; 2 * MIB as usize];
    std::fs::File::open(disk).unwrap().read_exact(&mut first).unwrap();
    assert!(first[..446].windows(4).any(|text| text == b"GRUB"), "no GRUB in the boot sector");
    let core = &first[MIB as usize..];
    assert!(core.windows(7).any(|text| text == b"loading"), "no GRUB in the BIOS boot partition");
}

#[test]
fn help_names_both_ways() {
    let help = finish(bootc_ks(Path::new("/")).args(["install", "--help"])).exits(0);
    assert!(help.stdout.contains("to-filesystem") && help.stdout.contains("[OPTIONS] <KS>"), "{help}");
}

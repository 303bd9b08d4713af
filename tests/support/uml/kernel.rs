//! The kernel and how it becomes a process: a chroot into a root of Debian testing, in a mount
//! namespace of the machine's own. See `launch.sh` beside this file.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::UserModeLinux;
use crate::support::disk::file_sha256;
use crate::support::network::{Card, inside};
use crate::support::{dies_with_the_test, need, need_root, run, source_root};

/// The root of Debian testing, made if needed.
pub(super) fn testing_root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        need_root();
        need("mmdebstrap", "mmdebstrap");
        PathBuf::from(run(&mut Command::new(source_root().join("tests/testing-root/build"))).trim_end())
    })
}

/// A file of this directory.
pub(super) fn part(name: &str) -> PathBuf {
    source_root().join("tests/support/uml").join(name)
}

/// A program and its arguments in a mount namespace that goes with it.
pub(super) fn in_own_mounts(program: &Path) -> Command {
    let mut command = dies_with_the_test(&need("unshare", "util-linux"));
    command.arg("--mount").arg(program);
    command
}

/// Starts the kernel of `machine` with the machine's directory `dir` and these arguments behind
/// those of its hardware. What it says goes into `DIR/serial.log`.
pub(super) fn start(machine: &UserModeLinux, dir: &Path, card: Option<&Card>, args: &[String]) -> Child {
    let root = testing_root();
    fs::create_dir_all(dir.join("disk")).expect("making the machine's directory");
    for (n, image) in machine.disks.iter().enumerate() {
        let image = fs::canonicalize(image).unwrap_or_else(|error| panic!("the disk {}: {error}", image.display()));
        let link = dir.join("disk").join(n.to_string());
        symlink(image, link).expect("naming the machine's disks");
    }
    let shell = need("sh", "dash");
    let unshare = need("unshare", "util-linux");
    let mut command = match card {
        Some(card) => inside(&card.namespace, &unshare),
        // A network without anything in it.
        None => {
            let mut command = dies_with_the_test(&unshare);
            command.arg("--net");
            command
        }
    };
    command.arg("--mount").arg(shell).arg(part("launch.sh")).arg(root).arg(dir);
    command.args(machine.hardware(card)).args(args);
    let log = File::create(dir.join("serial.log")).expect("creating the machine's log");
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("sharing a log")).stderr(log);
    command.spawn().expect("starting user-mode Linux")
}

/// An archive for the end of an initramfs: the kernel's modules without what debuggers need of
/// them, and the files of `initramfs` beside this one. Made once and kept below target/.
pub(super) fn modules() -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let script = part("modules.sh");
    let root = testing_root();
    let mut key = root.file_name().expect("the root's key").to_string_lossy().into_owned();
    let mut list = Command::new(need("find", "findutils"));
    let files = run(list.arg(part("initramfs")).args(["-type", "f"]));
    for file in files.lines().map(Path::new).chain([script.as_path()]) {
        key += &file_sha256(file)[..6];
    }
    let archive = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("uml-modules-{key}.img"));
    if !archive.is_file() {
        need("strip", "binutils");
        need("cpio", "cpio");
        let unfinished = archive.with_extension("unfinished");
        run(Command::new("bash").arg(script).arg(root).arg(part("initramfs")).arg(&unfinished));
        fs::rename(unfinished, &archive).expect("keeping the modules' archive");
    }
    archive
}

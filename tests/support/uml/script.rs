//! A script on the root of this host, in a machine that ends with it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use super::UserModeLinux;
use super::kernel::{part, start};
use crate::support::cli::Outcome;
use crate::support::network::HOST;
use crate::support::qemu::Permit;
use crate::support::vm::Vm;
use crate::support::{need, source_root};

/// What a script may take on a busy host.
const PATIENCE: Duration = Duration::from_secs(600);

/// See [`UserModeLinux::run`].
pub(super) fn run(machine: &UserModeLinux, work: &Path, script: &str) -> Outcome {
    for (program, package) in
        [("udevadm", "udev"), ("modprobe", "kmod"), ("busybox", "busybox-static"), ("ip", "iproute2")]
    {
        need(program, package);
    }
    let permit = Permit::wait();
    let dir = tempfile::tempdir().expect("making the machine's directory");
    let here = dir.path();
    fs::write(here.join("script"), format!("export BOOTC_KS='{}'\n{script}\n", env!("CARGO_BIN_EXE_bootc-ks")))
        .expect("writing the script");
    share(here, work);
    let child = start(machine, here, machine.card.as_ref(), &kernel_args(machine, here, work));
    let mut vm = Vm::of_user_mode(child, dir, machine.card.as_ref(), permit);
    vm.wait_for_exit(PATIENCE);
    let read =
        |name: &str| String::from_utf8_lossy(&fs::read(vm.dir.path().join(name)).unwrap_or_default()).into_owned();
    let status = read("status");
    let code = status.trim().parse();
    let code =
        code.unwrap_or_else(|_| panic!("the machine ended before its script:\n{}{}", read("stderr"), vm.serial()));
    Outcome { args: vec![script.to_owned()], pid: 0, code, stdout: read("stdout"), stderr: read("stderr") }
}

/// Says what of this host is not covered by the machine's memory.
fn share(here: &Path, work: &Path) {
    let shared = here.join("shared");
    fs::create_dir(&shared).expect("making the machine's directory");
    // Images are cached there, beside the command.
    let target = Path::new(env!("CARGO_BIN_EXE_bootc-ks")).ancestors().nth(2).expect("the target directory");
    let known = [here, work, source_root(), target];
    for (n, dir) in known.into_iter().enumerate() {
        let dir = fs::canonicalize(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        symlink(dir, shared.join(n.to_string())).expect("naming what is shared");
    }
}

/// The host's root as hostfs, and the script's init.
fn kernel_args(machine: &UserModeLinux, here: &Path, work: &Path) -> Vec<String> {
    let root = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/mnt", "rw", "quiet"];
    let mut args: Vec<String> = root.map(str::to_owned).into();
    args.extend(machine.kargs.iter().cloned());
    args.push(format!("init={}", part("init.sh").display()));
    // What comes behind is init's own.
    args.push("--".to_owned());
    args.extend([here, work].map(|path| path.display().to_string()));
    args.extend(machine.card.iter().flat_map(|card| [card.ip.clone(), HOST.to_owned()]));
    args
}

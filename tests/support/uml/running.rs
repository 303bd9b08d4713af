//! A user-mode kernel that runs: a [`Vm`] that knows how to start again.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

use super::kernel::{modules, start};
use super::{UserModeLinux, boot_entry, network_of_its_own};
use crate::support::network::{Card, Network};
use crate::support::qemu::Permit;
use crate::support::ssh::SshKey;
use crate::support::vm::Vm;

/// A start or an end on a busy host.
const PATIENCE: Duration = Duration::from_secs(600);
/// Kernel arguments that are about another kernel or another machine.
const NOT_HERE: [&str; 2] = ["console=", "lsm="];

/// A running machine. What a [`Vm`] can do it can do, too.
#[derive(Debug)]
pub struct Running {
    // Before its network, which cannot go while it is used.
    vm: Option<Vm>,
    machine: UserModeLinux,
    login: Option<(SshKey, String)>,
    network: Option<(Network, Card)>,
}

impl Running {
    pub(super) fn installed(machine: UserModeLinux) -> Self {
        let network = machine.card.is_none().then(network_of_its_own);
        let mut running = Self { vm: None, machine, login: None, network };
        running.switch_on();
        running
    }

    pub(super) fn initramfs(machine: UserModeLinux, initramfs: &Path, kargs: &str, with_modules: bool) -> Self {
        let dir = tempfile::tempdir().expect("making the machine's directory");
        let archives = [Some(initramfs.to_owned()), with_modules.then(modules)];
        join(archives.iter().flatten().map(|path| path.as_path()), &dir.path().join("initrd"));
        let mut args = vec!["initrd=/srv/initrd".to_owned()];
        args.extend(kargs.split_whitespace().map(str::to_owned).chain(machine.kargs.iter().cloned()));
        let permit = Permit::wait();
        let child = start(&machine, dir.path(), machine.card.as_ref(), &args);
        let vm = Vm::of_user_mode(child, dir, machine.card.as_ref(), permit);
        Self { vm: Some(vm), machine, login: None, network: None }
    }

    /// Starts what the disks have now.
    fn switch_on(&mut self) {
        let dir = tempfile::tempdir().expect("making the machine's directory");
        let card = self.machine.card.as_ref().or(self.network.as_ref().map(|(_, card)| card));
        let entry = boot_entry::read(&self.machine.disks, self.machine.entry, dir.path());
        join([entry.initramfs.as_path(), modules().as_path()], &dir.path().join("initrd"));
        let mut args = vec!["initrd=/srv/initrd".to_owned()];
        args.extend(entry.kargs.into_iter().filter(|karg| !NOT_HERE.iter().any(|start| karg.starts_with(start))));
        args.extend(self.machine.kargs.iter().cloned());
        let permit = Permit::wait();
        let child = start(&self.machine, dir.path(), card, &args);
        self.vm = Some(Vm::of_user_mode(child, dir, card, permit));
    }

    /// Waits until `user` can log in with `key`, and returns how long the start took.
    pub fn log_in(&mut self, key: &SshKey, user: &str) -> Duration {
        self.login = Some((key.clone(), user.to_owned()));
        self.wait_for_ssh(key, user, PATIENCE)
    }

    /// Runs a command inside that has to succeed; its trimmed standard output.
    pub fn ask(&self, script: &str) -> String {
        self.ssh_ok(script)
    }

    /// Shuts the system down and starts what the disks have then: an update, if there is one.
    pub fn restart(&mut self) {
        self.vm.take().expect("it runs").power_off(PATIENCE);
        self.start_again();
    }

    /// Cuts the power and starts what the disks have then.
    pub fn crash(&mut self) {
        self.vm.take().expect("it runs").cut_power();
        self.start_again();
    }

    fn start_again(&mut self) {
        self.switch_on();
        if let Some((key, user)) = self.login.clone() {
            self.wait_for_ssh(&key, &user, PATIENCE);
        }
    }

    /// Shuts the system down; returns the machine.
    pub fn power_off(mut self) -> UserModeLinux {
        self.vm.take().expect("it runs").power_off(PATIENCE);
        self.machine.clone()
    }

    /// Cuts the power; returns the machine.
    pub fn cut_power(mut self) -> UserModeLinux {
        self.vm.take().expect("it runs").cut_power();
        self.machine.clone()
    }
}

impl Deref for Running {
    type Target = Vm;

    fn deref(&self) -> &Vm {
        self.vm.as_ref().expect("it runs")
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Vm {
        self.vm.as_mut().expect("it runs")
    }
}

/// Archives one behind the other, each at a multiple of four as the kernel wants it.
fn join<'a>(archives: impl IntoIterator<Item = &'a Path>, to: &Path) {
    let mut all: Vec<u8> = Vec::new();
    for archive in archives {
        all.resize(all.len().next_multiple_of(4), 0);
        all.extend(fs::read(archive).unwrap_or_else(|error| panic!("{}: {error}", archive.display())));
    }
    fs::write(to, all).expect("writing an initramfs");
}

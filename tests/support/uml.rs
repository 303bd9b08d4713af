//! Machines in seconds: a user-mode Linux kernel is an ordinary process, so that what runs in it
//! runs at the processor's own speed. It has no firmware, no boot loader and no PCI; everything
//! else of an installation and of an installed system can be tried in it.
//!
//! The kernel comes from Debian testing ([`kernel`]). There are three ways to start it:
//!
//! - [`UserModeLinux::run`]: a shell script with this host's programs on made-up disks, which may
//!   carry what the host's own kernel lacks (LVM, LUKS, RAID, vfat). What the script writes
//!   outside its working directory (and target/) is gone with the machine.
//! - [`UserModeLinux::start_installed`]: the system on a disk image, by its own boot entry and
//!   its own initramfs, with ssh and power cuts.
//! - [`UserModeLinux::start_initramfs`]: any initramfs.
//!
//! ```no_run
//! let disks = UserModeLinux::new().disk(&dir.join("one.img")).disk(&dir.join("two.img"));
//! // /dev/ubda and /dev/ubdb in there; the command under test is $BOOTC_KS.
//! disks.run(dir, "$BOOTC_KS install site.ks --yes && lvs --noheadings").exits(0);
//!
//! let mut vm = disks.start_installed();
//! vm.log_in(&key, "admin-user");
//! assert_eq!(vm.ask("hostname"), "demo");
//! vm.ask("sudo -n sh -c 'echo new > /etc/hostname && sync'");
//! let disks = vm.cut_power();
//! let mut vm = disks.start_installed();
//! vm.log_in(&key, "admin-user");
//! vm.restart();
//! vm.power_off();
//! ```
//!
//! A machine dies with the test, and its mounts, loop devices, memory and network with it.
//! Networks are [`super::network`]'s: without one of the test's own an installed system gets one
//! with DHCP for itself. Its card is eth0.

mod boot_entry;
mod kernel;
mod running;
mod script;

use std::path::{Path, PathBuf};

use super::cli::Outcome;
use super::network::{Card, Network};
use super::registry::base64;
use super::ssh::SshKey;

pub use running::Running;

/// A machine that is not switched on yet.
#[derive(Clone, Debug)]
pub struct UserModeLinux {
    memory_mib: u32,
    disks: Vec<PathBuf>,
    card: Option<Card>,
    kargs: Vec<String>,
    entry: usize,
}

impl UserModeLinux {
    /// One processor, 1 GiB of memory, no disk.
    pub fn new() -> Self {
        Self { memory_mib: 1024, disks: Vec::new(), card: None, kargs: Vec::new(), entry: 0 }
    }

    /// Memory.
    pub fn memory(mut self, mib: u32) -> Self {
        self.memory_mib = mib;
        self
    }

    /// A raw image as a disk: /dev/ubda, /dev/ubdb, … in the order they are added, with the
    /// serial numbers `disk0`, `disk1`, …
    pub fn disk(mut self, image: &Path) -> Self {
        self.disks.push(image.to_owned());
        self
    }

    /// A place in a network of the test's. A script finds its card configured with this address;
    /// an installed system asks the network's dnsmasq for it.
    pub fn network(mut self, card: &Card) -> Self {
        self.card = Some(card.clone());
        self
    }

    /// A kernel argument more than the boot entry has.
    pub fn karg(mut self, karg: &str) -> Self {
        self.kargs.push(karg.to_owned());
        self
    }

    /// Not the default boot entry, but the one that is `rank` places below it (1: the deployment
    /// before the last update).
    pub fn entry(mut self, rank: usize) -> Self {
        self.entry = rank;
        self
    }

    /// Lets `key` in as root without anything having been installed for it, by a systemd
    /// credential.
    pub fn authorize_root(self, key: &SshKey) -> Self {
        let line = base64(key.public.as_bytes());
        self.karg(&format!("systemd.set_credential_binary=ssh.authorized_keys.root:{line}"))
    }

    /// Runs `script` with `sh` in `dir` on the root of this host, as root, with udev and the
    /// modules of [`kernel`]; the command under test is `$BOOTC_KS`. It may take ten minutes.
    /// The exit code is the script's.
    pub fn run(&self, dir: &Path, script: &str) -> Outcome {
        script::run(self, dir, script)
    }

    /// [`UserModeLinux::run`] of the command under test with `args`.
    pub fn bootc_ks(&self, dir: &Path, args: &[&str]) -> Outcome {
        let quoted: Vec<String> = args.iter().map(|arg| format!("'{}'", arg.replace('\'', r"'\''"))).collect();
        let outcome = self.run(dir, &format!("exec \"$BOOTC_KS\" {}", quoted.join(" ")));
        Outcome { args: args.iter().map(|arg| (*arg).to_owned()).collect(), ..outcome }
    }

    /// Starts the system on the disks by its boot entry: its initramfs, its kernel arguments but
    /// for those that name consoles and security modules. The kernel is ours, and its modules
    /// are put beside the image's.
    pub fn start_installed(&self) -> Running {
        Running::installed(self.clone())
    }

    /// Starts an initramfs with these kernel arguments. With `with_modules` the kernel's modules
    /// are put behind it.
    pub fn start_initramfs(&self, initramfs: &Path, kargs: &str, with_modules: bool) -> Running {
        Running::initramfs(self.clone(), initramfs, kargs, with_modules)
    }

    /// What the kernel is told of the machine itself; files are where `launch.sh` puts them.
    fn hardware(&self, network: Option<&Card>) -> Vec<String> {
        let mut words = vec![
            format!("mem={}M", self.memory_mib),
            "seccomp=on".into(),
            "uml_dir=/dev/shm".into(),
            "con=null".into(),
            "con0=fd:0,fd:1".into(),
            "console=tty0".into(),
        ];
        words.extend((0..self.disks.len()).map(|n| format!("ubd{n}=/dev/shm/disk/{n},,disk{n}")));
        if let Some(Card { tap, mac, .. }) = network {
            words.push(format!("vec0:transport=tap,ifname={tap},depth=64,gro=0,mac={mac}"));
        }
        words
    }
}

/// A network for one machine that is in none of the test's.
fn network_of_its_own() -> (Network, Card) {
    let mut network = Network::new();
    network.dnsmasq("dhcp-range=10.77.0.50,10.77.0.99\n");
    let card = network.card();
    (network, card)
}

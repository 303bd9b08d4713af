//! Machines: a raw disk image booted by real firmware (SeaBIOS or OVMF) in
//! QEMU, with a serial log and a way in by SSH.
//!
//! Emulation (TCG) unless `BOOTC_KS_QEMU_ACCEL` says otherwise (`kvm`): a
//! /dev/kvm that exists does not always work. As many machines at a time as there are processors,
//! unless `BOOTC_KS_MACHINES` says how many: a guest that waits too long for one gives up on its
//! own disks.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::network::{Card, inside};
use super::ssh::Way;
use super::vm::Vm;
use super::{dies_with_the_test, free_port, need, run};

static RUNNING: Mutex<usize> = Mutex::new(0);
static ONE_ENDED: Condvar = Condvar::new();

/// The right to run a machine; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit;

impl Permit {
    pub(super) fn wait() -> Self {
        let most = most_machines();
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running =
            ONE_ENDED.wait_while(running, |running| *running >= most).unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Permit
    }
}

fn most_machines() -> usize {
    let asked = std::env::var("BOOTC_KS_MACHINES").ok().and_then(|most| most.parse().ok());
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
}

impl Drop for Permit {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ONE_ENDED.notify_one();
    }
}

/// What finds the boot loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS.
    Bios,
    /// OVMF without Secure Boot, with fresh variables: nothing but the
    /// removable path on the ESP is known to it.
    Uefi,
    /// OVMF that starts only what Microsoft has signed.
    SecureBoot,
}

impl Firmware {
    /// OVMF's code and the variables that go with it.
    fn ovmf(self) -> Option<(&'static str, &'static str)> {
        match self {
            Firmware::Bios => None,
            Firmware::Uefi => Some(("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")),
            Firmware::SecureBoot => Some(("OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd")),
        }
    }
}

/// A machine that is not switched on yet.
#[derive(Debug)]
pub struct Machine {
    firmware: Firmware,
    memory_mib: u32,
    args: Vec<OsString>,
    disks: usize,
    card: Option<Card>,
    isolated: bool,
}

impl Machine {
    /// A processor (two if they are not emulated), 1 GiB of memory, one network card, no disk.
    pub fn new(firmware: Firmware) -> Self {
        Self { firmware, memory_mib: 1024, args: Vec::new(), disks: 0, card: None, isolated: false }
    }

    /// Memory, for installers that keep things in it.
    pub fn memory(mut self, mib: u32) -> Self {
        self.memory_mib = mib;
        self
    }

    /// A raw image as a virtio disk with the serial number `disk0`, `disk1`, …;
    /// booted in the order they are added.
    pub fn disk(mut self, image: &Path) -> Self {
        let n = self.disks;
        self.disks += 1;
        let mut drive = OsString::from(format!("if=none,id=disk{n},format=raw,cache=unsafe,discard=unmap,file="));
        drive.push(image);
        self.arg("-drive")
            .arg(drive)
            .arg("-device")
            .arg(format!("virtio-blk-pci,drive=disk{n},serial=disk{n},bootindex={}", n + 1))
    }

    /// Its network card is in a [`super::network::Network`], and what it boots from first: by
    /// PXE with iPXE's ROM (BIOS) or by HTTP (UEFI). Without it the card is QEMU's own
    /// network's, and no machine boots from it.
    pub fn network(mut self, card: &Card) -> Self {
        self.card = Some(card.clone());
        self
    }

    /// An ISO as a disc in a drive.
    pub fn cd(self, iso: &Path) -> Self {
        self.medium("media=cdrom,", iso).arg("-device").arg("ide-cd,drive=medium,bootindex=0")
    }

    /// The same, tried after the disks.
    pub fn last_disc(self, iso: &Path) -> Self {
        self.medium("media=cdrom,", iso).arg("-device").arg("ide-cd,drive=medium,bootindex=99")
    }

    /// Nothing of this host can be reached from it; ssh goes there all the same.
    pub fn isolated(mut self) -> Self {
        self.isolated = true;
        self
    }

    /// An ISO written to a USB stick, tried before the disks.
    pub fn usb(self, image: &Path) -> Self {
        let machine = self.medium("", image).arg("-device").arg("qemu-xhci");
        machine.arg("-device").arg("usb-storage,drive=medium,removable=on,bootindex=0")
    }

    fn medium(self, kind: &str, image: &Path) -> Self {
        let mut drive = OsString::from(format!("if=none,id=medium,format=raw,readonly=on,{kind}file="));
        drive.push(image);
        self.arg("-drive").arg(drive)
    }

    /// Any other argument of QEMU's.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Switches it on.
    pub fn start(self) -> Vm {
        let permit = Permit::wait();
        let dir = tempfile::tempdir().expect("making the machine's directory");
        let serial = dir.path().join("serial.log");
        let program = need("qemu-system-x86_64", "qemu-system-x86");
        let mut qemu = match &self.card {
            Some(card) => inside(&card.namespace, &program),
            None => dies_with_the_test(&program),
        };
        qemu.args(processor_args());
        qemu.args(["-nodefaults", "-display", "none", "-vga", "none", "-monitor", "none", "-no-user-config"]);
        let secure = self.firmware == Firmware::SecureBoot;
        // Without graphics SeaBIOS and iPXE speak on the serial line, too.
        let graphics = if self.card.is_some() { ",graphics=off" } else { "" };
        let machine = format!("q35{graphics}{}", if secure { ",smm=on" } else { "" });
        qemu.args(["-machine", &machine, "-m", &self.memory_mib.to_string()]);
        qemu.args(["-device", "virtio-rng-pci"]);
        qemu.arg("-serial").arg(format!("file:{}", serial.display()));
        let way = match &self.card {
            Some(card) => {
                qemu.args(network_args(card, self.firmware));
                Way::Address { namespace: card.namespace.clone(), ip: card.ip.clone() }
            }
            None => {
                let port = free_port();
                // Unless it is restricted, the host's loopback is 10.0.2.2, where the registry is.
                let restrict = if self.isolated { ",restrict=on" } else { "" };
                qemu.arg("-netdev").arg(format!("user,id=net0{restrict},hostfwd=tcp:127.0.0.1:{port}-:22"));
                // No option ROM: no machine boots from the network here.
                qemu.args(["-device", "virtio-net-pci,netdev=net0,romfile="]);
                Way::Port(port)
            }
        };
        if let Some(files) = self.firmware.ovmf() {
            qemu.args(ovmf_args(files, dir.path()));
        }
        if secure {
            // The variables that hold the keys are for the firmware alone to write.
            qemu.args(["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]);
        }
        let log = std::fs::File::create(dir.path().join("qemu.log")).expect("creating QEMU's log");
        qemu.args(self.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = qemu.spawn().expect("starting QEMU");
        Vm { child, dir, serial, way, started: Instant::now(), login: None, _permit: permit }
    }
}

fn network_args(card: &Card, firmware: Firmware) -> [String; 4] {
    let Card { tap, mac, .. } = card;
    // UEFI has a driver of its own; with the ROM it would be iPXE's.
    let rom = if firmware != Firmware::Bios { ",romfile=" } else { "" };
    [
        "-netdev".to_owned(),
        format!("tap,id=net0,ifname={tap},script=no,downscript=no"),
        "-device".to_owned(),
        format!("virtio-net-pci,netdev=net0,mac={mac},bootindex=0{rom}"),
    ]
}

fn processor_args() -> Vec<String> {
    let accelerator = std::env::var("BOOTC_KS_QEMU_ACCEL").unwrap_or_else(|_| "tcg".to_owned());
    // A kernel changes its own code as it runs; where a second emulated processor does not see
    // that in time, the kernel dies of a breakpoint (seen: int3 in sched_clock_cpu).
    let processors = if accelerator.starts_with("tcg") { "1" } else { "2" };
    // Where a processor boasts of fast string instructions, a kernel clears and copies memory by
    // them, which are emulated byte by byte: a start took 195 s with them, and 141 without.
    let cpu = if !accelerator.starts_with("tcg") {
        "host"
    } else if qemu_major() < 10 {
        // Its cmpxchg16b is wrong, and kernels ≥ 6.12 use it.
        "max,-erms,-fsrm,-cx16"
    } else {
        "max,-erms,-fsrm"
    };
    ["-accel", &accelerator, "-cpu", cpu, "-smp", processors].map(str::to_owned).to_vec()
}

fn qemu_major() -> u32 {
    let version = run(Command::new(need("qemu-system-x86_64", "qemu-system-x86")).arg("--version"));
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number.and_then(|word| word.split('.').next()?.parse().ok()).unwrap_or(0)
}

fn ovmf_args((code, vars): (&str, &str), dir: &Path) -> Vec<String> {
    let ovmf = Path::new("/usr/share/OVMF");
    let variables = dir.join("vars.fd");
    std::fs::copy(ovmf.join(vars), &variables)
        .unwrap_or_else(|error| panic!("no UEFI firmware: apt-get install ovmf (or run tools/setup): {error}"));
    let pflash = "if=pflash,format=raw";
    let mut args = vec![
        "-drive".to_owned(),
        format!("{pflash},readonly=on,file={}", ovmf.join(code).display()),
        "-drive".to_owned(),
        format!("{pflash},file={}", variables.display()),
    ];
    // PXE is tried before HTTP otherwise, for more than a minute.
    for protocol in ["IPv4", "IPv6"] {
        args.extend(["-fw_cfg".to_owned(), format!("name=opt/org.tianocore/{protocol}PXESupport,string=no")]);
    }
    args
}

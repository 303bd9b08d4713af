//! `bootc-ks try`: the whole way of a kickstart in a virtual machine, before it meets metal:
//! network boot, installation, restart, and a system to log in to.
//!
//! ```text
//! image ─► environment ─┐
//! kickstart ────────────┼─► netboot serve (in this process) ◄─ iPXE, installer ─ QEMU
//! an empty disk ────────┴──────────────────────────────────────────────────────┘
//! ```
//!
//! The machine has QEMU's own network: nothing of this machine changes, and the host's loopback
//! is 10.0.2.2 for it.

mod kvm;
mod uefi;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::Context;
use installer_core::host::locate;
use installer_core::image::ImageReference;
use installer_core::units::Bytes;
use installer_core::{Error, Stage, apply, prepare, private_file};
use pxe::serve::server::{self, Options};

use crate::image::AccessArgs;
use crate::logging;
use crate::netboot::{build, client};
use crate::site;

/// The machine's card; from QEMU's own range.
const MAC: &str = "52:54:00:12:34:56";
/// This machine's loopback, seen from inside.
const HOST: &str = "10.0.2.2";

/// Try a kickstart in a virtual machine.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The machine starts from a network (BIOS by iPXE, UEFI by GRUB), is installed, restarts, and its serial console is shown \
    here: log in there, or by ssh as it is printed. It ends when it is switched off ('poweroff' inside, or Ctrl-A X). \
    Needs root, as 'netboot build' does, and QEMU; /dev/kvm is used where it works. An image on a registry of this \
    machine (localhost, 127.0.0.1) is reached as 10.0.2.2.\n\n\
    Exit codes: 0 the machine was switched off; 2 bad input; 3 something is missing."
)]
pub struct Args {
    /// The kickstart: a path, '-' for standard input, or an http(s) URL
    #[arg(value_name = "KS")]
    kickstart: String,

    /// Install this image of a registry instead of the kickstart's
    #[arg(long, value_name = "REF")]
    image: Option<String>,

    /// Use this installer environment (from 'netboot build') instead of making one
    #[arg(long, value_name = "DIR")]
    environment: Option<PathBuf>,

    /// The machine's firmware
    #[arg(long, value_enum, default_value = "bios")]
    firmware: Firmware,

    /// How many disks of which size
    #[arg(long, value_name = "SIZE|NxSIZE", default_value = "20G")]
    disks: Disks,

    /// The machine's memory
    #[arg(long, value_name = "SIZE", default_value = "2G")]
    memory: Bytes,

    /// Keep disks and environment in this directory; else they go when the machine ends
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// The port of this machine's loopback that leads to the new system's ssh
    #[arg(long, value_name = "PORT")]
    ssh_port: Option<u16>,

    #[command(flatten)]
    access: AccessArgs,
}

/// What starts a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Firmware {
    /// SeaBIOS and iPXE
    Bios,
    /// OVMF without Secure Boot; GRUB comes from a stick, and the rest from the network
    Uefi,
}

/// Disks of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Disks {
    count: usize,
    size: Bytes,
}

impl std::str::FromStr for Disks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, size) = match text.split_once('x') {
            Some((count, size)) => (count.parse().map_err(|_| format!("'{count}' is no number of disks"))?, size),
            None => (1, text),
        };
        if !(1..=8).contains(&count) {
            return Err("one to eight disks can be had".into());
        }
        Ok(Disks { count, size: size.parse().map_err(|error| format!("{error}"))? })
    }
}

/// Boots, installs, restarts, and waits until the machine is switched off.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    apply::require_root()?;
    let qemu = qemu()?;
    logging::to_stderr("warn");
    let text = site::for_medium(&args.kickstart)?;
    let request = site::read(&args.kickstart, &site::PreScripts::Skip)?.request;
    let image = match &args.image {
        Some(image) => image.clone(),
        None => prepare::require_image(&request, &args.kickstart)?.to_owned(),
    };
    let temporary = tempfile::Builder::new().prefix(".bootc-ks-try-").tempdir_in(".").context("making a directory")?;
    let work = args.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    // The disks hold what the kickstart has of passwords.
    let make = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&work);
    make.with_context(|| format!("making {}", work.display()))?;

    let environment = match &args.environment {
        Some(environment) => environment.clone(),
        None => {
            let output = work.join("environment");
            build::make(&image, &output, &args.access)?;
            output
        }
    };
    let port = free_port()?;
    write_site(&work, &text, &kargs(&image, &args.access)?)?;
    let firmware = match args.firmware {
        Firmware::Bios => Vec::new(),
        Firmware::Uefi => uefi::args(&work, &environment, &format!("{HOST}:{port}"), MAC)?,
    };
    serve(&work, environment, port)?;
    client::Client::new(&work.join("state"))?.post("/v1/machines/try/arm")?;
    let disks = make_disks(&work, &args.disks)?;
    let ssh = args.ssh_port.map_or_else(free_port, Ok)?;
    println!("The machine starts. When it is installed: ssh -p {ssh} USER@127.0.0.1; its end is Ctrl-A X.");
    let status = machine(&qemu, &disks, args.memory, port, ssh, &firmware).status().context("starting QEMU")?;
    if !status.success() {
        return Err(Error::world(Stage::Media, format!("QEMU ended: {status}")).into());
    }
    Ok(ExitCode::SUCCESS)
}

fn qemu() -> Result<PathBuf, Error> {
    let name = format!("qemu-system-{}", std::env::consts::ARCH);
    locate(&name).ok_or_else(|| {
        Error::world(Stage::Media, format!("{name} is not installed"))
            .hint("install QEMU (Debian: qemu-system-x86, ipxe-qemu)")
    })
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
    Ok(listener.local_addr().context("finding a free port")?.port())
}

/// What the installer is told of the image: where it is from inside, and whether plain http will do.
fn kargs(image: &str, access: &AccessArgs) -> Result<Vec<String>, Error> {
    let reference: ImageReference = image.parse()?;
    let Some(host) = reference.host() else {
        return Err(Error::input(Stage::Request, format!("{image} cannot be reached from the machine"))
            .hint("push it to a registry, such as one on this machine: skopeo copy … docker://localhost:5000/…"));
    };
    let (inside, name) = (from_inside(host), reference.name());
    let name = name.replacen(host, &inside, 1);
    let mut kargs = vec![format!("bootc-ks.image={name}")];
    kargs.extend(access.insecure_registry.iter().map(|host| format!("bootc-ks.insecure={}", from_inside(host))));
    Ok(kargs)
}

fn from_inside(host: &str) -> String {
    let (name, port) = host.split_once(':').map_or((host, ""), |(name, port)| (name, port));
    match (name, port) {
        ("localhost" | "127.0.0.1", "") => HOST.to_owned(),
        ("localhost" | "127.0.0.1", port) => format!("{HOST}:{port}"),
        _ => host.to_owned(),
    }
}

/// The server's files: one machine, one kickstart.
fn write_site(work: &Path, kickstart: &str, kargs: &[String]) -> anyhow::Result<()> {
    let raw = format!("{{% raw %}}{kickstart}{{% endraw %}}");
    crate::atomic_file::create_private(&work.join("site.ks"), &raw)?;
    let kargs: Vec<String> = kargs.iter().map(|karg| format!("{karg:?}")).collect();
    let machines =
        format!("[[machine]]\nname = 'try'\nmac = '{MAC}'\nkickstart = 'site.ks'\nkargs = [{}]\n", kargs.join(", "));
    Ok(std::fs::write(work.join("machines.toml"), machines)?)
}

/// Serves from a thread that ends with this process; returns when it listens.
fn serve(work: &Path, environment: PathBuf, port: u16) -> anyhow::Result<()> {
    let options = Options {
        environment,
        machines: work.join("machines.toml"),
        kickstarts: work.to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        url: Some(format!("http://{HOST}:{port}")),
        state: work.join("state"),
    };
    let (sender, receiver) = channel();
    let ready = sender.clone();
    std::thread::spawn(move || {
        let ended = server::run(&options, move |_| {
            let _ = ready.send(Ok(()));
        });
        if let Err(error) = ended {
            let _ = sender.send(Err(error));
        }
    });
    Ok(receiver.recv_timeout(Duration::from_secs(60)).context("waiting for the boot server")??)
}

fn make_disks(work: &Path, disks: &Disks) -> anyhow::Result<Vec<PathBuf>> {
    (0..disks.count)
        .map(|n| {
            let path = work.join(format!("disk{n}.img"));
            let file = private_file::create(&path).with_context(|| format!("making {}", path.display()))?;
            file.set_len(disks.size.0).with_context(|| format!("making {}", path.display()))?;
            Ok(path)
        })
        .collect()
}

/// The processor to emulate. Where one boasts of fast string instructions, a kernel clears and
/// copies memory by them, and they are emulated byte by byte: that is more than a quarter of what a
/// start takes. The emulator's cmpxchg16b was wrong before QEMU 10, and kernels since 6.12 use it;
/// it is left out there alone, since a C library for x86-64-v2 (RHEL's) starts with nothing less.
fn emulated(qemu: &Path) -> &'static str {
    let version = Command::new(qemu).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    match major_version(&String::from_utf8_lossy(&version)) {
        Some(major) if major >= 10 => "max,-erms,-fsrm",
        _ => "max,-erms,-fsrm,-cx16",
    }
}

/// Of what `qemu-system-x86_64 --version` says: "QEMU emulator version 7.2.22 (Debian …)".
fn major_version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("version ")?;
    version.split('.').next()?.parse().ok()
}

/// QEMU's command line. It dies with this process.
fn machine(qemu: &Path, disks: &[PathBuf], memory: Bytes, port: u16, ssh: u16, firmware: &[String]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(qemu);
    let kvm = kvm::works(qemu);
    // A second emulated processor may not see in time how a kernel changes its own code.
    let (accelerator, processor, count) = if kvm { ("kvm", "host", "2") } else { ("tcg", emulated(qemu), "1") };
    command.args(["-accel", accelerator, "-cpu", processor, "-smp", count]);
    command.args(["-machine", "q35,graphics=off", "-nodefaults", "-no-user-config", "-display", "none"]);
    command.args(["-m", &format!("{}M", memory.as_mib()), "-serial", "mon:stdio", "-device", "virtio-rng-pci"]);
    command
        .arg("-netdev")
        .arg(format!("user,id=net0,bootfile=http://{HOST}:{port}/boot.ipxe,hostfwd=tcp:127.0.0.1:{ssh}-:22"));
    // UEFI has a driver of its own, and the stick to start from. Last in the order, for OVMF hands
    // GRUB only the devices that are in it.
    let boot = if firmware.is_empty() { "bootindex=0" } else { "romfile=,bootindex=100" };
    command.arg("-device").arg(format!("virtio-net-pci,netdev=net0,mac={MAC},{boot}"));
    command.args(firmware);
    for (n, disk) in disks.iter().enumerate() {
        // A comma in a name is written twice.
        let file = disk.display().to_string().replace(',', ",,");
        command.arg("-drive").arg(format!("if=none,id=disk{n},format=raw,discard=unmap,cache=unsafe,file={file}"));
        command.arg("-device").arg(format!("virtio-blk-pci,drive=disk{n},serial=disk{n},bootindex={}", n + 1));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulators_have_versions() {
        assert_eq!(major_version("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright"), Some(10));
        assert_eq!(major_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\n"), Some(7));
        assert_eq!(major_version(""), None);
    }

    #[test]
    fn disks_and_hosts() {
        assert_eq!("2x20G".parse(), Ok(Disks { count: 2, size: Bytes::gib(20) }));
        assert_eq!("8G".parse(), Ok(Disks { count: 1, size: Bytes::gib(8) }));
        assert!("0x1G".parse::<Disks>().is_err() && "x".parse::<Disks>().is_err() && "9x1G".parse::<Disks>().is_err());
        assert_eq!(from_inside("localhost:5000"), "10.0.2.2:5000");
        assert_eq!(from_inside("quay.io"), "quay.io");
    }
}

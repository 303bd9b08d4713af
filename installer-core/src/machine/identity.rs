//! Who a disk is: stable links, serial number, world-wide name, how it is attached. udev
//! knows best where it runs; the rest is read out of sysfs.

use std::fs;
use std::path::{Path, PathBuf};

use super::sysfs::{SystemRoots, names, text};

#[derive(Default)]
pub(super) struct Identity {
    pub links: Vec<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub wwn: Option<String>,
    pub transport: Option<String>,
}

/// The identity of the disk `name` (sysfs's spelling), described in `sysfs`.
pub(super) fn identity(roots: &SystemRoots, name: &str, sysfs: &Path) -> Identity {
    let real = fs::canonicalize(sysfs).unwrap_or_else(|_| sysfs.to_owned());
    let kernels = Identity {
        links: scan_links(roots, name),
        model: ["device/model", "device/name"].iter().find_map(|file| text(real.join(file))),
        serial: serial(&real),
        wwn: wwn(&real),
        transport: transport(&real, name).map(str::to_owned),
    };
    match udev(roots, &real) {
        Some(udevs) => Identity {
            links: udevs.links,
            serial: udevs.serial.or(kernels.serial),
            wwn: udevs.wwn.or(kernels.wwn),
            ..kernels
        },
        None => kernels,
    }
}

/// What udev's database has, when it has this device at all: libudev answers from sysfs
/// alone where no udevd ever ran.
fn udev(roots: &SystemRoots, sysfs: &Path) -> Option<Identity> {
    if !roots.live {
        return None;
    }
    let device = udev::Device::from_syspath(sysfs).ok().filter(udev::Device::is_initialized)?;
    let property = |name: &str| device.property_value(name).and_then(|value| value.to_str()).map(str::to_owned);
    let mut links: Vec<String> = property("DEVLINKS")
        .unwrap_or_default()
        .split_whitespace()
        .filter(|link| is_stable(link))
        .map(str::to_owned)
        .collect();
    links.sort();
    Some(Identity { links, serial: property("ID_SERIAL_SHORT"), wwn: property("ID_WWN"), ..Identity::default() })
}

/// by-diskseq counts attachments since boot, so it says nothing about the next boot.
fn is_stable(link: &str) -> bool {
    link.starts_with("/dev/disk/by-") && !link.starts_with("/dev/disk/by-diskseq/")
}

/// The links that lead to the device, found by reading them all.
fn scan_links(roots: &SystemRoots, name: &str) -> Vec<String> {
    let base = roots.dev.join("disk");
    let target: PathBuf = name.replace('!', "/").into();
    let mut links = Vec::new();
    for directory in names(&base) {
        for link in names(base.join(&directory)) {
            // ../../sda
            let leads_to = fs::read_link(base.join(&directory).join(&link)).unwrap_or_default();
            let shown = format!("/dev/disk/{directory}/{link}");
            if is_stable(&shown)
                && leads_to.ends_with(&target)
                && leads_to.components().count() == target.components().count() + 2
            {
                links.push(shown);
            }
        }
    }
    links.sort();
    links
}

fn serial(sysfs: &Path) -> Option<String> {
    // virtio has it at the disk, NVMe and MMC at the device, SCSI in a page of its own.
    let plain = ["serial", "device/serial"].iter().find_map(|file| text(sysfs.join(file)));
    plain.or_else(|| {
        let page = fs::read(sysfs.join("device/vpd_pg80")).ok()?;
        let serial =
            String::from_utf8_lossy(page.get(4..)?).trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned();
        (!serial.is_empty()).then_some(serial)
    })
}

/// In udev's spelling: `0x5000…` for SCSI and SATA, `eui.…` for NVMe.
fn wwn(sysfs: &Path) -> Option<String> {
    let id = ["wwid", "device/wwid"].iter().find_map(|file| text(sysfs.join(file)))?;
    match id.strip_prefix("naa.") {
        Some(digits) => Some(format!("0x{digits}")),
        // What the kernel makes up from vendor and serial number is no world-wide name.
        None => (id.starts_with("eui.") || id.starts_with("uuid.")).then_some(id),
    }
}

/// By the buses that the device's path in sysfs leads through, outermost meaning first: a
/// SATA disk in a USB case is a USB disk.
fn transport(sysfs: &Path, name: &str) -> Option<&'static str> {
    if name.starts_with("loop") {
        return Some("loop");
    }
    let parts: Vec<&str> = sysfs.iter().filter_map(|part| part.to_str()).collect();
    let any = |prefix: &str| {
        parts
            .iter()
            .any(|part| part.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
    };
    [
        ("usb", "usb"),
        ("nvme", "nvme"),
        ("mmc", "mmc"),
        ("session", "iscsi"),
        ("rport-", "fc"),
        ("end_device-", "sas"),
        ("ata", "sata"),
        ("virtio", "virtio"),
    ]
    .iter()
    .find(|(prefix, _)| any(prefix))
    .map(|(_, transport)| *transport)
    // Multipath NVMe disks hang below a subsystem.
    .or_else(|| name.starts_with("nvme").then_some("nvme"))
}

//! What only the installing machine can tell, checked before the first write: who we are,
//! which tools are there, what its libostree can do, whether an image file finds room.

use std::collections::BTreeSet;
use std::path::Path;

use super::vfat;
use crate::deploy::ostree;
use crate::error::{Error, Remedy, Result, Stage};
use crate::host::{Host, Real, locate};
use crate::image::ImageFacts;
use crate::machine::Machine;
use crate::plan::{Loader, Plan, Planned, Step};
use crate::program::{Program, row};
use crate::storage::device::is_of;
use crate::storage::select::Target;
use crate::units::Bytes;

/// Whether `plan` can be carried out here.
pub fn preflight(plan: &Plan, facts: &ImageFacts, machine: &Machine) -> Result<()> {
    require_root()?;
    libostree(facts, require_ostree()?)?;
    programs(plan, machine)?;
    volume_groups(plan, &Real)?;
    room(plan)
}

/// Whether the names of the volume groups are free on this machine. Those on the target's disks go
/// with all else that is there.
fn volume_groups(plan: &Plan, host: &dyn Host) -> Result<()> {
    let wanted: Vec<&str> = plan
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::CreateGroup(group) => Some(group.group.as_str()),
            _ => None,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let on_target = |node: &str| plan.target.disks().iter().any(|disk| is_of(node, &disk.path));
    let mut elsewhere = None;
    let list = Program::new("lvm").args(["pvs", "--noheadings", "--separator", " ", "--options", "vg_name,pv_name"]);
    let listed = host.run(&list, &mut |line| {
        let mut words = line.split_whitespace();
        if let Some(group) = words.next().and_then(|word| wanted.iter().find(|group| **group == word))
            && let Some(volume) = words.next().filter(|volume| !on_target(volume))
        {
            elsewhere = Some((*group, volume.to_owned()));
        }
    });
    // What else is wrong with it is met when it makes something.
    listed.unwrap_or_else(|error| tracing::warn!(%error, "listing the volume groups"));
    match elsewhere {
        None => Ok(()),
        Some((group, volume)) => Err(Error::refused(
            Stage::Plan,
            format!("there is a volume group {group} on {volume}, and this machine cannot have two"),
        )
        .hint([
            "rename or detach that one".into(),
            "name the new one otherwise; for one that is named by the installer, give the system another host name"
                .into(),
            Remedy::PlainPartitions,
        ])),
    }
}

/// Whether this process may install at all.
pub fn require_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Error::world(Stage::Plan, "installing needs root").hint("run it with sudo"))
}

fn programs(plan: &Plan, machine: &Machine) -> Result<()> {
    let names = Planned::of(&plan.target);
    let commands = plan.steps.iter().flat_map(|step| step.commands(&names));
    // What runs inside the system is looked for in the image's facts, when the plan is made.
    let mut needed: BTreeSet<String> =
        commands.filter(|program| program.cage.is_none()).map(|program| program.name).collect();
    for step in &plan.steps {
        let Step::Bootloader(boot) = step else { continue };
        let grub_mounts = matches!(&boot.loader, Loader::Grub { efi: Some(efi), .. } if !efi.mtools);
        let bootupd_mounts = boot.uefi && boot.loader == Loader::Bootupd;
        if bootupd_mounts && !(can_mount_esp(machine) && vfat::mounts()) {
            return Err(Error::world(Stage::Plan, "bootupd mounts the ESP, and the running kernel cannot mount vfat")
                .hint(
                    "install from an environment whose kernel has vfat, and its character sets (nls_cp437, nls_ascii)",
                ));
        }
        // Where mtools are there they fill it if the kernel cannot mount it after all.
        if grub_mounts && ["mmd", "mcopy"].iter().any(|name| locate(name).is_none()) && !vfat::mounts() {
            needed.extend(["mmd", "mcopy"].map(str::to_owned));
        }
    }
    let missing: Vec<&str> = needed.iter().map(String::as_str).filter(|name| locate(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: BTreeSet<&str> = missing.iter().filter_map(|name| row(name)).map(|row| row.packages.0).collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    Err(Error::world(Stage::Plan, format!("programs are missing here: {}", missing.join(", ")))
        .hint(format!("install the packages {} (Debian's names)", packages.join(", "))))
}

/// Whether the running kernel can mount an EFI system partition.
pub fn can_mount_esp(machine: &Machine) -> bool {
    machine.kernel.filesystems.iter().any(|fs| fs == "vfat")
}

/// Whether a deployment can be made here: the program that makes them is there, and runs.
pub fn require_ostree() -> Result<ostree::protocol::Version> {
    ostree::version(&Real)
}

/// What [`preflight`] would refuse of the image for want of a newer libostree on this machine; whether there is
/// one at all is asked when it is installed.
pub fn check_libostree(facts: &ImageFacts) -> Result<()> {
    if facts.composefs != Some(true) {
        return Ok(());
    }
    ostree::version(&Real).map_or(Ok(()), |version| libostree(facts, version))
}

/// An image that insists on composefs does not boot from a deployment without it.
fn libostree(facts: &ImageFacts, version: ostree::protocol::Version) -> Result<()> {
    if facts.composefs == Some(true) && version.libostree < (2024, 7) {
        return Err(Error::world(
            Stage::Plan,
            format!("{} boots from composefs only, which this machine's libostree cannot make", facts.reference),
        )
        .hint("install from an environment with libostree 2024.7 or later, such as the image itself"));
    }
    Ok(())
}

/// What the files take with what file systems keep for themselves, and with the copy of kernel and
/// initramfs in /boot.
fn on_file_systems(unpacked: Bytes) -> Bytes {
    unpacked + Bytes(unpacked.0 / 8) + Bytes::mib(128)
}

/// Whether a disk image finds room where it is to be made.
pub fn room(plan: &Plan) -> Result<()> {
    let Target::ImageFile(file) = &plan.target else { return Ok(()) };
    let file = Path::new(&file.path);
    let dir = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let stat = rustix::fs::statvfs(dir)
        .map_err(|error| Error::input(Stage::Plan, format!("the directory of {}", file.display())).because(error))?;
    let free = Bytes(stat.f_bavail.saturating_mul(stat.f_frsize));
    let needs = on_file_systems(plan.image.unpacked_size);
    if free < needs {
        return Err(Error::world(
            Stage::Plan,
            format!("no room for {}: {free} are free, and the image needs {needs}", file.display()),
        )
        .hint("make room, or put the disk image on another file system"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::host::{Mount, ProgramError};
    use crate::plan::{Device, PlannedImage, SCHEMA};
    use crate::request::EndAction;
    use crate::storage::kind::Group;
    use crate::storage::select::TargetDisk;
    use crate::units::Digest;

    /// A machine whose `lvm` lists this.
    struct Lists(&'static str);

    impl Host for Lists {
        fn run(&self, _: &Program, line: &mut dyn FnMut(&str)) -> std::result::Result<(), ProgramError> {
            self.0.lines().for_each(line);
            Ok(())
        }

        fn mount(&self, _: &Mount) -> std::io::Result<()> {
            Ok(())
        }

        fn unmount(&self, _: &Path) -> std::io::Result<()> {
            Ok(())
        }

        fn uninterrupted(&self) -> &dyn Host {
            self
        }
    }

    #[test]
    fn a_volume_group_of_the_same_name_elsewhere_is_refused() {
        let plan = Plan {
            schema: SCHEMA,
            target: Target::Disk {
                boot: TargetDisk {
                    path: "/dev/sda".into(),
                    stable: "/dev/sda".into(),
                    description: "disk".into(),
                    size: Bytes::gib(8),
                    sector_size: Bytes(512),
                    used: Vec::new(),
                },
                more: Vec::new(),
            },
            destroys: Vec::new(),
            image: PlannedImage {
                source: "oci:x".into(),
                digest: Digest::of(b""),
                updates_from: "oci:x".into(),
                unpacked_size: Bytes(0),
                signature_policy: None,
            },
            steps: vec![Step::CreateGroup(Group {
                group: "system_1".into(),
                on: vec![Device::Partition { disk: 0, number: 4 }],
                extent: None,
            })],
            on_failure: Vec::new(),
            warnings: Vec::new(),
            end: EndAction::Nothing,
            passwords: BTreeMap::new(),
            secrets: BTreeMap::new(),
            credentials: None,
        };
        for (list, clash) in [
            ("", None),
            ("  system_2 /dev/sdb1\n  /dev/sdc\n", None),
            ("  system_1 /dev/sda4\n", None),
            ("  system_1 /dev/sda4\n  system_1 /dev/sdaa1\n", Some("/dev/sdaa1")),
            ("  system_1 /dev/nvme0n1p4\n", Some("/dev/nvme0n1p4")),
        ] {
            match (volume_groups(&plan, &Lists(list)), clash) {
                (Ok(()), None) => {}
                (Err(error), Some(on)) => assert!(error.exit_code() == 4 && error.to_string().contains(on), "{error}"),
                (other, _) => panic!("{list}: {other:?}"),
            }
        }
    }
}

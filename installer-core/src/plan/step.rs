//! The steps of a plan: small, plain data. A step can show the commands it stands for, and
//! the same function gives `apply` the commands it runs, so that the two cannot drift.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bootloader::BootPlan;
use super::device::{Device, Names};
use crate::program::Program;
use crate::request::{Purpose, Script, When};
use crate::storage::filesystem;
use crate::storage::layout::PlannedPartition;
use crate::system::fstab::FstabEntry;
use crate::system::{Change, GroupPlan, UserPlan};
use crate::units::{Bytes, MountPoint, Stateroot};

/// Where bootc and libostree look for the credentials of an installed system (ostree-ext,
/// `globals`).
pub const AUTH_FILE: &str = "/etc/ostree/auth.json";

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Makes the (sparse) image file and attaches it as a disk.
    CreateImageFile {
        /// Its path.
        path: String,
        /// Its size.
        size: Bytes,
    },
    /// Removes every signature from the disk and its partitions.
    Wipe {
        /// The disk.
        disk: String,
    },
    /// Writes the GPT and tells the kernel.
    Partition {
        /// What is in it.
        partitions: Vec<PlannedPartition>,
    },
    /// Makes a volume group on a partition.
    CreateGroup {
        /// Its name.
        group: String,
        /// Its physical volume.
        on: Device,
    },
    /// Makes a logical volume.
    CreateVolume {
        /// Its volume group.
        group: String,
        /// Its name.
        name: String,
        /// Its size; `None` takes what is left.
        size: Option<Bytes>,
    },
    /// Makes a file system, a swap area or the ESP.
    Format {
        /// On what.
        device: Device,
        /// For what.
        purpose: Purpose,
        /// Its type.
        filesystem: String,
        /// Its label.
        label: Option<String>,
        /// Further arguments to mkfs.
        options: Vec<String>,
    },
    /// Takes a file system that another program made and mounted.
    Adopt {
        /// On what.
        device: Device,
        /// For what.
        purpose: Purpose,
        /// Its type.
        filesystem: String,
        /// Its UUID.
        uuid: String,
    },
    /// Mounts a file system of the target.
    Mount {
        /// The device.
        device: Device,
        /// Where in the target.
        at: MountPoint,
        /// Its type.
        filesystem: String,
    },
    /// Makes the OSTree system root.
    InitialiseSysroot {
        /// Stateroot.
        stateroot: Stateroot,
    },
    /// Fetches, verifies and imports the image.
    Import {
        /// The name under which updates look for it.
        target: String,
        /// Layers.
        layers: usize,
        /// Compressed size.
        size: Bytes,
        /// Whether files are labelled by the image's SELinux policy.
        selinux: bool,
    },
    /// Makes the image's deployment, with its boot entry.
    Deploy {
        /// Stateroot.
        stateroot: Stateroot,
        /// The origin's container-image-reference.
        origin: String,
        /// Kernel arguments.
        kargs: Vec<String>,
    },
    /// Writes /etc/fstab.
    Fstab {
        /// Its lines.
        entries: Vec<FstabEntry>,
    },
    /// Changes something in the system.
    Change(Change),
    /// Makes a group.
    Group(GroupPlan),
    /// Makes a user.
    User(UserPlan),
    /// Lets keys in.
    SshKeys {
        /// The user.
        user: String,
        /// Key lines.
        keys: Vec<String>,
    },
    /// Sets root's password, or sees to it that none opens the account.
    RootPassword {
        /// Whether one is set (it travels apart from the plan).
        password: bool,
    },
    /// Writes the auth.json of the installed system.
    Credentials {
        /// The registry.
        registry: String,
        /// The file on this machine that is copied; else it is made (its content travels apart
        /// from the plan).
        copied_from: Option<String>,
    },
    /// Runs a script of the kickstart.
    Script(Script),
    /// Installs the boot loader.
    Bootloader(BootPlan),
    /// Makes an entry for the system in the firmware, first in its order.
    BootOrder {
        /// The EFI system partition.
        esp: Device,
    },
    /// Unmounts everything and writes it to the disk.
    Finish,
}

impl Step {
    /// Its name, as in the plan's JSON (`initialise-sysroot`).
    pub fn name(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        json["step"].as_str().unwrap_or_default().to_owned()
    }

    /// The device that it makes or takes a file system of, and what that is for.
    pub fn area(&self) -> Option<(&Device, &Purpose)> {
        match self {
            Step::Format { device, purpose, .. } | Step::Adopt { device, purpose, .. } => Some((device, purpose)),
            _ => None,
        }
    }

    /// What it does, in a few words.
    pub fn title(&self) -> String {
        match self {
            Step::CreateImageFile { path, size } => format!("create the disk image {path} ({size})"),
            Step::Wipe { disk } => format!("wipe all signatures from {disk}"),
            Step::Partition { partitions } => format!("write a GPT with {} partitions", partitions.len()),
            Step::CreateGroup { group, .. } => format!("create the volume group {group}"),
            Step::CreateVolume { group, name, .. } => format!("create the logical volume {group}/{name}"),
            Step::Format { purpose, filesystem, .. } => match purpose {
                Purpose::Mount(at) => format!("make {filesystem} for {at}"),
                Purpose::Swap => "make the swap area".into(),
                _ => "make the EFI system partition".into(),
            },
            Step::Adopt { purpose, filesystem, .. } => match purpose {
                Purpose::Mount(at) => format!("use the {filesystem} at {at}"),
                _ => "use the EFI system partition".into(),
            },
            Step::Mount { at, .. } => format!("mount {at}"),
            Step::InitialiseSysroot { stateroot } => {
                format!("initialise the OSTree system root (stateroot {stateroot})")
            }
            Step::Import { layers, size, .. } => format!("import the image: {layers} layers, {size} to fetch"),
            Step::Deploy { .. } => "deploy it".into(),
            Step::Fstab { .. } => "write /etc/fstab".into(),
            Step::Change(change) => change.title(),
            Step::Group(group) => format!("create the group {}", group.name),
            Step::User(user) => format!("create the user {}", user.name),
            Step::SshKeys { user, keys } => {
                format!("let {user} in by {} ssh key{}", keys.len(), if keys.len() == 1 { "" } else { "s" })
            }
            Step::RootPassword { password: true } => "set root's password".into(),
            Step::RootPassword { password: false } => "lock root's password".into(),
            Step::Credentials { copied_from: Some(file), .. } => format!("copy {file} to {AUTH_FILE}"),
            Step::Credentials { registry, .. } => format!("write the credentials for {registry} to {AUTH_FILE}"),
            Step::Script(script @ Script { when: When::PreInstall, .. }) => {
                format!("run the %pre-install script at {} on this machine with {}", script.origin, script.interpreter)
            }
            Step::Script(script) => format!(
                "run the script at {} {} with {}",
                script.origin,
                if script.inside { "in the new system" } else { "on this machine" },
                script.interpreter
            ),
            Step::Bootloader(boot) => boot.title(),
            Step::BootOrder { .. } => "put the system first in the firmware's boot order".into(),
            Step::Finish => "write everything to the disk and unmount".into(),
        }
    }

    /// The external commands it stands for, in order. Steps that our own code or libostree
    /// carries out have none.
    pub fn commands(&self, names: &dyn Names) -> Vec<Program> {
        match self {
            Step::CreateGroup { group, on } => vec![
                Program::new("lvm").args(["pvcreate", "--yes", "-ff"]).arg(names.node(on)),
                Program::new("lvm").args(["vgcreate", "--yes", group.as_str()]).arg(names.node(on)),
            ],
            Step::CreateVolume { group, name, size } => {
                let create =
                    Program::new("lvm").args(["lvcreate", "--yes", "--wipesignatures", "y", "--name", name.as_str()]);
                vec![match size {
                    Some(size) => create.args(["--size", &format!("{}m", size.as_mib()), group.as_str()]),
                    None => create.args(["--extents", "100%FREE", group.as_str()]),
                }]
            }
            Step::Format { device, purpose, filesystem, label, options } => {
                let (node, uuid) = (names.node(device), names.uuid(device));
                match purpose {
                    Purpose::Esp => vec![filesystem::mkfs_esp(&node, &uuid.replace('-', ""))],
                    Purpose::Swap => vec![filesystem::mkswap(&node, &uuid)],
                    _ => filesystem::mkfs(filesystem, &node, &uuid, label.as_deref(), options).into_iter().collect(),
                }
            }
            Step::Bootloader(boot) => boot.commands(names),
            Step::Change(Change::Run { program, args }) => {
                vec![
                    Program::new(program.as_str())
                        .args(args.iter().map(String::as_str))
                        .inside(Path::new(&names.system())),
                ]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::device::Planned;

    #[test]
    fn lvm_is_made_from_the_partition_up() {
        let names = Planned { disk: "/dev/vda" };
        let on = Device::Partition { number: 4 };
        let show = |step: Step| step.commands(&names).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            show(Step::CreateGroup { group: "system".into(), on }),
            ["lvm pvcreate --yes -ff /dev/vda4", "lvm vgcreate --yes system /dev/vda4"]
        );
        assert_eq!(
            show(Step::CreateVolume { group: "system".into(), name: "swap".into(), size: Some(Bytes::gib(1)) }),
            ["lvm lvcreate --yes --wipesignatures y --name swap --size 1024m system"]
        );
        assert_eq!(
            show(Step::CreateVolume { group: "system".into(), name: "root".into(), size: None }),
            ["lvm lvcreate --yes --wipesignatures y --name root --extents 100%FREE system"]
        );
    }
}

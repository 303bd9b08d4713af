//! The steps of a plan: small, plain data. A step can show the commands it stands for, and
//! the same function gives `apply` the commands it runs, so that the two cannot drift.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bootloader::BootPlan;
use crate::program::Program;
use crate::request::{Purpose, Script, When};
use crate::storage::device::{Device, Names};
use crate::storage::kind::{Area, Group, Kept, Table, Volume};
use crate::storage::tree::Node;
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
    /// Removes every signature from a partition that is there; its table stays.
    WipePartition {
        /// The partition.
        partition: String,
    },
    /// Writes the GPT of a disk and tells the kernel.
    Partition(Table),
    /// Makes a volume group on partitions.
    CreateGroup(Group),
    /// Makes a logical volume.
    CreateVolume(Volume),
    /// Makes a file system, a swap area or the ESP.
    Format(Area),
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
            Step::Format(Area { device, purpose, .. }) | Step::Adopt { device, purpose, .. } => Some((device, purpose)),
            _ => None,
        }
    }

    /// What it does, in a few words.
    pub fn title(&self) -> String {
        match self {
            Step::CreateImageFile { path, size } => format!("create the disk image {path} ({size})"),
            Step::Wipe { disk } => format!("wipe all signatures from {disk}"),
            Step::WipePartition { partition } => format!("wipe all signatures from {partition}"),
            Step::Partition(table) => table.title(),
            Step::CreateGroup(group) => group.title(),
            Step::CreateVolume(volume) => volume.title(),
            Step::Format(area) => area.title(),
            Step::Adopt { purpose, filesystem, .. } => match purpose {
                Purpose::Mount(at) => format!("use the {filesystem} at {at}"),
                Purpose::Swap => "use the swap area".into(),
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
            Step::CreateGroup(group) => group.commands(names),
            Step::CreateVolume(volume) => volume.commands(),
            Step::Format(area) => area.commands(names),
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

impl Step {
    /// The step that makes a device, or takes what is on one; a table that stays has none.
    pub(super) fn of(node: &Node) -> Option<Self> {
        Some(match node {
            Node::Table(table) => Step::Partition(table.clone()),
            Node::Present(_) => return None,
            Node::Group(group) => Step::CreateGroup(group.clone()),
            Node::Volume(volume) => Step::CreateVolume(volume.clone()),
            Node::Area(area) => Step::Format(area.clone()),
            Node::Kept(Kept { area, uuid }) => Step::Adopt {
                device: area.device.clone(),
                purpose: area.purpose.clone(),
                filesystem: area.filesystem.clone(),
                uuid: uuid.clone(),
            },
        })
    }
}

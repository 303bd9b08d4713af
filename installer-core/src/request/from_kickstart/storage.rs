//! Disks and partitions: `ignoredisk`, `clearpart`, `autopart`, `reqpart`, `part`. Volumes are next
//! door.

use kickstart_parser::Span;
use kickstart_parser::kickstart::{AutopartType, ClearMode, Kickstart, Partition};

use super::Reader;
use super::usr::Room;
use crate::request::{AreaRequest, Clear, Custom, DiskChoice, Layout, PartitionRequest, Purpose, Scheme};
use crate::units::Bytes;

impl Reader<'_> {
    pub(super) fn disks(&mut self, kickstart: &Kickstart) -> DiskChoice {
        let ignore = kickstart.ignoredisk.as_ref();
        let mut choice = DiskChoice {
            only: ignore.map(|i| i.only_use.clone()).unwrap_or_default(),
            ignore: ignore.map(|i| i.drives.clone()).unwrap_or_default(),
            ..DiskChoice::default()
        };
        if let Some(clearpart) = &kickstart.clearpart {
            let span = clearpart.span;
            self.refuse_if(
                !clearpart.devices.is_empty(),
                span,
                "clearpart --list: single partitions cannot be cleared",
                "clear whole disks with --all and --drives=",
            );
            let label = clearpart.disk_label.as_deref();
            self.refuse_if(
                label.is_some_and(|label| label != "gpt"),
                span,
                "clearpart --disklabel: only gpt is made",
                "leave --disklabel out",
            );
            choice.clear = match (clearpart.mode, clearpart.drives.is_empty()) {
                (Some(ClearMode::All), true) => Clear::All,
                (Some(ClearMode::All) | None, false) => Clear::Disks(clearpart.drives.clone()),
                (Some(ClearMode::Linux), _) => Clear::LinuxOnly,
                _ => Clear::Nothing,
            };
        }
        choice
    }

    pub(super) fn layout(&mut self, kickstart: &Kickstart) -> Layout {
        if let Some(autopart) = &kickstart.autopart {
            let span = autopart.span;
            let scheme = match autopart.kind {
                None | Some(AutopartType::Lvm) => Scheme::Lvm,
                Some(AutopartType::Plain) => Scheme::Plain,
                Some(other) => {
                    self.refuse(
                        span,
                        format!("autopart --type={} is not supported", format!("{other:?}").to_lowercase()),
                        "use --type=plain or --type=lvm",
                    );
                    Scheme::Plain
                }
            };
            self.refuse_if(
                autopart.encryption.encrypted,
                span,
                "autopart --encrypted is not supported yet",
                "leave --encrypted out, or use Anaconda",
            );
            self.refuse_if(
                autopart.hibernation,
                span,
                "autopart --hibernation is not supported",
                "leave --hibernation out",
            );
            return Layout::Auto {
                scheme,
                filesystem: autopart.fstype.clone(),
                swap: !autopart.no_swap,
                boot: !autopart.no_boot,
            };
        }
        let reqpart = kickstart.reqpart.as_ref();
        let room = self.room_of_usr(kickstart);
        let new = kickstart.partitions.iter().filter(|p| p.on_part.is_none() && p.mount != USR);
        let mut custom = Custom {
            partitions: new.filter_map(|p| self.partition(p, kickstart)).collect(),
            existing: self.existing(kickstart),
            made_later: false,
            groups: kickstart.volume_groups.iter().filter_map(|g| self.volume_group(g, kickstart)).collect(),
            volumes: kickstart
                .logical_volumes
                .iter()
                .filter(|v| v.mount != USR)
                .filter_map(|v| self.volume(v))
                .collect(),
            platform: reqpart.is_some(),
            add_boot: reqpart.is_some_and(|r| r.add_boot),
        };
        room.iter().for_each(|room| room.give_to_root(&mut custom));
        Layout::Custom(custom)
    }

    /// What is asked for a /usr of its own, which is said to have no effect.
    fn room_of_usr(&mut self, kickstart: &Kickstart) -> Vec<Room> {
        let mut list = Vec::new();
        let says = "it belongs to the image, and gets no file system of its own; its size is added to that of /";
        let help = "leave the line out, and give / the size of both";
        for partition in kickstart.partitions.iter().filter(|partition| partition.mount == USR) {
            let says =
                if partition.on_part.is_some() { "it belongs to the image; the partition is left alone" } else { says };
            self.warn_if(true, partition.mount_span, &format!("part {USR}: {says}"), help);
            if partition.on_part.is_none() {
                list.push(Room {
                    group: None,
                    size: Bytes::mib(partition.size_mib.unwrap_or_default()),
                    grow: partition.grow,
                    max_size: partition.max_size_mib.map(Bytes::mib),
                    percent: None,
                });
            }
        }
        for volume in kickstart.logical_volumes.iter().filter(|volume| volume.mount == USR) {
            self.warn_if(true, volume.mount_span, &format!("logvol {USR}: {says}"), help);
            list.push(Room {
                group: Some(volume.volume_group.clone()),
                size: Bytes::mib(volume.size_mib.unwrap_or_default()),
                grow: volume.grow,
                max_size: volume.max_size_mib.map(Bytes::mib),
                percent: volume.percent,
            });
        }
        list
    }

    fn partition(&mut self, partition: &Partition, kickstart: &Kickstart) -> Option<PartitionRequest> {
        if partition.no_format {
            let message =
                format!("part {}: --noformat keeps a partition that is there, and none is named", partition.mount);
            self.bad(partition.span, message, "name it with --onpart=");
        }
        let area = self.partition_area(partition, kickstart)?;
        Some(PartitionRequest { area, disk: partition.on_disk.clone() })
    }

    /// What is asked of a partition, new or not.
    pub(super) fn partition_area(&mut self, partition: &Partition, kickstart: &Kickstart) -> Option<AreaRequest> {
        let before = self.found.len();
        let (span, name) = (partition.span, &partition.mount);
        for (given, option) in [
            (partition.resize, "--resize"),
            (partition.on_bios_disk.is_some(), "--onbiosdisk"),
            (partition.encryption.encrypted, "--encrypted"),
            (partition.hibernation, "--hibernation"),
            (partition.fs_profile.is_some(), "--fsprofile"),
        ] {
            self.refuse_if(
                given,
                span,
                &format!("part {name}: {option} is not supported yet"),
                "let the installer make new, plain partitions, or use Anaconda",
            );
        }
        self.check_mount_options("part", name, partition.fs_options.as_deref(), span);
        let purpose = self.partition_purpose(partition, kickstart)?;
        if self.found.len() > before {
            return None;
        }
        Some(AreaRequest {
            purpose,
            size: partition.size_mib.map(Bytes::mib),
            grow: partition.grow,
            max_size: partition.max_size_mib.map(Bytes::mib),
            filesystem: mounted_type(partition.fstype.as_deref()),
            label: partition.label.clone(),
            options: partition.fs_options.clone(),
            mkfs_options: words(partition.mkfs_options.as_deref()),
            origin: self.place(span),
        })
    }

    fn partition_purpose(&mut self, partition: &Partition, kickstart: &Kickstart) -> Option<Purpose> {
        let (name, span) = (partition.mount.as_str(), partition.mount_span);
        match (name, partition.fstype.as_deref()) {
            ("biosboot", _) | (_, Some("biosboot")) => return Some(Purpose::BiosBoot),
            ("/boot/efi", _) | (_, Some("efi")) => return Some(Purpose::Esp),
            ("prepboot", _) | (_, Some("prepboot" | "PPC PReP Boot")) => {
                self.warn_if(
                    true,
                    span,
                    &format!("part {name}: a PReP partition starts machines with POWER alone, and is not made"),
                    "leave the line out",
                );
                return None;
            }
            _ => {}
        }
        if name.starts_with("pv.") {
            return self.group_of(name, span, kickstart).map(Purpose::Lvm);
        }
        self.mounted_or_swap("part", name, partition.fstype.as_deref(), span)
    }

    /// Refuses mount options that would be more than one field of fstab.
    pub(super) fn check_mount_options(&mut self, command: &str, name: &str, options: Option<&str>, span: Span) {
        let blank = |options: &&str| options.chars().any(|c| c.is_whitespace() || c.is_control());
        if let Some(options) = options.filter(blank) {
            self.bad(
                span,
                format!(
                    "{command} {name}: --fsoptions=\"{options}\" has a blank in it, which ends the options in /etc/fstab"
                ),
                "separate the options by commas alone",
            );
        }
    }

    /// What a partition or a volume that is mounted or swapped to is for.
    pub(super) fn mounted_or_swap(
        &mut self,
        command: &str,
        name: &str,
        fstype: Option<&str>,
        span: Span,
    ) -> Option<Purpose> {
        if name == "swap" || fstype == Some("swap") {
            return Some(Purpose::Swap);
        }
        if !name.starts_with('/') {
            self.refuse(
                span,
                format!("{command} {name}: arrays, pools and volumes other than LVM's are not supported yet"),
                "use plain partitions or LVM, or Anaconda",
            );
            return None;
        }
        let path = match inside_var(name) {
            Ok(path) => path,
            Err(why) => {
                self.bad(span, format!("{command} {name}: {why}"), "put data under /var, or leave the line out");
                return None;
            }
        };
        match path.parse() {
            Ok(point) => Some(Purpose::Mount(point)),
            Err(error) => {
                self.bad(span, format!("{command} {name}: {error}"), "write an absolute path");
                None
            }
        }
    }
}

/// It is no file system of its own.
const USR: &str = "/usr";

/// The file system that is asked for, where it is one to be mounted.
pub(super) fn mounted_type(fstype: Option<&str>) -> Option<String> {
    fstype.filter(|name| !matches!(*name, "efi" | "biosboot" | "swap" | "lvmpv")).map(str::to_owned)
}

/// An option's words.
pub(super) fn words(options: Option<&str>) -> Vec<String> {
    options.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Where a mount point really is in a system whose root never changes: the customary
/// directories are links into /var.
fn inside_var(path: &str) -> Result<String, &'static str> {
    let moved = [
        ("/home", "/var/home"),
        ("/srv", "/var/srv"),
        ("/opt", "/var/opt"),
        ("/mnt", "/var/mnt"),
        ("/root", "/var/roothome"),
    ];
    for (from, to) in moved {
        if let Some(rest) = path.strip_prefix(from)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return Ok(format!("{to}{rest}"));
        }
    }
    if path == "/tmp" {
        return Ok(path.to_owned());
    }
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    match (parts.next().unwrap_or_default(), parts.next()) {
        ("boot", Some("efi")) | ("boot", None) => Ok(path.to_owned()),
        ("boot", Some(_)) => Err("boot loaders look for what is in /boot on the file system of /boot itself"),
        ("var", Some("run" | "lock")) => Err("this directory is a link into /run, which is made at each boot"),
        ("" | "var", _) => Ok(path.to_owned()),
        (first, _) => refused(first),
    }
}

/// Why no file system can be mounted below this directory of the root.
fn refused(first: &str) -> Result<String, &'static str> {
    match first {
        "usr" | "etc" | "bin" | "sbin" | "lib" | "lib64" | "sysroot" | "ostree" => {
            Err("this directory belongs to the image and cannot be a file system of its own")
        }
        "proc" | "sys" | "dev" | "run" | "tmp" => Err("this directory is made at each boot"),
        _ => Err("the image's root is read-only and has no such directory"),
    }
}

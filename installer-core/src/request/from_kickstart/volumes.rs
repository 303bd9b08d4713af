//! Logical volumes: `volgroup`, `logvol`, and the `part pv.…` that they stand on.

use kickstart_parser::Span;
use kickstart_parser::kickstart::{Kickstart, LogVol, VolGroup};

use super::Reader;
use super::storage::{mounted_type, words};
use crate::request::{AreaRequest, GroupRequest, Purpose, VolumeRequest};
use crate::units::Bytes;

impl Reader<'_> {
    /// The volume group that the partition `name` belongs to.
    pub(super) fn group_of(&mut self, name: &str, span: Span, kickstart: &Kickstart) -> Option<String> {
        let mut groups = kickstart.volume_groups.iter();
        let group = groups.find(|group| group.members.iter().any(|member| member == name));
        if group.is_none() {
            self.bad(span, format!("part {name}: no volume group is made of it"), "name it in a 'volgroup' line");
        }
        group.map(|group| group.name.clone())
    }

    pub(super) fn volume_group(&mut self, group: &VolGroup, kickstart: &Kickstart) -> Option<GroupRequest> {
        let before = self.found.len();
        let (span, name) = (group.span, &group.name);
        self.refuse_if(
            group.existing,
            span,
            &format!("volgroup {name}: a volume group that exists is not used yet"),
            "let the installer make a new one, or use Anaconda",
        );
        self.check_name("volgroup", name, span);
        let made = |member: &String| kickstart.partitions.iter().any(|partition| partition.mount == *member);
        for member in group.members.iter().filter(|member| !made(member)) {
            self.bad(
                span,
                format!("volgroup {name}: {member} is no partition of this kickstart"),
                "make it with a line such as: part pv.01 --size=4096 --grow",
            );
        }
        (self.found.len() == before).then(|| GroupRequest {
            name: name.clone(),
            extent: group.extent_size_kib.map(|kib| Bytes(kib << 10)),
            reserved: Bytes::mib(group.reserved_space_mib.unwrap_or_default()),
            reserved_percent: group.reserved_percent.unwrap_or_default(),
            origin: self.place(span),
        })
    }

    pub(super) fn volume(&mut self, volume: &LogVol) -> Option<VolumeRequest> {
        let before = self.found.len();
        let (span, name) = (volume.span, &volume.mount);
        for (given, option) in [
            (volume.existing && !volume.no_format, "--useexisting"),
            (volume.no_format, "--noformat"),
            (volume.resize, "--resize"),
            (volume.thin.is_some(), "thin provisioning"),
            (volume.cache.is_some(), "a cache"),
            (volume.profile.is_some(), "--profile"),
            (volume.encryption.encrypted, "--encrypted"),
            (volume.hibernation, "--hibernation"),
            (volume.fs_profile.is_some(), "--fsprofile"),
        ] {
            self.refuse_if(
                given,
                span,
                &format!("logvol {name}: {option} is not supported yet"),
                "let the installer make new, linear volumes, or use Anaconda",
            );
        }
        self.check_name("logvol", &volume.name, span);
        self.check_mount_options("logvol", name, volume.fs_options.as_deref(), span);
        if self.found.len() > before {
            return None;
        }
        let purpose = self.volume_purpose(volume)?;
        let area = AreaRequest {
            purpose,
            size: volume.size_mib.map(Bytes::mib),
            grow: volume.grow,
            max_size: volume.max_size_mib.map(Bytes::mib),
            filesystem: mounted_type(volume.fstype.as_deref()),
            label: volume.label.clone(),
            options: volume.fs_options.clone(),
            mkfs_options: words(volume.mkfs_options.as_deref()),
            origin: self.place(span),
        };
        let (group, name) = (volume.volume_group.clone(), volume.name.clone());
        Some(VolumeRequest { group, name, percent: volume.percent, area })
    }

    fn volume_purpose(&mut self, volume: &LogVol) -> Option<Purpose> {
        let (name, fstype) = (volume.mount.as_str(), volume.fstype.as_deref());
        if name == "/boot/efi" || matches!(fstype, Some("efi" | "biosboot" | "prepboot")) {
            self.bad(
                volume.mount_span,
                format!("logvol {name}: the firmware does not look into logical volumes"),
                "use a 'part' line",
            );
            return None;
        }
        self.mounted_or_swap("logvol", name, fstype, volume.mount_span)
    }

    /// Refuses what LVM takes for no name of a group or a volume.
    fn check_name(&mut self, command: &str, name: &str, span: Span) {
        if !is_lvm_name(name) {
            self.bad(
                span,
                format!("{command}: '{name}' is no name for LVM"),
                "use letters, digits, '_', '.', '+' and '-', not beginning with '-', and no word that LVM reserves",
            );
        }
    }
}

/// Whether LVM takes `name` for a group or a volume (lvm(8), "valid names"). /dev/NAME is a
/// directory of the group's, so that names of other things there are left out as well.
fn is_lvm_name(name: &str) -> bool {
    let reserved = ["_cdata", "_cmeta", "_corig", "_mlog", "_mimage", "_pmspare", "_rimage", "_rmeta", "_tdata"];
    let reserved = reserved.iter().chain(&["_tmeta", "_vorigin", "_vdata"]).any(|word| name.contains(word))
        || name.starts_with("snapshot")
        || name.starts_with("pvmove");
    let good = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
    !(name.is_empty() || name.len() > 127 || name.starts_with('-') || name == "." || name == "..")
        && name.chars().all(good)
        && !reserved
}

#[cfg(test)]
mod tests {
    use super::is_lvm_name;

    #[test]
    fn names_are_those_that_lvm_takes() {
        for name in ["vg_root", "rhel-9.4", "00", "system", "a+b"] {
            assert!(is_lvm_name(name), "{name}");
        }
        for name in ["", "-x", ".", "..", "a b", "a/b", "pvmove0", "snapshot1", "x_mimage", "ä", &"x".repeat(128)] {
            assert!(!is_lvm_name(name), "{name}");
        }
    }
}

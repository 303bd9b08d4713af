//! Logical volumes: their groups, and they themselves.

use serde::{Deserialize, Serialize};

use crate::program::Program;
use crate::storage::device::{Device, Names};
use crate::units::Bytes;

/// The size of an extent where none is asked for: LVM's own default.
pub const EXTENT: Bytes = Bytes::mib(4);
/// What LVM keeps at the beginning of a physical volume.
pub const LABEL: Bytes = Bytes::MIB;

/// A volume group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub group: String,
    /// Its physical volumes.
    pub on: Vec<Device>,
    /// The size of its extents, where it is not [`EXTENT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<Bytes>,
}

impl Group {
    /// What making it does, in a few words.
    pub fn title(&self) -> String {
        format!("create the volume group {}", self.group)
    }

    /// The commands that make it.
    pub fn commands(&self, names: &dyn Names) -> Vec<Program> {
        let nodes: Vec<String> = self.on.iter().map(|device| names.node(device)).collect();
        let volumes = Program::new("lvm").args(["pvcreate", "--yes", "-ff"]).args(&nodes);
        let mut group = Program::new("lvm").args(["vgcreate", "--yes"]);
        if let Some(extent) = self.extent {
            group = group.args(["--physicalextentsize", &format!("{}k", extent.0 >> 10)]);
        }
        vec![volumes, group.arg(&self.group).args(&nodes)]
    }

    /// The command that lets it go.
    pub fn close(name: &str) -> Program {
        Program::new("lvm").args(["vgchange", "--activate", "n", name])
    }
}

/// A logical volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its volume group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its size.
    pub size: Bytes,
    /// Whether that is all that is left in the group when it is made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rest: bool,
}

impl Volume {
    /// What making it does, in a few words.
    pub fn title(&self) -> String {
        format!("create the logical volume {}/{}", self.group, self.name)
    }

    /// The device that it is.
    pub fn device(&self) -> Device {
        Device::Volume { group: self.group.clone(), name: self.name.clone() }
    }

    /// The command that makes it.
    pub fn commands(&self) -> Vec<Program> {
        let create =
            Program::new("lvm").args(["lvcreate", "--yes", "--wipesignatures", "y", "--name", self.name.as_str()]);
        let size = if self.rest {
            create.args(["--extents", "100%FREE"])
        } else if self.size == self.size.align_down(Bytes::MIB) {
            create.args(["--size", &format!("{}m", self.size.as_mib())])
        } else {
            create.args(["--size", &format!("{}k", self.size.0 >> 10)])
        };
        vec![size.arg(&self.group)]
    }

    /// The kernel argument that has the initramfs open it.
    pub fn kernel_argument(group: &str, name: &str) -> String {
        format!("rd.lvm.lv={group}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::device::Planned;

    fn show(programs: &[Program]) -> Vec<String> {
        programs.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_group_is_made_of_all_its_partitions() {
        let on = vec![Device::Partition { disk: 0, number: 4 }];
        let group = Group { group: "system".into(), on, extent: None };
        assert_eq!(
            show(&group.commands(&Planned::on("/dev/vda"))),
            ["lvm pvcreate --yes -ff /dev/vda4", "lvm vgcreate --yes system /dev/vda4"]
        );
        let on = [4, 5].map(|number| Device::Partition { disk: 0, number }).to_vec();
        let group = Group { group: "data".into(), on, extent: Some(Bytes::mib(32)) };
        assert_eq!(
            show(&group.commands(&Planned::on("/dev/vda"))),
            [
                "lvm pvcreate --yes -ff /dev/vda4 /dev/vda5",
                "lvm vgcreate --yes --physicalextentsize 32768k data /dev/vda4 /dev/vda5"
            ]
        );
    }

    #[test]
    fn a_volume_has_its_size_or_the_rest() {
        let of = |size, rest| {
            show(&Volume { group: "system".into(), name: "root".into(), size, rest }.commands()).pop().unwrap()
        };
        let command = |size: &str| format!("lvm lvcreate --yes --wipesignatures y --name root {size} system");
        assert_eq!(of(Bytes::gib(1), false), command("--size 1024m"));
        assert_eq!(of(Bytes(512 << 10), false), command("--size 512k"));
        assert_eq!(of(Bytes::gib(1), true), command("--extents 100%FREE"));
    }
}

//! From what is asked for to what is wanted, with every default filled in.
//!
//! What automatic partitioning makes: a BIOS boot partition and an ESP (both, so that the
//! disk boots anywhere), /boot, swap unless it is refused, and a root that takes the rest.

use super::given::Given;
use crate::request::{AreaRequest, Custom, GroupRequest, Layout, PartitionRequest, Purpose, Scheme, VolumeRequest};
use crate::storage::kind::{gpt, lvm};
use crate::units::{Bytes, MountPoint};

/// The file system of a /boot that asks for none.
pub const BOOT_FS: &str = "ext4";
/// Where a request comes from that is in no kickstart.
pub const AUTOMATIC: &str = "automatic partitioning";

const BIOS_BOOT_SIZE: Bytes = Bytes::mib(1);
const ESP_SIZE: Bytes = Bytes::mib(512);

/// What is wanted: every partition and volume has a least size, and the file system that it gets.
#[derive(Default)]
pub struct Wanted {
    pub partitions: Vec<PartitionRequest>,
    pub groups: Vec<GroupRequest>,
    pub volumes: Vec<VolumeRequest>,
}

/// What `layout` comes to.
pub fn wanted(layout: &Layout, given: &Given<'_>, warnings: &mut Vec<String>) -> Wanted {
    match layout {
        Layout::Auto { scheme, filesystem, swap, boot } => {
            automatic(*scheme, filesystem.as_deref(), *swap, *boot, given)
        }
        Layout::Custom(custom) => explicit(custom, given, warnings),
    }
}

fn area(purpose: Purpose, size: Bytes) -> AreaRequest {
    AreaRequest {
        purpose,
        size: Some(size),
        grow: false,
        max_size: None,
        filesystem: None,
        label: None,
        options: None,
        mkfs_options: Vec::new(),
        origin: AUTOMATIC.to_owned(),
    }
}

fn on_boot_disk(area: AreaRequest) -> PartitionRequest {
    PartitionRequest { area, disk: None }
}

fn boot_area(given: &Given<'_>) -> AreaRequest {
    // Two kernels with their initramfs mostly fit 1 GiB; distributions have moved on to 2.
    let size = if given.disks[0].size < Bytes::gib(20) { Bytes::gib(1) } else { Bytes::gib(2) };
    let at = "/boot".parse().unwrap_or_else(|_| MountPoint::root());
    let boot = area(Purpose::Mount(at), size.max(given.boot_needs));
    AreaRequest { filesystem: Some(BOOT_FS.into()), label: Some("boot".into()), ..boot }
}

fn automatic(scheme: Scheme, filesystem: Option<&str>, swap: bool, boot: bool, given: &Given<'_>) -> Wanted {
    let mut areas = vec![area(Purpose::BiosBoot, BIOS_BOOT_SIZE), area(Purpose::Esp, ESP_SIZE)];
    // GRUB would have to find its files in a logical volume otherwise.
    if boot || scheme == Scheme::Lvm {
        areas.push(boot_area(given));
    }
    let root_fs = Some(filesystem.unwrap_or(given.root_fs).to_owned());
    let root = area(Purpose::root(), given.root_needs);
    let root = AreaRequest { grow: true, filesystem: root_fs, label: Some("root".into()), ..root };
    let swap = swap.then(|| area(Purpose::Swap, given.swap_size()));
    match scheme {
        Scheme::Plain => {
            areas.extend(swap);
            areas.push(root);
            Wanted { partitions: areas.into_iter().map(on_boot_disk).collect(), ..Wanted::default() }
        }
        Scheme::Lvm => in_a_group(areas, swap, root, given),
    }
}

/// The volumes of automatic partitioning, in a group that takes what the disks have left.
fn in_a_group(areas: Vec<AreaRequest>, swap: Option<AreaRequest>, root: AreaRequest, given: &Given<'_>) -> Wanted {
    let volume =
        |name: &str, area| VolumeRequest { group: given.group.to_owned(), name: name.to_owned(), percent: None, area };
    let needs = |area: &AreaRequest| area.size.unwrap_or_default().align_up(lvm::EXTENT);
    let volumes: Vec<VolumeRequest> =
        swap.map(|swap| volume("swap", swap)).into_iter().chain([volume("root", root)]).collect();
    let least = match given.disks {
        [_] => volumes.iter().map(|volume| needs(&volume.area)).sum::<Bytes>() + lvm::LABEL,
        // Whether all of them together suffice is seen when the volumes are placed.
        _ => lvm::LABEL + lvm::EXTENT,
    };
    let member = AreaRequest { grow: true, ..area(Purpose::Lvm(given.group.to_owned()), least) };
    let mut partitions: Vec<PartitionRequest> = areas.into_iter().map(on_boot_disk).collect();
    partitions.extend(
        given.disks.iter().map(|disk| PartitionRequest { area: member.clone(), disk: Some(disk.name.to_owned()) }),
    );
    let group = GroupRequest { name: given.group.to_owned(), origin: AUTOMATIC.to_owned(), ..GroupRequest::default() };
    Wanted { partitions, groups: vec![group], volumes }
}

fn explicit(custom: &Custom, given: &Given<'_>, warnings: &mut Vec<String>) -> Wanted {
    let mut partitions = Vec::new();
    let has = |purpose: &Purpose| custom.areas().any(|area| area.purpose == *purpose);
    let mut add = |purpose: Purpose, size| {
        let missing = !has(&purpose);
        if missing {
            let added = AreaRequest { origin: "the firmware".into(), ..area(purpose, size) };
            partitions.push(on_boot_disk(added));
        }
        missing
    };
    if custom.platform {
        add(Purpose::BiosBoot, BIOS_BOOT_SIZE);
        add(Purpose::Esp, ESP_SIZE);
    } else if given.bios_boot
        && !given.present.iter().any(|present| present.disk == 0)
        && add(Purpose::BiosBoot, BIOS_BOOT_SIZE)
    {
        warnings.push(format!(
            "a BIOS boot partition of {BIOS_BOOT_SIZE} is added: without one this machine would not start from {}",
            given.disks[0].name
        ));
    }
    if custom.add_boot && !custom.areas().any(|area| area.purpose.is_at("/boot")) {
        partitions.push(on_boot_disk(boot_area(given)));
    }
    partitions.extend(custom.partitions.iter().map(|partition| PartitionRequest {
        area: filled(&partition.area, gpt::ALIGNMENT, given),
        disk: partition.disk.clone(),
    }));
    let volumes = custom.volumes.iter();
    let volumes =
        volumes.map(|volume| VolumeRequest { area: filled(&volume.area, Bytes(0), given), ..volume.clone() }).collect();
    Wanted { partitions, groups: custom.groups.clone(), volumes }
}

/// What is asked for, with a size and a file system where none is said.
pub fn filled(area: &AreaRequest, least: Bytes, given: &Given<'_>) -> AreaRequest {
    let size = area.size.unwrap_or_else(|| if area.purpose == Purpose::Swap { given.swap_size() } else { least });
    let usual = match &area.purpose {
        Purpose::Mount(point) if point.as_str() == "/boot" => Some(BOOT_FS.to_owned()),
        Purpose::Mount(_) => Some(given.root_fs.to_owned()),
        _ => None,
    };
    AreaRequest { size: Some(size), filesystem: area.filesystem.clone().or(usual), ..area.clone() }
}

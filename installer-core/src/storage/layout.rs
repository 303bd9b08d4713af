//! From what is asked for to numbered partitions with sizes. Pure arithmetic.
//!
//! What automatic partitioning makes: a BIOS boot partition and an ESP (both, so that the
//! disk boots anywhere), /boot, swap unless it is refused, and a root that takes the rest.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Remedy, Result, Stage};
use crate::request::{Layout, PartitionRequest, Purpose, Scheme};
use crate::units::{Bytes, MountPoint};

/// Partitions begin and end on multiples of this.
pub const ALIGNMENT: Bytes = Bytes::MIB;
/// What the two copies of a GPT need, the first rounded up to the alignment.
pub const TABLE_OVERHEAD: Bytes = Bytes::mib(2);
/// A root smaller than this is refused whatever the image says.
pub const LEAST_ROOT: Bytes = Bytes::mib(512);

/// The file system of a /boot that asks for none.
pub const BOOT_FS: &str = "ext4";

const BIOS_BOOT_SIZE: Bytes = Bytes::mib(1);
const ESP_SIZE: Bytes = Bytes::mib(512);

/// A partition with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPartition {
    /// Number in the table, from 1.
    pub number: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// Where it starts on the disk.
    pub start: Bytes,
    /// Its size.
    pub size: Bytes,
    /// File system to make, where it gets one.
    pub filesystem: Option<String>,
    /// File system label.
    pub label: Option<String>,
    /// Mount options for fstab.
    pub options: Option<String>,
    /// Further arguments to mkfs.
    pub mkfs_options: Vec<String>,
}

/// A logical volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedVolume {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Its size; `None` takes what is left.
    pub size: Option<Bytes>,
    /// File system to make, where it gets one.
    pub filesystem: Option<String>,
    /// Further arguments to mkfs.
    #[serde(default)]
    pub mkfs_options: Vec<String>,
}

/// The whole layout of one disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskLayout {
    /// Partitions by number.
    pub partitions: Vec<PlannedPartition>,
    /// The volume group on them, where there is one.
    pub group: Option<VolumeGroup>,
}

/// A volume group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeGroup {
    /// Its name.
    pub name: String,
    /// Its volumes, in the order in which they are made.
    pub volumes: Vec<PlannedVolume>,
}

/// What the layout depends on besides the request.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The disk's size.
    pub disk: Bytes,
    /// The machine's memory.
    pub memory: Bytes,
    /// File system for root where none is asked for.
    pub root_fs: &'a str,
    /// The least that root must hold.
    pub root_needs: Bytes,
    /// The least that a /boot of which no size is asked must hold.
    pub boot_needs: Bytes,
    /// Name for the disk in messages.
    pub name: &'a str,
    /// Name of a volume group, should there be one.
    pub group: &'a str,
}

/// Lays `layout` out on one disk.
pub fn lay_out(layout: &Layout, given: &Given<'_>) -> Result<DiskLayout> {
    let (requests, volumes) = requests(layout, given);
    let partitions = place(&requests, given).ok_or_else(|| too_small(layout, &requests, given))?;
    check_root(&partitions, volumes.as_deref(), given)?;
    let group = volumes.map(|volumes| VolumeGroup { name: given.group.to_owned(), volumes });
    Ok(DiskLayout { partitions, group })
}

fn requests(layout: &Layout, given: &Given<'_>) -> Requests {
    match layout {
        Layout::Auto { scheme, filesystem, swap, boot } => {
            automatic(*scheme, filesystem.as_deref(), *swap, *boot, given)
        }
        Layout::Custom { partitions, platform, add_boot } => (custom(partitions, *platform, *add_boot, given), None),
    }
}

/// The least that a partition gets.
fn least(request: &PartitionRequest) -> Bytes {
    request.size.unwrap_or(ALIGNMENT).align_up(ALIGNMENT).max(ALIGNMENT)
}

/// The smallest disk that is large enough, by a figure that can be asked for. A larger disk gets more
/// swap, and maybe a larger /boot: so it is tried until nothing grows any more.
fn large_enough(layout: &Layout, given: &Given<'_>) -> Bytes {
    let mut disk = given.disk;
    // The swap takes a tenth of what is added, so this ends soon.
    for _ in 0..100 {
        let (requests, _) = requests(layout, &Given { disk, ..*given });
        let needed = requests.iter().map(least).sum::<Bytes>() + TABLE_OVERHEAD;
        if needed <= disk {
            break;
        }
        disk = needed.shown_whole();
    }
    disk
}

/// where a request comes from that is in no kickstart.
const AUTOMATIC: &str = "automatic partitioning";

fn request(purpose: Purpose, size: Bytes) -> PartitionRequest {
    PartitionRequest {
        purpose,
        size: Some(size),
        grow: false,
        max_size: None,
        filesystem: None,
        disk: None,
        label: None,
        options: None,
        mkfs_options: Vec::new(),
        origin: AUTOMATIC.to_owned(),
    }
}

fn boot_request(given: &Given<'_>) -> PartitionRequest {
    // Two kernels with their initramfs mostly fit 1 GiB; distributions have moved on to 2.
    let size = if given.disk < Bytes::gib(20) { Bytes::gib(1) } else { Bytes::gib(2) };
    let boot = request(Purpose::Mount(mount("/boot")), size.max(given.boot_needs));
    PartitionRequest { filesystem: Some(BOOT_FS.into()), label: Some("boot".into()), ..boot }
}

fn mount(path: &str) -> MountPoint {
    path.parse().unwrap_or_else(|_| MountPoint::root())
}

type Requests = (Vec<PartitionRequest>, Option<Vec<PlannedVolume>>);

fn automatic(scheme: Scheme, filesystem: Option<&str>, swap: bool, boot: bool, given: &Given<'_>) -> Requests {
    let mut list = vec![request(Purpose::BiosBoot, BIOS_BOOT_SIZE), request(Purpose::Esp, ESP_SIZE)];
    // GRUB would have to find its files in a logical volume otherwise.
    if boot || scheme == Scheme::Lvm {
        list.push(boot_request(given));
    }
    let root_fs = filesystem.unwrap_or(given.root_fs).to_owned();
    let swap = swap.then(|| swap_size(given));
    match scheme {
        Scheme::Plain => {
            list.extend(swap.map(|size| request(Purpose::Swap, size)));
            let root = request(Purpose::Mount(MountPoint::root()), given.root_needs);
            list.push(PartitionRequest { grow: true, filesystem: Some(root_fs), label: Some("root".into()), ..root });
            (list, None)
        }
        Scheme::Lvm => {
            let least = given.root_needs + swap.unwrap_or_default() + ALIGNMENT;
            list.push(PartitionRequest { grow: true, ..request(Purpose::Lvm, least) });
            let mut volumes: Vec<PlannedVolume> = swap
                .map(|size| PlannedVolume {
                    name: "swap".into(),
                    purpose: Purpose::Swap,
                    size: Some(size),
                    filesystem: None,
                    mkfs_options: Vec::new(),
                })
                .into_iter()
                .collect();
            volumes.push(PlannedVolume {
                name: "root".into(),
                purpose: Purpose::Mount(MountPoint::root()),
                size: None,
                filesystem: Some(root_fs),
                mkfs_options: Vec::new(),
            });
            (list, Some(volumes))
        }
    }
}

fn custom(partitions: &[PartitionRequest], platform: bool, add_boot: bool, given: &Given<'_>) -> Vec<PartitionRequest> {
    let mut list = Vec::new();
    let has = |purpose: &Purpose| partitions.iter().any(|p| p.purpose == *purpose);
    if platform {
        for (purpose, size) in [(Purpose::BiosBoot, BIOS_BOOT_SIZE), (Purpose::Esp, ESP_SIZE)] {
            if !has(&purpose) {
                list.push(PartitionRequest { origin: "the firmware".into(), ..request(purpose, size) });
            }
        }
    }
    if add_boot && !has(&Purpose::Mount(mount("/boot"))) {
        list.push(PartitionRequest { origin: AUTOMATIC.into(), ..boot_request(given) });
    }
    for partition in partitions {
        let mut partition = partition.clone();
        if partition.size.is_none() {
            partition.size = Some(if partition.purpose == Purpose::Swap { swap_size(given) } else { ALIGNMENT });
        }
        if partition.filesystem.is_none() {
            partition.filesystem = match &partition.purpose {
                Purpose::Mount(point) if point.as_str() == "/boot" => Some(BOOT_FS.into()),
                Purpose::Mount(_) => Some(given.root_fs.to_owned()),
                _ => None,
            };
        }
        list.push(partition);
    }
    list
}

/// Swap as Anaconda recommends it: twice a small memory, half of a large one, and never
/// more than a tenth of the disk.
fn swap_size(given: &Given<'_>) -> Bytes {
    let memory = given.memory;
    let wanted = if memory < Bytes::gib(2) {
        Bytes(memory.0 * 2)
    } else if memory < Bytes::gib(8) {
        memory
    } else if memory < Bytes::gib(64) {
        Bytes(memory.0 / 2)
    } else {
        Bytes::gib(4)
    };
    wanted.min(Bytes(given.disk.0 / 10)).align_down(ALIGNMENT).max(ALIGNMENT)
}

/// Sizes and places: every partition gets its least size, what is left is shared among those that grow.
/// `None`: there is not room for the least sizes.
fn place(requests: &[PartitionRequest], given: &Given<'_>) -> Option<Vec<PlannedPartition>> {
    let usable = (given.disk - TABLE_OVERHEAD).align_down(ALIGNMENT);
    let mut sizes: Vec<Bytes> = requests.iter().map(least).collect();
    let needed: Bytes = sizes.iter().copied().sum();
    if needed > usable {
        return None;
    }
    grow(requests, &mut sizes, usable - needed);
    let mut start = ALIGNMENT;
    Some(
        requests
            .iter()
            .zip(sizes)
            .zip(1..)
            .map(|((request, size), number)| {
                let here = start;
                start = start + size;
                PlannedPartition {
                    number,
                    purpose: request.purpose.clone(),
                    start: here,
                    size,
                    filesystem: request.filesystem.clone(),
                    label: request.label.clone(),
                    options: request.options.clone(),
                    mkfs_options: request.mkfs_options.clone(),
                }
            })
            .collect(),
    )
}

fn too_small(layout: &Layout, requests: &[PartitionRequest], given: &Given<'_>) -> Error {
    let needed = requests.iter().map(least).sum::<Bytes>() + TABLE_OVERHEAD;
    let enough = large_enough(layout, given);
    let root = requests.iter().any(|r| r.purpose == Purpose::Mount(MountPoint::root()) && r.origin == AUTOMATIC);
    let hint = if root {
        format!("use a disk of {enough} or more; the image alone needs {}", given.root_needs)
    } else {
        "make the partitions smaller or use a larger disk".to_owned()
    };
    Error::world(
        Stage::Plan,
        format!(
            "{} is too small: it has {}, and the partitions need {needed}, {} more",
            given.name,
            given.disk,
            needed - given.disk
        ),
    )
    .hint(hint)
}

/// Shares `free` equally among the growing ones, round by round, as their limits are met.
fn grow(requests: &[PartitionRequest], sizes: &mut [Bytes], mut free: Bytes) {
    let mut growing: Vec<usize> = (0..requests.len()).filter(|i| requests[*i].grow).collect();
    while !growing.is_empty() && free >= ALIGNMENT {
        let share = Bytes(free.0 / growing.len() as u64).align_down(ALIGNMENT).max(ALIGNMENT);
        let before = free;
        growing.retain(|&index| {
            let room = requests[index].max_size.map_or(share, |max| max.align_down(ALIGNMENT) - sizes[index]);
            let more = share.min(room).min(free);
            sizes[index] = sizes[index] + more;
            free = free - more;
            more == share
        });
        if free == before {
            break;
        }
    }
}

fn check_root(partitions: &[PlannedPartition], volumes: Option<&[PlannedVolume]>, given: &Given<'_>) -> Result<()> {
    if volumes.is_some() {
        return Ok(());
    }
    let root = Purpose::Mount(MountPoint::root());
    let Some(root) = partitions.iter().find(|p| p.purpose == root) else {
        return Err(Error::input(Stage::Plan, "no partition is mounted at /").hint(Remedy::AddARoot));
    };
    if root.size < given.root_needs {
        return Err(small_root(root.size, given.root_needs));
    }
    Ok(())
}

/// The image does not fit.
pub fn small_root(size: Bytes, needs: Bytes) -> Error {
    Error::world(Stage::Plan, format!("/ is too small: it gets {size}, and the image needs {needs}"))
        .hint(Remedy::EnlargeRoot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(disk: Bytes) -> Given<'static> {
        Given {
            disk,
            memory: Bytes::gib(4),
            root_fs: "xfs",
            root_needs: Bytes::gib(1),
            boot_needs: Bytes::mib(500),
            name: "/dev/vda",
            group: "system",
        }
    }

    fn auto(scheme: Scheme, swap: bool) -> Layout {
        Layout::Auto { scheme, filesystem: None, swap, boot: true }
    }

    fn shape(layout: &DiskLayout) -> Vec<(u32, u64, u64)> {
        layout.partitions.iter().map(|p| (p.number, p.start.as_mib(), p.size.as_mib())).collect()
    }

    #[test]
    fn automatic_partitioning_fills_the_disk() {
        let layout = lay_out(&auto(Scheme::Plain, false), &given(Bytes::gib(10))).unwrap();
        assert_eq!(shape(&layout), [(1, 1, 1), (2, 2, 512), (3, 514, 1024), (4, 1538, 10238 - 1537)]);
        let last = layout.partitions.last().unwrap();
        assert!((last.start + last.size).0 <= (10 << 30) - (1 << 20), "the second table has its room");
    }

    #[test]
    fn boot_grows_with_the_kernel() {
        let auto = auto(Scheme::Plain, false);
        let boot = |boot_needs| {
            let layout = lay_out(&auto, &Given { boot_needs, ..given(Bytes::gib(16)) }).unwrap();
            layout.partitions[2].size
        };
        assert_eq!([0, 1500].map(|mib| boot(Bytes::mib(mib))), [Bytes::gib(1), Bytes::mib(1500)]);
    }

    #[test]
    fn swap_follows_memory_and_never_eats_the_disk() {
        let layout = lay_out(&auto(Scheme::Plain, true), &given(Bytes::gib(10))).unwrap();
        assert_eq!((layout.partitions[3].purpose.clone(), layout.partitions[3].size), (Purpose::Swap, Bytes::gib(1)));
        let layout = lay_out(&auto(Scheme::Plain, true), &given(Bytes::gib(100))).unwrap();
        assert_eq!(layout.partitions[3].size, Bytes::gib(4));
    }

    #[test]
    fn lvm_has_one_group_on_one_partition() {
        let layout = lay_out(&auto(Scheme::Lvm, true), &given(Bytes::gib(20))).unwrap();
        assert_eq!(layout.partitions.last().unwrap().purpose, Purpose::Lvm);
        let group = layout.group.unwrap();
        assert_eq!(group.volumes.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["swap", "root"]);
        assert_eq!(group.volumes[1].size, None);
    }

    #[test]
    fn a_small_disk_is_named_with_what_it_lacks() {
        let error = lay_out(&auto(Scheme::Plain, false), &given(Bytes::gib(2))).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("/dev/vda is too small: it has 2 GiB"), "{error}");
    }

    fn part(at: &str, size: u64, grow: bool, max: Option<u64>) -> PartitionRequest {
        PartitionRequest {
            grow,
            max_size: max.map(Bytes::mib),
            origin: "x.ks:1".into(),
            ..request(Purpose::Mount(mount(at)), Bytes::mib(size))
        }
    }

    #[test]
    fn growing_partitions_share_and_stop_at_their_limit() {
        let partitions = vec![part("/", 1024, true, None), part("/var", 100, true, Some(300))];
        let layout = Layout::Custom { partitions, platform: true, add_boot: true };
        let placed = lay_out(&layout, &given(Bytes::gib(10))).unwrap().partitions;
        assert_eq!(placed.len(), 5);
        assert_eq!(placed[4].size, Bytes::mib(300));
        let total: u64 = placed.iter().map(|p| p.size.as_mib()).sum();
        assert_eq!(total, 10238, "nothing is left over");
    }

    #[test]
    fn a_layout_without_a_root_is_refused() {
        let layout =
            Layout::Custom { partitions: vec![part("/var", 100, false, None)], platform: true, add_boot: false };
        assert_eq!(lay_out(&layout, &given(Bytes::gib(10))).unwrap_err().exit_code(), 2);
    }
}

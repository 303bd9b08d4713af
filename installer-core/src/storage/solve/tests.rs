//! Layouts for disks of many sizes: what is asked for by name, and what holds of all of them.

use super::*;
use crate::request::{AreaRequest, Custom, GroupRequest, PartitionRequest, Purpose, Scheme, VolumeRequest};
use crate::storage::kind::{Table, Volume, gpt, lvm};

fn disks(gib: &[u64]) -> Vec<Disk<'static>> {
    const NAMES: [&str; 3] = ["/dev/vda", "/dev/vdb", "/dev/vdc"];
    gib.iter().zip(NAMES).map(|(gib, name)| Disk { name, size: Bytes::gib(*gib) }).collect()
}

fn on(layout: &Layout, gib: &[u64]) -> Result<Tree> {
    with(layout, gib, |given| given).map(|(tree, _)| tree)
}

fn with(
    layout: &Layout,
    gib: &[u64],
    change: impl for<'a> FnOnce(Given<'a>) -> Given<'a>,
) -> Result<(Tree, Vec<String>)> {
    let disks = disks(gib);
    let disk = |name: &str| disks.iter().position(|disk| disk.name == name);
    let given = Given {
        disks: &disks,
        present: &[],
        disk: &disk,
        memory: Bytes::gib(4),
        root_fs: "xfs",
        root_needs: Bytes::gib(1),
        boot_needs: Bytes::mib(500),
        group: "system",
        bios_boot: false,
    };
    let mut warnings = Vec::new();
    lay_out(layout, &change(given), &mut warnings).map(|tree| (tree, warnings))
}

fn auto(scheme: Scheme, swap: bool) -> Layout {
    Layout::Auto { scheme, filesystem: None, swap, boot: true }
}

fn shape(tree: &Tree) -> Vec<(u32, u64, u64)> {
    tree.partitions().map(|(_, p)| (p.number, p.start.as_mib(), p.size.as_mib())).collect()
}

fn volumes(tree: &Tree) -> Vec<(&str, u64, bool)> {
    let mut list = Vec::new();
    for node in &tree.nodes {
        if let Node::Volume(Volume { name, size, rest, .. }) = node {
            list.push((name.as_str(), size.as_mib(), *rest));
        }
    }
    list
}

fn want(purpose: Purpose, size: u64) -> AreaRequest {
    AreaRequest {
        purpose,
        size: Some(Bytes::mib(size)),
        grow: false,
        max_size: None,
        filesystem: None,
        label: None,
        options: None,
        mkfs_options: Vec::new(),
        origin: "x.ks:1".into(),
    }
}

fn at(path: &str, size: u64) -> AreaRequest {
    want(Purpose::Mount(path.parse().unwrap()), size)
}

fn part(area: AreaRequest, disk: Option<&str>) -> PartitionRequest {
    PartitionRequest { area, disk: disk.map(str::to_owned) }
}

fn growing(area: AreaRequest, most: Option<u64>) -> AreaRequest {
    AreaRequest { grow: true, max_size: most.map(Bytes::mib), ..area }
}

fn member(group: &str, size: u64) -> AreaRequest {
    want(Purpose::Lvm(group.into()), size)
}

fn group(name: &str) -> GroupRequest {
    GroupRequest { name: name.into(), origin: "x.ks:2".into(), ..GroupRequest::default() }
}

fn volume(group: &str, name: &str, percent: Option<u64>, area: AreaRequest) -> VolumeRequest {
    VolumeRequest { group: group.into(), name: name.into(), percent, area }
}

fn own(partitions: Vec<PartitionRequest>, groups: Vec<GroupRequest>, volumes: Vec<VolumeRequest>) -> Layout {
    Layout::Custom(Custom { partitions, groups, volumes, ..Custom::default() })
}

#[test]
fn automatic_partitioning_fills_the_disk() {
    let tree = on(&auto(Scheme::Plain, false), &[10]).unwrap();
    assert_eq!(shape(&tree), [(1, 1, 1), (2, 2, 512), (3, 514, 1024), (4, 1538, 10238 - 1537)]);
}

#[test]
fn boot_grows_with_the_kernel() {
    let boot = |needs| {
        let (tree, _) = with(&auto(Scheme::Plain, false), &[16], |given| Given { boot_needs: needs, ..given }).unwrap();
        tree.size_of(&tree.at("/boot").unwrap().device).unwrap()
    };
    assert_eq!([0, 1500].map(|mib| boot(Bytes::mib(mib))), [Bytes::gib(1), Bytes::mib(1500)]);
}

#[test]
fn swap_follows_memory_and_never_eats_the_disk() {
    for (disk, swap) in [(10, Bytes::gib(1)), (100, Bytes::gib(4))] {
        let tree = on(&auto(Scheme::Plain, true), &[disk]).unwrap();
        let area = tree.areas().find(|area| area.purpose == Purpose::Swap).unwrap();
        assert_eq!(tree.size_of(&area.device), Some(swap));
    }
}

#[test]
fn automatic_volumes_are_in_one_group_over_all_disks() {
    let tree = on(&auto(Scheme::Lvm, true), &[20]).unwrap();
    assert_eq!(volumes(&tree), [("swap", 2048, false), ("root", 20480 - 2 - 513 - 2048 - 2048 - 1, true)]);
    let two = on(&auto(Scheme::Lvm, true), &[20, 8]).unwrap();
    assert_eq!(two.tables().map(|table| table.partitions.len()).collect::<Vec<_>>(), [4, 1]);
    assert!(matches!(&two.nodes[2], Node::Group(group) if group.on.len() == 2), "{:?}", two.nodes[2]);
    assert_eq!(volumes(&two)[0], ("swap", 2868, false));
}

#[test]
fn a_small_disk_is_named_with_what_it_lacks() {
    let error = on(&auto(Scheme::Plain, false), &[2]).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("/dev/vda is too small: it has 2 GiB"), "{error}");
}

#[test]
fn growing_partitions_share_and_stop_at_their_limit() {
    let partitions = vec![part(growing(at("/", 1024), None), None), part(growing(at("/var", 100), Some(300)), None)];
    let layout = Layout::Custom(Custom { partitions, platform: true, add_boot: true, ..Custom::default() });
    let tree = on(&layout, &[10]).unwrap();
    let sizes: Vec<u64> = shape(&tree).iter().map(|(.., size)| *size).collect();
    assert_eq!((sizes.len(), sizes[4]), (5, 300));
    assert_eq!(sizes.iter().sum::<u64>(), 10238, "nothing is left over");
}

#[test]
fn a_layout_without_a_root_is_refused() {
    let layout = own(vec![part(at("/var", 100), None)], vec![], vec![]);
    assert_eq!(on(&layout, &[10]).unwrap_err().exit_code(), 2);
}

#[test]
fn a_bios_gets_its_partition_and_that_is_said() {
    let layout = own(vec![part(at("/", 2048), None)], vec![], vec![]);
    let (tree, warnings) = with(&layout, &[10], |given| Given { bios_boot: true, ..given }).unwrap();
    assert_eq!(shape(&tree), [(1, 1, 1), (2, 2, 2048)]);
    assert!(warnings.len() == 1 && warnings[0].contains("would not start from /dev/vda"), "{warnings:?}");
    let own_one = own(vec![part(want(Purpose::BiosBoot, 2), None), part(at("/", 2048), None)], vec![], vec![]);
    let (tree, warnings) = with(&own_one, &[10], |given| Given { bios_boot: true, ..given }).unwrap();
    assert_eq!((shape(&tree).len(), warnings.len()), (2, 0));
}

#[test]
fn partitions_that_name_no_disk_go_where_there_is_room() {
    let layout = own(
        vec![
            part(at("/", 8 * 1024), Some("/dev/vda")),
            part(at("/var", 4 * 1024), None),
            part(growing(at("/var/home", 1024), None), None),
        ],
        vec![],
        vec![],
    );
    let tree = on(&layout, &[10, 10]).unwrap();
    let disks: Vec<usize> = tree.tables().flat_map(|table| table.partitions.iter().map(|_| table.disk)).collect();
    assert_eq!(disks, [0, 0, 1], "/ and /var/home, /var");
    let error = on(&own(vec![part(at("/", 2048), Some("/dev/vdx"))], vec![], vec![]), &[10]).unwrap_err();
    assert!(error.exit_code() == 2 && error.to_string().contains("'/dev/vdx' (x.ks:1)"), "{error}");
}

#[test]
fn volumes_share_their_group() {
    let layout = |volumes| own(vec![part(member("vg", 8 * 1024 + 1), None)], vec![group("vg")], volumes);
    let root = || volume("vg", "root", None, at("/", 2047));
    // 8,192 MiB: 2,048 for the root, 1,024 for swap, half of the rest and what is left then.
    let tree = on(
        &layout(vec![
            root(),
            volume("vg", "swap", None, want(Purpose::Swap, 1024)),
            volume("vg", "var", Some(50), at("/var", 0)),
            volume("vg", "home", None, growing(at("/var/home", 100), Some(400))),
            volume("vg", "log", None, growing(at("/var/log", 1), None)),
        ]),
        &[10],
    );
    let tree = tree.unwrap();
    let sizes = volumes(&tree);
    assert_eq!(sizes[..3], [("root", 2048, false), ("swap", 1024, false), ("var", 2508, false)]);
    assert_eq!(sizes[3], ("home", 400, false));
    assert_eq!(sizes[4], ("log", 8192 - 2048 - 1024 - 2508 - 400, true));
    let refused = |volumes| {
        let error = on(&layout(volumes), &[10]).unwrap_err();
        (error.exit_code(), error.to_string())
    };
    let (code, text) = refused(vec![root(), volume("vg", "var", None, at("/var", 7000))]);
    assert!(code == 3 && text.contains("it has 8 GiB for volumes") && text.contains("856 MiB more"), "{text}");
    let (code, text) =
        refused(vec![volume("vg", "root", Some(60), at("/", 0)), volume("vg", "v", Some(50), at("/var", 0))]);
    assert!(code == 2 && text.contains("110 percent"), "{text}");
    let (code, text) = refused(vec![root(), volume("other", "var", None, at("/var", 10))]);
    assert!(code == 2 && text.contains("other/var is in no volume group"), "{text}");
}

#[test]
fn a_place_is_taken_once() {
    let twice = own(vec![part(at("/", 2048), None), part(at("/", 2048), None)], vec![], vec![]);
    let error = on(&twice, &[10]).unwrap_err();
    assert!(error.exit_code() == 2 && error.to_string().contains("two file systems would be mounted at /"), "{error}");
}

#[test]
fn what_is_reserved_stays_free_and_extents_are_whole() {
    let of = |change: &dyn Fn(&mut GroupRequest)| {
        let mut group = group("vg");
        change(&mut group);
        let root = growing(at("/", 1024), None);
        let partitions = vec![part(member("vg", 4096 + 1), None)];
        let tree = on(&own(partitions, vec![group], vec![volume("vg", "root", None, root)]), &[10]);
        tree.map(|tree| (volumes(&tree)[0].1, volumes(&tree)[0].2)).map_err(|error| error.exit_code())
    };
    assert_eq!(of(&|_| ()), Ok((4096, true)));
    assert_eq!(of(&|group| group.reserved = Bytes::mib(1000)), Ok((3096, false)));
    assert_eq!(of(&|group| group.reserved_percent = 50), Ok((2048, false)));
    assert_eq!(of(&|group| group.extent = Some(Bytes::mib(1024))), Ok((4096, true)));
    assert_eq!(of(&|group| group.extent = Some(Bytes::mib(3))), Err(2));
    assert_eq!(of(&|group| group.extent = Some(Bytes::gib(8))), Err(3), "no extent fits");
    let nothing = own(vec![part(at("/", 2048), None)], vec![group("vg")], vec![]);
    assert!(on(&nothing, &[10]).unwrap_err().to_string().contains("vg is made of no partition"));
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}

/// A layout of partitions and volumes on up to three disks.
fn random(numbers: &mut Numbers) -> (Layout, Vec<u64>) {
    let sizes: Vec<u64> = (0..=numbers.below(3)).map(|_| 4 + numbers.below(60)).collect();
    let names = ["/dev/vda", "/dev/vdb", "/dev/vdc"];
    let disk = |numbers: &mut Numbers| {
        let index = usize::try_from(numbers.below(4)).unwrap();
        (index < sizes.len()).then(|| names[index])
    };
    let size = |numbers: &mut Numbers, area: AreaRequest| match numbers.below(3) {
        0 => area,
        1 => growing(area, None),
        _ => growing(area, Some(512 + numbers.below(4096))),
    };
    let mut partitions = Vec::new();
    for path in ["/", "/boot", "/var", "/var/log"].iter().skip(usize::try_from(numbers.below(2)).unwrap()) {
        let area = at(path, 1 + numbers.below(3000));
        partitions.push(part(size(numbers, area), disk(numbers)));
    }
    let (mut groups, mut volumes) = (Vec::new(), Vec::new());
    for name in ["a", "b"].iter().take(usize::try_from(numbers.below(3)).unwrap()) {
        for _ in 0..=numbers.below(2) {
            let area = member(name, 100 + numbers.below(5000));
            partitions.push(part(size(numbers, area), disk(numbers)));
        }
        let extent = (numbers.below(2) == 0).then(|| Bytes::mib(1 << numbers.below(7)));
        let (reserved, reserved_percent) = (Bytes::mib(numbers.below(200)), numbers.below(30));
        groups.push(GroupRequest { extent, reserved, reserved_percent, ..group(name) });
        for index in 0..numbers.below(4) {
            let place = if index == 0 && *name == "a" { "/".to_owned() } else { format!("/var/{name}{index}") };
            let percent = (numbers.below(4) == 0).then(|| numbers.below(60));
            let area = at(&place, 1 + numbers.below(1500));
            volumes.push(volume(name, &format!("v{index}"), percent, size(numbers, area)));
        }
    }
    (own(partitions, groups, volumes), sizes)
}

fn holds(layout: &Layout, tree: &Tree, gib: &[u64]) {
    let Layout::Custom(custom) = layout else { return };
    for Table { disk, partitions } in tree.tables() {
        let mut end = gpt::ALIGNMENT;
        for (number, partition) in (1..).zip(partitions) {
            assert_eq!((partition.number, partition.start), (number, end), "no gap and no overlap");
            assert!(partition.size >= gpt::ALIGNMENT && partition.size == partition.size.align_down(gpt::ALIGNMENT));
            end = partition.start + partition.size;
        }
        assert!(end + gpt::ALIGNMENT <= Bytes::gib(gib[*disk]), "the second table has its room");
    }
    assert_eq!(tree.partitions().count(), custom.partitions.len());
    let mut made: Vec<Device> = tree.partitions().map(|(device, _)| device).collect();
    let mut open: Vec<(String, Bytes, Bytes)> = Vec::new();
    for node in &tree.nodes {
        match node {
            Node::Table(_) => {}
            Node::Group(group) => {
                assert!(group.on.iter().all(|device| made.contains(device)), "{group:?} stands on what is there");
                let extent = group.extent.unwrap_or(lvm::EXTENT);
                let size = |device| (tree.size_of(device).unwrap() - lvm::LABEL).align_down(extent);
                open.push((group.group.clone(), group.on.iter().map(size).sum(), extent));
            }
            Node::Volume(volume) => {
                let (_, room, extent) = open.iter_mut().find(|(name, ..)| *name == volume.group).unwrap();
                assert!(
                    volume.size <= *room && volume.size >= *extent && volume.size == volume.size.align_down(*extent),
                    "{volume:?}"
                );
                *room = *room - volume.size;
                made.push(volume.device());
            }
            Node::Area(area) => assert!(made.contains(&area.device), "{area:?} lies on what is there"),
            Node::Present(_) | Node::Kept(_) => unreachable!("nothing of it was there"),
        }
    }
    for request in custom.areas().filter(|area| !matches!(area.purpose, Purpose::Lvm(_))) {
        let area = tree.areas().find(|area| area.purpose == request.purpose).unwrap();
        let (size, least) = (tree.size_of(&area.device).unwrap(), request.size.unwrap());
        assert!(size >= least, "{request:?} gets {size}");
    }
}

#[test]
fn whatever_is_asked_for_nothing_overlaps_and_all_sums_are_right() {
    let mut numbers = Numbers(7);
    let (mut good, mut refused) = (0, 0);
    for _ in 0..3000 {
        let (layout, gib) = random(&mut numbers);
        match with(&layout, &gib, |given| Given { root_needs: Bytes::mib(1), ..given }) {
            Ok((tree, _)) => {
                holds(&layout, &tree, &gib);
                good += 1;
            }
            Err(error) => {
                assert!(matches!(error.exit_code(), 2 | 3) && error.remedy().is_some(), "{error}");
                refused += 1;
            }
        }
    }
    assert!(good > 500 && refused > 100, "{good} {refused}");
}

//! Partitions: on which disk, how large, and where.

use super::given::{Disk, Given};
use super::grow::{Growth, grow};
use super::present::check_new;
use super::wanted::{AUTOMATIC, wanted};
use crate::error::{Error, Result, Stage};
use crate::request::{AreaRequest, Layout, PartitionRequest, Purpose};
use crate::storage::kind::{Partition, Table, gpt};
use crate::units::Bytes;

/// The partitions with their places.
pub struct Placed {
    /// The tables of all disks that get a partition.
    pub tables: Vec<Table>,
    /// The disk and the number of each that was asked for, in the same order.
    pub places: Vec<(usize, u32)>,
}

/// Places `requests`, which are those of `layout`.
pub fn place(requests: &[PartitionRequest], layout: &Layout, given: &Given<'_>) -> Result<Placed> {
    let disks = assign(requests, given)?;
    for (request, disk) in requests.iter().zip(&disks) {
        check_new(*disk, &request.area, given)?;
    }
    let mut places = vec![(0, 0); requests.len()];
    let mut tables = Vec::new();
    for (disk, of) in given.disks.iter().enumerate() {
        let indexes: Vec<usize> = (0..requests.len()).filter(|index| disks[*index] == disk).collect();
        if indexes.is_empty() {
            continue;
        }
        let areas: Vec<&AreaRequest> = indexes.iter().map(|index| &requests[*index].area).collect();
        let partitions = on_one_disk(&areas, of).ok_or_else(|| too_small(layout, &areas, disk, given))?;
        let table = Table { disk, partitions };
        for (index, partition) in indexes.iter().zip(&table.partitions) {
            places[*index] = (disk, partition.number);
        }
        tables.push(table);
    }
    Ok(Placed { tables, places })
}

/// What a partition takes at the least.
fn least(area: &AreaRequest) -> Bytes {
    area.size.unwrap_or_default().align_up(gpt::ALIGNMENT).max(gpt::ALIGNMENT)
}

fn usable(disk: &Disk<'_>) -> Bytes {
    (disk.size - gpt::OVERHEAD).align_down(gpt::ALIGNMENT)
}

/// Of each request the disk: the one that it names, else the first that has room for it.
fn assign(requests: &[PartitionRequest], given: &Given<'_>) -> Result<Vec<usize>> {
    let mut room: Vec<Bytes> = given.disks.iter().map(usable).collect();
    // Of a disk whose table stays nothing is free.
    given.present.iter().for_each(|present| room[present.disk] = Bytes(0));
    let mut disks = Vec::with_capacity(requests.len());
    for request in requests {
        let named = request.disk.as_deref().map(|name| {
            (given.disk)(name).ok_or_else(|| {
                Error::input(Stage::Plan, format!("'{name}' ({}) is none of the disks to use", request.area.origin))
                    .hint("name one disk that may be used")
            })
        });
        disks.push(named.transpose()?);
    }
    // Those that name a disk have their room before the others look for theirs.
    for (request, disk) in requests.iter().zip(&disks) {
        if let Some(disk) = disk {
            room[*disk] = room[*disk] - least(&request.area);
        }
    }
    let find = |(request, disk): (&PartitionRequest, Option<usize>)| {
        disk.unwrap_or_else(|| {
            let size = least(&request.area);
            let disk = if must_be_first(&request.area) { 0 } else { room.iter().position(|r| *r >= size).unwrap_or(0) };
            room[disk] = room[disk] - size;
            disk
        })
    };
    Ok(requests.iter().zip(disks).map(find).collect())
}

/// Whether it is where the machine starts from.
fn must_be_first(area: &AreaRequest) -> bool {
    matches!(area.purpose, Purpose::BiosBoot | Purpose::Esp) || area.purpose.is_at("/boot")
}

/// Sizes and places: every partition gets its least size, what is left is shared among those that grow.
/// `None`: there is not room for the least sizes.
fn on_one_disk(areas: &[&AreaRequest], disk: &Disk<'_>) -> Option<Vec<Partition>> {
    let mut sizes: Vec<Bytes> = areas.iter().map(|area| least(area)).collect();
    let needed: Bytes = sizes.iter().copied().sum();
    if needed > usable(disk) {
        return None;
    }
    let growths: Vec<Growth> = areas.iter().map(|area| Growth::of(area.grow, area.max_size)).collect();
    grow(&growths, &mut sizes, usable(disk) - needed, gpt::ALIGNMENT);
    let mut start = gpt::ALIGNMENT;
    let placed = areas.iter().zip(sizes).zip(1..).map(|((area, size), number)| {
        let here = start;
        start = start + size;
        Partition { number, purpose: area.purpose.clone(), start: here, size }
    });
    Some(placed.collect())
}

/// What a disk must have for these.
fn needed<'a>(areas: impl Iterator<Item = &'a AreaRequest>) -> Bytes {
    areas.map(least).sum::<Bytes>() + gpt::OVERHEAD
}

/// The smallest disk in the place of this one that is large enough, by a figure that can be asked for.
/// A larger disk gets more swap, and maybe a larger /boot: so it is tried until nothing grows any more.
fn large_enough(layout: &Layout, disk: usize, given: &Given<'_>) -> Bytes {
    let mut disks = given.disks.to_vec();
    // The swap takes a tenth of what is added, so this ends soon.
    for _ in 0..100 {
        let given = Given { disks: &disks, ..*given };
        let requests = wanted(layout, &given, &mut Vec::new()).partitions;
        let Ok(assigned) = assign(&requests, &given) else { break };
        let here = requests.iter().zip(assigned).filter(|(_, on)| *on == disk).map(|(request, _)| &request.area);
        let needed = needed(here);
        if needed <= disks[disk].size {
            break;
        }
        disks[disk].size = needed.shown_whole();
    }
    disks[disk].size
}

fn too_small(layout: &Layout, areas: &[&AreaRequest], disk: usize, given: &Given<'_>) -> Error {
    let needed = needed(areas.iter().copied());
    let hint = if areas.iter().any(|area| area.purpose == Purpose::root() && area.origin == AUTOMATIC) {
        let enough = large_enough(layout, disk, given);
        format!("use a disk of {enough} or more; the image alone needs {}", given.root_needs)
    } else {
        "make the partitions smaller or use a larger disk".to_owned()
    };
    let disk = &given.disks[disk];
    Error::world(
        Stage::Plan,
        format!(
            "{} is too small: it has {}, and the partitions need {needed}, {} more",
            disk.name,
            disk.size,
            needed - disk.size
        ),
    )
    .hint(hint)
}

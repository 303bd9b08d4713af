//! Partitions that are there: their tables, and what lies on them.

use super::area::area as node_of;
use super::given::{Given, Present};
use super::wanted::filled;
use crate::error::{Error, Result, Stage};
use crate::request::{AreaRequest, Content, Layout, OnPartition};
use crate::storage::device::Device;
use crate::storage::kind::{Kept, Partition, Table};
use crate::storage::tree::Node;
use crate::units::Bytes;

fn pairs<'a>(layout: &'a Layout, given: &'a Given<'_>) -> impl Iterator<Item = (&'a OnPartition, &'a Present)> {
    let requests = match layout {
        Layout::Custom(custom) => custom.existing.as_slice(),
        Layout::Auto { .. } => &[],
    };
    requests.iter().zip(given.present)
}

/// The tables that stay.
pub fn tables(layout: &Layout, given: &Given<'_>) -> Vec<Table> {
    let of = |disk: usize| {
        let here = pairs(layout, given).filter(|(_, present)| present.disk == disk);
        let mut partitions: Vec<Partition> = here
            .map(|(request, present)| Partition {
                number: present.number,
                purpose: request.area.purpose.clone(),
                start: present.start,
                size: present.size,
            })
            .collect();
        partitions.sort_by_key(|partition| partition.number);
        Table { disk, partitions }
    };
    (0..given.disks.len()).map(of).filter(|table| !table.partitions.is_empty()).collect()
}

/// What is made or kept on their partitions.
pub fn areas(layout: &Layout, given: &Given<'_>) -> Vec<Node> {
    let node = |(request, present): (&OnPartition, &Present)| {
        let device = Device::Partition { disk: present.disk, number: present.number };
        let there = present.signature.as_ref();
        let area = filled(&request.area, Bytes(0), given);
        if request.content == Content::Replaced {
            return node_of(&area, device);
        }
        let filesystem = there.map(|signature| signature.kind.clone());
        let node = node_of(&AreaRequest { filesystem, ..area }, device)?;
        match (request.content, node) {
            (Content::Kept, Node::Area(area)) => {
                Some(Node::Kept(Kept { area, uuid: there.and_then(|there| there.uuid.clone()).unwrap_or_default() }))
            }
            (_, node) => Some(node),
        }
    };
    pairs(layout, given).filter_map(node).collect()
}

/// Refuses new partitions on a disk whose table stays.
pub fn check_new(disk: usize, area: &AreaRequest, given: &Given<'_>) -> Result<()> {
    if !given.present.iter().any(|present| present.disk == disk) {
        return Ok(());
    }
    let name = given.disks[disk].name;
    let message = format!(
        "a new partition ({}) would be made on {name}, whose partitions stay: no table is changed, only made anew",
        area.origin
    );
    Err(Error::input(Stage::Plan, message).hint("name a partition that is there for it, or put it onto another disk"))
}

//! The devices of a layout: each stands on others, from the disks up to file systems. What else
//! there is to know of a layout is a question to this.

use super::device::Device;
use super::kind::{Area, Group, Kept, Partition, Table, Volume};
use crate::request::Purpose;
use crate::units::Bytes;

/// The devices, in the order in which they are made: each after what it stands on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A device, or what lies on one.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A disk's partition table.
    Table(Table),
    /// A table that is there and stays, with those of its partitions that are used.
    Present(Table),
    /// A volume group.
    Group(Group),
    /// A logical volume.
    Volume(Volume),
    /// A file system or a swap area.
    Area(Area),
    /// One that is there and stays as it is.
    Kept(Kept),
}

impl Tree {
    /// The partition tables.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Table(table) | Node::Present(table) => Some(table),
            _ => None,
        })
    }

    /// The partitions of all disks.
    pub fn partitions(&self) -> impl Iterator<Item = (Device, &Partition)> {
        self.tables().flat_map(|table| table.partitions.iter().map(|partition| (table.device(partition), partition)))
    }

    /// File systems and swap areas.
    pub fn areas(&self) -> impl Iterator<Item = &Area> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Area(area) | Node::Kept(Kept { area, .. }) => Some(area),
            _ => None,
        })
    }

    /// Whether what lies on `device` stays as it is.
    pub fn keeps(&self, device: &Device) -> bool {
        self.nodes.iter().any(|node| matches!(node, Node::Kept(kept) if kept.area.device == *device))
    }

    /// The file system that is mounted at `path`.
    pub fn at(&self, path: &str) -> Option<&Area> {
        self.areas().find(|area| area.purpose.is_at(path))
    }

    /// The same, to be changed.
    pub fn at_mut(&mut self, path: &str) -> Option<&mut Area> {
        self.nodes.iter_mut().find_map(|node| match node {
            Node::Area(area) if area.purpose.is_at(path) => Some(area),
            _ => None,
        })
    }

    /// The file system that holds what is in /boot.
    pub fn boot(&self) -> Option<&Area> {
        self.at("/boot").or_else(|| self.at("/"))
    }

    /// The partition of the disk to boot from with this purpose.
    pub fn boot_partition(&self, purpose: &Purpose) -> Option<Device> {
        let on_first = |device: &Device| matches!(device, Device::Partition { disk: 0, .. });
        self.partitions()
            .find(|(device, partition)| on_first(device) && partition.purpose == *purpose)
            .map(|(device, _)| device)
    }

    /// The size of a partition or a volume.
    pub fn size_of(&self, device: &Device) -> Option<Bytes> {
        let partition = self.partitions().find(|(other, _)| other == device).map(|(_, partition)| partition.size);
        let volume = || {
            self.nodes.iter().find_map(|node| match node {
                Node::Volume(volume) if volume.device() == *device => Some(volume.size),
                _ => None,
            })
        };
        partition.or_else(volume)
    }
}

//! From what is asked for to numbered partitions and volumes with sizes. Pure arithmetic.

mod area;
mod given;
mod grow;
mod partitions;
mod present;
#[cfg(test)]
mod tests;
mod volumes;
mod wanted;

use std::collections::BTreeSet;

pub use given::{Disk, Given, Present};
pub use wanted::BOOT_FS;

use area::area;
use partitions::Placed;
use volumes::Filled;

use super::device::Device;
use super::kind::{Area, Table};
use super::mkfs_options;
use super::tree::{Node, Tree};
use crate::error::{Error, Remedy, Result, Stage};
use crate::request::Layout;
use crate::units::Bytes;

/// A root smaller than this is refused whatever the image says.
pub const LEAST_ROOT: Bytes = Bytes::mib(512);

/// Lays `layout` out on the disks.
pub fn lay_out(layout: &Layout, given: &Given<'_>, warnings: &mut Vec<String>) -> Result<Tree> {
    let wanted = wanted::wanted(layout, given, warnings);
    let Placed { tables, places } = partitions::place(&wanted.partitions, layout, given)?;
    let present = present::tables(layout, given);
    let all: Vec<Table> = present.iter().chain(&tables).cloned().collect();
    let groups = volumes::groups(&wanted, &all)?;
    let mut areas: Vec<Node> = present::areas(layout, given);
    for (request, (disk, number)) in wanted.partitions.iter().zip(places) {
        areas.extend(area(&request.area, Device::Partition { disk, number }));
    }
    for (index, volume) in groups.iter().flat_map(|filled| &filled.volumes) {
        areas.extend(area(&wanted.volumes[*index].area, volume.device()));
    }
    let mut nodes: Vec<Node> = present.into_iter().map(Node::Present).collect();
    nodes.extend(tables.into_iter().map(Node::Table));
    for Filled { group, volumes } in groups {
        nodes.push(Node::Group(group));
        nodes.extend(volumes.into_iter().map(|(_, volume)| Node::Volume(volume)));
    }
    nodes.extend(areas);
    let tree = Tree { nodes };
    check_mount_points(&tree)?;
    check_options(&tree)?;
    check_root(&tree, given)?;
    Ok(tree)
}

/// What mkfs would refuse, or take for something else than the plan does.
fn check_options(tree: &Tree) -> Result<()> {
    for area in tree.areas() {
        if let Some(why) = mkfs_options::wrong(&area.filesystem, &area.options) {
            let told = format!("the options for {}, to {}: {why}", area.filesystem, area.title());
            return Err(Error::input(Stage::Plan, told).hint("correct the options for mkfs, or leave them out"));
        }
    }
    Ok(())
}

fn check_mount_points(tree: &Tree) -> Result<()> {
    let mut taken = BTreeSet::new();
    for at in tree.areas().filter_map(Area::mount_point) {
        if !taken.insert(at) {
            return Err(Error::input(Stage::Plan, format!("two file systems would be mounted at {at}"))
                .hint("leave one of them out"));
        }
    }
    Ok(())
}

fn check_root(tree: &Tree, given: &Given<'_>) -> Result<()> {
    let Some(root) = tree.at("/") else {
        return Err(Error::input(Stage::Plan, "no partition is mounted at /").hint(Remedy::AddARoot));
    };
    match tree.size_of(&root.device) {
        Some(size) if size < given.root_needs => Err(small_root(size, given.root_needs)),
        _ => Ok(()),
    }
}

/// The image does not fit.
pub fn small_root(size: Bytes, needs: Bytes) -> Error {
    Error::world(Stage::Plan, format!("/ is too small: it gets {size}, and the image needs {needs}"))
        .hint(Remedy::EnlargeRoot)
}

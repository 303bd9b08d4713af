//! The steps that make partitions and file systems.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::leftovers::{self, Opened};
use super::places::ImageFile;
use super::run::{ROOT, Run};
use super::teardown::Close;
use crate::block::GptPartition;
use crate::error::{Context, Error, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::plan::{Device, Names, Plan, Step};
use crate::program::Program;
use crate::storage::device::is_of;
use crate::storage::kind::{Group, Table};
use crate::storage::{filesystem, partition_type};
use crate::units::{Bytes, MountPoint};

/// Makes the image file under a temporary name, so that a failure destroys no file, and
/// attaches it.
pub fn create_image_file(run: &mut Run<'_>, path: &str, size: Bytes) -> Result<()> {
    let image = ImageFile::at(path);
    let temporary = image.directory.join(&image.temporary);
    let directory = run.open(Stage::Storage, &image.directory)?;
    leftovers::clear_beside(directory.as_ref(), &image);
    run.open.note(&Opened::Image(std::path::absolute(&temporary).unwrap_or_else(|_| temporary.clone())));
    run.image_file = Some(image);
    let disk = run.host.disks().create_image(&temporary, size)?;
    run.names.set_disk(disk.path());
    run.open.note(&Opened::Disk(disk.path().to_owned()));
    run.teardown.push(Close::Image(disk));
    Ok(())
}

/// Removes every signature from the disk's partitions and the disk.
pub fn wipe(run: &mut Run<'_>, disk: &str) -> Result<()> {
    let disks = run.host.disks();
    disks.require_unused(Path::new(disk))?;
    let on_disk = |device: &str| device != disk && is_of(device, disk);
    let partitions =
        run.plan.destroys.iter().filter(|loss| on_disk(&loss.device)).map(|loss| loss.device.as_str().into());
    // A partition that the kernel does not show goes with the table and is wiped when new
    // ones are made in its place.
    let partitions: Vec<PathBuf> = partitions.filter(|device: &PathBuf| disks.exists(device)).collect();
    run.touched = true;
    // From here on nothing that is left of an old system starts.
    disks.disarm(Path::new(disk), &partitions)?;
    for partition in &partitions {
        disks.wipe(partition)?;
    }
    // That writes nothing to the disk.
    disks.forget_partitions(Path::new(disk))?;
    run.teardown.push(Close::Disk(disk.into()));
    let gone = disks.wipe(Path::new(disk))?;
    tracing::info!(?gone, "wiped");
    Ok(())
}

/// Removes every signature from a partition. The disk around it is left alone.
pub fn wipe_partition(run: &mut Run<'_>, partition: &str) -> Result<()> {
    let disks = run.host.disks();
    disks.require_unused(Path::new(partition))?;
    run.touched = true;
    run.teardown.push(Close::Disk(partition.into()));
    let gone = disks.wipe(Path::new(partition))?;
    tracing::info!(?gone, partition, "wiped");
    Ok(())
}

/// Writes the GPT, tells the kernel, and wipes what old file systems left inside.
pub fn partition(run: &mut Run<'_>, planned: &Table) -> Result<()> {
    let disks = run.host.disks();
    let disk = run.names.disk_at(planned.disk);
    let partitions = &planned.partitions;
    let table: Vec<GptPartition> = partitions
        .iter()
        .map(|partition| {
            let (type_guid, name) = partition_type::of(&partition.purpose);
            GptPartition {
                number: partition.number,
                type_guid,
                name,
                start: partition.start,
                size: partition.size,
                uuid: Uuid::new_v4(),
                attributes: 0,
            }
        })
        .collect();
    let made = partitions.iter().zip(&table).map(|(partition, made)| (planned.device(partition), made.uuid));
    run.partition_guids.extend(made);
    run.touched = true;
    let disk = Path::new(&disk);
    disks.write_table(disk, run.plan.target.sector_size(planned.disk), Uuid::new_v4(), &table)?;
    disks.forget_partitions(disk)?;
    let places: Vec<(u32, Bytes, Bytes)> = partitions.iter().map(|p| (p.number, p.start, p.size)).collect();
    let nodes = disks.announce_partitions(disk, &places)?;
    settle(run)?;
    for node in nodes {
        disks.wipe(&node)?;
    }
    settle(run)
}

/// Lets udev finish: it reads the table again when the disk is closed, and its nodes come and
/// go meanwhile.
fn settle(run: &Run<'_>) -> Result<()> {
    if !run.host.disks().has_udev() {
        return Ok(());
    }
    run.run(Stage::Storage, &Program::new("udevadm").args(["settle", "--timeout=60"]))
}

/// Makes a volume group; it must be deactivated before the disk is let go.
pub fn create_group(run: &mut Run<'_>, step: &Step, group: &Group) -> Result<()> {
    run.open.note(&Opened::Group(group.group.clone()));
    commands(run, step)?;
    run.teardown.push(Close::Group(group.group.clone()));
    Ok(())
}

/// Runs the commands that a step stands for.
pub fn commands(run: &mut Run<'_>, step: &Step) -> Result<()> {
    let programs = step.commands(&run.names);
    if programs.is_empty() {
        return Err(Error::failed(Stage::Storage, format!("no command is known to {}", step.title())));
    }
    programs.iter().try_for_each(|program| run.run(Stage::Storage, program))
}

/// Mounts a file system of the target.
pub fn mount(run: &mut Run<'_>, device: &Device, at: &MountPoint, filesystem: &str) -> Result<()> {
    let place = place(run.plan, at);
    let target = if place.is_empty() {
        run.mount_point(Stage::Storage, ROOT)?
    } else {
        let root = run.physical(Stage::Storage)?;
        root.create_dirs(&place).doing(Stage::Storage, format_args!("making the mount point {place}"))?;
        run.physical_root().join(place)
    };
    let source = run.names.node(device);
    let kind = MountKind::Device(filesystem::driver(filesystem).to_owned());
    run.mount(Stage::Storage, &Mount { source, target, kind })
}

/// Where a file system is mounted, from the target's own root. /var and what is below live in the
/// stateroot.
pub fn place(plan: &Plan, at: &MountPoint) -> String {
    let at = at.as_str().trim_start_matches('/');
    if at != "var" && !at.starts_with("var/") {
        return at.to_owned();
    }
    let stateroot = plan.steps.iter().find_map(|step| match step {
        Step::InitialiseSysroot { stateroot } => Some(stateroot.as_str()),
        _ => None,
    });
    format!("ostree/deploy/{}/{at}", stateroot.unwrap_or("default"))
}

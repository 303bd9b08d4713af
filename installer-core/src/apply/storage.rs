//! The steps that make partitions and file systems.

use std::fs;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::run::Run;
use super::teardown::Close;
use crate::error::{Context, Error, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::plan::{Device, Names, Step};
use crate::program::Program;
use crate::storage::device::{
    GptPartition, LoopDevice, announce_partitions, forget_partitions, require_unused, wipe_signatures, write_gpt,
};
use crate::storage::layout::PlannedPartition;
use crate::storage::partition_type;
use crate::units::{Bytes, MountPoint};

/// Makes the image file under a temporary name, so that a failure destroys no file, and
/// attaches it.
pub fn create_image_file(run: &mut Run<'_>, path: &str, size: Bytes) -> Result<()> {
    let path = PathBuf::from(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.bootc-ks-{}", std::process::id()));
    run.image_file = Some((temporary.clone(), path));
    let device = LoopDevice::create(&temporary, size)?;
    run.names.set_disk(device.path());
    run.teardown.push(Close::Loop(device));
    Ok(())
}

/// Removes every signature from the disk's partitions and the disk.
pub fn wipe(run: &mut Run<'_>, disk: &str) -> Result<()> {
    require_unused(disk)?;
    run.touched = true;
    for loss in run.plan.destroys.iter().filter(|loss| loss.device != disk) {
        // A partition that the kernel does not show goes with the table and is wiped when new
        // ones are made in its place.
        if Path::new(&loss.device).exists() {
            wipe_signatures(&loss.device)?;
        }
    }
    forget_partitions(disk)?;
    let gone = wipe_signatures(disk)?;
    tracing::info!(?gone, "wiped");
    run.teardown.push(Close::Disk(disk.into()));
    Ok(())
}

/// Writes the GPT, tells the kernel, and wipes what old file systems left inside.
pub fn partition(run: &mut Run<'_>, partitions: &[PlannedPartition]) -> Result<()> {
    run.touched = true;
    let disk = run.names.disk();
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
    run.partition_guids = table.iter().map(|partition| (partition.number, partition.uuid)).collect();
    write_gpt(&disk, run.plan.target.sector_size(), Uuid::new_v4(), &table)?;
    forget_partitions(&disk)?;
    let places: Vec<(u32, Bytes, Bytes)> = partitions.iter().map(|p| (p.number, p.start, p.size)).collect();
    let nodes = announce_partitions(&disk, &places)?;
    settle(run)?;
    for node in nodes {
        wipe_signatures(&node)?;
    }
    settle(run)
}

/// Lets udev finish: it reads the table again when the disk is closed, and its nodes come and
/// go meanwhile.
fn settle(run: &Run<'_>) -> Result<()> {
    if !Path::new("/run/udev/control").exists() {
        return Ok(());
    }
    run.run(Stage::Storage, &Program::new("udevadm").args(["settle", "--timeout=60"]))
}

/// Makes a volume group; it must be deactivated before the disk is let go.
pub fn create_group(run: &mut Run<'_>, step: &Step, group: &str) -> Result<()> {
    commands(run, step)?;
    run.teardown.push(Close::Group(group.to_owned()));
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

/// Mounts a file system of the target. /var and what is below live in the stateroot.
pub fn mount(run: &mut Run<'_>, device: &Device, at: &MountPoint, filesystem: &str) -> Result<()> {
    let physical = run.physical_root();
    let relative = at.as_str().trim_start_matches('/');
    let target = if relative == "var" || relative.starts_with("var/") {
        let stateroot = run.plan.steps.iter().find_map(|step| match step {
            Step::InitialiseSysroot { stateroot } => Some(stateroot.as_str()),
            _ => None,
        });
        physical.join("ostree/deploy").join(stateroot.unwrap_or("default")).join(relative)
    } else {
        physical.join(relative)
    };
    fs::create_dir_all(&target).doing(Stage::Storage, format_args!("making {}", target.display()))?;
    let source = run.names.node(device);
    run.mount(Stage::Storage, &Mount { source, target, kind: MountKind::Device(filesystem.to_owned()) })
}

//! A plan for people: what dies first, then what is done.

use std::fmt::Write;

use super::document::Plan;
use super::step::Step;
use crate::error::Result;
use crate::request::{Content, EndAction, Purpose};
use crate::storage::device::{Device, Planned, partition_node};
use crate::storage::kind::{Partition, Table};
use crate::storage::select::{Target, TargetDisk};

impl Plan {
    /// The plan for people.
    pub fn render(&self) -> Result<String> {
        text(self, false)
    }

    /// The same where this machine stays up whatever was asked for.
    pub fn render_staying_up(&self) -> Result<String> {
        text(self, true)
    }
}

/// The whole plan as text.
fn text(plan: &Plan, stays_up: bool) -> Result<String> {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_target(&mut out, plan);
    let _ = write_image(&mut out, plan);
    let _ = write_steps(&mut out, plan);
    for script in &plan.on_failure {
        let (section, origin) = (script.when.section(), &script.origin);
        let _ = writeln!(out, "If it fails: run the {section} script at {origin} with {}", script.interpreter);
    }
    for warning in &plan.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    let end = match plan.end {
        _ if stays_up => "the command ends",
        // It is another machine that was installed.
        _ if !plan.target.is_of_this_machine() => "the command ends",
        EndAction::Nothing => "the command ends",
        EndAction::Reboot => "the machine restarts",
        EndAction::Poweroff => "the machine turns off",
        EndAction::Halt => "the machine stops",
    };
    let _ = writeln!(out, "Then:        {end}");
    let _ = writeln!(out, "Plan digest: {}", plan.digest()?);
    Ok(out)
}

fn write_target(out: &mut String, plan: &Plan) -> std::fmt::Result {
    match &plan.target {
        Target::Disk { .. } => {
            for (index, TargetDisk { path, stable, description, size, .. }) in plan.target.disks().iter().enumerate() {
                let head = if index == 0 { "Target:     ".to_owned() } else { format!("    disk {}: ", index + 1) };
                writeln!(out, "{head} {path} ({size}, {description})")?;
                if stable != path {
                    writeln!(out, "             {stable}")?;
                }
            }
        }
        Target::ImageFile(file) => writeln!(out, "Target:      the disk image {} ({})", file.path, file.size)?,
        Target::Filesystem { path, free, .. } => {
            writeln!(out, "Target:      the file systems at {path} ({free} free)")?;
        }
    }
    write_kept(out, plan)?;
    if plan.destroys.is_empty() {
        return writeln!(out, "Destroys:    nothing");
    }
    for (index, loss) in plan.destroys.iter().enumerate() {
        let head = if index == 0 { "Destroys:   " } else { "            " };
        writeln!(out, "{head} {}: {}", loss.device, loss.what)?;
    }
    Ok(())
}

/// What stays of the disks that are used in part.
fn write_kept(out: &mut String, plan: &Plan) -> std::fmt::Result {
    for disk in plan.target.disks().into_iter().filter(|disk| disk.keeps_table()) {
        writeln!(out, "Keeps:       the partition table of {}, and all that is not named below", disk.path)?;
        for used in disk.used.iter().filter(|used| used.content == Content::Kept) {
            let kind = used.signature.as_ref().map_or("unknown content", |signature| signature.kind.as_str());
            writeln!(out, "             {}: {kind}, {}", partition_node(&disk.path, used.number), used.size)?;
        }
    }
    Ok(())
}

fn write_image(out: &mut String, plan: &Plan) -> std::fmt::Result {
    writeln!(out, "Image:       {}", plan.image.source)?;
    writeln!(out, "             {}", plan.image.digest)?;
    if let Some(rule) = &plan.image.signature_policy {
        writeln!(out, "Policy:      {rule}")?;
    }
    writeln!(out, "Updates:     from {}", plan.image.updates_from)
}

fn write_steps(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let names = Planned::of(&plan.target);
    writeln!(out, "Steps:")?;
    for (number, step) in plan.steps.iter().enumerate() {
        writeln!(out, "{:3}. {}", number + 1, step.title())?;
        details(out, step, plan)?;
        for command in step.commands(&names) {
            writeln!(out, "       $ {command}")?;
        }
    }
    Ok(())
}

fn details(out: &mut String, step: &Step, plan: &Plan) -> std::fmt::Result {
    match step {
        Step::Partition(table) => table.partitions.iter().try_for_each(|p| partition(out, table, p, plan)),
        Step::Deploy { origin, kargs, .. } => {
            writeln!(out, "       origin: {origin}")?;
            writeln!(out, "       kernel arguments: {}", kargs.join(" "))
        }
        Step::Fstab { entries } => {
            entries.iter().try_for_each(|e| writeln!(out, "       {} {} {} {}", e.source, e.target, e.kind, e.options))
        }
        Step::Change(change) => change.details().iter().try_for_each(|line| writeln!(out, "       | {line}")),
        Step::User(user) => {
            let groups: Vec<&str> = user.groups.iter().map(|(name, _)| name.as_str()).collect();
            let groups = if groups.is_empty() { "none".to_owned() } else { groups.join(", ") };
            writeln!(out, "       home {}, groups {groups}", user.home)
        }
        _ => Ok(()),
    }
}

fn partition(out: &mut String, table: &Table, partition: &Partition, plan: &Plan) -> std::fmt::Result {
    let purpose = match &partition.purpose {
        Purpose::BiosBoot => "BIOS boot".to_owned(),
        Purpose::Esp => "EFI system".to_owned(),
        Purpose::Swap => "swap".to_owned(),
        Purpose::Lvm(_) => "LVM".to_owned(),
        Purpose::Mount(at) => at.to_string(),
    };
    let filesystem = filesystem_of(&table.device(partition), plan);
    writeln!(out, "       {:2}  {purpose:<12} {:>9}  {}", partition.number, partition.size, filesystem.unwrap_or("-"))
}

/// The type of the file system that is made on a device to be mounted.
fn filesystem_of<'p>(device: &Device, plan: &'p Plan) -> Option<&'p str> {
    plan.steps.iter().find_map(|step| match step {
        Step::Format(area) if area.device == *device => area.mount_point().map(|_| area.filesystem.as_str()),
        _ => None,
    })
}

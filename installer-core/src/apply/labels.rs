//! SELinux labels of what the importer did not label: /etc and /var of the system, with all that
//! this installation and its scripts wrote there, and what lies around the deployment.
//!
//! libostree labels the deployment's /etc as well, but only where the running kernel has SELinux: it
//! leaves the work to the kernel (`setfscreatecon`). An installer's kernel may know nothing of
//! SELinux, or have a policy of its own, so the image's is asked about every path.

use std::io;
use std::path::Path;

use rustix::fs::{FileType, Stat};

use super::run::Run;
use super::storage;
use crate::deploy::labels::{Label, Policy};
use crate::error::{Context, Result, Stage};
use crate::host::root::Root;
use crate::host::{Mount, MountKind};
use crate::plan::Step;
use crate::units::MountPoint;

const NAME: &str = "security.selinux";
/// What OSTree keeps around deployments is labelled like the system that it is part of, as bootc
/// does it (`install.rs`, `lsm.rs`).
const LIKE: &str = "/usr";
/// What belongs to the machine in an installed system.
const OF_THE_MACHINE: [&str; 2] = ["/etc", "/var"];

/// Gives what was written the labels of the image's own policy.
pub fn label(run: &mut Run<'_>) -> Result<()> {
    let Some(deployed) = &run.deployed else { return Ok(()) };
    if !run.plan.steps.iter().any(|step| matches!(step, Step::Import { selinux: true, .. })) {
        return Ok(());
    }
    let deployment = deployed.root.clone();
    let composefs = deployed.root.strip_prefix(run.physical_root()).map(|path| path.join(".ostree.cfs"));
    let composefs = composefs.map(|path| path.display().to_string()).unwrap_or_default();
    let (system, physical) = (run.system()?, run.physical(Stage::System)?);
    let mut own = Vec::new();
    for top in OF_THE_MACHINE {
        of_the_machine(system.as_ref(), top, &mut own)
            .doing(Stage::System, format_args!("listing what is in {top}"))?;
    }
    let mut others = Vec::new();
    around(physical.as_ref(), &composefs, &mut others)
        .doing(Stage::System, "listing what lies around the deployment")?;
    let points = mount_points(run);
    let mut asked: Vec<(String, u32)> =
        own.iter().chain(&others).map(|wanted| (wanted.like.clone(), wanted.mode)).collect();
    asked.extend(points.iter().map(|at| (at.as_str().to_owned(), FileType::Directory.as_raw_mode())));
    let policy = Policy { root: &deployment, host: run.host };
    let mut labels =
        policy.labels(Stage::System, asked).doing(Stage::System, "asking the image's SELinux policy")?.into_iter();
    for (root, list) in [(&system, &own), (&physical, &others)] {
        for (wanted, label) in list.iter().zip(labels.by_ref()) {
            set(root.as_ref(), &wanted.path, label).doing(Stage::System, format_args!("labelling /{}", wanted.path))?;
        }
    }
    // What is open would keep it mounted.
    drop((system, physical));
    points.iter().zip(labels).try_for_each(|(at, label)| beneath(run, at, label))
}

/// Something that wants a label.
struct Wanted {
    /// Where it is, from its root.
    path: String,
    /// The path that the policy is asked about.
    like: String,
    mode: u32,
}

/// `top` of the system at `root`, and all that is in it.
fn of_the_machine(root: &dyn Root, top: &str, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    walk(root, top.trim_start_matches('/'), &mut |path, _| {
        want(root, path, &format!("/{path}"), wanted)?;
        Ok(true)
    })
}

/// Where file systems of the target are mounted, but for the root.
fn mount_points(run: &Run<'_>) -> Vec<MountPoint> {
    let points = run.plan.steps.iter().filter_map(|step| match step {
        Step::Mount { at, .. } if at.as_str() != "/" => Some(at.clone()),
        _ => None,
    });
    points.collect()
}

/// Labels the directory on which the file system `at` is mounted. The mount hides it here; a system
/// whose root is a composefs sees that of /boot at /sysroot/boot.
fn beneath(run: &mut Run<'_>, at: &MountPoint, label: Label) -> Result<()> {
    let place = run.physical_root().join(storage::place(run.plan, at));
    let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else { return Ok(()) };
    // A bind mount without what is mounted below it shows what the mounts hide.
    let target = run.mount_point(Stage::System, "beneath")?;
    let mark = run.teardown.mark();
    let source = parent.display().to_string();
    run.mount(Stage::System, &Mount { source, target: target.clone(), kind: MountKind::Bind })?;
    let hidden = run.open(Stage::System, &target)?;
    set(hidden.as_ref(), &name.to_string_lossy(), label)
        .doing(Stage::System, format_args!("labelling the mount point {at}"))?;
    drop(hidden);
    run.teardown.unwind_to(mark, run.host)
}

/// The root of the disk, /boot and OSTree's directories.
fn around(root: &dyn Root, composefs: &str, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    want(root, "", "/", wanted)?;
    walk(root, "boot", &mut |path, stat| {
        // A kernel may be one of OSTree's objects where /boot is no file system of its own.
        let more_names = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink > 1;
        if !more_names {
            want(root, path, &format!("/{path}"), wanted)?;
        }
        Ok(true)
    })?;
    walk(root, "ostree", &mut |path, _| {
        if labelled_already(Path::new(path.strip_prefix("ostree").unwrap_or(path).trim_start_matches('/'))) {
            return Ok(false);
        }
        want(root, path, LIKE, wanted)?;
        Ok(true)
    })?;
    if composefs.is_empty() || root.stat(composefs)?.is_none() { Ok(()) } else { want(root, composefs, LIKE, wanted) }
}

/// Whether `below` (from /ostree) has its labels: files of the image, as objects of the repository or
/// in a deployment, have those that are part of their checksums; what belongs to the machine is
/// labelled as the system sees it.
fn labelled_already(below: &Path) -> bool {
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    match parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>()[..] {
        ["deploy", _, "var"] => true,
        ["deploy", _, "deploy", name] => !name.ends_with(".origin"),
        ["repo", "objects", _, name] => name.ends_with(".file"),
        _ => false,
    }
}

/// Calls `each` for `top` and what is below, with the path from the root; links are not followed. It
/// says whether to go on below a directory.
fn walk(root: &dyn Root, top: &str, each: &mut dyn FnMut(&str, &Stat) -> io::Result<bool>) -> io::Result<()> {
    let mut open = vec![top.to_owned()];
    while let Some(path) = open.pop() {
        let Some(stat) = root.stat(&path)? else { continue };
        let directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if each(&path, &stat)? && directory {
            open.extend(root.list(&path)?.into_iter().map(|(name, _)| format!("{path}/{name}")));
        }
    }
    Ok(())
}

/// Wants for `path` the label that the policy has for `like`.
fn want(root: &dyn Root, path: &str, like: &str, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    let Some(stat) = root.stat(path)? else { return Ok(()) };
    // What a directory is like has that directory's label, whatever it is.
    let mode = if like == LIKE { FileType::Directory.as_raw_mode() } else { stat.st_mode };
    wanted.push(Wanted { path: path.to_owned(), like: like.to_owned(), mode });
    Ok(())
}

/// Gives `path` the label, if there is one.
fn set(root: &dyn Root, path: &str, label: Label) -> io::Result<()> {
    label.map_or(Ok(()), |label| root.set_attribute(path, NAME, &label))
}

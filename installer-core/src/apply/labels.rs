//! SELinux labels of what the importer did not label: /etc and /var of the system, with all that
//! this installation and its scripts wrote there, and what lies around the deployment.
//!
//! libostree labels the deployment's /etc as well, but only where the running kernel has SELinux: it
//! leaves the work to the kernel (`setfscreatecon`). An installer's kernel may know nothing of
//! SELinux, or have a policy of its own, so the image's is asked about every path.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::run::Run;
use super::storage;
use crate::deploy::labels::{Label, Policy};
use crate::error::{Context, Result, Stage};
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
    let (deployment, composefs) = (deployed.root.clone(), deployed.root.join(".ostree.cfs"));
    let mut wanted = Vec::new();
    for top in OF_THE_MACHINE {
        of_the_machine(&run.system_root(), top, &mut wanted)
            .doing(Stage::System, format_args!("listing what is in {top}"))?;
    }
    around(&run.physical_root(), &composefs, &mut wanted)
        .doing(Stage::System, "listing what lies around the deployment")?;
    let points = mount_points(run);
    let mut asked: Vec<(String, u32)> = wanted.iter().map(|wanted| (wanted.like.clone(), wanted.mode)).collect();
    asked.extend(points.iter().map(|at| (at.as_str().to_owned(), FileType::Directory.as_raw_mode())));
    let policy = Policy { root: &deployment, host: run.host };
    let mut labels =
        policy.labels(Stage::System, asked).doing(Stage::System, "asking the image's SELinux policy")?.into_iter();
    for (wanted, label) in wanted.iter().zip(labels.by_ref()) {
        set(&wanted.path, label).doing(Stage::System, format_args!("labelling {}", wanted.path.display()))?;
    }
    points.iter().zip(labels).try_for_each(|(at, label)| beneath(run, at, label))
}

/// Something that wants a label.
struct Wanted {
    /// Where it is on this machine.
    path: PathBuf,
    /// The path that the policy is asked about.
    like: String,
    mode: u32,
}

/// `top` of the system at `root`, and all that is in it.
fn of_the_machine(root: &Path, top: &str, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    walk(&root.join(top.trim_start_matches('/')), &mut |path, below| {
        let name = format!("{top}/{}", below.display());
        want(path, name.trim_end_matches('/'), wanted)?;
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
    set(&target.join(name), label).doing(Stage::System, format_args!("labelling the mount point {at}"))?;
    run.teardown.unwind_to(mark, run.host)
}

/// The root of the disk, /boot and OSTree's directories.
fn around(root: &Path, composefs: &Path, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    want(root, "/", wanted)?;
    walk(&root.join("boot"), &mut |path, below| {
        // A kernel may be one of OSTree's objects where /boot is no file system of its own.
        if !has_more_names(path)? {
            want(path, format!("/boot/{}", below.display()).trim_end_matches('/'), wanted)?;
        }
        Ok(true)
    })?;
    walk(&root.join("ostree"), &mut |path, below| {
        if labelled_already(below) {
            return Ok(false);
        }
        want(path, LIKE, wanted)?;
        Ok(true)
    })?;
    if composefs.exists() { want(composefs, LIKE, wanted) } else { Ok(()) }
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

/// Calls `each` for `top` and what is below, with the path from there; links are not followed. It
/// says whether to go on below a directory.
fn walk(top: &Path, each: &mut dyn FnMut(&Path, &Path) -> io::Result<bool>) -> io::Result<()> {
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let path = if below.as_os_str().is_empty() { top.to_owned() } else { top.join(&below) };
        if !each(&path, &below)? {
            continue;
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = match rustix::fs::open(&path, flags, Mode::empty()) {
            Err(Errno::NOTDIR | Errno::LOOP | Errno::NOENT) => continue,
            other => other?,
        };
        for entry in Dir::new(dir)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                open.push(below.join(name));
            }
        }
    }
    Ok(())
}

/// Whether `path` is a file with hard links.
fn has_more_names(path: &Path) -> io::Result<bool> {
    let stat = rustix::fs::statat(rustix::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink > 1)
}

/// Wants for `path` the label that the policy has for `like`.
fn want(path: &Path, like: &str, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    let stat = rustix::fs::statat(rustix::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    // What a directory is like has that directory's label, whatever it is.
    let mode = if like == LIKE { FileType::Directory.as_raw_mode() } else { stat.st_mode };
    wanted.push(Wanted { path: path.to_owned(), like: like.to_owned(), mode });
    Ok(())
}

/// Gives `path` the label, if there is one and it is another than it has.
fn set(path: &Path, label: Label) -> io::Result<()> {
    let Some(label) = label else { return Ok(()) };
    let mut has = [0; 256];
    if rustix::fs::lgetxattr(path, NAME, &mut has).is_ok_and(|size| has.get(..size) == Some(&label[..])) {
        return Ok(());
    }
    match rustix::fs::lsetxattr(path, NAME, &label, XattrFlags::empty()) {
        // Not every file system can keep one: an EFI system partition cannot.
        Err(Errno::OPNOTSUPP) => Ok(()),
        other => other.map_err(Into::into),
    }
}

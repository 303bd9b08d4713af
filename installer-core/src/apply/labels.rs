//! SELinux labels of what the importer and libostree did not label: files that this installation
//! wrote into the system, and what lies around the deployment. An installer's kernel may know
//! nothing of SELinux, or have a policy of its own, so the image's is asked about every path.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::run::Run;
use crate::deploy::labels::Labeller;
use crate::error::{Context, Result, Stage};
use crate::host::root::TargetRoot;

const NAME: &str = "security.selinux";
/// What OSTree keeps around deployments is labelled like the system that it is part of, as bootc
/// does it (`install.rs`, `lsm.rs`).
const LIKE: &str = "/usr";

/// Gives what was written the labels of the image's own policy.
pub fn label(run: &mut Run<'_>) -> Result<()> {
    let Some(deployed) = &run.deployed else { return Ok(()) };
    if !run.plan.steps.iter().any(|step| matches!(step, crate::plan::Step::Import { selinux: true, .. })) {
        return Ok(());
    }
    let labeller = Labeller::load(&deployed.root).doing(Stage::System, "loading the image's SELinux policy")?;
    let composefs = deployed.root.join(".ostree.cfs");
    let system = run.system()?;
    let mut paths = std::mem::take(&mut run.written);
    let parents: Vec<String> = paths.iter().flat_map(|path| ancestors(path)).collect();
    paths.extend(parents);
    let mut all = Vec::new();
    for path in paths {
        below(&system, &path, &mut all).doing(Stage::System, "listing what was written")?;
    }
    all.sort();
    all.dedup();
    for path in all {
        label_one(&system, &labeller, &path).doing(Stage::System, format_args!("labelling {path}"))?;
    }
    let root = run.physical_root();
    around(&labeller, &root, &composefs).doing(Stage::System, "labelling what lies around the deployment")
}
/// The parents of `path` below /var and /etc.
fn ancestors(path: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut path = path;
    while let Some((parent, _)) = path.rsplit_once('/') {
        if !parent.starts_with("/var/") && !parent.starts_with("/etc/") {
            break;
        }
        list.push(parent.to_owned());
        path = parent;
    }
    list
}

/// `path`, and for a home everything in it.
fn below(system: &TargetRoot, path: &str, all: &mut Vec<String>) -> io::Result<()> {
    all.push(path.to_owned());
    if !path.starts_with("/var/home/") {
        return Ok(());
    }
    for (name, _) in system.list(path).unwrap_or_default() {
        below(system, &format!("{path}/{name}"), all)?;
    }
    Ok(())
}

fn label_one(system: &TargetRoot, labeller: &Labeller, path: &str) -> io::Result<()> {
    let on_host = system.path().join(path.trim_start_matches('/'));
    let stat = rustix::fs::statat(rustix::fs::CWD, &on_host, AtFlags::SYMLINK_NOFOLLOW)?;
    if let Some(label) = labeller.label(path, stat.st_mode)? {
        system.set_xattr(path, NAME, &label)?;
    }
    Ok(())
}

/// The root of the disk, /boot and OSTree's directories; deployments and objects have theirs.
fn around(labeller: &Labeller, root: &Path, composefs: &Path) -> io::Result<()> {
    set(labeller, root, "/")?;
    walk(&root.join("boot"), &mut |path, below| {
        set(labeller, path, format!("/boot/{}", below.display()).trim_end_matches('/'))
    })?;
    walk(&root.join("ostree"), &mut |path, below| {
        if labelled_already(below) {
            return Ok(false);
        }
        set(labeller, path, LIKE).map(|labelled| labelled && below != Path::new("repo/objects"))
    })?;
    if composefs.exists() { set(labeller, composefs, LIKE).map(drop) } else { Ok(()) }
}

/// Whether `below` (from /ostree) is a deployment or a /var, which libostree labels.
fn labelled_already(below: &Path) -> bool {
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    match parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>()[..] {
        ["deploy", _, "var"] => true,
        ["deploy", _, "deploy", name] => !name.ends_with(".origin"),
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

/// Gives `path` the label that the policy has for `like`. Whether that could be done: not every
/// file system can keep them (an EFI system partition cannot).
fn set(labeller: &Labeller, path: &Path, like: &str) -> io::Result<bool> {
    let stat = rustix::fs::statat(rustix::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::RegularFile && stat.st_nlink > 1 {
        // A kernel in /boot may be one of OSTree's objects, whose label is part of its checksum.
        return Ok(true);
    }
    // What a directory is like has that directory's label, whatever it is.
    let mode = if like == LIKE { FileType::Directory.as_raw_mode() } else { stat.st_mode };
    let Some(label) = labeller.label(like, mode)? else { return Ok(true) };
    match rustix::fs::lsetxattr(path, NAME, &label, XattrFlags::empty()) {
        Err(Errno::OPNOTSUPP) => Ok(false),
        other => other.map(|()| true).map_err(Into::into),
    }
}

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
use crate::deploy::labels::{Label, Policy};
use crate::error::{Context, Result, Stage};
use crate::host::root::{Root, TargetRoot};

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
    let (deployment, composefs) = (deployed.root.clone(), deployed.root.join(".ostree.cfs"));
    let system = TargetRoot::open(&run.system_root()).doing(Stage::System, "opening the installed system")?;
    let mut paths = std::mem::take(&mut run.written);
    let parents: Vec<String> = paths.iter().flat_map(|path| ancestors(path)).collect();
    paths.extend(parents);
    let mut all = Vec::new();
    for path in paths {
        below(&system, &path, &mut all).doing(Stage::System, "listing what was written")?;
    }
    all.sort();
    all.dedup();
    let mut wanted = Vec::new();
    for path in all {
        let mode = mode(&system, &path).doing(Stage::System, format_args!("labelling {path}"))?;
        wanted.push(Wanted { on: On::System(path.clone()), like: path, mode });
    }
    around(&run.physical_root(), &composefs, &mut wanted)
        .doing(Stage::System, "listing what lies around the deployment")?;
    let policy = Policy { root: &deployment, host: run.host };
    let asked = wanted.iter().map(|wanted| (wanted.like.clone(), wanted.mode)).collect();
    let labels = policy.labels(Stage::System, asked).doing(Stage::System, "asking the image's SELinux policy")?;
    for (wanted, label) in wanted.iter().zip(labels) {
        let name = wanted.on.name();
        set(&system, &wanted.on, label).doing(Stage::System, format_args!("labelling {name}"))?;
    }
    Ok(())
}

/// Something that wants a label.
struct Wanted {
    on: On,
    /// The path that the policy is asked about.
    like: String,
    mode: u32,
}

/// What is to get it.
enum On {
    /// A path as the installed system has it.
    System(String),
    /// A path as this machine has it.
    Host(PathBuf),
}

impl On {
    fn name(&self) -> String {
        match self {
            On::System(path) => path.clone(),
            On::Host(path) => path.display().to_string(),
        }
    }
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

/// The mode of what is at `path`, a link itself.
fn mode(system: &TargetRoot, path: &str) -> io::Result<u32> {
    let on_host = system.path().join(path.trim_start_matches('/'));
    Ok(rustix::fs::statat(rustix::fs::CWD, &on_host, AtFlags::SYMLINK_NOFOLLOW)?.st_mode)
}

/// The root of the disk, /boot and OSTree's directories; deployments and objects have theirs.
fn around(root: &Path, composefs: &Path, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    want(root, "/", wanted)?;
    walk(&root.join("boot"), &mut |path, below| {
        want(path, format!("/boot/{}", below.display()).trim_end_matches('/'), wanted)?;
        Ok(true)
    })?;
    walk(&root.join("ostree"), &mut |path, below| {
        if labelled_already(below) {
            return Ok(false);
        }
        want(path, LIKE, wanted)?;
        Ok(below != Path::new("repo/objects"))
    })?;
    if composefs.exists() { want(composefs, LIKE, wanted) } else { Ok(()) }
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

/// Wants for `path` the label that the policy has for `like`.
fn want(path: &Path, like: &str, wanted: &mut Vec<Wanted>) -> io::Result<()> {
    let stat = rustix::fs::statat(rustix::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::RegularFile && stat.st_nlink > 1 {
        // A kernel in /boot may be one of OSTree's objects, whose label is part of its checksum.
        return Ok(());
    }
    // What a directory is like has that directory's label, whatever it is.
    let mode = if like == LIKE { FileType::Directory.as_raw_mode() } else { stat.st_mode };
    wanted.push(Wanted { on: On::Host(path.to_owned()), like: like.to_owned(), mode });
    Ok(())
}

/// Sets the label, if there is one.
fn set(system: &TargetRoot, on: &On, label: Label) -> io::Result<()> {
    let Some(label) = label else { return Ok(()) };
    match on {
        On::System(path) => system.set_xattr(path, NAME, &label),
        On::Host(path) => match rustix::fs::lsetxattr(path, NAME, &label, XattrFlags::empty()) {
            // Not every file system can keep one: an EFI system partition cannot.
            Err(Errno::OPNOTSUPP) => Ok(()),
            other => other.map_err(Into::into),
        },
    }
}

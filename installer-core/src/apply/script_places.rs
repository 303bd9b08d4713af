//! What scripts find around them: the system where Anaconda has it, the kickstart where Anaconda has it,
//! and a /var as it will be; and what they have to leave there.

use std::path::{Path, PathBuf};

use super::run::Run;
use crate::error::{Context, Error, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::program::Program;
use crate::request::{Script, When};

/// Where Anaconda keeps what an installation is made from.
const SOURCE: &str = "/run/install";
/// The kickstart in it.
const KICKSTART: &str = "ks.cfg";
/// The image's own program that makes what belongs into /var.
const TMPFILES: &str = "usr/bin/systemd-tmpfiles";
/// Without these no system starts, or no account is in it.
const ESSENTIAL: [&str; 4] = ["/etc", "/etc/passwd", "/etc/shadow", "/etc/group"];

/// Less than this is no room, in bytes.
const ROOM: u64 = 256 << 10;

/// What of the essential is there before a script.
pub fn essentials(run: &Run<'_>) -> Result<Vec<&'static str>> {
    if run.deployed.is_none() {
        return Ok(Vec::new());
    }
    let system = run.system()?;
    Ok(ESSENTIAL.into_iter().filter(|path| system.exists(path)).collect())
}

/// Makes sure that it is still there, and the boot entry with it. A script that removed it has failed,
/// whatever it says of itself and whatever the kickstart makes of failures: what starts would not be the
/// system that was asked for.
pub fn require(run: &Run<'_>, there: &[&str], script: &Script) -> Result<()> {
    let Some(deployed) = run.deployed.as_ref().filter(|_| !there.is_empty()) else { return Ok(()) };
    let system = run.system()?;
    let physical = run.physical_root();
    let entry = deployed.entry.strip_prefix(&physical).unwrap_or(&deployed.entry).display().to_string();
    let gone = there.iter().find(|path| !system.exists(path)).map(|path| (*path).to_owned());
    let entries = Path::new(&entry).parent().map(|parent| parent.display().to_string()).unwrap_or_default();
    let gone = match gone {
        Some(gone) => gone,
        // A script may give the entry another name.
        None => {
            let found =
                run.physical(Stage::Script)?.list(&entries).doing(Stage::Script, "looking at the boot entry")?;
            if !found.is_empty() {
                return Ok(());
            }
            "the system's boot entry".to_owned()
        }
    };
    let (section, origin) = (script.when.section(), &script.origin);
    Err(Error::failed(Stage::Script, format!("the {section} script at {origin} removed {gone}"))
        .hint("no system starts without it: see in the log what the script did, and mend it"))
}

/// Lays out for scripts inside the system what they look for: the kickstart in /run, and in /var what
/// tmpfiles.d of the image says. Once.
pub fn prepare(run: &mut Run<'_>) -> Result<()> {
    if run.prepared_for_scripts {
        return Ok(());
    }
    run.prepared_for_scripts = true;
    let system = run.system()?;
    if let Some(kickstart) = run.options.kickstart.as_ref().filter(|_| system.is_dir("run")) {
        let path = format!("{SOURCE}/{KICKSTART}");
        system.write(&path, kickstart.as_bytes(), 0o600, None).doing(Stage::Script, format_args!("writing {path}"))?;
    }
    if !system.exists(TMPFILES) {
        return Ok(());
    }
    let program = Program::new("systemd-tmpfiles").args(["--create", "--prefix=/var"]).inside(&run.system_root());
    // It says no as well where one of many lines is for another time.
    if let Err(error) = run.host.run(&run.caged(program), &mut |_| ()) {
        tracing::info!(%error, "systemd-tmpfiles in the new system");
    }
    Ok(())
}

/// Which file system of the new system has no room any more; few programs say so by themselves.
pub fn full(run: &Run<'_>) -> Option<&'static str> {
    let system = run.system_root();
    let is_full = |path: &&str| {
        let room = rustix::fs::statvfs(system.join(path.trim_start_matches('/')));
        room.is_ok_and(|room| room.f_blocks > 0 && room.f_bavail.saturating_mul(room.f_frsize) < ROOM)
    };
    ["/etc", "/var", "/boot", "/tmp", "/run"].into_iter().find(is_full)
}

/// What is shown to a script beside the system, if there is anything yet.
pub fn root(run: &Run<'_>, when: When) -> Option<PathBuf> {
    if when != When::PreInstall && run.deployed.is_some() {
        return Some(run.system_root());
    }
    let mounted =
        run.plan.steps.iter().take(run.done.len()).any(|step| matches!(step, crate::plan::Step::Mount { .. }));
    mounted.then(|| run.physical_root())
}

/// Shows `root` where scripts written for Anaconda look for it. /mnt is covered in this installation's
/// own mount namespace alone, and only where the directory is empty. Returns where it is shown.
pub fn show(run: &mut Run<'_>, root: Option<&Path>) -> Result<Vec<PathBuf>> {
    show_source(run)?;
    let mnt = Path::new("/mnt");
    let mut places = Vec::new();
    let Some(root) = root else { return Ok(places) };
    if !run.host.open(mnt).and_then(|mnt| mnt.list("")).is_ok_and(|names| names.is_empty()) {
        return Ok(places);
    }
    let tmpfs = Mount { source: "tmpfs".into(), target: mnt.into(), kind: MountKind::Virtual("tmpfs") };
    run.mount(Stage::Script, &tmpfs)?;
    for name in ["sysimage", "sysroot"] {
        let target = mnt.join(name);
        run.open(Stage::Script, mnt)?.create_dirs(name).doing(Stage::Script, "making a mount point")?;
        places.push(target.clone());
        let source = root.display().to_string();
        run.mount(Stage::Script, &Mount { source, target, kind: MountKind::BindRecursive })?;
    }
    Ok(places)
}

/// The kickstart where Anaconda has it, unless this machine has something there.
fn show_source(run: &mut Run<'_>) -> Result<()> {
    let doing = "making /run/install for the script";
    let machine = run.open(Stage::Script, Path::new("/"))?;
    let (Some(kickstart), false) = (run.options.kickstart.clone(), machine.exists(SOURCE)) else { return Ok(()) };
    machine.create_dirs(SOURCE).doing(Stage::Script, doing)?;
    run.made_install_source = true;
    let tmpfs = Mount { source: "tmpfs".into(), target: SOURCE.into(), kind: MountKind::Virtual("tmpfs") };
    run.mount(Stage::Script, &tmpfs)?;
    let source = run.open(Stage::Script, Path::new(SOURCE))?;
    source.write(KICKSTART, kickstart.as_bytes(), 0o600, None).doing(Stage::Script, doing)
}

/// Removes the mount point that [`show`] has made, when what was mounted is gone.
pub fn hide(run: &mut Run<'_>) {
    if !std::mem::take(&mut run.made_install_source) {
        return;
    }
    let remove = || run.host.open(Path::new("/"))?.remove_mount_points(SOURCE);
    if let Err(error) = remove() {
        tracing::warn!(%error, "removing {SOURCE}");
    }
}

//! The steps that put the image on the disk: import, deployment, and the system mounted as it
//! will see itself. What OSTree has to do with it is behind [`Deployer`].

use std::path::Path;

use super::run::{Deployer, Run, SYSTEM};
use super::{homes, labels, unfinished};
use crate::deploy::{self, sysroot};
use crate::error::{Error, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::image::Image;

/// libostree.
pub struct Ostree<'a> {
    /// What is imported.
    pub image: &'a Image,
}

impl Deployer for Ostree<'_> {
    fn initialise(&self, run: &Run<'_>, root: &Path, stateroot: &str) -> Result<()> {
        sysroot::initialise(run.host, root, stateroot)
    }

    fn import(&self, run: &Run<'_>, root: &Path, target: &str, selinux: bool) -> Result<String> {
        let repo = root.join("ostree/repo");
        let job = deploy::Import {
            image: self.image,
            repo: &repo,
            selinux,
            target,
            host: run.host,
            events: run.events,
            cancel: &run.options.cancel,
        };
        // The disk has been given up for it.
        self.image.persist();
        let imported = deploy::import(&job)?;
        tracing::info!(commit = %imported.commit, entries = imported.entries, "imported");
        Ok(imported.commit)
    }

    fn deploy(&self, run: &Run<'_>, job: &sysroot::Deploy) -> Result<sysroot::Deployed> {
        sysroot::deploy(run.host, job)
    }

    fn set_bootloader_backend(&self, run: &Run<'_>, root: &Path, backend: &str) -> Result<()> {
        sysroot::set_bootloader_backend(run.host, root, backend)
    }

    fn label(&self, run: &mut Run<'_>) -> Result<()> {
        labels::label(run)
    }
}

/// Makes the OSTree system root.
pub fn initialise(run: &mut Run<'_>, stateroot: &str) -> Result<()> {
    run.touched = true;
    run.deployer.initialise(run, &run.physical_root(), stateroot)
}

/// Imports the image.
pub fn import(run: &mut Run<'_>, target: &str, selinux: bool) -> Result<()> {
    run.commit = Some(run.deployer.import(run, &run.physical_root(), target, selinux)?);
    Ok(())
}

/// Deploys it, and mounts the system as it will see itself.
pub fn deploy(run: &mut Run<'_>, stateroot: &str, origin: &str, kargs: &[String]) -> Result<()> {
    let commit = run.commit.clone().ok_or_else(|| Error::failed(Stage::Deploy, "nothing was imported"))?;
    run.kargs = kargs.iter().map(|karg| run.names.fill(karg)).collect();
    let job = sysroot::Deploy {
        root: run.physical_root(),
        stateroot: stateroot.to_owned(),
        commit,
        origin: origin.to_owned(),
        kargs: run.kargs.clone(),
    };
    run.deployed = Some(run.deployer.deploy(run, &job)?);
    unfinished::begin(run)?;
    enter(run)
}

/// The deployment with its /var and /boot; /usr read-only, as it will be. The kernel's file systems and
/// devices are not in it: a link of the image into them would lead every write below this root to the
/// machine that installs. Programs of the image get their own, in their cage.
fn enter(run: &mut Run<'_>) -> Result<()> {
    let Some(deployed) = run.deployed.clone() else { return Ok(()) };
    let physical = run.physical_root();
    let bind = |source: std::path::PathBuf, kind| (source.display().to_string(), kind);
    let (source, kind) = bind(deployed.root.clone(), MountKind::Bind);
    let system = run.mount_point(Stage::Deploy, SYSTEM)?;
    run.mount(Stage::Deploy, &Mount { source, target: system.clone(), kind })?;
    let mounts = [
        ("usr", bind(deployed.root.join("usr"), MountKind::BindReadOnly)),
        ("var", bind(deployed.var, MountKind::BindRecursive)),
        ("sysroot", bind(physical.clone(), MountKind::BindRecursive)),
        ("boot", bind(physical.join("boot"), MountKind::Bind)),
        ("run", ("tmpfs".into(), MountKind::Virtual("tmpfs"))),
        ("tmp", ("tmpfs".into(), MountKind::Virtual("tmpfs"))),
    ];
    // An image may lay /var or /tmp out as it likes; what is no directory is left alone.
    let inside = run.open(Stage::Deploy, &system)?;
    for (name, (source, kind)) in mounts.into_iter().filter(|(name, _)| inside.is_dir(name)) {
        run.mount(Stage::Deploy, &Mount { source, target: system.join(name), kind })?;
        if name == "boot" {
            unfinished::show_in_system(run)?;
        }
    }
    let inside = run.open(Stage::Deploy, &system)?;
    homes::make(inside.as_ref())
}

/// Shows the kernel's file systems and the devices in the system, for a script beside it that may want to
/// `chroot` there. The caller takes them away again.
pub fn show_kernel(run: &mut Run<'_>) -> Result<()> {
    let system = run.system_root();
    let mounts = [
        ("proc", ("proc", MountKind::Virtual("proc"))),
        ("sys", ("/sys", MountKind::BindRecursive)),
        ("dev", ("/dev", MountKind::BindRecursive)),
    ];
    let inside = run.open(Stage::Script, &system)?;
    for (name, (source, kind)) in mounts.into_iter().filter(|(name, _)| inside.is_dir(name)) {
        run.mount(Stage::Script, &Mount { source: source.into(), target: system.join(name), kind })?;
    }
    Ok(())
}

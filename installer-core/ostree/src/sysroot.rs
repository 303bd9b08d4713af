//! System roots: made, configured, filled with a deployment.

use std::path::{Path, PathBuf};

use installer_core::deploy::ostree::protocol::Deploy;
use ostree::prelude::*;
use ostree::{gio, glib};

use crate::{Doing, Failed};

const NONE: Option<&gio::Cancellable> = None;

/// Makes an empty system root at `root` with the stateroot `stateroot`.
pub fn initialise(root: &Path, stateroot: &str) -> Result<(), Failed> {
    let doing = "making the OSTree system root";
    let sysroot = ostree::Sysroot::new(Some(&gio::File::for_path(root)));
    sysroot.ensure_initialized(NONE).doing(doing)?;
    sysroot.load(NONE).doing(doing)?;
    configure(&sysroot.repo(), "none").doing(doing)?;
    sysroot.init_osname(stateroot, NONE).doing(doing)
}

/// bootc's three settings. `bootloader` is `none` where the boot loader reads the entries
/// itself, and libostree's name of a backend where it must rewrite a menu at each update.
fn configure(repo: &ostree::Repo, bootloader: &str) -> Result<(), glib::Error> {
    let config = repo.copy_config();
    config.set_string("sysroot", "bootloader", bootloader);
    config.set_boolean("sysroot", "bootprefix", true);
    config.set_boolean("sysroot", "readonly", true);
    repo.write_config(&config)?;
    // Without this an older libostree goes on with what it read first.
    repo.reload_config(NONE)
}

/// Makes libostree rewrite the boot menu at every later deployment by its `backend`.
pub fn set_bootloader_backend(root: &Path, backend: &str) -> Result<(), Failed> {
    let doing = "setting sysroot.bootloader";
    let repo = ostree::Repo::new(&gio::File::for_path(root.join("ostree/repo")));
    repo.open(NONE).doing(doing)?;
    configure(&repo, backend).doing(doing)
}

/// Deploys the commit and writes its boot entry; the deployment's directory, from the root.
pub fn deploy(job: &Deploy) -> Result<String, Failed> {
    let doing = "deploying the image";
    let sysroot = ostree::Sysroot::new(Some(&gio::File::for_path(&job.root)));
    sysroot.load(NONE).doing(doing)?;
    let origin = glib::KeyFile::new();
    origin.set_string("origin", "container-image-reference", &job.origin);
    let kargs: Vec<&str> = job.kargs.iter().map(String::as_str).collect();
    let options = ostree::SysrootDeployTreeOpts { override_kernel_argv: Some(kargs.as_slice()), ..Default::default() };
    let deployment = sysroot
        .deploy_tree_with_options(Some(&job.stateroot), &job.commit, Some(&origin), None, Some(&options), NONE)
        .doing(doing)?;
    let flags = ostree::SysrootSimpleWriteDeploymentFlags::NONE;
    sysroot
        .simple_write_deployment(Some(&job.stateroot), &deployment, None, flags, NONE)
        .doing("writing the boot entry")?;
    sysroot.cleanup(NONE).doing(doing)?;
    let var = job.root.join("ostree/deploy").join(&job.stateroot).join("var");
    fill_var(&sysroot, &job.commit, &var).doing("copying the image's /var")?;
    Ok(sysroot.deployment_dirpath(&deployment).to_string())
}

/// Copies what the image has in /var into the stateroot, once. libostree does that itself
/// from 2024.3 on.
fn fill_var(sysroot: &ostree::Sysroot, commit: &str, var: &Path) -> Result<(), glib::Error> {
    let repo = sysroot.repo();
    let (tree, _) = repo.read_commit(commit, NONE)?;
    if ostree::check_version(2024, 3) || !tree.child("var").query_exists(NONE) {
        return Ok(());
    }
    // That libostree has made links of them, out of the stateroot, which a checkout would follow.
    for name in ["run", "lock"] {
        if tree.child("var").child(name).query_exists(NONE) && var.join(name).is_symlink() {
            let _ = std::fs::remove_file(var.join(name));
        }
    }
    let options = ostree::RepoCheckoutAtOptions {
        overwrite_mode: ostree::RepoCheckoutOverwriteMode::AddFiles,
        subpath: Some(PathBuf::from("/var")),
        force_copy: true,
        ..Default::default()
    };
    repo.checkout_at(Some(&options), libc::AT_FDCWD, var, commit, NONE)
}

//! The installer environment: kernel and initramfs out of the image that is to be installed,
//! made by the image's own dracut with a module of ours.
//!
//! ```text
//! image ─► unpacked tree ─► + dracut module, + our programs ─► dracut ─► initrd.img
//!                      └──► vmlinuz, boot loaders                     └► environment.json
//! ```
//!
//! If the installer boots on some hardware, so does the system: it is the same kernel with the
//! same modules. The tree is a scratch copy and goes when the work is done.

mod guard;
mod job;
mod loaders;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use installer_core::deploy;
use installer_core::error::Context as _;
use installer_core::event::Sink;
use installer_core::host::{Host, in_private_mounts};
use installer_core::image::ImageFacts;
use installer_core::units::Bytes;
use installer_core::{Error, Result, Stage};

use crate::environment::{Environment, INITRD, KERNEL, MANIFEST, Manifest};
pub use job::Build;
use tree::Tree;

/// Where the installer finds what is known of the image that it was made from. If that is what it
/// installs, nothing of it need be read twice.
pub const IMAGE_FACTS: &str = "/etc/bootc-ks/image-facts.json";

/// Makes the environment, or none: a failure leaves what was there.
pub fn build(job: &Build<'_>, host: &dyn Host, events: &dyn Sink) -> Result<Environment> {
    may_replace(job.output)?;
    let version = kernel_version(job.facts)?;
    let parent = match job.output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let scratch = tempfile::Builder::new()
        .prefix(".bootc-ks-")
        .tempdir_in(parent)
        .doing(Stage::Media, format_args!("making a scratch directory in {}", parent.display()))?;
    let new = scratch.path().join("environment");
    fs::create_dir(&new).doing(Stage::Media, "making the environment's directory")?;
    let root = deploy::unpack(job.image, scratch.path(), host, events)?;
    let tree = Tree::open(&root, version, host)?;
    tree.add(job, events)?;
    let panicked = Error::failed(Stage::Media, "making the environment stopped by an internal error");
    let loaders = new.join("efi");
    loaders::collect(tree.files(), &loaders)?;
    // The mounts end with the thread, and with that before the scratch directory is removed.
    in_private_mounts("build", Stage::Media, panicked, || {
        tree.make_initrd(host, events, &new.join(INITRD))?;
        let grub = loaders.join("grubx64.efi");
        let mounted = host.open(&root).doing(Stage::Media, "opening the image's files")?;
        if !grub.exists()
            && let Some(made) = loaders::make_grub(&root, mounted.as_ref(), host)?
        {
            loaders::copy(mounted.as_ref(), made, &grub)?;
        }
        Ok(())
    })?;
    loaders::copy(tree.files(), &tree.kernel(), &new.join(KERNEL))?;
    // What is open would keep the scratch directory.
    drop(tree);
    manifest(job, version).write(&new)?;
    replace(&new, job.output)?;
    Environment::open(job.output)
}

/// A directory that another program made is not replaced.
fn may_replace(output: &Path) -> Result<()> {
    let name = output.display();
    let mut entries = match fs::read_dir(output) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(Error::input(Stage::Media, format!("{name}: {error}")).hint("name a new directory"));
        }
        Ok(entries) => entries,
    };
    if entries.next().is_none() || output.join(MANIFEST).is_file() {
        return Ok(());
    }
    Err(Error::refused(Stage::Media, format!("{name} holds something that is no installer environment"))
        .hint("name a new directory, or empty this one"))
}

fn kernel_version(facts: &ImageFacts) -> Result<&str> {
    facts.kernel.as_ref().map(|kernel| kernel.version.as_str()).ok_or_else(|| {
        Error::world(Stage::Media, format!("{} has no kernel in /usr/lib/modules", facts.reference))
            .hint("a bootable image has exactly one; was this image made to be booted?")
    })
}

/// What every boot of it needs on its command line: the consoles that the image is used with.
fn manifest(job: &Build<'_>, version: &str) -> Manifest {
    let arch = match job.facts.architecture.as_str() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    let kargs = job.facts.kargs.iter().chain(&job.facts.install.kargs);
    Manifest {
        schema: crate::environment::SCHEMA,
        arch: arch.to_owned(),
        kernel: version.to_owned(),
        image: job.facts.reference.clone(),
        digest: job.facts.manifest_digest.to_string(),
        kargs: kargs.filter(|karg| karg.starts_with("console=")).cloned().collect(),
        files: BTreeMap::new(),
    }
}

/// Puts `new` where `output` is.
fn replace(new: &Path, output: &Path) -> Result<()> {
    let doing = || format!("writing {}", output.display());
    let old = new.with_extension("old");
    if output.exists() {
        fs::rename(output, &old).doing(Stage::Media, doing())?;
    }
    fs::rename(new, output).doing(Stage::Media, doing())
}

/// How large what was made is.
pub fn size(environment: &Environment) -> Result<Bytes> {
    let length = |path: PathBuf| fs::metadata(&path).doing(Stage::Media, path.display()).map(|meta| meta.len());
    Ok(Bytes(length(environment.kernel())? + length(environment.initrd())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_environment_or_nothing_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        may_replace(&dir.path().join("new")).unwrap();
        may_replace(dir.path()).unwrap();
        fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
        assert_eq!(may_replace(dir.path()).unwrap_err().exit_code(), 4);
        assert_eq!(may_replace(&dir.path().join("thesis.txt")).unwrap_err().exit_code(), 2);
        fs::write(dir.path().join(MANIFEST), "{}").unwrap();
        may_replace(dir.path()).unwrap();
    }
}

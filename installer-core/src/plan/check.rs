//! What must hold before anything is planned: the image fits the machine, the running kernel
//! can make what is asked for, and the image will be able to open it.

use super::defaults::oci_architecture;
use super::root_room;
use crate::error::{Error, Remedy, Result, Stage};
use crate::image::ImageFacts;
use crate::machine::Machine;
use crate::request::{Purpose, Request};
use crate::storage::device::Device;
use crate::storage::filesystem;
use crate::storage::tree::Tree;

/// A registry on the loopback address is here the one that the image comes from, and on the installed
/// machine that machine itself.
pub fn updates_from_itself(updates_from: &str) -> Option<String> {
    let host = updates_from.split("://").nth(1)?.split('/').next()?;
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let loopback = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let local = loopback || name == "localhost" || name.ends_with(".localhost");
    local.then(|| {
        format!(
            "updates will be looked for at {host}, which on the installed machine is that machine itself; \
             name another place for updates"
        )
    })
}

pub fn check_image(request: &Request, machine: &Machine, facts: &ImageFacts, warnings: &mut Vec<String>) -> Result<()> {
    let name = &facts.reference;
    let wanted = oci_architecture(&machine.arch);
    if facts.architecture != wanted {
        return Err(Error::world(
            Stage::Plan,
            format!("{name} is for {}, and this machine is {wanted} ({})", facts.architecture, machine.arch),
        )
        .hint("build the image for this architecture, or name one that is"));
    }
    if let Some(wanted) = request.digest.as_ref().filter(|wanted| **wanted != facts.manifest_digest) {
        return Err(Error::refused(
            Stage::Plan,
            format!("{name} has the digest {}, and {wanted} was asked for", facts.manifest_digest),
        )
        .hint("the tag has been moved, or that digest is of another image or architecture"));
    }
    check_kernel(facts)?;
    if let [first, ..] = facts.bound_images.as_slice() {
        return Err(Error::world(
            Stage::Plan,
            format!("{name} wants other images to be installed with it ({first}), which is not supported"),
        )
        .hint("leave usr/lib/bootc/bound-images.d out of the image, or install it with bootc"));
    }
    if !facts.install.not_followed.is_empty() {
        let keys = facts.install.not_followed.join(", ");
        warnings.push(format!("the image's install configuration is not followed in: {keys}"));
    }
    if !request.unsigned_is_fine {
        warnings.push("no signature of the image is verified; its digest is pinned".into());
    }
    Ok(())
}

/// Whether the image can be booted at all.
pub fn check_kernel(facts: &ImageFacts) -> Result<()> {
    let name = &facts.reference;
    let Some(kernel) = &facts.kernel else {
        return Err(Error::world(Stage::Plan, format!("{name} has no kernel in usr/lib/modules"))
            .hint("a bootable container image holds usr/lib/modules/VERSION/vmlinuz and initramfs.img"));
    };
    if !kernel.initramfs {
        return Err(Error::world(
            Stage::Plan,
            format!("{name} has no usr/lib/modules/{}/initramfs.img", kernel.version),
        )
        .hint("run dracut in the Containerfile"));
    }
    Ok(())
}

pub fn check_filesystems(tree: &Tree, machine: &Machine, facts: &ImageFacts, warnings: &mut Vec<String>) -> Result<()> {
    for area in tree.areas() {
        let (Some(at), name) = (area.mount_point(), &area.filesystem) else { continue };
        let Some(kind) = filesystem::find(name) else {
            let known: Vec<&str> = filesystem::FILESYSTEMS.iter().map(|fs| fs.name).collect();
            return Err(Error::input(Stage::Plan, format!("file system '{name}' for {at} is not supported"))
                .hint(format!("use one of: {}", known.join(", "))));
        };
        if let Some(size) = tree.size_of(&area.device).filter(|size| *size < kind.least) {
            return Err(Error::input(
                Stage::Plan,
                format!("{at} gets {size}, and {name} takes {} at least", kind.least),
            )
            .hint(Remedy::EnlargeFilesystem { or: "ext4" }));
        }
        if !machine.kernel.filesystems.iter().any(|fs| fs == kind.driver) {
            return Err(Error::world(Stage::Plan, format!("the running kernel cannot mount {name}, wanted for {at}"))
                .hint([Remedy::AnotherFilesystem, "install from an environment whose kernel has it".into()]));
        }
        if area.purpose == Purpose::root() {
            check_root(facts, name, matches!(area.device, Device::Volume { .. }), warnings)?;
        }
    }
    Ok(())
}

/// Whether the image will be able to mount a root of this file system, on a volume or not.
pub fn check_root(facts: &ImageFacts, filesystem: &str, on_volume: bool, warnings: &mut Vec<String>) -> Result<()> {
    root_room::check(filesystem, facts)?;
    check_initramfs(facts, filesystem::driver(filesystem), "the root file system", warnings)?;
    if on_volume {
        check_initramfs(facts, "dm_mod", "the logical volume of the root", warnings)?;
    }
    Ok(())
}

/// Whether the image will be able to open what is made for it.
fn check_initramfs(facts: &ImageFacts, module: &str, what: &str, warnings: &mut Vec<String>) -> Result<()> {
    match facts.kernel.as_ref().and_then(|kernel| kernel.has_module(module)) {
        Some(true) => Ok(()),
        Some(false) => {
            Err(Error::world(Stage::Plan, format!("the image's initramfs lacks '{module}' and could not mount {what}"))
                .hint("choose what the image can mount, or add the module to its dracut configuration"))
        }
        None => {
            warnings.push(format!("the image's initramfs could not be read: whether it can mount {what} is not known"));
            Ok(())
        }
    }
}

//! What a whole tree must be, so that libostree deploys it: directories where directories have to be,
//! regular files where files are read, nothing that leads out of the image. What its configuration
//! needs is in `configurable`. (`ostree-sysroot-deploy.c`: it opens by name, on the installing machine.)

use super::tree::{Dir, File, Node, say, split};
use super::unfit::{Unfit, node, unfit};
use super::{configurable, merge};

/// What must be a directory, where it is there at all.
const DIRECTORIES: [&str; 11] =
    ["usr", "usr/etc", "usr/lib", "usr/lib/modules", "var", "boot", "sysroot", "proc", "sys", "dev", "run"];

/// What libostree copies to /boot for a kernel.
const BOOTED: [&str; 5] = ["vmlinuz", "initramfs.img", "initramfs", "devicetree", ".vmlinuz.hmac"];

/// Finds what is in the way.
pub fn check<C>(root: &Dir<C>) -> Result<(), Unfit> {
    directories(root)?;
    os_release(root)?;
    configurable::check(root)?;
    if let Some(Node::Dir(modules)) = root.find("usr/lib/modules") {
        modules.entries.iter().try_for_each(|(name, node)| kernel(name, node))?;
    }
    if let Some(Node::Dir(etc)) = root.find("usr/etc") {
        leads_to_itself(root, etc, &mut vec![b"etc".to_vec()])?;
    }
    Ok(())
}

fn directories<C>(root: &Dir<C>) -> Result<(), Unfit> {
    for path in DIRECTORIES {
        if let Some(Node::File(_)) = root.find(path) {
            let place = path.strip_prefix("usr/").filter(|rest| *rest == "etc").unwrap_or(path);
            return unfit(place, "is not a directory", "make it a directory in the image");
        }
    }
    match root.find("etc") {
        Some(Node::Dir(etc)) if etc.entries.is_empty() => Ok(()),
        Some(_) if root.find("usr/etc").is_some() => unfit(
            "etc",
            "is in the image beside /usr/etc, and OSTree has one of both",
            "move what is in /usr/etc to /etc in the image",
        ),
        Some(Node::File(_)) => unfit("etc", "is not a directory", "make it a directory in the image"),
        _ => Ok(()),
    }
}

/// libostree reads one of two names for the title of the boot entry.
fn os_release<C>(root: &Dir<C>) -> Result<(), Unfit> {
    const REMEDY: &str = "install the distribution's os-release in the image (/etc/os-release is a link to \
                          ../usr/lib/os-release)";
    let there = ["usr/lib/os-release", "etc/os-release"].into_iter().find(|path| node(root, path).is_some());
    let Some(path) = there else { return unfit("usr/lib/os-release", "is missing", REMEDY) };
    inside(root, path, REMEDY)
}

/// Whether `path` is a regular file or leads to one by links that mean the same on the installing
/// machine.
fn inside<C>(root: &Dir<C>, path: &str, remedy: &'static str) -> Result<(), Unfit> {
    let Some(node) = node(root, path) else { return Ok(()) };
    let Node::File(file) = node else { return unfit(path, "is not a regular file", remedy) };
    match &file.link {
        None => Ok(()),
        Some(link) if link.starts_with(b"/") => {
            unfit(path, format!("leads to {}: while it is installed, that is out of the image", say(link)), remedy)
        }
        Some(link) => match merge::file(root, path) {
            Some(file) if file.link.is_none() => Ok(()),
            _ => unfit(path, format!("leads to {}, which is no file of the image", say(link)), remedy),
        },
    }
}

fn kernel<C>(version: &[u8], node: &Node<C>) -> Result<(), Unfit> {
    let Node::Dir(dir) = node else { return Ok(()) };
    if !dir.entries.contains_key(b"vmlinuz".as_slice()) {
        return Ok(());
    }
    let at = |name: &str| format!("usr/lib/modules/{}/{name}", say(version));
    // It becomes a part of file names and of a line of the boot entry.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-~:@".contains(byte);
    if !version.iter().all(plain) || version.len() > 128 {
        let remedy = "name it as the kernel's version is named";
        return unfit(format!("usr/lib/modules/{}", say(version)), "is not the name of a kernel's version", remedy);
    }
    for name in BOOTED {
        match dir.entries.get(name.as_bytes()) {
            None | Some(Node::File(File { link: None, .. })) => {}
            Some(_) => return unfit(at(name), "is not a regular file", "copy the file itself there in the image"),
        }
    }
    match dir.entries.get(b"dtb".as_slice()) {
        Some(Node::Dir(trees)) => device_trees(trees, &at("dtb")),
        Some(Node::File(File { link: Some(_), .. })) => {
            unfit(at("dtb"), "is a symbolic link", "copy the device trees themselves there in the image")
        }
        _ => Ok(()),
    }
}

fn device_trees<C>(dir: &Dir<C>, place: &str) -> Result<(), Unfit> {
    for (name, node) in &dir.entries {
        let place = format!("{place}/{}", say(name));
        match node {
            Node::Dir(dir) => device_trees(dir, &place)?,
            Node::File(File { link: None, .. }) => {}
            Node::File(_) => {
                return unfit(place, "is a symbolic link", "copy the device trees themselves there in the image");
            }
        }
    }
    Ok(())
}

/// A link below /etc to what was in /usr/etc: both are one place, so the link has taken that of
/// the file it is to lead to.
fn leads_to_itself<C>(root: &Dir<C>, dir: &Dir<C>, at: &mut Vec<Vec<u8>>) -> Result<(), Unfit> {
    for (name, node) in &dir.entries {
        at.push(name.clone());
        match node {
            Node::Dir(sub) => leads_to_itself(root, sub, at)?,
            Node::File(File { link: Some(link), .. }) if through_usr_etc(link) => {
                if merge::resolve(root, at).is_err() {
                    let wrong = format!("leads to {}, which is the same place in an OSTree system", say(link));
                    let place = say(&at.join(&b'/'));
                    return unfit(place, wrong, "have what is in /usr/etc of the image in /etc alone");
                }
            }
            Node::File(_) => {}
        }
        at.pop();
    }
    Ok(())
}

fn through_usr_etc(link: &[u8]) -> bool {
    let names = split(link);
    names.windows(2).any(|pair| pair[0] == b"usr" && pair[1] == b"etc")
}

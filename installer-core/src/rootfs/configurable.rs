//! What a whole tree must be, so that its system can be configured: regular files where files are changed,
//! directories where files are put. What is not there is made.

use super::merge;
use super::tree::{Dir, File, Node, say, split};
use super::unfit::{Unfit, node, unfit};

/// Where files are put: directories, or links to such. Each comes after what it lies in.
const DIRECTORIES: [&str; 22] = [
    "etc/NetworkManager",
    "etc/NetworkManager/system-connections",
    "etc/X11",
    "etc/X11/xorg.conf.d",
    "etc/default",
    "etc/selinux",
    "etc/skel",
    "etc/skel/.ssh",
    "etc/ssh",
    "etc/ssh/sshd_config.d",
    "etc/systemd",
    "etc/systemd/network",
    "etc/systemd/system",
    "etc/systemd/system/multi-user.target.d",
    "etc/systemd/system/multi-user.target.wants",
    "home",
    "root",
    "root/.ssh",
    "var/home",
    "var/lib",
    "var/log",
    "var/roothome",
];

/// What is read or written: regular files, or links to such.
const FILES: [&str; 21] = [
    "etc/passwd",
    "etc/shadow",
    "etc/group",
    "etc/gshadow",
    "etc/subuid",
    "etc/subgid",
    "etc/fstab",
    "etc/hostname",
    "etc/locale.conf",
    "etc/vconsole.conf",
    "etc/default/keyboard",
    "etc/X11/xorg.conf.d/00-keyboard.conf",
    "etc/adjtime",
    "etc/selinux/config",
    "etc/ssh/sshd_config.d/01-permitrootlogin.conf",
    "etc/crypttab",
    "etc/machine-id",
    "etc/os-release",
    "etc/localtime",
    "etc/skel/.ssh/authorized_keys",
    "root/.ssh/authorized_keys",
];

/// Finds what is in the way.
pub(super) fn check<C>(root: &Dir<C>) -> Result<(), Unfit> {
    DIRECTORIES.iter().try_for_each(|path| holds_files(root, path))?;
    FILES.iter().try_for_each(|path| configured(root, path))
}

/// Whether `path` is missing, a directory, or leads to either.
fn holds_files<C>(root: &Dir<C>, path: &str) -> Result<(), Unfit> {
    const REMEDY: &str = "make it a directory in the image, or leave it out";
    let Some(there) = node(root, path) else { return Ok(()) };
    let Node::File(File { link, .. }) = there else { return Ok(()) };
    let Some(link) = link else { return unfit(path, "is not a directory", REMEDY) };
    match merge::resolve(root, &split(path.as_bytes())).map(|place| matches!(root.get(&place), Some(Node::File(_)))) {
        Ok(false) => Ok(()),
        Ok(true) => unfit(path, format!("leads to {}, which is not a directory", say(link)), REMEDY),
        Err(_) => unfit(path, format!("leads to {}, which leads nowhere", say(link)), REMEDY),
    }
}

/// Whether `path` is missing, a regular file, or leads to either.
fn configured<C>(root: &Dir<C>, path: &str) -> Result<(), Unfit> {
    const REMEDY: &str = "make it a regular file in the image";
    let Some(node) = node(root, path) else { return Ok(()) };
    let Node::File(File { link, .. }) = node else { return unfit(path, "is not a regular file", REMEDY) };
    let Some(link) = link else { return Ok(()) };
    let names = split(path.as_bytes());
    match merge::resolve(root, &names).map(|place| root.get(&place).is_some_and(|node| matches!(node, Node::Dir(_)))) {
        Ok(false) => Ok(()),
        Ok(true) => unfit(path, format!("leads to {}, which is a directory", say(link)), REMEDY),
        Err(_) => unfit(path, format!("leads to {}, which leads nowhere", say(link)), REMEDY),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Meta;
    use super::*;

    /// A tree with these: `path/` is a directory, `path -> target` a link, all else a file.
    fn tree(entries: &[&str]) -> Dir<()> {
        let mut root = Dir::default();
        let file = |link: Option<&str>| File {
            meta: Meta::default_directory(),
            content: (),
            empty: false,
            link: link.map(|link| link.as_bytes().into()),
        };
        for entry in entries {
            let names = |path: &str| split(path.as_bytes());
            match entry.split_once(" -> ") {
                Some((path, target)) => _ = root.put_file(&names(path), file(Some(target))).unwrap(),
                None if entry.ends_with('/') => _ = root.put_dir(&names(entry), Meta::default_directory()).unwrap(),
                None => _ = root.put_file(&names(entry), file(None)).unwrap(),
            }
        }
        root
    }

    #[test]
    fn places_of_an_ordinary_image_are_fine() {
        let entries = [
            "usr/etc/passwd",
            "usr/etc/localtime -> ../usr/share/zoneinfo/UTC",
            "usr/etc/systemd/system/",
            "usr/etc/skel/.bashrc",
            "usr/etc/ssh/sshd_config.d/",
            "home -> var/home",
            "root -> var/roothome",
            "var/",
        ];
        check(&tree(&entries)).unwrap();
        check(&tree(&["usr/etc/localtime -> /usr/share/zoneinfo/UTC", "usr/share/zoneinfo/UTC"])).unwrap();
        check(&tree(&[])).unwrap();
    }

    #[test]
    fn what_is_in_the_way_is_found_before_anything_is_lost() {
        for (entries, place) in [
            (&["usr/etc/ssh"][..], "etc/ssh"),
            (&["usr/etc/ssh/sshd_config.d"], "etc/ssh/sshd_config.d"),
            (&["usr/etc/systemd/system -> ../passwd", "usr/etc/passwd"], "etc/systemd/system"),
            (&["usr/etc/systemd/system -> system"], "etc/systemd/system"),
            (&["usr/etc/systemd/system/multi-user.target.wants"], "etc/systemd/system/multi-user.target.wants"),
            (&["usr/etc/localtime/"], "etc/localtime"),
            (&["usr/etc/skel"], "etc/skel"),
            (&["usr/etc/skel/.ssh"], "etc/skel/.ssh"),
            (&["usr/etc/skel/.ssh/authorized_keys/"], "etc/skel/.ssh/authorized_keys"),
            (&["home -> var/home", "var/home"], "home"),
            (&["var/home"], "var/home"),
            (&["root -> root"], "root"),
            (&["root/.ssh"], "root/.ssh"),
            (&["var/roothome/.ssh/authorized_keys/", "root -> var/roothome"], "root/.ssh/authorized_keys"),
            (&["usr/etc/hostname/"], "etc/hostname"),
        ] {
            assert_eq!(check(&tree(entries)).unwrap_err().place, place, "{entries:?}");
        }
    }
}

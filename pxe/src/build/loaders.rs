//! Boot loaders for UEFI: the signed ones that an image brings, for Secure Boot over the network
//! and on media; or a GRUB for the network, made of the image's modules.

use std::fs;
use std::path::Path;

use installer_core::error::Context as _;
use installer_core::host::Host;
use installer_core::host::root::Root;
use installer_core::program::Program;
use installer_core::{Result, Stage};
use rustix::fs::FileType;

/// By the names that they get, where images keep them: below bootupd's updates and where
/// Debian's packages put them. `*` is one directory of any name.
const LOADERS: &[(&str, &[&str])] = &[
    (
        "shimx64.efi",
        &[
            "usr/lib/bootupd/updates/EFI/*/shimx64.efi",
            "usr/lib/efi/shim/*/EFI/*/shimx64.efi",
            "usr/lib/shim/shimx64.efi.signed",
        ],
    ),
    (
        "grubx64.efi",
        &[
            "usr/lib/bootupd/updates/EFI/*/grubx64.efi",
            "usr/lib/efi/grub2/*/EFI/*/grubx64.efi",
            "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
        ],
    ),
    (
        "gcdx64.efi",
        &[
            "usr/lib/bootupd/updates/EFI/*/gcdx64.efi",
            "usr/lib/efi/grub2/*/EFI/*/gcdx64.efi",
            "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
        ],
    ),
];

/// Copies what there is into the new directory `to`.
pub fn collect(root: &dyn Root, to: &Path) -> Result<()> {
    fs::create_dir(to).doing(Stage::Media, "making the boot loaders' directory")?;
    for (name, places) in LOADERS {
        if let Some(found) = places.iter().find_map(|place| find(root, "", place)) {
            copy(root, &found, &to.join(name))?;
        }
    }
    Ok(())
}

/// Copies a file of the image.
pub fn copy(root: &dyn Root, from: &str, to: &Path) -> Result<()> {
    let copied = root.file(from).and_then(|mut from| std::io::copy(&mut from, &mut fs::File::create(to)?));
    copied.map(drop).doing(Stage::Media, format_args!("copying {from} of the image"))
}

/// What GRUB needs between UEFI's HTTP boot and a kernel; what an image's GRUB does not have is
/// left out.
const MODULES: &[&str] = &[
    "normal",
    "configfile",
    "echo",
    "test",
    "regexp",
    "smbios",
    "linux",
    "http",
    "tftp",
    "efinet",
    "net",
    "sleep",
    "search",
    "chain",
    "fat",
    "part_gpt",
    "minicmd",
    "reboot",
    "halt",
    "all_video",
    "efi_gop",
    "serial",
    "terminal",
    "gzio",
];

/// Makes a GRUB that boots over HTTP, where the image has the modules and no signed one. Not
/// signed: for machines without Secure Boot. Runs inside the unpacked image at `root`, whose
/// /tmp takes it; returns where it is there.
pub fn make_grub(root: &Path, files: &dyn Root, host: &dyn Host) -> Result<Option<&'static str>> {
    let tool = ["grub-mkimage", "grub2-mkimage"].into_iter().find(|name| files.exists(&format!("usr/bin/{name}")));
    let has = |module: &&str| files.exists(&format!("usr/lib/grub/x86_64-efi/{module}.mod"));
    let Some(tool) = tool.filter(|_| has(&"http")) else { return Ok(None) };
    let program = Program::new(tool)
        // Where a signed one looks, too: /grub/grub.cfg of the server that it came from.
        .args(["-O", "x86_64-efi", "-p", "/grub", "-o", "/tmp/grubx64.efi"])
        .args(MODULES.iter().copied().filter(|module| has(module)))
        .inside(root);
    host.run(&program, &mut |_| ()).doing(Stage::Media, "making a GRUB for the network")?;
    Ok(Some("tmp/grubx64.efi"))
}

/// The first file at `pattern` below `dir`. An image's links are not followed.
fn find(root: &dyn Root, dir: &str, pattern: &str) -> Option<String> {
    let (first, rest) = match pattern.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (pattern, None),
    };
    let names = if first == "*" {
        root.list(dir).ok()?.into_iter().map(|(name, _)| name).collect()
    } else {
        vec![first.to_owned()]
    };
    names.into_iter().find_map(|name| {
        let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
        let kind = FileType::from_raw_mode(root.stat(&path).ok()??.st_mode);
        match rest {
            Some(rest) if kind == FileType::Directory => find(root, &path, rest),
            None if kind == FileType::RegularFile => Some(path),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_are_found_where_distributions_keep_them() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = dir.path().join("root").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "MZ").unwrap();
        };
        write("usr/lib/bootupd/updates/EFI/fedora/shimx64.efi");
        write("usr/lib/bootupd/updates/EFI/BOOT/BOOTX64.EFI");
        write("usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed");
        std::os::unix::fs::symlink(
            "/etc/shadow",
            dir.path().join("root/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"),
        )
        .unwrap();
        let root = installer_core::host::root::TargetRoot::open(&dir.path().join("root")).unwrap();
        collect(&root, &dir.path().join("efi")).unwrap();
        let mut names: Vec<_> = fs::read_dir(dir.path().join("efi"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["grubx64.efi", "shimx64.efi"]);
    }
}

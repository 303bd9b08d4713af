//! Whether a GRUB for UEFI can be made of what the image has, and of which modules. Pure.

use super::bootloader::EfiGrub;
use crate::error::{Error, Result, Stage};
use crate::image::ImageFacts;
use crate::machine::Machine;
use crate::storage::device::Device;

/// What it cannot do without before it can read anything else.
const NEEDED: &[&str] = &["part_gpt", "fat", "normal", "linux", "search", "search_fs_uuid", "configfile"];
/// What it gets where the image's GRUB has it.
const WELCOME: &[&str] = &[
    "part_msdos",
    "ext2",
    "xfs",
    "btrfs",
    "lvm",
    "mdraid1x",
    "test",
    "echo",
    "all_video",
    "efi_gop",
    "gzio",
    "minicmd",
    "ls",
    "cat",
    "reboot",
    "halt",
    "efifwsetup",
    "serial",
    "terminal",
    "blscfg",
    "blsuki",
    "regexp",
    "sleep",
    "loadenv",
    "password_pbkdf2",
];

/// GRUB's module for the file system that holds /boot.
fn module_of(filesystem: &str) -> &str {
    match filesystem {
        "ext2" | "ext3" | "ext4" => "ext2",
        other => other,
    }
}

/// What the GRUB for the ESP at `esp` is made of, whose /boot is on `filesystem`.
pub fn choose(facts: &ImageFacts, platform: &str, esp: Device, filesystem: &str, machine: &Machine) -> Result<EfiGrub> {
    let (mkimage, modules) = ingredients(facts, filesystem)?;
    let mtools = !machine.kernel.filesystems.iter().any(|name| name == "vfat");
    Ok(EfiGrub { mkimage, platform: platform.to_owned(), modules, esp, mtools })
}

fn ingredients(facts: &ImageFacts, filesystem: &str) -> Result<(String, Vec<String>)> {
    let (name, boot) = (&facts.reference, &facts.boot);
    let Some(mkimage) = &boot.grub_mkimage else {
        return Err(Error::world(
            Stage::Plan,
            format!("{name} has GRUB's modules for UEFI, and no grub-mkimage to make a boot loader of them"),
        )
        .hint("add it to the image (Debian: grub-common, Fedora: grub2-tools), or use an image with bootupd"));
    };
    let has = |module: &str| boot.grub_efi_modules.iter().any(|known| known == module);
    let needed = NEEDED.iter().copied().chain([module_of(filesystem)]);
    let missing: Vec<&str> = needed.filter(|module| !has(module)).collect();
    if !missing.is_empty() {
        return Err(Error::world(
            Stage::Plan,
            format!("the GRUB for UEFI of {name} lacks the modules {}", missing.join(", ")),
        )
        .hint("add them to the image (Debian: grub-efi-amd64-bin, Fedora: grub2-efi-x64-modules), or use one with bootupd"));
    }
    let modules = NEEDED.iter().chain(WELCOME).filter(|module| has(module));
    Ok((mkimage.clone(), modules.map(|module| (*module).to_owned()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ImageFacts {
        serde_json::from_str(include_str!("../../../tests/images/demo.json")).unwrap()
    }

    #[test]
    fn it_is_made_of_what_the_image_has() {
        let (mkimage, modules) = ingredients(&facts(), "ext4").unwrap();
        assert_eq!(mkimage, "/usr/bin/grub-mkimage");
        assert!(modules.starts_with(&["part_gpt".to_owned(), "fat".into()]) && modules.len() > 25, "{modules:?}");
        // Debian's has none.
        assert!(!modules.contains(&"blscfg".to_owned()));
    }

    #[test]
    fn what_is_missing_is_named() {
        let refusal = |change: &dyn Fn(&mut ImageFacts), filesystem| {
            let mut facts = facts();
            change(&mut facts);
            let error = ingredients(&facts, filesystem).unwrap_err();
            assert_eq!((error.exit_code(), error.remedy().is_some()), (3, true));
            error.to_string()
        };
        assert!(refusal(&|facts| facts.boot.grub_mkimage = None, "ext4").contains("no grub-mkimage"));
        let without = |name: &'static str| {
            move |facts: &mut ImageFacts| facts.boot.grub_efi_modules.retain(|module| module != name)
        };
        assert!(refusal(&without("configfile"), "ext4").ends_with("lacks the modules configfile"));
        assert!(refusal(&without("xfs"), "xfs").ends_with("lacks the modules xfs"));
        assert!(refusal(&|_| (), "bcachefs").ends_with("lacks the modules bcachefs"));
    }

    #[test]
    fn a_machine_with_uefi_is_refused_and_one_with_bios_is_warned() {
        let parsed = kickstart_parser::parse(
            include_str!("../../../tests/kickstarts/plain.ks"),
            "plain.ks",
            &kickstart_parser::ParseOptions::default(),
        );
        let (request, _) = crate::request::from_kickstart(&parsed.kickstart, &parsed.sources);
        let mut facts = facts();
        facts.boot.grub_mkimage = None;
        let mut machine: Machine =
            serde_json::from_str(include_str!("../../../tests/machines/vm-virtio.json")).unwrap();
        let plan = crate::plan::plan(&request, &machine, &facts).unwrap();
        assert!(plan.warnings.iter().any(|warning| warning.contains("not start by UEFI")), "{:?}", plan.warnings);
        assert!(plan.render().unwrap().contains("install the boot loader for BIOS with the image's GRUB"));
        machine.firmware = crate::machine::Firmware::Uefi { secure_boot: false };
        let error = crate::plan::plan(&request, &machine, &facts).unwrap_err();
        assert_eq!((error.exit_code(), error.touched()), (3, false));
        assert!(error.to_string().contains("no grub-mkimage"), "{error}");
    }
}

//! An ISO that another tool made: its boot menus, wherever they lie, and how they are to be
//! changed. It has no room for anything, so the change is a copy ([`replay`](crate::replay)).

use std::fs::File;
use std::io::{Read, Seek};

use installer_core::host::Host;
use installer_core::{Error, Result, Stage};
use pxe::kargs;

use crate::boot_records::BootRecords;
use crate::checksum::Implanted;
use crate::fat::Fat;
use crate::iso9660::{Located, Volume, read_at};
use crate::menu::{Edit, Language, escaped, is_installer};

/// Where the kickstart goes.
pub(crate) const KICKSTART: &str = "/ks.cfg";
/// Where menus are looked for in the file system.
const DIRECTORIES: &[(&[&str], &[&str])] = &[
    (
        &["isolinux", "syslinux", "extlinux", "boot/isolinux", "boot/syslinux", "boot/extlinux"],
        &["isolinux.cfg", "syslinux.cfg", "extlinux.conf"],
    ),
    (&["boot/grub2", "boot/grub", "EFI/BOOT"], &["grub.cfg"]),
    (&["EFI/BOOT"], &["BOOT.conf", "BOOTX64.conf", "BOOTIA32.conf", "BOOTAA64.conf"]),
];
/// No menu is larger, and no kickstart.
pub(crate) const LARGEST: u64 = 4 << 20;

/// An ISO that was not made by `build`.
#[derive(Debug)]
pub struct Foreign {
    /// The volume's label.
    pub volume: String,
    /// Its boot menus: those in the file system and, once these were looked into, those in its
    /// EFI system partitions.
    pub menus: Vec<Menu>,
    /// The file `/ks.cfg`, if there is one.
    pub kickstart: Option<Vec<u8>>,
    pub(crate) joliet: bool,
    /// Whether its menus have the names by which xorriso would write them again.
    pub(crate) rock_ridge: bool,
    pub(crate) checksum: Option<Implanted>,
    pub(crate) records: BootRecords,
}

/// A boot menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// Its path as it is spelt there.
    pub path: String,
    /// Whether it lies in an EFI system partition, not in the file system of the ISO.
    pub in_partition: bool,
    /// Its text.
    pub text: String,
}

impl Menu {
    pub(crate) fn new(path: String, in_partition: bool, bytes: &[u8]) -> Self {
        Menu { path, in_partition, text: String::from_utf8_lossy(bytes).into_owned() }
    }

    /// The arguments of each kernel that it can load.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        Language::of(&self.path).arguments(&self.text).into_iter().map(|range| self.text[range].trim())
    }
}

impl Foreign {
    /// Reads what is in the file system `volume` of `file`.
    pub(crate) fn read(file: &mut File, volume: &Volume) -> Result<Self> {
        let kickstart = content(file, volume, KICKSTART.trim_start_matches('/'))?.map(|(_, bytes)| bytes);
        let (menus, rock_ridge) = menus(file, volume)?;
        Ok(Foreign {
            volume: volume.label.clone(),
            menus,
            rock_ridge,
            kickstart,
            joliet: volume.joliet,
            checksum: Implanted::find(&volume.application_use),
            records: BootRecords::read(file, volume)?,
        })
    }

    /// Reads the menus in the EFI system partitions of `file` as well.
    pub fn look_into_partitions(&mut self, file: &mut File, host: &dyn Host) -> Result<()> {
        for extent in &self.records.efi {
            let found = Fat::extract(host, file, *extent)?.menus()?;
            self.menus.extend(found.into_iter().map(|(path, bytes)| Menu::new(path, true, &bytes)));
        }
        Ok(())
    }

    /// What to change so that the installer finds a kickstart and its kernel gets `more`.
    pub(crate) fn edit(&self, kickstart: bool, more: &[String]) -> Result<Edit> {
        more.iter().try_for_each(|karg| kargs::check(karg))?;
        if !self.rock_ridge {
            return Err(Error::input(Stage::Media, "its menus have no Rock Ridge names, and would not be found again")
                .hint("put the kickstart onto a second stick with the label OEMDRV, as /ks.cfg"));
        }
        let kickstart = kickstart.then(|| self.place()).transpose()?;
        let mut kernels = self.menus.iter().flat_map(Menu::arguments).peekable();
        if kernels.peek().is_none() {
            return Err(self.no_kernel());
        }
        Ok(Edit { kickstart, more: more.to_vec(), installers_alone: kernels.any(is_installer) })
    }

    /// Where the installer finds the kickstart: by the label, which is the same on a disc and on
    /// a stick.
    fn place(&self) -> Result<String> {
        let label = &self.volume;
        if label.is_empty() || label.contains(':') || !label.is_ascii() {
            let message = format!("by its label '{}' an installer cannot find the volume", label.escape_debug());
            return Err(Error::input(Stage::Media, message)
                .hint("put the kickstart elsewhere and name that: --karg inst.ks=http://…"));
        }
        Ok(format!("hd:LABEL={}:{KICKSTART}", escaped(label)))
    }

    fn no_kernel(&self) -> Error {
        let paths: Vec<&str> = self.menus.iter().map(|menu| menu.path.as_str()).collect();
        let message = if paths.is_empty() {
            "no boot menu was found on it".to_owned()
        } else {
            format!("its boot menus ({}) load no kernel", paths.join(", "))
        };
        Error::input(Stage::Media, message)
            .hint("menus of isolinux, syslinux and GRUB are known, where installers of Fedora's family have them")
    }
}

/// The menus, and whether all of them have names of Rock Ridge.
fn menus(file: &mut File, volume: &Volume) -> Result<(Vec<Menu>, bool)> {
    let (mut all, mut rock_ridge) = (Vec::new(), true);
    for (directories, names) in DIRECTORIES {
        for path in directories.iter().flat_map(|dir| names.iter().map(move |name| format!("{dir}/{name}"))) {
            let Some((found, bytes)) = content(file, volume, &path)? else { continue };
            rock_ridge &= found.rock_ridge;
            all.push(Menu::new(found.path, false, &bytes));
        }
    }
    Ok((all, rock_ridge))
}

/// A small file, and where it is.
fn content(file: &mut (impl Read + Seek), volume: &Volume, path: &str) -> Result<Option<(Located, Vec<u8>)>> {
    let Some(found) = volume.locate(file, path)? else { return Ok(None) };
    if found.extent.size > LARGEST {
        return Err(Error::input(
            Stage::Media,
            format!("{} has {} bytes, too many for what it is", found.path, found.extent.size),
        ));
    }
    let bytes = read_at(file, found.extent)?;
    let bytes = bytes.ok_or_else(|| Error::input(Stage::Media, format!("{} is cut off", found.path)))?;
    Ok(Some((found, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(volume: &str, menus: &[(&str, &str)]) -> Foreign {
        let menus = menus.iter().map(|(path, text)| Menu::new((*path).to_owned(), false, text.as_bytes())).collect();
        let records = BootRecords { platforms: vec![], mbr: false, gpt: false, efi: vec![] };
        Foreign {
            volume: volume.into(),
            menus,
            kickstart: None,
            joliet: false,
            rock_ridge: true,
            checksum: None,
            records,
        }
    }

    #[test]
    fn one_installer_among_the_kernels_of_all_menus_is_enough() {
        let other = ("/boot/grub2/grub.cfg", "linux /memtest a\n");
        let edit = foreign("A B", &[other]).edit(true, &["x=1".into()]).unwrap();
        assert_eq!(edit.kickstart.as_deref(), Some("hd:LABEL=A\\x20B:/ks.cfg"));
        assert!(!edit.installers_alone);
        let installer = ("/isolinux/isolinux.cfg", "label a\nkernel v\nappend inst.stage2=x\n");
        assert!(foreign("A", &[other, installer]).edit(false, &[]).unwrap().installers_alone);
    }

    #[test]
    fn where_nothing_can_be_done_that_is_said() {
        let says = |error: Error, words: &str| {
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(words), "{error}");
        };
        let grub = ("/boot/grub2/grub.cfg", "linux /v a\n");
        let plain = Foreign { rock_ridge: false, ..foreign("A", &[grub]) };
        says(plain.edit(true, &[]).unwrap_err(), "no Rock Ridge names");
        says(foreign("A", &[grub]).edit(true, &["#x".into()]).unwrap_err(), "'#x'");
        says(foreign("A", &[]).edit(true, &[]).unwrap_err(), "no boot menu");
        says(foreign("A", &[("/x/grub.cfg", "exit\n")]).edit(true, &[]).unwrap_err(), "(/x/grub.cfg) load no kernel");
        says(foreign("A", &[grub]).edit(false, &["a b".into()]).unwrap_err(), "'a b'");
        for label in ["", "a:b", "é"] {
            says(foreign(label, &[grub]).edit(true, &[]).unwrap_err(), "label");
            foreign(label, &[grub]).edit(false, &[]).unwrap();
        }
    }
}

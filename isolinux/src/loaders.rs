//! The boot loaders of a medium: isolinux of this machine for BIOS; shim and GRUB for UEFI, the
//! image's own if it has both, for its kernel is signed for its shim.

use std::path::{Path, PathBuf};

use installer_core::{Error, Result, Stage};

/// Where distributions have them: Debian, Fedora.
const ISOLINUX: &[&str] = &["/usr/lib/ISOLINUX/isolinux.bin", "/usr/share/syslinux/isolinux.bin"];
const MBR: &[&str] = &["/usr/lib/ISOLINUX/isohdpfx.bin", "/usr/share/syslinux/isohdpfx.bin"];
const LDLINUX: &[&str] = &["/usr/lib/syslinux/modules/bios/ldlinux.c32", "/usr/share/syslinux/ldlinux.c32"];
const SHIM: &[&str] = &["/usr/lib/shim/shimx64.efi.signed", "/boot/efi/EFI/fedora/shimx64.efi"];
const GRUB: &[&str] = &["/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "/boot/efi/EFI/fedora/gcdx64.efi"];

/// Files of boot loaders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaders {
    pub(crate) isolinux: PathBuf,
    pub(crate) mbr: PathBuf,
    pub(crate) ldlinux: PathBuf,
    pub(crate) shim: PathBuf,
    pub(crate) grub: PathBuf,
    /// Whether shim and GRUB are the image's.
    pub of_image: bool,
}

impl Loaders {
    /// Finds them; `efi` is the directory of those that the image brought.
    pub fn find(efi: &Path) -> Result<Self> {
        let (shim, grub) = (efi.join("shimx64.efi"), efi.join("gcdx64.efi"));
        let of_image = shim.is_file() && grub.is_file();
        let (shim, grub) = if of_image {
            (shim, grub)
        } else {
            (first(SHIM, "shim", "shim-signed")?, first(GRUB, "GRUB for media", "grub-efi-amd64-signed")?)
        };
        Ok(Loaders {
            isolinux: first(ISOLINUX, "isolinux", "isolinux")?,
            mbr: first(MBR, "isolinux' boot record", "isolinux")?,
            ldlinux: first(LDLINUX, "isolinux' core module", "syslinux-common")?,
            shim,
            grub,
            of_image,
        })
    }

    /// All files, in a fixed order.
    pub(crate) fn files(&self) -> [&Path; 5] {
        [&self.isolinux, &self.mbr, &self.ldlinux, &self.shim, &self.grub]
    }
}

fn first(places: &[&str], what: &str, package: &str) -> Result<PathBuf> {
    places.iter().map(PathBuf::from).find(|path| path.is_file()).ok_or_else(|| {
        Error::world(Stage::Media, format!("{what} is not installed (looked for {})", places.join(" and ")))
            .hint(format!("Debian's package is {package}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_images_own_are_taken_as_a_pair_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("shimx64.efi"), "shim").unwrap();
        let host = Loaders::find(dir.path()).unwrap();
        assert!(!host.of_image && !host.shim.starts_with(dir.path()), "{host:?}");
        std::fs::write(dir.path().join("gcdx64.efi"), "grub").unwrap();
        let own = Loaders::find(dir.path()).unwrap();
        assert!(own.of_image && own.shim.starts_with(dir.path()) && own.grub.starts_with(dir.path()), "{own:?}");
        let error = first(&["/none/a", "/none/b"], "it", "the-package").unwrap_err();
        assert!(error.to_string().contains("/none/a and /none/b"), "{error}");
    }
}

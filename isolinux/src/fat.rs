//! Boot menus inside an EFI system partition, by mtools: without root and without a mount.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use installer_core::error::Context as _;
use installer_core::host::{Host, ProgramError};
use installer_core::program::Program;
use installer_core::{Error, Result, Stage};

use crate::iso9660::Extent;
use crate::program::not_done;

/// No menu is larger.
const LARGEST: u64 = 1 << 20;

/// A file system taken out of a medium.
pub(crate) struct Fat<'a> {
    host: &'a dyn Host,
    dir: tempfile::TempDir,
    extent: Extent,
}

impl<'a> Fat<'a> {
    /// Copies the one at `extent` of `medium`; the copy goes with this.
    pub fn extract(host: &'a dyn Host, medium: &mut File, extent: Extent) -> Result<Self> {
        let doing = || "taking the EFI system partition out of the medium";
        let dir = tempfile::Builder::new().prefix("bootc-ks-iso-").tempdir().doing(Stage::Media, doing())?;
        let fat = Fat { host, dir, extent };
        let mut image = File::create(fat.image()).doing(Stage::Media, doing())?;
        medium.seek(SeekFrom::Start(extent.offset)).doing(Stage::Media, doing())?;
        let copied = io::copy(&mut medium.take(extent.size), &mut image).doing(Stage::Media, doing())?;
        if copied != extent.size {
            return Err(Error::input(Stage::Media, "the EFI system partition of the medium is cut off"));
        }
        Ok(fat)
    }

    fn image(&self) -> PathBuf {
        self.dir.path().join("efi.img")
    }

    fn run(&self, program: &str, args: &[&str], line: &mut dyn FnMut(&str)) -> Result<()> {
        let image = self.image().display().to_string();
        // mtools has its own idea of how large a disk may be.
        let program =
            Program::new(program).args(["-i", &image]).args(args.iter().copied()).env("MTOOLS_SKIP_CHECK", "1");
        self.host.run(&program, line).map_err(|error| match error {
            missing @ ProgramError::Missing { .. } => not_done(missing),
            other => Error::world(Stage::Media, "working on the EFI system partition of the ISO").because(other),
        })
    }

    /// The boot menus in it by their paths (`/EFI/BOOT/grub.cfg`).
    pub fn menus(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut paths = Vec::new();
        self.run("mdir", &["-b", "-/", "::/"], &mut |line| {
            paths.extend(line.strip_prefix("::").filter(|path| is_menu(path)).map(str::to_owned));
        })?;
        paths.sort_unstable();
        paths.into_iter().map(|path| Ok((path.clone(), self.read(&path)?))).collect()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>> {
        let file = self.dir.path().join("menu");
        self.run("mcopy", &["-n", "-o", &format!("::{path}"), &file.display().to_string()], &mut |_| {})?;
        let size = fs::metadata(&file).doing(Stage::Media, "reading a boot menu")?.len();
        if size > LARGEST {
            return Err(Error::input(
                Stage::Media,
                format!("{path} of the EFI system partition is no boot menu: {size} bytes"),
            ));
        }
        fs::read(&file).doing(Stage::Media, "reading a boot menu")
    }

    /// Puts a menu in place of the one that is there.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let file = self.dir.path().join("menu");
        put_private(&file, text.as_bytes())?;
        self.run("mcopy", &["-o", &file.display().to_string(), &format!("::{path}")], &mut |_| {}).map_err(|error| {
            error
                .context(format!("writing {path}"))
                .hint("if it is full: a second stick with the label OEMDRV and the kickstart as /ks.cfg does as well")
        })
    }

    /// Writes it back onto `medium`, where it came from.
    pub fn put_back(&self, medium: &mut File) -> Result<()> {
        let doing = || "writing the EFI system partition";
        let mut image = File::open(self.image()).doing(Stage::Media, doing())?;
        medium.seek(SeekFrom::Start(self.extent.offset)).doing(Stage::Media, doing())?;
        let copied = io::copy(&mut (&mut image).take(self.extent.size), medium).doing(Stage::Media, doing())?;
        let rest = io::copy(&mut image, &mut io::sink()).doing(Stage::Media, doing())?;
        if copied != self.extent.size || rest > 0 {
            return Err(Error::failed(Stage::Media, "the EFI system partition changed its size"));
        }
        Ok(())
    }
}

/// Writes a file for the owner alone, in place of one that is there.
pub(crate) fn put_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    let options = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    options.and_then(|mut file| file.write_all(bytes)).doing(Stage::Media, doing())
}

/// `grub.cfg`, and the names of menus beside a boot loader that was renamed (`BOOT.conf`).
fn is_menu(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    matches!(name.as_str(), "grub.cfg" | "syslinux.cfg") || name.starts_with("boot") && name.ends_with(".conf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_are_known_by_their_names() {
        for path in ["/EFI/BOOT/grub.cfg", "/EFI/BOOT/BOOT.conf", "/efi/boot/bootx64.conf", "/EFI/fedora/GRUB.CFG"] {
            assert!(is_menu(path), "{path}");
        }
        for path in ["/EFI/BOOT/", "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/fonts/unicode.pf2", "/EFI/BOOT/BOOT.conf/"] {
            assert!(!is_menu(path), "{path}");
        }
    }
}

//! The EFI system partition behind the file system of the ISO: shim, GRUB, and two lines that
//! lead to the menu. What may change later is not in here, so that it never has to be written
//! again. Made without root and without a mount.

use std::path::Path;

use installer_core::error::Context as _;
use installer_core::host::Host;
use installer_core::program::Program;
use installer_core::{Result, Stage};

use crate::loaders::Loaders;

/// Room for what the file system needs itself, in KiB.
const SPARE: u64 = 512;

/// Makes it at `image`. `menu` is the file for those boot loaders that look beside themselves,
/// `id` its serial number.
pub(crate) fn make(host: &dyn Host, loaders: &Loaders, menu: &Path, id: u32, epoch: u64, image: &Path) -> Result<()> {
    let files = [(loaders.shim.as_path(), "BOOTX64.EFI"), (&loaders.grub, "grubx64.efi"), (menu, "grub.cfg")];
    let mut kib = SPARE;
    for (path, _) in files {
        let size = path.metadata().doing(Stage::Media, format!("looking at {}", path.display()))?.len();
        kib += size.div_ceil(1024) + 32;
    }
    let run = |program: Program| {
        let program = program.env("SOURCE_DATE_EPOCH", epoch.to_string());
        host.run(&program, &mut |_| {}).map_err(crate::program::not_done)
    };
    let image = image.display().to_string();
    // `--invariant` is for the date of the label; the serial number has to come behind it.
    let mkfs =
        Program::new("mkfs.vfat").args(["-C", "--invariant", "-n", "BOOTC_KS", "-i", &format!("{id:08x}"), &image]);
    run(mkfs.arg(kib.next_multiple_of(1024).to_string()))?;
    run(Program::new("mmd").args(["-i", &image, "::/EFI", "::/EFI/BOOT"]))?;
    files.iter().try_for_each(|(path, name)| {
        let to = format!("::/EFI/BOOT/{name}");
        run(Program::new("mcopy").args(["-i", &image, &path.display().to_string(), &to]))
    })
}

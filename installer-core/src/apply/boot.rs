//! The boot loader: the image's own, installed from inside the image.
//!
//! bootupd does it all where the image has it. Otherwise GRUB goes into the BIOS boot
//! partition by its own installer, and for UEFI one self-contained GRUB goes to the path that
//! every firmware tries (`\EFI\BOOT\BOOTX64.EFI`); it finds the rest by the UUID of /boot, so
//! that the disk boots in any machine and no firmware variable is needed.

use std::fs;
use std::path::{Path, PathBuf};

use super::run::Run;
use crate::deploy::sysroot;
use crate::error::{Context, Error, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::plan::{BootPlan, Device, Loader, Names, Step};
use crate::program::Program;
use crate::request::Purpose;

/// What the self-contained GRUB must be able to do before it can read anything else. Those
/// that an image's GRUB does not have are left out.
const MODULES: &[&str] = &[
    "part_gpt",
    "part_msdos",
    "fat",
    "ext2",
    "xfs",
    "btrfs",
    "lvm",
    "mdraid1x",
    "normal",
    "linux",
    "search",
    "search_fs_uuid",
    "configfile",
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
];

/// Installs the boot loader.
pub fn install(run: &mut Run<'_>, boot: &BootPlan) -> Result<()> {
    match &boot.loader {
        Loader::Bootupd => {
            let disk = run.names.disk();
            let program = Program::new("bootupctl")
                .args(["backend", "install", "--write-uuid", "--device", disk.as_str(), "/sysroot"])
                .inside(&run.system_root());
            run.run(Stage::Bootloader, &program)
        }
        Loader::Grub { install, reads_entries } => grub(run, boot, install, *reads_entries),
    }
}

/// The names that an image's GRUB goes by: `grub` in Debian, `grub2` in Fedora.
struct Grub {
    name: &'static str,
}

impl Grub {
    fn of(installer: &str) -> Self {
        Grub { name: if installer.contains("grub2-") { "grub2" } else { "grub" } }
    }
}

fn grub(run: &mut Run<'_>, boot: &BootPlan, installer: &str, reads_entries: bool) -> Result<()> {
    let grub = Grub::of(installer);
    if boot.bios {
        let disk = run.names.disk();
        let program = Program::new(installer)
            .args(["--target=i386-pc", "--boot-directory=/boot", "--no-floppy", disk.as_str()])
            .inside(&run.system_root());
        run.run(Stage::Bootloader, &program)?;
    }
    if boot.uefi {
        uefi(run, &grub)?;
    }
    menu(run, boot, &grub, reads_entries)
}

/// The UUID of the file system that holds /boot.
fn boot_uuid(run: &Run<'_>) -> Result<String> {
    let holds = |at: &str| {
        run.plan.steps.iter().filter_map(Step::area).find_map(|(device, purpose)| match purpose {
            Purpose::Mount(point) if point.as_str() == at => Some(device),
            _ => None,
        })
    };
    let device = holds("/boot").or_else(|| holds("/"));
    device
        .map(|device| run.names.uuid(device))
        .ok_or_else(|| Error::failed(Stage::Bootloader, "no file system holds /boot"))
}

fn esp(run: &Run<'_>) -> Result<Device> {
    let found = run.plan.steps.iter().filter_map(Step::area).find(|(_, purpose)| **purpose == Purpose::Esp);
    found
        .map(|(device, _)| device.clone())
        .ok_or_else(|| Error::failed(Stage::Bootloader, "there is no EFI system partition"))
}

/// GRUB's platform for UEFI, and the file name that firmware looks for.
fn uefi_names() -> (&'static str, &'static str) {
    if cfg!(target_arch = "aarch64") { ("arm64-efi", "BOOTAA64.EFI") } else { ("x86_64-efi", "BOOTX64.EFI") }
}

fn uefi(run: &mut Run<'_>, grub: &Grub) -> Result<()> {
    let (platform, file) = uefi_names();
    let system = run.system()?;
    let modules: Vec<&str> = MODULES
        .iter()
        .copied()
        .filter(|module| system.exists(&format!("/usr/lib/grub/{platform}/{module}.mod")))
        .collect();
    let uuid = boot_uuid(run)?;
    // The link /boot/boot makes this path right whether or not /boot is a file system of its own.
    let early = format!(
        "search --no-floppy --fs-uuid --set=root {uuid}\nset prefix=($root)/boot/{name}\nconfigfile $prefix/grub.cfg\n",
        name = grub.name
    );
    // /tmp of the system is a tmpfs of this installation's own.
    let (config, output) = ("/tmp/bootc-ks-grub.cfg", "/tmp/bootc-ks-grub.efi");
    system
        .write(config, early.as_bytes(), 0o600, None)
        .doing(Stage::Bootloader, "writing GRUB's first configuration")?;
    let prefix = format!("/boot/{}", grub.name);
    let program = Program::new(format!("{}-mkimage", grub.name))
        .args(["-O", platform, "-o", output, "-c", config, "-p", prefix.as_str()])
        .args(modules)
        .inside(&run.system_root());
    run.run(Stage::Bootloader, &program)?;
    let device = esp(run)?;
    let source = run.system_root().join(output.trim_start_matches('/'));
    fill_esp(run, &device, &source, file)
}

/// Puts one loader into the ESP: mounted where the kernel has vfat, by mtools where not.
fn fill_esp(run: &mut Run<'_>, device: &Device, loader: &Path, file: &str) -> Result<()> {
    let node = run.names.node(device);
    let target = run.work.join("esp");
    fs::create_dir_all(&target).doing(Stage::Bootloader, "making a mount point")?;
    let mount = Mount { source: node.clone(), target: target.clone(), kind: MountKind::Device("vfat".into()) };
    let mark = run.teardown.mark();
    match run.host.mount(&mount) {
        Ok(()) => {
            run.teardown.push(super::teardown::Close::Unmount(target.clone()));
            let dir = target.join("EFI/BOOT");
            let copy = || -> std::io::Result<()> {
                fs::create_dir_all(&dir)?;
                fs::copy(loader, dir.join(file))?;
                fs::File::open(dir.join(file))?.sync_all()
            };
            copy().doing(Stage::Bootloader, "filling the EFI system partition")?;
            run.teardown.unwind_to(mark, run.host)
        }
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {
            tracing::info!("the kernel has no vfat; filling the ESP with mtools");
            let mmd = Program::new("mmd").args(["-i", node.as_str(), "::/EFI", "::/EFI/BOOT"]);
            run.run(Stage::Bootloader, &mmd)?;
            let mcopy = Program::new("mcopy")
                .args(["-o", "-i", node.as_str()])
                .arg(loader.display().to_string())
                .arg(format!("::/EFI/BOOT/{file}"));
            run.run(Stage::Bootloader, &mcopy)
        }
        Err(error) => Err(error).doing(Stage::Bootloader, "mounting the EFI system partition"),
    }
}

/// GRUB's menu. One that reads the boot entries needs it once; for another libostree writes it
/// anew at each update (`sysroot.bootloader=grub2`), and this is the first of them.
fn menu(run: &mut Run<'_>, plan: &BootPlan, grub: &Grub, reads_entries: bool) -> Result<()> {
    let boot = run.physical_root().join("boot");
    let doing = "writing GRUB's menu";
    let dir = boot.join(grub.name);
    fs::create_dir_all(&dir).doing(Stage::Bootloader, doing)?;
    let serial = run.kargs.iter().any(|karg| karg.starts_with("console=ttyS"));
    let uuid = boot_uuid(run)?;
    if reads_entries {
        let text = format!("{}blscfg\n", preamble(&uuid, serial, plan.timeout));
        return fs::write(dir.join("grub.cfg"), text).doing(Stage::Bootloader, doing);
    }
    let entry = run.deployed.as_ref().map(|deployed| deployed.entry.clone()).unwrap_or_default();
    let entry = fs::read_to_string(&entry).doing(Stage::Bootloader, "reading the boot entry")?;
    let text = format!("{}{}", preamble(&uuid, serial, plan.timeout), menu_entry(&entry));
    fs::write(loader_dir(&boot).join("grub.cfg"), text).doing(Stage::Bootloader, doing)?;
    let link = dir.join("grub.cfg");
    match fs::remove_file(&link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).doing(Stage::Bootloader, doing)?,
        _ => {}
    }
    std::os::unix::fs::symlink("../loader/grub.cfg", &link).doing(Stage::Bootloader, doing)?;
    sysroot::set_bootloader_backend(run.host, &run.physical_root(), "grub2")
}

fn loader_dir(boot: &Path) -> PathBuf {
    boot.join("loader")
}

fn preamble(uuid: &str, serial: bool, timeout: u32) -> String {
    let serial = if serial {
        "serial --unit=0 --speed=115200\nterminal_input console serial\nterminal_output console serial\n"
    } else {
        ""
    };
    format!(
        "# Written by bootc-ks at installation.\nset timeout={timeout}\nset default=0\ninsmod part_gpt\ninsmod gzio\n\
         {serial}search --no-floppy --fs-uuid --set=root {uuid}\n"
    )
}

/// A boot entry as GRUB's own words.
fn menu_entry(entry: &str) -> String {
    let value = |key: &str| {
        entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')).unwrap_or_default().trim().to_owned()
    };
    // In single quotes nothing is special to GRUB but the quote itself.
    let title = value("title").replace('\'', "");
    let quoted: Vec<String> = value("options").split_whitespace().map(grub_quote).collect();
    let mut text = format!("menuentry '{title}' {{\n  linux {} {}\n", value("linux"), quoted.join(" "));
    if !value("initrd").is_empty() {
        text.push_str(&format!("  initrd {}\n", value("initrd")));
    }
    text.push_str("}\n");
    text
}

fn grub_quote(word: &str) -> String {
    if word.chars().any(|c| "{}|&$;<>\"'\\#".contains(c)) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_becomes_a_menu_entry() {
        let entry = "title Debian (ostree:0)\nversion 1\noptions root=UUID=1 a=$b rw\nlinux /boot/o/vmlinuz\ninitrd /boot/o/i.img\n";
        assert_eq!(
            menu_entry(entry),
            "menuentry 'Debian (ostree:0)' {\n  linux /boot/o/vmlinuz root=UUID=1 'a=$b' rw\n  initrd /boot/o/i.img\n}\n"
        );
    }

    #[test]
    fn each_family_has_its_own_names() {
        assert_eq!(Grub::of("/usr/sbin/grub-install").name, "grub");
        assert_eq!(Grub::of("/usr/sbin/grub2-install").name, "grub2");
    }
}

//! The boot loader of a plan: data, and the commands that it stands for.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::program::Program;
use crate::storage::device::{Device, Names};

/// How the machine will start the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootPlan {
    /// Which boot loader.
    pub loader: Loader,
    /// For BIOS, into the disk's first sectors and the BIOS boot partition.
    pub bios: bool,
    /// For UEFI, into the ESP, at the path that every firmware tries.
    pub uefi: bool,
    /// Seconds that the menu waits at the first boot.
    pub timeout: u32,
    /// Whether a password keeps the menu as it is (it travels apart from the plan).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub password: bool,
}

/// What stands for the menu's password among a plan's secrets.
pub const MENU_PASSWORD: &str = "<password of the menu>";

/// A boot loader and how its menu is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Loader {
    /// bootupd installs and later updates it; the menu is read from the boot entries.
    Bootupd,
    /// GRUB's own installer, run inside the image.
    Grub {
        /// grub-install inside the image.
        install: String,
        /// Whether that GRUB reads the boot entries itself. Where it does not, libostree
        /// rewrites the menu at each update.
        reads_entries: bool,
        /// What is made and put into the ESP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        efi: Option<EfiGrub>,
    },
}

/// A GRUB for UEFI: one file that finds the rest by the UUID of /boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EfiGrub {
    /// grub-mkimage inside the image.
    pub mkimage: String,
    /// GRUB's name of the platform.
    pub platform: String,
    /// Its modules.
    pub modules: Vec<String>,
    /// Where it goes: the EFI system partition.
    pub esp: Device,
    /// Whether that is filled by mtools, because the running kernel cannot mount it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mtools: bool,
}

impl EfiGrub {
    /// GRUB's first configuration, inside the system; /tmp is a tmpfs of the installation's own.
    pub const CONFIG: &str = "/tmp/bootc-ks-grub.cfg";
    /// What is made, inside the system.
    pub const OUTPUT: &str = "/tmp/bootc-ks-grub.efi";

    /// The file that firmware of this platform looks for by itself.
    pub fn file(&self) -> &'static str {
        if self.platform == "arm64-efi" { "BOOTAA64.EFI" } else { "BOOTX64.EFI" }
    }

    fn commands(&self, prefix: &str, names: &dyn Names) -> Vec<Program> {
        let system = names.system();
        let make = Program::new(self.mkimage.as_str())
            .args(["-O", self.platform.as_str(), "-o", Self::OUTPUT, "-c", Self::CONFIG, "-p", prefix])
            .args(self.modules.iter().map(String::as_str))
            .inside(Path::new(&system));
        let mut commands = vec![make];
        if self.mtools {
            commands.extend(self.fill(names));
        }
        commands
    }

    /// The commands that fill an ESP which is not mounted with the loader, as it was taken out of the
    /// system.
    pub fn fill(&self, names: &dyn Names) -> [Program; 2] {
        let node = names.node(&self.esp);
        [
            Program::new("mmd").args(["-i", node.as_str(), "::/EFI", "::/EFI/BOOT"]),
            Program::new("mcopy")
                .args(["-o", "-i", node.as_str()])
                .arg(names.loader())
                .arg(format!("::/EFI/BOOT/{}", self.file())),
        ]
    }
}

/// The directory below /boot that a GRUB keeps its files in: `grub` in Debian, `grub2` in Fedora.
pub fn grub_directory(install: &str) -> &'static str {
    if install.contains("grub2-") { "grub2" } else { "grub" }
}

impl BootPlan {
    pub(super) fn title(&self) -> String {
        let firmware = match (self.bios, self.uefi) {
            (true, true) => "BIOS and UEFI",
            (true, false) => "BIOS",
            _ => "UEFI",
        };
        let loader = match self.loader {
            Loader::Bootupd => "bootupd",
            Loader::Grub { .. } => "the image's GRUB",
        };
        let password = if self.password { ", its menu behind a password" } else { "" };
        format!("install the boot loader for {firmware} with {loader}{password}")
    }

    /// The commands that install it, in order.
    pub(super) fn commands(&self, names: &dyn Names) -> Vec<Program> {
        let (disk, system) = (names.disk(), names.system());
        let system = Path::new(&system);
        match &self.loader {
            // It mounts the ESP by itself.
            Loader::Bootupd => vec![self.bootupd(&disk).inside(system).with(|cage| cage.mounts = true)],
            Loader::Grub { install, efi, .. } => {
                let mut commands = Vec::new();
                if self.bios {
                    let program = Program::new(install.as_str());
                    let program = program.args(["--target=i386-pc", "--boot-directory=/boot", "--no-floppy"]);
                    commands.push(program.arg(disk).inside(system));
                }
                if let Some(efi) = efi {
                    commands.extend(efi.commands(&format!("/boot/{}", grub_directory(install)), names));
                }
                commands
            }
        }
    }

    /// bootupd's own installer. It puts all its components on a disk unless they are named, and
    /// fails over one that has no partition there.
    fn bootupd(&self, disk: &str) -> Program {
        let mut program = Program::new("bootupctl").args(["backend", "install", "--write-uuid"]);
        if self.bios != self.uefi {
            program = program.args(["--component", if self.uefi { "EFI" } else { "BIOS" }]);
        }
        program.args(["--device", disk, "/sysroot"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Planned;

    fn show(loader: Loader, bios: bool) -> Vec<String> {
        let plan = BootPlan { loader, bios, uefi: true, timeout: 1, password: false };
        plan.commands(&Planned::on("/dev/vda")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_loader_has_its_commands() {
        for (bios, component) in [(true, ""), (false, "--component EFI ")] {
            let expected = format!(
                "chroot '<system>' bootupctl backend install --write-uuid {component}--device /dev/vda /sysroot"
            );
            assert_eq!(show(Loader::Bootupd, bios), [expected]);
        }
        let efi = EfiGrub {
            mkimage: "/usr/bin/grub2-mkimage".into(),
            platform: "x86_64-efi".into(),
            modules: vec!["fat".into(), "normal".into()],
            esp: Device::Partition { disk: 0, number: 2 },
            mtools: true,
        };
        let grub = |efi| Loader::Grub { install: "/usr/sbin/grub2-install".into(), reads_entries: true, efi };
        let bios = "chroot '<system>' /usr/sbin/grub2-install --target=i386-pc --boot-directory=/boot --no-floppy \
            /dev/vda";
        let make = "chroot '<system>' /usr/bin/grub2-mkimage -O x86_64-efi -o /tmp/bootc-ks-grub.efi \
            -c /tmp/bootc-ks-grub.cfg -p /boot/grub2 fat normal";
        assert_eq!(show(grub(None), true), [bios]);
        let mount = EfiGrub { mtools: false, ..efi.clone() };
        assert_eq!(show(grub(Some(mount)), true), [bios, make]);
        let fill = ["mmd -i /dev/vda2 ::/EFI ::/EFI/BOOT", "mcopy -o -i /dev/vda2"];
        let seen = show(grub(Some(efi)), false);
        assert_eq!(seen[..2], [make, fill[0]]);
        assert_eq!(seen[2], format!("{} '<loader>' ::/EFI/BOOT/BOOTX64.EFI", fill[1]));
    }

    #[test]
    fn each_family_has_its_own_names() {
        assert_eq!(grub_directory("/usr/sbin/grub-install"), "grub");
        assert_eq!(grub_directory("/usr/sbin/grub2-install"), "grub2");
    }
}

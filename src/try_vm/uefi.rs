//! A machine with UEFI for a trial. QEMU's own network says nothing of HTTP boot, so GRUB comes
//! from a small stick, and all the rest (menu, kernel, initramfs, kickstart) from the network.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use installer_core::host::{Host, Real};
use installer_core::program::Program;
use installer_core::storage::filesystem::mkfs_esp;
use installer_core::{Error, Stage};

/// Firmware and empty variables, where Debian and Fedora have them.
const FIRMWARE: &[(&str, &str)] = &[
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
];
/// Where a GRUB looks for its menu, by its builder.
const MENUS: &[&str] = &["grub", "EFI/BOOT", "EFI/debian", "EFI/fedora", "EFI/centos", "EFI/redhat"];
/// GRUB and a menu fit many times.
const STICK: u64 = 64 << 20;

/// QEMU's arguments for the firmware and the stick; the files are made in `work`. `server` is
/// where the boot server is for the machine (`HOST:PORT`), `mac` the address of its network card.
pub fn args(work: &Path, environment: &Path, server: &str, mac: &str) -> anyhow::Result<Vec<String>> {
    let (code, variables) = FIRMWARE.iter().find(|(code, _)| Path::new(code).exists()).ok_or_else(|| {
        Error::world(Stage::Media, "there is no UEFI firmware for QEMU here").hint("install OVMF (Debian: ovmf)")
    })?;
    let own = work.join("firmware-variables.fd");
    fs::copy(variables, &own).with_context(|| format!("copying {variables}"))?;
    let stick = stick(work, environment, &menu_of(server, mac))?;
    let drive = |options: &str, file: &Path| {
        // A comma in a name is written twice.
        ["-drive".to_owned(), format!("{options},format=raw,file={}", file.display().to_string().replace(',', ",,"))]
    };
    let mut args = Vec::new();
    args.extend(drive("if=pflash,readonly=on", Path::new(code)));
    args.extend(drive("if=pflash", &own));
    args.extend(drive("if=none,id=stick,readonly=on", &stick));
    // Behind the disks: an empty one is passed over, and one that is installed goes first.
    args.extend(["-device".to_owned(), "virtio-blk-pci,drive=stick,serial=stick,bootindex=99".to_owned()]);
    Ok(args)
}

fn stick(work: &Path, environment: &Path, commands: &str) -> anyhow::Result<PathBuf> {
    let grub = environment.join("efi/grubx64.efi");
    if !grub.is_file() {
        return Err(Error::world(Stage::Media, format!("{} has no GRUB for UEFI", environment.display()))
            .hint("add GRUB 2.12 or later with its modules for x86_64-efi to the image, or try with BIOS")
            .into());
    }
    let (menu, stick) = (work.join("stick.cfg"), work.join("stick.img"));
    fs::write(&menu, commands).with_context(|| format!("writing {}", menu.display()))?;
    let file = fs::File::create(&stick).with_context(|| format!("making {}", stick.display()))?;
    file.set_len(STICK).with_context(|| format!("making {}", stick.display()))?;
    let image = stick.display().to_string();
    let run = |program: Program| {
        let doing = format!("filling {image}: {}", program.name);
        Real.run(&program, &mut |_| ()).map_err(|error| Error::world(Stage::Media, doing).because(error))
    };
    run(mkfs_esp(&image, "7472790A"))?;
    run(Program::new("mmd").args(["-i", &image, "::EFI"]))?;
    for dir in MENUS {
        run(Program::new("mmd").args(["-i", &image]).arg(format!("::{dir}")))?;
        run(Program::new("mcopy")
            .args(["-i", &image])
            .arg(menu.display().to_string())
            .arg(format!("::{dir}/grub.cfg")))?;
    }
    run(Program::new("mcopy").args(["-i", &image]).arg(grub.display().to_string()).arg("::EFI/BOOT/BOOTX64.EFI"))?;
    Ok(stick)
}

/// From here on it is as if GRUB had come by HTTP; but its variables for the card that it came by are
/// empty, so the machine is named here.
fn menu_of(server: &str, mac: &str) -> String {
    format!("net_bootp\nset root=(http,{server})\nconfigfile '/grub/menu?mac={mac}'\nsleep 20\n")
}

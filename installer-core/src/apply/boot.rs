//! The boot loader: the image's own, installed from inside the image.
//!
//! bootupd does it all where the image has it. Otherwise GRUB goes into the BIOS boot
//! partition by its own installer, and for UEFI one self-contained GRUB goes to the path that
//! every firmware tries (`\EFI\BOOT\BOOTX64.EFI`); it finds the rest by the UUID of /boot, so
//! that the disk boots in any machine and no firmware variable is needed.

use std::path::Path;

use super::run::{LOADER, Run};
use super::teardown::Close;
use super::unfinished;
use crate::error::{Context, Error, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::plan::{BootPlan, EfiGrub, Loader, MENU_PASSWORD, Names, Step, grub_directory};
use crate::request::Purpose;

/// Installs the boot loader: the step's own commands, and the files around them.
pub fn install(run: &mut Run<'_>, step: &Step, boot: &BootPlan) -> Result<()> {
    let efi = match &boot.loader {
        Loader::Grub { install, efi: Some(efi), .. } => Some((efi, grub_directory(install))),
        _ => None,
    };
    if let Some((_, name)) = efi {
        first_configuration(run, name)?;
    }
    let name = match &boot.loader {
        Loader::Bootupd => "grub2",
        Loader::Grub { install, .. } => grub_directory(install),
    };
    // Before what reads it, so that there is no boot loader without a menu.
    if let Loader::Grub { reads_entries, .. } = &boot.loader {
        menu(run, boot, name, *reads_entries)?;
    }
    // What is still in memory would be gone with the power, and the first sector is written at once.
    run.host.write_out(&run.physical_root().join("boot"));
    for program in step.commands(&run.names) {
        if program.name == "mcopy" {
            keep_loader(run)?;
        }
        run.run(Stage::Bootloader, &program)?;
    }
    if let Some((efi, _)) = efi.filter(|(efi, _)| !efi.mtools) {
        fill_esp(run, efi)?;
    }
    if let Some(hash) = run.plan.secrets.get(MENU_PASSWORD) {
        let text = format!("GRUB2_PASSWORD={}\n", hash.expose());
        let doing = "writing the password of the menu";
        let path = format!("boot/{name}/{USER_CONFIG}");
        run.physical(Stage::Bootloader)?.write(&path, text.as_bytes(), 0o600, None).doing(Stage::Bootloader, doing)?;
    }
    Ok(())
}

/// Where Fedora's tools and bootupd's menu have the password.
const USER_CONFIG: &str = "user.cfg";
/// What GRUB's mkconfig runs to keep the password in the menus that it writes at updates.
const PASSWORD_SCRIPT: &str = "/etc/grub.d/01_bootc-ks-password";

/// How a menu takes the password from the file beside it. Its entries start without one.
fn password_lines(name: &str) -> String {
    format!(
        "if [ -f ($root)/boot/{name}/{USER_CONFIG} ]; then\n  source ($root)/boot/{name}/{USER_CONFIG}\n  \
         set superusers=root\n  export superusers\n  password_pbkdf2 root ${{GRUB2_PASSWORD}}\nfi\n"
    )
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

/// What GRUB for UEFI does before it has read anything.
fn first_configuration(run: &Run<'_>, name: &str) -> Result<()> {
    let uuid = boot_uuid(run)?;
    // The link /boot/boot makes this path right whether or not /boot is a file system of its own.
    let early = format!(
        "search --no-floppy --fs-uuid --set=root {uuid}\nset prefix=($root)/boot/{name}\nconfigfile $prefix/grub.cfg\n"
    );
    let doing = "writing GRUB's first configuration";
    run.system()?.write(EfiGrub::CONFIG, early.as_bytes(), 0o600, None).doing(Stage::Bootloader, doing)
}

/// Takes the loader out of the system to where nothing of the image is.
fn keep_loader(run: &Run<'_>) -> Result<()> {
    let loader = run.system()?.read_bytes(EfiGrub::OUTPUT).doing(Stage::Bootloader, "reading the new boot loader")?;
    let doing = "keeping the new boot loader";
    run.open(Stage::Bootloader, &run.work)?.write(LOADER, &loader, 0o600, None).doing(Stage::Bootloader, doing)
}

/// Puts the loader into the ESP.
fn fill_esp(run: &mut Run<'_>, efi: &EfiGrub) -> Result<()> {
    let doing = "filling the EFI system partition";
    let loader = run.system()?.read_bytes(EfiGrub::OUTPUT).doing(Stage::Bootloader, "reading the new boot loader")?;
    let target = run.mount_point(Stage::Bootloader, "esp")?;
    let source = run.names.node(&efi.esp);
    let mark = run.teardown.mark();
    let mount = Mount { source, target: target.clone(), kind: MountKind::Device("vfat".into()) };
    if let Err(error) = run.host.mount(&mount) {
        // A kernel may know vfat and lack its character set.
        tracing::warn!(%error, "mounting the EFI system partition; it is filled by mtools");
        keep_loader(run)?;
        return efi.fill(&run.names).iter().try_for_each(|program| {
            run.run(Stage::Bootloader, program)
                .map_err(|second| second.context(format_args!("mounting the EFI system partition: {error}")))
        });
    }
    run.teardown.push(Close::Unmount(target.clone()));
    let esp = run.open(Stage::Bootloader, &target)?;
    esp.write(&format!("EFI/BOOT/{}", efi.file()), &loader, 0o644, None).doing(Stage::Bootloader, doing)?;
    // What is open in there would keep it mounted.
    drop(esp);
    run.teardown.unwind_to(mark, run.host)
}

/// GRUB's menu. One that reads the boot entries needs it once; for another libostree writes it
/// anew at each update (`sysroot.bootloader=grub2`), and this is the first of them.
fn menu(run: &mut Run<'_>, plan: &BootPlan, name: &str, reads_entries: bool) -> Result<()> {
    let doing = "writing GRUB's menu";
    let root = run.physical(Stage::Bootloader)?;
    let serial = run.kargs.iter().any(|karg| karg.starts_with("console=ttyS"));
    let mut preamble = preamble(&boot_uuid(run)?, serial, plan.timeout);
    if plan.password {
        preamble.push_str("insmod password_pbkdf2\n");
        preamble.push_str(&password_lines(name));
    }
    let config = format!("boot/{name}/grub.cfg");
    if reads_entries {
        let text = format!("{preamble}blscfg\n");
        return root.write(&config, text.as_bytes(), 0o644, None).doing(Stage::Bootloader, doing);
    }
    let entry = boot_entry(run)?;
    let text = format!("{preamble}{}", menu_entry(&entry));
    root.write(&unfinished::beside_entries(run, "grub.cfg"), text.as_bytes(), 0o644, None)
        .doing(Stage::Bootloader, doing)?;
    root.symlink(&config, "../loader/grub.cfg").doing(Stage::Bootloader, doing)?;
    if plan.password {
        let script = format!("#!/bin/sh\ncat <<'EOF'\ninsmod password_pbkdf2\n{}EOF\n", password_lines(name));
        run.system()?.write(PASSWORD_SCRIPT, script.as_bytes(), 0o755, None).doing(Stage::Bootloader, doing)?;
    }
    run.deployer.set_bootloader_backend(run, &run.physical_root(), "grub2")
}

/// The text of the boot entry that libostree has written.
fn boot_entry(run: &Run<'_>) -> Result<String> {
    let physical = run.physical_root();
    let entry = run.deployed.as_ref().and_then(|deployed| deployed.entry.strip_prefix(&physical).ok());
    let entry = entry.map(Path::to_string_lossy).unwrap_or_default();
    let text = run.physical(Stage::Bootloader)?.read(&entry).doing(Stage::Bootloader, "reading the boot entry")?;
    text.ok_or_else(|| Error::failed(Stage::Bootloader, format!("there is no boot entry {entry}")))
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

/// What lets an entry start without the password of the menu.
const UNRESTRICTED: &str = "--unrestricted";

/// A boot entry as GRUB's own words.
fn menu_entry(entry: &str) -> String {
    let value = |key: &str| {
        entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')).unwrap_or_default().trim().to_owned()
    };
    // In single quotes nothing is special to GRUB but the quote itself.
    let title = value("title").replace('\'', "");
    let quoted: Vec<String> = value("options").split_whitespace().map(grub_quote).collect();
    let mut text = format!("menuentry '{title}' {UNRESTRICTED} {{\n  linux {} {}\n", value("linux"), quoted.join(" "));
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
            "menuentry 'Debian (ostree:0)' --unrestricted {\n  linux /boot/o/vmlinuz root=UUID=1 'a=$b' rw\n  initrd /boot/o/i.img\n}\n"
        );
    }
}

//! `bootloader`: where it goes and what it passes to the kernel.

use super::Command;
use crate::args::spec::{ALL, NO, Spec, choice, flag, int, list, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::secret::Secret;
use crate::span::Span;

/// `bootloader`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bootloader {
    /// The command line.
    pub span: Span,
    /// `--append`: kernel arguments, as written.
    pub append: Option<String>,
    /// `--location`; `None` is the installer's default.
    pub location: Option<BootloaderLocation>,
    /// `--timeout`, in seconds.
    pub timeout_seconds: Option<i64>,
    /// `--default`: the entry to boot.
    pub default: Option<String>,
    /// `--boot-drive`: the disk to boot from.
    pub boot_drive: Option<String>,
    /// `--driveorder`: the order of the disks in the BIOS.
    pub drive_order: Vec<String>,
    /// `--password`: protects the menu.
    pub password: Option<Secret>,
    /// `--iscrypted`: the password is a hash.
    pub is_crypted: bool,
    /// `--leavebootorder`: do not touch the boot order of the firmware.
    pub leave_boot_order: bool,
    /// `--nombr`: no boot code in the MBR.
    pub no_mbr: bool,
    /// `--extlinux`: extlinux instead of GRUB.
    pub extlinux: bool,
    /// `--sdboot`: systemd-boot instead of GRUB.
    pub sdboot: bool,
    /// `--disabled`: none at all.
    pub disabled: bool,
}

/// Where the boot loader goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BootloaderLocation {
    /// `mbr`: where the firmware looks first.
    Mbr,
    /// `partition`: the partition of the kernel.
    Partition,
    /// `boot`: another word for the same.
    Boot,
    /// `none`: do not install one.
    None,
}

const SPEC: Spec = Spec::new("bootloader").options(&[
    text("--append"),
    choice("--location", &["mbr", "partition", "none", "boot"]).resets(),
    text("--password").secret().resets(),
    list("--driveorder"),
    int("--timeout"),
    text("--default"),
    flag("--iscrypted"),
    text("--md5pass").secret(),
    text("--boot-drive").resets(),
    flag("--leavebootorder"),
    flag("--extlinux"),
    flag("--disabled"),
    flag("--nombr"),
    flag("--sdboot").since(10, 39),
    flag("--upgrade").deprecated(8, NO).removed(9, ALL),
    flag("--linear").long_gone(),
    flag("--nolinear").long_gone(),
    flag("--useLilo").long_gone(),
    flag("--lba32").long_gone(),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.exclude(cx, "--extlinux", "--sdboot");
    // An MD5 hash is a password that is crypted, under another name.
    let md5 = args.secret("--md5pass").filter(|p| !p.is_empty());
    kickstart.bootloader = Some(Bootloader {
        span: args.span,
        append: args.text("--append"),
        location: args.text("--location").map(|l| match l.as_str() {
            "mbr" => BootloaderLocation::Mbr,
            "partition" => BootloaderLocation::Partition,
            "boot" => BootloaderLocation::Boot,
            _ => BootloaderLocation::None,
        }),
        timeout_seconds: args.int("--timeout"),
        default: args.nonempty("--default"),
        boot_drive: args.nonempty("--boot-drive"),
        drive_order: args.list("--driveorder"),
        is_crypted: args.flag("--iscrypted") || md5.is_some(),
        password: md5.or(args.secret("--password").filter(|p| !p.is_empty())),
        leave_boot_order: args.flag("--leavebootorder"),
        no_mbr: args.flag("--nombr"),
        extlinux: args.flag("--extlinux"),
        sdboot: args.flag("--sdboot"),
        disabled: args.flag("--disabled"),
    });
}

#[cfg(test)]
mod tests {
    use super::BootloaderLocation;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn arguments_for_the_kernel() {
        let b = good("bootloader --append=\"console=ttyS0 quiet\" --location=mbr --timeout=5");
        let b = b.bootloader.unwrap();
        assert_eq!(b.append.as_deref(), Some("console=ttyS0 quiet"));
        assert_eq!(b.location, Some(BootloaderLocation::Mbr));
        assert_eq!(b.timeout_seconds, Some(5));
        let b = good("bootloader --password=hush --iscrypted").bootloader.unwrap();
        assert!(b.is_crypted && !format!("{b:?}").contains("hush"));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("bootloader --location=nowhere", &["E212"]),
            ("bootloader --append -quiet", &["E205", "E201"]),
            ("bootloader --append \"-a b\"", &[]),
            ("bootloader --linear", &["E203"]),
            ("bootloader --sdboot --extlinux", &["E214"]),
        ]);
        check_versions(&[(Syntax::Rhel9, "bootloader --sdboot", &["E202"])]);
    }
}

//! `bootloader`: where it goes and what it passes to the kernel.

use super::command::Command;
use crate::args::spec::{ALL, NO, Spec, choice, flag, int, list, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
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
    /// `--upgrade`: keep the configuration that is there.
    pub upgrade: bool,
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

impl BootloaderLocation {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            BootloaderLocation::Mbr => "mbr",
            BootloaderLocation::Partition => "partition",
            BootloaderLocation::Boot => "boot",
            BootloaderLocation::None => "none",
        }
    }
}

const SPEC: Spec =
    Spec::new("bootloader").doc("Where the boot loader goes, and what it passes to the kernel.").options(&[
        text("--append").doc("kernel arguments, as one value in quotes"),
        choice("--location", &["mbr", "partition", "none", "boot"]).resets().doc("where the boot loader goes"),
        text("--password").secret().resets().doc("a password that protects the menu"),
        list("--driveorder").doc("the order of the disks in the BIOS"),
        int("--timeout").doc("how many seconds the menu waits"),
        text("--default").doc("the entry to boot"),
        flag("--iscrypted").doc("the password is a hash"),
        text("--md5pass").secret().resets().doc("a password that is a hash already"),
        text("--boot-drive").resets().doc("the disk to boot from"),
        flag("--leavebootorder").doc("leave the boot order of the firmware alone"),
        flag("--extlinux").doc("extlinux instead of GRUB"),
        flag("--disabled").doc("no boot loader at all"),
        flag("--nombr").doc("no boot code in the MBR"),
        flag("--sdboot").since(10, 39).doc("systemd-boot instead of GRUB"),
        flag("--upgrade").deprecated(8, NO).removed(9, ALL).doc("keep the configuration that is there"),
        flag("--linear").long_gone().doc("an option of LILO"),
        flag("--nolinear").long_gone().doc("an option of LILO"),
        flag("--useLilo").long_gone().doc("LILO instead of GRUB"),
        flag("--lba32").long_gone().doc("an option of LILO"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.exclude(cx, "--extlinux", "--sdboot");
    if let Some(given) = args.last("--boot-drive")
        && args.text("--boot-drive").is_some_and(|drive| drive.contains(','))
    {
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.value_span, "`--boot-drive` takes one disk"));
    }
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
        upgrade: args.flag("--upgrade"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    pen.line("# System bootloader configuration").text("bootloader");
    match &kickstart.bootloader {
        None => pen.option("--location", Some("none")),
        Some(b) if b.disabled => pen.word("--disabled"),
        Some(b) => options(b, pen),
    }
    .end();
}

fn options<'a>(b: &Bootloader, pen: &'a mut Pen) -> &'a mut Pen {
    pen.quoted("--append", b.append.as_deref().filter(|append| !append.is_empty()))
        .option("--location", Some(b.location.unwrap_or(BootloaderLocation::Mbr).name()))
        .quoted("--password", b.password.as_ref().map(Secret::expose))
        .flag("--upgrade", b.upgrade)
        .quoted("--driveorder", (!b.drive_order.is_empty()).then(|| b.drive_order.join(",")))
        .option("--timeout", b.timeout_seconds)
        .option("--default", b.default.as_ref())
        .flag("--iscrypted", b.is_crypted)
        .option("--boot-drive", b.boot_drive.as_ref())
        .flag("--leavebootorder", b.leave_boot_order)
        .flag("--extlinux", b.extlinux)
        .flag("--nombr", b.no_mbr)
        .flag("--sdboot", b.sdboot)
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
            ("bootloader --boot-drive=sda,sdb", &["E216"]),
        ]);
        check_versions(&[(Syntax::Rhel9, "bootloader --sdboot", &["E202"])]);
    }
}

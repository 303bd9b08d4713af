//! `bootc-ks iso` and the ISOs of other installers: customised in a copy that starts by
//! everything that the original starts by.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::cli::{bootc_ks, finish};
use crate::support::disk::file_sha256;
use crate::support::iso::{SECRETS, iso, show};
use crate::support::qemu::{Firmware, Machine};
use crate::support::{need, output, payload, run};
use serde_json::{Value, json};

const SITE: &str = "zerombr\nclearpart --all --initlabel\nautopart --type=plain\nrootpw --plaintext hunter2\nreboot\n";
/// An init that shows what the kernel was given, and switches the machine off.
const INIT: &str = "B=/bin/busybox\n$B mount -t devtmpfs dev /dev\n$B mount -t proc proc /proc\n\
    exec >/dev/ttyS0 2>&1\n$B echo BEGIN\n$B cat /proc/cmdline\n$B echo END\n$B poweroff -f\n";
const EFI: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

/// How firmware finds its boot loaders.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// isolinux, and the EFI system partition as a file: Fedora up to 36, RHEL up to 9.
    File,
    /// GRUB, and the partition behind the file system, in a GPT: Fedora from 37 on, RHEL 10.
    AppendedGpt,
    /// isolinux, and the partition behind the file system, in the MBR.
    AppendedMbr,
}

fn isolinux_menu(label: &str) -> String {
    format!(
        "default vesamenu.c32\ntimeout 600\n\nlabel linux\n  menu label ^Install\n  kernel vmlinuz\n  \
         append initrd=initrd.img inst.stage2=hd:LABEL={label} quiet\n\nlabel check\n  menu default\n  kernel vmlinuz\n  \
         append initrd=initrd.img inst.stage2=hd:LABEL={label} inst.ks=cdrom:/old.ks rd.live.check quiet\n\nlabel rescue\n  \
         kernel vmlinuz\n  append initrd=initrd.img inst.stage2=hd:LABEL={label} inst.rescue quiet\n\nlabel local\n  \
         localboot 0xffff\n\nlabel memtest\n  kernel memtest\n  append console=none\n"
    )
}

fn grub_menu(label: &str) -> String {
    format!(
        "set default=\"1\"\nset timeout=60\nsearch --no-floppy --set=root -l '{label}'\n\nmenuentry 'Install' --class os {{\n\t\
         linux /images/pxeboot/vmlinuz inst.stage2=hd:LABEL={label} quiet\n\tinitrd /images/pxeboot/initrd.img\n}}\n\
         submenu 'More' {{\n\tmenuentry 'Rescue' {{\n\t\tlinux /images/pxeboot/vmlinuz inst.stage2=hd:LABEL={label} inst.rescue\n\
         \t\tinitrd /images/pxeboot/initrd.img\n\t}}\n}}\n"
    )
}

/// An ISO as other installers have them: `dir/NAME`, and what it was made of in `dir/tree`.
fn foreign(dir: &Path, name: &str, kind: Kind, label: &str) {
    let tree = dir.join("tree");
    let _ = fs::remove_dir_all(&tree);
    make_tree(&tree, label);
    fs::write(dir.join("site.ks"), SITE).unwrap();
    pack(dir, name, kind, label);
}

fn make_tree(tree: &Path, label: &str) {
    let escaped = label.replace(' ', "\\x20");
    let grub = grub_menu(&escaped);
    let put = |path: &str, bytes: &[u8]| {
        fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
        fs::write(tree.join(path), bytes).unwrap();
    };
    put("images/pxeboot/vmlinuz", b"a kernel");
    put("images/pxeboot/initrd.img", b"an initrd");
    put("images/install.img", &[7; 100_000]);
    put("EFI/BOOT/grub.cfg", grub.as_bytes());
    put("EFI/BOOT/BOOTX64.EFI", &[1; 5000]);
    put("boot/grub2/grub.cfg", grub.as_bytes());
    put("images/eltorito.img", &[0x90; 40_000]);
    put("isolinux/isolinux.cfg", isolinux_menu(&escaped).as_bytes());
    fs::copy("/usr/lib/ISOLINUX/isolinux.bin", tree.join("isolinux/isolinux.bin")).unwrap();
}

/// Makes the ISO `dir/NAME` of `dir/tree`.
fn pack(dir: &Path, name: &str, kind: Kind, label: &str) {
    let tree = dir.join("tree");
    let efi = dir.join("efi.img");
    let _ = fs::remove_file(&efi);
    run(Command::new(need("mkfs.vfat", "dosfstools")).args(["-C", "-n", "ANACONDA"]).arg(&efi).arg("2048"));
    run(Command::new(need("mcopy", "mtools")).arg("-i").arg(&efi).arg("-s").arg(tree.join("EFI")).arg("::/"));

    let mut xorriso = Command::new(need("xorriso", "xorriso"));
    xorriso.current_dir(dir).args(["-as", "mkisofs", "-quiet", "-R", "-J", "-V", label, "-o", name]);
    let isolinux = ["-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat", "-no-emul-boot"];
    let table = ["-boot-load-size", "4", "-boot-info-table"];
    let appended = ["-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"];
    let mbr = ["-isohybrid-mbr", "/usr/lib/ISOLINUX/isohdpfx.bin"];
    match kind {
        Kind::File => {
            fs::copy(&efi, tree.join("images/efiboot.img")).unwrap();
            xorriso.args(mbr).args(isolinux).args(table);
            xorriso.args(["-eltorito-alt-boot", "-e", "images/efiboot.img", "-no-emul-boot", "-isohybrid-gpt-basdat"]);
        }
        Kind::AppendedGpt => {
            fs::remove_dir_all(tree.join("isolinux")).unwrap();
            fs::write(dir.join("mbr.img"), [0x90; 512]).unwrap();
            xorriso.args(["--grub2-mbr", "mbr.img", "-partition_offset", "16", "-appended_part_as_gpt"]);
            xorriso.args(["-append_partition", "2", EFI, "efi.img"]);
            xorriso.args(["-iso_mbr_part_type", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"]);
            xorriso.args(["-c", "boot.cat", "--boot-catalog-hide", "-b", "images/eltorito.img", "-no-emul-boot"]);
            xorriso.args(table).arg("--grub2-boot-info").args(appended);
        }
        Kind::AppendedMbr => {
            xorriso.args(mbr).args(["-partition_offset", "16", "-append_partition", "2", "0xef", "efi.img"]);
            xorriso.args(isolinux).args(table).args(appended);
        }
    }
    run(xorriso.arg("tree"));
}

/// What xorriso says of the boot records, without where things lie and how large they are.
fn boot_records(iso: &Path) -> Vec<String> {
    let mut xorriso = Command::new(need("xorriso", "xorriso"));
    xorriso.args(["-no_rc", "-report_about", "WARNING", "-indev"]).arg(iso);
    let text = run(xorriso.args(["-report_el_torito", "plain", "-report_system_area", "plain"]));
    let words = |line: &str, count: usize| line.split_whitespace().take(count).collect::<Vec<_>>().join(" ");
    let kept = text.lines().filter_map(|line| match line.split(':').next()?.trim() {
        "El Torito boot img" => Some(words(line, 11)),
        "MBR partition" => Some(words(line, 6)),
        "El Torito img path" | "El Torito img opts" | "System area summary" | "Partition offset" => {
            Some(line.to_owned())
        }
        // What is between partitions has entries of its own, more or fewer of them.
        "GPT type GUID" if line.contains("28732ac1") => Some(line.to_owned()),
        _ => None,
    });
    kept.collect()
}

/// The text of a file on the ISO.
fn file_of(iso: &Path, path: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut xorriso = Command::new(need("xorriso", "xorriso"));
    xorriso.args(["-no_rc", "-osirrox", "on", "-indev"]).arg(iso);
    run(xorriso.args(["-extract", path]).arg(dir.path().join("file")));
    fs::read_to_string(dir.path().join("file")).unwrap()
}

/// The text of the menu in the EFI system partition, which El Torito has an entry for.
fn efi_menu_of(iso: &Path) -> String {
    let mut xorriso = Command::new(need("xorriso", "xorriso"));
    let text = run(xorriso.args(["-no_rc", "-indev"]).arg(iso).args(["-report_el_torito", "plain"]));
    let entry = text.lines().find(|line| line.starts_with("El Torito boot img") && line.contains("UEFI")).unwrap();
    let sector: u64 = entry.split_whitespace().last().unwrap().parse().unwrap();
    let image = format!("{}@@{}", iso.display(), sector * 2048);
    run(Command::new(need("mtype", "mtools")).args(["-i", &image, "::/EFI/BOOT/grub.cfg"]))
}

#[test]
fn every_menu_names_the_kickstart_and_every_boot_record_stays() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, label) in [(Kind::File, "RHEL-7.9 Server"), (Kind::AppendedGpt, "Fedora-42"), (Kind::AppendedMbr, "M_1")]
    {
        foreign(dir.path(), "x.iso", kind, label);
        let (x, y) = (dir.path().join("x.iso"), dir.path().join("y.iso"));
        let before = file_sha256(&x);
        let customize = ["customize", "x.iso", "--ks", "site.ks", "--karg", "console=ttyS0,115200", "-o", "y.iso"];
        let said = iso(dir.path(), &customize).exits(0).says(&[&format!("y.iso: customised, volume {label}")]);
        assert!(said.stderr.contains("  changed /EFI/BOOT/grub.cfg in the EFI system partition\n"), "{said}");
        assert_eq!(file_sha256(&x), before, "{kind:?}: the original was touched");
        assert_eq!(fs::metadata(&y).unwrap().mode() & 0o777, 0o600, "it may hold passwords");
        let records = boot_records(&x);
        assert!(records.iter().filter(|line| line.starts_with("El Torito boot img")).count() >= 2, "{records:?}");
        assert_eq!(boot_records(&y), records, "{kind:?}");
        assert_eq!(file_of(&y, "/ks.cfg"), SITE);

        let label = label.replace(' ', "\\x20");
        let ks = format!("console=ttyS0,115200 inst.ks=hd:LABEL={label}:/ks.cfg");
        let grub = grub_menu(&label)
            .replace(" quiet\n", &format!(" quiet {ks}\n"))
            .replace("inst.rescue\n", "inst.rescue console=ttyS0,115200\n");
        for path in ["/EFI/BOOT/grub.cfg", "/boot/grub2/grub.cfg"] {
            assert_eq!(file_of(&y, path), grub, "{kind:?}: {path}");
        }
        assert_eq!(efi_menu_of(&y), grub, "{kind:?}");
        if !matches!(kind, Kind::AppendedGpt) {
            let isolinux = isolinux_menu(&label)
                .replace("inst.rescue quiet", "inst.rescue keep console=ttyS0,115200")
                .replace(" inst.ks=cdrom:/old.ks", "")
                .replace(" quiet\n", &format!(" quiet {ks}\n"));
            assert_eq!(
                file_of(&y, "/isolinux/isolinux.cfg"),
                isolinux.replace("rescue keep", "rescue quiet"),
                "{kind:?}"
            );
        }
        for path in ["images/install.img", "images/pxeboot/vmlinuz", "EFI/BOOT/BOOTX64.EFI"] {
            let original = fs::read(dir.path().join("tree").join(path)).unwrap();
            assert_eq!(file_of(&y, &format!("/{path}")).as_bytes(), original, "{kind:?}: {path}");
        }
        // Linux looks at the names of Rock Ridge, others at those of Joliet.
        let joliet =
            fs::read(&y).unwrap()[17 * 2048..24 * 2048].chunks(2048).any(|sector| sector.starts_with(b"\x02CD001"));
        assert!(joliet, "{kind:?}: the Joliet tree is gone");
    }
    let left = fs::read_dir(dir.path()).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0, "temporary files are left");
}

#[test]
fn firmware_starts_the_copy_and_the_kernel_gets_its_arguments() {
    let dir = tempfile::tempdir().unwrap();
    foreign(dir.path(), "x.iso", Kind::File, "M_1");
    let tree = dir.path().join("tree");
    payload::kernel(&tree.join("images/pxeboot/vmlinuz"));
    payload::initrd(&tree.join("images/pxeboot/initrd.img"), INIT);
    let arguments = "inst.stage2=hd:LABEL=M_1 console=ttyS0";
    let isolinux = format!(
        "default linux\nlabel linux\n  kernel /images/pxeboot/vmlinuz\n  append initrd=/images/pxeboot/initrd.img {arguments}\n"
    );
    let grub = format!(
        "search --no-floppy --set=root --label M_1\nset timeout=0\nmenuentry 'Install' {{\n  \
         linux /images/pxeboot/vmlinuz {arguments}\n  initrd /images/pxeboot/initrd.img\n}}\n"
    );
    fs::write(tree.join("EFI/BOOT/grub.cfg"), grub).unwrap();
    // As Fedora's it takes the menu that lies beside it: in the EFI system partition.
    let mut image = Command::new(need("grub-mkimage", "grub-common"));
    image.args(["-O", "x86_64-efi", "-p", "/EFI/BOOT", "-o"]).arg(tree.join("EFI/BOOT/BOOTX64.EFI"));
    image.args(["normal", "search", "search_label", "part_msdos", "part_gpt", "fat", "iso9660", "linux", "boot"]);
    run(&mut image);
    for (kind, firmware) in [(Kind::File, Firmware::Bios), (Kind::AppendedGpt, Firmware::Uefi)] {
        fs::create_dir_all(tree.join("isolinux")).unwrap();
        fs::write(tree.join("isolinux/isolinux.cfg"), &isolinux).unwrap();
        fs::copy("/usr/lib/syslinux/modules/bios/ldlinux.c32", tree.join("isolinux/ldlinux.c32")).unwrap();
        pack(dir.path(), "x.iso", kind, "M_1");
        iso(dir.path(), &["customize", "x.iso", "--ks", "site.ks", "--karg", "a=1", "-o", "y.iso"]).exits(0);
        let mut vm = Machine::new(firmware).usb(&dir.path().join("y.iso")).memory(640).start();
        vm.wait_for_serial("\nEND\n", Duration::from_secs(300));
        let serial = vm.serial();
        let expected = format!("{arguments} a=1 inst.ks=hd:LABEL=M_1:/ks.cfg");
        assert!(serial.contains(&expected), "no `{expected}` in\n{serial}");
        vm.wait_for_exit(Duration::from_secs(120));
    }
}

#[test]
fn what_others_made_is_shown_and_not_reset() {
    let dir = tempfile::tempdir().unwrap();
    foreign(dir.path(), "x.iso", Kind::AppendedGpt, "Fedora-42");
    let shown = show(dir.path(), "x.iso");
    assert_eq!(
        (&shown["state"], &shown["volume"], &shown["kickstart"]),
        (&json!("foreign"), &json!("Fedora-42"), &Value::Null)
    );
    let kargs = json!(["inst.stage2=hd:LABEL=Fedora-42 quiet", "inst.stage2=hd:LABEL=Fedora-42 inst.rescue"]);
    assert_eq!(
        shown["menus"],
        json!([
            {"path": "/boot/grub2/grub.cfg", "in": "iso", "kargs": kargs},
            {"path": "/EFI/BOOT/grub.cfg", "in": "iso", "kargs": kargs},
            {"path": "/EFI/BOOT/grub.cfg", "in": "efi-partition", "kargs": kargs},
        ])
    );
    iso(dir.path(), &["customize", "x.iso", "--ks", "site.ks", "-o", "y.iso"]).exits(0);
    let text = iso(dir.path(), &["show", "y.iso"]).exits(0).stdout;
    for part in [
        "Volume:       Fedora-42\n",
        "State:        not made by 'bootc-ks iso build'",
        "Menu:         /EFI/BOOT/grub.cfg in the EFI system partition\n",
        "                inst.stage2=hd:LABEL=Fedora-42 quiet inst.ks=hd:LABEL=Fedora-42:/ks.cfg\n",
        "Kickstart:    as follows\n",
        "    rootpw --plaintext *******\n",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let before = file_sha256(&dir.path().join("y.iso"));
    iso(dir.path(), &["reset", "y.iso"])
        .exits(2)
        .one_error()
        .says(&["not made by 'bootc-ks iso build'", "the original"]);
    assert_eq!(file_sha256(&dir.path().join("y.iso")), before);
}

#[test]
fn what_is_there_already_is_replaced_by_force_alone() {
    let dir = tempfile::tempdir().unwrap();
    foreign(dir.path(), "x.iso", Kind::File, "X");
    let other = SITE.replace("reboot", "poweroff");
    fs::write(dir.path().join("other.ks"), &other).unwrap();
    iso(dir.path(), &["customize", "x.iso", "--ks", "site.ks", "-o", "y.iso"]).exits(0);
    let again = ["customize", "y.iso", "--ks", "other.ks", "-o", "z.iso"];
    iso(dir.path(), &again).exits(4).one_error().says(&["y.iso has a /ks.cfg already", "--force"]);
    assert!(!dir.path().join("z.iso").exists());
    iso(dir.path(), &[&again[..], &["--force"]].concat()).exits(0);
    let z = dir.path().join("z.iso");
    assert_eq!((file_of(&z, "/ks.cfg"), boot_records(&z)), (other, boot_records(&dir.path().join("x.iso"))));
    assert_eq!(efi_menu_of(&z).matches("inst.ks=").count(), 1);
    // Arguments alone leave the kickstart where it is.
    iso(dir.path(), &["customize", "y.iso", "--karg", "a=1", "-o", "z.iso"]).exits(0);
    assert_eq!(file_of(&z, "/ks.cfg"), SITE);
    assert!(efi_menu_of(&z).contains(" inst.ks=hd:LABEL=X:/ks.cfg a=1\n"));
}

#[test]
fn the_mediums_own_check_finds_the_copy_good() {
    let dir = tempfile::tempdir().unwrap();
    let check = |name: &str| {
        let mut check = Command::new(need("checkisomd5", "isomd5sum"));
        output(check.arg(name).current_dir(&dir)).status.code()
    };
    for kind in [Kind::File, Kind::AppendedGpt] {
        foreign(dir.path(), "x.iso", kind, "X");
        iso(dir.path(), &["customize", "x.iso", "--ks", "site.ks", "-o", "y.iso"]).exits(0);
        assert_eq!(check("y.iso"), Some(1), "{kind:?}: what had no checksum has none");
        run(Command::new(need("implantisomd5", "isomd5sum")).arg("x.iso").current_dir(&dir));
        let said = iso(dir.path(), &["customize", "x.iso", "--ks", "site.ks", "-o", "y.iso"]).exits(0);
        assert!(!said.stderr.contains("warning: the check"), "{said}");
        assert_eq!((check("x.iso"), check("y.iso")), (Some(0), Some(0)), "{kind:?}");
    }
}

#[test]
fn what_cannot_be_customised_is_said_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    foreign(dir.path(), "x.iso", Kind::AppendedGpt, "X");
    let x = dir.path().join("x.iso");
    let before = file_sha256(&x);
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("bad.ks", "autopart --tpye=plain\nrootpw --plaintext hunter2\n");
    write("house.crt", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n");
    fs::create_dir(dir.path().join("empty")).unwrap();
    let fails = |args: &[&str], code: i32, words: &[&str]| {
        iso(dir.path(), &[&["customize"], args].concat()).exits(code).one_error().says(words);
    };
    let ours = "x.iso was not made by 'bootc-ks iso build'";
    fails(&["x.iso", "--ks", "site.ks"], 2, &[ours, "in place", "--output FILE"]);
    fails(&["x.iso", "--ks", "site.ks", "-o", "-"], 2, &[ours, "standard output", "--output FILE"]);
    fails(&["x.iso", "--ks", "site.ks", "-o", "x.iso"], 2, &["x.iso is the ISO itself"]);
    fails(&["x.iso", "--ks", "site.ks", "-o", "empty"], 2, &["empty is not a file"]);
    fails(&["x.iso", "--ks", "site.ks", "-o", "none/y.iso"], 3, &["writing none/y.iso"]);
    fails(&["x.iso", "--ca", "house.crt", "-o", "y.iso"], 2, &[ours, "--ca", "%certificate"]);
    fails(&["x.iso", "--ks", "bad.ks", "-o", "y.iso"], 2, &["bad.ks cannot be used: 1 error"]);
    fails(&["x.iso", "--karg", "a b", "-o", "y.iso"], 2, &["'a b'"]);
    fails(&["x.iso", "--karg", &"a".repeat(2040), "-o", "y.iso"], 2, &["/boot/grub2/grub.cfg", "2047 is the most"]);
    assert_eq!(file_sha256(&x), before);

    let make = |name: &str, tree: &str, more: &[&str]| {
        let mut xorriso = Command::new(need("xorriso", "xorriso"));
        xorriso.args(["-as", "mkisofs", "-quiet", "-R", "-o", name]).args(more).arg(tree);
        run(xorriso.current_dir(&dir));
    };
    // A pair that xorriso writes and cannot write again.
    let isolinux = ["-isohybrid-mbr", "/usr/lib/ISOLINUX/isohdpfx.bin", "-b", "isolinux.bin", "-c", "boot.cat"];
    let table = ["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"];
    let gpt = ["-appended_part_as_gpt", "-append_partition", "2", EFI, "efi.img", "-eltorito-alt-boot"];
    let efi = ["-e", "--interval:appended_partition_2:all::", "-no-emul-boot"];
    fs::copy("/usr/lib/ISOLINUX/isolinux.bin", dir.path().join("tree/isolinux.bin")).unwrap();
    make("pair.iso", "tree", &[&isolinux[..], &table, &gpt, &efi].concat());
    fails(&["pair.iso", "--karg", "a=1", "-o", "y.iso"], 3, &["xorriso", "boot image #2", "OEMDRV"]);
    make("none.iso", "empty", &["-V", "NONE"]);
    fails(&["none.iso", "--ks", "site.ks", "-o", "y.iso"], 2, &["none.iso: no boot menu was found"]);
    make("label.iso", "tree", &["-V", "A:B"]);
    fails(&["label.iso", "--ks", "site.ks", "-o", "y.iso"], 2, &["'A:B'", "--karg inst.ks="]);
    for path in ["boot/grub2/grub.cfg", "EFI/BOOT/grub.cfg"] {
        fs::write(dir.path().join("tree").join(path), "menuentry x { exit }\n").unwrap();
    }
    make("exit.iso", "tree", &["-V", "EXIT"]);
    fails(
        &["exit.iso", "--ks", "site.ks", "-o", "y.iso"],
        2,
        &["(/boot/grub2/grub.cfg, /EFI/BOOT/grub.cfg) load no kernel"],
    );
    fs::write(dir.path().join("cut.iso"), &fs::read(&x).unwrap()[..100_000]).unwrap();
    fails(&["cut.iso", "--ks", "site.ks", "-o", "y.iso"], 2, &["it ends after", "truncated"]);
    fails(&["site.ks", "--ks", "site.ks", "-o", "y.iso"], 2, &["site.ks: this is no ISO image"]);
    assert!(!dir.path().join("y.iso").exists());
    let left = fs::read_dir(dir.path()).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0, "temporary files are left");
}

#[test]
fn a_program_that_fails_or_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    foreign(dir.path(), "x.iso", Kind::AppendedGpt, "X");
    // The command looks for programs in $PATH first.
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["xorriso", "mcopy", "implantisomd5"] {
        fs::write(bin.join(name), format!("#!/bin/sh\necho {name} has a bad day\nexit 7\n")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = bootc_ks(dir.path());
        command.env("PATH", &bin).args(["iso", "customize", "x.iso", "--ks", "site.ks", "-o", "y.iso"]);
        if name == "implantisomd5" {
            run(Command::new(need("implantisomd5", "isomd5sum")).arg("x.iso").current_dir(&dir));
        }
        finish(&mut command).keeps(&SECRETS).exits(3).one_error().says(&[name, "has a bad day"]);
        fs::remove_file(bin.join(name)).unwrap();
    }
    assert!(!dir.path().join("y.iso").exists());
}

//! Facts out of small images.

use super::super::initramfs::tests::newc;
use super::base::Base;
use super::*;
use crate::error::Kind;

fn facts_of(labels: &str, tars: &[Vec<u8>]) -> Result<ImageFacts> {
    let dir = tempfile::tempdir().unwrap();
    made("amd64", labels, tars).layout(dir.path(), "t");
    resolve(&open_local(&format!("oci:{}", dir.path().display())).unwrap())
}

fn facts(tars: &[Vec<u8>]) -> ImageFacts {
    facts_of(BOOTABLE, tars).unwrap()
}

fn initramfs() -> Vec<u8> {
    [newc(&["early"]), gzip(&newc(&["usr/lib/modules/6.1/kernel/virtio-blk.ko.xz", "xfs.ko"]))].concat()
}

fn base() -> Tar {
    Tar::system()
        .file("./usr/lib/modules/6.1/vmlinuz", "kernel")
        .file("usr/lib/modules/6.1/initramfs.img", initramfs())
        .file("usr/lib/modules/6.1/modules.builtin", "kernel/fs/ext4/ext4.ko\nkernel/drivers/nvme-core.ko\n")
        .file("usr/bin/bootupctl", "x")
        .file("usr/lib/bootupd/updates/EFI.json", "{}")
        .file("usr/lib/bootupd/updates/EFI/fedora/shimx64.efi", "MZ")
        .file("usr/sbin/grub2-install", "x")
        .symlink("usr/sbin/grub2-mkconfig", "../bin/mk")
        .file("usr/bin/grub2-mkimage", "x")
        .file("usr/lib/grub/x86_64-efi/normal.mod", "x")
        .file("usr/lib/grub/x86_64-efi/blscfg.mod", "x")
        .file("usr/lib/grub/i386-pc/normal.mod", "x")
        .file("usr/lib/shim/shimx64.efi", "unsigned")
        .file("usr/lib/shim/shimx64.efi.signed", "signed")
        .file("usr/lib/bootc/install/10.toml", "[install]\nroot-fs-type = \"xfs\"\nkargs = [\"a\"]")
        .file("usr/lib/bootc/kargs.d/10.toml", "kargs = [\"quiet\"]")
        .symlink("usr/lib/bootc/bound-images.d/app.image", "../../../share/containers/systemd/app.image")
        .file("etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n")
        .file("etc/selinux/targeted/policy/policy.33", "x")
        .file("usr/lib/ostree/prepare-root.conf", "[composefs]\nenabled = yes\n")
}

#[test]
fn a_whole_image_is_described() {
    let facts = facts(&[base().done()]);
    let kernel = facts.kernel.clone().unwrap();
    assert_eq!((kernel.version.as_str(), kernel.initramfs), ("6.1", true));
    assert_eq!(kernel.size, Some(Bytes(("kernel".len() + initramfs().len()) as u64)));
    assert_eq!(kernel.modules.as_deref().unwrap(), ["ext4", "nvme_core", "virtio_blk", "xfs"]);
    assert_eq!((kernel.has_module("xfs"), kernel.has_module("btrfs")), (Some(true), Some(false)));
    assert_eq!(
        facts.boot,
        BootFacts {
            bootupd: true,
            grub_install: Some("/usr/sbin/grub2-install".into()),
            grub_mkconfig: Some("/usr/sbin/grub2-mkconfig".into()),
            grub_mkimage: Some("/usr/bin/grub2-mkimage".into()),
            grub_platforms: vec!["i386-pc".into(), "x86_64-efi".into()],
            grub_efi_modules: vec!["blscfg".into(), "normal".into()],
            grub_reads_bls: true,
            shim: vec![
                "/usr/lib/bootupd/updates/EFI/fedora/shimx64.efi".into(),
                "/usr/lib/shim/shimx64.efi.signed".into()
            ],
        }
    );
    assert_eq!(facts.bound_images, ["app.image"]);
    assert_eq!(facts.install.root_fs.as_deref(), Some("xfs"));
    assert_eq!((facts.kargs, facts.install.kargs), (vec!["quiet".to_owned()], vec!["a".to_owned()]));
    assert_eq!((facts.selinux.as_deref(), facts.composefs, facts.encapsulated), (Some("targeted"), Some(true), false));
    assert_eq!((facts.entries, facts.unpacked_size), (22, crate::units::Bytes(19 * 4096)));
    assert_eq!(facts.created.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(facts.labels["containers.bootc"], "1");
    assert_eq!(facts.download_size, facts.layers[0].size);
}

#[test]
fn upper_layers_hide_and_replace() {
    let upper = Tar::default()
        .file("usr/lib/modules/.wh.6.1", "")
        .file("usr/lib/modules/6.2/vmlinuz", "kernel")
        .file("usr/lib/bootupd/updates/.wh..wh..opq", "")
        .file("usr/lib/bootc/install/10.toml", "[install]\nstateroot = \"s\"")
        .file("usr/lib/grub", "a file where a directory was")
        .file("usr/lib/shim/.wh.shimx64.efi.signed", "")
        .file("usr/etc/selinux/config", "SELINUX=disabled\nSELINUXTYPE=targeted\n")
        .file("usr/lib/ostree/.wh.prepare-root.conf", "");
    let facts = facts(&[base().done(), upper.done()]);
    let kernel = facts.kernel.unwrap();
    assert_eq!((kernel.version.as_str(), kernel.initramfs, kernel.modules), ("6.2", false, None));
    assert!(!facts.boot.bootupd && facts.boot.grub_platforms.is_empty() && facts.boot.shim.is_empty());
    assert_eq!((facts.install.root_fs, facts.install.stateroot.as_deref()), (None, Some("s")));
    assert_eq!((facts.selinux, facts.composefs), (None, None));
}

#[test]
fn a_layers_whiteouts_spare_the_layer_itself() {
    let again = Tar::default().file("usr/lib/modules/6.3/vmlinuz", "k").file("usr/lib/modules/.wh..wh..opq", "").done();
    assert_eq!(facts(&[base().done(), again]).kernel.unwrap().version, "6.3");
    let emptied = Tar::system().file(".wh..wh..opq", "").done();
    assert_eq!(facts(&[base().done(), emptied]).kernel, None);
    // A name that merely begins alike stays.
    let sibling = Tar::default().file("usr/lib/modules/.wh.6.1", "").file("usr/lib/modules/6.1-rt/vmlinuz", "k").done();
    assert_eq!(facts(&[base().done(), sibling]).kernel.unwrap().version, "6.1-rt");
}

#[test]
fn device_trees_go_to_boot_as_well() {
    let modules = |name: &str| format!("usr/lib/modules/6.1/{name}");
    let size = |more: Tar| facts(&[base().done(), more.done()]).kernel.unwrap().size.unwrap().0;
    let plain = size(Tar::default());
    let all = || Tar::default().file(&modules("dtb/a.dtb"), "12345").file(&modules("dtb/vendor/b.dtb"), "678");
    assert_eq!(size(all()) - plain, 8192);
    // One takes the place of all.
    assert_eq!(size(all().file(&modules("devicetree"), "12")) - plain, 2);
}

#[test]
fn encapsulated_files_are_found_under_their_names() {
    let big: Vec<String> = (0..4000).map(|i| format!("usr/lib/modules/7/kernel/m{i}.ko.zst")).collect();
    let names: Vec<&str> = big.iter().map(String::as_str).collect();
    let tar = Base::default()
        // Larger than what is read before its name is known.
        .file("usr/lib/modules/7/vmlinuz", vec![b'k'; 300 << 10])
        .file("usr/lib/modules/7/initramfs.img", newc(&names))
        .file("usr/lib/modules/7/modules.builtin", "kernel/fs/xfs/xfs.ko\n")
        .file("usr/lib/bootc/kargs.d/2.toml", "kargs = [\"late\"]")
        .file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"early\"]")
        // Not right behind its object: takes the second pass.
        .late("usr/lib/bootc/kargs.d/2.toml")
        .link("usr/lib/bootc/kargs.d/3.toml", "../../../share/3.toml")
        .file("usr/lib/bootc/kargs.d/4.toml", "")
        .file("usr/lib/os-release", "PRETTY_NAME=Base\n")
        .done();
    let label = |diff_id: &str| format!(r#"{{"ostree.bootable":"true","ostree.final-diffid":"{diff_id}"}}"#);
    let facts = facts_of(&label(Digest::of(&tar).as_str()), std::slice::from_ref(&tar)).unwrap();
    assert!(facts.encapsulated);
    let error = facts_of(&label("sha256:0"), &[tar]).unwrap_err();
    assert!(error.to_string().contains("names sha256:0, which is none of its layers"), "{error}");
    let kernel = facts.kernel.unwrap();
    assert_eq!(kernel.size, Some(Bytes((300 << 10) + newc(&names).len() as u64)));
    let modules = kernel.modules.unwrap();
    assert_eq!(modules.len(), 4001);
    assert!(modules.contains(&"xfs".to_owned()));
    assert_eq!(facts.kargs, ["early", "late"]);
}

#[test]
fn links_lead_to_what_they_mean() {
    let tar = Tar::system()
        .file("opt/shared.conf", "[composefs]\nenabled = verity\n")
        .hardlink("usr/lib/ostree/prepare-root.conf", "opt/shared.conf")
        .file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"x\"]")
        .symlink("usr/lib/bootc/kargs.d/2.toml", "1.toml")
        .symlink("usr/lib/bootc/kargs.d/3.toml", "/nowhere")
        .symlink("usr/lib/bootc/kargs.d/4.toml", "4.toml");
    let facts = facts(&[tar.done()]);
    assert_eq!(facts.composefs, Some(true));
    assert_eq!(facts.kargs, ["x", "x"]);
}

#[test]
fn what_no_installer_wants_is_refused() {
    let error = facts_of("{}", &[base().done()]).unwrap_err();
    assert!(error.to_string().contains("not a bootable container image"), "{error}");
    assert_eq!(error.kind(), Kind::Input);
    assert!(facts_of("null", &[base().done()]).is_err());
    let two = base().file("usr/lib/modules/6.2/vmlinuz", "k").done();
    assert!(facts_of(BOOTABLE, &[two]).unwrap_err().to_string().contains("several kernels: 6.1, 6.2"));
    let bad = Tar::system().file("usr/lib/bootc/kargs.d/x.toml", "kargs = ").done();
    assert!(facts_of(BOOTABLE, &[bad]).unwrap_err().to_string().contains("/usr/lib/bootc/kargs.d/x.toml"));
    // Garbage in place of a tar stream.
    assert!(facts_of(BOOTABLE, &[vec![b'x'; 5000]]).is_err());
}

#[test]
fn a_path_out_of_the_image_is_an_error() {
    let mut tar = Tar::default().file("aa/evil", "x").done();
    tar[..7].copy_from_slice(b"../evil");
    let sum: u32 =
        tar[..512].iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert!(facts_of(BOOTABLE, &[tar]).unwrap_err().to_string().contains("a path with '..' in it"));
}

#[test]
fn an_initramfs_of_another_compression_is_not_guessed_at() {
    let tar = Tar::system()
        .file("usr/lib/modules/1/vmlinuz", "k")
        .file("usr/lib/modules/1/initramfs.img", b"\xfd7zXZ\0rest")
        .done();
    let kernel = facts(&[tar]).kernel.unwrap();
    assert_eq!((kernel.initramfs, kernel.modules.clone(), kernel.has_module("xfs")), (true, None, None));
}

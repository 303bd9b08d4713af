//! The second image, made as images of the Fedora family are: composefs, SELinux enforcing,
//! bootupd, a GRUB that reads the boot entries, NetworkManager, accounts in /usr/lib. It is
//! installed by the example kickstart, started as user-mode Linux, and then by its own boot loader
//! and kernel under both firmwares.

use std::path::Path;
use std::time::Duration;

use crate::support::qemu::{Firmware, Machine};
use crate::support::ssh::SshKey;
use crate::support::uml::UserModeLinux;
use crate::support::vm::Vm;
use crate::support::{fedora_style_image, source_root};

/// An emulated machine on a busy host.
const PATIENCE: Duration = Duration::from_secs(1200);

/// Installs as one does from the image itself: with its programs and its libostree, in a machine
/// whose kernel has vfat, which bootupd mounts. $IMAGE is the image's directory.
const INSTALL: &str = r#"
set -eu
root=$IMAGE/root
mount --bind "$root" "$root"
for dir in dev proc sys; do mount --rbind "/$dir" "$root/$dir"; done
for dir in run tmp var; do mount -t tmpfs tmpfs "$root/$dir"; done
mkdir -p "$root/var/tmp" "$root/var/log" "$root/run/image" "$root/run/work" "$root/run/command"
mount --bind "${BOOTC_KS%/*}" "$root/run/command"
mount --bind "$IMAGE/oci" "$root/run/image"
mount --bind . "$root/run/work"
exec chroot "$root" /usr/bin/env -C /run/work PATH=/usr/sbin:/usr/bin /run/command/bootc-ks install site.ks \
    --image oci:/run/image:fedora-style --target-image registry.example/demo:latest \
    --disk-image disk.img --size 6G --log install.log --no-reboot
"#;

/// What the running system is asked about.
const CONFIGURED: &str = "\
rootpw --iscrypted nope
group --name=site --gid=1300
user --name=builder --uid=1600 --gid=1600 --groups=site --gecos=\"Builds things\" --iscrypted --password=!!
firewall --enabled --service=http --port=8080:tcp
services --disabled=fstrim.timer --enabled=sshd
timesource --ntp-server=192.0.2.123
";

fn install(dir: &Path, key: &SshKey) {
    let example = std::fs::read_to_string(source_root().join("tests/kickstarts/demo.ks")).unwrap();
    let text = example.replace(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFlvdXJPd24tWW91ck93bi1Zb3VyT3duLVlvdXJPd24t you@example",
        &key.public,
    );
    assert!(text.contains(&key.public), "the example has another key now");
    // What a script leaves is labelled as well.
    let more =
        CONFIGURED.to_owned() + "%post\necho '# by post' > /etc/hosts.allow\nmkdir -p /var/lib/NetworkManager\n%end\n";
    std::fs::write(dir.join("site.ks"), text + &more).unwrap();
    let image = fedora_style_image();
    let script = format!("IMAGE='{}'\n{INSTALL}", image.parent().unwrap().display());
    UserModeLinux::new().run(dir, &script).exits(0);
}

#[test]
fn an_image_as_fedora_has_them_starts_enforcing() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    install(dir.path(), &key);

    let mut vm = in_user_mode(&dir.path().join("disk.img")).start_installed();
    let took = vm.log_in(&key, "admin-user");
    println!("user mode: a login {:.0} s after power on", took.as_secs_f64());
    is_sound(&vm);
    is_as_the_kickstart_says(&vm);
    is_configured(&vm);
    is_labelled(&vm);
    // By what the first boot's presets leave alone, and SELinux as well.
    vm.ssh_ok("sudo -n journalctl --boot --output=cat | grep 'installed this system: /var/lib/bootc-ks/'");
    vm.ssh_ok("test ! -e /etc/systemd/system/bootc-ks-installed.service");
    vm.power_off();
}

#[test]
#[ignore = "two starts of an emulated machine"]
fn its_own_boot_loader_and_kernel_start_it_under_both_firmwares() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    install(dir.path(), &key);
    for firmware in [Firmware::Bios, Firmware::Uefi] {
        let mut vm = Machine::new(firmware).disk(&dir.path().join("disk.img")).start();
        let took = vm.wait_for_ssh(&key, "admin-user", PATIENCE);
        println!("{firmware:?}: a login {:.0} s after power on", took.as_secs_f64());
        is_sound(&vm);
        is_started_by_bootupds_grub(&vm, firmware);
        vm.power_off(PATIENCE);
    }
}

/// The kernel's own modules are in memory there and have labels that the policy knows nothing of:
/// what is needed is loaded before the policy is, and units that only load modules stay away. Its
/// nftables lack what firewalld wants; that is looked at in the emulated machines.
fn in_user_mode(disk: &Path) -> UserModeLinux {
    let masked = ["kmod-static-nodes.service", "proc-sys-fs-binfmt_misc.automount", "firewalld.service"];
    let machine = UserModeLinux::new()
        .disk(disk)
        .karg("lsm=landlock,lockdown,yama,integrity,selinux")
        .karg("rd.driver.pre=vfat,configfs,dm-mod,nls_cp437,nls_ascii,nls_iso8859-1,nls_utf8");
    masked.iter().fold(machine, |machine, unit| machine.karg(&format!("systemd.mask={unit}")))
}

/// What must be true wherever it starts.
fn is_sound(vm: &Vm) {
    vm.ssh("systemctl is-system-running --wait");
    assert_eq!(vm.ssh_ok("systemctl --failed --no-legend --plain"), "", "units have failed");
    assert_eq!(vm.ssh_ok("/usr/sbin/getenforce"), "Enforcing");
    let root = vm.ssh_ok("findmnt -no FSTYPE,OPTIONS /");
    assert!(root.starts_with("overlay ro,") && root.contains("cfsroot-lower"), "the root is no composefs: {root}");
    vm.ssh_ok("sudo -n true");
    assert_eq!(vm.ssh_ok("systemctl is-active NetworkManager chrony"), "active\nactive");
    assert_eq!(vm.ssh_ok("nmcli -t -f STATE general"), "connected");
    let status = vm.ssh_ok("sudo -n bootupctl status");
    for component in ["Component BIOS", "Component EFI"] {
        assert!(status.contains(component), "{status}");
    }
    assert_eq!(status.matches("Update: At latest version").count(), 2, "{status}");
    let denials = vm.ssh_ok("sudo -n journalctl --boot --no-pager --output=cat | grep 'avc: *denied' || true");
    // What is on the disk and not in the composefs is what the installation wrote, or the system later.
    let ours = |line: &&str| ["unlabeled_t", "dev=\"ubda", "dev=\"vda"].iter().any(|word| line.contains(word));
    assert_eq!(denials.lines().filter(ours).collect::<Vec<_>>(), Vec::<&str>::new());
}

fn is_as_the_kickstart_says(vm: &Vm) {
    assert_eq!(vm.ssh_ok("hostname"), "demo");
    let id = vm.ssh_ok("id");
    assert!(id.contains("(admin-user)") && id.contains("(wheel)"), "{id}");
    assert_eq!(vm.ssh_ok("pwd"), "/var/home/admin-user");
    // A group of the image's gained a member: it is in /etc now. Its other accounts stay where they were.
    assert_eq!(vm.ssh_ok("grep ^wheel: /etc/group"), "wheel:x:990:admin-user");
    vm.ssh_ok("! grep ^_chrony: /etc/passwd");
    assert!(vm.ssh_ok("getent passwd _chrony").contains(":Chrony Daemon:"));
    assert!(vm.ssh_ok("getent passwd demo-metrics").contains(":Collects metrics:"), "sysusers made no account");
    for (link, target) in [("/root", "var/roothome"), ("/home", "var/home"), ("/usr/local", "../var/usrlocal")] {
        assert_eq!(vm.ssh_ok(&format!("readlink {link}")), target);
    }
}

/// What [`CONFIGURED`] asks for, as the running system's own tools tell it.
fn is_configured(vm: &Vm) {
    for account in ["root", "builder"] {
        let line = vm.ssh_ok(&format!("sudo -n getent shadow {account}"));
        assert_eq!(line.split(':').nth(1), Some("*"), "{account}: {line}");
    }
    assert!(vm.ssh_ok("sudo -n passwd --status root").starts_with("root L"));
    let builder = vm.ssh_ok("id builder");
    assert_eq!(builder, "uid=1600(builder) gid=1600(builder) groups=1600(builder),1300(site)");
    assert!(vm.ssh_ok("getent passwd builder").contains(":Builds things:/var/home/builder:"));
    let open = vm.ssh_ok("sudo -n firewall-offline-cmd --list-all");
    let line = |key: &str| open.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap_or_default().to_owned();
    assert!(line("services:").contains("http") && line("services:").contains("ssh"), "{open}");
    assert!(line("ports:").contains("8080/tcp"), "{open}");
    assert_eq!(vm.ssh_ok("systemctl is-enabled fstrim.timer || true"), "disabled");
    assert_eq!(
        vm.ssh_ok("systemctl is-enabled sshd.service chrony.service firewalld.service || true").lines().count(),
        3
    );
    assert_eq!(vm.ssh_ok("sudo -n chronyc -n sources | grep -c '^.[-*?+x~] '"), "1");
    assert!(vm.ssh_ok("sudo -n chronyc -n sources").contains("192.0.2.123"));
    let locale = vm.ssh_ok("localectl status");
    assert!(locale.contains("LANG=en_US.UTF-8"), "{locale}");
    // Debian's vconsole.conf is a link to the layout of X.
    assert!(["VC Keymap: us", "X11 Layout: us"].iter().any(|line| locale.contains(line)), "{locale}");
    assert!(vm.ssh_ok("timedatectl show --property=Timezone").ends_with("=Etc/UTC"));
    assert_eq!(vm.ssh_ok("hostnamectl --static"), "demo");
}

fn is_labelled(vm: &Vm) {
    assert_eq!(vm.ssh_ok("sudo -n restorecon -nRv /etc /var /boot"), "", "labels are not the policy's");
    assert_eq!(vm.ssh_ok("sudo -n stat -c %C /sysroot/boot | cut -d: -f3"), "boot_t");
    let unlabelled = "sudo -n find /etc /var /boot /sysroot/boot /sysroot/ostree -context '*:unlabeled_t:*'";
    assert_eq!(vm.ssh_ok(unlabelled), "");
}

fn is_started_by_bootupds_grub(vm: &Vm, firmware: Firmware) {
    let uefi = vm.ssh("test -d /sys/firmware/efi").status.success();
    assert_eq!(uefi, firmware == Firmware::Uefi, "the firmware is not the one that was asked for");
    assert_eq!(vm.ssh_ok("systemctl is-active firewalld"), "active");
    let menu = vm.ssh_ok("sudo -n cat /boot/grub2/grub.cfg");
    assert!(menu.contains("# Generated by bootupd") && menu.contains("\nblscfg\n"), "{menu}");
    assert!(!menu.contains("/ostree/"), "the menu has an entry written into it: {menu}");
    let cmdline = vm.ssh_ok("cat /proc/cmdline");
    let options = vm.ssh_ok("sudo -n sed -n 's/^options //p' /boot/loader/entries/*.conf");
    assert!(cmdline.ends_with(&options), "not the boot entry's options: {cmdline}\n{options}");
    assert_eq!(vm.ssh_ok("sudo -n ostree config --repo=/ostree/repo get sysroot.bootloader"), "none");
    // It compares what is in the ESP with what it has put there, where firmware reads it.
    let validated = vm.ssh_ok("sudo -n bootupctl validate");
    assert!(validated.contains(if uefi { "Validated: EFI" } else { "Skipped: EFI" }), "{validated}");
}

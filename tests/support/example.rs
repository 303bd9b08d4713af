//! The kickstart that image mode's own documentation has, word for word but for the key, and
//! what a machine looks like that was installed by it.

use super::source_root;
use super::ssh::SshKey;
use super::vm::Vm;

/// The kickstart with a key that the test has.
pub fn kickstart(key: &SshKey) -> String {
    let path = source_root().join("tests/kickstarts/image-mode.ks");
    let text = std::fs::read_to_string(path).expect("reading the example");
    assert!(
        text.contains("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFlvdXJPd24tWW91ck93bi1Zb3VyT3duLVlvdXJPd24t you@example"),
        "the example has another key now"
    );
    text.replace(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFlvdXJPd24tWW91ck93bi1Zb3VyT3duLVlvdXJPd24t you@example",
        &key.public,
    )
}

/// Asserts that the machine, into which `admin-user` is logged in, is what the example asks for.
pub fn looks_right(vm: &Vm) {
    vm.ssh("systemctl is-system-running --wait");
    assert_eq!(vm.ssh_ok("systemctl --failed --no-legend --plain"), "", "units have failed");
    let id = vm.ssh_ok("id");
    assert!(id.contains("(admin-user)") && id.contains("(wheel)"), "{id}");
    vm.ssh_ok("sudo -n true");
    let root = vm.ssh_ok("findmnt -no SOURCE /sysroot | cut -d'[' -f1");
    assert!(root.starts_with("/dev/mapper/system_") && root.ends_with("-root"), "{root}");
    assert_eq!(vm.ssh_ok("findmnt -no FSTYPE /sysroot"), "xfs");
    assert_eq!(vm.ssh_ok("findmnt -no FSTYPE /boot"), "ext4");
    assert!(vm.ssh_ok("cat /proc/swaps").contains("/dev/dm-"), "no swap");
    let status = vm.ssh_ok("sudo -n ostree admin status");
    assert_eq!(status.lines().filter(|line| line.starts_with("* default ")).count(), 1, "{status}");
    let log = vm.ssh_ok("sudo -n cat /var/log/bootc-ks/install.log");
    assert!(log.contains("write everything to the disk"), "the log of the installation is not there: {log}");
}

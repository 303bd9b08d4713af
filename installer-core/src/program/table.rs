//! The table of external programs.

/// An external program.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is needed for.
    pub purpose: &'static str,
    /// Debian's package and Fedora's, where they differ.
    pub packages: (&'static str, &'static str),
}

const fn one(name: &'static str, purpose: &'static str, package: &'static str) -> Row {
    two(name, purpose, package, package)
}

const fn two(name: &'static str, purpose: &'static str, debian: &'static str, fedora: &'static str) -> Row {
    Row { name, purpose, packages: (debian, fedora) }
}

/// The program of ours that makes deployments, which alone needs libostree.
pub const OSTREE_PROGRAM: &str = "bootc-ks-ostree";

/// Every external program that an installation, or making what one boots from, runs on this
/// machine. A kickstart's scripts name their interpreters themselves.
pub const PROGRAMS: &[Row] = &[
    one(OSTREE_PROGRAM, "make deployments with libostree", "bootc-ks"),
    one("mkfs.xfs", "make XFS file systems", "xfsprogs"),
    one("mkfs.ext4", "make ext4 file systems", "e2fsprogs"),
    one("mkfs.ext3", "make ext3 file systems", "e2fsprogs"),
    one("mkfs.ext2", "make ext2 file systems", "e2fsprogs"),
    one("mkfs.btrfs", "make btrfs file systems", "btrfs-progs"),
    one("mkfs.vfat", "make the EFI system partition", "dosfstools"),
    one("mkswap", "make swap areas", "util-linux"),
    one("mcopy", "fill the EFI system partition without mounting it", "mtools"),
    one("mmd", "fill the EFI system partition without mounting it", "mtools"),
    one("mdir", "look into the EFI system partition of an ISO", "mtools"),
    one("xorriso", "make ISO images", "xorriso"),
    one("implantisomd5", "renew the checksum in an ISO", "isomd5sum"),
    one("lvm", "make logical volumes", "lvm2"),
    one("chroot", "run programs of the installed system", "coreutils"),
    two("udevadm", "wait for the nodes of new partitions", "udev", "systemd-udev"),
    two("sh", "run two commands as one", "dash", "bash"),
    one("fsfreeze", "write what stays mounted to its place", "util-linux"),
    two("mount", "read a medium", "mount", "util-linux"),
    two("ssh-keygen", "make a host key (inst.sshd)", "openssh-client", "openssh"),
    one("curl", "fetch a kickstart by FTP", "curl"),
    one("systemctl", "restart or stop this machine", "systemd"),
];

/// Every program of an image that is run inside it, or in the system that was made of it.
pub const IN_IMAGE: &[Row] = &[
    one("bootupctl", "install the boot loader", "bootupd"),
    two("grub-install", "install the boot loader for BIOS", "grub2-common", "grub2-tools"),
    two("grub2-install", "install the boot loader for BIOS", "grub2-common", "grub2-tools"),
    two("grub-mkimage", "make the boot loader for UEFI", "grub-common", "grub2-tools"),
    two("grub2-mkimage", "make the boot loader for UEFI", "grub-common", "grub2-tools"),
    one("dracut", "make the installer environment", "dracut"),
    two("ldd", "find the libraries of the installer's shell", "libc-bin", "glibc-common"),
    one("bootc-ks", "see whether it runs there", "bootc-ks"),
    one("firewall-offline-cmd", "configure the firewall of the new system", "firewalld"),
    one("authselect", "configure how users are authenticated", "authselect"),
    one("systemd-tmpfiles", "make what the new system has in /var", "systemd"),
    one("update-ca-trust", "take certificates into the system's store", "ca-certificates"),
];

/// The row of a program of this machine.
pub fn row(name: &str) -> Option<&'static Row> {
    PROGRAMS.iter().find(|row| row.name == name)
}

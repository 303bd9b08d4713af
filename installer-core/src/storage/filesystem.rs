//! The file systems that can be made, and the command that makes each.
//!
//! Pure: the commands are only written down here.

use crate::program::Program;
use crate::units::Bytes;

/// A file system that can hold an OSTree root.
#[derive(Clone, Copy, Debug)]
pub struct Filesystem {
    /// Its name for the kernel.
    pub name: &'static str,
    /// What makes it.
    pub mkfs: &'static str,
    /// The part of the kernel that mounts it: that of ext4 does it for its forebears as well.
    pub driver: &'static str,
    /// The longest label it takes, in bytes.
    pub label: usize,
    /// The least that its mkfs makes (xfsprogs since 5.19 and btrfs-progs say so when they refuse).
    pub least: Bytes,
}

/// Every file system that this tool makes for a mount point.
pub const FILESYSTEMS: [Filesystem; 5] = [
    Filesystem { name: "xfs", mkfs: "mkfs.xfs", driver: "xfs", label: 12, least: Bytes::mib(300) },
    Filesystem { name: "ext4", mkfs: "mkfs.ext4", driver: EXT, label: 16, least: Bytes::mib(2) },
    Filesystem { name: "ext3", mkfs: "mkfs.ext3", driver: EXT, label: 16, least: Bytes::mib(2) },
    Filesystem { name: "ext2", mkfs: "mkfs.ext2", driver: EXT, label: 16, least: Bytes::mib(2) },
    Filesystem { name: "btrfs", mkfs: "mkfs.btrfs", driver: "btrfs", label: 255, least: Bytes::mib(109) },
];

/// What mounts every ext file system.
pub const EXT: &str = "ext4";

/// The part of the kernel that mounts `name`.
pub fn driver(name: &str) -> &str {
    find(name).map_or(name, |fs| fs.driver)
}

/// The row of `name`.
pub fn find(name: &str) -> Option<&'static Filesystem> {
    FILESYSTEMS.iter().find(|fs| fs.name == name)
}

impl Filesystem {
    /// The size that it needs to hold `content`. Measured with e2fsprogs 1.47 and xfsprogs 6.1 from
    /// 64 MiB to 2 GiB (files of one size; their own needs are below 1/16 and 16 MiB, and 1/32 and
    /// 84 MiB, of which the journal of xfs alone is 64; ext2 and ext3 need no more than ext4); of btrfs,
    /// which sets aside more for less, a guess.
    pub fn to_hold(&self, content: Bytes) -> Bytes {
        let (fixed, of, from) = match self.driver {
            "xfs" => (84, 32, 31),
            EXT => (16, 16, 15),
            _ => (32, 4, 3),
        };
        let mib = (content + Bytes::mib(fixed)).0.div_ceil(Bytes::MIB.0);
        Bytes(Bytes::MIB.0.saturating_mul((mib * of).div_ceil(from))).max(self.least)
    }
}

/// The command that makes `name` with `uuid` on `device`.
pub fn mkfs(name: &str, device: &str, uuid: &str, label: Option<&str>, extra: &[String]) -> Option<Program> {
    let fs = find(name)?;
    let mut program = match fs.name {
        "xfs" => Program::new(fs.mkfs).args(["-q", "-f", "-m"]).arg(format!("uuid={uuid}")),
        _ if fs.driver == EXT => Program::new(fs.mkfs).args(["-q", "-F", "-U", uuid]),
        _ => Program::new(fs.mkfs).args(["-q", "-f", "-U", uuid]),
    };
    if let Some(label) = label {
        let end = (0..=fs.label.min(label.len())).rev().find(|end| label.is_char_boundary(*end)).unwrap_or(0);
        program = program.args(["-L", &label[..end]]);
    }
    Some(program.args(extra).arg(device))
}

/// The command that makes the EFI system partition; `id` is its 32-bit volume id in hexadecimal.
pub fn mkfs_esp(device: &str, id: &str) -> Program {
    Program::new("mkfs.vfat").args(["-F", "32", "-n", "EFI-SYSTEM", "-i", id, device])
}

/// The command that makes a swap area.
pub fn mkswap(device: &str, uuid: &str) -> Program {
    Program::new("mkswap").args(["-q", "-L", "swap", "-U", uuid, device])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_takes_more_than_its_size() {
        let of = |name, mib| find(name).unwrap().to_hold(Bytes::mib(mib)).as_mib();
        // What was measured: of 300 MiB ext4 leaves 267, of 500 454, of 2,048 1,929.
        assert_eq!([267, 454, 1929].map(|mib| of("ext4", mib)), [302, 502, 2075]);
        // Of 300 MiB xfs leaves 219, of 600 501, of 2,048 1,937; and it takes no less than 300.
        assert_eq!([219, 501, 1937, 1].map(|mib| of("xfs", mib)), [313, 604, 2087, 300]);
        assert_eq!(of("btrfs", 100), 176);
    }

    #[test]
    fn each_is_made_by_its_own_tool() {
        let show = |p: Option<Program>| p.unwrap().to_string();
        assert_eq!(
            show(mkfs("xfs", "/dev/vda4", "U", Some("a-label-that-is-long"), &[])),
            "mkfs.xfs -q -f -m uuid=U -L a-label-that /dev/vda4"
        );
        assert_eq!(show(mkfs("ext4", "/dev/vda3", "U", None, &["-m0".into()])), "mkfs.ext4 -q -F -U U -m0 /dev/vda3");
        assert_eq!(show(mkfs("ext3", "/dev/vda3", "U", Some("x"), &[])), "mkfs.ext3 -q -F -U U -L x /dev/vda3");
        assert!(mkfs("ntfs", "/dev/vda3", "U", None, &[]).is_none());
    }
}

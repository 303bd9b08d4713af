//! Which extended attributes a file may have: those that the kernel takes for it on every file
//! system that is made here. What only some of them take is measured ([`ext4_room`]).

use super::gvariant::Xattr;

/// What carries an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
}

/// The longest name (`XATTR_NAME_MAX`).
const MAX_NAME: usize = 255;
/// The largest value (`XATTR_SIZE_MAX`).
const MAX_VALUE: usize = 64 << 10;
/// The longest list of names, each with its NUL (`XATTR_LIST_MAX`).
const MAX_LIST: usize = 64 << 10;

const ACCESS: &[u8] = b"system.posix_acl_access";
const DEFAULT: &[u8] = b"system.posix_acl_default";

/// What is wrong with the attributes `xattrs` of something with this `mode`.
pub fn check(carrier: Carrier, mode: u32, xattrs: &[Xattr]) -> Result<(), &'static str> {
    if xattrs.iter().map(|(name, _)| name.len() + 1).sum::<usize>() > MAX_LIST {
        return Err("extended attributes whose names take more than 64 KiB together");
    }
    xattrs.iter().try_for_each(|(name, value)| one(carrier, mode, name, value))
}

fn one(carrier: Carrier, mode: u32, name: &[u8], value: &[u8]) -> Result<(), &'static str> {
    if name.len() > MAX_NAME || name.contains(&0) {
        return Err("an extended attribute whose name no kernel takes");
    }
    if value.len() > MAX_VALUE {
        return Err("an extended attribute of more than 64 KiB");
    }
    let after = |prefix: &[u8]| name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    if name == ACCESS || name == DEFAULT {
        if carrier == Carrier::Symlink {
            return Err("an access control list on a symbolic link");
        }
        if name == DEFAULT && carrier != Carrier::Directory {
            return Err("a default access control list on something that is not a directory");
        }
        let list = access_list(value).ok_or("an access control list that is malformed")?;
        return match name == ACCESS && list != mode & 0o777 {
            true => Err("an access control list that says something else than the mode"),
            false => Ok(()),
        };
    }
    if name == b"security.capability" {
        return if is_capability(value) { Ok(()) } else { Err("a file capability that is malformed") };
    }
    if name == b"security.ima" || name == b"security.evm" {
        return if is_signed(name, value) { Ok(()) } else { Err("an integrity attribute that no kernel takes") };
    }
    if after(b"user.") {
        return match carrier {
            Carrier::Symlink => Err("a user attribute on a symbolic link"),
            _ => Ok(()),
        };
    }
    if after(b"security.") || after(b"trusted.") {
        return Ok(());
    }
    Err("an extended attribute of a kind that the kernel does not know")
}

/// What IMA and EVM let be written (`ima_inode_setxattr`, `evm_inode_setxattr`): the first byte is the kind
/// of the value (`enum evm_ima_xattr_type`), and of EVM's own kinds the signatures alone can be brought along.
fn is_signed(name: &[u8], value: &[u8]) -> bool {
    match (name, value.first()) {
        (b"security.evm", Some(kind)) => matches!(kind, 3 | 5),
        (_, Some(kind)) => *kind < 7,
        (_, None) => false,
    }
}

/// `struct vfs_cap_data` of revision 2, or 3 with the user of a name space (capability.h).
fn is_capability(value: &[u8]) -> bool {
    let Some(magic) = value.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes)) else { return false };
    matches!((value.len(), magic >> 24), (20, 2) | (24, 3)) && magic & 0x00ff_fffe == 0
}

/// The mode that a list stands for: version 2, then a tag, permissions and an id for each entry,
/// in the order that the kernel wants (`posix_acl_valid`).
fn access_list(value: &[u8]) -> Option<u32> {
    const OWNER: u16 = 0x01;
    const USER: u16 = 0x02;
    const GROUP_OWNER: u16 = 0x04;
    const GROUP: u16 = 0x08;
    const MASK: u16 = 0x10;
    const OTHER: u16 = 0x20;
    let (version, entries) = value.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*version) != 2 || entries.len() % 8 != 0 {
        return None;
    }
    let (mut last, mut needs_mask) = (0, false);
    let (mut owner, mut group, mut mask, mut other) = (None, None, None, None);
    for entry in entries.chunks_exact(8) {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        let permissions = u32::from(u16::from_le_bytes([entry[2], entry[3]]));
        let id = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
        let named = matches!(tag, USER | GROUP);
        if permissions > 7 || tag < last || (tag == last && !named) || (named && id == u32::MAX) {
            return None;
        }
        (last, needs_mask) = (tag, needs_mask || named);
        match tag {
            OWNER => owner = Some(permissions),
            GROUP_OWNER => group = Some(permissions),
            MASK => mask = Some(permissions),
            OTHER => other = Some(permissions),
            USER | GROUP => {}
            _ => return None,
        }
    }
    if needs_mask && mask.is_none() {
        return None;
    }
    Some(owner? << 6 | mask.or(group).filter(|_| group.is_some())? << 3 | other?)
}

/// The bytes of the one block that ext4 has for the attributes of a file: a head, then for each
/// a record, the name without its prefix and the value, both rounded up to 4 (fs/ext4/xattr.h).
pub fn ext4_room(xattrs: &[Xattr]) -> u64 {
    let round = |length: usize| length.next_multiple_of(4) as u64;
    let one = |(name, value): &Xattr| {
        let prefix = name.iter().position(|byte| *byte == b'.').map_or(0, |dot| dot + 1);
        16 + round(name.len() - prefix) + round(value.len())
    };
    if xattrs.is_empty() { 0 } else { 36 + xattrs.iter().map(one).sum::<u64>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(entries: &[(u16, u16)]) -> Vec<u8> {
        let mut list = 2u32.to_le_bytes().to_vec();
        for (tag, permissions) in entries {
            list.extend(tag.to_le_bytes());
            list.extend(permissions.to_le_bytes());
            list.extend(if matches!(tag, 2 | 8) { 7u32 } else { u32::MAX }.to_le_bytes());
        }
        list
    }

    #[test]
    fn what_the_kernel_takes_is_taken() {
        let capability = [[1, 0, 0, 2].as_slice(), &[10; 16]].concat();
        let in_a_space = [[1, 0, 0, 3].as_slice(), &[0; 20]].concat();
        let list = acl(&[(1, 6), (2, 4), (4, 4), (0x10, 4), (0x20, 0)]);
        let fine: &[(Carrier, &str, &[u8])] = &[
            (Carrier::File, "security.capability", &capability),
            (Carrier::File, "security.capability", &in_a_space),
            (Carrier::File, "user.x", &[0; 65536]),
            (Carrier::Directory, "user.x", b""),
            (Carrier::Symlink, "trusted.overlay.opaque", b"y"),
            (Carrier::Symlink, "security.selinux", b"a\0"),
            (Carrier::File, "security.ima", b"\x03\x02\x04x"),
            (Carrier::File, "security.evm", b"\x05\x02\x04x"),
            (Carrier::File, "system.posix_acl_access", &list),
            (Carrier::Directory, "system.posix_acl_default", &list),
        ];
        for (carrier, name, value) in fine {
            let name = name.as_bytes().to_vec();
            assert_eq!(check(*carrier, 0o640, &[(name.clone(), value.to_vec())]), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn what_it_refuses_is_refused() {
        let long = "user.".to_owned() + &"n".repeat(251);
        let list = acl(&[(1, 6), (4, 4), (0x20, 0)]);
        let wrong: &[(Carrier, &str, &[u8])] = &[
            (Carrier::File, "security.capability", b""),
            (Carrier::File, "security.capability", &[0; 20]),
            (Carrier::File, "security.capability", &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            (Carrier::File, "security.capability", &[2; 21]),
            (Carrier::File, "security.ima", b""),
            (Carrier::File, "security.ima", b"\x07x"),
            (Carrier::File, "security.evm", b""),
            (Carrier::File, "security.evm", b"\x02x"),
            (Carrier::File, "user.", b"x"),
            (Carrier::File, "", b"x"),
            (Carrier::File, "user", b"x"),
            (Carrier::File, "foo.bar", b"x"),
            (Carrier::File, "system.nfs4_acl", b"x"),
            (Carrier::File, "user.x\0y", b"x"),
            (Carrier::File, &long, b"x"),
            (Carrier::File, "user.x", &[0; 65537]),
            (Carrier::Symlink, "user.x", b"x"),
            (Carrier::Symlink, "system.posix_acl_access", &list),
            (Carrier::File, "system.posix_acl_default", &list),
            (Carrier::File, "system.posix_acl_access", b""),
            (Carrier::File, "system.posix_acl_access", &list[..11]),
            (Carrier::File, "system.posix_acl_access", &acl(&[(4, 4), (1, 6), (0x20, 0)])),
            (Carrier::File, "system.posix_acl_access", &acl(&[(1, 6), (2, 4), (4, 4), (0x20, 0)])),
            (Carrier::File, "system.posix_acl_access", &acl(&[(1, 7), (4, 4), (0x20, 0)])),
            (Carrier::File, "system.posix_acl_access", &acl(&[(1, 8), (4, 4), (0x20, 0)])),
        ];
        for (carrier, name, value) in wrong {
            let found = check(*carrier, 0o640, &[(name.as_bytes().to_vec(), value.to_vec())]);
            assert!(found.is_err(), "{name:?} {value:?}");
        }
    }

    #[test]
    fn ext4_has_one_block() {
        assert_eq!(ext4_room(&[]), 0);
        assert_eq!(ext4_room(&[(b"user.x".to_vec(), vec![0; 5])]), 36 + 16 + 4 + 8);
    }
}

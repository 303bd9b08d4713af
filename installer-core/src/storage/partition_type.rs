//! Types of GPT partitions, from the UEFI specification, GRUB's manual and the Discoverable
//! Partitions Specification. Pure.

use uuid::{Uuid, uuid};

use crate::machine::Partition;
use crate::request::Purpose;
use crate::units::MountPoint;

/// GRUB's core image on a machine with a BIOS.
pub const BIOS_BOOT: Uuid = uuid!("21686148-6449-6e6f-744e-656564454649");
/// The EFI system partition.
pub const ESP: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
const XBOOTLDR: Uuid = uuid!("bc13c2ff-59e6-4262-a352-b275fd6f7172");
const SWAP: Uuid = uuid!("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f");
const LVM: Uuid = uuid!("e6d6d379-f507-44c2-a23c-238f2a3df928");
const LINUX: Uuid = uuid!("0fc63daf-8483-4772-8e79-3d69d8477de4");
const ROOT_X86_64: Uuid = uuid!("4f68bce3-e8cd-4db1-96e7-fbcaf984b709");

/// The room for a partition's name in a GPT, in UTF-16 units.
const NAME: usize = 36;

/// The type and the name of a partition for this purpose. The name is for people: of one that is too long
/// there is as much as there is room for.
pub fn of(purpose: &Purpose) -> (Uuid, String) {
    match purpose {
        Purpose::BiosBoot => (BIOS_BOOT, "bios-boot".into()),
        Purpose::Esp => (ESP, "EFI-SYSTEM".into()),
        Purpose::Swap => (SWAP, "swap".into()),
        Purpose::Lvm(_) => (LVM, "lvm".into()),
        Purpose::Mount(at) if at.as_str() == "/boot" => (XBOOTLDR, "boot".into()),
        Purpose::Mount(at) if *at == MountPoint::root() => (LINUX, "root".into()),
        Purpose::Mount(at) => (LINUX, cut(&at.as_str().trim_start_matches('/').replace('/', "-"))),
    }
}

fn cut(name: &str) -> String {
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= NAME
    };
    name.chars().take_while(fits).collect()
}

/// Whether `partition` is of this type.
pub fn is(partition: &Partition, kind: Uuid) -> bool {
    partition.type_code.as_deref().and_then(|code| code.parse().ok()) == Some(kind)
}

/// Whether `partition` is one of Linux, by a GPT or an MBR.
pub fn is_linux(partition: &Partition) -> bool {
    let gpt = [LINUX, SWAP, LVM, ROOT_X86_64, XBOOTLDR].iter().any(|kind| is(partition, *kind));
    gpt || partition.type_code.as_deref().is_some_and(|code| ["0x83", "0x82", "0x8e"].contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, Sectors};

    #[test]
    fn types_are_known_however_they_are_written() {
        let partition = |code: &str| Partition { type_code: Some(code.into()), ..blank() };
        assert!(is(&partition(&BIOS_BOOT.to_string().to_uppercase()), BIOS_BOOT));
        assert!(!is(&blank(), BIOS_BOOT));
        for (code, linux) in
            [(LINUX.to_string(), true), (ESP.to_string(), false), ("0x83".into(), true), ("0x7".into(), false)]
        {
            assert_eq!(is_linux(&partition(&code)), linux, "{code}");
        }
    }

    #[test]
    fn what_is_made_for_linux_counts_as_linux() {
        for at in ["/", "/boot", "/var/log"] {
            let (kind, _) = of(&Purpose::Mount(at.parse().unwrap()));
            assert!(is_linux(&Partition { type_code: Some(kind.to_string()), ..blank() }), "{at}");
        }
        assert_eq!(of(&Purpose::Mount("/var/log".parse().unwrap())).1, "var-log");
    }

    fn blank() -> Partition {
        Partition {
            name: "vda1".into(),
            path: "/dev/vda1".into(),
            number: 1,
            start: Sectors(2048),
            size: Bytes::gib(1),
            type_code: None,
            label: None,
            uuid: None,
            signature: None,
        }
    }
}

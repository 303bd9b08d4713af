//! Whether the root's file system can hold what the image has besides contents: as many files,
//! such attributes, such links. Pure.

use crate::error::{Error, Remedy, Result, Stage};
use crate::image::{ImageFacts, Largest};
use crate::storage::filesystem;
use crate::storage::tree::Tree;
use crate::units::Bytes;

/// What ext4 keeps free of the one block that it has for a file's attributes: room for a label.
const EXT4_ATTRIBUTES: u64 = 4096 - 128;
/// One attribute of a btrfs with nodes of 16 KiB, its name included.
const BTRFS_ATTRIBUTE: u64 = 16_000;
/// `XFS_SYMLINK_MAXLEN`, which counts a NUL.
const XFS_LINK: u64 = 1023;

/// Refuses a root of this type that cannot hold what some file of the image has.
pub fn check(filesystem: &str, facts: &ImageFacts) -> Result<()> {
    let needs = &facts.needs;
    let (found, most, what) = match filesystem::driver(filesystem) {
        filesystem::EXT => (&needs.attributes, EXT4_ATTRIBUTES, "extended attributes of"),
        "btrfs" => (&needs.attribute, BTRFS_ATTRIBUTE, "an extended attribute of"),
        "xfs" => (&needs.link, XFS_LINK, "a target of"),
        _ => return Ok(()),
    };
    match found {
        Some(Largest { bytes, path }) if bytes.0 > most => {
            let told = format!(
                "'{path}' of the image has {what} {} bytes, and {filesystem} takes {most} at the most",
                bytes.0
            );
            Err(Error::world(Stage::Plan, told)
                .hint([Remedy::AnotherFilesystem, "make it smaller in the image".into()]))
        }
        _ => Ok(()),
    }
}

/// Refuses a root that is there already and has no room for as many files as the image needs.
pub fn check_free(free: Option<u64>, at: &str, facts: &ImageFacts) -> Result<()> {
    let needed = facts.needs.inodes;
    match free {
        Some(free) if free < needed => {
            let told = format!("the file system at {at} has {free} inodes free, and the image needs {needed}");
            Err(Error::world(Stage::Plan, told).hint("make the file system with more inodes (mkfs.ext4 -N)"))
        }
        _ => Ok(()),
    }
}

/// Has an ext root made with as many inodes as the image needs, and a quarter more, where it
/// would have fewer by itself.
pub fn fit_inodes(tree: &mut Tree, facts: &ImageFacts) -> Result<()> {
    let size = tree.at("/").and_then(|root| tree.size_of(&root.device));
    if let (Some(size), Some(root)) = (size, tree.at_mut("/"))
        && filesystem::driver(&root.filesystem) == filesystem::EXT
    {
        let more = inodes(size, &root.options, facts)?;
        root.options.splice(0..0, more);
    }
    Ok(())
}

/// The arguments for mkfs of an ext file system on `size` bytes, before those that were asked for.
fn inodes(size: Bytes, asked: &[String], facts: &ImageFacts) -> Result<Vec<String>> {
    let needed = facts.needs.inodes;
    let too_few = |there: u64| {
        let told = format!("the root file system gets {there} inodes, and the image needs {needed}");
        Err(Error::world(Stage::Plan, told).hint([Remedy::EnlargeRoot, Remedy::AnotherFilesystem]))
    };
    if let Some(there) = asked_for(size, asked) {
        return if there < needed { too_few(there) } else { Ok(Vec::new()) };
    }
    let wanted = needed.saturating_add(needed / 4);
    if there_by_itself(size) >= wanted {
        return Ok(Vec::new());
    }
    // Beyond one for each 4 KiB there would be no room for what they stand for.
    let most = size.0 / 4096;
    if most < needed {
        return too_few(most);
    }
    Ok(vec!["-N".into(), wanted.min(most).to_string()])
}

/// What /etc/mke2fs.conf makes of a size, as every distribution has it.
fn there_by_itself(size: Bytes) -> u64 {
    const TIB: u64 = 1 << 40;
    let ratio = match size.0 {
        size if size < 512 << 20 => 4096,
        size if size < 4 * TIB => 16384,
        size if size < 16 * TIB => 32768,
        _ => 65536,
    };
    size.0 / ratio
}

/// What options of mkfs.ext4 that were asked for say of inodes.
fn asked_for(size: Bytes, asked: &[String]) -> Option<u64> {
    let value = |flag: &str| {
        let at = asked.iter().rposition(|option| option.starts_with(flag))?;
        let text = asked[at].strip_prefix(flag).filter(|rest| !rest.is_empty());
        text.or_else(|| asked.get(at + 1).map(String::as_str))?.parse::<u64>().ok()
    };
    value("-N").or_else(|| value("-i").filter(|ratio| *ratio > 0).map(|ratio| size.0 / ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(inodes: u64) -> ImageFacts {
        let mut facts: ImageFacts = serde_json::from_str(include_str!("../../../tests/images/demo.json")).unwrap();
        facts.needs.inodes = inodes;
        facts
    }

    #[test]
    fn inodes_are_asked_for_where_there_would_be_too_few() {
        let of = |gib: u64, asked: &[&str], needed: u64| {
            let asked: Vec<String> = asked.iter().map(|text| (*text).to_owned()).collect();
            inodes(Bytes::gib(gib), &asked, &facts(needed)).map(|more| more.join(" ")).map_err(|e| e.to_string())
        };
        // 4 GiB have 262,144 by themselves.
        assert_eq!(of(4, &[], 200_000).as_deref(), Ok(""));
        assert_eq!(of(4, &["-m0"], 400_000).as_deref(), Ok("-N 500000"));
        assert_eq!(of(4, &[], 1_000_000).as_deref(), Ok("-N 1048576"));
        assert!(of(4, &[], 1_048_577).unwrap_err().contains("gets 1048576 inodes"));
        for fine in [&["-N", "400000"][..], &["-N400000"], &["-i", "8192"], &["-i8192"]] {
            assert_eq!(of(4, fine, 400_000).as_deref(), Ok(""), "{fine:?}");
        }
        for few in [&["-N", "399999"][..], &["-i", "65536"]] {
            assert!(of(4, few, 400_000).is_err(), "{few:?}");
        }
    }

    #[test]
    fn a_root_that_is_there_needs_as_many_free() {
        let facts = facts(1000);
        assert!([None, Some(1000), Some(5000)].iter().all(|free| check_free(*free, "/mnt", &facts).is_ok()));
        let error = check_free(Some(999), "/mnt", &facts).unwrap_err();
        assert!(error.exit_code() == 3 && error.to_string().contains("999 inodes free"), "{error}");
    }

    #[test]
    fn what_a_file_system_does_not_take_is_refused_by_name() {
        let mut facts = facts(0);
        let large = |bytes| Some(Largest { bytes: Bytes(bytes), path: "usr/x".into() });
        facts.needs.attributes = large(3969);
        facts.needs.attribute = large(16_001);
        facts.needs.link = large(1024);
        for filesystem in ["ext4", "ext3", "ext2", "xfs", "btrfs"] {
            let error = check(filesystem, &facts).unwrap_err().to_string();
            assert!(error.contains("'usr/x'") && error.contains(filesystem), "{error}");
        }
        (facts.needs.attributes, facts.needs.attribute, facts.needs.link) = (large(3968), large(16_000), large(1023));
        assert!(["ext4", "xfs", "btrfs", "other"].iter().all(|name| check(name, &facts).is_ok()));
    }
}

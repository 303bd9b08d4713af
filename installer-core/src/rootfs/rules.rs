//! Which names, owners and modes an entry may have, and where it belongs. The rules for places
//! are those of bootc's tar filter (`tar/write.rs`): `/etc` becomes `/usr/etc`, the run-time
//! directories keep no children, nothing may climb out by `..`.

use std::sync::atomic::{AtomicU64, Ordering};

use super::gvariant::Xattr;
use super::tree::{WHITEOUT, split};

/// The longest name of a file, as every file system here has it.
pub const MAX_NAME: usize = 255;
/// The longest path that a program can name (`PATH_MAX` counts the NUL).
pub const MAX_PATH: usize = 4095;
/// No real system is deeper, and every directory takes some stack.
pub const MAX_DEPTH: usize = 256;
/// More entries than any real image has; each takes memory.
pub const MAX_ENTRIES: u64 = 2_000_000;
/// All attributes of an image: they are held in memory.
pub const MAX_ATTRIBUTES: u64 = 64 << 20;

/// The names of a path.
pub type Path = Vec<Vec<u8>>;

/// Where the entry called `raw` belongs; `None` for one that is left out.
pub fn place(raw: &[u8]) -> Result<Option<Path>, &'static str> {
    if std::str::from_utf8(raw).is_err() {
        return Err("a name that is not UTF-8");
    }
    if raw.contains(&0) {
        return Err("a name with a NUL in it");
    }
    let mut path = split(raw);
    if path.iter().any(|part| part == b"..") {
        return Err("a path with '..' in it");
    }
    if is_dropped(&path) {
        return Ok(None);
    }
    if path.first().is_some_and(|first| first == b"etc") {
        path.insert(0, b"usr".to_vec());
    }
    if path.iter().any(|part| part.len() > MAX_NAME) {
        return Err("a name of more than 255 bytes");
    }
    if path.len() > MAX_DEPTH {
        return Err("a path of more than 256 directories");
    }
    if path.iter().map(|part| part.len() + 1).sum::<usize>() > MAX_PATH {
        return Err("a path of more than 4095 bytes");
    }
    Ok(Some(path))
}

/// Whether it is something in a run-time directory, which no image has a say in.
pub fn is_dropped(path: &[Vec<u8>]) -> bool {
    path.len() > 1 && matches!(path[0].as_slice(), b"run" | b"tmp" | b"proc" | b"sys" | b"dev")
}

/// What is wrong with the name of a regular file at `path`, which may be a whiteout.
pub fn file_name(path: &[Vec<u8>]) -> Result<(), &'static str> {
    let Some((name, parents)) = path.split_last() else { return Err("a file where the image's root is") };
    match name.strip_prefix(WHITEOUT) {
        Some(b"" | b"." | b"..") => Err("a whiteout of nothing"),
        _ => other_name(parents),
    }
}

/// The same of what is no regular file: container engines take it for a whiteout, OSTree does not.
pub fn other_name(path: &[Vec<u8>]) -> Result<(), &'static str> {
    match path.iter().any(|name| name.starts_with(WHITEOUT)) {
        true => Err("a whiteout that is not a regular file"),
        false => Ok(()),
    }
}

/// What is wrong with the target of a symbolic link.
pub fn link_target(target: &[u8]) -> Result<(), &'static str> {
    if target.is_empty() {
        return Err("a link without a target");
    }
    if std::str::from_utf8(target).is_err() {
        return Err("a link target that is not UTF-8");
    }
    if target.contains(&0) {
        return Err("a link target with a NUL in it");
    }
    if target.len() > MAX_PATH {
        return Err("a link target of more than 4095 bytes");
    }
    Ok(())
}

/// An owner or group; the largest number stands for none.
pub fn id(value: u64) -> Result<u32, &'static str> {
    u32::try_from(value).ok().filter(|id| *id != u32::MAX).ok_or("an owner or group above 4294967294")
}

/// What an image may still bring, over all its layers.
#[derive(Debug)]
pub struct Budget {
    entries: AtomicU64,
    attributes: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { entries: AtomicU64::new(MAX_ENTRIES), attributes: AtomicU64::new(MAX_ATTRIBUTES) }
    }
}

impl Budget {
    /// Takes some entries out of it.
    pub fn entries(&self, count: u64) -> Result<(), &'static str> {
        take(&self.entries, count).ok_or("one entry too many: an image may have 2000000")
    }

    /// Takes the attributes of an entry out of it.
    pub fn attributes(&self, xattrs: &[Xattr]) -> Result<(), &'static str> {
        let bytes = xattrs.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum();
        take(&self.attributes, bytes).ok_or("extended attributes of more than 64 MiB in the image")
    }
}

fn take(left: &AtomicU64, count: u64) -> Option<()> {
    let less = |left: u64| left.checked_sub(count);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(raw: &[u8]) -> Result<Option<String>, &'static str> {
        place(raw).map(|path| path.map(|path| String::from_utf8(path.join(&b'/')).unwrap()))
    }

    #[test]
    fn names_find_their_place() {
        let at = |raw: &str| said(raw.as_bytes()).unwrap();
        assert_eq!(at("./usr//bin/./x/").as_deref(), Some("usr/bin/x"));
        assert_eq!(at("/etc/hosts").as_deref(), Some("usr/etc/hosts"));
        assert_eq!(at("etc").as_deref(), Some("usr/etc"));
        assert_eq!([at("run/x"), at("dev/null"), at("tmp/a/b")], [None, None, None]);
        assert_eq!([at("run"), at("/")], [Some("run".into()), Some(String::new())]);
        assert_eq!(at("usr/a\nb").as_deref(), Some("usr/a\nb"));
        assert!(said(format!("usr/{}", "n".repeat(255)).as_bytes()).is_ok());
        assert!(said("d/".repeat(256).as_bytes()).is_ok());
    }

    #[test]
    fn names_that_no_system_takes_are_refused() {
        let long = format!("usr/{}", "n".repeat(256));
        let path = format!("usr/{}", format!("{}/", "n".repeat(250)).repeat(17));
        for raw in [b"a/../b".as_slice(), b"..", b"caf\xe9", b"a\0b", long.as_bytes(), path.as_bytes()] {
            assert!(said(raw).is_err(), "{raw:?}");
        }
        assert!(said("d/".repeat(257).as_bytes()).is_err());
        for target in [b"".as_slice(), b"caf\xe9", b"a\0", "x".repeat(4096).as_bytes()] {
            assert!(link_target(target).is_err());
        }
        assert_eq!([id(0), id(4_294_967_294)], [Ok(0), Ok(4_294_967_294)]);
        assert!(id(4_294_967_295).is_err() && id(1 << 40).is_err());
        let names = |path: &str| split(path.as_bytes());
        assert!(file_name(&names("a/.wh.")).is_err() && file_name(&names("a/.wh...")).is_err());
        assert!(file_name(&names("a/.wh.x")).is_ok() && file_name(&names("a/.wh..wh..opq")).is_ok());
        assert!(other_name(&names("a/.wh.x")).is_err() && other_name(&names("a/.wh.x/y")).is_err());
    }
}

//! The look and the import agree: whatever the look accepts, the import takes. Layers are made at
//! random out of names, links, attributes and headers that are mostly odd.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::import::{Import, import};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::event::Silent;
use crate::host::Real;
use crate::image::{self, Access};
use crate::units::Digest;

/// Numbers that look random, the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

const NAMES: [&str; 24] = [
    "usr",
    "usr",
    "etc",
    "var",
    "bin",
    "lib",
    "a",
    "b",
    "c",
    "d",
    "run",
    "dev",
    "sysroot",
    "boot",
    ".wh.a",
    ".wh.b",
    ".wh..wh..opq",
    "passwd",
    "modules",
    "6.1",
    "vmlinuz",
    "os-release",
    "root",
    "ostree",
];
const ODD: [&[u8]; 9] = [b"..", b".", b"", b".wh.", b".wh..", b"x\ny", b"caf\xe9", "\u{e9}".as_bytes(), &[b'n'; 256]];
const TARGETS: [&str; 12] =
    ["a", "../a", "/usr/b", "usr/bin", "../../../..", "b", "/", "/etc", "/run", "nowhere/at/all", ".", "/usr/etc/c"];
/// What a hard link may lead to.
const THERE: [&str; 5] = ["usr/bin/a", "bin/a", "usr/lib/os-release", "c/passwd", "usr/b/a"];
const KINDS: &[u8] = b"0000000555552222211117";
const ATTRIBUTES: [(&str, &[u8]); 8] = [
    ("security.capability", &[1, 0, 0, 2, 10, 4, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("security.capability", b"short"),
    ("trusted.x", b"a\nb=c"),
    ("trusted.", b"x"),
    ("nothing.x", b"x"),
    ("security.x", &[7; 300]),
    ("system.posix_acl_access", b"\x02\0\0\0"),
    ("system.posix_acl_default", b"x"),
];

fn path(dice: &mut Dice) -> Vec<u8> {
    let mut path = Vec::new();
    for _ in 0..=dice.below(4) {
        if !path.is_empty() || dice.one_in(20) {
            path.push(b'/');
        }
        let odd = dice.one_in(60);
        path.extend_from_slice(if odd { dice.of(&ODD) } else { dice.of(&NAMES).as_bytes() });
    }
    if dice.one_in(25) {
        path.push(b'/');
    }
    path
}

fn block(kind: u8, name: &[u8], link: &[u8], size: u64, dice: &mut Dice) -> Vec<u8> {
    let mut head = tar::Header::new_gnu();
    let bytes = head.as_mut_bytes();
    bytes[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    bytes[157..157 + link.len().min(100)].copy_from_slice(&link[..link.len().min(100)]);
    bytes[156] = kind;
    head.set_size(size);
    head.set_mode([0o644, 0o755, 0o4755, 0o1777, 0o100_644][dice.below(5)]);
    head.set_uid(if dice.one_in(50) { u64::from(u32::MAX) } else { dice.below(3) as u64 });
    head.set_gid(0);
    if dice.one_in(200) {
        let at = dice.below(512);
        head.as_mut_bytes()[at] ^= 1 << dice.below(8);
    }
    if !dice.one_in(300) {
        head.set_cksum();
    }
    head.as_bytes().to_vec()
}

fn padded(mut data: Vec<u8>) -> Vec<u8> {
    data.resize(data.len().next_multiple_of(512), 0);
    data
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let body = [b" ", key, b"=", value, b"\n"].concat();
    let mut length = body.len() + 1;
    while length != body.len() + length.to_string().len() {
        length = body.len() + length.to_string().len();
    }
    [length.to_string().into_bytes(), body].concat()
}

fn entry(dice: &mut Dice) -> Vec<u8> {
    let name = path(dice);
    let link = if dice.one_in(2) { path(dice) } else { dice.of(&TARGETS).as_bytes().to_vec() };
    let mut bytes = Vec::new();
    let mut records = Vec::new();
    if dice.one_in(20) {
        let (key, value) = ATTRIBUTES[dice.below(ATTRIBUTES.len())];
        records.extend(record(format!("SCHILY.xattr.{key}").as_bytes(), value));
    }
    if dice.one_in(12) || name.len() > 100 {
        records.extend(record(b"path", &name));
    }
    if !records.is_empty() {
        if dice.one_in(100) {
            let at = dice.below(records.len());
            records[at] ^= 4;
        }
        bytes.extend(block(b'x', b"pax", b"", records.len() as u64, dice));
        bytes.extend(padded(records));
    } else if dice.one_in(15) {
        bytes.extend(block(b'L', b"long", b"", name.len() as u64, dice));
        bytes.extend(padded(name.clone()));
    }
    let kind =
        if dice.one_in(80) { *dice.of(&[&b'3', &b'6', &b'S', &b'Z', &b'g']) } else { KINDS[dice.below(KINDS.len())] };
    let link = if kind == b'1' && !dice.one_in(4) { dice.of(&THERE).as_bytes().to_vec() } else { link };
    let data = if matches!(kind, b'0' | b'7') { vec![b'x'; dice.below(3) * 300] } else { Vec::new() };
    bytes.extend(block(kind, &name, &link, data.len() as u64, dice));
    bytes.extend(padded(data));
    bytes
}

fn base() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |kind: tar::EntryType, path: &str, what: &str| {
        let mut head = tar::Header::new_gnu();
        head.set_entry_type(kind);
        head.set_mode(0o755);
        head.set_uid(0);
        head.set_gid(0);
        if kind.is_symlink() {
            head.set_size(0);
            builder.append_link(&mut head, path, what).unwrap();
        } else {
            head.set_size(what.len() as u64);
            builder.append_data(&mut head, path, what.as_bytes()).unwrap();
        }
    };
    add(tar::EntryType::Regular, "usr/lib/os-release", "ID=x\n");
    add(tar::EntryType::Regular, "usr/lib/modules/6.1/vmlinuz", "k");
    add(tar::EntryType::Regular, "usr/bin/a", "a");
    add(tar::EntryType::Regular, "etc/passwd", "");
    for (path, to) in [("bin", "usr/bin"), ("lib", "/usr/lib"), ("root", "var/root"), ("usr/b", "bin"), ("c", "/etc")] {
        add(tar::EntryType::Symlink, path, to);
    }
    builder.into_inner().unwrap()
}

/// An OCI layout of plain layers at `dir`.
fn write(dir: &Path, layers: &[Vec<u8>]) {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |data: &[u8]| {
        let digest = Digest::of(data);
        fs::write(blobs.join(digest.hex()), data).unwrap();
        format!(r#""digest":"{digest}","size":{}"#, data.len())
    };
    let described =
        |media: &str, data: &[u8]| format!(r#"{{"mediaType":"application/vnd.oci.image.{media}",{}}}"#, put(data));
    let ids: Vec<String> = layers.iter().map(|layer| format!("\"{}\"", Digest::of(layer))).collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Labels":{{"containers.bootc":"1"}}}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let list: Vec<String> = layers.iter().map(|layer| described("layer.v1.tar", layer)).collect();
    let config = described("config.v1+json", config.as_bytes());
    let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, list.join(","));
    let entry = described("manifest.v1+json", manifest.as_bytes());
    fs::write(dir.join("index.json"), format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#)).unwrap();
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// What the look says of the image in `dir`, and what the import does.
fn judged(dir: &Path) -> (Result<()>, Result<()>) {
    let reference = format!("oci:{}", dir.display()).parse().unwrap();
    let opened = image::open(&reference, "amd64", &Access::default(), Arc::new(Silent)).unwrap();
    let look = image::resolve(&opened).map(|_| ());
    let repo = dir.join("repo");
    let (image, cancel) = (&opened, &Cancel::new());
    let job =
        Import { image, repo: &repo, selinux: false, target: "docker://x/y:1", host: &Real, events: &Silent, cancel };
    (look, import(&job).map(|_| ()))
}

/// Makes images from `seed` on until `enough` says so; returns how many the look accepted.
fn agree(mut seed: u64, mut enough: impl FnMut(usize) -> bool) -> (usize, usize) {
    let (base, mut made, mut accepted) = (base(), 0, 0);
    while !enough(made) {
        let mut dice = Dice(seed);
        let mut layers = vec![base.clone()];
        for _ in 0..=dice.below(2) {
            let count = 1 + dice.below(4);
            layers.push((0..count).flat_map(|_| entry(&mut dice)).chain([0; 1024]).collect());
        }
        // In memory: the import waits for all that its file system has to write.
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        write(dir.path(), &layers);
        let (look, import) = judged(dir.path());
        if look.is_ok() {
            accepted += 1;
            if let Err(error) = &import {
                panic!("seed {seed}: the look accepts what the import refuses: {error}: {error:?}");
            }
        } else if let (Err(error), Ok(())) = (&look, &import) {
            // What only the look reads are texts.
            let text = error.to_string();
            assert!(text.contains("os-release"), "seed {seed}: only the look refuses it: {text}");
        }
        (seed, made) = (seed + 1, made + 1);
    }
    (made, accepted)
}

#[test]
fn the_import_takes_what_the_look_accepts() {
    let (made, accepted) = agree(1, |made| made == 150);
    assert!(accepted > made / 10 && accepted < made, "{accepted} of {made} tell little");
}

#[test]
#[ignore = "takes ten minutes"]
fn the_import_takes_what_the_look_accepts_for_long() {
    let end = Instant::now() + Duration::from_mins(10);
    let seed = std::env::var("BOOTC_KS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_000_000);
    let (made, accepted) = agree(seed, |_| Instant::now() > end);
    println!("{accepted} of {made} images were accepted, and all of those imported");
}

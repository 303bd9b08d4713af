//! GLib as the judge of our own writing and reading of its serialised values.

// Outside of `#[test]` functions too, a test that cannot go on has failed.
#![allow(clippy::unwrap_used)]

use installer_core::deploy::encapsulated::variant::{Attributes, commit_root, dirmeta, dirtree, xattrs};
use installer_core::deploy::gvariant::{self, Commit, Xattr};
use ostree::glib;
use ostree::glib::variant::{StaticVariantType, ToVariant};

/// GLib's own serialisation of the same value is the oracle.
fn glib_bytes<T: ToVariant + StaticVariantType>(value: &T) -> Vec<u8> {
    value.to_variant().data().to_vec()
}

fn attrs() -> Vec<Xattr> {
    vec![(b"security.capability".to_vec(), vec![1, 0, 0, 2, 0, 4, 0, 0]), (b"user.long".to_vec(), vec![7; 70_000])]
}

fn nul_named(list: &[Xattr]) -> Vec<(Vec<u8>, Vec<u8>)> {
    list.iter().map(|(name, value)| ([name.as_slice(), b"\0"].concat(), value.clone())).collect()
}

#[test]
fn headers_and_dirmetas_are_what_glib_writes() {
    for list in [vec![], attrs(), attrs()[..1].to_vec()] {
        let mode = 0o120777u32;
        let value = (5u32.to_be(), 6u32.to_be(), mode.to_be(), 0u32, "usr/bin/true".to_owned(), nul_named(&list));
        assert_eq!(gvariant::content_header(5, 6, mode, b"usr/bin/true", &list)[8..], glib_bytes(&value));
        let value = (5u32.to_be(), 6u32.to_be(), 0o40755u32.to_be(), nul_named(&list));
        assert_eq!(gvariant::dirmeta(5, 6, 0o40755, &list), glib_bytes(&value));
    }
}

#[test]
fn trees_of_any_size_are_what_glib_writes() {
    for count in [0usize, 1, 3, 6, 7, 300, 3000] {
        let names: Vec<String> = (0..count).map(|n| format!("entry-{n:05}")).collect();
        let sum = [0xabu8; 32];
        let value = (
            names.iter().map(|name| (name.clone(), sum.to_vec())).collect::<Vec<_>>(),
            names.iter().map(|name| (name.clone(), sum.to_vec(), vec![1u8; 32])).collect::<Vec<_>>(),
        );
        let ours = gvariant::dirtree(
            names.iter().map(|name| (name.as_bytes(), sum)),
            names.iter().map(|name| (name.as_bytes(), sum, [1u8; 32])),
        );
        assert_eq!(ours, glib_bytes(&value), "{count} entries");
    }
}

#[test]
fn commits_are_what_glib_writes() {
    let long = "x".repeat(70_000);
    for metadata in [vec![], vec![("ostree.importer.version", "1")], vec![("a", "b"), ("key.two", long.as_str())]] {
        let dictionary = glib::VariantDict::new(None);
        let mut entries = Vec::new();
        for (key, value) in &metadata {
            dictionary.insert(key, *value);
            entries.push(glib::variant::DictEntry::new((*key).to_owned(), value.to_variant()).to_variant());
        }
        let dictionary =
            glib::Variant::array_from_iter_with_type(glib::VariantTy::new("{sv}").unwrap(), entries.iter());
        let bytes = |data: &[u8]| data.to_vec().to_variant();
        let related = glib::Variant::array_from_iter_with_type(
            glib::VariantTy::new("(say)").unwrap(),
            std::iter::empty::<glib::Variant>(),
        );
        for parent in [None, Some([9u8; 32])] {
            let value = glib::Variant::tuple_from_iter([
                dictionary.clone(),
                bytes(parent.as_ref().map_or(&[][..], |p| &p[..])),
                related.clone(),
                "".to_variant(),
                "".to_variant(),
                1_700_000_000u64.to_be().to_variant(),
                bytes(&[3; 32]),
                bytes(&[4; 32]),
            ]);
            let ours = gvariant::commit(&Commit {
                metadata: &metadata,
                parent,
                timestamp: 1_700_000_000,
                tree: [3; 32],
                meta: [4; 32],
            });
            assert_eq!(ours, value.data().to_vec());
        }
    }
}

#[test]
fn directories_that_glib_wrote_are_read() {
    for count in [0usize, 1, 3, 6, 7, 300, 3000] {
        let names: Vec<String> = (0..count).map(|n| format!("entry-{n:05}")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.clone(), vec![7u8; 32])).collect();
        let dirs: Vec<_> = names.iter().map(|name| (name.clone(), vec![8u8; 32], vec![9u8; 32])).collect();
        let raw = glib_bytes(&(files, dirs));
        let entries = dirtree(&raw).unwrap();
        let expected: Vec<_> = names.iter().map(|name| (name.as_bytes(), [7; 32])).collect();
        assert_eq!(entries.files, expected);
        let expected: Vec<_> = names.iter().map(|name| (name.as_bytes(), [8; 32], [9; 32])).collect();
        assert_eq!(entries.dirs, expected);
    }
}

#[test]
fn attributes_that_glib_wrote_are_read() {
    for length in [0usize, 1, 200, 250, 300, 70_000] {
        let list = vec![(b"security.selinux\0".to_vec(), vec![1u8; length]), (b"user.b\0".to_vec(), Vec::<u8>::new())];
        let raw = glib_bytes(&list);
        let expected = vec![(b"security.selinux".to_vec(), vec![1; length]), (b"user.b".to_vec(), Vec::new())];
        assert_eq!(xattrs(&raw).unwrap(), expected);
        let raw = glib_bytes(&(5u32.to_be(), 6u32.to_be(), 0o40755u32.to_be(), list));
        assert_eq!(dirmeta(&raw).unwrap(), Attributes { uid: 5, gid: 6, mode: 0o40755, xattrs: expected });
    }
    assert_eq!(xattrs(&[]), Some(vec![]));
    assert!(dirmeta(&[0; 11]).is_none());
}

#[test]
fn the_root_of_a_commit_is_found_whatever_else_it_says() {
    for value in ["", "x", &"y".repeat(300), &"z".repeat(70_000)] {
        for parent in [None, Some([5; 32])] {
            let metadata = [("version", value)];
            let commit = Commit { metadata: &metadata, parent, timestamp: 7, tree: [1; 32], meta: [2; 32] };
            assert_eq!(commit_root(&gvariant::commit(&commit)), Some(([1; 32], [2; 32])));
        }
    }
    // One with a subject, a body, a related commit and values of other types.
    let metadata = glib::VariantDict::new(None);
    metadata.insert("ostree.bootable", true);
    metadata.insert("numbers", 3u64);
    let value = glib::Variant::tuple_from_iter([
        metadata.end(),
        Vec::<u8>::new().to_variant(),
        vec![("related".to_owned(), vec![3u8; 32])].to_variant(),
        "a subject".to_variant(),
        "a body".to_variant(),
        9u64.to_be().to_variant(),
        vec![1u8; 32].to_variant(),
        vec![2u8; 32].to_variant(),
    ]);
    assert_eq!(commit_root(value.data()), Some(([1; 32], [2; 32])));
}

#[test]
fn damaged_objects_are_refused_without_a_panic() {
    let files = vec![("a".to_owned(), vec![7u8; 32]), ("b".to_owned(), vec![7u8; 32])];
    let tree = glib_bytes(&(files, vec![("d".to_owned(), vec![8u8; 32], vec![9u8; 32])]));
    let list = glib_bytes(&vec![(b"user.a\0".to_vec(), vec![1u8; 9])]);
    let commit = gvariant::commit(&Commit { metadata: &[], parent: None, timestamp: 7, tree: [1; 32], meta: [2; 32] });
    let try_all = |data: &[u8]| {
        let _ = (dirtree(data).is_some(), xattrs(data), dirmeta(data), commit_root(data));
    };
    for raw in [tree, list, commit] {
        for cut in 0..raw.len() {
            try_all(&raw[..cut]);
            for value in [0, 1, 0x7f, 0xff] {
                let mut wrong = raw.clone();
                wrong[cut] = value;
                try_all(&wrong);
            }
        }
    }
    assert!(xattrs(&glib_bytes(&vec![(b"no nul".to_vec(), vec![1u8])])).is_none());
}

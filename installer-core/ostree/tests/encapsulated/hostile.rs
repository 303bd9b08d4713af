//! What a broken or hostile image is answered with: an error that names the object.

use ostree::glib::prelude::*;
use tar::EntryType;

use super::Source;
use super::encapsulate::Xattrs;
use super::world::try_import;

/// An entry on its way into the copy of a layer; `false` leaves it out.
type Edit<'a> = &'a mut dyn FnMut(&mut tar::Header, &mut String, &mut Vec<u8>) -> bool;

fn edited(tar: &[u8], edit: Edit<'_>) -> Vec<u8> {
    let mut copy = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut header = entry.header().clone();
        let mut path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut data = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut data).unwrap();
        if !edit(&mut header, &mut path, &mut data) {
            continue;
        }
        match entry.link_name_bytes() {
            Some(target) => copy.append_link(&mut header, path, std::str::from_utf8(&target).unwrap()).unwrap(),
            None => {
                header.set_size(data.len() as u64);
                copy.append_data(&mut header, path, data.as_slice()).unwrap();
            }
        }
    }
    copy.into_inner().unwrap()
}

/// Edits the first entry whose path ends in `suffix`, in layer `layer`.
fn error_of(source: &Source, layer: usize, suffix: &str, edit: Edit<'_>) -> String {
    let mut layers = source.layers.clone();
    let mut left = 1;
    layers[layer] = edited(&layers[layer], &mut |header, path, data| {
        if left == 1 && path.ends_with(suffix) {
            left = 0;
            return edit(header, path, data);
        }
        true
    });
    assert_eq!(left, 0, "no {suffix} in layer {layer}");
    try_import(&layers, source.layers.len(), false).err().unwrap_or_else(|| panic!("an edited {suffix} was taken"))
}

#[test]
fn what_does_not_have_its_checksum_is_refused() {
    let source = Source::new(|_| (), 2, Xattrs::Linked, &[]);
    let wrong = "does not have the checksum";
    for (layer, suffix) in [(0, ".commit"), (0, ".dirtree"), (0, ".dirmeta"), (0, ".file"), (1, ".file")] {
        let error = error_of(&source, layer, suffix, &mut |header, _, data| {
            if header.entry_type() == EntryType::Regular {
                data.push(1);
            } else {
                header.set_uid(77);
            }
            true
        });
        assert!(error.contains(wrong) && error.contains(&suffix[1..]), "{suffix}: {error}");
    }
    for change in [|header: &mut tar::Header| header.set_mode(0o4755), |header: &mut tar::Header| header.set_gid(9)] {
        let error = error_of(&source, 1, ".file", &mut |header, _, _| {
            header.set_entry_type(EntryType::Regular);
            change(header);
            true
        });
        assert!(error.contains(wrong) || error.contains("without"), "{error}");
    }
    let other = vec![(b"user.other\0".to_vec(), vec![1u8])].to_variant();
    for (raw, part) in [(other.data(), "attributes that do not have the checksum"), (b"?", "not serialised")] {
        let error = error_of(&source, 1, ".file-xattrs", &mut |_, _, data| {
            *data = raw.to_vec();
            true
        });
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let source = Source::new(|_| (), 2, Xattrs::Repeated, &[]);
    for suffix in [".dirtree", ".dirmeta"] {
        let error = error_of(&source, 0, suffix, &mut |_, _, _| false);
        assert!(error.contains(&format!("no layer brings the {} object", &suffix[1..])), "{error}");
    }
    let mut layers = source.layers.clone();
    let mut dropped = String::new();
    layers[2] = edited(&layers[2], &mut |_, path, _| {
        let (dir, name) = path.rsplit_once('/').unwrap_or_default();
        if dropped.is_empty() && path.ends_with(".file-xattrs-link") {
            dropped = format!("{dir}/{}", name.split('.').next().unwrap());
        }
        dropped.is_empty() || !path.starts_with(&dropped)
    });
    let error = try_import(&layers, 3, false).err().unwrap();
    let sum = dropped.trim_start_matches("sysroot/ostree/repo/objects/").replace('/', "");
    assert!(
        error.contains("incomplete") && error.contains(&format!("no layer brings the file object {sum}")),
        "{error}"
    );

    for (suffix, part) in [
        (".commit", "of another commit"),
        (".file-xattrs-link", "a file without its attributes"),
        (".file", "the attributes of another file"),
    ] {
        let error = error_of(&source, 0, suffix, &mut |_, _, _| false);
        assert!(error.contains(part), "{suffix}: {error}");
    }
    let error = try_import(&source.layers[1..], 2, false).err().unwrap();
    assert!(error.contains("the image's first layer brings no commit"), "{error}");
}

#[test]
fn what_does_not_belong_is_refused() {
    let source = Source::new(|_| (), 1, Xattrs::Linked, &[]);
    let (metadata, unknown) = ("a metadata object outside of the first layer", "an object of an unknown kind");
    for (layer, suffix, name, part) in [
        (1, "objects/00", "objects/00/x.dirtree", "not the name of an object"),
        (1, "objects/00", "objects/../../etc/passwd", "not the name of an object"),
        (1, "repo/config", &format!("repo/objects/00/{:062}.dirtree", 0), metadata),
        (1, "repo/config", &format!("repo/objects/00/{:062}.commit", 0), metadata),
        (0, "repo/config", &format!("repo/objects/00/{:062}.file.xattrs", 0), unknown),
        (0, "repo/config", &format!("repo/objects/00/{:062}.file-xattrs", 0), "not serialised"),
        (0, "repo/config", &format!("repo/objects/00/{:062}.commitmeta", 0), "of another commit"),
        (0, "repo/config", &format!("repo/objects/GG/{:062}.file", 0), "not the name of an object"),
    ] {
        let error = error_of(&source, layer, suffix, &mut |header, path, _| {
            header.set_entry_type(EntryType::Regular);
            // The tar crate does not write `..`; a component alike takes the same way.
            *path = path.replace(suffix, &name.replace("..", "x"));
            true
        });
        assert!(error.contains(part), "{name}: {error}");
    }
    let error = error_of(&source, 1, ".file", &mut |header, _, data| {
        header.set_entry_type(EntryType::Char);
        data.clear();
        true
    });
    assert!(error.contains("neither a regular file nor a symbolic link"), "{error}");
}

#[test]
fn a_cut_layer_is_an_error_wherever_it_is_cut() {
    let source = Source::new(|_| (), 1, Xattrs::Repeated, &[]);
    for layer in 0..2 {
        let length = source.layers[layer].len();
        for part in [1, 3, 5] {
            let mut layers = source.layers.clone();
            layers[layer].truncate(length * part / 6 + 300);
            assert!(try_import(&layers, 2, false).is_err(), "layer {layer} cut at {part}/6 was taken");
        }
    }
}

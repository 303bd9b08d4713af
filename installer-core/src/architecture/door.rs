//! The one door to what lies below the root of an image or of a target: `host::root`, which resolves
//! every path inside that root. No other module opens such paths by name; what each may still open is
//! listed here, with what that is.

use std::collections::BTreeSet;
use std::path::Path;

use super::source::{self, Place, Token};

/// The modules that have to do with images and targets.
const WATCHED: &[&str] = &["apply", "deploy", "system", "plan", "storage", "build"];

/// What may open something by its name: which module, by which calls, and what it is.
const MAY: &[(&str, &[&str], &str)] = &[
    ("apply::leftovers", &["canonicalize", "read_dir"], "the kernel's list of a disk's partitions"),
    ("apply::system", &["open"], "the installation's own log"),
    ("apply::vfat", &["create", "create_dir"], "a disk image of its own, and where it is mounted"),
    ("apply::boot_order", &["canonicalize"], "a link in /dev"),
    (
        "deploy::labels",
        &["copy", "create_dir_all", "read_dir", "read_link", "remove_dir_all", "remove_file", "symlink"],
        "the repository, and what it has just made there",
    ),
    (
        "deploy::store",
        &["create", "create_dir_all", "lsetxattr", "open", "remove_file"],
        "the repository, by checksums",
    ),
    (
        "deploy::encapsulated",
        &["lgetxattr", "open", "read", "read_link", "read_to_string"],
        "the repository, by checksums",
    ),
    ("build", &["create_dir", "metadata", "read_dir", "rename"], "the directory that it makes"),
    ("build::guard", &["create"], "the file that it makes"),
    ("build::loaders", &["create", "create_dir"], "the directory that it makes"),
    ("build::tree", &["read", "set_permissions"], "programs of this machine, and the file that it makes"),
];

/// Calls of `std::fs`, and of others, that take a path.
const CALLS: &[&str] = &[
    "canonicalize",
    "copy",
    "create_dir",
    "create_dir_all",
    "exists",
    "hard_link",
    "metadata",
    "read",
    "read_dir",
    "read_link",
    "read_to_string",
    "remove_dir",
    "remove_dir_all",
    "remove_file",
    "rename",
    "set_permissions",
    "symlink",
    "symlink_metadata",
    "write",
];

/// What `tokens` open by name: `fs::CALL`, `File::open` and the like, and rustix's own with the working
/// directory.
fn opened(tokens: &[Token]) -> BTreeSet<String> {
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => word.as_str(),
        _ => "",
    };
    let path = |at: usize| tokens.get(at) == Some(&Token::Colons);
    let mut found = BTreeSet::new();
    for at in 0..tokens.len() {
        if !path(at + 1) {
            continue;
        }
        let call = word(at + 2);
        let of_rustix = at >= 2 && path(at - 1) && word(at - 2) == "rustix";
        let opens = match word(at) {
            "fs" if of_rustix => ["open", "lgetxattr", "lsetxattr", "chmod", "mkdir", "CWD"].contains(&call),
            "fs" => CALLS.contains(&call),
            "File" => ["open", "create", "options", "create_new"].contains(&call),
            "OpenOptions" | "DirBuilder" => call == "new",
            _ => false,
        };
        if opens {
            found.insert(call.to_owned());
        }
    }
    found
}

fn name(place: &Place) -> String {
    place.join("::")
}

#[test]
fn nothing_of_an_image_is_opened_by_its_name() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for directory in [here.join("src"), here.join("../pxe/src")] {
        for (place, tokens) in source::modules(&directory) {
            if !place.first().is_some_and(|first| WATCHED.contains(&first.as_str())) {
                continue;
            }
            let may = MAY.iter().find(|(module, ..)| *module == name(&place));
            for call in opened(&tokens) {
                match may {
                    Some((module, calls, _)) if calls.contains(&call.as_str()) => {
                        seen.insert((*module, call));
                    }
                    _ => wrong.push(format!("{}: {call}", name(&place))),
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these open by name what may be the image's; host::root is for that:\n{}",
        wrong.join("\n")
    );
    let listed = MAY.iter().flat_map(|(module, calls, _)| calls.iter().map(|call| (*module, (*call).to_owned())));
    let unused: Vec<_> = listed.filter(|one| !seen.contains(one)).collect();
    assert!(unused.is_empty(), "nothing opens these any more: {unused:?}");
}

#[test]
fn what_opens_is_seen() {
    let of = |text: &str| opened(&source::tokens(text)).into_iter().collect::<Vec<_>>();
    assert_eq!(of("fs::write(a, b); std::fs::read(x)"), ["read", "write"]);
    assert_eq!(of("let f = File::open(p)?; OpenOptions::new()"), ["new", "open"]);
    assert_eq!(
        of("rustix::fs::open(p); rustix::fs::fstat(&fd); std::os::unix::fs::symlink(a, b)"),
        ["open", "symlink"]
    );
    assert!(of("root.read(path); fs::File::from(fd); // fs::read(x)").is_empty());
}

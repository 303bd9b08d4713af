use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::storage::filesystem::FILESYSTEMS;

/// What is started by a name that is not written where it is started, with the reason why the
/// table has it, or need not.
const BY_VARIABLE: &[(&str, &str, &str)] = &[
    ("src/installer/child.rs", "std::env::current_exe", "this very program"),
    ("src/completions.rs", "env!(\"CARGO_PKG_NAME\"", "a description of the command line, which starts nothing"),
    ("src/bootc_compat.rs", "&original", "the image's own bootc, which takes this process over"),
    ("installer-core/src/host/mod.rs", "path", "runs what is asked for"),
    ("installer-core/src/apply/script.rs", "script.interpreter.clone()", "the kickstart's own choice"),
    ("installer-core/src/plan/bootloader.rs", "install.as_str()", "GRUB's installer at the path that the image has it"),
    ("installer-core/src/plan/bootloader.rs", "self.mkimage.as_str()", "its mkimage, the same"),
    ("installer-core/src/plan/step.rs", "program.as_str()", "a program of the image, below"),
    ("installer-core/src/storage/filesystem.rs", "fs.mkfs", "below"),
    ("pxe/src/build/loaders.rs", "tool", "one of two that are written beside it"),
    ("isolinux/src/fat.rs", "program", "mtools, below"),
    ("installer-core/src/deploy/ostree/mod.rs", "PROGRAM", "`OSTREE_PROGRAM`, which is a row"),
    ("pxe/src/build/tree.rs", "name", "our own two programs, tried in the image"),
];
/// What is no part of an installation: trying one in a virtual machine starts QEMU.
const NOT_OURS: &[&str] = &["src/completions.rs", "src/try_vm.rs", "src/try_vm/kvm.rs"];

fn sources(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            all.push(path);
        }
    }
}

/// The argument that begins `text`, to its closing parenthesis.
fn argument(text: &str) -> &str {
    let mut depth = 0;
    let end = text.find(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth < 0
    });
    &text[..end.unwrap()]
}

#[test]
fn every_program_that_is_started_is_a_row_of_the_table() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for member in ["src", "installer-core/src", "pxe/src", "isolinux/src", "anaconda-module/src"] {
        sources(&top.join(member), &mut files);
    }
    let (mut wrong, mut literal, mut variable) = (Vec::new(), 0, 0);
    for path in files {
        let name = path.strip_prefix(&top).unwrap().display().to_string();
        let whole = fs::read_to_string(&path).unwrap();
        let text = whole.split("#[cfg(test)]\nmod tests {").next().unwrap();
        if NOT_OURS.contains(&name.as_str()) || name.contains("/tests/") {
            continue;
        }
        let starts = ["Program::new(", "Command::new("].map(|start| text.match_indices(start)).into_iter().flatten();
        for (at, start) in starts {
            let rest = &text[at + start.len()..];
            let (program, statement) = (argument(rest), rest.split(";\n").next().unwrap());
            let Some(program) = program.strip_prefix('"').and_then(|program| program.strip_suffix('"')) else {
                variable += 1;
                let known = BY_VARIABLE.iter().any(|(file, what, _)| *file == name && program.starts_with(what));
                wrong.extend((!known).then(|| format!("{name}: {program}")));
                continue;
            };
            literal += 1;
            let base = program.rsplit('/').next().unwrap();
            // The boot loader's commands are put inside the image all together, where they are listed.
            let inside = statement.contains(".inside(")
                || (name.ends_with("plan/bootloader.rs") && !["mcopy", "mmd"].contains(&base));
            let table = if inside { IN_IMAGE } else { PROGRAMS };
            wrong.extend((!table.iter().any(|row| row.name == base)).then(|| format!("{name}: {program}")));
        }
    }
    assert!(wrong.is_empty(), "these are not in the table of programs:\n{}", wrong.join("\n"));
    assert!(literal > 25 && variable >= BY_VARIABLE.len(), "{literal} and {variable} were found");
}

#[test]
fn what_is_started_by_a_variable_is_in_the_table_too() {
    let mtools = ["mmd", "mcopy", "mdir"];
    let all = FILESYSTEMS.iter().map(|filesystem| filesystem.mkfs).chain(mtools);
    assert_eq!(all.filter(|name| row(name).is_none()).collect::<Vec<_>>(), Vec::<&str>::new());
    let lacks = |path: &&&str| !IN_IMAGE.iter().any(|row| path.ends_with(&format!("/{}", row.name)));
    assert_eq!(crate::system::PROGRAMS.iter().filter(lacks).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn a_program_is_there_once() {
    for table in [PROGRAMS, IN_IMAGE] {
        let mut names: Vec<&str> = table.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.len());
    }
}

//! Every kickstart that the documentation shows is one of `tests/kickstarts`, and can be
//! planned.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and what lies in docs/.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut list: Vec<PathBuf> = pages.collect();
    list.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)));
    list.sort();
    list
}

/// The fenced blocks of `page` in the language `kickstart`.
fn kickstarts(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match &mut block {
            None if line == "```kickstart" => block = Some(String::new()),
            Some(text) if line == "```" => {
                found.push(std::mem::take(text));
                block = None;
            }
            Some(text) => text.push_str(&format!("{line}\n")),
            None => {}
        }
    }
    assert!(block.is_none(), "{}: a block without an end", page.display());
    found
}

fn shown() -> BTreeSet<PathBuf> {
    let files: Vec<(PathBuf, String)> = fs::read_dir(root().join("tests/kickstarts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    let mut shown = BTreeSet::new();
    for page in pages() {
        for text in kickstarts(&page) {
            let file = files.iter().find(|(_, known)| *known == text);
            let (path, _) =
                file.unwrap_or_else(|| panic!("{}: no file of tests/kickstarts is\n{text}", page.display()));
            shown.insert(path.clone());
        }
    }
    shown
}

#[test]
fn every_kickstart_that_is_shown_can_be_planned() {
    let shown = shown();
    assert!(shown.iter().any(|path| path.ends_with("demo.ks")), "the README has lost its example");
    for path in shown {
        let plan = Command::new(env!("CARGO_BIN_EXE_bootc-ks"))
            .arg("plan")
            .arg(&path)
            .args(["--machine", "tests/machines/vm-virtio.json", "--image-facts", "tests/images/demo.json"])
            .current_dir(root())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(plan.status.success(), "{}:\n{}", path.display(), String::from_utf8_lossy(&plan.stderr));
    }
}

/// What the README shows of `check` is what `check` says.
#[test]
fn the_findings_that_are_shown_are_real() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let file = "tests/kickstarts/wrong/press.ks";
    let command = format!("$ bootc-ks check {file}\n");
    let (_, rest) = readme.split_once(&command).expect("the README has lost its example");
    let (shown, _) = rest.split_once("```").unwrap();
    let check = Command::new(env!("CARGO_BIN_EXE_bootc-ks"))
        .args(["check", file])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(check.stdout).unwrap(), shown);
}

/// Links from page to page lead somewhere.
#[test]
fn links_between_pages_hold() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let target = rest.split(')').next().unwrap_or_default();
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { page.with_file_name("").join(file) };
            assert!(path.exists(), "{}: there is no {target}", page.display());
            if !heading.is_empty() {
                let there = fs::read_to_string(&path).unwrap();
                assert!(headings(&there).any(|h| h == heading), "{}: there is no {target}", page.display());
            }
        }
    }
}

/// The anchors of a page's headings.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
    })
}

//! The documentation shows what is there: kickstarts are those of `tests/kickstarts` and can be
//! planned, the session of the README is that of `tools/demo`, links and paths lead to files.

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
    list.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(|name| root().join(name)));
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

/// The README's session with the demo image, and what stands behind its prompts.
fn session(readme: &str) -> (&str, Vec<&str>) {
    let (_, rest) = readme.split_once("```console\n$ bootc-ks check target/demo").expect("the README has no session");
    let end = rest.find("\n## ").unwrap();
    let start = readme.len() - rest.len();
    let text = &readme[start - "$ bootc-ks check target/demo".len()..start + end];
    let typed = text.lines().filter_map(|line| line.strip_prefix("$ bootc-ks ").or(line.strip_prefix("demo$ ")));
    (text, typed.collect())
}

/// The address of the registry in the session.
fn registry(session: &str) -> &str {
    session.split("--insecure-registry ").nth(1).and_then(|rest| rest.split(' ').next()).expect("no registry is named")
}

/// `make demo` types what the README shows, in that order.
#[test]
fn the_session_of_the_readme_is_that_of_the_demo() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (text, shown) = session(&readme);
    let registry = registry(text);
    let demo = fs::read_to_string(root().join("tools/demo")).unwrap();
    let (_, options) = demo.split_once("local where=(").expect("tools/demo has no list of options");
    let options = options.split(")\n").next().unwrap();
    let plain = |line: &str| {
        let line = line.replace("\"${where[@]}\"", options).replace("$registry", registry);
        line.replace("$demo", "target/demo").replace(['"', '\''], "")
    };
    let typed: Vec<String> = demo
        .lines()
        .map(str::trim_start)
        .filter_map(|line| {
            line.strip_prefix("bootc_ks ")
                .or(line.strip_prefix("show_inside "))
                .or(line.strip_prefix("printf '\\ndemo$ ").map(|line| line.split("\\n").next().unwrap()))
        })
        .map(plain)
        .filter(|line| line != "%s")
        .collect();
    // The script has the functions in another order than it calls them.
    let (inside, outside): (Vec<String>, Vec<String>) =
        typed.into_iter().partition(|line| !["check", "plan", "install"].iter().any(|verb| line.starts_with(verb)));
    assert_eq!(shown, [outside, inside].concat());
}

/// What the README shows of the plan is what `plan` says, but for figures and addresses.
#[test]
fn the_plan_that_is_shown_is_real() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (text, _) = session(&readme);
    let (_, shown) = text.split_once("\nTarget:").expect("the README shows no plan");
    let (shown, _) = shown.split_once("\n\n").unwrap();
    let shown = format!("Target:{shown}").replace(registry(text), "registry.example");
    // In a directory without the disk image that `make demo` may have left in this one.
    let empty = tempfile::tempdir().unwrap();
    let plan = Command::new(env!("CARGO_BIN_EXE_bootc-ks"))
        .arg("plan")
        .arg(root().join("tests/kickstarts/demo.ks"))
        .arg("--machine")
        .arg(root().join("tests/machines/vm-virtio.json"))
        .arg("--image-facts")
        .arg(root().join("tests/images/demo.json"))
        .args(["--disk-image", "target/demo/disk.img", "--size", "6G"])
        .current_dir(&empty)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [plan.stdout, plan.stderr].concat();
    let said: Vec<String> = String::from_utf8(said).unwrap().lines().map(without_figures).collect();
    for line in shown.lines().filter(|line| line.trim() != "…") {
        assert!(said.contains(&without_figures(line)), "{line:?} is not in\n{}", said.join("\n"));
    }
}

/// `line` with one `#` for every number, digest and run of blanks.
fn without_figures(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let figure = word.starts_with("sha256:") || word.trim_end_matches('.').parse::<f64>().is_ok();
        if figure { "#".to_owned() } else { word.replace(|c: char| c.is_ascii_digit(), "#") }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Every file of the repository, by its path.
fn tracked() -> BTreeSet<String> {
    fn walk(dir: &Path, list: &mut BTreeSet<String>) {
        for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()) {
            let path = entry.path();
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            if name == "target" || name == ".git" {
                continue;
            }
            // Whether it is there counts, and not what a link leads to.
            if entry.file_type().unwrap().is_dir() {
                walk(&path, list);
            }
            list.insert(name);
        }
    }
    let mut list = BTreeSet::new();
    walk(root(), &mut list);
    list
}

/// What is in backticks and looks like a path of the repository is one.
#[test]
fn paths_in_backticks_exist() {
    let files = tracked();
    let top: BTreeSet<&str> = files.iter().filter(|file| !file.contains('/')).map(String::as_str).collect();
    let mut seen = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for token in
            text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2))
        {
            let path = token.trim_end_matches('/');
            let first = path.split('/').next().unwrap_or_default();
            let plain = !path.contains(|c: char| c.is_whitespace() || "*<>:$=~{".contains(c));
            let exists = match path.strip_prefix("…/") {
                _ if !plain => continue,
                Some(rest) => files.iter().any(|file| file.ends_with(&format!("/{rest}"))),
                None if path.contains('/') && top.contains(first) => files.contains(path),
                None if path.ends_with(".rs") => files.iter().any(|file| file.ends_with(&format!("/{path}"))),
                None => continue,
            };
            seen += 1;
            assert!(exists, "{}: there is no {token}", page.display());
        }
    }
    assert!(seen > 40, "only {seen} paths were found");
}

/// The index of the documentation has every page.
#[test]
fn the_index_has_every_page() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    for page in pages().iter().filter(|page| page.parent() == Some(&root().join("docs"))) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || index.contains(&format!("({name})")), "docs/README.md lacks {name}");
    }
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
    let mut in_code = false;
    let outside_of_code = move |line: &&str| {
        in_code ^= line.starts_with("```");
        !in_code
    };
    text.lines().filter(outside_of_code).filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
    })
}

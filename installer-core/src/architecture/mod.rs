//! Holds this crate to what docs/architecture.md says of it. Tests only.
//!
//! The page has the chain of imports as a list, once. Here it is read and compared with what
//! the modules import, and with what the crates depend on.

mod door;
mod source;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use source::{Place, Token};

/// A module and one that it imports from, with the path that it writes.
type Import = (Place, Place, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The list between ```` ```floors ```` and ```` ``` ````: on each line the names of one floor.
/// Those of this crate's modules are indented.
fn floors(indented: bool) -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, list) = page.split_once("```floors\n").expect("docs/architecture.md has no list of floors");
    let (list, _) = list.split_once("```").unwrap();
    let wanted = list.lines().filter(|line| line.starts_with(' ') == indented);
    wanted.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The floor of `name`, counted from the top.
fn floor(floors: &[Vec<String>], name: &str) -> usize {
    let found = floors.iter().position(|floor| floor.iter().any(|n| n == name));
    found.unwrap_or_else(|| panic!("'{name}' is not on the list of floors in docs/architecture.md"))
}

/// What `modules` import from each other. A name that a module passes on (`pub use`) counts as
/// that of the module which has it.
fn imports(modules: &BTreeMap<Place, Vec<Token>>) -> Vec<Import> {
    let mut passed_on = BTreeMap::new();
    for (place, tokens) in modules {
        for at in positions(tokens, "use") {
            if is_public(tokens, at) {
                for path in source::paths(tokens, at + 1, &[]).0 {
                    let name = [place.clone(), path.last().cloned().into_iter().collect()].concat();
                    passed_on.insert(name, absolute(place, &path, modules));
                }
            }
        }
    }
    let mut found = Vec::new();
    for (place, tokens) in modules {
        for path in named(place, tokens, modules) {
            let target = module_of(&absolute(place, &path, modules), modules, &passed_on);
            if target != *place && !target.is_empty() {
                found.push((place.clone(), target, path.join("::")));
            }
        }
    }
    found
}

/// The paths in `tokens` that name something of this crate.
fn named(place: &Place, tokens: &[Token], modules: &BTreeMap<Place, Vec<Token>>) -> Vec<Place> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let (Token::Word(word), Some(Token::Colons)) = (token, tokens.get(at + 1)) else { continue };
        let begins = at == 0 || tokens[at - 1] != Token::Colons;
        let child = || modules.contains_key(&[place.clone(), vec![word.clone()]].concat());
        if begins && (matches!(word.as_str(), "crate" | "super" | "self") || child()) {
            found.extend(source::paths(tokens, at, &[]).0);
        }
    }
    found
}

fn positions(tokens: &[Token], word: &str) -> Vec<usize> {
    (0..tokens.len()).filter(|i| tokens[*i] == Token::Word(word.to_owned())).collect()
}

/// Whether `pub` or `pub(…)` stands before the word at `at`.
fn is_public(tokens: &[Token], at: usize) -> bool {
    let before = &tokens[at.saturating_sub(4)..at];
    before.last() == Some(&Token::Word("pub".into()))
        || before.last() == Some(&Token::Other(')')) && before.contains(&Token::Word("pub".into()))
}

/// `path`, as written in the module at `place`, from the root of the crate.
fn absolute(place: &Place, path: &[String], modules: &BTreeMap<Place, Vec<Token>>) -> Place {
    let (mut base, mut rest) = (place.clone(), path);
    match path.first().map(String::as_str) {
        Some("crate") => (base, rest) = (Place::new(), &path[1..]),
        Some("self") => rest = &path[1..],
        _ => {}
    }
    while rest.first().is_some_and(|word| word == "super") {
        base.pop();
        rest = &rest[1..];
    }
    let full = [base, rest.to_vec()].concat();
    if full.last().is_some_and(|word| word == "self") && !modules.contains_key(&full) {
        return full[..full.len() - 1].to_vec();
    }
    full
}

/// The module that has what `path` names.
fn module_of(path: &Place, modules: &BTreeMap<Place, Vec<Token>>, passed_on: &BTreeMap<Place, Place>) -> Place {
    let mut path = path.clone();
    // A name may be passed on by one module after the other.
    for _ in 0..4 {
        let name = (1..=path.len()).rev().find(|n| passed_on.contains_key(&path[..*n]));
        match name {
            Some(n) if !modules.contains_key(&path[..n]) => path = [&passed_on[&path[..n]], &path[n..]].concat(),
            _ => break,
        }
    }
    let length = (0..=path.len()).rev().find(|n| modules.contains_key(&path[..*n])).unwrap_or(0);
    path[..length].to_vec()
}

fn sources() -> BTreeMap<Place, Vec<Token>> {
    source::modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn modules_import_from_floors_below_alone() {
    let (floors, modules) = (floors(true), sources());
    let there: BTreeSet<&String> = modules.keys().filter(|place| place.len() == 1).map(|place| &place[0]).collect();
    let listed: BTreeSet<&String> = floors.iter().flatten().collect();
    assert_eq!(there, listed, "the modules of lib.rs, and those on the floors of docs/architecture.md");
    let imports = imports(&modules);
    assert!(imports.len() > 300, "{} imports seen: the reader of the source misses most", imports.len());
    let wrong: Vec<String> = imports
        .iter()
        .filter(|(from, to, _)| !from.is_empty() && from[0] != to[0])
        .filter(|(from, to, _)| floor(&floors, &from[0]) >= floor(&floors, &to[0]))
        .map(|(from, _, path)| format!("{} imports {path}", from.join("::")))
        .collect();
    assert!(wrong.is_empty(), "from a floor above or beside:\n{}", wrong.join("\n"));
}

#[test]
fn files_of_a_module_import_in_no_circle() {
    let mut below: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
    for (from, to, _) in imports(&sources()) {
        below.entry(from).or_default().insert(to);
    }
    let reached = |from: &Place| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(place) = open.pop() {
            open.extend(below.get(place).into_iter().flatten().filter(|to| seen.insert((*to).clone())));
        }
        seen
    };
    let circles: Vec<String> = below
        .keys()
        .filter(|place| !place.is_empty() && reached(place).contains(*place))
        .map(|p| p.join("::"))
        .collect();
    assert!(circles.is_empty(), "in circles of imports: {}", circles.join(", "));
}

#[test]
fn crates_depend_on_floors_below_alone() {
    let floors = floors(false);
    let workspace: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members: BTreeSet<&str> =
        workspace["workspace"]["members"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    let listed: BTreeSet<&str> =
        floors.iter().flatten().map(String::as_str).filter(|name| *name != "bootc-ks").collect();
    assert_eq!(members, listed, "the members of the workspace, and the crates on the floors of docs/architecture.md");
    let mut seen = 0;
    for name in floors.iter().flatten() {
        let directory = if name == "bootc-ks" { root() } else { root().join(name) };
        let manifest = fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        for other in floors.iter().flatten().filter(|other| manifest["dependencies"].get(other.as_str()).is_some()) {
            assert!(floor(&floors, name) < floor(&floors, other), "{name} depends on {other}, above or beside it");
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen} dependencies between our crates were seen");
}

#[test]
fn the_reader_of_the_source_sees_what_it_is_for() {
    let text = "use a::{b, c::{D as E, self}};\n// use no::NO;\n/* crate::no */ let x = ('\"', b'\\'', \"crate::no\", r#\"\"\"#);";
    let tokens = source::tokens(text);
    let words = |path: &str| path.split("::").map(str::to_owned).collect::<Place>();
    assert_eq!(source::paths(&tokens, 1, &[]).0, [words("a::b"), words("a::c::D"), words("a::c::self")]);
    let texts: Vec<&Token> = tokens.iter().filter(|token| matches!(token, Token::Text(_))).collect();
    assert_eq!(texts, [&Token::Text("crate::no".into()), &Token::Text("\"".into())]);
    assert!(!tokens.contains(&Token::Word("no".into())), "{tokens:?}");
}

//! `bootc-ks check`: what it says, in both forms, and the exit code.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::cli::{bootc_ks, finish, run_in};

const GOOD: &str = "text\nautopart --type=plain\nrootpw --lock\nuser --name=a --password=x --plaintext\n\
    ostreecontainer --url=quay.io/example/os:1\n";

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).unwrap();
}

fn diagnostics(file: &Value) -> &Vec<Value> {
    file["diagnostics"].as_array().unwrap()
}

fn codes(file: &Value) -> Vec<&str> {
    diagnostics(file).iter().map(|d| d["code"].as_str().unwrap()).collect()
}

#[test]
fn json_is_one_document_for_all_files() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "good.ks", GOOD);
    write(dir.path(), "quote.ks", "text\nuser --name=\"a\nautopart\n");
    write(dir.path(), "unknown.ks", &format!("{GOOD}autoprat\n"));
    let outcome =
        run_in(dir.path(), &["check", "--format", "json", "good.ks", "quote.ks", "unknown.ks", "none.ks"]).exits(2);
    let json = outcome.json();
    assert_eq!(json["schema"], 1);
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["files", "schema"]);
    let files = json["files"].as_array().unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["good.ks", "quote.ks", "unknown.ks", "none.ks"]);
    for file in files {
        let mut keys: Vec<&String> = file.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["diagnostics", "path", "syntax"]);
        for diagnostic in diagnostics(file) {
            let mut keys: Vec<&String> = diagnostic.as_object().unwrap().keys().collect();
            keys.sort();
            assert_eq!(
                keys,
                ["code", "column", "end_column", "end_line", "help", "line", "message", "path", "severity"],
                "{diagnostic}"
            );
        }
    }
    assert!(files[0]["syntax"].is_string(), "{json:#}");
    assert!(!codes(&files[0]).iter().any(|code| code.starts_with('E')), "{json:#}");
    let quote = &diagnostics(&files[1])[0];
    assert_eq!((&quote["severity"], &quote["line"], &quote["path"]), (&"error".into(), &2.into(), &"quote.ks".into()));
    assert!(quote["message"].as_str().unwrap().contains("quot"), "{quote}");
    let unknown = diagnostics(&files[2]).iter().find(|d| d["severity"] == "error").unwrap();
    assert_eq!((&unknown["line"], &unknown["column"]), (&6.into(), &1.into()), "{unknown}");
    assert_eq!((&unknown["end_line"], &unknown["end_column"]), (&6.into(), &9.into()), "{unknown}");
    assert!(unknown["message"].as_str().unwrap().contains("autoprat"), "{unknown}");
    assert!(unknown["help"].as_str().unwrap().contains("autopart"), "{unknown}");
    assert_eq!(diagnostics(&files[3])[0]["path"], "none.ks");
}

#[test]
fn everything_wrong_is_said_in_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let text = "autoprat\ntimezone\nautopart --tpye=plain\nuser --groups=wheel\n%post\nexit 0\n";
    write(dir.path(), "bad.ks", text);
    let json = run_in(dir.path(), &["check", "--format", "json", "bad.ks"]).exits(2).json();
    let lines: Vec<u64> = diagnostics(&json["files"][0])
        .iter()
        .filter(|d| d["severity"] == "error")
        .map(|d| d["line"].as_u64().unwrap())
        .collect();
    for line in [1, 3, 4, 5] {
        assert!(lines.contains(&line), "nothing about line {line} in {json:#}");
    }
    let text = run_in(dir.path(), &["check", "bad.ks"]).exits(2);
    for word in ["bad.ks:1:1", "bad.ks:3:10", "did you mean `--type`?", "autoprat", "%post"] {
        assert!(text.stdout.contains(word), "no `{word}` in\n{text}");
    }
    assert!(!text.stdout.contains('\x1b'), "colours are for terminals: {text}");
}

#[test]
fn good_files_are_good_and_only_they() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "good.ks", GOOD);
    write(dir.path(), "bad.ks", "autoprat\n");
    let good = run_in(dir.path(), &["check", "good.ks"]).exits(0);
    assert!(good.stdout.contains("good.ks: "), "{good}");
    run_in(dir.path(), &["check", "good.ks", "bad.ks"]).exits(2);
    run_in(dir.path(), &["check", "bad.ks", "good.ks"]).exits(2);
    run_in(dir.path(), &["check"]).exits(2);
}

#[test]
fn the_version_of_the_language_can_be_chosen() {
    let dir = tempfile::tempdir().unwrap();
    // `--isUtc` became deprecated in F40; RHEL 9 has it still.
    write(dir.path(), "old.ks", &format!("timezone Etc/UTC --isUtc\n{GOOD}"));
    let syntax = |name: &str| run_in(dir.path(), &["check", "--format", "json", "--syntax", name, "old.ks"]);
    let new = syntax("F40").exits(0).json();
    assert_eq!(new["files"][0]["syntax"], "F40");
    assert!(codes(&new["files"][0]).iter().any(|code| code.starts_with('W')), "{new:#}");
    let old = syntax("RHEL9").json();
    assert_eq!(old["files"][0]["syntax"], "RHEL9");
    assert!(!codes(&old["files"][0]).contains(&"W201"), "{old:#}");
    syntax("F999").exits(2).says(&["F999", "--syntax"]);
}

#[test]
fn standard_input_is_a_file_called_stdin() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "bad.ks", "autoprat\n");
    let file = std::fs::File::open(dir.path().join("bad.ks")).unwrap();
    let outcome = finish(bootc_ks(dir.path()).args(["check", "--format", "json", "-"]).stdin(file)).exits(2);
    assert_eq!(outcome.json()["files"][0]["path"], "<stdin>");
}

#[test]
fn what_is_included_is_checked_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "users.ks", "user --name=a --password=x\nuser --nmae=b\n");
    write(dir.path(), "site.ks", &format!("{GOOD}%include users.ks\n"));
    let json = run_in(dir.path(), &["check", "--format", "json", "site.ks"]).exits(2).json();
    let wrong = diagnostics(&json["files"][0]).iter().find(|d| d["severity"] == "error").unwrap();
    assert!(wrong["path"].as_str().unwrap().ends_with("users.ks"), "{wrong}");
    assert_eq!(wrong["line"], 2, "{wrong}");
}

#[test]
fn passwords_are_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "bad.ks", "user --name=a --password=hunter2 --plaintext --nope\nrootpw hunter2 --nope\n");
    for format in ["text", "json"] {
        run_in(dir.path(), &["check", "--format", format, "bad.ks"]).exits(2).keeps(&["hunter2"]);
    }
}

//! `bootc-ks check`: what it says, in both forms, and the exit code.

use std::path::Path;

use crate::support::cli::{bootc_ks, finish, run_in};
use serde_json::Value;

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
                ["code", "column", "end_column", "end_line", "fix", "help", "line", "message", "path", "severity"],
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
    // `--isUtc` became deprecated in RHEL 9 and F33; RHEL 8 has it still.
    write(dir.path(), "old.ks", &format!("timezone Etc/UTC --isUtc\n{GOOD}"));
    let syntax = |name: &str| run_in(dir.path(), &["check", "--format", "json", "--syntax", name, "old.ks"]);
    let new = syntax("F40").exits(0).json();
    assert_eq!(new["files"][0]["syntax"], "F40");
    assert!(codes(&new["files"][0]).iter().any(|code| code.starts_with('W')), "{new:#}");
    let old = syntax("RHEL8").json();
    assert_eq!(old["files"][0]["syntax"], "RHEL8");
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
    for format in ["text", "json", "sarif", "github", "gitlab"] {
        run_in(dir.path(), &["check", "--format", format, "bad.ks"]).exits(2).keeps(&["hunter2"]);
    }
    write(dir.path(), "worse.ks", "rootpw \\\n hunter2\nuser --name=b --pasword hunter2\n%post\necho hunter2");
    for arguments in [["--format", "text"], ["--format", "sarif"], ["--diff", "--fix"]] {
        let [first, second] = arguments;
        run_in(dir.path(), &["check", first, second, "worse.ks"]).keeps(&["hunter2"]);
    }
}

const FIXABLE: &str = "text\nautopart --tpye=plian\ntimezone Etc/UTC --isUtc\nrootpw --lock\n\
    user --name=a \\\n  --password=x --plaintext\nostreecontainer --url=quay.io/example/os:1\n%include more.ks\n";

#[test]
fn fixes_go_into_the_files() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "site.ks", FIXABLE);
    write(dir.path(), "more.ks", "%post\r\ntrue\r\n");
    let site = dir.path().join("site.ks");
    std::fs::set_permissions(&site, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();

    // First without doing it.
    for option in ["--diff", "--dry-run"] {
        let dry = run_in(dir.path(), &["check", "--fix", option, "site.ks"]).exits(0);
        for line in ["--- a/site.ks", "-autopart --tpye=plian", "+autopart --type=plain", "+++ b/more.ks", "+%end"] {
            assert!(dry.stdout.lines().any(|l| l == line), "no `{line}` in\n{dry}");
        }
        dry.says(&["would fix E201"]);
    }
    assert_eq!(std::fs::read_to_string(&site).unwrap(), FIXABLE);

    let outcome = run_in(dir.path(), &["check", "--fix", "site.ks"]).exits(0);
    for line in ["site.ks:2: fixed E201: ", "site.ks:5: fixed E002: join the lines", "more.ks:1: fixed E004: "] {
        assert!(outcome.stdout.contains(line), "no `{line}` in\n{outcome}");
    }
    let expected = "text\nautopart --type=plain\ntimezone Etc/UTC --utc\nrootpw --lock\n\
        user --name=a --password=x --plaintext\nostreecontainer --url=quay.io/example/os:1\n%include more.ks\n";
    assert_eq!(std::fs::read_to_string(&site).unwrap(), expected);
    assert_eq!(std::fs::read_to_string(dir.path().join("more.ks")).unwrap(), "%post\r\ntrue\r\n%end\r\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&site).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o640);
    // There is nothing left to do, and nothing left behind.
    let again = run_in(dir.path(), &["check", "--fix", "site.ks"]).exits(0);
    assert!(!again.stdout.contains("fixed"), "{again}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn what_cannot_be_fixed_is_left_and_told() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "bad.ks", "autoprat\nbogus\n");
    let outcome = run_in(dir.path(), &["check", "--fix", "bad.ks"]).exits(2);
    assert!(outcome.stdout.contains("there is no command `bogus`"), "{outcome}");
    assert_eq!(std::fs::read_to_string(dir.path().join("bad.ks")).unwrap(), "autopart\nbogus\n");
    write(dir.path(), "stdin.ks", "autoprat\n");
    let file = std::fs::File::open(dir.path().join("stdin.ks")).unwrap();
    let outcome = finish(bootc_ks(dir.path()).args(["check", "--fix", "-"]).stdin(file)).exits(2);
    assert!(outcome.stdout.contains("<stdin>: not fixed"), "{outcome}");
    assert_eq!(std::fs::read_to_string(dir.path().join("stdin.ks")).unwrap(), "autoprat\n");
}

#[test]
fn a_symbolic_link_stays_one() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "real.ks", "autoprat\n");
    std::os::unix::fs::symlink("real.ks", dir.path().join("link.ks")).unwrap();
    run_in(dir.path(), &["check", "--fix", "link.ks", "real.ks"]).exits(0);
    assert!(std::fs::symlink_metadata(dir.path().join("link.ks")).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(dir.path().join("real.ks")).unwrap(), "autopart\n");
}

/// What the schema of SARIF 2.1.0 requires of the objects that we write.
#[test]
fn sarif_is_what_its_schema_requires() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "in a dir.ks", "user --nmae=b\n");
    write(dir.path(), "site.ks", "text\ntext\nautopart --tpye=plain\n%include 'in a dir.ks'\n# bootc-ks: allow(R9)\n");
    let outcome = run_in(dir.path(), &["check", "--format", "sarif", "site.ks", "none.ks"]).exits(2);
    let log = outcome.json();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "bootc-ks");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        for text in ["/id", "/shortDescription/text", "/fullDescription/text", "/help/text", "/help/markdown"] {
            assert!(rule.pointer(text).is_some_and(|t| !t.as_str().unwrap().is_empty()), "{text} of {rule}");
        }
        assert!(
            rule["helpUri"]
                .as_str()
                .unwrap()
                .ends_with(&format!("docs/diagnostics/{}.md", rule["id"].as_str().unwrap()))
        );
        assert!(["error", "warning", "note"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
    }
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 5, "{log:#}");
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let mut places: Vec<&Value> = result["locations"].as_array().unwrap().iter().collect();
        places.extend(result["relatedLocations"].as_array().into_iter().flatten());
        for place in places {
            let place = &place["physicalLocation"];
            assert!(!place["artifactLocation"]["uri"].as_str().unwrap().contains([' ', '<']), "{place}");
            regular(&place["region"]);
        }
        for fix in result["fixes"].as_array().into_iter().flatten() {
            assert!(fix["description"]["text"].is_string());
            for change in fix["artifactChanges"].as_array().unwrap() {
                assert!(change["artifactLocation"]["uri"].is_string());
                for replacement in change["replacements"].as_array().unwrap() {
                    regular(&replacement["deletedRegion"]);
                    assert!(replacement["insertedContent"]["text"].is_string());
                }
            }
        }
    }
    let of = |code: &str| results.iter().find(|r| r["ruleId"] == code).unwrap_or_else(|| panic!("{code}: {log:#}"));
    assert_eq!(of("L001")["relatedLocations"].as_array().unwrap().len(), 1);
    assert_eq!(of("E000")["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "none.ks");
    assert_eq!(of("W402")["level"], "warning");
    assert_eq!(of("E201")["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "--type");
}

/// Lines and columns count from 1, and the end is behind the start.
fn regular(region: &Value) {
    let at = |name: &str| region[name].as_u64().unwrap_or_else(|| panic!("no {name} in {region}"));
    let (start, end) = ((at("startLine"), at("startColumn")), (at("endLine"), at("endColumn")));
    assert!(start.0 >= 1 && start.1 >= 1 && start <= end, "{region}");
}

#[test]
fn github_is_told_on_one_line_each() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a,b.ks", &format!("{GOOD}%pots\n%end\n"));
    let outcome = run_in(dir.path(), &["check", "--format", "github", "a,b.ks"]).exits(2);
    assert_eq!(
        outcome.stdout,
        "::error file=a%2Cb.ks,line=6,col=1,endLine=6,endColumn=5,title=E003::there is no section `%25pots`\
         %0Adid you mean `%25post`?\n"
    );
}

#[test]
fn the_fingerprints_of_gitlab_outlast_moved_lines() {
    let dir = tempfile::tempdir().unwrap();
    let issues = |text: &str| {
        write(dir.path(), "a.ks", text);
        run_in(dir.path(), &["check", "--format", "gitlab", "a.ks"]).exits(2).json().as_array().unwrap().clone()
    };
    let before = issues(&format!("{GOOD}bogus\nbogus\nother\n"));
    let after = issues(&format!("# new\n\n{GOOD}other\nbogus\nbogus\n"));
    let prints = |issues: &[Value]| {
        let mut all: Vec<String> = issues.iter().map(|i| i["fingerprint"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all.dedup();
        all
    };
    assert_eq!(prints(&before).len(), 3, "each has its own");
    assert_eq!(prints(&before), prints(&after));
    assert_eq!(before[0]["location"], serde_json::json!({"path": "a.ks", "lines": {"begin": 6, "end": 6}}));
    assert_eq!((&before[0]["check_name"], &before[0]["severity"]), (&"E101".into(), &"critical".into()));
}

#[test]
fn what_is_allowed_and_what_is_denied() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "a.ks",
        &format!(
            "{GOOD}text\nsshkey --username=ann 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p'\n"
        ),
    );
    let check = |more: &[&str]| run_in(dir.path(), &[&["check", "--format", "json", "a.ks"], more].concat());
    assert_eq!(codes(&check(&[]).exits(2).json()["files"][0]), ["L001", "L003"]);
    assert_eq!(codes(&check(&["--allow", "L003"]).exits(0).json()["files"][0]), ["L001"]);
    check(&["--allow", "l003", "--deny", "warnings"]).exits(2);
    let denied = check(&["--allow", "L003", "--deny", "L001"]).exits(2).json();
    assert_eq!(denied["files"][0]["diagnostics"][0]["severity"], "error");
    check(&["--allow", "L003,L001", "--deny", "warnings"]).exits(0);
    check(&["--allow", "E101,L003"]).exits(0);
    check(&["--deny", "X001"]).exits(2).says(&["there is no code X001"]);
}

#[test]
fn comments_allow_what_the_installer_finds_too() {
    let dir = tempfile::tempdir().unwrap();
    let addon = "%addon com_redhat_kdump --enable\n%end\n";
    for (text, expected) in [
        (addon.to_owned(), vec!["R002"]),
        (format!("# bootc-ks: allow(R002)\n{addon}"), vec![]),
        (format!("# bootc-ks: allow-file(R002)\n{addon}"), vec![]),
        ("# bootc-ks: allow(R002)\n".to_owned(), vec!["W403"]),
        ("# bootc-ks: allow(R001)\n".to_owned(), vec!["W403"]),
        ("iscsiname a # bootc-ks: allow(R001)\n".to_owned(), vec![]),
        ("bogus # bootc-ks: allow(E101)\n".to_owned(), vec![]),
        ("user --name=b --uid=0 # bootc-ks: allow(V007)\n".to_owned(), vec![]),
        ("# bootc-ks: allow(R999)\n".to_owned(), vec!["W402"]),
    ] {
        write(dir.path(), "a.ks", &format!("{GOOD}{text}"));
        let json = run_in(dir.path(), &["check", "--format", "json", "a.ks"]).exits(0).json();
        assert_eq!(codes(&json["files"][0]), expected, "{text}");
    }
}

/// A recorded image or machine.
fn recorded(name: &str) -> String {
    format!("{}/tests/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

/// What `check` says of the text with a recorded image: code, line and message.
fn with_image(text: &str, image: &str) -> Vec<(String, u64, String)> {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("ostreecontainer --url=registry.example/{image}:latest\nrootpw --plaintext x\n{text}");
    write(dir.path(), "a.ks", &text);
    let file = match image {
        "no-dm" | "no-xfs" => image.replace("no-", "no-initramfs-"),
        image => image.to_owned(),
    };
    let facts = recorded(&format!("images/{file}"));
    let outcome = run_in(dir.path(), &["check", "--format", "json", "--image-facts", &facts, "a.ks"]);
    let json = outcome.json();
    let found = diagnostics(&json["files"][0]).clone();
    let outcome = outcome.exits(if found.iter().any(|d| d["severity"] == "error") { 2 } else { 0 });
    assert!(outcome.stderr.is_empty(), "{outcome}");
    let text = |d: &Value, key: &str| d[key].as_str().unwrap().to_owned();
    found.iter().map(|d| (text(d, "code"), d["line"].as_u64().unwrap(), text(d, "message"))).collect()
}

#[test]
fn what_the_image_lacks_is_said_at_its_line() {
    let parts = "part / --size=2000 --grow\n";
    for (image, text, expected) in [
        ("fedora-bootupd", "autopart\nselinux --enforcing\n", vec![]),
        ("demo", "autopart\n", vec![]),
        ("no-kernel", "autopart\n", vec![("R004", 1, "no kernel")]),
        ("no-initramfs", "autopart\n", vec![("R004", 1, "initramfs.img")]),
        ("unreadable-initramfs", "autopart --type=plain\n", vec![("R005", 3, "could not be read")]),
        ("no-xfs", "autopart\n", vec![("R004", 3, "'xfs'")]),
        ("no-xfs", "autopart --fstype=ext4\n", vec![]),
        ("no-xfs", "reqpart\npart / --size=2000 --grow --fstype=xfs\n", vec![("R004", 4, "'xfs'")]),
        ("no-dm", "autopart\n", vec![("R004", 3, "'dm_mod'")]),
        ("no-dm", "autopart --type=plain\n", vec![]),
        ("no-bootloader", "autopart\n", vec![("R004", 1, "no boot loader")]),
        ("no-bootloader", "autopart\nbootloader --append=quiet\n", vec![("R004", 4, "no boot loader")]),
        ("no-bootloader", "autopart\nbootloader --location=none\n", vec![]),
        ("demo", parts, vec![("R005", 3, "no place for the boot loader")]),
        ("arm64", "part biosboot --size=1\npart / --size=2000 --grow\n", vec![("R004", 3, "no place")]),
        ("fedora-bootupd", "part biosboot --size=1\npart / --size=3000\n", vec![]),
        ("fedora-bootupd", "part biosboot --size=1\npart / --size=2000\n", vec![("R004", 4, "too small")]),
        ("fedora-bootupd", "reqpart\npart / --size=900 --grow --maxsize=1000\n", vec![("R004", 4, "too small")]),
        (
            "large-kernel",
            "reqpart\npart /boot --size=200\npart / --size=3000\n",
            vec![("R004", 4, "/boot is too small"), ("L020", 4, "little")],
        ),
        (
            "large-kernel",
            "reqpart\npart /boot --size=300\npart / --size=3000\n",
            vec![("R005", 4, "of an update"), ("L020", 4, "little")],
        ),
        ("large-kernel", "reqpart --add-boot\npart / --size=3000\n", vec![]),
        ("fedora-bootupd", "autopart\nbootloader --timeout=5\n", vec![("R005", 4, "bootupd brings its own menu")]),
        ("demo", "autopart\nselinux --enforcing\n", vec![("R005", 4, "SELinux")]),
        ("demo", "autopart\nselinux --disabled\n", vec![]),
        ("demo", "autopart\n# bootc-ks: allow(R005)\nselinux --enforcing\n", vec![]),
        // Of partitions that are wrong already nothing more is said.
        (
            "demo",
            "part /x --size=2000\npart / --size=2000 --fsprofile=small\n",
            vec![("R003", 3, "/x"), ("R001", 4, "--fsprofile")],
        ),
        (
            "no-xfs",
            "reqpart --add-boot\npart pv.1 --size=4000\nvolgroup a pv.1\n\
             logvol / --vgname=a --name=b --size=3000 --fstype=xfs\n",
            vec![("R004", 6, "'xfs'")],
        ),
    ] {
        let found = with_image(text, image);
        let short: Vec<(&str, u64)> = found.iter().map(|(code, line, _)| (code.as_str(), *line)).collect();
        let wanted: Vec<(&str, u64)> = expected.iter().map(|(code, line, _)| (*code, *line)).collect();
        assert_eq!(short, wanted, "{image}: {text}{found:?}");
        for ((.., message), (.., word)) in found.iter().zip(&expected) {
            assert!(message.contains(word), "no `{word}` in {message}");
        }
    }
}

#[test]
fn image_facts_are_of_the_image_that_is_meant() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", &format!("{GOOD}selinux --enforcing # bootc-ks: allow(R005)\n"));
    let demo = recorded("images/demo");
    let outcome = run_in(dir.path(), &["check", "--image-facts", &demo, "a.ks"]).exits(0);
    assert!(outcome.stdout.contains("warning[R005]: the image facts are those of"), "{outcome}");
    assert!(outcome.stdout.contains("a.ks: 1 warning"), "{outcome}");
    // Without facts, a comment that is about an image is neither unknown nor idle.
    assert!(run_in(dir.path(), &["check", "a.ks"]).exits(0).stdout.contains("a.ks: good"));
    run_in(dir.path(), &["check", "--image-facts", "none.json", "a.ks"]).exits(2).says(&["none.json"]);
    run_in(dir.path(), &["check", "--image-facts", "a.ks", "a.ks"]).exits(2).says(&["a.ks"]);
}

#[test]
fn plan_judges_as_check_does() {
    let dir = tempfile::tempdir().unwrap();
    let (machine, image) = (recorded("machines/vm-virtio"), recorded("images/demo"));
    let plan = |text: &str| {
        write(dir.path(), "a.ks", &format!("zerombr\nclearpart --all\n{GOOD}{text}"));
        run_in(dir.path(), &["plan", "--machine", &machine, "--image-facts", &image, "a.ks"])
    };
    let addon = "%addon com_redhat_kdump --enable\n%end\n";
    assert!(plan(addon).exits(0).stderr.contains("warning[R002]"));
    let allowed = plan(&format!("# bootc-ks: allow(R002)\n{addon}")).exits(0);
    assert!(!allowed.stderr.contains("R002"), "{allowed}");
    assert!(plan("# bootc-ks: allow(R002)\n").exits(0).stderr.contains("warning[W403]"));
    plan("iscsiname a # bootc-ks: allow(R001)\n").exits(2).says(&["error[R001]"]);
}

#[test]
fn codes_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let page = run_in(dir.path(), &["explain", "e212"]).exits(0);
    assert!(page.stdout.starts_with("# E212: ") && page.stdout.contains("## Remedy"), "{page}");
    let list = run_in(dir.path(), &["explain"]).exits(0);
    assert!(list.stdout.lines().any(|line| line.starts_with("R001  error")), "{list}");
    run_in(dir.path(), &["explain", "E999"]).exits(2).says(&["there is no code E999"]);
    write(dir.path(), "a.ks", "autopart --type=x\n");
    let text = run_in(dir.path(), &["check", "a.ks"]).exits(2);
    assert!(text.stdout.ends_with("`bootc-ks explain E212` says more about a code\n"), "{text}");
}

/// A key, though the private half of it is nowhere.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p";

#[test]
fn good_means_that_a_login_is_possible() {
    let dir = tempfile::tempdir().unwrap();
    let (machine, image) = (recorded("machines/vm-virtio"), recorded("images/demo"));
    let short = format!("sshkey --username=a \"{} a@b\"\n", &KEY[..60]);
    // The line, its code, and whether an installation is refused as well.
    for (line, code, refused) in [
        (format!("sshkey --username=a \"{KEY} a@b\"\n"), "", false),
        (short, "V002", false),
        ("sshkey --username=a \"ssh-ed25519 AAAA you@example\"\n".to_owned(), "V002", false),
        ("sshkey --username=a \"ssh-ed25519 AAAA\u{2026} you@example\"\n".to_owned(), "V001", true),
        ("sshkey --username=a ~/.ssh/id_ed25519.pub\n".to_owned(), "V001", true),
        ("user --name=b --iscrypted --password=hush:x\n".to_owned(), "V003", true),
        ("user --name=b --iscrypted --password='$6$salt$hush'\n".to_owned(), "V004", false),
        ("user --name=b --homedir=/etc\n".to_owned(), "V006", true),
        ("user --name=b --uid=0\n".to_owned(), "V007", true),
        ("lang '$(reboot)'\n".to_owned(), "V008", true),
    ] {
        write(dir.path(), "a.ks", &format!("zerombr\nclearpart --all\n{GOOD}{line}"));
        let good = code.is_empty();
        let checked = run_in(dir.path(), &["check", "--format", "json", "a.ks"]).exits(if good { 0 } else { 2 });
        assert_eq!(codes(&checked.json()["files"][0]), if good { vec![] } else { vec![code] }, "{line}");
        let plan = ["plan", "--machine", &machine, "--image-facts", &image, "a.ks"];
        let planned = run_in(dir.path(), &plan).exits(if refused { 2 } else { 0 });
        assert_eq!(planned.stderr.contains(code) && !good, !good, "{line}: {planned}");
        assert!(!planned.stderr.contains("hush"), "{planned}");
        if !good {
            run_in(dir.path(), &["check", "--allow", code, "a.ks"]).exits(0);
        }
    }
}

#[test]
fn a_file_for_anaconda_is_judged_by_the_language() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", &format!("{GOOD}iscsiname iqn.a\n"));
    assert!(run_in(dir.path(), &["check", "a.ks"]).exits(2).stdout.contains("error[R001]"));
    let noted = run_in(dir.path(), &["check", "--for", "anaconda", "--format", "json", "a.ks"]).exits(0).json();
    assert_eq!(diagnostics(&noted["files"][0])[0]["severity"], "info");
    write(dir.path(), "a.ks", &format!("{GOOD}bogus\n"));
    run_in(dir.path(), &["check", "--for", "anaconda", "a.ks"]).exits(2);
}

#[test]
fn the_last_line_names_what_is_worst() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", &format!("{GOOD}text\nbogus\n"));
    assert!(run_in(dir.path(), &["check", "a.ks"]).exits(2).stdout.contains("`bootc-ks explain E101`"));
}

#[test]
fn colours_come_where_they_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", &format!("{GOOD}bogus\n"));
    assert!(run_in(dir.path(), &["check", "--color=always", "a.ks"]).exits(2).stdout.contains('\u{1b}'));
    assert!(!run_in(dir.path(), &["check", "--color", "never", "a.ks"]).exits(2).stdout.contains('\u{1b}'));
    assert!(run_in(dir.path(), &["plan", "--color=always", "none.ks"]).exits(2).stderr.contains("\u{1b}[1;31merror:"));
}

#[test]
fn what_pre_may_make_is_not_missing_yet() {
    let dir = tempfile::tempdir().unwrap();
    let (machine, image) = (recorded("machines/vm-virtio"), recorded("images/demo"));
    let head = "zerombr\nclearpart --all\nrootpw --plaintext x\nostreecontainer --url=quay.io/example/os:1\n";
    let pre = "%pre\nfor f in a; do touch /tmp/made-$f; done\n%end\n";
    write(dir.path(), "a.ks", &format!("{head}%include /tmp/made-a\n{pre}"));
    assert!(run_in(dir.path(), &["check", "a.ks"]).exits(0).stdout.contains("warning[W004]"));
    let plan = ["plan", "--machine", &machine, "--image-facts", &image, "a.ks"];
    let planned = run_in(dir.path(), &plan).exits(0);
    assert!(planned.stderr.contains("cannot be known"), "{planned}");
    write(dir.path(), "a.ks", &format!("{head}%include /run/install/repo/part.ks\n"));
    assert!(run_in(dir.path(), &["check", "a.ks"]).exits(0).stdout.contains("warning[W004]"));
    write(dir.path(), "a.ks", &format!("{head}%include /nowhere/part.ks\n"));
    assert!(run_in(dir.path(), &["check", "a.ks"]).exits(2).stdout.contains("error[E007]"));
}

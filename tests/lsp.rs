//! `bootc-ks lsp`: the real process, spoken to as an editor speaks.

mod actions;

use std::path::Path;

use crate::support::cli::run_in;
use crate::support::editor::Editor;
use serde_json::{Value, json};

const GOOD: &str = "rootpw --lock\nautopart --type=plain\nsshkey --username=root \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p\"\n\
    ostreecontainer --url=quay.io/example/os:1 --no-signature-verification\n";

fn nested() -> Value {
    json!({"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": true},
        "hover": {"contentFormat": ["markdown", "plaintext"]}}})
}

fn editor(dir: &Path) -> Editor {
    Editor::ready(dir, nested(), Value::Null).0
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn codes(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

fn range(from: (u32, u32), to: (u32, u32)) -> Value {
    json!({"start": {"line": from.0, "character": from.1}, "end": {"line": to.0, "character": to.1}})
}

fn labels(completion: &Value) -> Vec<&str> {
    completion["items"].as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect()
}

#[test]
fn a_session_from_the_first_word_to_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = Editor::start(dir.path());
    assert_eq!(editor.request("textDocument/hover", json!({}))["error"]["code"], -32002);
    let answer = editor.ask("initialize", json!({"processId": null, "rootUri": null, "capabilities": {}}));
    assert_eq!(answer["serverInfo"]["name"], "bootc-ks");
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(answer["capabilities"]["textDocumentSync"]["change"], 2);
    editor.tell("initialized", json!({}));
    assert_eq!(editor.request("initialize", json!({"capabilities": {}}))["error"]["code"], -32600);
    assert_eq!(editor.request("textDocument/rename", json!({}))["error"]["code"], -32601);
    editor.tell("$/cancelRequest", json!({"id": 1}));
    editor.tell("textDocument/didClose", json!({"textDocument": {"uri": "file:///never.ks"}}));
    assert_eq!(editor.ask("shutdown", Value::Null), Value::Null);
    assert_eq!(editor.request("textDocument/hover", json!({}))["error"]["code"], -32600);
    editor.tell("exit", Value::Null);
    let (status, rest, _) = editor.end();
    assert_eq!((status.code(), rest), (Some(0), vec![]));
}

#[test]
fn an_end_without_a_goodbye_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut early = editor(dir.path());
    early.tell("exit", Value::Null);
    assert_eq!(early.end().0.code(), Some(1));
    assert_eq!(editor(dir.path()).end().0.code(), Some(1));
}

#[test]
fn findings_are_those_of_check() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("site.ks");
    let text = "user --name=\"ann\ntimezone UTC --isUtc\nurl --url=http://x/\nautopart --tpye=plain\nraid / x\n\
                user --name=a\nuser --name=a\nlang čeština😀 x y\n%post\n%end\n";
    std::fs::write(&path, text).unwrap();
    let told = run_in(dir.path(), &["check", "--format", "json", "site.ks"]).exits(2).json();
    let told = told["files"][0]["diagnostics"].as_array().unwrap();
    let mut editor = editor(dir.path());
    let found = editor.open(&uri(&path), text);
    assert_eq!(found.len(), told.len());
    for (found, told) in found.iter().zip(told) {
        assert_eq!((&found["code"], &found["source"]), (&told["code"], &json!("bootc-ks")));
        assert_eq!(found["range"]["start"]["line"], told["line"].as_u64().unwrap() - 1);
        let message = found["message"].as_str().unwrap();
        assert!(message.starts_with(told["message"].as_str().unwrap()), "{message}");
        let severity = if told["severity"] == "error" { 1 } else { 2 };
        assert_eq!(found["severity"], severity);
        let page = found["codeDescription"]["href"].as_str().unwrap();
        let code = found["code"].as_str().unwrap().to_lowercase();
        assert!(page.contains(&format!("/docs/diagnostics.md#{code}-")), "{page}");
    }
    let of = |code: &str| found.iter().find(|finding| finding["code"] == code).unwrap();
    assert_eq!(of("W201")["tags"], json!([2]));
    assert_eq!(of("R002")["tags"], json!([1]));
    assert!(of("E201")["message"].as_str().unwrap().contains("\nhelp: did you mean `--type`?"));
    let twice = &of("L008")["relatedInformation"][0];
    assert_eq!(twice["location"]["uri"], uri(&path));
    assert_eq!(twice["location"]["range"]["start"]["line"], 5);
    // The emoji is two units wide.
    let surplus = found.iter().find(|finding| finding["range"]["start"]["line"] == 7).unwrap();
    assert_eq!(surplus["range"], range((7, 15), (7, 18)));
}

#[test]
fn columns_can_be_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let capabilities = json!({"general": {"positionEncodings": ["utf-8", "utf-16"]}});
    let (mut editor, answer) = Editor::ready(dir.path(), capabilities, Value::Null);
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-8");
    let found = editor.open("untitled:a", &format!("{GOOD}lang č😀 x\n"));
    assert_eq!(found[0]["range"], range((4, 12), (4, 13)));
}

#[test]
fn changes_are_checked_and_a_closed_document_has_no_findings() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let uri = "file:///nowhere/a.ks";
    assert_eq!(codes(&editor.open(uri, &format!("{GOOD}# 😀\r\nbogus\r\n"))), ["E101"]);
    // A change in the middle, by UTF-16; then several at once; then the whole.
    editor.change(uri, 2, json!([{"range": range((5, 0), (5, 5)), "text": "text"}]));
    assert_eq!(editor.findings(uri, 2), Vec::<Value>::new());
    let changes =
        json!([{"range": range((5, 0), (5, 0)), "text": "a\nb\n"}, {"range": range((4, 2), (4, 4)), "text": "c\nd"}]);
    editor.change(uri, 3, changes);
    let found = editor.findings(uri, 3);
    let lines: Vec<u64> = found.iter().map(|f| f["range"]["start"]["line"].as_u64().unwrap()).collect();
    assert_eq!((codes(&found), lines), (vec!["E101", "E101", "E101"], vec![5, 6, 7]));
    editor.change(uri, 4, json!([{"text": GOOD}]));
    assert_eq!(editor.findings(uri, 4), Vec::<Value>::new());
    editor.change(uri, 5, json!([{"text": "bogus"}]));
    assert_eq!(codes(&editor.findings(uri, 5))[0], "E101");
    editor.tell("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    let gone = editor.wait(|m| m["params"]["uri"] == uri && m["params"]["diagnostics"] == json!([]));
    assert!(gone["params"].get("version").is_none());
    let hover = json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}});
    assert_eq!(editor.request("textDocument/hover", hover)["error"]["code"], -32602);
}

#[test]
fn the_version_is_a_setting() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{GOOD}timezone UTC --isUtc\n");
    let (mut editor, _) = Editor::ready(dir.path(), nested(), json!({"bootc-ks": {"syntax": "RHEL8"}}));
    // `ostreecontainer` is younger.
    assert_eq!(codes(&editor.open("untitled:a", &text)), ["E102"]);
    editor.tell("workspace/didChangeConfiguration", json!({"settings": {"bootc-ks": {"syntax": "F44"}}}));
    assert_eq!(codes(&editor.findings("untitled:a", 1)), ["W201"]);
    editor.tell("workspace/didChangeConfiguration", json!({"settings": {"bootc-ks.syntax": "F99"}}));
    let complaint = editor.wait(|message| message["method"] == "window/showMessage");
    assert!(complaint["params"]["message"].as_str().unwrap().contains("F99"), "{complaint}");
    // Without a setting the file decides.
    editor.tell("workspace/didChangeConfiguration", json!({"settings": null}));
    editor.findings("untitled:a", 1);
    assert_eq!(codes(&editor.open("untitled:b", &format!("#version=RHEL8\n{text}"))), ["E102"]);
}

#[test]
fn included_files_come_from_the_editor_or_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (main, part) = (dir.path().join("main.ks"), dir.path().join("a part.ks"));
    std::fs::write(&part, "user --name=disk\nbogus\n").unwrap();
    let (main, part) = (uri(&main), uri(&part).replace(' ', "%20"));
    // Started elsewhere: names count from the document.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut editor = editor(elsewhere.path());
    let text = format!(
        "{GOOD}%include \"a part.ks\"\nsshkey --username=disk 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p'\n%include /dev/zero\n"
    );
    let found = editor.open(&main, &text);
    assert_eq!(codes(&found), ["E007", "E101"]);
    assert_eq!(found[1]["range"], range((4, 9), (4, 20)));
    let there = &found[1]["relatedInformation"][0]["location"];
    assert_eq!((&there["uri"], &there["range"]), (&json!(part), &range((1, 0), (1, 5))));
    let made = editor.at("definition", &main, 5, 20);
    assert_eq!((&made[0]["uri"], &made[0]["range"]), (&json!(part), &range((0, 12), (0, 16))));
    assert_eq!(editor.at("definition", &main, 4, 12)[0]["uri"], part);
    let links = editor.about("documentLink", &main);
    assert_eq!((&links[0]["target"], &links[0]["range"]), (&json!(part), &range((4, 9), (4, 20))));
    // What is open wins, and a change of it is seen in what includes it.
    editor.open(&part, "user --name=disk\n");
    assert_eq!(codes(&editor.findings(&main, 1)), ["E007"]);
    editor.change(&part, 2, json!([{"text": "user --nmae=disk\n"}]));
    assert_eq!(codes(&editor.findings(&main, 1)), ["E007", "E201"]);
    editor.tell("textDocument/didClose", json!({"textDocument": {"uri": part}}));
    assert_eq!(codes(&editor.findings(&main, 1)), ["E007", "E101"]);
}

#[test]
fn a_part_need_not_be_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (main, part) = (uri(&dir.path().join("main.ks")), uri(&dir.path().join("part.ks")));
    let mut editor = editor(dir.path());
    let text =
        "sshkey --username=ann 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p'\n";
    assert_eq!(codes(&editor.open(&part, text)), ["L003", "L005"]);
    assert_eq!(codes(&editor.open(&main, &format!("{GOOD}user --name=ann\n%include part.ks\n"))), [""; 0]);
    assert_eq!(codes(&editor.findings(&part, 1)), [""; 0]);
    editor.change(&main, 2, json!([{"text": GOOD}]));
    let mut last = editor.findings(&part, 1);
    while last.is_empty() {
        last = editor.findings(&part, 1);
    }
    assert_eq!(codes(&last), ["L003", "L005"]);
}

#[test]
fn files_on_the_disk_are_watched_where_the_editor_can() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("part.ks");
    let capabilities = json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}});
    let (mut editor, _) = Editor::ready(dir.path(), capabilities, Value::Null);
    let wish = editor.wait(|message| message["method"] == "client/registerCapability");
    assert_eq!(wish["params"]["registrations"][0]["method"], "workspace/didChangeWatchedFiles");
    editor.raw(b"Content-Length: 44\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":\"files\",\"result\":null}");
    let main = uri(&dir.path().join("main.ks"));
    assert_eq!(codes(&editor.open(&main, &format!("{GOOD}%include part.ks\n"))), ["E007"]);
    std::fs::write(&path, "text\n").unwrap();
    editor.tell("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri(&path), "type": 1}]}));
    assert_eq!(codes(&editor.findings(&main, 1)), [""; 0]);
    assert_eq!(editor.quit().0.code(), Some(0));
}

#[test]
fn hovering_explains() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let uri = "untitled:a";
    editor.open(
        uri,
        "part / --fstype xfs --act\nurl --url=http://x\niscsi --ipaddr=x\n%post --noch\npart\n%end\n# part\n",
    );
    let mut text = |line: u32, character: u32| {
        let hover = editor.at("hover", uri, line, character);
        (hover["contents"]["value"].as_str().unwrap_or("").to_owned(), hover["range"].clone())
    };
    let (part, place) = text(0, 2);
    assert!(part.contains("part MOUNT POINT [OPTION…]") && part.contains("**bootc-ks:** supported"), "{part}");
    assert_eq!(place, range((0, 0), (0, 4)));
    assert!(text(0, 9).0.contains("--fstype=TEXT"));
    assert!(text(0, 17).0.contains("--fstype=TEXT"), "the value of an option");
    let (active, _) = text(0, 24);
    assert!(active.contains("--active") && active.contains("Deprecated in RHEL8; removed in RHEL9, F34."), "{active}");
    assert!(text(1, 1).0.contains("without effect"));
    assert!(text(2, 1).0.contains("refused"));
    assert!(text(3, 1).0.contains("%end"));
    assert!(text(3, 8).0.contains("--nochroot"));
    for (line, character) in [(0, 5), (4, 1), (6, 3), (99, 0)] {
        assert_eq!(text(line, character), (String::new(), Value::Null));
    }
}

#[test]
fn completion_knows_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let uri = "untitled:a";
    let lines = [
        "user --name=ann",        // 0
        "part pv.01 --size=1",    // 1
        "part --fstype=xfs --si", // 2
        "part --fstype=",         // 3
        "sshkey --username=",     // 4
        "sshkey --username ",     // 5
        "au",                     // 6
        "",                       // 7
        "volgroup vg ",           // 8
        "logvol / --vgname=",     // 9
        "network --bootproto=st", // 10
        "%po",                    // 11
        "%post --",               // 12
        "ec",                     // 13
        "%e",                     // 14
    ];
    editor.open(uri, &lines.join("\n"));
    let mut at = |line: u32| {
        let completion = editor.at("completion", uri, line, lines[line as usize].len() as u32);
        (labels(&completion).iter().map(|label| (*label).to_owned()).collect::<Vec<String>>(), completion)
    };
    let has = |list: &[String], label: &str| list.iter().any(|item| item == label);
    let (options, whole) = at(2);
    assert!(has(&options, "--size=") && has(&options, "--grow"), "{options:?}");
    assert!(!has(&options, "--fstype=") && !has(&options, "--active") && !has(&options, "--start="), "{options:?}");
    let size = whole["items"].as_array().unwrap().iter().find(|item| item["label"] == "--size=").unwrap();
    assert_eq!(size["textEdit"], json!({"newText": "--size=", "range": range((2, 18), (2, 22))}));
    assert!(size["documentation"]["value"].as_str().unwrap().contains("--size=NUMBER"));
    let (values, whole) = at(3);
    assert!(has(&values, "xfs"), "{values:?}");
    assert_eq!(whole["items"][0]["textEdit"]["range"], range((3, 5), (3, 14)));
    assert!(whole["items"][0]["textEdit"]["newText"].as_str().unwrap().starts_with("--fstype="));
    assert_eq!(at(4).0, ["root", "ann"]);
    assert_eq!(at(5).0, ["root", "ann"]);
    assert!(has(&at(6).0, "autopart") && !has(&at(6).0, "%post"));
    assert!(has(&at(7).0, "autopart") && has(&at(7).0, "%post") && !has(&at(7).0, "auth"), "removed in F44");
    assert!(has(&at(8).0, "pv.01"));
    assert_eq!(at(9).0, ["vg"]);
    assert!(has(&at(10).0, "static"));
    assert!(has(&at(11).0, "%post") && !has(&at(11).0, "autopart"));
    assert_eq!(at(13).0, [""; 0]);
    assert!(has(&at(14).0, "%end"));
    editor.open("untitled:b", "%post --");
    assert!(has(
        &labels(&editor.at("completion", "untitled:b", 0, 8)).iter().map(|l| (*l).to_owned()).collect::<Vec<_>>(),
        "--nochroot"
    ));
    editor.open("untitled:c", "#version=RHEL8\npart / --");
    let old = editor.at("completion", "untitled:c", 1, 9);
    let active = old["items"].as_array().unwrap().iter().find(|item| item["label"] == "--active").unwrap();
    assert_eq!(active["tags"], json!([1]));
    assert!(!labels(&old).contains(&"--hw-passphrase="), "not in RHEL");
}

#[test]
fn names_lead_to_what_they_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let uri = "untitled:a";
    editor.open(uri, "sshkey --username=ann 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p'\nuser --name ann\npart pv.1 --size=1\nvolgroup vg pv.1\nlogvol / --vgname=vg --name=r --size=1\n");
    let mut lead = |line: u32, character: u32| editor.at("definition", uri, line, character)[0]["range"].clone();
    assert_eq!(lead(0, 19), range((1, 12), (1, 15)));
    assert_eq!(lead(3, 13), range((2, 5), (2, 9)));
    assert_eq!(lead(4, 20), range((3, 9), (3, 11)));
    assert_eq!(lead(0, 1), Value::Null);
    let params = json!({"textDocument": {"uri": uri}, "position": {"line": 2, "character": 6},
        "context": {"includeDeclaration": false}});
    let used = editor.ask("textDocument/references", params);
    assert_eq!(used.as_array().unwrap().len(), 1);
    assert_eq!(used[0]["range"], range((3, 12), (3, 16)));
}

#[test]
fn the_shape_of_a_document() {
    let dir = tempfile::tempdir().unwrap();
    let uri = "untitled:a";
    let text = "# one\n# two\nlang C\nautopart\nzerombr\nrootpw hunter2\n%post --nochroot\n# a\n# b\n%end\n";
    let mut nested = editor(dir.path());
    nested.open(uri, text);
    let symbols = nested.about("documentSymbol", uri);
    let names: Vec<&str> = symbols.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["system", "storage", "accounts", "%post"]);
    let storage = &symbols[1];
    assert_eq!(storage["range"], range((3, 0), (4, 7)));
    assert_eq!(storage["children"].as_array().unwrap().len(), 2);
    assert_eq!(symbols[2]["children"][0]["detail"], "*******");
    assert_eq!((&symbols[3]["range"], &symbols[3]["detail"]), (&range((6, 0), (9, 4)), &json!("--nochroot")));
    let folds = nested.about("foldingRange", uri);
    let folds: Vec<(u64, u64, &str)> = folds
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["startLine"].as_u64().unwrap(), f["endLine"].as_u64().unwrap(), f["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(folds, [(6, 9, "region"), (0, 1, "comment")]);
    // An editor that knows no symbols below symbols.
    let (mut flat, _) = Editor::ready(dir.path(), json!({}), Value::Null);
    flat.open(uri, text);
    let symbols = flat.about("documentSymbol", uri);
    assert_eq!((&symbols[1]["name"], &symbols[1]["containerName"]), (&json!("autopart"), &json!("storage")));
}

#[test]
fn links_lead_to_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    editor.open(
        "untitled:a",
        "repo --name=x --baseurl=\"https://h/x\"\n%include http://h/y.ks\n%post\necho http://no\n%end\n",
    );
    let links = editor.about("documentLink", "untitled:a");
    let links: Vec<(&str, &Value)> =
        links.as_array().unwrap().iter().map(|link| (link["target"].as_str().unwrap(), &link["range"])).collect();
    assert_eq!(links, [("http://h/y.ks", &range((1, 9), (1, 22))), ("https://h/x", &range((0, 25), (0, 36)))]);
}

#[test]
fn formatting_is_that_of_fmt() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let mut format = |uri: &str, text: &str| {
        editor.open(uri, text);
        let options = json!({"tabSize": 4, "insertSpaces": true});
        editor.request("textDocument/formatting", json!({"textDocument": {"uri": uri}, "options": options}))
    };
    let answer = format("untitled:a", "lang C\npart   / --siz 1000 --grow\n# 😀\n");
    assert_eq!(answer["result"], json!([{"range": range((1, 0), (2, 0)), "newText": "part / --size=1000 --grow\n"}]));
    assert_eq!(format("untitled:b", "lang C\n")["result"], json!([]));
    let refused = format("untitled:c", "if true; then\n  echo x\nfi\n");
    assert_eq!(refused["error"]["code"], -32803, "{refused}");
}

#[test]
fn nothing_kills_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let framed = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
    for (bytes, code) in [
        (framed("{nonsense"), -32700),
        (framed("[1, 2]"), -32600),
        (framed(&"[".repeat(100_000)), -32700),
        (format!("nonsense\r\n\r\n{}", framed(r#"{"jsonrpc": "1.0"}"#)), -32600),
    ] {
        editor.raw(bytes.as_bytes());
        let answer = editor.wait(|message| message["id"].is_null() && message.get("error").is_some());
        assert_eq!(answer["error"]["code"], code);
    }
    editor.tell("textDocument/didOpen", json!({"textDocument": 7}));
    editor.tell("textDocument/didChange", json!([]));
    editor.change("file:///unknown", 1, json!([{"text": "x"}]));
    editor.tell("", Value::Null);
    let nowhere = json!({"textDocument": {"uri": "\u{0}:"}, "position": {"line": 4294967295u32, "character": 7}});
    for method in ["hover", "completion", "definition", "documentSymbol", "foldingRange", "documentLink"] {
        let answer = editor.request(&format!("textDocument/{method}"), nowhere.clone());
        assert_eq!(answer["error"]["code"], -32602, "{method}");
        let answer = editor.request(&format!("textDocument/{method}"), json!("x"));
        assert_eq!(answer["error"]["code"], -32602, "{method}");
    }
    assert_eq!(editor.quit().0.code(), Some(0));
}

#[test]
fn ten_megabytes_are_only_slow() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let uri = "untitled:big";
    let comment = format!("# {}\n", "č😀".repeat(5 << 17));
    let text = format!("{GOOD}{comment}{}bogus\n", "bogus --x=1 # ě\n".repeat(5 << 16));
    assert!(text.len() > 8 << 20);
    let found = editor.open(uri, &text);
    assert_eq!(found.len(), 1000, "as many as are shown");
    // One key at the end of a line without end, then many at once, from below.
    let end = 2 + 3 * (5 << 17);
    editor.change(uri, 2, json!([{"range": range((4, end), (4, end)), "text": "x"}]));
    let many: Vec<Value> =
        (0..500).rev().map(|n| json!({"range": range((n + 5, 0), (n + 5, 5)), "text": "lang"})).collect();
    editor.change(uri, 3, json!(many));
    assert_eq!(editor.findings(uri, 3).len(), 1000);
    assert!(editor.at("hover", uri, 5, 1)["contents"]["value"].as_str().unwrap().contains("lang"));
    assert_eq!(editor.at("hover", uri, 4, end), Value::Null);
    editor.about("foldingRange", uri);
    let params = json!({"textDocument": {"uri": uri}, "range": range((0, 0), (u32::MAX, 0)),
        "context": {"diagnostics": found}});
    editor.ask("textDocument/codeAction", params);
    assert_eq!(editor.quit().0.code(), Some(0));
}

#[test]
fn passwords_stay_in_the_document() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let text = "rootpw hunter2 --nope\nuser --name=a --password=hunter2 --nope\nuser --name=\"b --password=hunter2\n";
    let found = editor.open("untitled:a", text);
    let params = json!({"textDocument": {"uri": "untitled:a"}, "range": range((0, 0), (9, 0)),
        "context": {"diagnostics": found}});
    editor.ask("textDocument/codeAction", params);
    for line in 0..3 {
        for character in 0..40 {
            editor.at("hover", "untitled:a", line, character);
            editor.at("completion", "untitled:a", line, character);
        }
    }
    editor.about("documentSymbol", "untitled:a");
    let broken = r#"{"jsonrpc":"2.0","id":1,"method":"hunter2"#;
    editor.raw(format!("Content-Length: {}\r\n\r\n{broken}", broken.len()).as_bytes());
    let (status, rest, log) = editor.quit();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("didOpen"), "everything is logged: {log}");
    assert!(!log.contains("hunter2"), "{log}");
    assert!(!rest.iter().any(|message| message.to_string().contains("hunter2")), "{rest:?}");
}

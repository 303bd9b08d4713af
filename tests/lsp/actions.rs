//! Code actions: what an editor gets offered, and what its document is like afterwards.

use std::path::Path;

use serde_json::{Value, json};

use super::{GOOD, codes, range, uri};
use crate::support::cli::run_in;
use crate::support::editor::{Editor, edited};

const EVERYWHERE: ((u32, u32), (u32, u32)) = ((0, 0), (9999, 0));

fn editor(dir: &Path) -> Editor {
    let literals = json!({"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}});
    let (editor, answer) = Editor::ready(dir, json!({"textDocument": {"codeAction": literals}}), Value::Null);
    let kinds = &answer["capabilities"]["codeActionProvider"]["codeActionKinds"];
    assert_eq!(kinds, &json!(["quickfix", "source.fixAll.bootc-ks"]));
    editor
}

/// What is offered for a range.
fn offered(editor: &mut Editor, uri: &str, at: ((u32, u32), (u32, u32)), context: Value) -> Vec<Value> {
    let params = json!({"textDocument": {"uri": uri}, "range": range(at.0, at.1), "context": context});
    editor.ask("textDocument/codeAction", params).as_array().unwrap().clone()
}

fn titles(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["title"].as_str().unwrap()).collect()
}

#[track_caller]
fn titled<'a>(actions: &'a [Value], title: &str) -> &'a Value {
    actions.iter().find(|action| action["title"] == title).unwrap_or_else(|| panic!("{title}: {:?}", titles(actions)))
}

/// The text of a document after an action.
fn after(action: &Value, uri: &str, text: &str) -> String {
    edited(text, &action["edit"]["changes"][uri])
}

#[test]
fn a_misspelt_option_is_put_right() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let uri = "untitled:a";
    // The emoji is two units wide, and the mistake stands behind it.
    let text = format!("{GOOD}# 😀\r\nuser --name=ann --gecos=\"Ann 😀\" --gruops=wheel\r\n");
    let found = editor.open(uri, &text);
    assert_eq!(codes(&found), ["E201"]);
    let actions = offered(&mut editor, uri, EVERYWHERE, json!({"diagnostics": found, "only": ["quickfix"]}));
    assert_eq!(titles(&actions), ["write `--groups`"], "an error cannot be allowed");
    assert_eq!((&actions[0]["kind"], &actions[0]["isPreferred"]), (&json!("quickfix"), &json!(true)));
    assert_eq!(actions[0]["diagnostics"], json!(found));
    let edit = json!([{"range": range((5, 33), (5, 41)), "newText": "--groups"}]);
    assert_eq!(actions[0]["edit"], json!({"changes": {uri: edit}}));
    let after = after(&actions[0], uri, &text);
    assert_eq!(after, text.replace("gruops", "groups"));
    editor.change(uri, 2, json!([{"text": after}]));
    assert_eq!(editor.findings(uri, 2), Vec::<Value>::new());
}

#[test]
fn columns_in_bytes_are_bytes_here_too() {
    let dir = tempfile::tempdir().unwrap();
    let capabilities = json!({"general": {"positionEncodings": ["utf-8"]}});
    let (mut editor, answer) = Editor::ready(dir.path(), capabilities, Value::Null);
    assert!(answer["capabilities"].get("codeActionProvider").is_none(), "it takes commands only");
    let found = editor.open("untitled:a", &format!("{GOOD}user --name=ann --gecos=😀 --gruops=wheel\n"));
    let actions = offered(&mut editor, "untitled:a", EVERYWHERE, json!({"diagnostics": found}));
    let edit = &actions[0]["edit"]["changes"]["untitled:a"][0];
    assert_eq!(edit["range"], range((4, 29), (4, 37)));
}

#[test]
fn only_what_is_asked_about_is_offered() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let uri = "untitled:a";
    let found = editor.open(uri, "autopart --tpye=plain\ntimezone UTC --isUtc\nlang C\n");
    let of = |code: &str| found.iter().find(|finding| finding["code"] == code).unwrap().clone();
    let mut ask = |line: u32, context: Value| {
        let actions = offered(&mut editor, uri, ((line, 0), (line, 0)), context);
        titles(&actions).iter().map(|title| (*title).to_owned()).collect::<Vec<_>>()
    };
    let all = "fix everything that is certain";
    let (option, deprecated) = ("write `--type`", ["write `--utc`", "allow W201 here"]);
    assert_eq!(ask(0, json!({"diagnostics": found})), [option, all]);
    assert_eq!(ask(1, json!({"diagnostics": found})), [&deprecated[..], &[all]].concat());
    assert_eq!(ask(2, json!({"diagnostics": [of("E201"), of("W201")]})), [all]);
    assert_eq!(ask(0, json!({"diagnostics": [of("W201")], "only": ["quickfix"]})), [""; 0]);
    assert_eq!(ask(0, json!({"diagnostics": [], "only": ["quickfix"]})), [""; 0]);
    assert_eq!(ask(0, json!({"diagnostics": found, "only": [""]})), [option, all]);
    assert_eq!(ask(0, json!({"diagnostics": found, "only": ["refactor", "quick", "quickfix.x"]})), [""; 0]);
    for kind in ["source", "source.fixAll", "source.fixAll.bootc-ks"] {
        assert_eq!(ask(0, json!({"diagnostics": found, "only": [kind]})), [all], "{kind}");
    }
    // A light bulb asks all the time.
    assert_eq!(ask(0, json!({"diagnostics": found, "triggerKind": 2})), [option]);
    let nowhere = json!({"textDocument": {"uri": "file:///no"}, "range": range((0, 0), (0, 0)),
        "context": {"diagnostics": []}});
    assert_eq!(editor.request("textDocument/codeAction", nowhere)["error"]["code"], -32602);
}

#[test]
fn everything_is_fixed_as_check_fixes_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("site.ks");
    // The part is a file of its own: it is not fixed along with the document.
    std::fs::write(dir.path().join("part.ks"), "timezone UTC --isUtc\n").unwrap();
    let text = format!(
        "{GOOD}# 😀\nuser --name=ann --gecos=😀 --gruops=wheel\nlang C\nlang C\n%include part.ks\n\
         network --bootproto=dhcp \\\n  --device=link\n%post\ntrue\n"
    );
    std::fs::write(&path, &text).unwrap();
    let mut editor = editor(dir.path());
    let uri = uri(&path);
    editor.open(&uri, &text);
    let context = json!({"diagnostics": [], "only": ["source.fixAll"]});
    let actions = offered(&mut editor, &uri, ((0, 0), (0, 0)), context.clone());
    assert_eq!(actions.len(), 1);
    assert_eq!(actions[0]["kind"], "source.fixAll.bootc-ks");
    assert_eq!(actions[0]["edit"]["changes"].as_object().unwrap().len(), 1);
    let after = after(&actions[0], &uri, &text);
    run_in(dir.path(), &["check", "--fix", "site.ks"]);
    assert_eq!(after, std::fs::read_to_string(&path).unwrap());
    assert_ne!(after, text);
    editor.change(&uri, 2, json!([{"text": after}]));
    editor.findings(&uri, 2);
    assert_eq!(offered(&mut editor, &uri, ((0, 0), (0, 0)), context), Vec::<Value>::new());
}

#[test]
fn an_included_file_is_edited_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a part.ks");
    let part = "# 😀\nuser --name=ann --gecos=😀 --gruops=wheel\ntimezone UTC --isUtc\n";
    std::fs::write(&path, part).unwrap();
    let (main, part_uri) = (uri(&dir.path().join("main.ks")), uri(&path).replace(' ', "%20"));
    let text = format!("{GOOD}%include \"a part.ks\"\n");
    let mut editor = editor(dir.path());
    let found = editor.open(&main, &text);
    assert_eq!(codes(&found), ["E201", "W201"]);
    let context = json!({"diagnostics": found, "only": ["quickfix"]});
    let actions = offered(&mut editor, &main, ((4, 3), (4, 3)), context);
    let expected = ["write `--groups` in a part.ks", "write `--utc` in a part.ks", "allow W201 here in a part.ks"];
    assert_eq!(titles(&actions), expected);
    assert_eq!(after(&actions[0], &part_uri, part), part.replace("gruops", "groups"));
    let allowed = after(&actions[2], &part_uri, part);
    assert_eq!(allowed, part.replace("timezone", "# bootc-ks: allow(W201)\ntimezone"));
    std::fs::write(&path, allowed).unwrap();
    editor.tell("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": part_uri, "type": 2}]}));
    assert_eq!(codes(&editor.findings(&main, 1)), ["E201"]);
}

#[test]
fn a_comment_allows_what_it_stands_above() {
    let dir = tempfile::tempdir().unwrap();
    let mut editor = editor(dir.path());
    let here = "# bootc-ks: allow";
    for (number, (text, code, title, expected)) in [
        (
            format!("{GOOD}  timezone UTC --isUtc"),
            "W201",
            "allow W201 here",
            format!("{GOOD}  {here}(W201)\n  timezone UTC --isUtc"),
        ),
        (
            format!("{GOOD}lang C\r\ntimezone UTC --isUtc"),
            "W201",
            "allow W201 here",
            format!("{GOOD}lang C\r\n{here}(W201)\r\ntimezone UTC --isUtc"),
        ),
        (
            format!("\u{feff}timezone UTC --isUtc\n{GOOD}"),
            "W201",
            "allow W201 here",
            format!("\u{feff}{here}(W201)\ntimezone UTC --isUtc\n{GOOD}"),
        ),
        (
            format!("{GOOD}# why\n%post\n%end\n"),
            "W005",
            "allow W005 here",
            format!("{GOOD}# why\n{here}(W005)\n%post\n%end\n"),
        ),
        // Of the installer.
        (
            format!("{GOOD}url --url=http://x/\n"),
            "R002",
            "allow R002 here",
            format!("{GOOD}{here}(R002)\nurl --url=http://x/\n"),
        ),
        // An error, but one that is a guess.
        (
            format!("{GOOD}sshkey --username=ann \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p\"\n"),
            "L003",
            "allow L003 here",
            format!("{GOOD}{here}(L003)\nsshkey --username=ann \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p\"\n"),
        ),
        // About no line at all.
        (
            "#version=F44\n# why\n\nlang C\n".to_owned(),
            "L006",
            "allow L006 in the whole file",
            format!("#version=F44\n# why\n{here}-file(L006)\n\nlang C\n"),
        ),
        // About a comment, and about what is in front of everything.
        (
            format!("#version=F99\n{GOOD}"),
            "W003",
            "allow W003 in the whole file",
            format!("#version=F99\n{here}-file(W003)\n{GOOD}"),
        ),
        (
            format!("\u{feff}{GOOD}"),
            "W001",
            "allow W001 in the whole file",
            format!("\u{feff}{here}-file(W001)\n{GOOD}"),
        ),
        // A comment above the line would be one of the script.
        (
            format!("{GOOD}%post\n%ksappend x\n%end\n"),
            "W007",
            "allow W007 in the whole file",
            format!("{here}-file(W007)\n{GOOD}%post\n%ksappend x\n%end\n"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let uri = format!("untitled:{number}");
        let found = editor.open(&uri, &text);
        let actions = offered(&mut editor, &uri, EVERYWHERE, json!({"diagnostics": found, "only": ["quickfix"]}));
        assert!(codes(&found).contains(&code), "{:?}", codes(&found));
        let after = after(titled(&actions, title), &uri, &text);
        assert_eq!(after, expected);
        editor.change(&uri, 2, json!([{"text": after}]));
        let left = editor.findings(&uri, 2);
        assert!(!codes(&left).iter().any(|left| *left == code || *left == "W403"), "{left:?}");
    }
}

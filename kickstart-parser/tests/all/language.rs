//! The language as a whole: sections, includes, versions, spans.

use std::cell::Cell;
use std::collections::BTreeMap;

use kickstart_parser::kickstart::ScriptKind;
use kickstart_parser::{
    IncludeRequest, LineKind, LoadError, Loaded, Loader, ParseOptions, Parsed, Severity, Syntax, parse,
};

fn with_files(text: &str, files: &[(&str, &str)]) -> Parsed {
    let files: BTreeMap<String, String> =
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let options = ParseOptions { loader: Some(&files), ..ParseOptions::default() };
    parse(text, "main.ks", &options)
}

/// Code, file and line of everything but the lints.
fn findings(parsed: &Parsed) -> Vec<(&'static str, String, usize)> {
    parsed
        .diagnostics
        .iter()
        .filter(|d| !d.code.starts_with('L'))
        .map(|d| {
            let at = parsed.sources.locate(d.span);
            (d.code, at.path, at.line)
        })
        .collect()
}

fn codes(text: &str) -> Vec<&'static str> {
    let parsed = with_files(text, &[]);
    findings(&parsed).into_iter().map(|f| f.0).collect()
}

#[test]
fn scripts_are_verbatim() {
    let body = "#!/bin/sh\n  echo \"it's\" # not a comment\n\n%notasection\n%endless x\n\t\n";
    let text = format!("%post --interpreter=/usr/bin/python3 --log /l --erroronfail\n{body}%end\n");
    let parsed = with_files(&text, &[]);
    assert_eq!(findings(&parsed), []);
    let script = &parsed.kickstart.scripts[0];
    assert_eq!(script.body, body);
    assert_eq!(script.kind, ScriptKind::Post);
    assert_eq!(script.interpreter.as_deref(), Some("/usr/bin/python3"));
    assert_eq!(script.log.as_deref(), Some("/l"));
    assert!(script.error_on_fail && !script.no_chroot);
    assert_eq!(script.body_spans.len(), 1);
    assert_eq!(parsed.sources.slice(script.body_spans[0]), body);
}

#[test]
fn all_sections() {
    let text = "%pre\na\n%end\n%pre-install\na\n%end\n%post --nochroot\na\n  %end  # done\n\
                %onerror --logfile=x\na\n%end\n\
                %addon org_example --x \"y z\"\nbody = 1\n%end\n";
    let parsed = with_files(text, &[]);
    assert_eq!(findings(&parsed), []);
    let kinds: Vec<_> = parsed.kickstart.scripts.iter().map(|s| s.kind).collect();
    assert_eq!(kinds, [ScriptKind::Pre, ScriptKind::PreInstall, ScriptKind::Post, ScriptKind::OnError]);
    assert!(parsed.kickstart.scripts[2].no_chroot);
    let addon = &parsed.kickstart.addons[0];
    assert_eq!(addon.name, "org_example");
    assert_eq!(addon.arguments, ["--x", "y z"]);
    assert_eq!(addon.body, "body = 1\n");
}

#[test]
fn sections_gone_wrong() {
    for (text, expected) in [
        ("%post\na\n", vec!["E004"]),
        ("%post\na\n%pre\nb\n%end\n", vec!["E004"]),
        ("%end\n", vec!["E005"]),
        ("%post\nx\n%end it's\n", vec!["E001"]),
        ("%post\nx\n%end # it's\n", vec!["E001"]),
        ("%post\nx\n%end # so it is\n", vec![]),
        ("%post\n%include /a # it's\n%end\n", vec!["W005", "E001"]),
        ("%post\nx\n%end\u{a0}\n", vec!["E004"]),
        ("%pots\necho bogus\n%end\n", vec!["E003"]),
        ("%post --bogus\na\n%end\n", vec!["E201"]),
        ("%pre --nochroot\na\n%end\n", vec!["E201"]),
        ("%post\n\n%end\n", vec!["W005"]),
        ("%packages\n@core\n%end\n", vec![]),
        ("%anaconda\nx\n%end\n", vec![]),
        ("%certificate --filename=x\nx\n%end\n", vec!["E207"]),
        ("%addon\n%end\n", vec!["E208"]),
        ("%ksappend http://x\n", vec!["E013"]),
        ("%traceback\nx\n%end\n", vec!["W101"]),
    ] {
        assert_eq!(codes(text), expected, "{text}");
    }
}

#[test]
fn words_gone_wrong() {
    for (text, expected) in [
        ("lang 'en\n", vec!["E001"]),
        // The rest of a "continued" line is not reported again.
        ("part / --size=1 \\\n  --grow \\\n  --fstype=xfs\ntext\n", vec!["E002"]),
        ("part / --size=1 \\\ntext bogus\n", vec!["E002", "E209"]),
        ("'' x\n", vec!["E011"]),
        ("%include\n", vec!["E006"]),
        ("# a 'comment\n\t\n", vec![]),
        ("'text'\n", vec![]),
        ("lang en\x0b_US\n", vec!["W002", "E101"]),
    ] {
        assert_eq!(codes(text), expected, "{text:?}");
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(codes("\u{feff}text\n"), ["W001"]);
    assert_eq!(codes("\u{feff}# text\n"), ["W001"]);
    assert_eq!(codes("text\n\u{feff}text\n"), ["E101"]);
}

#[test]
fn included_commands_know_their_file() {
    let parsed = with_files(
        "text\n%include a.ks\nbogus1\n",
        &[("a.ks", "lang cs\n%include b.ks\nbogus3\n"), ("b.ks", "\nbogus2\n")],
    );
    let at = |code, path: &str, line| (code, path.to_owned(), line);
    assert_eq!(findings(&parsed), [at("E101", "main.ks", 3), at("E101", "a.ks", 3), at("E101", "b.ks", 2)]);
    assert_eq!(parsed.kickstart.lang.as_ref().unwrap().lang, "cs");
    let deepest = parsed.diagnostics.iter().find(|d| d.span.source.index() == 2);
    let chain = parsed.sources.include_chain(deepest.unwrap().span);
    let chain: Vec<_> = chain.iter().map(|l| (l.path.as_str(), l.line)).collect();
    assert_eq!(chain, [("a.ks", 2), ("main.ks", 2)]);
}

#[test]
fn includes_inside_a_section_are_part_of_it() {
    let parsed =
        with_files("%post\nbefore\n%include f\nafter\n%end\ntext\n", &[("f", "# it's a script\n\necho f\n# it is\n")]);
    assert_eq!(findings(&parsed), []);
    let script = &parsed.kickstart.scripts[0];
    assert_eq!(script.body, "before\necho f\n# it is\nafter\n");
    assert_eq!(script.body_spans.len(), 3);
    assert!(parsed.kickstart.display.is_some());
}

#[test]
fn a_section_stays_in_its_file() {
    // Nothing after the include is lost.
    let parsed = with_files("%include f\ntext\n", &[("f", "%post\necho\n")]);
    assert_eq!(findings(&parsed), [("E004", "f".to_owned(), 1)]);
    assert!(parsed.kickstart.display.is_some());
    let parsed = with_files("%post\n%include f\nx\n%end\n", &[("f", "%end\ntext\n")]);
    assert_eq!(findings(&parsed), [("E005", "f".to_owned(), 1)]);
}

#[test]
fn cycles_are_seen() {
    let parsed = with_files("%include a\n", &[("a", "%include b\n"), ("b", "%include a\n")]);
    assert_eq!(findings(&parsed), [("E008", "b".to_owned(), 1)]);
}

#[test]
fn a_file_made_by_pre_is_no_error() {
    let parsed = with_files("%pre\necho > /tmp/p.ks\n%end\n%include /tmp/p.ks\n", &[]);
    assert_eq!(findings(&parsed), [("W004", "main.ks".to_owned(), 4)]);
    assert_eq!(parsed.document.deferred[0].path, "/tmp/p.ks");
    // What is missing may be in there.
    assert!(parsed.diagnostics.iter().all(|d| d.severity == Severity::Warning));
    assert_eq!(parsed.diagnostics.len(), 1);
}

/// Every file includes two more, for ever.
struct Bomb {
    calls: Cell<usize>,
}

impl Loader for Bomb {
    fn load(&self, _: IncludeRequest<'_>) -> Result<Loaded, LoadError> {
        let n = self.calls.get();
        self.calls.set(n + 1);
        Ok(Loaded { path: n.to_string(), text: "%include x\n%include y\n".to_owned() })
    }
}

#[test]
fn endless_includes_end() {
    let bomb = Bomb { calls: Cell::new(0) };
    let options = ParseOptions { loader: Some(&bomb), ..ParseOptions::default() };
    let parsed = parse("%include x\n", "a.ks", &options);
    assert!(bomb.calls.get() <= 1000);
    let too_many = parsed.diagnostics.iter().filter(|d| d.code == "E009");
    assert_eq!(too_many.count(), 1);
}

#[test]
fn the_version_comes_from_the_options_or_the_file() {
    let as_is = |text: &str| parse(text, "a.ks", &ParseOptions::default()).syntax;
    assert_eq!(as_is("text\n"), Syntax::F44);
    assert_eq!(as_is("#version=RHEL9\ntext\n"), Syntax::Rhel9);
    assert_eq!(as_is("text\n#version=DEVEL\n"), Syntax::Devel);
    assert_eq!(as_is("%post\n#version=RHEL9\n%end\n"), Syntax::F44);
    let options = ParseOptions { syntax: Some(Syntax::Rhel8), ..ParseOptions::default() };
    assert_eq!(parse("#version=RHEL9\n", "a.ks", &options).syntax, Syntax::Rhel8);
    assert_eq!(codes("#version=RHEL5\n"), ["W003"]);
}

#[test]
fn lines_say_what_they_are() {
    let text = "# c\n\ntext\n%post\nx\n%include f\n%end\nlang '\n";
    let parsed = with_files(text, &[("f", "y\n")]);
    let kinds: Vec<_> = parsed.document.files[0].lines.iter().map(|l| l.kind).collect();
    assert_eq!(
        kinds,
        [
            LineKind::Comment,
            LineKind::Blank,
            LineKind::Command,
            LineKind::SectionStart,
            LineKind::Body,
            LineKind::Include,
            LineKind::SectionEnd,
            LineKind::Broken,
        ]
    );
}

#[test]
fn spans_point_into_words() {
    let text = "bootloader --append=\"a b\" --timeout=x --location 'no'\n";
    let parsed = with_files(text, &[]);
    let marked: Vec<_> =
        parsed.diagnostics.iter().filter(|d| d.code.starts_with('E')).map(|d| parsed.sources.slice(d.span)).collect();
    assert_eq!(marked, ["x", "'no'"]);
}

#[test]
fn the_flat_form_is_stable() {
    let parsed = with_files("autoprat\n", &[]);
    let flat = parsed.diagnostics[0].resolve(&parsed.sources);
    let json = serde_json::to_value(&flat).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "code": "E101",
            "severity": "error",
            "message": "there is no command `autoprat`",
            "path": "main.ks",
            "line": 1,
            "column": 1,
            "end_line": 1,
            "end_column": 9,
            "help": "did you mean `autopart`?",
            "fix": {
                "description": "write `autopart`",
                "edits": [{
                    "path": "main.ks", "line": 1, "column": 1, "end_line": 1, "end_column": 9,
                    "replacement": "autopart",
                }],
            },
        })
    );
    assert!(flat.to_string().starts_with("main.ks:1:1: error[E101]: "));
}

#[test]
fn a_pasted_text_is_read_in_its_place() {
    let files = [("a.ks", "bogus1\n%post\necho a\n"), ("b.ks", "user --name=ann\n%ksappend a.ks\n")];
    let parsed = with_files("text\n%ksappend a.ks\necho b\n%end\nbogus2\n %ksappend b.ks more\nlang cs\n", &files);
    let at = |code, path: &str, line| (code, path.to_owned(), line);
    assert_eq!(findings(&parsed), [at("E101", "main.ks", 5), at("E101", "a.ks", 1), at("W008", "b.ks", 2)]);
    // The section begins in one text and ends in the other.
    let script = &parsed.kickstart.scripts[0];
    assert_eq!(script.body, "echo a\necho b\n");
    assert_eq!(script.body_spans.len(), 2);
    assert_eq!((parsed.kickstart.users.len(), parsed.kickstart.lang.is_some()), (1, true));
    let bogus = parsed.diagnostics.iter().find(|d| d.span.source.index() == 1).unwrap();
    let chain: Vec<_> = parsed.sources.include_chain(bogus.span).iter().map(|l| (l.path.clone(), l.line)).collect();
    assert_eq!(chain, [("main.ks".to_owned(), 2)]);
}

#[test]
fn a_text_is_pasted_into_scripts_too() {
    let parsed = with_files("%post\na\n\t%ksappend f\nb\n%end\n", &[("f", "x\n%end\ntext\n%pre\n")]);
    let at = |code, path: &str, line| (code, path.to_owned(), line);
    assert_eq!(findings(&parsed), [at("W007", "main.ks", 3)]);
    let bodies: Vec<&str> = parsed.kickstart.scripts.iter().map(|s| s.body.as_str()).collect();
    assert_eq!(bodies, ["a\nx\n", "b\n"]);
    // Without the file it is a line of the script.
    let parsed = with_files("%post\n%ksappend f\n%end\n", &[]);
    assert_eq!(findings(&parsed), [at("W007", "main.ks", 2)]);
    assert_eq!(parsed.kickstart.scripts[0].body, "%ksappend f\n");
}

#[test]
fn a_text_without_a_line_end_runs_into_the_next_line() {
    let files = [("f", "echo a"), ("g", "text")];
    let parsed = with_files("%post\n%include f\necho b\n%end\n%ksappend g\nlang cs\n", &files);
    let at = |code, path: &str, line| (code, path.to_owned(), line);
    assert_eq!(findings(&parsed), [at("W006", "f", 1), at("W006", "g", 1)]);
    assert_eq!(parsed.kickstart.scripts[0].body, "echo aecho b\n");
    assert!(parsed.kickstart.lang.is_some() && parsed.kickstart.display.is_some());
    let last = with_files("%post\necho b\n%include f\n%end\n%packages\n%include f\nb\n%end\n", &files);
    assert_eq!(findings(&last), []);
}

#[test]
fn texts_that_are_none() {
    assert_eq!(codes("lang c\0s\nbogus\n"), ["E014", "E101"]);
    assert_eq!(codes("t\0e\0x\0t\0\n\0l\0a\0n\0g\0\n"), ["E014"]);
    assert_eq!(codes("#platform=x\n%post\n\0\n%end\n"), ["E014"]);
}

#[test]
fn the_platform_is_that_of_the_last_comment() {
    for (text, platform) in [
        ("#platform=x86_64\n", Some("x86_64")),
        ("#platform= a=b \n", Some("a=b")),
        ("#platform=a\n#platform=\n", None),
        (" #platform=a\n", None),
        ("%post\n#platform=a\n%end\n", None),
        ("#platform=a\n%include f\n", Some("f")),
    ] {
        let parsed = with_files(text, &[("f", "#platform=f\n")]);
        assert_eq!(parsed.kickstart.platform.as_deref(), platform, "{text}");
    }
}

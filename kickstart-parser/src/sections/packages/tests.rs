use super::{GroupMembers, PackageName, Selection};
use crate::Syntax;
use crate::commands::testing::{check, check_versions, good, read_as};
use crate::{ParseOptions, parse};

/// The section as it is written back: the header's options and the body.
fn written(syntax: Syntax, text: &str) -> (String, String) {
    let all = read_as(syntax, text).0.to_pykickstart(syntax);
    let (_, section) = all.split_once("\n%packages").unwrap();
    let (header, body) = section.split_once('\n').unwrap();
    (header.trim_start().to_owned(), body.strip_suffix("\n%end\n").unwrap().to_owned())
}

#[test]
fn entries_have_their_places() {
    let text = "%packages\n  @^env # why\n@a b --opt\n-@c\n\n# no\nvim*\n\t-č # x\n%end";
    let k = good(text);
    let entries = &k.packages[0].entries;
    let spans: Vec<&str> = entries.iter().map(|e| &text[e.span.range()]).collect();
    assert_eq!(spans, ["@^env", "@a b --opt", "-@c", "vim*", "-č"]);
    assert_eq!(entries[1].name, PackageName::Group("a b".to_owned(), GroupMembers::All));
    assert!(entries[4].excluded && entries[4].name == PackageName::Package("č".to_owned()));
    let selection = Selection::of(&k.packages);
    assert_eq!(selection.environment, Some("env"));
    assert!(selection.excluded_groups.contains_key("c"));
}

#[test]
fn the_order_counts() {
    for (entries, body) in [
        ("-foo\nfoo", "foo\n"),
        ("foo\n-foo", "-foo\n"),
        ("foo\nfoo\nbar baz", "bar baz\nfoo\n"),
        ("@a\n-@a", "-@a\n"),
        ("-@a\n@a", "@a\n-@a\n"),
        ("-@a\n-@a", "-@a\n-@a\n"),
        ("@a --nodefaults\n@a --optional", "@a --nodefaults\n"),
        ("@a --optional\n-@a\n@a", "@a\n-@a\n"),
        ("@^a\n@^b", "@^b\n"),
        ("@^a\n-@^a", ""),
        ("@^a\n-@^b\n-@c\n-@B", "@^a\n-@B\n-@^b\n-@c\n"),
        ("@ a  b --o c", "@a b c --optional\n"),
        ("@a -- --nodefaults", "@a -- --nodefaults\n"),
        ("@a --zzz", "@a --zzz\n"),
        ("-@a --nodefaults\n- foo", "-@a --nodefaults\n- foo\n"),
        ("@\nB\na\n--c", "@\nB\na\n--c\n"),
    ] {
        assert_eq!(written(Syntax::F44, &format!("%packages\n{entries}\n%end")).1, body, "{entries}");
    }
}

#[test]
fn the_default_has_its_own_environment() {
    for (header, body) in [("", "@^e\n@a\n"), ("--default", "@a\n")] {
        let text = format!("%packages {header}\n@^e\n@a\n%end");
        assert_eq!(written(Syntax::F44, &text).1, body, "{header}");
    }
}

#[test]
fn a_group_with_the_name_of_an_environment_is_excluded_like_one() {
    let (_, text) = written(Syntax::F44, "%packages\n@ ^minimal\n@b\n-@^minimal\n%end\n");
    assert_eq!(text, "@b\n-@^minimal\n");
}

#[test]
fn the_last_header_counts() {
    for (first, second, header) in [
        ("--nocore --excludedocs --timeout=4", "--multilib", "--multilib"),
        ("--default", "", "--default"),
        ("--default", "--nocore", "--default --nocore"),
        ("--inst-langs=a --ignorebroken", "--retries=-1", "--inst-langs=a --retries=-1"),
        ("--inst-langs=a", "--inst-langs=", "--inst-langs="),
    ] {
        let text = format!("%packages {first}\na\n%end\n%packages {second}\nb\n%end");
        assert_eq!(written(Syntax::F44, &text), (header.to_owned(), "a\nb\n".to_owned()), "{text}");
    }
}

#[test]
fn headers_by_version() {
    let all = "%packages --excludeWeakdeps --instLangs=x --multilib\n%end";
    assert_eq!(written(Syntax::Rhel8, all).0, "--instLangs=x --multilib --excludeWeakdeps");
    assert_eq!(written(Syntax::F35, all).0, "--inst-langs=x --multilib --exclude-weakdeps");
    check_versions(&[
        (Syntax::Rhel8, all, &[]),
        (Syntax::Rhel9, all, &["W201", "W201"]),
        (Syntax::F40, all, &["W201", "W201"]),
        (Syntax::Rhel10, all, &["E203", "E203"]),
        (Syntax::Rhel7, "%packages --nobase\n%end", &["W201"]),
        (Syntax::Rhel7, "%packages --nobase --default\n%end", &["W201", "E214"]),
        (Syntax::Rhel7, "%packages --excludeWeakdeps\n%end", &["E202"]),
        (Syntax::F35, "%packages --nobase\n%end", &["E202"]),
        (Syntax::Rhel10, "%packages --ignorebroken\n%end", &["E202"]),
    ]);
}

#[test]
fn mistakes() {
    check(&[
        ("%packages --default --nocore\n%end", &["E214"]),
        ("%packages --timeout=x\n%end", &["E210"]),
        ("%packages --inst=x\n%end", &["E204"]),
        ("%packages x\n%end", &["E209"]),
        ("%packages\n - \nfoo\n%end", &["E216"]),
        ("%packages\n@a --nodefaults --opt\n%end", &["E214"]),
        ("%packages\n@a --optional=x\n%end", &["E206"]),
    ]);
    let parsed = parse("%packages\nfoo\n  -\n%end\n", "a.ks", &ParseOptions::default());
    let at = parsed.diagnostics.iter().find(|d| d.code == "E216").unwrap().resolve(&parsed.sources);
    assert_eq!((at.line, at.column), (3, 3));
}

#[test]
fn a_fragment_without_a_line_end_is_no_part_of_the_next_line() {
    let mut files = std::collections::BTreeMap::new();
    files.insert("f".to_owned(), "foo\n-bar".to_owned());
    let options = ParseOptions { loader: Some(&files), ..ParseOptions::default() };
    let parsed = parse("%packages\n%include f\nbaz\n%end\n", "a.ks", &options);
    let entries: Vec<&str> =
        parsed.kickstart.packages[0].entries.iter().map(|e| parsed.sources.slice(e.span)).collect();
    assert_eq!(entries, ["foo", "-bar", "baz"]);
}

#[test]
fn many_entries_take_linear_time() {
    let body: String = (0..100_000).map(|n| format!("package-{n}\n-other-{n}\n@group-{n}\n")).collect();
    let start = std::time::Instant::now();
    let (_, text) = written(Syntax::F44, &format!("%packages\n{body}%end\n"));
    assert_eq!(text.len(), body.len());
    assert!(start.elapsed() < std::time::Duration::from_secs(10));
}

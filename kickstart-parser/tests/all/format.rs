//! The canonical form: what it looks like, that it says the same as what it was made of, and
//! that it is its own canonical form. The corpus is looked for where `oracle/corpus.rs` has it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kickstart_parser::format::{Unformattable, flatten, format};
use kickstart_parser::{Kickstart, ParseOptions, Parsed, SourceId, Syntax, parse};
use proptest::prelude::*;

use crate::oracle::corpus;

fn read(text: &str, syntax: Option<Syntax>) -> Parsed {
    parse(text, "x.ks", &ParseOptions { syntax, loader: None })
}

/// The typed kickstart without places, and without what formatting changes on purpose: line ends
/// and blanks at the ends of lines of %packages.
fn meaning(kickstart: &Kickstart) -> (String, Vec<String>) {
    let mut text = String::new();
    // `partition` is `part`.
    let debug = format!("{kickstart:?}").replace("name: \"partition\"", "name: \"part\"");
    for (n, piece) in debug.split("Span {").enumerate() {
        text.push_str(if n == 0 { piece } else { piece.split_once('}').map_or("", |(_, rest)| rest) });
    }
    // How many stretches a body has depends on line ends.
    text = text.replace(", : ", "").replace("  ", " ");
    let scripts = kickstart.scripts.iter().map(|s| body(&s.body));
    let addons = kickstart.addons.iter().map(|a| body(&a.body));
    let passwords = kickstart.users.iter().map(|u| u.password.as_ref().map_or("", |p| p.expose()).to_owned());
    let root = kickstart.rootpw.iter().map(|r| r.password.as_ref().map_or("", |p| p.expose()).to_owned());
    (text, scripts.chain(addons).chain(passwords).chain(root).collect())
}

fn body(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches(['\n', '\r']).to_owned()
}

/// The codes, without those of what formatting cures.
fn codes(parsed: &Parsed) -> BTreeMap<&'static str, usize> {
    let mut codes = BTreeMap::new();
    for diagnostic in
        parsed.diagnostics.iter().filter(|d| !matches!(d.code, "W001" | "W002" | "W010" | "W011" | "W012"))
    {
        *codes.entry(diagnostic.code).or_default() += 1;
    }
    codes
}

/// Format, and hold the result against the text; `None` where the text is refused.
fn checked(text: &str, syntax: Option<Syntax>) -> Option<String> {
    let before = read(text, syntax);
    let once = match format(&before, SourceId::ROOT) {
        Ok(once) => once,
        Err(reason) => {
            assert_eq!(reason, Unformattable::NotAKickstart);
            return None;
        }
    };
    let after = read(&once, syntax);
    let (one, other) = (meaning(&before.kickstart), meaning(&after.kickstart));
    assert_eq!(one.1, other.1, "{text:?}\n{once:?}");
    if before.kickstart.packages.is_empty() && !text.contains('\r') {
        assert_eq!(one.0, other.0, "{text:?}\n{once:?}");
    }
    assert_eq!(codes(&before), codes(&after), "{text:?}\n{once:?}");
    let twice = format(&after, SourceId::ROOT).unwrap();
    assert_eq!(once, twice, "not a fixed point: {text:?}");
    // The body of a section without an end stays as it is, its odd line ends too.
    let ends = once.is_empty() || once.ends_with('\n') || codes(&before).contains_key("E004");
    assert!(ends, "{text:?}");
    Some(once)
}

#[test]
fn the_whole_file() {
    let text = "\n\n  # who\r\n#version=F44\r\nlang  'cs_CZ' #  here\n\n\n  keyboard us\n# packages\n%packages  \n@core   \n\n-x\t\n%end  # done\n\n\n\
                text\n%post --erroron --log /x\r\n\tif  x;  then \n%end\nbogus   line\n%pre\nx\n%end";
    let expected = "# who\n#version=F44\nlang cs_CZ #  here\n\n\nkeyboard us\n\n# packages\n%packages\n@core\n\n-x\n%end # done\n\n\
                    text\n\n%post --erroronfail --log=/x\n\tif  x;  then \n%end\n\nbogus   line\n\n%pre\nx\n%end\n";
    assert_eq!(checked(text, None).unwrap(), expected);
}

#[test]
fn odd_files() {
    for (text, expected) in [
        ("", ""),
        ("\n \n", ""),
        ("\u{feff}lang cs", "lang cs\n"),
        ("\u{feff}# x", "# x\n"),
        ("\u{feff}#\u{1}\0N\0\0 ", "#\u{1}\0N\0\0\n"),
        // A comment that is no version line does not become one.
        ("  #version=RHEL7\ntext", " #version=RHEL7\ntext\n"),
        // Template lines stay, whatever else they look like.
        ("lang   {{ lang }}  \ntext   ", "lang   {{ lang }}  \ntext\n"),
        // A line that ends in a backslash stays, and so does the rest of it.
        ("part / \\\n   --size=1\ntext", "part / \\\n   --size=1\ntext\n"),
        ("text\x0blang  cs", "text\nlang cs\n"),
        // A carriage return in a script may be what the script is about.
        ("%post\nsed s/\r//\r\n%end", "%post\nsed s/\r//\n%end\n"),
        ("%post\na\r\r\n%end", "%post\na\r\r\n%end\n"),
        // Without an %end it cannot be told where blank lines belong.
        ("%post\nx\n\n", "%post\nx\n\n"),
        ("%packages# all\na \rb\n%end\n", "%packages # all\na\nb\n%end\n"),
        ("'%packages'\na \rb\n%end\n", "%packages\na\nb\n%end\n"),
    ] {
        assert_eq!(checked(text, None).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn scripts_are_left_alone() {
    let script = "#!/bin/sh\nset -e\nfor x in a; do\n  mount \"$x\"   /mnt\ndone\nreboot   \n";
    assert_eq!(checked(script, None), None);
    let files = BTreeMap::from([("f".to_owned(), "mount  'x'  /mnt \nreboot  ".to_owned())]);
    let parsed = parse("%post\n%include f\n%end\n", "x.ks", &ParseOptions { syntax: None, loader: Some(&files) });
    // A fragment of a section stays as it is: the section goes on where it ends.
    let fragment = parsed.document.files[1].source;
    assert_eq!(format(&parsed, fragment).unwrap(), files["f"]);
}

#[test]
fn included_files_by_themselves() {
    let files = BTreeMap::from([("f".to_owned(), "lang  'cs'\n%include  'g'\n".to_owned())]);
    let parsed = parse("%include   f\n", "x.ks", &ParseOptions { syntax: None, loader: Some(&files) });
    assert_eq!(format(&parsed, SourceId::ROOT).unwrap(), "%include f\n");
    assert_eq!(format(&parsed, parsed.document.files[1].source).unwrap(), "lang cs\n%include g\n");
}

const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "  ",
    "\t",
    "\\",
    "'",
    "\"",
    "#",
    "# c",
    "%",
    "=",
    "--",
    "-",
    ",",
    "é",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\x0b",
    "\0",
    "%end\n",
    "%end x\n",
    "\n%post\n",
    "\n%packages \n",
    "\n%pre --log x\n",
    "\n%include f\n",
    "%addon x",
    "part ",
    "partition ",
    "/",
    " --size=",
    " --size ",
    " --gro",
    "1",
    "-5",
    "\nnetwork ",
    "--bootproto=static",
    " --hostname ",
    "clearpart --all ",
    "autopart --type lvm",
    "rootpw ",
    " --iscry",
    "a#b",
    "user --name=a ",
    " --gecos 'A B' ",
    "sshkey --username=b k",
    "bootloader --append=\"a",
    "ostreecontainer --url x",
    "timezone ",
    " --isUtc",
    "text\n",
    "bogus ",
    "authselect  x",
    "{{ x }}",
    "<% y %>",
    "\n#version=F40\n",
    "mount ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn formatting_keeps_the_meaning(picks in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = picks.into_iter().map(|n| PIECES[n]).collect();
        checked(&text, None);
        checked(&text, Some(Syntax::Rhel7));
    }

    #[test]
    fn flattening_keeps_the_meaning(
        root in proptest::collection::vec(0..PIECES.len(), 0..20),
        child in proptest::collection::vec(0..PIECES.len(), 0..20),
    ) {
        let join = |picks: Vec<usize>| picks.into_iter().map(|n| PIECES[n]).collect::<String>();
        let files = BTreeMap::from([("f".to_owned(), join(child))]);
        let text = join(root);
        let parsed = parse(&text, "x.ks", &ParseOptions { syntax: None, loader: Some(&files) });
        if let Ok(flat) = flatten(&parsed) {
            let again = parse(&flat, "y.ks", &ParseOptions { syntax: Some(parsed.syntax), loader: None });
            prop_assert_eq!(meaning(&parsed.kickstart).1, meaning(&again.kickstart).1, "{:?} {:?}", text, files);
            prop_assert_eq!(parsed.document.deferred.len(), again.document.deferred.len());
        }
    }
}

fn files_below(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

#[test]
#[ignore = "needs the corpus, which is not part of this repository"]
fn the_corpus_keeps_its_meaning() {
    let dir = corpus::place().join("kickstarts");
    let mut paths = Vec::new();
    files_below(&dir, &mut paths);
    let (mut formatted, mut unchanged, mut refused, mut unread) = (0, 0, 0, 0);
    for path in &paths {
        let Ok(text) = fs::read_to_string(path) else {
            unread += 1;
            continue;
        };
        for syntax in [None, Some(Syntax::Rhel8)] {
            match checked(&text, syntax) {
                Some(new) if new == text => unchanged += 1,
                Some(_) => formatted += 1,
                None => refused += 1,
            }
        }
    }
    println!(
        "{} files, each as two versions: {formatted} formatted, {unchanged} unchanged, {refused} refused, {unread} unread",
        paths.len()
    );
    assert!(formatted > paths.len());
    assert!(refused * 20 < paths.len(), "{refused} of {} are taken for something else", paths.len());
}

#[test]
fn flat_files() {
    let files = BTreeMap::from([
        ("a.ks".to_owned(), "#version=RHEL7\nlang cs\n%include b.ks".to_owned()),
        ("b.ks".to_owned(), "keyboard us\r\n%post\n%include c.sh\nend\n%end".to_owned()),
        ("c.sh".to_owned(), "# not part of the script\n%include d.sh\n\necho 1\n# 2\necho 2".to_owned()),
        ("d.sh".to_owned(), "\n\n".to_owned()),
    ]);
    let text = "text\n%include a.ks # all\n%include /tmp/made\n%pre\necho >/tmp/made\n%end\n";
    let parsed = parse(text, "x.ks", &ParseOptions { syntax: None, loader: Some(&files) });
    let flat = flatten(&parsed).unwrap();
    let expected = "text\n\
        # begin of a.ks, included by x.ks:2\n# #version=RHEL7\nlang cs\n\
        # begin of b.ks, included by a.ks:3\nkeyboard us\r\n\
        # the section below holds c.sh, included by b.ks:2\n\
        # the section below holds d.sh, included by b.ks:2\n%post\necho 1\n# 2\necho 2end\n%end\n\
        # end of b.ks\n# end of a.ks\n\
        %include /tmp/made\n%pre\necho >/tmp/made\n%end\n";
    assert_eq!(flat, expected);
}

#[test]
fn the_end_of_a_file_without_a_line_end() {
    let file = |text: &str| BTreeMap::from([("f".to_owned(), text.to_owned())]);
    for (section, own, flat) in [
        // A script goes on in the middle of the line.
        ("%post", "echo 1", "echo 1echo 2\n"),
        ("%pre --log=/x", "\n# no part of it\necho 1 \\", "echo 1 \\echo 2\n"),
        // These are read line by line.
        ("%packages", "a", "a\necho 2\n"),
        ("%addon x", "a", "a\necho 2\n"),
    ] {
        let files = file(own);
        let text = format!("{section}\n%include f\necho 2\n%end\n");
        let parsed = parse(&text, "x.ks", &ParseOptions { syntax: None, loader: Some(&files) });
        let expected = format!("# the section below holds f, included by x.ks:1\n{section}\n{flat}%end\n");
        assert_eq!(flatten(&parsed).unwrap(), expected);
    }
}

#[test]
fn what_only_the_kickstart_itself_pastes() {
    let files = BTreeMap::from([("f".to_owned(), "%ksappend g\ntext\n".to_owned())]);
    let flat = |text: &str| flatten(&parse(text, "x.ks", &ParseOptions { syntax: None, loader: Some(&files) }));
    let expected = "# begin of f, included by x.ks:1\n# %ksappend g\ntext\n# end of f\n";
    assert_eq!(flat("%include f\n").unwrap(), expected);
    assert!(flat("%post\n%include f\n%end\n").is_err());
}

#[test]
fn files_that_do_not_fit_together_are_not_flattened() {
    let files =
        BTreeMap::from([("half".to_owned(), "%post\nx\n".to_owned()), ("me".to_owned(), "%include me\n".to_owned())]);
    for text in ["%include half\ntext\n%end\n", "%include me\n", "%include none\n", "%post\n%include half\n%end\n"] {
        let parsed = parse(text, "x.ks", &ParseOptions { syntax: None, loader: Some(&files) });
        assert!(flatten(&parsed).is_err(), "{text}");
    }
}

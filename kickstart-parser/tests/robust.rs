//! Whatever comes in: no panic, no byte lost, no span out of bounds, and no
//! work that grows faster than the text.

// Tests may stop where they stand; the lint knows only functions marked as such.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use kickstart_parser::{ParseOptions, Parsed, Span, Statement, Syntax, parse};
use proptest::prelude::*;

/// Pieces that take the parser to interesting places.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "\\",
    "'",
    "\"",
    "#",
    "%",
    "=",
    "--",
    "-",
    ",",
    "é",
    "\u{2028}",
    "\u{feff}",
    "\x0b",
    "\0",
    "%end\n",
    "%post\n",
    "\n%packages",
    "%include f\n",
    "%include g\n",
    "%addon x",
    "part ",
    "/",
    " --size=",
    "1",
    "-5",
    "99999999999999999999",
    "1_0",
    "network ",
    "--bootproto=static",
    "--hostname",
    "clearpart --all --none ",
    "autopart --type=lvm",
    "rootpw ",
    "--iscrypted",
    "user --name=a",
    "sshkey --username=b k",
    "bootloader --append=\"a",
    "ostreecontainer --url x",
    "timezone",
    "keyboard us",
    "text\n",
    "bogus ",
    "iscsi",
    "#version=F40\n",
];

fn check(text: &str, syntax: Option<Syntax>) -> Parsed {
    let files = BTreeMap::from([
        ("f".to_owned(), "part /f --size=1\n%include g\n'\n".to_owned()),
        ("g".to_owned(), "%post\n%include f\n".to_owned()),
    ]);
    let options = ParseOptions { syntax, loader: Some(&files) };
    let parsed = parse(text, "x.ks", &options);
    let inside = |span: Span| {
        let source = parsed.sources.get(span.source).unwrap().text();
        assert!(source.get(span.range()).is_some(), "{span:?} of {text:?}");
        let at = parsed.sources.locate(span);
        assert!(at.line >= 1 && at.column >= 1);
        assert!((at.line, at.column) <= (at.end_line, at.end_column));
    };
    for diagnostic in &parsed.diagnostics {
        inside(diagnostic.span);
        diagnostic.labels.iter().for_each(|l| inside(l.span));
        parsed.sources.line(diagnostic.span);
        parsed.sources.include_chain(diagnostic.span);
    }
    for statement in &parsed.document.statements {
        match statement {
            Statement::Command(c) => c.words.iter().for_each(|w| inside(w.span)),
            Statement::Section(s) => {
                let pieces: String = s.body_spans.iter().map(|p| parsed.sources.slice(*p)).collect();
                assert_eq!(pieces, s.body);
            }
        }
    }
    for file in &parsed.document.files {
        let all: String =
            file.lines.iter().flat_map(|l| [l.span, l.terminator]).map(|s| parsed.sources.slice(s)).collect();
        assert_eq!(all, parsed.sources.get(file.source).unwrap().text());
    }
    parsed
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text, None);
    }

    #[test]
    fn any_pieces(picks in prop::collection::vec(0..PIECES.len(), 0..60), version in 0..Syntax::ALL.len()) {
        let text: String = picks.into_iter().map(|p| PIECES[p]).collect();
        check(&text, Some(Syntax::ALL[version]));
    }

    #[test]
    fn what_is_good_stays_good(hash in "[a-zA-Z0-9./$]{1,40}", name in "[a-z][a-z0-9]{0,8}") {
        let text = format!("rootpw --iscrypted {hash}\nuser --name={name}\nsshkey --username={name} \"{hash}\"\n\
                            ostreecontainer --url=quay.io/{name}\nautopart\n");
        let parsed = check(&text, None);
        prop_assert!(parsed.diagnostics.is_empty());
        let password = parsed.kickstart.rootpw.unwrap().password.unwrap();
        prop_assert_eq!(password.expose(), hash);
    }
}

/// How much came out: a count that grows with the work.
fn volume(parsed: &Parsed) -> usize {
    let words: usize = parsed
        .document
        .statements
        .iter()
        .map(|s| match s {
            Statement::Command(c) => c.words.len(),
            Statement::Section(s) => s.body.len() + s.body_spans.len(),
        })
        .sum();
    let lines: usize = parsed.document.files.iter().map(|f| f.lines.len()).sum();
    words + lines + parsed.diagnostics.len()
}

#[test]
fn twice_the_text_is_twice_the_work() {
    for (line, tail) in [
        ("part /x --size=1\n", ""),
        ("bogus\n", ""),
        ("lang en\n", ""),
        ("lang en --addsupport=cs\n", ""),
        ("clearpart --all --none\n", ""),
        ("%include f\n", ""),
        ("user --name=a --groups=b,c\n", ""),
        ("%post\nx\n%end\n", ""),
        ("%post\nx\n", ""),
        ("\\\n", ""),
        ("'", "\n"),
        ("a ", "\n"),
        ("\\ ", "\n"),
        ("\u{e9}", "\n"),
        (" ", "\n"),
    ] {
        let of = |n: usize| {
            let text = line.repeat(n) + tail;
            volume(&parse(&text, "x.ks", &ParseOptions::default()))
        };
        let (once, twice) = (of(10_000), of(20_000));
        assert!(twice <= 2 * once + 10, "{line:?}: {once}, {twice}");
    }
}

#[test]
fn one_long_line_is_no_trouble() {
    let options = "--size=1 ".repeat(50_000);
    check(&format!("part / {options}\n"), None);
    check(&format!("part {}\n", "/a ".repeat(20_000)), None);
    check(&format!("lang \"{}\"\n", "\\\"".repeat(200_000)), None);
    check(&format!("{}\n", "x".repeat(1_000_000)), None);
}

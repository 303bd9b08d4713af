//! Whatever comes in: no panic, no byte lost, no span out of bounds, and no
//! work that grows faster than the text.

use std::time::Duration;

use kickstart_parser::convert::convert;
use kickstart_parser::format::format;
use kickstart_parser::{ParseOptions, SourceId, Syntax, parse};
use proptest::prelude::*;

use crate::laws;

const LAWS: &[fn(&str)] =
    &[laws::parse, laws::include, laws::format, laws::flatten, laws::convert, laws::canonical, laws::fix];

fn check(text: &str) {
    LAWS.iter().for_each(|law| law(text));
}

/// A kickstart like any other.
const TYPICAL: &str = include_str!("../../benches/typical.ks");

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
    "%include a\n",
    "%include b\n",
    "%ksappend a\n",
    "\u{1}",
    "{{ x }}",
    "# bootc-ks: allow(L001)\n",
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_pieces(picks in prop::collection::vec(0..PIECES.len(), 0..60), version in 0..Syntax::ALL.len()) {
        let text: String = picks.into_iter().map(|p| PIECES[p]).collect();
        check(&format!("#version={}\n{text}", Syntax::ALL[version]));
    }

    #[test]
    fn a_kickstart_with_a_hole(from in 0..TYPICAL.len(), length in 0usize..200, piece in 0..PIECES.len()) {
        let (head, tail) = TYPICAL.split_at(TYPICAL.floor_char_boundary(from));
        check(&format!("{head}{}{}", PIECES[piece], &tail[tail.ceil_char_boundary(length)..]));
    }

    #[test]
    fn what_is_good_stays_good(hash in "[a-zA-Z0-9./$]{1,40}", name in "[a-z][a-z0-9]{0,8}") {
        let text = format!("rootpw --iscrypted {hash}\nuser --name={name}\nsshkey --username={name} \"{hash}\"\n\
                            ostreecontainer --url=quay.io/{name}\nautopart\n");
        check(&text);
        let parsed = parse(&text, "x.ks", &ParseOptions::default());
        prop_assert!(parsed.diagnostics.is_empty());
        let password = parsed.kickstart.rootpw.unwrap().password.unwrap();
        prop_assert_eq!(password.expose(), hash);
    }
}

/// Texts that go on and on: the head, what is repeated, the tail.
const ENDLESS: &[(&str, &str, &str)] = &[
    ("", "# a comment\n", ""),
    ("", "a\n", ""),
    ("", "autopatr\n", ""),
    ("", "bogus --a b\n", ""),
    ("", "autopart --tpye=x --y\n", ""),
    ("", "part /x --size=1\n", ""),
    ("", "raid /x --device=a --level=1 b c\n", ""),
    ("", "logvol /x --vgname=a --name=b --size=1\n", ""),
    ("", "user --name=a --groups=b,c\n", ""),
    ("", "sshkey --username=a k\n", ""),
    ("", "network --device=a --bootproto=dhcp\n", ""),
    ("", "repo --name=a --baseurl=http://x/\n", ""),
    ("", "text\n", ""),
    ("", "text # bootc-ks: allow(L001)\n", ""),
    ("", "lang en --addsupport=cs\n", ""),
    ("", "clearpart --all --none\n", ""),
    ("", "auth --passalgo=md5 --enablenis\n", ""),
    ("", "part \\\n --size=1 \\\n", ""),
    ("", "lang {{ x }}\n", ""),
    ("", "lang 'x\n", ""),
    ("", "%include nothing\n", ""),
    ("", "%ksappend nothing\n", ""),
    ("%pre\n:\n%end\n", "%include /tmp/x\n", ""),
    ("", "%post\nx\n%end\n", ""),
    ("", "%post\n", ""),
    ("", "%end\n", ""),
    ("", "%bogus\n", ""),
    ("%post\n", "x\n", ""),
    ("%addon x\n", "x\n", "%end\n"),
    ("%packages\n", "@core\n-vim\nx y\n", "%end\n"),
    ("", "text\r", ""),
    ("", "text\u{2028}", ""),
    ("", "text\u{b}", ""),
    ("", "\0", ""),
    ("", "\u{feff}", ""),
    // One line.
    ("", "x", ""),
    ("", "x ", ""),
    ("", "\"", ""),
    ("", "\"a\" ", ""),
    ("", "\\", ""),
    ("lang \"", "\\\"", "\"\n"),
    ("part / ", "--size=1 ", "\n"),
    ("part / ", "--x ", "\n"),
    ("part / ", "\u{e9} --x ", "\n"),
    ("part ", "/a ", "\n"),
    ("services --enabled=", "a,", "\n"),
    ("lang ", "@A ", "\n"),
    ("lang ", "${", "\n"),
    ("auth ", "--enablenis ", "\n"),
];

fn time(work: impl Fn()) -> Duration {
    let begun = processor_time();
    work();
    processor_time() - begun
}

/// What this thread has had of a processor: others may have it meanwhile.
fn processor_time() -> Duration {
    // The kernel counts up to the last time that the thread let go.
    std::thread::yield_now();
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(counted.split(' ').next().unwrap().parse().unwrap())
}

/// Whether eight times the text takes about eight times as long. Only the ratio counts, and only
/// the runs that were disturbed least: on a busy machine it takes more of them.
fn is_linear(short: impl Fn(), long: impl Fn()) -> bool {
    // Squared, it would be 64 times the work.
    const MOST: u32 = 30;
    // In less, what is measured is how memory comes and goes; what is squared takes longer.
    const NOTHING: Duration = Duration::from_millis(5);
    let (mut one, mut eight) = (Duration::MAX, Duration::MAX);
    (0..20).any(|_| {
        one = (0..3).map(|_| time(&short)).fold(one, Duration::min);
        eight = eight.min(time(&long));
        eight < one * MOST + NOTHING
    })
}

type Work = fn(&str, &ParseOptions<'_>);

#[test]
fn eight_times_the_text_is_eight_times_the_work() {
    let options = ParseOptions::default();
    let works: [(&str, Work); 3] = [
        ("parse", |text, options| drop(parse(text, "x.ks", options))),
        ("format", |text, options| drop(format(&parse(text, "x.ks", options), SourceId::ROOT))),
        ("convert", |text, _| drop(convert(text, None, Syntax::Rhel10))),
    ];
    for (head, piece, tail) in ENDLESS {
        let text = |bytes: usize| format!("{head}{}{tail}", piece.repeat(bytes / piece.len()));
        let (short, long) = (text(10_000), text(80_000));
        for (name, work) in works {
            assert!(is_linear(|| work(&short, &options), || work(&long, &options)), "{name} {head:?} {piece:?}");
        }
    }
}

#[test]
fn what_is_squared_is_not_linear() {
    let squared = |n: u64| (0..n * n).fold(0u64, |sum, k| std::hint::black_box(sum ^ k));
    // A machine that is busy may lengthen the short run; it does not do so each time.
    assert!((0..3).any(|_| !is_linear(|| _ = squared(1000), || _ = squared(8000))));
}

#[test]
fn endless_texts_keep_the_laws() {
    for (head, piece, tail) in ENDLESS {
        check(&format!("{head}{}{tail}", piece.repeat(2000)));
    }
}

#[test]
fn a_million_errors_are_told_in_a_thousand() {
    let parsed = parse(&"bogus\n".repeat(1_000_000), "x.ks", &ParseOptions::default());
    assert!(parsed.diagnostics.len() < 1100, "{}", parsed.diagnostics.len());
    let last = parsed.diagnostics.iter().rfind(|d| d.is_error()).unwrap();
    assert_eq!(last.message, "from here on there are 999000 more findings of this kind");
}

#[test]
fn a_long_chain_of_includes_ends() {
    let files = (0..5000).map(|n| (format!("{n}"), format!("%include {}\nlang cs\n", n + 1))).collect();
    let files: std::collections::BTreeMap<String, String> = files;
    let options = ParseOptions { syntax: None, loader: Some(&files) };
    let parsed = parse("%include 0\n", "x.ks", &options);
    assert_eq!(parsed.diagnostics.iter().filter(|d| d.code == "E009").count(), 1);
    assert_eq!(parsed.sources.iter().count(), 32);
    laws::sound(&parsed);
}

//! Conversions: each rule, and real kickstarts where a corpus is at hand (see `oracle/corpus.rs`).

use std::collections::BTreeMap;

use kickstart_parser::convert::{Conversion, Outcome, convert};
use kickstart_parser::{ParseOptions, Syntax, parse};
use proptest::prelude::*;

use crate::oracle::corpus;

/// The new text without its first line.
fn body(new: &Conversion, to: Syntax) -> &str {
    let version = format!("#version={to}\n");
    new.text.strip_prefix(version.as_str()).unwrap()
}

#[test]
fn what_has_a_successor() {
    use Syntax::{F40, F44, Rhel8, Rhel9, Rhel10};
    for (to, before, after) in [
        (Rhel10, "lang cs # x\ninstall\ntext\n", "lang cs # x\ntext\n"),
        (Rhel8, "install # from the net\n", "# from the net\n"),
        (Rhel9, "autostep --autoscreenshot\n", ""),
        (Rhel8, "deviceprobe\nunsupported_hardware\n", ""),
        (Rhel9, "dmraid --name=a --dev=b\nmultipath --name=a --device=b --rule=c\n", ""),
        (Rhel10, "timezone --isUtc Europe/Prague\n", "timezone --utc Europe/Prague\n"),
        (F44, "timezone  Etc/UTC  --isU  # c\n", "timezone  Etc/UTC  --utc  # c\n"),
        (F40, "timezone --utc Etc/UTC --isUtc\n", "timezone --utc Etc/UTC\n"),
        (Rhel9, "timezone Etc/UTC --isUtc\n", "timezone Etc/UTC --isUtc\n"),
        (Rhel10, "timezone Etc/UTC --nontp", "timezone Etc/UTC\ntimesource --ntp-disable\n"),
        (
            Rhel10,
            "timezone Etc/UTC --ntpservers=a,b --utc\n",
            "timezone Etc/UTC --utc\ntimesource --ntp-server=a\ntimesource --ntp-server=b\n",
        ),
        (Rhel10, "timezone --ntpservers a Etc/UTC\n", "timezone Etc/UTC\ntimesource --ntp-server=a\n"),
        (Rhel10, "timezone --nontp\n", "timesource --ntp-disable\n"),
        (Rhel10, "auth --enableshadow --passalgo=sha512 # usual\n", "# usual\n"),
        (Rhel10, "authconfig --useshadow --passalgo sha512\n", ""),
        (
            Rhel10,
            "authconfig --enablesssd --enablesssdauth --enablemkhomedir\n",
            "authselect select sssd with-mkhomedir\n",
        ),
        (Rhel10, "auth --enablewinbind --enablewinbindauth\n", "authselect select winbind\n"),
        (Rhel9, "auth --enableshadow\n", "auth --enableshadow\n"),
        (Rhel10, "vnc --password=abcdef\n", "rdp --password=abcdef\n"),
        (Rhel10, "vnc --password 'a b' # hi\n", "rdp \"--password=a b\" # hi\n"),
        (Rhel10, "vnc\n", "rdp\n"),
        (Rhel9, "vnc --password=abcdef\n", "vnc --password=abcdef\n"),
        (Rhel9, "method url --url=http://x/\n", "url --url=http://x/\n"),
        (Rhel9, "%traceback --log=/x\necho\n%end\n", "%onerror --log=/x\necho\n%end\n"),
        (
            Rhel10,
            "%packages --instLangs=cs --excludeWeakdeps --nocore\n%end\n",
            "%packages --inst-langs=cs --exclude-weakdeps --nocore\n%end\n",
        ),
        (Rhel10, "%packages --instLangs cs\n%end\n", "%packages --inst-langs cs\n%end\n"),
        (Rhel8, "%packages --nobase --ignoremissing\n%end\n", "%packages --ignoremissing\n%end\n"),
        (Rhel9, "part / --size=1 --active\n", "part / --size=1\n"),
        (Rhel8, "partition --active / --size=1\n", "partition / --size=1\n"),
        (Rhel9, "bootloader --upgrade --location=mbr\n", "bootloader --location=mbr\n"),
        (Rhel9, "bootloader --linear --lba32 --useLilo --nolinear\n", "bootloader\n"),
        (Rhel9, "ignoredisk --interactive\n", ""),
        (Rhel9, "ignoredisk --drives=sda --interactive\n", "ignoredisk --drives=sda\n"),
        (Rhel10, "logging --level=debug\n", ""),
        (Rhel10, "logging --host=x --level debug --port=1\n", "logging --host=x --port=1\n"),
        (Rhel10, "repo --name=a --ignoregroups=true --baseurl=b\n", "repo --name=a --baseurl=b\n"),
        (Rhel9, "harddrive --partition=sda1 --biospart=80p1 --dir=/x\n", "harddrive --partition=sda1 --dir=/x\n"),
        (Rhel9, "driverdisk sda1 --type=ext2\n", "driverdisk sda1\n"),
        (Rhel9, "firewall --high\n", "firewall --enabled\n"),
        (
            Rhel9,
            "zfcp --devnum=a --scsiid=b --scsilun c --wwpn=d --fcplun=e\n",
            "zfcp --devnum=a --wwpn=d --fcplun=e\n",
        ),
        (Rhel9, "xconfig --driver=x --depth 8 --noprobe --startxonboot\n", "xconfig --startxonboot\n"),
    ] {
        let new = convert(before, None, to);
        assert_eq!(body(&new, to), after, "{to}: {before}");
        assert!(new.is_complete(), "{to}: {before} {:?}", new.notes);
        let again = convert(&new.text, Some(to), to);
        assert_eq!(again.text, new.text, "{before}");
        let parsed = parse(&new.text, "x", &ParseOptions { syntax: Some(to), loader: None });
        let codes: Vec<_> = parsed.diagnostics.iter().map(|d| d.code).filter(|c| c.starts_with('E')).collect();
        assert!(codes.is_empty(), "{to}: {before} {codes:?}");
    }
}

#[test]
fn what_has_none_stays_below_a_remark() {
    use Syntax::{F46, Rhel8, Rhel9, Rhel10};
    for (to, before, word) in [
        (Rhel9, "upgrade\n", "upgrade the running system"),
        (Rhel9, "device e100 --opts=x\n", "driverdisk"),
        (Rhel10, "btrfs none --data=0 a b\n", "no Btrfs"),
        (Rhel10, "nvdimm use --namespace=a\n", "ndctl"),
        (Rhel10, "module --name=a --stream=b\n", "%packages"),
        (Rhel10, "auth --enableldap --ldapserver=x --passalgo=sha512\n", "--enableldap"),
        (Rhel10, "auth --enablesssd --enablewinbind\n", "--enablewinbind"),
        (Rhel10, "vnc --host=a --port=1\n", "viewer"),
        (Rhel9, "method http\n", "`url`"),
        (Rhel9, "harddrive --biospart=80 --dir=/x\n", "--partition"),
        // What no rule speaks of, the parser does.
        (F46, "rhsm --organization=x\n", "F46"),
        (Rhel8, "timesource --ntp-disable\n", "RHEL9"),
        (Rhel9, "part / --size=1 --bytes-per-inode=4096\n", "--bytes-per-inode"),
        (Rhel9, "bogus\n", "bogus"),
    ] {
        let new = convert(before, None, to);
        let (remark, rest) = body(&new, to).split_once('\n').unwrap();
        assert!(remark.starts_with("# bootc-ks convert: ") && remark.contains(word), "{remark}");
        assert_eq!(rest, before);
        let left: Vec<_> = new.notes.iter().filter(|n| n.outcome == Outcome::Left).collect();
        assert_eq!((left.len(), left[0].line), (1, 1), "{before}: {left:?}");
        assert_eq!(convert(&new.text, None, to).text, new.text, "a second time: {before}");
    }
}

#[test]
fn version_lines_and_what_is_not_converted() {
    let to = Syntax::Rhel10;
    let text = "# c\n#version=RHEL7\ntext\n{{ install }}\n%post\ninstall\n#version=x\n%end\n";
    let new = convert(text, None, to);
    assert_eq!(new.text, text.replace("RHEL7", "RHEL10"));
    assert!(new.notes.is_empty(), "{:?}", new.notes);
    assert_eq!(convert("\u{feff}text\r\n", None, to).text, "#version=RHEL10\ntext\r\n");
    // Nothing but the text itself is there to be read.
    assert!(convert("%include a\n%ksappend a\n", None, to).is_complete());
    // Passwords do not get into notes.
    let new = convert("auth --bogus=hunter2 hunter2\nrootpw --x=hunter2 hunter2\nvnc --password=hunter2\n", None, to);
    assert!(!format!("{:?}", new.notes).contains("hunter2"), "{:?}", new.notes);
}

#[test]
fn remarks_stand_once() {
    for text in [
        // Below the line that goes, LF would become a part of the line end above it.
        "\rinstall\n\nbogus\n",
        "timezone \rauth \u{2028}\n%end\n",
        "part / \\\n--size=1 \\\n--bogus\ninstall\nbogus\n",
        "part / \\\nupgrade\nbogus\n",
        "part / \\\ninstall\nbogus\n",
        "rootpw \\ \nupgrade\nbogus\n",
        "rootpw \\ \nbogus\n",
        "bogus \\\n\n# x\nbogus \\\n\0\nbogus\n",
    ] {
        let once = convert(text, None, Syntax::Rhel10);
        let twice = convert(&once.text, None, Syntax::Rhel10);
        assert_eq!(twice.text, once.text, "{text:?}");
    }
}

#[test]
fn long_lines_take_no_longer_than_many() {
    let to = Syntax::Rhel10;
    let time = |text: &str| {
        let start = std::time::Instant::now();
        assert!(convert(text, None, to).text.len() > 8);
        start.elapsed()
    };
    let option = "--ntpservers=a ";
    let many = time(&format!("timezone {option}\n").repeat(20_000));
    let long = time(&format!("timezone {}\n", option.repeat(20_000)));
    assert!(long < many * 10, "{long:?} for one line, {many:?} for as many as it has words");
}

const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    " ",
    "'",
    "\"",
    "#",
    "\\",
    "install",
    "timezone ",
    "--isUtc ",
    "--nontp ",
    "--ntpservers=a,b ",
    "--ntpservers ",
    "auth ",
    "--enableshadow ",
    "vnc ",
    "--password=",
    "'x y' ",
    "%packages --nobase ",
    "\n%end\n",
    "%traceback\n",
    "%post\n",
    "#version=RHEL7\n",
    "part / --active ",
    "ignoredisk --inter",
    "logging --level",
    "é",
    "\u{2028}",
    "method url ",
    "bogus ",
    "{{ x }}",
    "%include f\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_time_changes_nothing(picks in proptest::collection::vec(0..PIECES.len(), 0..30)) {
        let text: String = picks.into_iter().map(|n| PIECES[n]).collect();
        let once = convert(&text, None, Syntax::Rhel10);
        for note in &once.notes {
            prop_assert!(note.line <= text.len() + 1);
        }
        let twice = convert(&once.text, Some(Syntax::Rhel10), Syntax::Rhel10);
        prop_assert_eq!(&twice.text, &once.text, "{:?}", text);
    }
}

#[test]
#[ignore = "needs the corpus, which is not part of this repository"]
fn the_corpus_is_taken_by_the_new_version() {
    let dir = corpus::place();
    let oracle: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("oracle.json")).unwrap()).unwrap();
    let (mut complete, mut left, mut reasons) = (0, 0, BTreeMap::<String, usize>::new());
    for (path, verdicts) in oracle["files"].as_object().unwrap() {
        let Ok(text) = std::fs::read_to_string(dir.join("kickstarts").join(path)) else { continue };
        let accepted = |v: &str| verdicts["results"][v]["ok"] == true;
        let from = [Syntax::Rhel7, Syntax::Rhel8].into_iter().find(|s| accepted(s.name()));
        let Some(from) = from else { continue };
        let new = convert(&text, Some(from), Syntax::Rhel10);
        if new.is_complete() {
            complete += 1
        } else {
            left += 1
        }
        for note in new.notes.iter().filter(|n| n.outcome == Outcome::Left) {
            let line = text.lines().nth(note.line - 1).unwrap_or("");
            *reasons.entry(line.split_whitespace().next().unwrap_or("").to_owned()).or_default() += 1;
        }
    }
    println!("{complete} converted, {left} with lines left: {reasons:?}");
    assert!(complete > left * 5);
}

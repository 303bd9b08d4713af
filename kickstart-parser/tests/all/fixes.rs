//! What `check --fix` makes of broken kickstarts, with the first implementation as the judge: where
//! this crate calls the result good, that one takes it.

use crate::laws;
use crate::oracle::answer::Answer;
use crate::oracle::case::{Case, Mode};
use crate::oracle::process::Oracle;
use crate::oracle::random::Random;
use kickstart_parser::{ParseOptions, Syntax, parse};

const FILES: usize = 500;
const SEED: u64 = 14;

/// Lines that are right, none of which sets what another one sets.
const LINES: &[&str] = &[
    "lang en_US.UTF-8 --addsupport=cs_CZ",
    "keyboard --vckeymap=us --xlayouts='us','cz (qwerty)'",
    "timezone Etc/UTC --utc",
    "zerombr",
    "clearpart --all --initlabel --drives=sda,sdb",
    "ignoredisk --only-use=sda",
    "part / --size=2000 --grow --fstype=xfs --label=root",
    "part swap --recommended",
    "part /boot --size=600 --ondisk=sda --asprimary",
    "rootpw --plaintext secret",
    "user --name=ann --groups=wheel --uid=1000 --password=secret --plaintext",
    "group --name=ops --gid=1200",
    "sshkey --username=ann 'ssh-ed25519 AAAA ann'",
    "network --bootproto=dhcp --device=eth0 --onboot=yes --hostname=a",
    "bootloader --append='quiet' --timeout=5 --boot-drive=sda",
    "firewall --enabled --service=ssh --port=80:tcp",
    "selinux --enforcing",
    "services --enabled=sshd,chronyd --disabled=cups",
    "firstboot --disable",
    "ostreecontainer --url=quay.io/a/b --no-signature-verification",
    "repo --name=a --baseurl=http://x/y --noverifyssl",
    "reboot --eject",
    "%post --nochroot --log=/x\necho a\n%end",
    "%pre\ncat > /tmp/x <<EOF\nlang en\nEOF\n%end",
    "%packages --ignoremissing\n@core\n-vim\n%end",
    "%addon org_x --enable\na = b\n%end",
];

/// Spoil one word of a line.
fn spoilt(line: &str, random: &mut Random) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let at = random.below(words.len());
    let word = words[at];
    let letters: Vec<char> = word.chars().collect();
    let place = random.below(letters.len().max(1));
    let text = |letters: &[char]| letters.iter().collect::<String>();
    let new = match random.below(12) {
        0 if letters.len() > 1 => {
            let mut letters = letters.clone();
            let first = place.min(letters.len() - 2);
            letters.swap(first, first + 1);
            text(&letters)
        }
        1 => text(&[&letters[..place], &letters[(place + 1).min(letters.len())..]].concat()),
        2 => text(&[&letters[..place], &letters[place..=place.min(letters.len() - 1)], &letters[place..]].concat()),
        3 => word.replacen("--", "--no", 1),
        4 => word.replacen("--no", "--", 1).replacen("--un", "--", 1),
        5 => word.split('=').next().unwrap_or("").to_owned(),
        6 => word.trim_start_matches('-').to_owned(),
        7 => word.to_uppercase(),
        8 => word.replacen('%', "% ", 1),
        9 => word.replacen("%end", ["%End", "%END", "", "% end", "%edn"][random.below(5)], 1),
        10 => word.replacen("enable", "disable", 1).replacen("--on", "--off", 1),
        _ => format!("{word}=x"),
    };
    let mut words = words;
    words[at] = &new;
    words.join(" ")
}

#[test]
fn what_is_fixed_and_good_is_good() {
    let mut random = Random(SEED);
    let mut cases = Vec::new();
    let mut fixed = 0;
    for _ in 0..FILES {
        let lines = LINES.iter().filter(|_| random.below(3) > 0).collect::<Vec<_>>();
        let lines: Vec<String> = lines
            .into_iter()
            .map(|line| if random.below(6) == 0 { spoilt(line, &mut random) } else { (*line).to_owned() })
            .collect();
        let text = lines.join("\n") + "\n";
        let repaired = laws::repaired(&text);
        fixed += usize::from(repaired != text);
        let parsed = parse(&repaired, "x.ks", &ParseOptions::default());
        let language = |code: &str| code.starts_with('E') || code == "L002";
        if !parsed.diagnostics.iter().any(|d| d.is_error() && language(d.code)) {
            cases.push(Case::new(Syntax::default(), repaired, Mode::Whole));
        }
    }
    assert!(fixed > FILES / 10 && cases.len() > FILES / 4, "{fixed} were fixed, {} are good", cases.len());
    for (case, theirs) in cases.iter().zip(Oracle::start().ask(&cases)) {
        let ours = Answer::ours(case);
        assert_eq!(theirs.ok, ours.ok, "{}\n{}", case.text, theirs.message);
    }
}

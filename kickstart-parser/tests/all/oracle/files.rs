//! Whole kickstarts out of building blocks, then mutated.

use kickstart_parser::catalog::CommandInfo;

use super::lines;
use super::random::Random;

/// A kickstart made of lines of these commands and of sections.
pub fn file(commands: &[&CommandInfo], random: &mut Random) -> String {
    let mut text: Vec<String> = Vec::new();
    // Often the same command again: its lines add to each other.
    let favourite = commands[random.below(commands.len())];
    let repeats = random.one_in(3);
    for _ in 0..1 + random.below(7) {
        let block = match random.below(12) {
            0 => header_comment(random),
            1 | 2 => script(random),
            3 => packages(random),
            4 => other_section(random),
            _ => {
                // Sensible lines more often than not: the first error is the end of a comparison.
                let command =
                    if repeats && !random.one_in(5) { favourite } else { commands[random.below(commands.len())] };
                vec![lines::line(command, random)]
            }
        };
        if random.one_in(10) {
            text.extend(block.clone());
        }
        text.extend(block);
    }
    if random.one_in(3) {
        mutate(&mut text, random);
    }
    joined(&text, random)
}

fn joined(lines: &[String], random: &mut Random) -> String {
    let usual = if random.one_in(12) { "\r\n" } else { "\n" };
    let mut text = String::new();
    for line in lines {
        text += line;
        text += if random.one_in(150) {
            random.pick(&["\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\r", "\u{1c}"])
        } else {
            usual
        };
    }
    if random.one_in(6) {
        text.truncate(text.trim_end().len());
    }
    text
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|line| (*line).to_owned()).collect()
}

fn header_comment(random: &mut Random) -> Vec<String> {
    words(random.pick::<[&str]>(&[
        &["#platform=x86, AMD64"],
        &["# a comment", ""],
        &["   # set off"],
        &[""],
        &["%include /tmp/made-by-pre"],
        &["%include"],
        &["%include 'a b' # more"],
        &["#version=F40"],
    ]))
}

fn ending(block: &mut Vec<String>, random: &mut Random) {
    match random.below(20) {
        0 => {}
        1 => block.push("  %end".to_owned()),
        2 => block.push("%end # of it".to_owned()),
        3 => block.push("%END".to_owned()),
        _ => block.push("%end".to_owned()),
    }
}

fn script(random: &mut Random) -> Vec<String> {
    let mut header = random.pick(&["%pre", "%post", "%pre-install", "%onerror", "%traceback"]).to_owned();
    for option in [
        " --erroronfail",
        " --nochroot",
        " --interpreter=/usr/bin/python3",
        " --interpreter /bin/bash",
        " --log=/root/log",
        " --logfile /x",
        " --err",
        " --bogus",
        " word",
        " --log",
        " --interpreter ''",
        " --log=\"a b\"",
        " # why",
    ] {
        if random.one_in(13) {
            header += option;
        }
    }
    let mut block = vec![header];
    for _ in 0..random.below(4) {
        block.push(
            random
                .pick(&[
                    "echo hi",
                    "",
                    "# a comment",
                    "cat > /x << 'EOF'",
                    "it's \\",
                    "\ttab  ",
                    "%include /tmp/x",
                    "%define x",
                    "  %ksappend y",
                    "part / --size=1",
                    "#!/bin/sh",
                ])
                .to_owned(),
        );
    }
    ending(&mut block, random);
    block
}

fn packages(random: &mut Random) -> Vec<String> {
    let mut header = "%packages".to_owned();
    for option in [
        " --excludedocs",
        " --ignoremissing",
        " --default",
        " --instLangs=cs",
        " --inst-langs=cs,de",
        " --inst-langs=",
        " --nocore",
        " --nobase",
        " --multilib",
        " --timeout=10",
        " --retries 3",
        " --retries x",
        " --exclude-weakdeps",
        " --excludeWeakdeps",
        " --ignorebroken",
        " --exclude",
        " word",
    ] {
        if random.one_in(17) {
            header += option;
        }
    }
    let mut block = vec![header];
    for _ in 0..random.below(7) {
        block.push(
            random
                .pick(&[
                    "vim",
                    "-vim",
                    "zsh # shell",
                    "  bash  ",
                    "@core",
                    "@ core",
                    "-@core",
                    "@^minimal",
                    "-@^minimal",
                    "@^server environment",
                    "@c --nodefaults",
                    "@b --optional",
                    "@b --nodefaults --optional",
                    "@b --bogus",
                    "two words",
                    "kernel*",
                    "",
                    "# only",
                    "@",
                    "@^",
                    "-",
                    "-@",
                    "a'b",
                    "%include x",
                    "@module:stream/profile",
                ])
                .to_owned(),
        );
    }
    ending(&mut block, random);
    block
}

fn other_section(random: &mut Random) -> Vec<String> {
    let header = random.pick(&[
        "%addon org_fedora_oscap",
        "%addon com_redhat_kdump --enable --reserve-mb='auto'",
        "%addon",
        "%anaconda",
        "%certificate --filename=a.pem --dir=/etc/x",
        "%certificate --filename=a.pem --type=ca",
        "%certificate --filename=a.pem",
        "%certificate --dir /x",
        "%unknown",
        "%",
        "%end",
    ]);
    let mut block = words(&[header]);
    for _ in 0..random.below(3) {
        block.push(
            random.pick(&["key = value", "", "# a comment", "pwpolicy root --strict", "-----BEGIN-----"]).to_owned(),
        );
    }
    ending(&mut block, random);
    block
}

/// One or two small accidents.
fn mutate(lines: &mut Vec<String>, random: &mut Random) {
    for _ in 0..1 + random.below(2) {
        if lines.is_empty() {
            return;
        }
        let at = random.below(lines.len());
        match random.below(5) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[random.below(lines.len())].clone()),
            2 => {
                let other = random.below(lines.len());
                lines.swap(at, other);
            }
            _ => {
                let mut chars: Vec<char> = lines[at].chars().collect();
                let place = random.below(chars.len() + 1);
                let odd = ['\'', '"', '\\', '#', '%', ' ', '-', '=', ',', '\t', '\u{a0}', '\u{feff}', '@'];
                if random.one_in(2) && place < chars.len() {
                    chars.remove(place);
                } else {
                    chars.insert(place, odd[random.below(odd.len())]);
                }
                lines[at] = chars.into_iter().collect();
            }
        }
    }
}

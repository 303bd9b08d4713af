//! Writes what the fuzzer begins with: `seeds CORPUS DICTIONARY`.
//!
//! One file for every command and section with all its options, from the parser's own tables;
//! the words of the dictionary are from there too. Whole kickstarts are added by `make fuzz`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use kickstart_parser::catalog::{self, OptionInfo, Value};

fn main() -> io::Result<()> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let (Some(corpus), Some(dictionary)) = (args.next(), args.next()) else {
        return Err(io::Error::other("usage: seeds CORPUS DICTIONARY"));
    };
    fs::create_dir_all(&corpus)?;
    let mut words: BTreeSet<String> = MARKS.iter().map(|mark| (*mark).to_owned()).collect();
    for command in catalog::commands() {
        let arguments: String = command.arguments.iter().map(|_| " x1").collect();
        seed(&corpus, command.name, &format!("{}{arguments}", command.name), &command.options, &mut words)?;
    }
    for section in catalog::sections() {
        seed(&corpus, &section.name[1..], section.name, &section.options, &mut words)?;
    }
    fs::write(
        corpus.join("included"),
        "%include a\n%include b\nlang cs\n\u{1}part / --size=1\n\u{1}%post\n%include a\n%end\n",
    )?;
    let lines: String = words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    fs::write(dictionary, lines)
}

/// What no table has, and takes the parser to interesting places.
const MARKS: &[&str] = &[
    "\n%end\n",
    "%include a\n",
    "%ksappend a\n",
    "\\\n",
    "\r\n",
    "\r",
    "\u{b}",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "\0",
    "\u{1}",
    "\"",
    "'",
    "#",
    "{{ x }}",
    "{%",
    "%>",
    "@X@",
    "${x}",
    "#version=RHEL7\n",
    "#platform=x\n",
    "# bootc-ks: allow(L001)\n",
    "# bootc-ks: allow-file(L001)\n",
    "99999999999999999999",
    "1_0",
    "-1",
    ",",
    "=",
    " -- ",
    "@^env",
    "@group",
    "-pkg",
    "org_fedora_oscap",
];

fn seed(corpus: &Path, name: &str, head: &str, options: &[OptionInfo], words: &mut BTreeSet<String>) -> io::Result<()> {
    let mut line = head.to_owned();
    words.insert(format!("{} ", head.split(' ').next().unwrap_or(head)));
    for option in options {
        let value = match option.value {
            Value::None => String::new(),
            Value::Text | Value::Secret => "=a".to_owned(),
            Value::Number => "=1".to_owned(),
            Value::Boolean => "=yes".to_owned(),
            Value::List => "=a,b".to_owned(),
            Value::Choice(of) => format!("={}", of.first().unwrap_or(&"")),
        };
        line.push_str(&format!(" {}{value}", option.name));
        words.insert(format!(" {}{value}", option.name));
    }
    let end = if head.starts_with('%') { "\nbody\n%end" } else { "" };
    fs::write(corpus.join(name), format!("{line}{end}\n"))
}

/// As libFuzzer wants it between quotes.
fn escaped(word: &str) -> String {
    word.bytes().map(|byte| format!("\\x{byte:02X}")).collect()
}

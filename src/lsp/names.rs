//! The names that lines give to things and that other lines use: users, volume groups, and
//! the partitions that groups and arrays are made of (`pv.01`, `raid.01`).

use kickstart_parser::{Parsed, Span, Word};

use super::cursor::{value_of, words};
use super::language::Language;

/// What has a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `user --name=`, `sshkey --username=`.
    User,
    /// `volgroup NAME`, `logvol --vgname=`.
    VolumeGroup,
    /// `part pv.01`, `volgroup … pv.01`.
    Member,
}

/// A name where it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name<'a> {
    /// Of what.
    pub kind: Kind,
    /// The name.
    pub name: &'a str,
    /// Where it is written.
    pub span: Span,
    /// Whether the thing is made here, or only used.
    pub made: bool,
}

/// Every name in the document and in what it includes, in the order of the lines.
pub fn names<'a>(parsed: &'a Parsed, language: &Language) -> Vec<Name<'a>> {
    let mut found = Vec::new();
    for statement in &parsed.document.statements {
        of_line(parsed, language, words(statement), &mut found);
    }
    found
}

fn of_line<'a>(parsed: &Parsed, language: &Language, words: &'a [Word], found: &mut Vec<Name<'a>>) {
    let Some(command) = words.first().map(|word| word.value.as_str()) else {
        return;
    };
    let valued = |option: &str| {
        let is_it = |written: &str| match language.option(command, written) {
            Some(known) => known.name == option,
            None => written == option,
        };
        value_of(parsed, words, is_it)
    };
    let mut add = |kind, made, (name, span): (&'a str, Span)| found.push(Name { kind, name, span, made });
    let plain = |word: &'a Word| (word.value.as_str(), word.span);
    let mut arguments = words.iter().skip(1).filter(|word| !word.value.starts_with('-')).map(plain);
    match command {
        "user" => {
            if let Some(name) = valued("--name") {
                add(Kind::User, true, name);
            }
        }
        "sshkey" => {
            if let Some(name) = valued("--username") {
                add(Kind::User, false, name);
            }
        }
        "logvol" => {
            if let Some(name) = valued("--vgname") {
                add(Kind::VolumeGroup, false, name);
            }
        }
        "part" | "partition" => {
            if let Some(name) = arguments.find(|(word, _)| is_member(word)) {
                add(Kind::Member, true, name);
            }
        }
        "volgroup" => {
            if let Some(name) = arguments.next() {
                add(Kind::VolumeGroup, true, name);
            }
            arguments.filter(|(word, _)| is_member(word)).for_each(|name| add(Kind::Member, false, name));
        }
        // `raid pv.01 raid.01 raid.02`: the first is what it makes.
        "raid" | "btrfs" => {
            let mut first = command == "raid";
            for name in arguments {
                if is_member(name.0) {
                    add(Kind::Member, first, name);
                }
                first = first && !(is_member(name.0) || name.0.starts_with('/'));
            }
        }
        _ => {}
    }
}

fn is_member(word: &str) -> bool {
    ["pv.", "raid.", "btrfs."].iter().any(|prefix| word.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kickstart_parser::{ParseOptions, parse};

    #[test]
    fn who_makes_and_who_uses() {
        let text = "user --name=ann\nsshkey --user ann \"k\"\npart --size=1 pv.01\npart raid.1 --size=1\n\
                    raid pv.02 --device=md0 raid.1 raid.2\nraid / raid.3\nvolgroup vg --pesize=4096 pv.01 pv.02\n\
                    logvol / --vgname=vg --name=root\n";
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        let found = names(&parsed, &Language::new());
        let list: Vec<(&str, bool)> = found.iter().map(|name| (name.name, name.made)).collect();
        assert_eq!(
            list,
            [
                ("ann", true),
                ("ann", false),
                ("pv.01", true),
                ("raid.1", true),
                ("pv.02", true),
                ("raid.1", false),
                ("raid.2", false),
                ("raid.3", false),
                ("vg", true),
                ("pv.01", false),
                ("pv.02", false),
                ("vg", false),
            ]
        );
        assert!(found.iter().all(|name| parsed.sources.slice(name.span) == name.name));
    }
}

//! Which name a misspelt word was meant to be: to be asked, and to be written by a machine.
//!
//! A question may be wrong; a change may not. [`closest`] is for the question and knows only that a
//! name must not say the contrary of what is written. [`certain`] is for the change: the word has to
//! be a mere slip of the keys, and there must be no second name that it could be.

/// The name among `names` that a misspelt word was most likely meant to be.
pub fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    close(word, names).min().map(|(_, name)| name)
}

/// As [`closest`], if nothing else can have been meant.
pub(crate) fn certain<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Names that say the contrary count here: between two that are as close, nothing is certain.
    let all: Vec<(usize, &str)> = near(word, names).collect();
    let (least, name) = *all.iter().min()?;
    let alone = all.iter().all(|(distance, other)| *distance > least || *other == name);
    (alone && least <= 1 && is_slip(word, name) && !contrary(word, name)).then_some(name)
}

/// The names that a misspelt word may stand for, with their distances.
fn close<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    near(word, names).filter(move |(_, name)| !contrary(word, name))
}

/// The names that look alike, whatever they say.
fn near<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let length = word.chars().count();
    let limit = match length {
        3..=5 => Some(1),
        6..=40 => Some(2),
        _ => None,
    };
    let mine = limit.map_or(0, |_| letters(word));
    names
        .filter(move |n| limit.is_some_and(|limit| n.len().abs_diff(length) <= limit))
        // Nearly every name goes here, at a hundredth of the price of a distance.
        .filter(move |n| limit.is_some_and(|limit| (letters(n) ^ mine).count_ones() as usize <= 2 * limit))
        .map(move |n| (distance(word, n), n))
        .filter(move |(d, _)| limit.is_some_and(|limit| *d <= limit))
}

/// Which letters a word has, a bit for each: an edit changes two of them at most.
fn letters(word: &str) -> u64 {
    word.chars().flat_map(char::to_lowercase).fold(0, |set, c| set | 1 << (u32::from(c) % 64))
}

/// Edits between two words, whatever their case; neighbours swapped count as one.
fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(&a.to_lowercase(), &b.to_lowercase())
}

/// Whether a word at distance one is its name with a letter too many, one too few, or two swapped.
/// A letter in the place of another one makes new words too easily: `--uid` and `--gid`.
fn is_slip(word: &str, name: &str) -> bool {
    let (word, name) = (plain(word), plain(name));
    // `users:` is a line of another language.
    if !word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return false;
    }
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let lengths = (word.chars().count(), name.chars().count());
    word.chars().next() == name.chars().next() && (lengths.0 != lengths.1 || sorted(&word) == sorted(&name))
}

/// A name without what marks it as an option or a section.
fn plain(name: &str) -> String {
    name.trim_start_matches(['-', '%']).to_lowercase()
}

/// What turns a word into its contrary when it stands before it.
const NEGATIONS: &[&str] = &["no-", "no", "non-", "non", "not-", "not", "un", "dis", "in", "de", "without-", "without"];

/// Words that look alike, or are parts of words that do, and do not mean the same.
const PAIRS: &[(&str, &str)] = &[
    ("min", "max"),
    ("wep", "wpa"),
    ("on", "off"),
    ("up", "down"),
    ("enable", "disable"),
    ("read", "write"),
    ("add", "remove"),
    ("add", "del"),
    ("allow", "deny"),
    ("before", "after"),
    ("first", "last"),
    ("in", "out"),
    ("in", "ex"),
    ("with", "without"),
    ("local", "global"),
    ("public", "private"),
    ("source", "target"),
    ("start", "stop"),
    ("host", "guest"),
    ("pre", "post"),
    ("umount", "mount"),
    ("mirror", "base"),
    ("user", "group"),
    ("uid", "gid"),
    ("true", "false"),
    ("yes", "no"),
    ("some", "none"),
    ("all", "none"),
    ("en", "de"),
];

/// Whether one of two words says the contrary of the other, or something else of the same kind:
/// they come closer when a negation is taken off one of them, or one word of a pair is exchanged.
fn contrary(a: &str, b: &str) -> bool {
    let (a, b) = (plain(a), plain(b));
    if a == b {
        return false;
    }
    let apart = distance(&a, &b);
    // These say the same as without them.
    let bare = |text: &str| text.strip_prefix("is").or(text.strip_prefix("re")).unwrap_or(text).to_owned();
    let negated = |one: &str, other: &str| {
        NEGATIONS.iter().filter_map(|no| one.strip_prefix(no)).filter(|rest| rest.len() > 1).any(|rest| {
            let rest = rest.strip_prefix('-').unwrap_or(rest);
            distance(rest, other).min(distance(rest, &bare(other))) < apart
        })
    };
    let exchanged = |one: &str, other: &str| {
        let swap = |from: &str, to: &str| one.contains(from) && distance(&one.replacen(from, to, 1), other) < apart;
        PAIRS.iter().any(|(x, y)| swap(x, y) || swap(y, x))
    };
    negated(&a, &b) || negated(&b, &a) || exchanged(&a, &b) || exchanged(&b, &a) || numbered_otherwise(&a, &b)
}

/// Whether both have numbers in them, and other ones: `ext3` and `ext4`.
fn numbered_otherwise(a: &str, b: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (a, b) = (digits(a), digits(b));
    !a.is_empty() && !b.is_empty() && a != b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::COMMANDS;

    #[test]
    fn guesses_are_close() {
        let names = ["autopart", "part", "partition", "lang"];
        let guess = |w| closest(w, names.into_iter());
        assert_eq!(guess("autoprat"), Some("autopart"));
        assert_eq!(guess("langg"), Some("lang"));
        assert_eq!(guess("url"), None);
        assert_eq!(guess("pastition"), Some("partition"));
        assert_eq!(guess(&"x".repeat(100_000)), None);
    }

    #[test]
    fn only_slips_are_certain() {
        let names = ["--size", "--grow", "--uid", "--gid", "--name", "--groups"];
        let sure = |w| certain(w, names.into_iter());
        for (word, name) in [
            ("--sizze", "--size"),
            ("--szie", "--size"),
            ("--sze", "--size"),
            ("--Size", "--size"),
            ("--nmae", "--name"),
        ] {
            assert_eq!(sure(word), Some(name), "{word}");
        }
        // Another letter, another beginning, two slips, two names.
        for word in ["--sise", "--glow", "--did", "--guid", "--row", "--ssizze", "--nam3", "--size:"] {
            assert_eq!(sure(word), None, "{word}");
        }
        assert_eq!(certain("sdx", ["sda", "sdb"].into_iter()), None);
    }

    #[test]
    fn no_contrary_is_offered() {
        for (word, name) in [
            ("--verifyssl", "--noverifyssl"),
            ("--chroot", "--nochroot"),
            ("--unlock", "--lock"),
            ("--uncrypted", "--iscrypted"),
            ("--noinitlabel", "--initlabel"),
            ("--disabled", "--enabled"),
            ("--minsize", "--maxsize"),
            ("--wepkey", "--wpakey"),
            ("--onboot", "--offboot"),
            ("--notutc", "--utc"),
            ("--ipv4", "--ipv6"),
            ("ext3", "ext4"),
            ("umount", "mount"),
            ("--no-home", "--home"),
            ("--noformat", "--reformat"),
            ("--encrypted", "--decrypted"),
        ] {
            for (word, name) in [(word, name), (name, word)] {
                assert_eq!(closest(word, [name].into_iter()), None, "{word}: {name}");
                assert_eq!(certain(word, [name].into_iter()), None, "{word}: {name}");
            }
        }
    }

    #[test]
    fn no_option_of_any_command_becomes_its_contrary() {
        for (_, command) in COMMANDS {
            let names = || command.spec.options.iter().flat_map(|o| o.names());
            for name in names() {
                let stem = name.trim_start_matches('-');
                let mut contraries: Vec<String> = Vec::new();
                for no in NEGATIONS {
                    contraries.push(format!("--{no}{stem}"));
                    contraries.extend(stem.strip_prefix(no).map(|rest| format!("--{rest}")));
                }
                for (x, y) in PAIRS {
                    for (x, y) in [(x, y), (y, x)] {
                        contraries.extend(stem.contains(x).then(|| format!("--{}", stem.replacen(x, y, 1))));
                    }
                }
                for word in contraries.iter().filter(|word| !names().any(|name| name == *word)) {
                    assert_ne!(closest(word, names()), Some(name), "{word}");
                    assert_ne!(certain(word, names()), Some(name), "{word}");
                }
            }
        }
    }

    #[test]
    fn no_close_name_is_passed_over() {
        let names: Vec<&str> = crate::commands::names().collect();
        let letters = ["a", "k", "z", "0", "\u{e9}"];
        for name in &names {
            for (at, _) in name.char_indices() {
                let (head, tail) = name.split_at(at);
                let rest = &tail[1..];
                let changed =
                    letters.iter().flat_map(|new| [format!("{head}{new}{rest}"), format!("{head}{new}{tail}")]);
                for word in changed.chain([format!("{head}{rest}"), name.to_uppercase()]) {
                    let limit = usize::from(word.chars().count() > 2);
                    let there = near(&word, [*name].into_iter()).count();
                    assert_eq!(there, limit, "{word} for {name}");
                }
            }
        }
    }
}

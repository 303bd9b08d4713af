//! Holds the messages of what decides and does to the field's words: which option, boot option or
//! line of a kickstart helps is for the front doors to say ([`crate::Remedy`]).

use super::source::Token;

/// The modules that know no front door.
const MODULES: [&str; 8] = ["plan", "storage", "prepare", "apply", "machine", "image", "deploy", "system"];

/// Commands of the language, this command's name, and the beginnings of boot options.
const WORDS: [&str; 13] = [
    "autopart",
    "bootloader --",
    "'bootc-ks ",
    "bootc-ks.",
    "clearpart",
    "ignoredisk",
    "inst.",
    "logvol",
    "ostreecontainer",
    "part /",
    "reqpart",
    "volgroup",
    "zerombr",
];

/// What is written for other programs: a menu of GRUB, a script.
const PROGRAMS: [&str; 4] = ["search --no-floppy", "serial --unit=", "fsfreeze --freeze", "#"];

/// Whether `text` names an option. An argument of a program is a literal of its own and begins
/// with its hyphens.
fn names_an_option(text: &str) -> bool {
    let inside = text.match_indices("--").filter(|(at, _)| *at > 0 || text.contains(' '));
    inside.into_iter().any(|(at, _)| text[at + 2..].starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Whether `text` has a word of a front door in it.
fn is_a_front_doors(text: &str) -> bool {
    let sentence = !PROGRAMS.iter().any(|program| text.starts_with(program));
    // A word alone is a name that is looked up, and not a message.
    let names_a_line = text.contains(' ') && WORDS.iter().any(|word| text.contains(word));
    sentence && (names_an_option(text) || names_a_line)
}

#[test]
fn messages_have_no_words_of_a_front_door() {
    let modules = super::sources();
    let mut seen = 0;
    let mut found = Vec::new();
    for (place, tokens) in
        modules.iter().filter(|(place, _)| place.first().is_some_and(|m| MODULES.contains(&m.as_str())))
    {
        for token in tokens {
            let Token::Text(text) = token else { continue };
            seen += 1;
            if is_a_front_doors(text) {
                found.push(format!("{}: {text}", place.join("::")));
            }
        }
    }
    assert!(seen > 500, "{seen} literals seen: the reader of the source misses most");
    assert!(
        found.is_empty(),
        "words of the command, of kickstart or of the kernel's command line:\n{}",
        found.join("\n")
    );
}

#[test]
fn such_words_are_seen() {
    for text in ["use --yes", "add 'reqpart'", "give inst.ks=", "--yes would do", "say 'bootloader --location=none'"] {
        assert!(is_a_front_doors(text), "{text}");
    }
    for text in ["--no-floppy", "--target=i386-pc", "look at it -- or do not", "the partition"] {
        assert!(!is_a_front_doors(text), "{text}");
    }
}

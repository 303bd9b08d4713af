//! Whether what is written comes in colours, and where they go. Colours repeat what the words say: the
//! text is the same without them.

use std::io::IsTerminal;
use std::sync::OnceLock;

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Choice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

static CHOICE: OnceLock<Choice> = OnceLock::new();

/// Says what was chosen, before anything is written.
pub fn choose(choice: Choice) {
    let _ = CHOICE.set(choice);
}

/// Whether a stream gets colours.
pub fn on(stream: &impl IsTerminal) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    wanted(CHOICE.get().copied().unwrap_or_default(), stream.is_terminal(), set("NO_COLOR") || dumb)
}

fn wanted(choice: Choice, terminal: bool, refused: bool) -> bool {
    match choice {
        Choice::Always => true,
        Choice::Never => false,
        Choice::Auto => terminal && !refused,
    }
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const PLAIN: &str = "\x1b[0m";

/// The words with which a message says of which kind it is, and their colours.
const KINDS: &[(&str, &str)] =
    &[("error:", RED), ("warning:", YELLOW), (" hint:", BLUE), ("note:", BLUE), ("Destroys:", RED)];

/// A text with the kinds of its messages in colours.
pub fn paint(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match KINDS.iter().find(|(kind, _)| line.starts_with(kind)) {
            // What is lost is not a label that may be passed over, unless nothing is.
            Some((kind @ "Destroys:", colour)) if !line.contains("nothing") => {
                let rest = line[kind.len()..].trim_end_matches('\n');
                let end = &line[kind.len() + rest.len()..];
                out.push_str(&format!("{colour}{kind}{rest}{PLAIN}{end}"));
            }
            Some(("Destroys:", _)) | None => out.push_str(line),
            Some((kind, colour)) => out.push_str(&format!("{colour}{kind}{PLAIN}{}", &line[kind.len()..])),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_chooses() {
        for (choice, terminal, refused, expected) in [
            (Choice::Auto, true, false, true),
            (Choice::Auto, false, false, false),
            (Choice::Auto, true, true, false),
            (Choice::Always, false, true, true),
            (Choice::Never, true, false, false),
        ] {
            assert_eq!(wanted(choice, terminal, refused), expected, "{choice:?}");
        }
    }

    #[test]
    fn kinds_are_painted_and_nothing_else() {
        assert_eq!(paint("error: a\n hint: b\n"), "\x1b[1;31merror:\x1b[0m a\n\x1b[1;34m hint:\x1b[0m b\n");
        assert_eq!(paint("an error: a\n"), "an error: a\n");
        assert_eq!(paint("Destroys:    nothing\n"), "Destroys:    nothing\n");
        assert_eq!(paint("Destroys:    sda\nImage"), "\x1b[1;31mDestroys:    sda\x1b[0m\nImage");
    }
}

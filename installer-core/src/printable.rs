//! Text that came from outside, for a terminal or a log: without the characters that would move a
//! cursor, change a title or turn the direction of what is read.

use std::borrow::Cow;

/// `text` with such characters as `\u001b`. Line ends and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts(character) {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal does something at `character` in place of showing it.
fn acts(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    (character.is_control() && !matches!(character, '\n' | '\t')) || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_a_terminal() {
        for (text, shown) in [
            ("plain, é, 漢\n\tx", "plain, é, 漢\n\tx"),
            ("\u{1b}]0;owned\u{7}\u{1b}[2J", "\\u001b]0;owned\\u0007\\u001b[2J"),
            ("a\rb\0c\u{8}\u{7f}", "a\\u000db\\u0000c\\u0008\\u007f"),
            ("\u{9b}2J", "\\u009b2J"),
            ("\u{202e}gnp.exe", "\\u202egnp.exe"),
        ] {
            assert_eq!(printable(text), shown);
            assert_eq!(printable(shown), shown);
        }
    }
}

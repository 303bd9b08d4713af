//! Characters that look like the ones that kickstart knows, and are others: they come out of word
//! processors, chats and web pages, and cannot be told apart on a screen.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// What a character looks like, and its name.
struct Odd {
    looks: Looks,
    name: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    Dash,
    Quote,
    Blank,
    Nothing,
}

fn odd(c: char) -> Option<Odd> {
    let (looks, name) = match c {
        '\u{2010}' | '\u{2011}' => (Looks::Dash, "hyphen"),
        '\u{2012}' => (Looks::Dash, "figure dash"),
        '\u{2013}' => (Looks::Dash, "en dash"),
        '\u{2014}' => (Looks::Dash, "em dash"),
        '\u{2015}' => (Looks::Dash, "horizontal bar"),
        '\u{2212}' => (Looks::Dash, "minus sign"),
        '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => (Looks::Dash, "wide or small hyphen"),
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => (Looks::Quote, "curved single quote"),
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' => (Looks::Quote, "curved double quote"),
        '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' => (Looks::Quote, "angle quote"),
        '\u{2032}' | '\u{2033}' => (Looks::Quote, "prime"),
        '\u{b4}' => (Looks::Quote, "acute accent"),
        '\u{ff02}' | '\u{ff07}' => (Looks::Quote, "wide quote"),
        '\u{a0}' => (Looks::Blank, "no-break space"),
        '\u{202f}' => (Looks::Blank, "narrow no-break space"),
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' => (Looks::Blank, "space of another width"),
        '\u{3000}' => (Looks::Blank, "ideographic space"),
        '\u{ad}' => (Looks::Nothing, "soft hyphen"),
        '\u{200b}' => (Looks::Nothing, "zero-width space"),
        '\u{200c}' | '\u{200d}' => (Looks::Nothing, "zero-width joiner"),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            (Looks::Nothing, "mark of the writing direction")
        }
        '\u{2060}' => (Looks::Nothing, "word joiner"),
        '\u{feff}' => (Looks::Nothing, "zero-width no-break space"),
        _ => return None,
    };
    Some(Odd { looks, name })
}

/// Whether a character is a dash, or looks like one.
pub(crate) fn is_dash(c: char) -> bool {
    c == '-' || odd(c).is_some_and(|odd| odd.looks == Looks::Dash)
}

/// Look for such characters in a line of a command, whose findings begin at `before`. Where the line
/// is wrong, the first finding names them; where it is not, and they cannot be meant, they are
/// a finding.
pub(crate) fn judge(content: &str, line: Span, before: usize, found: &mut Vec<Diagnostic>) {
    if content.is_ascii() {
        return;
    }
    let failed = found.iter().skip(before).position(Diagnostic::is_error).map(|at| before + at);
    let Some((at, c, odd)) = first(content, failed.is_some()) else {
        return;
    };
    let start = line.start as usize + at;
    let place = Span::new(line.source, start, start + c.len_utf8());
    let instead = match odd.looks {
        Looks::Dash => "write `-`",
        Looks::Quote => "write `\"` or `'`",
        Looks::Blank => "write an ordinary blank",
        Looks::Nothing => "remove it",
    };
    let name = format!("{} (U+{:04X})", odd.name, u32::from(c));
    match failed.and_then(|at| found.get_mut(at)) {
        Some(diagnostic) => {
            diagnostic.labels.push(crate::diagnostic::Label { span: place, message: format!("this is a {name}") });
            diagnostic.help = Some(format!("there is a {name} on the line: {instead}"));
            diagnostic.fix = None;
        }
        None => found.push(
            Diagnostic::new(&codes::ODD_CHARACTER, place, format!("this is a {name}, which is part of the word"))
                .help(format!("{instead}, unless it is meant")),
        ),
    }
}

/// The first such character; in a line that is not wrong, one that cannot be meant.
fn first(content: &str, failed: bool) -> Option<(usize, char, Odd)> {
    let mut before = ' ';
    let mut quote: Option<char> = None;
    for (at, c) in content.char_indices() {
        match (quote, c) {
            (None, '#') => return None,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        if let Some(odd) = odd(c) {
            let begins = before == ' ' || before == '\t' || before == '=';
            let suspicious = match odd.looks {
                Looks::Nothing => true,
                Looks::Blank => quote.is_none(),
                Looks::Dash | Looks::Quote => quote.is_none() && begins,
            };
            if suspicious || failed {
                return Some((at, c, odd));
            }
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;
    use crate::{ParseOptions, parse};

    #[test]
    fn the_character_is_named() {
        for (text, name) in [
            ("part / \u{2013}size=1\n", "en dash (U+2013)"),
            ("part / \u{2014}\u{2014}size=1\n", "em dash (U+2014)"),
            ("lang\u{a0}en\n", "no-break space (U+00A0)"),
            ("\u{200b}lang en\n", "zero-width space (U+200B)"),
            ("autopart --type=\u{201c}lvm\u{201d}\n", "curved double quote (U+201C)"),
            ("user --name=a --gecos=\u{2018}A B\u{2019}\n", "curved single quote (U+2018)"),
        ] {
            let parsed = parse(text, "a.ks", &ParseOptions::default());
            let told = parsed.diagnostics.iter().any(|d| d.help.as_deref().is_some_and(|help| help.contains(name)));
            assert!(told, "{text}: {:?}", parsed.diagnostics);
        }
    }

    #[test]
    fn what_is_meant_is_left_alone() {
        check(&[
            ("user --name=a --gecos=\"A \u{2013} B\u{2019}s\"", &[]),
            ("lang en # \u{201c}x\u{201d}", &[]),
            ("user --name=a\u{200b}", &["W011"]),
            ("user --name=\u{201c}a\u{201d}", &["W011"]),
            ("user --name=a\u{a0}b", &["W011"]),
        ]);
    }
}

//! Texts to values, as Python's `int` and kickstart's lists and booleans have it.

/// A whole number: blanks around it, a sign and single underscores between
/// digits are fine. `Ok(None)` is a number that is too large for us.
pub(crate) fn int(text: &str) -> Result<Option<i64>, ()> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let mut value: Option<i64> = Some(0);
    let mut after_digit = false;
    for c in digits.chars() {
        match c.to_digit(10) {
            Some(d) => {
                let d = i64::from(d);
                value =
                    value.and_then(|v| v.checked_mul(10)).and_then(|v| v.checked_add(if negative { -d } else { d }));
                after_digit = true;
            }
            None if c == '_' && after_digit => after_digit = false,
            None => return Err(()),
        }
    }
    if after_digit { Ok(value) } else { Err(()) }
}

/// A boolean in any of its spellings.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|w| text.eq_ignore_ascii_case(w));
    if is(["on", "yes", "true", "1"]) {
        Some(true)
    } else if is(["off", "no", "false", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// A list separated by commas.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

/// Whether a word that begins with a dash is a number all the same.
pub(crate) fn negative_number(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else {
        return false;
    };
    let digits = |t: &str| t.chars().all(|c| c.is_ascii_digit());
    match rest.split_once('.') {
        None => !rest.is_empty() && digits(rest),
        Some((whole, part)) => digits(whole) && digits(part) && !part.is_empty(),
    }
}

/// The name among `names` that a misspelt word was most likely meant to be.
pub fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    close(word, names).min().map(|(_, n)| n)
}

/// As [`closest`], if no other name is as close.
pub(crate) fn only_closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let all: Vec<(usize, &str)> = close(word, names).collect();
    let (least, name) = all.iter().min()?;
    let alone = all.iter().all(|(d, n)| d > least || n == name);
    alone.then_some(*name)
}

/// The names that a misspelt word may stand for, with their distances.
fn close<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_python_reads_them() {
        for (text, expected) in [
            ("5", Ok(Some(5))),
            (" +7 ", Ok(Some(7))),
            ("1_000", Ok(Some(1000))),
            ("-3", Ok(Some(-3))),
            ("007", Ok(Some(7))),
            ("99999999999999999999", Ok(None)),
            ("", Err(())),
            ("-", Err(())),
            ("_1", Err(())),
            ("1_", Err(())),
            ("1__0", Err(())),
            ("0x10", Err(())),
            ("1.5", Err(())),
            ("é", Err(())),
        ] {
            assert_eq!(int(text), expected, "{text:?}");
        }
    }

    #[test]
    fn booleans_and_lists() {
        assert_eq!(boolean("YES"), Some(true));
        assert_eq!(boolean("off"), Some(false));
        assert_eq!(boolean("2"), None);
        assert_eq!(list(" sda ,,sdb,"), ["sda", "sdb"]);
        assert!(negative_number("-1") && negative_number("-.5") && negative_number("-1.5"));
        assert!(!negative_number("-") && !negative_number("-1.") && !negative_number("-a"));
    }

    #[test]
    fn guesses_are_close() {
        let names = ["autopart", "part", "partition", "lang"];
        let guess = |w| closest(w, names.into_iter());
        assert_eq!(guess("autoprat"), Some("autopart"));
        assert_eq!(guess("langg"), Some("lang"));
        assert_eq!(guess("url"), None);
        assert_eq!(only_closest("pastition", names.into_iter()), Some("partition"));
        assert_eq!(only_closest("sdx", ["sda", "sdb"].into_iter()), None);
        assert_eq!(guess(&"x".repeat(100_000)), None);
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
                    let there = super::close(&word, [*name].into_iter()).count();
                    assert_eq!(there, limit, "{word} for {name}");
                }
            }
        }
    }
}

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
}

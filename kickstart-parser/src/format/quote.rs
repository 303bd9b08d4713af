//! Words as they are written: quotes where they are needed, and nowhere else.

/// Whether a word says something else without quotes.
fn needs_quotes(value: &str) -> bool {
    value.contains([' ', '\t', '\r', '\n', '\'', '"', '\\', '#'])
}

/// A value in the form that reads as exactly this value again, to stand behind other
/// characters of a word, such as `--option=`.
pub(crate) fn tail(value: &str) -> String {
    if !needs_quotes(value) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A whole word in the form that reads as exactly this word again.
pub(crate) fn word(value: &str) -> String {
    if value.is_empty() { "\"\"".to_owned() } else { tail(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex;
    use proptest::prelude::*;

    #[test]
    fn quotes_only_where_needed() {
        for (value, written) in [
            ("en_US", "en_US"),
            ("$6$salt$hash/.", "$6$salt$hash/."),
            ("a=b,c:d", "a=b,c:d"),
            ("\u{a0}x", "\u{a0}x"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a#b", "\"a#b\""),
            ("it's", "\"it's\""),
            ("say \"x\"", "\"say \\\"x\\\"\""),
            ("c:\\d", "\"c:\\\\d\""),
        ] {
            assert_eq!(word(value), written);
        }
        assert_eq!(tail(""), "");
    }

    proptest! {
        #[test]
        fn a_word_reads_as_it_was(value in "[ -~\t\u{a0}é\u{3000}]*") {
            let read = |text: &str| lex::words(text).unwrap().into_iter().map(|w| w.value).collect::<Vec<_>>();
            prop_assert_eq!(read(&word(&value)), vec![value.clone()]);
            prop_assert_eq!(read(&format!("--o={} x", tail(&value))), vec![format!("--o={value}"), "x".to_owned()]);
        }
    }
}

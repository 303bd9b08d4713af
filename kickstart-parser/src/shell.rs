//! Scripts, as far as they are read here: as words and lines, not as a shell would.

/// A comment begins with a number sign at the beginning of a word.
pub(crate) fn without_comment(line: &str) -> &str {
    let begins = |at: usize| line[..at].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').map(|(at, _)| at).find(|at| begins(*at)).map_or(line, |at| &line[..at])
}

/// The word that ends the text which begins on the next line: `<<EOF`, `<<-'EOF'`.
pub(crate) fn here_document(code: &str) -> Option<&str> {
    let (_, after) = code.split_once("<<")?;
    if after.starts_with('<') {
        return None;
    }
    let word = after.trim_start_matches('-').trim_start().trim_start_matches(['\'', '"', '\\']);
    let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
    word.get(..end).filter(|word| !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a script may be in the middle of something where this text ends: a here-document, a
/// quoted text, a line that goes on.
pub(crate) fn is_open(text: &str) -> bool {
    let mut here: Option<&str> = None;
    let mut quote: Option<char> = None;
    let mut goes_on = false;
    for line in text.lines() {
        if let Some(end) = here {
            if line.trim() == end {
                here = None;
            }
            continue;
        }
        let code = if quote.is_some() { line } else { without_comment(line) };
        let mut escaped = false;
        for c in code.chars() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (Some('"') | None, '\\') => escaped = true,
                (Some(open), c) if open == c => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                _ => {}
            }
        }
        goes_on = escaped;
        if quote.is_none() {
            here = here_document(code);
        }
    }
    here.is_some() || quote.is_some() || goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_open() {
        for text in ["cat <<EOF\na\n", "echo 'a\nb\n", "echo \"a\\\"\n", "a \\\n", "cat <<-'X' > y\n\tz\n"] {
            assert!(is_open(text), "{text:?}");
        }
        for text in ["", "a\n", "cat <<EOF\na\nEOF\n", "echo \"it's\"\n", "# it's\n", "echo 'a\nb'\nc\n", "a \\\nb\n"] {
            assert!(!is_open(text), "{text:?}");
        }
    }
}

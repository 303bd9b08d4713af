//! Bytes to lines to words; knows nothing of commands.
//!
//! Lines end where Python's `splitlines` ends them, words follow the POSIX
//! rules of Python's `shlex`, because that is how kickstart files have always
//! been read: `#` begins a comment anywhere outside quotes, even inside a
//! word, and nothing continues on the next line.

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till, take_while, take_while1};
use nom::character::complete::{anychar, char, one_of};
use nom::combinator::{recognize, value};
use nom::sequence::{delimited, preceded};
use smol_str::SmolStr;

/// One physical line, as offsets into the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RawLine {
    pub start: usize,
    /// Where the content ends and the line terminator begins.
    pub content_end: usize,
    pub end: usize,
    /// The terminator is not one that an editor would show as a new line.
    pub unusual: bool,
}

pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn line_end(input: &str) -> IResult<&str, &str> {
    alt((tag("\r\n"), recognize(nom::character::complete::satisfy(is_break)))).parse(input)
}

/// Everything up to a line end. By bytes: this looks at every one of a file.
fn content(input: &str) -> &str {
    let mut from = 0;
    let bytes = input.as_bytes();
    while let Some(at) = bytes[from..].iter().position(|byte| BREAKS[usize::from(*byte)]) {
        let at = from + at;
        // The first byte of a line separator may begin another character as well.
        match input[at..].chars().next() {
            Some(c) if !is_break(c) => from = at + c.len_utf8(),
            _ => return &input[..at],
        }
    }
    input
}

/// The bytes that a line end may begin with.
const BREAKS: [bool; 256] = {
    let mut table = [false; 256];
    let ends = *b"\n\r\x0b\x0c\x1c\x1d\x1e\xc2\xe2";
    let mut n = 0;
    while n < ends.len() {
        table[ends[n] as usize] = true;
        n += 1;
    }
    table
};

/// The physical lines; their ranges, one after the other, are the text.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = RawLine> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let start = text.len() - rest.len();
        let content_end = start + content(rest).len();
        let after = &text[content_end..];
        let (after, ending) = line_end(after).unwrap_or((after, ""));
        rest = after;
        Some(RawLine {
            start,
            content_end,
            end: text.len() - after.len(),
            unusual: !matches!(ending, "" | "\n" | "\r" | "\r\n"),
        })
    })
}

/// A word with quotes and escapes resolved, as offsets into its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RawWord {
    pub value: SmolStr,
    pub start: usize,
    pub end: usize,
    /// How many leading bytes of the value are spelled as they read.
    pub linear: usize,
}

/// Why a line has no words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LexError {
    /// A quote that nothing closes, at this offset.
    Unclosed(usize),
    /// A backslash as the last character, at this offset.
    TrailingBackslash(usize),
    /// It is not even looked at.
    TooLong,
}

fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn blanks(input: &str) -> IResult<&str, &str> {
    take_while(blank).parse(input)
}

fn plain(input: &str) -> IResult<&str, &str> {
    take_while1(|c| !blank(c) && !matches!(c, '\'' | '"' | '\\' | '#')).parse(input)
}

fn single_quoted(input: &str) -> IResult<&str, &str> {
    delimited(char('\''), take_till(|c| c == '\''), char('\'')).parse(input)
}

fn escaped(input: &str) -> IResult<&str, char> {
    preceded(char('\\'), anychar).parse(input)
}

/// Inside double quotes a backslash escapes only a double quote or itself.
fn double_quoted_piece(input: &str) -> IResult<&str, &str> {
    alt((is_not("\"\\"), preceded(char('\\'), recognize(one_of("\"\\"))), value("\\", char('\\')))).parse(input)
}

fn double_quoted(input: &str) -> IResult<&str, String> {
    let (mut rest, _) = char('"').parse(input)?;
    let mut out = String::new();
    while let Ok((after, piece)) = double_quoted_piece(rest) {
        out.push_str(piece);
        rest = after;
    }
    let (rest, _) = char('"').parse(rest)?;
    Ok((rest, out))
}

/// The words of one line (without its terminator).
pub(crate) fn words(line: &str) -> Result<Vec<RawWord>, LexError> {
    let mut words = Vec::new();
    words_into(line, &mut words)?;
    Ok(words)
}

/// The same behind what is in `words` already: who reads many lines keeps one of these.
pub(crate) fn words_into(line: &str, words: &mut Vec<RawWord>) -> Result<(), LexError> {
    if !line.bytes().any(|byte| matches!(byte, b'\'' | b'"' | b'\\' | b'#')) {
        words.extend(plain_words(line));
        return Ok(());
    }
    let mut rest = line;
    loop {
        rest = blanks(rest).map_or(rest, |(after, _)| after);
        if rest.is_empty() || rest.starts_with('#') {
            return Ok(());
        }
        let (after, word) = word(line, rest)?;
        words.push(word);
        rest = after;
    }
}

/// The words of a line in which nothing is quoted, as most are.
fn plain_words(line: &str) -> impl Iterator<Item = RawWord> {
    let word = |word: &str| {
        let start = word.as_ptr() as usize - line.as_ptr() as usize;
        RawWord { value: word.into(), start, end: start + word.len(), linear: word.len() }
    };
    line.split(blank).filter(|w| !w.is_empty()).map(word)
}

fn word<'a>(line: &'a str, input: &'a str) -> Result<(&'a str, RawWord), LexError> {
    let offset = |at: &str| line.len() - at.len();
    let mut rest = input;
    let mut value = String::new();
    let mut linear = None;
    loop {
        let (quoted, after) = match rest.chars().next() {
            None | Some('#') => break,
            Some(c) if blank(c) => break,
            Some('\'') => {
                let (after, text) = single_quoted(rest).map_err(|_| LexError::Unclosed(offset(rest)))?;
                (text.to_owned(), after)
            }
            Some('"') => {
                let (after, text) = double_quoted(rest).map_err(|_| LexError::Unclosed(offset(rest)))?;
                (text, after)
            }
            Some('\\') => {
                let (after, c) = escaped(rest).map_err(|_| LexError::TrailingBackslash(offset(rest)))?;
                (c.to_string(), after)
            }
            Some(_) => {
                // The first character is none of the special ones, so this cannot fail.
                let (after, text) = plain(rest).unwrap_or(("", rest));
                value.push_str(text);
                rest = after;
                continue;
            }
        };
        linear = linear.or(Some(value.len()));
        value.push_str(&quoted);
        rest = after;
    }
    let linear = linear.unwrap_or(value.len());
    Ok((rest, RawWord { value: value.into(), start: offset(input), end: offset(rest), linear }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &str) -> Vec<String> {
        words(line).unwrap().into_iter().map(|w| w.value.to_string()).collect()
    }

    #[test]
    fn words_follow_shlex() {
        for (line, expected) in [
            ("", vec![]),
            ("  # all comment", vec![]),
            ("lang en_US", vec!["lang", "en_US"]),
            ("\tlang\ten_US \r", vec!["lang", "en_US"]),
            ("rootpw a#b c", vec!["rootpw", "a"]),
            ("rootpw \"a\"#b", vec!["rootpw", "a"]),
            ("rootpw \"a#b\"", vec!["rootpw", "a#b"]),
            ("a\\ b \\#c", vec!["a b", "#c"]),
            (r#""a\"b\\c\d" 'e\'"#, vec!["a\"b\\c\\d", "e\\"]),
            ("'' x", vec!["", "x"]),
            ("a'b'\"c\"d", vec!["abcd"]),
            ("--append=\"a b\" x", vec!["--append=a b", "x"]),
        ] {
            assert_eq!(values(line), expected, "{line:?}");
        }
    }

    #[test]
    fn broken_words_say_where() {
        assert_eq!(words("a 'b"), Err(LexError::Unclosed(2)));
        assert_eq!(words("a \"b\\\""), Err(LexError::Unclosed(2)));
        assert_eq!(words("part / \\"), Err(LexError::TrailingBackslash(7)));
        assert_eq!(words("# it's"), Ok(vec![]));
    }

    #[test]
    fn spans_and_linear_parts() {
        let w = &words("  --a=\"x y\"z #").unwrap()[0];
        assert_eq!((w.start, w.end, w.linear), (2, 12, 4));
        assert_eq!(w.value, "--a=x yz");
    }

    #[test]
    fn lines_are_those_of_splitlines() {
        let text = "a\nb\r\nc\rd\x0be\x0cf\x1cg\x1dh\x1ei\u{85}j\u{2028}k\u{2029}\n\nl";
        let got: Vec<&str> = lines(text).map(|l| &text[l.start..l.content_end]).collect();
        assert_eq!(got, ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "", "", "l"]);
        let again: String = lines(text).map(|l| &text[l.start..l.end]).collect();
        assert_eq!(again, text);
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines("x\n").count(), 1);
    }
}

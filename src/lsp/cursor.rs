//! What is written at a place: a word of a command, of a section's header, or neither.

use kickstart_parser::{LineKind, Parsed, Section, SourceId, Span, Statement, Word};

/// The words of a command or of a section's header, and which of them is meant.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    /// All words; the first is the name of the command or section.
    pub words: &'a [Word],
    /// The one at the place.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// What is at a byte of the document.
    pub fn at(parsed: &'a Parsed, offset: usize) -> Option<Cursor<'a>> {
        let line = parsed.document.statements.iter().map(words).find(|words| {
            let (Some(first), Some(last)) = (words.first(), words.last()) else {
                return false;
            };
            touches(first.span.to(last.span), offset)
        })?;
        let at = line.iter().position(|word| touches(word.span, offset))?;
        Some(Cursor { words: line, at })
    }

    /// The name of the command or section.
    pub fn name(self) -> &'a str {
        self.words.first().map_or("", |word| word.value.as_str())
    }

    /// The word at the place.
    pub fn word(self) -> &'a Word {
        &self.words[self.at]
    }
}

/// The words of a command or of a section's header.
pub fn words(statement: &Statement) -> &[Word] {
    match statement {
        Statement::Command(line) => &line.words,
        Statement::Section(section) => &section.words,
    }
}

/// The sections of the document itself.
pub fn sections(parsed: &Parsed) -> impl Iterator<Item = &Section> {
    parsed.document.statements.iter().filter_map(|statement| match statement {
        Statement::Section(section) if section.span.source == SourceId::ROOT => Some(section),
        _ => None,
    })
}

/// The section that is open at a byte of the document.
pub fn section_at(parsed: &Parsed, offset: usize) -> Option<&Section> {
    let before = sections(parsed).take_while(|section| (section.span.end as usize) < offset);
    before.last().filter(|section| section.end.is_none_or(|end| offset <= end.end as usize))
}

/// Whether the span is one of the document and the byte is in it or just behind it.
pub fn touches(span: Span, offset: usize) -> bool {
    span.source == SourceId::ROOT && span.range().start <= offset && offset <= span.range().end
}

/// The `%include` lines of the document: the span of each file's name.
pub fn include_lines(parsed: &Parsed) -> impl Iterator<Item = Span> {
    let lines = parsed.document.files.first().map_or(&[][..], |file| &file.lines);
    lines.iter().filter(|line| line.kind == LineKind::Include).map(|line| line.span)
}

/// The value of `--name=value` or `--name value`, where the name is one that `is_it` knows.
pub fn value_of<'a>(parsed: &Parsed, words: &'a [Word], is_it: impl Fn(&str) -> bool) -> Option<(&'a str, Span)> {
    words.iter().enumerate().skip(1).find_map(|(at, word)| match word.value.split_once('=') {
        Some((name, value)) if is_it(name) => Some((value, after_equals(parsed, word))),
        None if is_it(&word.value) => words.get(at + 1).map(|next| (next.value.as_str(), next.span)),
        _ => None,
    })
}

/// The part of a word behind its equals sign.
pub fn after_equals(parsed: &Parsed, word: &Word) -> Span {
    let at = parsed.sources.slice(word.span).find('=').map_or(0, |at| at + 1);
    Span { start: word.span.start + at as u32, ..word.span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kickstart_parser::{ParseOptions, parse};

    const TEXT: &str = "text\n  part / --size=\"1\" #x\n%post --log=/x\necho\n%end\n\n%pre\n";

    #[test]
    fn words_under_the_cursor() {
        let parsed = parse(TEXT, "a.ks", &ParseOptions::default());
        let word = |part: &str| {
            let offset = TEXT.find(part).unwrap();
            Cursor::at(&parsed, offset).map(|cursor| (cursor.name().to_owned(), cursor.word().value.to_string()))
        };
        let is = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(word("ext"), is("text", "text"));
        assert_eq!(word("ize"), is("part", "--size=1"));
        assert_eq!(word(" /"), is("part", "part"));
        assert_eq!(word("#x"), None);
        assert_eq!(word("log"), is("%post", "--log=/x"));
        assert_eq!(word("echo"), None);
    }

    #[test]
    fn sections_around_the_cursor() {
        let parsed = parse(TEXT, "a.ks", &ParseOptions::default());
        let name = |offset: usize| section_at(&parsed, offset).map(|section| section.words[0].value.as_str());
        assert_eq!(name(TEXT.find("part").unwrap()), None);
        assert_eq!(name(TEXT.find("echo").unwrap()), Some("%post"));
        assert_eq!(name(TEXT.find("%end").unwrap() + 1), Some("%post"));
        assert_eq!(name(TEXT.find("\n\n").unwrap() + 1), None);
        assert_eq!(name(TEXT.len()), Some("%pre"));
    }

    #[test]
    fn values_in_both_forms() {
        for text in ["user --name=ann x", "user x --name ann", "user --name=\"ann\""] {
            let parsed = parse(text, "a.ks", &ParseOptions::default());
            let words = words(&parsed.document.statements[0]);
            let (value, span) = value_of(&parsed, words, |name| name == "--name").unwrap();
            assert_eq!((value, parsed.sources.slice(span).trim_matches('"')), ("ann", "ann"));
        }
    }
}

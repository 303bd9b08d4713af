//! A document's text and where things are in it, as the protocol counts: lines from 0 that
//! end at `\n`, `\r\n` or `\r` only, and columns in UTF-16 units or, where the editor can,
//! in bytes. (The parser has more line ends and counts characters.)

use gen_lsp_types::{Position, Range, TextDocumentContentChangeEvent};

/// The unit of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Surrogates count twice; what every editor has.
    #[default]
    Utf16,
}

/// UTF-16 units are counted ahead at every so many bytes, so that no line is too long.
const BLOCK: usize = 1024;

/// Where the lines of a text begin.
#[derive(Debug)]
pub struct LineIndex {
    encoding: Encoding,
    starts: Vec<usize>,
    /// The UTF-16 units before each block; empty where units are bytes.
    units: Vec<usize>,
}

impl LineIndex {
    /// The index of a text.
    pub fn new(text: &str, encoding: Encoding) -> LineIndex {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let counted = encoding == Encoding::Utf16 && !text.is_ascii();
        let units = if counted { units(text) } else { Vec::new() };
        LineIndex { encoding, starts, units }
    }

    /// The place of a byte.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = floor(text, offset);
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let character = self.units_before(text, offset) - self.units_before(text, start);
        Position { line: line as u32, character: character as u32 }
    }

    /// The range of a range of bytes.
    pub fn range(&self, text: &str, range: std::ops::Range<usize>) -> Range {
        Range { start: self.position(text, range.start), end: self.position(text, range.end) }
    }

    /// The byte of a place; one that is not there gives the nearest before it.
    pub fn offset(&self, text: &str, position: Position) -> usize {
        let Some(start) = self.starts.get(position.line as usize).copied() else {
            return text.len();
        };
        let end = self.line_end(text, position.line as usize);
        let wanted = position.character as usize;
        if self.encoding == Encoding::Utf8 || self.units.is_empty() {
            return floor(text, start.saturating_add(wanted).min(end));
        }
        let wanted = self.units_before(text, start) + wanted;
        let block = self.units.partition_point(|units| *units <= wanted).saturating_sub(1);
        let from = floor(text, block * BLOCK).clamp(start, end);
        let mut units = self.units_before(text, from);
        for (at, char) in text[from..end].char_indices() {
            units += char.len_utf16();
            if units > wanted {
                return from + at;
            }
        }
        end
    }

    /// The byte of the line's start, and of its end without the line end.
    pub fn line(&self, text: &str, line: u32) -> std::ops::Range<usize> {
        let start = self.starts.get(line as usize).copied().unwrap_or(text.len());
        start..self.line_end(text, line as usize)
    }

    fn line_end(&self, text: &str, line: usize) -> usize {
        let Some(next) = self.starts.get(line + 1).copied() else {
            return text.len();
        };
        let start = self.starts.get(line).copied().unwrap_or(0);
        let content = text.get(start..next).unwrap_or("");
        let content = content.strip_suffix('\n').unwrap_or(content);
        start + content.strip_suffix('\r').unwrap_or(content).len()
    }

    fn units_before(&self, text: &str, offset: usize) -> usize {
        let block = offset / BLOCK;
        let Some(before) = self.units.get(block) else {
            return offset;
        };
        let rest = text.get(floor(text, block * BLOCK)..offset).unwrap_or("");
        before + rest.chars().map(char::len_utf16).sum::<usize>()
    }
}

fn units(text: &str) -> Vec<usize> {
    let mut units = vec![0];
    let mut before = 0;
    let mut from = 0;
    for block in 1..=text.len() / BLOCK {
        let to = floor(text, block * BLOCK);
        before += text[from..to].chars().map(char::len_utf16).sum::<usize>();
        units.push(before);
        from = to;
    }
    units
}

/// The character boundary at or before an offset.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// A text that an editor changes.
pub struct Text {
    text: String,
    index: LineIndex,
}

impl Text {
    /// A new text.
    pub fn new(text: String, encoding: Encoding) -> Text {
        let index = LineIndex::new(&text, encoding);
        Text { text, index }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where its lines are.
    pub fn index(&self) -> &LineIndex {
        &self.index
    }

    /// The byte of a place.
    pub fn offset(&self, position: Position) -> usize {
        self.index.offset(&self.text, position)
    }

    /// The range of a range of bytes.
    pub fn range(&self, range: std::ops::Range<usize>) -> Range {
        self.index.range(&self.text, range)
    }

    /// Apply changes, one after the other.
    pub fn change(&mut self, changes: Vec<TextDocumentContentChangeEvent>) {
        // Editors send many changes last line first: the lines above a change keep their places.
        let mut good_above = u32::MAX;
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                    self.text = whole.text;
                    good_above = 0;
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let Range { start, end } = part.range;
                    if end.line.max(start.line) >= good_above {
                        self.index = LineIndex::new(&self.text, self.index.encoding);
                    }
                    let (start_at, end_at) = (self.offset(start), self.offset(end));
                    self.text.replace_range(start_at.min(end_at)..end_at.max(start_at), &part.text);
                    good_above = start.line.min(end.line);
                }
            }
        }
        if good_above != u32::MAX {
            self.index = LineIndex::new(&self.text, self.index.encoding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gen_lsp_types::{TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument};

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    /// Every character boundary there and back.
    fn round_trip(text: &str, encoding: Encoding) {
        let index = LineIndex::new(text, encoding);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            // Between \r and \n there is no place.
            if text[..offset].ends_with('\r') && text[offset..].starts_with('\n') {
                continue;
            }
            assert_eq!(index.offset(text, index.position(text, offset)), offset, "{text:?} {encoding:?}");
        }
    }

    #[test]
    fn places_are_found_again() {
        let long = "čeština 😀 ".repeat(700);
        for text in
            ["", "a", "a\n", "a\r\nb\rc\n\n", "x😀y\nč\u{2028}z\n", "\u{feff}lang\n", &long, &format!("{long}\n{long}")]
        {
            round_trip(text, Encoding::Utf8);
            round_trip(text, Encoding::Utf16);
        }
    }

    #[test]
    fn columns_are_utf16_or_bytes() {
        let text = "é😀x\r\nb\u{2028}c";
        let wide = LineIndex::new(text, Encoding::Utf16);
        let bytes = LineIndex::new(text, Encoding::Utf8);
        let x = text.find('x').unwrap();
        assert_eq!((wide.position(text, x), bytes.position(text, x)), (at(0, 3), at(0, 6)));
        // U+2028 ends a line for the parser and not for an editor.
        assert_eq!((wide.position(text, text.len()), bytes.position(text, text.len())), (at(1, 3), at(1, 5)));
        // In the middle of a character.
        assert_eq!((wide.offset(text, at(0, 2)), bytes.offset(text, at(0, 4))), (2, 2));
        assert_eq!(wide.position(text, 3), at(0, 1));
    }

    #[test]
    fn places_that_are_not_there() {
        let text = "ab\r\ncd";
        let index = LineIndex::new(text, Encoding::Utf16);
        assert_eq!(index.offset(text, at(0, 99)), 2);
        assert_eq!(index.offset(text, at(1, u32::MAX)), 6);
        assert_eq!(index.offset(text, at(u32::MAX, 0)), 6);
        assert_eq!(index.position(text, 99), at(1, 2));
        assert_eq!((index.line(text, 0), index.line(text, 1), index.line(text, 9)), (0..2, 4..6, 6..6));
    }

    fn part(start: Position, end: Position, text: &str) -> TextDocumentContentChangeEvent {
        #[allow(deprecated)] // The length that the range has anyway.
        let part =
            TextDocumentContentChangePartial { range: Range { start, end }, range_length: None, text: text.into() };
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part)
    }

    fn whole(text: &str) -> TextDocumentContentChangeEvent {
        let whole = TextDocumentContentChangeWholeDocument { text: text.into() };
        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole)
    }

    #[test]
    fn changes_follow_one_another() {
        let mut text = Text::new("one\ntwo\nthree\n".into(), Encoding::Utf16);
        // From below, then on what the first made.
        text.change(vec![
            part(at(2, 0), at(2, 5), "3\n4"),
            part(at(0, 0), at(0, 3), "😀"),
            part(at(3, 1), at(3, 1), "!"),
        ]);
        assert_eq!(text.as_str(), "😀\ntwo\n3\n4!\n");
        text.change(vec![part(at(0, 2), at(1, 0), ""), part(at(0, 5), at(0, 5), "s")]);
        assert_eq!(text.as_str(), "😀twos\n3\n4!\n");
        text.change(vec![whole("a\r\nb"), part(at(0, 1), at(1, 0), " ")]);
        assert_eq!(text.as_str(), "a b");
        // Backwards, and out of the text.
        text.change(vec![part(at(9, 9), at(0, 1), "")]);
        assert_eq!(text.as_str(), "a");
        assert_eq!(text.offset(at(0, 7)), 1);
    }
}

//! The source of this crate as the tests beside read it: its modules, as words and literals,
//! without comments and without test code.
//!
//! This is no parser of Rust. It knows what it needs to: literals, comments, `mod`, `use` and
//! paths that begin with `crate`, `super` or `self`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A module's place in the crate: `["storage", "select"]`; the root is empty.
pub type Place = Vec<String>;

/// A piece of source text.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A keyword or a name.
    Word(String),
    /// `::`
    Colons,
    /// What a string literal holds, its escapes as they are written.
    Text(String),
    /// Any other character.
    Other(char),
}

/// Every module of the crate whose `lib.rs` is in `directory`, test modules left out.
pub fn modules(directory: &Path) -> BTreeMap<Place, Vec<Token>> {
    let mut found = BTreeMap::new();
    read(directory, &directory.join("lib.rs"), Place::new(), &mut found);
    found
}

/// Reads the module at `place` from `file`, and those that it declares from `directory`.
fn read(directory: &Path, file: &Path, place: Place, found: &mut BTreeMap<Place, Vec<Token>>) {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let tokens = without_tests(tokens(&text));
    for window in tokens.windows(3) {
        if let [Token::Word(keyword), Token::Word(name), Token::Other(';')] = window
            && keyword == "mod"
        {
            let child = [place.clone(), vec![name.clone()]].concat();
            let (plain, below) = (directory.join(format!("{name}.rs")), directory.join(name));
            let file = if plain.exists() { plain } else { below.join("mod.rs") };
            read(&below, &file, child, found);
        }
    }
    found.insert(place, tokens);
}

/// Splits `source`; comments are dropped.
pub fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    let peek = |at: usize| chars.get(at).copied().unwrap_or('\0');
    while at < chars.len() {
        match (peek(at), peek(at + 1)) {
            ('/', '/') => at = position(&chars, at, '\n'),
            ('/', '*') => {
                while at < chars.len() && (peek(at), peek(at + 1)) != ('*', '/') {
                    at += 1;
                }
                at += 2;
            }
            ('r', '"' | '#') if raw_string(&chars, at).is_some() => {
                let (text, end) = raw_string(&chars, at).unwrap_or_default();
                tokens.push(Token::Text(text));
                at = end;
            }
            ('"', _) => {
                let (text, end) = string(&chars, at + 1);
                tokens.push(Token::Text(text));
                at = end;
            }
            // A character, and not a lifetime.
            ('\'', '\\') => at = position(&chars, at + 3, '\'') + 1,
            ('\'', _) if peek(at + 2) == '\'' => at += 3,
            (':', ':') => {
                tokens.push(Token::Colons);
                at += 2;
            }
            (c, _) if c.is_alphanumeric() || c == '_' => {
                let word: String = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                at += word.chars().count();
                tokens.push(Token::Word(word));
            }
            (c, _) => {
                if !c.is_whitespace() {
                    tokens.push(Token::Other(c));
                }
                at += 1;
            }
        }
    }
    tokens
}

fn position(chars: &[char], from: usize, wanted: char) -> usize {
    (from..chars.len()).find(|i| chars[*i] == wanted).unwrap_or(chars.len())
}

/// What a string holds that begins at `at`, and where it is over.
fn string(chars: &[char], mut at: usize) -> (String, usize) {
    let mut text = String::new();
    while at < chars.len() && chars[at] != '"' {
        if chars[at] == '\\' {
            text.push(chars[at]);
            at += 1;
        }
        text.extend(chars.get(at));
        at += 1;
    }
    (text, at + 1)
}

/// The same for `r#"…"#`, where there is one at `at`.
fn raw_string(chars: &[char], at: usize) -> Option<(String, usize)> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let begin = at + 1 + hashes;
    if chars.get(begin) != Some(&'"') {
        return None;
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = chars[begin + 1..].windows(closing.len()).position(|w| w == closing)?;
    let text = chars[begin + 1..begin + 1 + length].iter().collect();
    Some((text, begin + 1 + length + closing.len()))
}

/// Drops every item under `#[cfg(test)]`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let marker = self::tokens("#[cfg(test)]");
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at..].starts_with(&marker) {
            at = end_of_item(&tokens, at + marker.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Behind the `;` or the closing brace of the item that begins at `at`.
fn end_of_item(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Other('{') => depth += 1,
            Token::Other('}') if depth <= 1 => return i + 1,
            Token::Other('}') => depth -= 1,
            Token::Other(';') if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The paths of the tree that begins at `at` (`a::{b, c::d}` are two), each behind `prefix`.
pub fn paths(tokens: &[Token], at: usize, prefix: &[String]) -> (Vec<Place>, usize) {
    let (mut path, mut at) = (prefix.to_vec(), at);
    loop {
        match tokens.get(at) {
            Some(Token::Word(word)) => path.push(word.clone()),
            Some(Token::Other('{')) => return group(tokens, at + 1, &path),
            _ => return (vec![path], at),
        }
        at += 1;
        if tokens.get(at) != Some(&Token::Colons) {
            return (vec![path], at);
        }
        at += 1;
    }
}

fn group(tokens: &[Token], mut at: usize, prefix: &[String]) -> (Vec<Place>, usize) {
    let mut all = Vec::new();
    while at < tokens.len() {
        match &tokens[at] {
            Token::Other('}') => return (all, at + 1),
            Token::Other(_) => at += 1,
            Token::Word(word) if word == "as" => at += 2,
            _ => {
                let (more, end) = paths(tokens, at, prefix);
                all.extend(more);
                at = end.max(at + 1);
            }
        }
    }
    (all, at)
}

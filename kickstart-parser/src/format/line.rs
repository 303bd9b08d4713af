//! One line in its canonical form, or not at all.
//!
//! A line is written anew only if it can be shown to say the same afterwards: both forms are
//! read, and the words, or the options and arguments, are compared. What is not understood,
//! is half a template, or is handed on as it stands (`authselect`) stays as it was written.

use std::collections::HashMap;

use super::quote;
use crate::args::scan::scan;
use crate::args::spec::Spec;
use crate::args::{Args, Cx, Given};
use crate::commands;
use crate::document::Word;
use crate::lex;
use crate::sections;
use crate::span::{SourceId, Span};
use crate::syntax::Syntax;

/// Commands that other tools take as a line, not as words.
const RAW: &[&str] = &["auth", "authconfig", "authselect", "realm"];

/// Second names of commands, and the first.
const ALIASES: &[(&str, &str)] = &[("partition", "part")];

/// The canonical form of a command, a section's first line or an `%include`; `None` where the
/// line must stay as it is.
pub(super) fn canonical(content: &str, syntax: Syntax) -> Option<String> {
    if is_template(content) {
        return None;
    }
    let words = lexed(content)?;
    let (first, rest) = words.split_first()?;
    if RAW.contains(&first.value.as_str()) {
        return None;
    }
    let spec = spec_of(&first.value);
    let name = ALIASES.iter().find(|(other, _)| *other == first.value).map_or(first.value.as_str(), |(_, name)| name);
    let mut line = quote::word(name);
    match spec {
        Some(spec) => options(&mut line, rest, &read(spec, rest, syntax).0),
        None => rest.iter().for_each(|w| push(&mut line, &quote::word(&w.value))),
    }
    let says_the_same = match (spec, lexed(&line)) {
        (_, None) => false,
        (None, Some(again)) => again.iter().map(|w| &w.value).eq(words.iter().map(|w| &w.value)),
        (Some(spec), Some(again)) => {
            let (before, after) = (read(spec, rest, syntax), read(spec, again.get(1..)?, syntax));
            same(&before.0, &after.0) && before.1 == after.1
        }
    };
    let end = words.last().map_or(0, |w| w.span.end as usize);
    let comment = content.get(end..).unwrap_or("").trim();
    if !comment.is_empty() {
        push(&mut line, comment);
    }
    says_the_same.then_some(line)
}

/// Whether another program fills in parts of the line before kickstart reads it.
pub(crate) fn is_template(content: &str) -> bool {
    ["{{", "}}", "{%", "%}", "{#", "<%", "%>"].iter().any(|mark| content.contains(mark))
}

fn lexed(content: &str) -> Option<Vec<Word>> {
    let raw = lex::words(content).ok()?;
    Some(raw.into_iter().map(|w| Word::new(w, SourceId::ROOT, 0)).collect())
}

fn spec_of(name: &str) -> Option<&'static Spec> {
    match commands::find(name) {
        Some((_, command)) => Some(command.spec),
        None => sections::all().find(|(section, _)| *section == name).map(|(_, spec)| spec),
    }
}

/// The arguments, and the codes of what is wrong with them.
fn read(spec: &'static Spec, words: &[Word], syntax: Syntax) -> (Args, Vec<&'static str>) {
    let (mut diagnostics, mut secrets) = (Vec::new(), Vec::new());
    let mut cx = Cx { syntax, diagnostics: &mut diagnostics, secrets: &mut secrets, defined: HashMap::new() };
    let args = scan(spec, Span::default(), words, &mut cx);
    (args, diagnostics.iter().map(|d| d.code).collect())
}

fn same(one: &Args, other: &Args) -> bool {
    let option = |a: &Given, b: &Given| a.name == b.name && format!("{:?}", a.value) == format!("{:?}", b.value);
    let values = |args: &Args| -> Vec<Vec<String>> {
        args.arguments.iter().map(|run| run.iter().map(|a| a.value.to_string()).collect()).collect()
    };
    one.given.len() == other.given.len()
        && one.given.iter().zip(&other.given).all(|(a, b)| option(a, b))
        && values(one) == values(other)
}

/// The words behind the name: options by their whole names and with `=`, the rest as it is.
fn options(line: &mut String, words: &[Word], args: &Args) {
    let mut given = args.given.iter().peekable();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(option) = given.next_if(|g| g.span.start == word.span.start) else {
            push(line, &quote::word(&word.value));
            continue;
        };
        if option.value_span == option.span && word.span == option.span {
            push(line, option.name);
            continue;
        }
        let inside = word.value.split_once('=').map(|(_, value)| value).filter(|_| option.span == word.span);
        let mut value = inside.unwrap_or("");
        while let Some(next) = words.next_if(|next| next.span.end <= option.span.end) {
            value = &next.value;
        }
        push(line, &format!("{}={}", option.name, quote::tail(value)));
    }
}

fn push(line: &mut String, text: &str) {
    line.push(' ');
    line.push_str(text);
}

/// The name as the parser has it: it may be in quotes, or have a comment right behind it.
pub(super) fn section_name(content: &str) -> Option<String> {
    lex::words(content).ok()?.into_iter().next().map(|word| word.value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, canonical) in [
            ("  lang   en_US.UTF-8  ", "lang en_US.UTF-8"),
            ("part  '/'\t--size 100 --gro", "part / --size=100 --grow"),
            ("partition /a --fsty=xfs", "part /a --fstype=xfs"),
            ("part / --type ext4 --size 1", "part / --fstype=ext4 --size=1"),
            (
                "user --name 'ann'  --gecos='Ann B' --password=\"$6$x\"",
                "user --name=ann --gecos=\"Ann B\" --password=$6$x",
            ),
            ("rootpw a#b", "rootpw a #b"),
            ("text    # no display", "text # no display"),
            ("bootloader --append \"a  b\" --loc=mbr", "bootloader --append=\"a  b\" --location=mbr"),
            ("rootpw --plaintext ''", "rootpw --plaintext \"\""),
            ("user --name=a --password ''", "user --name=a --password="),
            ("sshkey --user root 'ssh-rsa AAAA a@b'", "sshkey --username=root \"ssh-rsa AAAA a@b\""),
            ("network --mtu -5 --dev=a=b", "network --mtu=-5 --device=a=b"),
            ("%post --log /root/x --erro", "%post --log=/root/x --erroronfail"),
            ("%post --logfile=/x", "%post --log=/x"),
            ("%include   '/tmp/x' # made", "%include /tmp/x # made"),
            ("%addon  a  'b c'", "%addon a \"b c\""),
            ("nosuch  'x'", "nosuch x"),
            ("rootpw -- --x", "rootpw -- --x"),
        ] {
            assert_eq!(super::canonical(line, Syntax::F44).as_deref(), Some(canonical), "{line}");
            assert_eq!(super::canonical(canonical, Syntax::F44).as_deref(), Some(canonical), "{canonical}");
        }
    }

    #[test]
    fn lines_that_stay() {
        for line in ["lang  {{ lang }}", "lang <%= x %>  y", "authselect  select 'x'", "realm  join x", "lang 'x", "  "]
        {
            assert_eq!(super::canonical(line, Syntax::F44), None, "{line}");
        }
    }
}

//! Marks of templates that have not been filled in: `{{ }}`, `{% %}`, `<% %>`, `@NAME@`, `${NAME}`.
//!
//! A line that is wrong anyway is reported once, for what it is, instead of word by word; a
//! value that is fine but looks like a placeholder is worth a warning.

use std::ops::Range;

use crate::args::Cx;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Word;
use crate::span::Span;

/// Commands whose values may have variables in them that another program fills in.
const WITH_VARIABLES: &[&str] = &["repo", "url"];

/// Look at what a line has been found to be, from the diagnostic `before` on.
pub(crate) fn judge(words: &[Word], before: usize, cx: &mut Cx<'_>) {
    let Some((first, rest)) = words.split_first() else {
        return;
    };
    let failed = cx.diagnostics.iter().skip(before).any(Diagnostic::is_error);
    if failed {
        let line = words.iter().map(|w| w.value.as_str()).collect::<Vec<_>>().join(" ");
        if let Some(mark) = find(&line) {
            cx.diagnostics.truncate(before);
            cx.report(report(under(words, &mark)));
        } else if let Some(last) = rest.last().filter(|w| w.value == " " && w.span.len() == 2) {
            // A backslash with a blank after it, at the end of the line.
            cx.diagnostics.truncate(before);
            cx.report(crate::fixes::continuation(last.span));
        }
        return;
    }
    if let Some(word) =
        rest.iter().find(|w| is_placeholder(&w.value) && !WITH_VARIABLES.contains(&first.value.as_str()))
    {
        let message = "this looks like the placeholder of a template";
        cx.report(Diagnostic::new(&codes::PLACEHOLDER, word.span, message).help("fill it in"));
    }
}

/// The finding about a line that is no kickstart yet.
pub(crate) fn report(at: Span) -> Diagnostic {
    Diagnostic::new(&codes::TEMPLATE, at, "this is the mark of a template, which is not filled in")
        .help("make a kickstart of the template first, and use that")
}

/// The first mark in a line.
pub(crate) fn find(line: &str) -> Option<Range<usize>> {
    let pairs = [("{{", "}}"), ("{%", "%}"), ("<%", "%>"), ("${", "}"), ("$SNIPPET(", ")")];
    let between = pairs.iter().filter_map(|(open, close)| {
        let start = line.find(open)?;
        let inside = start + open.len();
        let end = line.get(inside..)?.find(close).map_or(line.len(), |n| inside + n + close.len());
        Some(start..end)
    });
    // A comment of Jinja loses all but its first character to kickstart's own comments.
    let comment = (line == "{").then_some(0..1);
    between.chain(at_signs(line)).chain(doubled(line)).chain(comment).min_by_key(|mark| mark.start)
}

/// `@@name@@`, in any letters.
fn doubled(line: &str) -> Option<Range<usize>> {
    let start = line.find("@@")?;
    let rest = line.get(start + 2..)?;
    let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    (name > 0 && rest[name..].starts_with("@@")).then_some(start..start + 2 + name + 2)
}

/// `@NAME@`, in capital letters.
fn at_signs(line: &str) -> Option<Range<usize>> {
    let signs: Vec<usize> = line.match_indices('@').map(|(at, _)| at).collect();
    signs.windows(2).find_map(|pair| {
        let &[start, end] = pair else { return None };
        let name = line.get(start + 1..end)?;
        let capital = |c: char| c.is_ascii_uppercase() || c == '_';
        let fits = name.starts_with(capital) && name.chars().all(|c| capital(c) || c.is_ascii_digit());
        fits.then_some(start..end + 1)
    })
}

/// Whether a value that the language takes is most likely meant for another program.
pub(crate) fn is_placeholder(word: &str) -> bool {
    // This is asked of every word there is, and hardly one has any of these.
    if !word.bytes().any(|byte| matches!(byte, b'{' | b'<' | b'$' | b'@')) {
        return false;
    }
    let value = word.split_once('=').filter(|(option, _)| option.starts_with("--")).map_or(word, |(_, value)| value);
    match find(value) {
        // Addresses and passwords may have at signs; a whole value of them is another thing.
        Some(mark) if value.get(mark.clone()).is_some_and(|m| m.starts_with('@')) => mark == (0..value.len()),
        Some(mark) => value.get(mark).is_some_and(|m| m.ends_with(['}', '>'])),
        None => false,
    }
}

/// The words under a range of the words put together with blanks.
fn under(words: &[Word], mark: &Range<usize>) -> Span {
    let mut start = 0;
    let mut found: Option<Span> = None;
    for word in words {
        let end = start + word.value.len();
        if start < mark.end && end > mark.start {
            let from = mark.start.saturating_sub(start);
            let to = (mark.end - start).min(word.value.len());
            let part = word.part(from, to.max(from));
            found = Some(found.map_or(part, |f| f.to(part)));
        }
        start = end + 1;
    }
    found.or_else(|| words.first().map(|w| w.span)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{find, is_placeholder};
    use crate::commands::testing::check;
    use crate::{ParseOptions, parse};

    #[test]
    fn one_finding_for_a_line_of_a_template() {
        check(&[
            ("part / --size={{ size | default(4096) }}", &["E015"]),
            ("{% if x == 'a' %}", &["E015"]),
            ("{% if it's %}", &["E015"]),
            ("{# it's a comment #}", &["E015"]),
            ("<% @x.each do |y| %>", &["E015"]),
            ("% if x:", &["E015"]),
            ("part / --size=@SIZE@", &["E015"]),
            ("part / --size=${SIZE} --grow", &["E015"]),
            ("%post --log={{ x }}\na\n%end", &["E015"]),
            ("%include {{file}}", &["E015"]),
            ("part / --size=big", &["E210"]),
            ("user --nam=a@b.c@d --bad", &["E201"]),
        ]);
    }

    #[test]
    fn the_mark_is_pointed_at() {
        let text = "part / --size={{ size }} --grow\n";
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        let found = parsed.diagnostics.iter().find(|d| d.code == "E015").unwrap();
        assert_eq!(&text[found.span.range()], "{{ size }}");
    }

    #[test]
    fn placeholders_are_warned_about() {
        check(&[
            ("network --hostname=node-{{id}}.example", &["W009"]),
            ("user --name=@NAME@", &["W009"]),
            ("rootpw --iscrypted ${HASH}", &["W009"]),
            ("rootpw --plaintext p@SS@word", &[]),
            ("rootpw --plaintext a{{b", &[]),
            ("sshkey --username=root \"ssh-ed25519 AAAA a@HOST\"", &[]),
            ("repo --name=a --baseurl=http://h/${basearch}", &[]),
            ("rootpw --iscrypted $6$abc$def", &[]),
            ("network --hostname={x}", &[]),
        ]);
    }

    #[test]
    fn marks() {
        for (line, mark) in [
            ("a {{ b }} c", Some(2..9)),
            ("a ${B} {{c}}", Some(2..6)),
            ("x <%= y", Some(2..7)),
            ("@A_1@", Some(0..5)),
            ("a@b@c", None),
            ("@@", None),
            ("$6$x", None),
        ] {
            assert_eq!(find(line), mark, "{line}");
        }
        assert!(!is_placeholder("{") && is_placeholder("--x={{ a }}"));
    }

    #[test]
    fn no_line_goes_on_on_the_next() {
        check(&[
            ("user --name=a \\\n  --groups=wheel\n", &["E002"]),
            ("user --name=a \\ \n", &["E002"]),
            ("sshkey --username=root \"ssh-ed25519 \\\nAAAA a@b\"\nlang cs\n", &["E002"]),
            ("user --name=a --gecos='b \\\n c'\n", &["E002"]),
            ("user --name=a --gecos='b\n", &["E001"]),
        ]);
    }
}

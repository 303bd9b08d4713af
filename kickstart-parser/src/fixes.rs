//! Remedies that are certain enough to be applied by a machine.
//!
//! Those who find something wrong attach what they know: which word should
//! have been another one, which option has a successor. Here is what needs
//! the text: how lines are joined, where a `%end` goes, what a whole line is;
//! and the test that every fix has to pass before it is handed out.

use crate::codes;
use crate::commands;
use crate::diagnostic::{Diagnostic, Fix};
use crate::lex;
use crate::span::{SourceId, Sources, Span};

/// Add the fixes that only the text can tell, and drop those that do not fit it.
pub(crate) fn complete(diagnostics: &mut [Diagnostic], sources: &Sources) {
    for diagnostic in diagnostics {
        if diagnostic.code == codes::REPEATED.id {
            diagnostic.fix = repeated(diagnostic, sources);
        } else if diagnostic.code == codes::COMMAND_DEPRECATED.id {
            diagnostic.fix = without_line(diagnostic.span, sources, "remove the command");
        }
        if diagnostic.fix.as_ref().is_some_and(|fix| !fits(fix, sources)) {
            diagnostic.fix = None;
        }
    }
}

/// Whether a fix replaces just what it is meant to: with quotes or escapes
/// in a word, a span may cover more than the part in question.
fn fits(fix: &Fix, sources: &Sources) -> bool {
    fix.edits.iter().all(|(span, new)| {
        let old = sources.slice(*span);
        let there = sources.get(span.source).is_some_and(|s| s.text().get(span.range()).is_some());
        let is_word = !new.trim().is_empty() && !new.contains('\n');
        there && !(is_word && old.contains(['"', '\'', '\\']))
    })
}

/// A line that says once more, word for word, what an earlier one said.
fn repeated(diagnostic: &Diagnostic, sources: &Sources) -> Option<Fix> {
    let before = diagnostic.labels.first()?;
    let same = sources.slice(before.span) == sources.slice(diagnostic.span);
    same.then(|| without_line(diagnostic.span, sources, "remove the repetition")).flatten()
}

/// Remove a whole line, if there is nothing on it but the command.
fn without_line(command: Span, sources: &Sources, description: &str) -> Option<Fix> {
    let source = sources.get(command.source)?;
    if sources.slice(command).starts_with('%') {
        return None;
    }
    let (range, _) = source.lines_around(command);
    let rest =
        [source.text().get(range.start..command.range().start)?, source.text().get(command.range().end..range.end)?];
    if rest.iter().any(|part| !part.trim().is_empty()) {
        return None;
    }
    Some(Fix::replace(description, Span::new(command.source, range.start, range.end), ""))
}

/// Put an `%end` where `at` begins: the start of a line, or the end of the text.
pub(crate) fn insert_end(at: Span, sources: &Sources) -> Fix {
    let before = sources.get(at.source).and_then(|s| s.text().get(..at.range().start)).unwrap_or("");
    let eol = if before.ends_with("\r\n") { "\r\n" } else { "\n" };
    let on_its_own = before.is_empty() || before.ends_with(['\n', '\r']);
    let first = if on_its_own { "" } else { eol };
    Fix::replace("insert `%end`", Span { end: at.start, ..at }, format!("{first}%end{eol}"))
}

/// A backslash that is meant to join lines.
pub(crate) fn continuation(at: Span) -> Diagnostic {
    Diagnostic::new(&codes::LINE_CONTINUATION, at, "a kickstart command does not continue on the next line")
        .help("write the whole command on one line, however long it gets")
}

/// Join a line that ends in the backslash at `backslash` with the lines that
/// continue it. `None` where it is not sure that the next line does.
pub(crate) fn join_lines(text: &str, source: SourceId, backslash: usize) -> Option<Fix> {
    let mut edits = Vec::new();
    let mut at = backslash;
    loop {
        let mut following = lex::lines(text.get(at..)?);
        let end = at + following.next()?.end;
        let next = following.next().and_then(|l| text.get(at + l.start..at + l.content_end)).unwrap_or("");
        let rest = next.trim_start();
        if rest.is_empty() {
            // Nothing follows: it is the backslash that is too much.
            edits.push((Span::new(source, at, at + 1), String::new()));
            break;
        }
        let apart = next.len() > rest.len() || text.get(..at)?.ends_with([' ', '\t']);
        if !apart || rest.starts_with('#') || !looks_continued(rest) {
            return None;
        }
        let from = text.get(..at)?.trim_end_matches([' ', '\t']).len();
        edits.push((Span::new(source, from, end + next.len() - rest.len()), " ".to_owned()));
        let rest = rest.trim_end();
        if !rest.ends_with('\\') {
            break;
        }
        at = end + next.trim_end().len() - 1;
    }
    let description =
        if edits.iter().all(|(_, new)| new.is_empty()) { "remove the backslash" } else { "join the lines" };
    Some(Fix { description: description.to_owned(), edits })
}

/// Whether a line after a trailing backslash is meant as the rest of the
/// command before it.
pub(crate) fn looks_continued(trimmed: &str) -> bool {
    let first = trimmed.split_whitespace().next().unwrap_or("");
    !first.starts_with('%') && !commands::is_known(first)
}

#[cfg(test)]
mod tests {
    use crate::{ParseOptions, Parsed, parse};

    fn read(text: &str) -> Parsed {
        parse(text, "a.ks", &ParseOptions::default())
    }

    /// The text with the first fix applied.
    fn fixed(text: &str) -> Option<String> {
        let parsed = read(text);
        let fix = parsed.diagnostics.iter().find_map(|d| d.fix.clone())?;
        let mut out = text.to_owned();
        for (span, new) in fix.edits.iter().rev() {
            out.replace_range(span.range(), new);
        }
        Some(out)
    }

    #[test]
    fn each_fix() {
        for (text, expected) in [
            ("autoprat --type=lvm\n", "autopart --type=lvm\n"),
            ("autopart --tpye=lvm\n", "autopart --type=lvm\n"),
            ("autopart --type=plian\n", "autopart --type=plain\n"),
            ("autopart --type plian\n", "autopart --type plain\n"),
            ("timezone Etc/UTC --isUtc\n", "timezone Etc/UTC --utc\n"),
            ("autopart nohome\n", "autopart --nohome\n"),
            ("bootloader --append -x\n", "bootloader --append=-x\n"),
            ("%pots\na\n%end\n", "%post\na\n%end\n"),
            ("part / --size=1 \\\n  --grow \\ \n  --fstype=xfs\ntext\n", "part / --size=1 --grow --fstype=xfs\ntext\n"),
            ("part / --size=1 \\\n  --grow\\\n  --fstype=xfs\ntext\n", "part / --size=1 --grow --fstype=xfs\ntext\n"),
            ("part / --grow \\\r\n\t--size=1\r\n", "part / --grow --size=1\r\n"),
            ("text \\\n\nlang en\n", "text \n\nlang en\n"),
            ("text \\", "text "),
            ("%post\na\n%pre\nb\n%end\n", "%post\na\n%end\n%pre\nb\n%end\n"),
            ("%post\na\n", "%post\na\n%end\n"),
            ("%post\r\na\r\n", "%post\r\na\r\n%end\r\n"),
            ("%post\na", "%post\na\n%end\n"),
            ("\u{feff}text\n", "text\n"),
            ("text\u{2028}lang en\n", "text\nlang en\n"),
            ("text\nlang en\ntext\n", "text\nlang en\n"),
        ] {
            assert_eq!(fixed(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        for text in [
            "bogus\n",
            "autopart --\"tpye\"=lvm\n",
            "text \\\nlang en\n",
            "te\\\nxt\n",
            "lang 'en\n",
            "text # once\ntext # twice\n",
            "lang en\nlang cs\nlang en\n",
            "%traceback\na\n%end\n",
            "rootpw --pasword\n",
        ] {
            let parsed = read(text);
            let fixes: Vec<_> = parsed.diagnostics.iter().filter_map(|d| d.fix.as_ref()).collect();
            assert!(fixes.is_empty() || text.starts_with("text #"), "{text:?}: {fixes:?}");
        }
    }
}

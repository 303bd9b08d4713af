//! Remedies that are certain enough to be applied by a machine.
//!
//! Those who find something wrong attach what they know: which word should
//! have been another one, which option has a successor. Here is what needs
//! the text: how lines are joined, where a `%end` goes, what a whole line is;
//! and the test that every fix has to pass before it is handed out.

use std::collections::{HashMap, HashSet};

use crate::args::guess;
use crate::codes;
use crate::commands;
use crate::diagnostic::{Diagnostic, Fix};
use crate::document::{Document, Section, Statement};
use crate::lex;
use crate::sections;
use crate::shell;
use crate::span::{SourceId, Sources, Span};

/// Add the fixes that only the text can tell, and drop those that do not fit it.
pub(crate) fn complete(diagnostics: &mut [Diagnostic], document: &Document, sources: &Sources) {
    let foreign = foreign(diagnostics, document, sources);
    let written: HashSet<&str> = document.statements.iter().filter_map(command_of).collect();
    let stray: HashSet<SourceId> =
        diagnostics.iter().filter(|d| d.code == codes::STRAY_END.id).map(|d| d.span.source).collect();
    for diagnostic in diagnostics {
        let of = diagnostic.span.source;
        // With an `%end` too many, sections are not what they seem.
        let unclear = diagnostic.code == codes::UNFINISHED_SECTION.id && stray.contains(&of);
        if foreign.contains(&of) || unclear || overrides(diagnostic, &written) {
            diagnostic.fix = None;
            continue;
        }
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

/// The files that are no kickstarts: most of their lines begin with no word of the language. What
/// looks like a mistake there is text that means something else.
fn foreign(diagnostics: &[Diagnostic], document: &Document, sources: &Sources) -> HashSet<SourceId> {
    let mut lines: HashMap<SourceId, (usize, usize)> = HashMap::new();
    let fixed: HashSet<Span> = diagnostics
        .iter()
        .filter(|d| d.fix.is_some() && [codes::UNKNOWN_COMMAND.id, codes::UNKNOWN_SECTION.id].contains(&d.code))
        .map(|d| d.span)
        .collect();
    for file in &document.files {
        lines.insert(file.source, (0, 0));
    }
    for statement in &document.statements {
        let Some(first) = statement.words().first() else {
            continue;
        };
        let known = match statement {
            Statement::Command(_) => commands::is_known(&first.value),
            Statement::Section(_) => sections::is_known(&first.value),
        };
        let count = lines.entry(first.span.source).or_default();
        if known || fixed.contains(&first.span) {
            count.0 += 1;
        } else {
            count.1 += 1;
        }
    }
    let damaged = diagnostics.iter().filter(|d| d.code == codes::NUL_BYTE.id).map(|d| d.span.source);
    let script = |source: &SourceId| sources.get(*source).is_some_and(|s| s.text().starts_with("#!"));
    let foreign = lines.iter().filter(|(source, (known, unknown))| {
        // A file without any line of its own may be a part of a section.
        unknown > known || script(source)
    });
    foreign.map(|(source, _)| *source).chain(damaged).collect()
}

/// Whether the corrected name of a command would set anew what another line sets.
fn overrides(diagnostic: &Diagnostic, written: &HashSet<&str>) -> bool {
    let new = diagnostic.fix.iter().flat_map(|fix| &fix.edits).map(|(_, new)| new.as_str()).next();
    let command = new.and_then(commands::find).map(|(_, command)| command.spec);
    diagnostic.code == codes::UNKNOWN_COMMAND.id
        && command.is_some_and(|spec| !spec.repeatable && written.contains(spec.name))
}

/// The command of a statement, by the one name of its table.
fn command_of(statement: &Statement) -> Option<&'static str> {
    let first = statement.words().first()?;
    commands::find(&first.value).map(|(_, command)| command.spec.name)
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

/// An `%end` for a section that has none, where `at` begins: the start of a line, or the end of the
/// text. `None` where it is not sure that the section ends there.
pub(crate) fn insert_end(open: &Section, at: Span, sources: &Sources) -> Option<Fix> {
    let command = |line: &str| commands::is_known(line.split_whitespace().next().unwrap_or(""));
    // Commands below a script may have been meant as such, and must not be hidden in it for good.
    if open.body.lines().any(command) || is_open(open, &open.body) {
        return None;
    }
    let before = sources.get(at.source).and_then(|s| s.text().get(..at.range().start)).unwrap_or("");
    let eol = if before.ends_with("\r\n") { "\r\n" } else { "\n" };
    let on_its_own = before.is_empty() || before.ends_with(['\n', '\r']);
    let first = if on_its_own { "" } else { eol };
    Some(Fix::replace("insert `%end`", Span { end: at.start, ..at }, format!("{first}%end{eol}")))
}

/// The line of an unfinished section that was meant to be its `%end`: the place of its words, and
/// whether nothing else can have been meant.
pub(crate) fn misspelt_end(open: &Section, sources: &Sources) -> Option<(Span, bool)> {
    let mut found: Option<(Span, bool)> = None;
    let mut before = String::new();
    for stretch in open.body_spans.iter().filter(|stretch| stretch.source == open.span.source) {
        let text = sources.slice(*stretch);
        for line in lex::lines(text) {
            let content = text.get(line.start..line.content_end).unwrap_or("");
            let words = content.trim_start();
            if let Some(length) = end_mark(words) {
                let start = stretch.start as usize + line.start + (content.len() - words.len());
                // Of several, none is certain.
                let sure = found.is_none() && !is_open(open, &before);
                found = Some((Span::new(stretch.source, start, start + length), sure));
            } else if let Some((_, sure)) = &mut found {
                let first = words.split_whitespace().next().unwrap_or("#");
                *sure &= first.starts_with(['#', '%']) || commands::is_known(first);
            }
            before.push_str(content);
            before.push('\n');
        }
    }
    found
}

/// The length of what a line begins with, if it is a slip of `%end` and nothing but a comment follows.
fn end_mark(line: &str) -> Option<usize> {
    let rest = line.strip_prefix('%')?;
    let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let word = rest[gap..].split_whitespace().next().unwrap_or("");
    let name = format!("%{word}");
    let near = gap > 0 && name == "%end" || guess::certain(&name, std::iter::once("%end")).is_some();
    let after = rest[gap + word.len()..].trim_start();
    (near && (after.is_empty() || after.starts_with('#'))).then_some(1 + gap + word.len())
}

/// Whether the text of a script stops in the middle of something.
fn is_open(section: &Section, text: &str) -> bool {
    let name = section.words.first().map_or("", |word| word.value.as_str());
    !["%packages", "%addon", "%anaconda", "%certificate"].contains(&name) && shell::is_open(text)
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
            ("%post\na\n%End\nlang en\n", "%post\na\n%end\nlang en\n"),
            ("%packages\na\n % end # x\n", "%packages\na\n %end # x\n"),
            ("%packages\na\n  %  END\n%pre\nb\n%end\n", "%packages\na\n  %end\n%pre\nb\n%end\n"),
            ("% post --log=x\na\n%end\n", "%post --log=x\na\n%end\n"),
            ("% include x\n", "%include x\n"),
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
            // A section that may have been meant to end before these commands.
            "%post\na\nlang en\n",
            "%packages\n@core\ntext\n%post\na\n%end\n",
            // In the middle of a script's text.
            "%post\ncat <<EOF\n%packages\n@core\n%end\nEOF\n%end\n",
            "%post\necho 'a\n",
            "%post\n%END\na\n%End\n",
            "%post\n%End\nnot a command\n",
            // A value that would be lost, an option that is there already, a form that does not fit.
            "user --name --groups=wheel\n",
            "user --name= --uid --gid=5\n",
            "part / --size=1 --szie=2\n",
            "part / --size=1 --gorw=2\n",
            "part / --size=1 --fstpye\n",
            "autopart\nautoprat --type=lvm\n",
            "rootpw x lock\n",
            "autopart type\n",
            // No kickstart.
            "#cloud-config\ntimezone: Etc/UTC\nusers:\n",
            "#!/bin/sh\nautoprat\n",
            "langg x\nthis is\na text\n",
            "\u{feff}hello\nwrold\n",
            "%pots\na\0\n%end\n",
        ] {
            let parsed = read(text);
            let fixes: Vec<_> = parsed.diagnostics.iter().filter_map(|d| d.fix.as_ref()).collect();
            assert!(fixes.is_empty() || text.starts_with("text #"), "{text:?}: {fixes:?}");
        }
    }
}

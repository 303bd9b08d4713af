//! Comments that silence findings.
//!
//! ```text
//! # bootc-ks: allow(L003, W202)      the next command or section header
//! text  # bootc-ks: allow(L001)      this line
//! # bootc-ks: allow-file(L006)       the whole file
//! ```
//!
//! Only what is no error can be silenced, see [`Code::can_be_allowed`]; a
//! comment that does nothing is told of. Everything is looked up by line and
//! code, so that the time is linear in text and findings.

use std::collections::{HashMap, HashSet};

use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, LineKind};
use crate::lex;
use crate::limits;
use crate::span::{SourceId, Sources, Span};

/// What addresses this tool in a comment.
const MARK: &str = "bootc-ks:";

/// The letters of codes that are found after the parser is done.
const LATER: [char; 2] = ['R', 'V'];

/// Whether a comment is addressed to this program.
pub(crate) fn is_ours(comment: &str) -> bool {
    comment.trim_start_matches('#').trim_start().starts_with(MARK)
}

/// What a comment says.
enum Directive {
    Line,
    File,
}

/// One code that one comment allows.
#[derive(Debug)]
struct Silence {
    code: String,
    /// Where the code is written.
    span: Span,
    used: bool,
}

/// Where a silence holds: a file, and the line of it, if not all of it.
type Place = (SourceId, Option<u32>);

/// What the comments of a kickstart allow.
#[derive(Debug, Default)]
pub struct Silences {
    all: Vec<Silence>,
    places: HashMap<(Place, String), Vec<usize>>,
    /// Comments that were not understood, until they are told.
    wrong: Vec<Diagnostic>,
}

impl Silences {
    pub(crate) fn of(document: &Document, sources: &Sources) -> Silences {
        let mut silences = Silences::default();
        for file in &document.files {
            let mut waiting: Vec<usize> = Vec::new();
            for line in &file.lines {
                let text = sources.slice(line.span);
                let comment = match line.kind {
                    LineKind::Comment => text.find('#'),
                    LineKind::Command | LineKind::SectionStart | LineKind::Include => trailing_comment(text),
                    LineKind::Broken | LineKind::Blank | LineKind::Body | LineKind::SectionEnd => None,
                };
                let is_target = matches!(
                    line.kind,
                    LineKind::Command | LineKind::SectionStart | LineKind::Include | LineKind::Broken
                );
                if is_target {
                    for n in waiting.drain(..) {
                        silences.hold(n, (file.source, Some(line.span.start)));
                    }
                }
                let Some(at) = comment else {
                    continue;
                };
                let begin = line.span.start as usize + at;
                match silences.read(text.get(at..).unwrap_or(""), file.source, begin) {
                    Some((Directive::File, new)) => new.for_each(|n| silences.hold(n, (file.source, None))),
                    Some((Directive::Line, new)) if is_target => {
                        new.for_each(|n| silences.hold(n, (file.source, Some(line.span.start))));
                    }
                    Some((Directive::Line, new)) => waiting.extend(new),
                    None => {}
                }
            }
        }
        silences
    }

    /// Take down what a comment says: the kind, and which silences are new.
    fn read(&mut self, comment: &str, source: SourceId, begin: usize) -> Option<(Directive, std::ops::Range<usize>)> {
        let inner = comment.trim_start_matches('#').trim_start();
        let rest = inner.strip_prefix(MARK)?;
        let at = begin + comment.len() - rest.len();
        let whole = Span::new(source, begin, begin + comment.trim_end().len());
        let Some((word, codes)) = rest.split_once('(').and_then(|(w, r)| Some((w.trim(), r.split_once(')')?.0))) else {
            self.misread(whole);
            return None;
        };
        let directive = match word {
            "allow" => Directive::Line,
            "allow-file" => Directive::File,
            _ => {
                self.misread(whole);
                return None;
            }
        };
        let first = self.all.len();
        let mut start = at + rest.find('(').map_or(0, |n| n + 1);
        for part in codes.split(',') {
            let code = part.trim();
            let from = start + part.len() - part.trim_start().len();
            start += part.len() + 1;
            if code.is_empty() {
                self.misread(whole);
                continue;
            }
            let span = Span::new(source, from, from + code.len());
            self.all.push(Silence { code: code.to_ascii_uppercase(), span, used: false });
        }
        Some((directive, first..self.all.len()))
    }

    fn misread(&mut self, span: Span) {
        self.wrong.push(
            Diagnostic::new(&codes::ALLOW_UNKNOWN, span, "this comment is not understood")
                .help("write `# bootc-ks: allow(CODE, …)` or `# bootc-ks: allow-file(CODE, …)`"),
        );
    }

    fn hold(&mut self, silence: usize, place: Place) {
        if let Some(it) = self.all.get(silence) {
            self.places.entry((place, it.code.clone())).or_default().push(silence);
        }
    }

    /// What is left of the findings of the parser, and what is to be said
    /// about the comments.
    pub(crate) fn judge(&mut self, found: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
        let known: Vec<&Code> = codes::ALL.to_vec();
        let mut left = limits::bounded(std::mem::take(&mut self.wrong));
        left.extend(self.judged(found, sources, &known, |code| !code.starts_with(LATER)));
        left.sort_by_key(|d| (d.span.source, d.span.start));
        left
    }

    /// The same for findings that come from further on: `known` are the codes
    /// of the installer, whose letter is R, and of values, whose letter is V.
    pub fn judge_installer(&mut self, found: Vec<Diagnostic>, sources: &Sources, known: &[&Code]) -> Vec<Diagnostic> {
        self.judged(limits::bounded(found), sources, known, |code| code.starts_with(LATER))
    }

    fn judged(
        &mut self,
        found: Vec<Diagnostic>,
        sources: &Sources,
        known: &[&Code],
        mine: impl Fn(&str) -> bool,
    ) -> Vec<Diagnostic> {
        if self.all.is_empty() {
            return found;
        }
        let allowed: HashMap<&str, bool> = known.iter().map(|c| (c.id, c.installs_if_allowed())).collect();
        let mut left: Vec<Diagnostic> = Vec::with_capacity(found.len());
        for mut diagnostic in found {
            match allowed.get(diagnostic.code) {
                Some(installs) if self.silenced(&diagnostic, sources) => {
                    diagnostic.allowed = true;
                    left.extend((!installs).then_some(diagnostic));
                }
                _ => left.push(diagnostic),
            }
        }
        left.extend(limits::bounded(self.remarks(sources, known, mine)));
        left
    }

    /// Whether a comment silences a finding.
    fn silenced(&mut self, diagnostic: &Diagnostic, sources: &Sources) -> bool {
        let span = diagnostic.span;
        let line = sources.get(span.source).map_or(0, |s| s.lines_around(Span { end: span.start, ..span }).0.start);
        let mut silenced = false;
        for place in [Some(line as u32), None] {
            let key = ((span.source, place), diagnostic.code.to_owned());
            // All the comments that say so have done their duty; one finding is enough to tell.
            for n in self.places.get(&key).into_iter().flatten() {
                silenced = true;
                match self.all.get_mut(*n) {
                    Some(silence) if !silence.used => silence.used = true,
                    _ => break,
                }
            }
        }
        silenced
    }

    /// What is wrong with the codes that comments name, as far as they are `mine`.
    fn remarks(&self, sources: &Sources, known: &[&Code], mine: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        // A file that is included twice has its comments twice; once is enough.
        let place = |s: &Silence| (sources.get(s.span.source).map_or("", |s| s.path()).to_owned(), s.span.start);
        let mut done: HashSet<_> = self.all.iter().filter(|s| s.used).map(place).collect();
        let mut remarks = Vec::new();
        for silence in self.all.iter().filter(|s| mine(&s.code)) {
            if !done.insert(place(silence)) {
                continue;
            }
            let name = &silence.code;
            remarks.push(match known.iter().find(|c| c.id == name) {
                None => Diagnostic::new(&codes::ALLOW_UNKNOWN, silence.span, format!("there is no code `{name}`"))
                    .help("`bootc-ks explain` lists the codes"),
                Some(_) => {
                    Diagnostic::new(&codes::ALLOW_UNUSED, silence.span, format!("there is no `{name}` to allow here"))
                        .help("remove the code from the comment")
                }
            });
        }
        remarks
    }
}

/// Where the comment behind the words of a line begins, if there is one for us.
fn trailing_comment(text: &str) -> Option<usize> {
    // Most lines have none.
    text.contains(MARK).then_some(())?;
    let words = lex::words(text.trim_start_matches('\u{feff}')).ok()?;
    let bom = text.len() - text.trim_start_matches('\u{feff}').len();
    let end = words.last().map_or(0, |w| w.end) + bom;
    text.get(end..)?.find('#').map(|at| end + at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{ParseOptions, parse};

    const REST: &str = "autopart\nrootpw x\nostreecontainer --url=a\n";

    fn found(text: &str) -> Vec<(&'static str, usize)> {
        let parsed = parse(&format!("{text}{REST}"), "a.ks", &ParseOptions::default());
        parsed.diagnostics.iter().map(|d| (d.code, parsed.sources.locate(d.span).line)).collect()
    }

    #[test]
    fn where_a_comment_holds() {
        for (text, expected) in [
            ("text\n# bootc-ks: allow(L001)\n\n# why\ntext\n", vec![]),
            ("text\n#bootc-ks:allow( l001 , L001 )\ntext\n", vec![]),
            ("text\ntext  # bootc-ks: allow(L001)\n", vec![]),
            ("text\n# bootc-ks: allow(L001)\nlang en\ntext\n", vec![("W403", 2), ("L001", 4)]),
            ("text\ntext\ntext\n# bootc-ks: allow-file(L001)\n", vec![]),
            ("# bootc-ks: allow(W005)\n%post\n%end\n", vec![]),
            ("%post # bootc-ks: allow(W005)\n%end\n", vec![]),
            // In a script it is a comment of the script.
            ("%post\n# bootc-ks: allow-file(L009)\ntrue\n%end\n", vec![]),
            ("lang '# bootc-ks: allow(L001)'\n", vec![]),
            ("lang 'a # b' # bootc-ks: allow(L001)\n", vec![("W403", 1)]),
            ("sshkey --username=ann k # bootc-ks: allow(L003)\n", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_silenced_is_told() {
        for (text, expected) in [
            ("# bootc-ks: allow-file(L002)\n", vec![("W403", 1)]),
            ("# bootc-ks: allow(X999)\n", vec![("W402", 1)]),
            ("# bootc-ks: allow\n", vec![("W402", 1)]),
            ("# bootc-ks: allow()\n", vec![("W402", 1)]),
            ("# bootc-ks: deny(L001)\n", vec![("W402", 1)]),
            ("# bootc-ks: allow(L001\n", vec![("W402", 1)]),
            ("# bootc-ks is good\n", vec![]),
            // Known further on.
            ("# bootc-ks: allow(R002)\n", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn an_error_that_is_allowed_is_still_there() {
        let text = format!("bogus # bootc-ks: allow(E101)\nbogus\n{REST}");
        let parsed = parse(&text, "a.ks", &ParseOptions::default());
        let found: Vec<_> = parsed.diagnostics.iter().map(|d| (d.code, d.allowed)).collect();
        assert_eq!(found, [("E101", true), ("E101", false)]);
        assert!(parsed.has_errors());
    }

    #[test]
    fn an_included_file_speaks_for_itself() {
        let file = |text: &str| BTreeMap::from([("b.ks".to_owned(), text.to_owned())]);
        for (inner, expected) in [
            ("# bootc-ks: allow-file(L001)\ntext\ntext\n", vec![("L001", "a.ks")]),
            ("text # bootc-ks: allow(L001)\n", vec![("L001", "a.ks")]),
        ] {
            let files = file(inner);
            let options = ParseOptions { loader: Some(&files), ..ParseOptions::default() };
            let text = format!("%include b.ks\n%include b.ks\ntext\n{REST}");
            let parsed = parse(&text, "a.ks", &options);
            let found: Vec<_> =
                parsed.diagnostics.iter().map(|d| (d.code, parsed.sources.locate(d.span).path)).collect();
            assert_eq!(found, expected.into_iter().map(|(c, p)| (c, p.to_owned())).collect::<Vec<_>>());
        }
    }

    #[test]
    fn many_comments_and_findings_take_linear_time() {
        let begun = std::time::Instant::now();
        let line = format!("text # bootc-ks: allow({}L001)\n", "L001,".repeat(200));
        let text = format!("# bootc-ks: allow-file({}L001)\n{}", "L001,".repeat(20_000), line.repeat(2000));
        parse(&text, "a.ks", &ParseOptions::default());
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }
}

//! `%addon` and `%anaconda`: sections whose bodies other programs read.

use super::stretches::stretches;
use crate::args::Cx;
use crate::args::spec::{Spec, any};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Section;
use crate::kickstart::Kickstart;
use crate::lex;
use crate::pen::Pen;
use crate::secret::may_have_password;
use crate::span::Span;

/// An `%addon` section, verbatim: the add-on gives it its meaning.
#[derive(Clone, PartialEq, Eq)]
pub struct Addon {
    /// The header of the section.
    pub span: Span,
    /// The name of the add-on.
    pub name: String,
    /// The words after the name.
    pub arguments: Vec<String>,
    /// The body, verbatim.
    pub body: String,
    /// Where it comes from: one span per stretch of lines.
    pub body_spans: Vec<Span>,
}

impl Addon {
    /// The lines of the body without their ends, each with its place.
    pub fn lines(&self) -> impl Iterator<Item = (&str, Span)> {
        lines(&self.body, &self.body_spans)
    }
}

impl std::fmt::Debug for Addon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Addon").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An `%anaconda` section, verbatim: settings of the installer itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anaconda {
    /// The header of the section.
    pub span: Span,
    /// The words after the section's name.
    pub arguments: Vec<String>,
    /// The body, verbatim.
    pub body: String,
    /// Where it comes from: one span per stretch of lines.
    pub body_spans: Vec<Span>,
}

pub(super) const ADDON: Spec = Spec::new("%addon")
    .raw()
    .positionals(&[any("the name of an add-on and what it wants to know")])
    .doc("Settings of an add-on of the installer.");
pub(super) const ANACONDA: Spec =
    Spec::new("%anaconda").raw().positionals(&[any("anything")]).doc("Settings of the installer itself.");

pub(super) fn addon(section: &Section, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(name) = section.words.get(1) else {
        cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, section.span, "`%addon` needs the name of an add-on"));
        return;
    };
    hide_passwords(section, cx);
    kickstart.addons.push(Addon {
        span: section.span,
        name: name.value.to_string(),
        arguments: section.words.iter().skip(2).map(|w| w.value.to_string()).collect(),
        body: section.body.clone(),
        body_spans: section.body_spans.clone(),
    });
}

/// Add-ons write settings as `key = value` or `--key=value`. What follows a key that may be a
/// password's is not shown, nor is a line without a key where it looks like one.
fn hide_passwords(section: &Section, cx: &mut Cx<'_>) {
    for (line, span) in lines(&section.body, &section.body_spans) {
        let lower = line.to_ascii_lowercase();
        if may_have_password(&lower) || lower.contains("token") || lower.contains("secret") {
            let value = line.find('=').map_or(0, |at| at + 1);
            let blank = line[value..].len() - line[value..].trim_start().len();
            cx.secrets.push(Span { start: span.start + (value + blank) as u32, ..span });
        }
    }
}

fn lines<'a>(body: &'a str, spans: &'a [Span]) -> impl Iterator<Item = (&'a str, Span)> {
    stretches(body, spans).flat_map(|(text, place)| {
        lex::lines(text).map(move |line| {
            let start = place.start as usize;
            let span = Span::new(place.source, start + line.start, start + line.content_end);
            (&text[line.start..line.content_end], span)
        })
    })
}

pub(super) fn anaconda(section: &Section, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.anaconda.push(Anaconda {
        span: section.span,
        arguments: section.words.iter().skip(1).map(|w| w.value.to_string()).collect(),
        body: section.body.clone(),
        body_spans: section.body_spans.clone(),
    });
}

/// Both kinds, in the order of writing. pykickstart ends every line of a body twice and the
/// last line of a section not at all.
pub(super) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let (mut addons, mut anaconda) = (kickstart.addons.iter().peekable(), kickstart.anaconda.iter().peekable());
    let mut first = true;
    for given in &kickstart.given {
        let section = if let Some(addon) = addons.next_if(|a| a.span == given.span) {
            let words = std::iter::once(&addon.name).chain(&addon.arguments);
            Verbatim { name: "%addon", words: words.collect(), body: &addon.body, spans: &addon.body_spans }
        } else if let Some(settings) = anaconda.next_if(|a| a.span == given.span) {
            let words = settings.arguments.iter().collect();
            Verbatim { name: "%anaconda", words, body: &settings.body, spans: &settings.body_spans }
        } else {
            continue;
        };
        if std::mem::take(&mut first) {
            pen.end();
        }
        section.write(pen);
    }
}

struct Verbatim<'a> {
    name: &'static str,
    words: Vec<&'a String>,
    body: &'a str,
    spans: &'a [Span],
}

impl Verbatim<'_> {
    fn write(&self, pen: &mut Pen) {
        pen.text(self.name);
        for word in &self.words {
            pen.word(word);
        }
        pen.end();
        for (text, _) in stretches(self.body, self.spans) {
            for line in lex::lines(text) {
                pen.line(text.get(line.start..line.end).unwrap_or(""));
            }
        }
        pen.text("%end");
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};
    use crate::{ParseOptions, SourceId, Syntax, parse};

    #[test]
    fn as_written_back() {
        let text = "%addon a --b='c d'\n x\n\ny\n%end\n%post\nz\n%end\n%anaconda\nf\n%end\n%addon q\n%end";
        let written = good(text).to_pykickstart(Syntax::F44);
        let (_, after) = written.split_once("\nz\n%end\n").unwrap();
        assert_eq!(after, "\n%addon a --b=c d\n x\n\n\n\ny\n\n%end%anaconda\nf\n\n%end%addon q\n%end");
    }

    #[test]
    fn an_add_on_has_a_name() {
        check(&[("%addon\nx\n%end", &["E208"]), ("%anaconda\nx\n%end", &[]), ("%anaconda x --y\n%end", &[])]);
        assert_eq!(good("%anaconda x --y\na\n%end").anaconda[0].arguments, ["x", "--y"]);
    }

    #[test]
    fn passwords_in_it_are_not_shown() {
        let text = "%addon a\nusername = bob\nPassword =  s3cret\n--passphrase=s3cret\ntoken=s3cret\n  password s3cret\n%end\n";
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        let shown = parsed.sources.get(SourceId::ROOT).unwrap().shown(0..text.len());
        let stars = "%addon a\nusername = bob\nPassword =  ******\n--passphrase=******\ntoken=******\n  ***************\n%end\n";
        assert_eq!(shown, stars);
    }

    #[test]
    fn its_lines_have_places() {
        let text = "%addon a\r\none = 1\r\n\r\ntwo\r\n%end\r\n";
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        let lines: Vec<_> = parsed.kickstart.addons[0].lines().map(|(line, span)| (line, span.range())).collect();
        assert_eq!(lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), ["one = 1", "", "two"]);
        assert!(lines.iter().all(|(line, range)| &text[range.clone()] == *line), "{lines:?}");
    }
}

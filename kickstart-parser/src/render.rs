//! Diagnostics for people: the line, a caret, what is wrong and what to do.
//!
//! Only text is made here; the caller decides where it goes, and whether colours are seen there.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet};

use crate::{Diagnostic, Severity, Source, Sources, Span};

/// How diagnostics look.
pub struct Style {
    renderer: Renderer,
}

impl Style {
    /// Without colours.
    pub fn plain() -> Style {
        Style { renderer: Renderer::plain().decor_style(DecorStyle::Ascii) }
    }

    /// With colours.
    pub fn coloured() -> Style {
        Style { renderer: Renderer::styled().decor_style(DecorStyle::Ascii) }
    }
}

/// One diagnostic, ending in a line end.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code)
        .elements(None::<annotate_snippets::Message<'_>>);
    for stretch in stretches(diagnostic) {
        if let Some(source) = sources.get(stretch.source) {
            group = group.element(element(diagnostic, stretch, source));
        }
    }
    for include in sources.include_chain(diagnostic.span) {
        let note = format!("included from {}:{}", include.path, include.line);
        group = group.element(Level::NOTE.message(note));
    }
    let patch = patch(diagnostic, sources);
    if let (Some(help), None) = (&diagnostic.help, &patch) {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let groups: Vec<Group<'_>> = std::iter::once(group).chain(patch).collect();
    let mut text = style.renderer.render(&groups);
    text.push('\n');
    text
}

/// The fix as the lines that it would leave, if there are such lines: where
/// one goes or comes, or where the line is one of a script, words are enough.
fn patch<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Option<Group<'a>> {
    let fix = diagnostic.fix.as_ref()?;
    let whole = fix.edits.iter().map(|(span, _)| *span).reduce(Span::to)?;
    let source = sources.get(whole.source)?;
    let (lines, first) = source.lines_around(whole);
    if lines.len() > MOST_SHOWN {
        return None;
    }
    let shown = source.shown(lines.clone());
    let one_line = shown.trim_end_matches(['\n', '\r']).lines().count() <= 1 && !shown.contains('\u{feff}');
    let words =
        fix.edits.iter().all(|(span, new)| span.source == whole.source && !new.is_empty() && !new.contains('\n'));
    if !(one_line && words) {
        return None;
    }
    let patches = fix.edits.iter().map(|(span, new)| {
        let range = span.range().start - lines.start..span.range().end - lines.start;
        Patch::new(range, new.as_str())
    });
    let title = diagnostic.help.as_deref().unwrap_or(&fix.description);
    let snippet = Snippet::source(shown).line_start(first).path(source.path()).patches(patches);
    Some(Level::HELP.secondary_title(title).element(snippet))
}

/// All diagnostics, with a line that counts them.
pub fn render_all(diagnostics: &[Diagnostic], sources: &Sources, style: &Style) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render(diagnostic, sources, style));
        text.push('\n');
    }
    text
}

/// More of a text than this is not shown around a finding: the renderer reads all that it gets.
const MOST_SHOWN: usize = 8 << 10;

/// The stretches of text that a diagnostic points into, its own first: labels that are far
/// away, or in other sources, get stretches of their own.
fn stretches(diagnostic: &Diagnostic) -> Vec<Span> {
    let mut all = vec![diagnostic.span];
    for label in &diagnostic.labels {
        let near = all.iter_mut().find(|s| s.source == label.span.source && s.to(label.span).len() <= MOST_SHOWN);
        match near {
            Some(stretch) => *stretch = stretch.to(label.span),
            None => all.push(label.span),
        }
    }
    all
}

/// The lines of a stretch with what there is to say about them, or, where they are too long to
/// be shown, their place.
fn element<'a>(diagnostic: &'a Diagnostic, stretch: Span, source: &'a Source) -> Element<'a> {
    let (lines, first) = source.lines_around(stretch);
    if lines.len() > MOST_SHOWN {
        let before = source.text().get(lines.start..visible(source, stretch, 0).start).unwrap_or("");
        return Origin::path(source.path()).line(first).char_column(before.chars().count() + 1).into();
    }
    let at = lines.start;
    let inside = |span: &Span| span.source == stretch.source && stretch.to(*span) == stretch;
    let mut snippet = Snippet::source(source.shown(lines)).line_start(first).path(source.path());
    if inside(&diagnostic.span) {
        snippet = snippet.annotation(AnnotationKind::Primary.span(visible(source, diagnostic.span, at)));
    }
    for label in diagnostic.labels.iter().filter(|label| inside(&label.span)) {
        let range = visible(source, label.span, at);
        snippet = snippet.annotation(AnnotationKind::Context.span(range).label(label.message.as_str()));
    }
    snippet.into()
}

/// A range inside the text from `from` on, on character boundaries.
fn visible(source: &Source, span: Span, from: usize) -> Range<usize> {
    let text = source.text();
    let mut range = span.range();
    range.end = range.end.min(text.len());
    range.start = range.start.min(range.end);
    while !text.is_char_boundary(range.start) {
        range.start -= 1;
    }
    while !text.is_char_boundary(range.end) {
        range.end += 1;
    }
    range.start.saturating_sub(from)..range.end.saturating_sub(from)
}

/// "2 errors, 1 warning", or nothing if there are none.
pub fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Info]
        .into_iter()
        .filter_map(|severity| {
            let n = diagnostics.iter().filter(|d| d.severity == severity).count();
            let plural = if n == 1 { "" } else { "s" };
            (n > 0).then(|| format!("{n} {}{plural}", severity.name()))
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParseOptions, parse};
    use std::collections::BTreeMap;

    fn shown(text: &str, files: &[(&str, &str)]) -> String {
        let files: BTreeMap<String, String> = files.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
        let options = ParseOptions { loader: Some(&files), ..ParseOptions::default() };
        let parsed = parse(text, "a.ks", &options);
        render_all(&parsed.diagnostics, &parsed.sources, &Style::plain())
    }

    #[test]
    fn a_caret_points_at_the_word() {
        let text = shown("text\nautopart --tpye=plain\n", &[]);
        assert!(text.contains("error[E201]: "), "{text}");
        assert!(text.contains("--> a.ks:2:10"), "{text}");
        assert!(text.contains("         ^^^^^^"), "{text}");
        assert!(text.contains("help: did you mean `--type`?"), "{text}");
        assert!(text.contains("autopart --type=plain"), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }

    #[test]
    fn a_fix_shows_the_line_that_it_leaves() {
        let text = shown("user --name=a --password=hush --lokc # \u{10d}\n", &[]);
        assert!(text.contains("1 - user --name=a --password=**** --lokc # \u{10d}"), "{text}");
        assert!(text.contains("1 + user --name=a --password=**** --lock # \u{10d}"), "{text}");
        // The last one's lines would be two.
        for text in ["\u{feff}autoprat\n", "%post\nhush", "rootpw \\\n hush\n", "text\u{2028}text", "text \\\n --x\n"] {
            let text = shown(text, &[]);
            assert!(!text.contains("hush") && !text.contains(" + "), "{text}");
        }
    }

    #[test]
    fn passwords_on_further_lines_are_not_shown() {
        for text in [
            "rootpw \\\n hush\n",
            "rootpw \\\nhush",
            "rootpw \\\r\n hush\r\n",
            "rootpw \\\n --iscrypted \\\n hush\n",
            "rootpw --plaintext \\ \n hush\n",
            "rootpw --plaintext \\\t\n hush \\\n hush\n",
            "rootpw \\\n\n hush\n",
            "rootpw \\\n# the password\n hush\n",
            "rootpw 'a \\\n hush'\n",
            "user --name=a \\\n  --password=hush\n",
            "user --name=a \\\n  --password \\\n hush --bogus\n",
            "user --name=a --password=\\\nhush\n",
            "user --name=a \\\n  --pasword hush\n",
            "iscsi --ipaddr=x \\\n --password=hush\n",
            "part / --encrypted --passphrase \\\n \"hush\"\n",
            "network --wpakey \\\n hush\n",
            "bogus \\\n --password hush\n",
        ] {
            let shown = shown(text, &[]);
            assert!(shown.contains("error["), "{text:?}: {shown}");
            assert!(!shown.contains("hush"), "{text:?}: {shown}");
        }
        // No option of `text` takes a password, so this is only an unknown word.
        assert!(shown("text \\\n --hush\n", &[]).contains("2 |  --hush"));
    }

    #[test]
    fn labels_and_includes_are_shown() {
        let text = shown("autopart\n%include b.ks\n", &[("b.ks", "\npart / --size=1\n")]);
        assert!(text.contains("--> b.ks:2:1"), "{text}");
        assert!(text.contains("`autopart` is here"), "{text}");
        assert!(text.contains("included from a.ks:2"), "{text}");
    }

    #[test]
    fn odd_places_do_not_stop_it() {
        for text in ["", "\u{feff}", "lang 'é", "bogus\u{2028}bogus", "%post\n", "x\r\n\r\ny\r\n"] {
            let out = shown(text, &[]);
            assert!(out.contains("a.ks:"), "{text:?}: {out}");
        }
    }

    #[test]
    fn what_is_long_or_far_away_is_not_shown() {
        let long = shown(&format!("autopart {}--x --y=\u{10d} --z\n", "--nohome ".repeat(100_000)), &[]);
        assert!(long.len() < 2000, "{} bytes", long.len());
        assert!(long.contains("--> a.ks:1:900010\n"), "{long}");
        let far = shown(&format!("user --name=a\n{}user --name=a\n", "lang cs\n".repeat(2)), &[]);
        assert!(far.contains("lang cs") || far.contains("..."), "{far}");
        let far = shown(&format!("user --name=a\n{}user --name=a\n", "# \n".repeat(20_000)), &[]);
        assert!(far.contains("--> a.ks:20002:1\n") && far.contains("::: a.ks:1:1\n"), "{far}");
        assert!(far.contains("first created here"), "{far}");
    }

    #[test]
    fn passwords_are_not_shown() {
        for line in [
            "rootpw hush hush2",
            "rootpw --plaintext=hush",
            "rootpw 'hush",
            "user --name=a --password=hush\\",
            "rootpw --lockk \"hush é\"",
            "user --name=a --password=hush --bogus",
            "user --name=a --pasword hush",
            "autopart --encrypted --passphrase hush --bogus",
            "iscsi --ipaddr=x --password=hush --bogus",
            "sshpw --username=a hush --bogus",
            "network --wpakey=hush --bogus",
        ] {
            let text = shown(&format!("{line}\n"), &[]);
            assert!(text.contains("error["), "{text}");
            assert!(!text.contains("hush"), "{text}");
        }
        // Not a word wrong with it: a lint shows the line.
        assert!(shown("iscsi --ipaddr=x --password=hush\n", &[]).contains("--password=****"));
    }

    #[test]
    fn counting() {
        let parsed = parse("bogus\nbogus\n", "a.ks", &ParseOptions::default());
        assert_eq!(summary(&parsed.diagnostics).unwrap(), "2 errors, 2 warnings");
        assert_eq!(summary(&[]), None);
    }
}

//! Everything that is to be said about a kickstart: by the language, and by the installer,
//! whose refusals are better known now than in front of the machine. Pure.

use kickstart_parser::codes::Code;
use kickstart_parser::values::{self, Known};
use kickstart_parser::{Diagnostic, Kickstart, ParseOptions, Parsed, codes, parse};

use super::image_fit;
use crate::error::{Error, Remedy, Result, Stage};
use crate::image::ImageFacts;
use crate::request::{CODES, Layout, NO_EFFECT, Request, from_kickstart};

/// Parses and judges.
pub fn examine(text: &str, path: &str, options: &ParseOptions<'_>) -> Parsed {
    let mut parsed = parse(text, path, options);
    judge(&mut parsed, None);
    parsed
}

/// Adds to the findings what the installer has to say, of the image too if its facts are
/// there. Returns what is asked of the installer.
pub fn judge(parsed: &mut Parsed, facts: Option<&ImageFacts>) -> Request {
    let (request, mut found) = from_kickstart(&parsed.kickstart, &parsed.sources);
    found.extend(forgive(parsed));
    if let Some(facts) = facts {
        let sound = !parsed.has_errors() && !found.iter().any(Diagnostic::is_error);
        found.extend(image_fit::findings(&parsed.kickstart, &parsed.sources, &request, facts, sound));
    }
    // Of a line that is wrong anyway, nothing more is said.
    let values = values::judge(&parsed.kickstart, &known(facts)).into_iter().filter(|value| {
        let wrong = |d: &Diagnostic| {
            let (one, other) = (d.span, value.span);
            d.is_error() && one.source == other.source && one.start <= other.end && one.end >= other.start
        };
        !parsed.diagnostics.iter().any(wrong)
    });
    found.extend(values);
    let known_codes: Vec<&Code> = CODES.iter().chain(values::CODES).copied().collect();
    let mut found = parsed.silences.judge_installer(found, &parsed.sources, &known_codes);
    if facts.is_none() {
        // A comment that is about an image has its effect another time.
        let idle = |d: &Diagnostic| d.code == codes::ALLOW_UNUSED.id;
        found.retain(|d| !(idle(d) && image_fit::is_about_image(parsed.sources.slice(d.span))));
    }
    parsed.diagnostics.extend(found);
    parsed.diagnostics.sort_by_key(|d| (d.span.source, d.span.start));
    request
}

/// The names that the image is known to have: what its facts do not tell yet is held against lists of
/// what is usual.
fn known(_facts: Option<&ImageFacts>) -> Known<'_> {
    Known::default()
}

/// Commands of the past that changed nothing about the system that comes out. The language does without
/// them; a site that still has one is installed all the same.
const HARMLESS: &[&str] = &["interactive", "key", "langsupport", "mouse", "unsupported_hardware"];

/// Takes the errors about harmless commands out of the findings, and gives a warning for each.
fn forgive(parsed: &mut Parsed) -> Vec<Diagnostic> {
    let gone = [codes::UNKNOWN_COMMAND.id, codes::COMMAND_NOT_YET.id, codes::COMMAND_REMOVED.id];
    let sources = &parsed.sources;
    let mut forgiven = Vec::new();
    parsed.diagnostics.retain(|diagnostic| {
        let name = sources.slice(diagnostic.span);
        if !gone.contains(&diagnostic.code) || !HARMLESS.contains(&name) {
            return true;
        }
        let message = format!("`{name}` is gone from kickstart, and has no effect");
        forgiven.push(Diagnostic::new(&NO_EFFECT, diagnostic.span, message).help("leave it out"));
        false
    });
    forgiven
}

/// What every installation needs, said before the first look at a disk. `name` is what
/// messages call the kickstart.
pub fn require_layout(kickstart: &Kickstart, request: &Request, name: &str) -> Result<()> {
    if lays_out_nothing(kickstart, request) {
        return Err(Error::input(Stage::Request, format!("{name} says nothing about partitions")).hint(Remedy::LayOut));
    }
    Ok(())
}

/// Whether nothing is said about partitions.
pub fn lays_out_nothing(kickstart: &Kickstart, request: &Request) -> bool {
    let nothing = matches!(&request.layout, Layout::Custom(custom) if custom.areas().next().is_none());
    nothing && kickstart.reqpart.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_and_harmless_is_a_warning() {
        let parsed = examine("key --skip\nunsupported_hardware\nclearparts --all\n", "x.ks", &ParseOptions::default());
        let errors: Vec<&str> = parsed.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code).collect();
        let warned = parsed.diagnostics.iter().filter(|d| d.code == "R002").count();
        assert_eq!((errors, warned), (vec!["E101"], 2), "{:?}", parsed.diagnostics);
    }
}

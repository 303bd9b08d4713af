//! Everything that is to be said about a kickstart: by the language, and by the installer,
//! whose refusals are better known now than in front of the machine. Pure.

use kickstart_parser::codes::Code;
use kickstart_parser::values::{self, Known};
use kickstart_parser::{Diagnostic, Kickstart, ParseOptions, Parsed, Span, codes, parse};

use super::image_fit;
use crate::error::{Error, Remedy, Result, Stage};
use crate::image::{ImageFacts, SystemFacts};
use crate::request::{CODES, IMAGE_DOUBT, Layout, NO_EFFECT, Request, When, from_kickstart};

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
    let names = facts.and_then(|facts| facts.system.as_ref()).map(Names::of).unwrap_or_default();
    if let Some(facts) = facts {
        let sound = !parsed.has_errors() && !found.iter().any(Diagnostic::is_error);
        found.extend(image_fit::findings(&parsed.kickstart, &parsed.sources, &request, facts, sound));
    }
    // Of a line that is wrong anyway, nothing more is said; nor of a name that the image was said to lack.
    let lacks: Vec<Span> = found.iter().filter(|d| d.code == IMAGE_DOUBT.id).map(|d| d.span).collect();
    let values = values::judge(&parsed.kickstart, &names.known()).into_iter().filter(|value| {
        let wrong = |d: &Diagnostic| {
            let (one, other) = (d.span, value.span);
            d.is_error() && one.source == other.source && one.start <= other.end && one.end >= other.start
        };
        let said = value.code == codes::UNKNOWN_NAME.id && names.are_known && lacks.contains(&value.span);
        !said && !parsed.diagnostics.iter().any(wrong)
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

/// The names that the image is known to have. What its facts do not tell is held against lists of what is
/// usual: an image may keep a kind of names in a place that is not looked at.
#[derive(Default)]
struct Names {
    are_known: bool,
    locales: Option<Vec<String>>,
    keymaps: Option<Vec<String>>,
    zones: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    shells: Option<Vec<String>>,
}

impl Names {
    fn of(facts: &SystemFacts) -> Self {
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let group = facts.group.iter().chain(&facts.vendor_group);
        let both = |shell: &String| {
            // /bin is a link to /usr/bin: a shell has both names.
            let short = shell.strip_prefix("/usr").unwrap_or(shell).to_owned();
            [format!("/usr{short}"), short]
        };
        let no_login = ["/sbin/nologin", "/usr/sbin/nologin", "/bin/false", "/usr/bin/false"].map(str::to_owned);
        let shells = some(facts.shells.iter().flat_map(both).collect());
        Names {
            are_known: true,
            locales: facts.locales.clone().and_then(some),
            keymaps: some(facts.keymaps.clone()),
            zones: some(facts.zones.clone()),
            groups: some(group.filter_map(|line| line.split(':').next()).map(str::to_owned).collect()),
            shells: shells.map(|list| list.into_iter().chain(no_login).collect()),
        }
    }

    fn known(&self) -> Known<'_> {
        Known {
            locales: self.locales.as_deref(),
            keymaps: self.keymaps.as_deref(),
            zones: self.zones.as_deref(),
            groups: self.groups.as_deref(),
            shells: self.shells.as_deref(),
        }
    }
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

/// Where %pre has not run, partitions that are named and are not there may be what it makes.
pub fn before_scripts(request: &mut Request) {
    let makes = request.scripts.iter().any(|script| script.when == When::Pre);
    if let Layout::Custom(custom) = &mut request.layout {
        custom.made_later = makes;
    }
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
    fn names_are_held_against_the_image_and_told_of_once() {
        let demo = include_str!("../../../tests/images/demo.json");
        let mut facts: ImageFacts = serde_json::from_str(demo).unwrap();
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        facts.system = Some(SystemFacts {
            locales: Some(list("C.utf8 xx_YY.utf8")),
            keymaps: list("us our-own"),
            zones: list("Etc/UTC Mars/Olympus"),
            group: list("root:x:0: operators:x:20:"),
            shells: list("/bin/bash /usr/bin/xonsh"),
            ..SystemFacts::default()
        });
        let found = |text: &str| {
            let mut parsed = parse(text, "x.ks", &ParseOptions::default());
            judge(&mut parsed, Some(&facts));
            let about = |d: &&Diagnostic| d.code == IMAGE_DOUBT.id || d.code == codes::UNKNOWN_NAME.id;
            let told = parsed.diagnostics.iter().filter(about);
            let told = told.filter(|d| d.message.contains("image has no ") || d.message.contains("not one of"));
            told.map(|d| format!("{} {}", d.message, d.help.clone().unwrap_or_default())).collect::<Vec<_>>()
        };
        for text in [
            "lang xx_YY.UTF-8\nkeyboard our-own\ntimezone Mars/Olympus\n",
            "user --name=a --groups=operators --shell=/bin/xonsh\n",
            "user --name=a --shell=/sbin/nologin\n",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
        for (text, meant) in [
            ("lang xx_YX.UTF-8\n", "xx_YY.utf8"),
            ("keyboard our-onw\n", "our-own"),
            ("timezone Mars/Olimpus\n", "Mars/Olympus"),
            ("user --name=a --groups=opertaors\n", "operators"),
            ("user --name=a --shell=/usr/bin/xnosh\n", "/usr/bin/xonsh"),
            // What is usual is not there.
            ("lang de_DE.UTF-8\n", ""),
            ("timezone Europe/Prague\n", ""),
            ("user --name=a --groups=wheel\n", ""),
        ] {
            let found = found(text);
            assert!(found.len() == 1 && found[0].contains(meant), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_gone_and_harmless_is_a_warning() {
        let parsed = examine("key --skip\nunsupported_hardware\nclearparts --all\n", "x.ks", &ParseOptions::default());
        let errors: Vec<&str> = parsed.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code).collect();
        let warned = parsed.diagnostics.iter().filter(|d| d.code == "R002").count();
        assert_eq!((errors, warned), (vec!["E101"], 2), "{:?}", parsed.diagnostics);
    }
}

//! What is said of words that do not fit: what was most likely meant, and what to write instead.

use super::spec::{Kind, Opt, Spec};
use super::{Args, Cx, guess};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::document::Word;
use crate::span::Span;
use crate::syntax::State;

/// `--name = value` and `--name= value` are not one option.
pub(super) fn name_blanks_around_equals(words: &[Word], found: &mut [Diagnostic]) {
    let apart = words.windows(2).any(|pair| match pair {
        [one, next] => {
            let option = one.value.starts_with("--");
            option && (next.value == "=" || one.value.ends_with('=') && !next.value.starts_with('-'))
        }
        _ => false,
    });
    if let Some(diagnostic) = found.iter_mut().find(|d| apart && d.code == codes::UNEXPECTED_ARGUMENT.id) {
        diagnostic.help = Some("there is no blank before or after the equals sign of an option".to_owned());
        diagnostic.fix = None;
    }
}

/// An argument that has no place most likely belongs to the option that is missing.
pub(super) fn name_what_is_missing(args: &Args, found: &mut [Diagnostic]) {
    let missing = args.spec.options.iter().find(|o| o.required && args.last(o.name).is_none());
    let Some(option) = missing else {
        return;
    };
    for diagnostic in found.iter_mut().filter(|d| d.code == codes::UNEXPECTED_ARGUMENT.id && d.help.is_none()) {
        diagnostic.help = Some(format!("the option `{0}` is missing: write `{0}=VALUE`", option.name));
        diagnostic.fix = None;
    }
}

pub(super) fn unknown_option(
    spec: &'static Spec,
    word: &Word,
    name: &str,
    syntax: crate::syntax::Syntax,
) -> Diagnostic {
    let span = word.part(0, name.len());
    let dead = spec.options.iter().find(|o| o.names().any(|n| n == name));
    if let Some(option) = dead {
        return match option.life.state(syntax) {
            State::Absent => Diagnostic::new(
                &codes::OPTION_NOT_YET,
                span,
                format!("`{}` has no option `{name}` in {syntax}", spec.name),
            )
            .help(format!("it is there since {}", option.life.since)),
            _ => {
                Diagnostic::new(&codes::OPTION_REMOVED, span, format!("option `{name}` of `{}` was removed", spec.name))
                    .help(match instead(spec.name, option.name) {
                        Some(other) => format!("it is gone since {}: use {other}", option.life.removed),
                        None => format!("it is gone since {}", option.life.removed),
                    })
                    .fix_if(successor(spec.name, option.name))
            }
        };
    }
    let message = format!("`{}` has no option `{name}`", spec.name);
    let diagnostic = Diagnostic::new(&codes::UNKNOWN_OPTION, span, message);
    let alive = |o: &&'static Opt| matches!(o.life.state(syntax), State::Active | State::Deprecated);
    let names = || spec.options.iter().filter(alive).flat_map(Opt::names);
    match guess::closest(name, names()) {
        _ if is_key_option(name) && TAKES_NO_KEY.contains(&spec.name) => diagnostic.help(KEY_COMMAND),
        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
        None => diagnostic,
    }
}

/// Commands of accounts that have no option for a key.
const TAKES_NO_KEY: &[&str] = &["user", "rootpw"];
const KEY_COMMAND: &str = "a key is a command of its own: `sshkey --username=NAME \"KEY\"`";

/// Whether somewhere else an option of this name takes a public key.
fn is_key_option(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    ["sshkey", "sshkeys", "sshpubkey", "pubkey", "publickey", "authorizedkey", "authorizedkeys"]
        .contains(&letters.to_ascii_lowercase().as_str())
}

/// The option that the misspelt word at `at` certainly stands for: nothing else on the line gives
/// it, which the change would override, and what stands behind the word has its form.
pub(super) fn certain_option(
    spec: &'static Spec,
    words: &[Word],
    at: usize,
    name: &str,
    syntax: crate::syntax::Syntax,
) -> Option<&'static str> {
    let alive = |o: &&'static Opt| matches!(o.life.state(syntax), State::Active | State::Deprecated);
    let sure = guess::certain(name, spec.options.iter().filter(alive).flat_map(Opt::names))?;
    let option = spec.options.iter().find(|o| o.is_called(sure))?;
    let given = |word: &Word| {
        let written = word.value.split('=').next().unwrap_or("");
        // As an abbreviation, too.
        written.len() > 2 && option.names().any(|n| n.starts_with(written))
    };
    let word = words.get(at)?;
    let takes_value = option.kind != Kind::Flag;
    let fits = match word.value.contains('=') {
        true => takes_value,
        false => {
            let next = words.get(at + 1).is_some_and(|next| !next.value.starts_with('-'));
            !takes_value || next || option.bare
        }
    };
    (fits && !words.iter().any(given)).then_some(sure)
}

pub(super) fn missing_value(spec: &Spec, option: &Opt, span: Span, next: Option<&Word>) -> Diagnostic {
    let diagnostic = Diagnostic::new(&codes::MISSING_VALUE, span, format!("`{}` needs a value", option.name));
    let Some(next) = next else {
        return diagnostic;
    };
    let name = next.value.split('=').next().unwrap_or("");
    // The value was forgotten, and the next option begins: it must not become the value.
    if name.starts_with("--") || spec.options.iter().any(|o| o.is_called(name)) {
        return diagnostic.help(format!("write `{}=VALUE`", option.name));
    }
    let between = Span { start: span.end, end: next.span.start, ..span };
    diagnostic.help(format!("a value that begins with a dash is written `{}=VALUE`", option.name)).fix(Fix::replace(
        "put an equals sign",
        between,
        "=",
    ))
}

/// Report neighbouring arguments that have no place.
pub(crate) fn surplus(spec: &Spec, count: usize, value: &str, span: Span, cx: &mut Cx<'_>) {
    // With a blank in its value, even an option that there is not is only an argument.
    if let Some((name, _)) = value.split_once('=').filter(|(name, _)| name.starts_with("--") && !name.contains(' ')) {
        let message = format!("`{}` has no option `{name}`", spec.name);
        let diagnostic = Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, span, message);
        let names = || spec.options.iter().flat_map(Opt::names);
        cx.report(match guess::closest(name, names()) {
            _ if is_key_option(name) && TAKES_NO_KEY.contains(&spec.name) => diagnostic.help(KEY_COMMAND),
            Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
            None => diagnostic,
        });
        return;
    }
    let message = match count {
        1 if spec.secret => format!("`{}` has an argument too many", spec.name),
        1 => format!("`{}` does not take the argument `{value}`", spec.name),
        _ => format!("`{}` has {count} arguments too many", spec.name),
    };
    let diagnostic = Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, span, message);
    let dashed = format!("--{}", value.split('=').next().unwrap_or(""));
    let option = spec.options.iter().find(|o| o.is_called(&dashed));
    cx.report(match option {
        _ if count > 1 => diagnostic.help("a value with blanks in it needs quotes"),
        // A second half of a password may be any word.
        Some(option) if option.kind == Kind::Flag && !spec.secret && !value.contains('=') => {
            let fix = Fix::did_you_mean(span, &dashed);
            diagnostic.help(format!("did you mean `{dashed}`?")).fix(fix)
        }
        Some(option) if option.kind == Kind::Flag => diagnostic.help(format!("did you mean `{dashed}`?")),
        Some(_) => diagnostic.help(format!("did you mean `{dashed}=VALUE`?")),
        None => diagnostic,
    });
}

/// Options that are counted in MiB.
const IN_MEBIBYTES: &[&str] =
    &["--size", "--maxsize", "--reserved-space", "--chunksize", "--cachesize", "--metadatasize"];

/// What to write for a size with a unit.
pub(super) fn in_mebibytes(option: &str, text: &str) -> Option<String> {
    if !IN_MEBIBYTES.contains(&option) {
        return None;
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let (factor, name) = match unit.trim().to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "" => (1.0, "MiB"),
        "k" => (1.0 / 1024.0, "KiB"),
        "m" => (1.0, "MiB"),
        "g" => (1024.0, "GiB"),
        "t" => (1024.0 * 1024.0, "TiB"),
        _ => return Some("it is a number of MiB, without a unit".to_owned()),
    };
    let count = (number * factor).ceil();
    (count < 1e15).then(|| format!("it is a number of MiB: {count} for {number} {name}"))
}

/// What has taken the place of an option that is deprecated or gone, where it is another command.
pub(super) fn instead(command: &str, option: &str) -> Option<&'static str> {
    match (command, option) {
        ("timezone", "--isUtc") => Some("`--utc`"),
        ("timezone", "--ntpservers") => Some("`timesource --ntp-server=SERVER`, a line for each server"),
        ("timezone", "--nontp") => Some("`timesource --ntp-disable`"),
        _ => None,
    }
}

/// The option that replaces a deprecated one of the same meaning.
pub(super) fn successor(command: &str, option: &str) -> Option<&'static str> {
    match (command, option) {
        ("timezone", "--isUtc") => Some("--utc"),
        _ => None,
    }
}

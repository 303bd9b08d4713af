//! Statements to the typed kickstart: looks every command up and lets it
//! take its line.

use crate::args::scan::scan;
use crate::args::{Args, Cx, guess};
use crate::codes;
use crate::commands::{self, Command};
use crate::conflicts::Used;
use crate::diagnostic::Diagnostic;
use crate::document::{CommandLine, Document, Statement, Word};
use crate::kickstart::{Given, Kickstart};
use crate::lex;
use crate::limits::Tally;
use crate::odd;
use crate::sections;
use crate::span::Sources;
use crate::syntax::{Life, State};
use crate::templates;
use crate::trailing;

/// What the statements say, and which settings were made more than once.
pub(crate) fn interpret(document: &Document, sources: &Sources, cx: &mut Cx<'_>) -> Kickstart {
    let mut kickstart = Kickstart::default();
    let mut earlier: Vec<Args> = Vec::new();
    let mut used = Used::default();
    let mut tally = Tally::default();
    for statement in &document.statements {
        let before = cx.diagnostics.len();
        match statement {
            Statement::Section(section) => sections::interpret(section, cx, &mut kickstart),
            Statement::Command(line) => command(line, sources, &mut earlier, &mut used, cx, &mut kickstart),
        }
        templates::judge(statement.words(), before, cx);
        tally.cut_off(cx.diagnostics, before);
    }
    cx.diagnostics.extend(tally.rest());
    kickstart
}

fn command(
    line: &CommandLine,
    sources: &Sources,
    earlier: &mut Vec<Args>,
    used: &mut Used,
    cx: &mut Cx<'_>,
    kickstart: &mut Kickstart,
) {
    let Some((name, words)) = line.words.split_first() else {
        return;
    };
    let (sound, hidden) = (cx.diagnostics.len(), cx.secrets.len());
    if let Some((name, command)) = commands::find(&name.value) {
        if in_this_syntax(line, &command.spec.life, cx) {
            used.line(command.spec.name, name, line.span, cx);
            kickstart.given.push(Given { name, span: line.span });
            let mut args = scan(command.spec, line.span, words, cx);
            if command.spec.raw {
                read_rest(line, sources, &mut args);
            }
            if command.spec.repeatable {
                (command.apply)(&args, cx, kickstart);
            } else {
                let before = repeat(command, &mut args, earlier, cx);
                (command.apply)(&args, cx, kickstart);
                remember(args, before, earlier);
            }
        }
    } else {
        cx.report(unknown(line, &name.value));
    }
    // The tables know where passwords are, as long as every word is where it belongs.
    if cx.diagnostics.len() > sound {
        hide_likely_passwords(name, words, cx);
    }
    mask(line, sources, (sound, hidden), cx);
    trailing::judge(line, sources, sound, cx);
    odd::judge(sources.slice(line.span), line.span, sound, cx.diagnostics);
}

/// No finding about a line repeats what has been found to be a password on it.
fn mask(line: &CommandLine, sources: &Sources, (sound, hidden): (usize, usize), cx: &mut Cx<'_>) {
    let spans = cx.secrets.get(hidden..).unwrap_or_default();
    if spans.is_empty() {
        return;
    }
    let values = line.words.iter().filter_map(|word| {
        let secret = spans
            .iter()
            .find(|s| s.source == word.span.source && s.start < word.span.end && s.end > word.span.start)?;
        let value = word.value.as_str();
        let from = (secret.start.saturating_sub(word.span.start) as usize).min(value.len());
        Some(value.get(from..).filter(|part| !part.is_empty()).unwrap_or(value).to_owned())
    });
    let raw = spans.iter().map(|span| sources.slice(*span).to_owned());
    let mut values: Vec<String> = values.chain(raw).filter(|value| !value.is_empty()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for diagnostic in cx.diagnostics.iter_mut().skip(sound) {
        let labels = diagnostic.labels.iter_mut().map(|label| &mut label.message);
        for text in std::iter::once(&mut diagnostic.message).chain(&mut diagnostic.help).chain(labels) {
            for value in &values {
                // A short one is part of other words, too.
                let quoted = format!("`{value}`");
                if text.contains(&quoted) {
                    *text = text.replace(&quoted, "`***`");
                } else if value.len() > 3 && text.contains(value.as_str()) {
                    *text = text.replace(value.as_str(), "***");
                }
            }
        }
    }
}

/// What stands after the command's name, for a command that takes its line as it is.
fn read_rest(line: &CommandLine, sources: &Sources, args: &mut Args) {
    let text = sources.get(line.span.source).map_or("", |source| source.text());
    let text = text.get(line.span.start as usize..).unwrap_or("");
    let content = lex::lines(text).next().and_then(|raw| text.get(..raw.content_end)).unwrap_or("");
    let name = content.find(|c: char| c.is_whitespace() || c == '#').unwrap_or(content.len());
    content[name..].trim().clone_into(&mut args.rest);
    args.has_comment = content.get(line.span.len()..).is_some_and(|after| !after.trim().is_empty());
}

/// Lines of no command, or with a misspelt option, may hold passwords too. What stands for a
/// dash, how many there are, and whether there is one, is not looked at: all of it is misspelt.
fn hide_likely_passwords(name: &Word, words: &[Word], cx: &mut Cx<'_>) {
    if let Some((option, value)) = name.value.split_once('=').filter(|(name, _)| is_password_option(name)) {
        cx.secrets.extend((!value.is_empty()).then(|| name.part(option.len() + 1, name.value.len())));
    }
    let bare = ["sshpw", "rootpw"].contains(&name.value.as_str());
    let mut next_is_secret = bare || is_password_option(&name.value);
    for word in words {
        let dashed = word.value.starts_with(odd::is_dash);
        match word.value.split_once('=') {
            Some((option, _)) if is_password_option(option) => {
                cx.secrets.push(word.part(option.len() + 1, word.value.len()));
            }
            Some(_) if dashed => {}
            None if dashed => next_is_secret = bare || is_password_option(&word.value),
            _ if next_is_secret => cx.secrets.push(word.span),
            _ => next_is_secret = bare || is_password_option(&word.value),
        }
    }
}

fn is_password_option(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    ["pas", "pw", "wpakey", "wepkey", "secret", "token"].iter().any(|part| option.contains(part))
}

/// Report a setting that was made before, and take over what it said. Returns its place among
/// the settings so far: there are few, and each is there once.
fn repeat(command: &Command, args: &mut Args, earlier: &[Args], cx: &mut Cx<'_>) -> Option<usize> {
    let name = command.spec.name;
    let place = earlier.iter().position(|before| before.spec.name == name)?;
    let before = earlier.get(place)?;
    cx.report(
        Diagnostic::new(&codes::REPEATED, args.span, format!("`{name}` is given more than once"))
            .label(before.span, "it is given here already"),
    );
    args.inherit(before);
    Some(place)
}

fn remember(args: Args, place: Option<usize>, earlier: &mut Vec<Args>) {
    match place.and_then(|place| earlier.get_mut(place)) {
        Some(before) => *before = args,
        None => earlier.push(args),
    }
}

/// Whether the version has the command; says so if not.
fn in_this_syntax(line: &CommandLine, life: &Life, cx: &mut Cx<'_>) -> bool {
    let Some(name) = line.words.first() else {
        return false;
    };
    let (text, syntax) = (&name.value, cx.syntax);
    match life.state(syntax) {
        State::Active => true,
        State::Absent => {
            let message = format!("`{text}` is no command of {syntax}");
            cx.report(
                Diagnostic::new(&codes::COMMAND_NOT_YET, name.span, message)
                    .help(format!("it is there since {}", life.since)),
            );
            false
        }
        State::Removed => {
            let message = format!("`{text}` was removed from kickstart");
            cx.report(
                Diagnostic::new(&codes::COMMAND_REMOVED, name.span, message)
                    .help(format!("it is gone since {}", life.removed)),
            );
            false
        }
        // Nothing acts upon a deprecated command.
        State::Deprecated => {
            let message = format!("`{text}` is deprecated and has no effect");
            cx.report(Diagnostic::new(&codes::COMMAND_DEPRECATED, name.span, message));
            false
        }
    }
}

fn unknown(line: &CommandLine, name: &str) -> Diagnostic {
    let span = line.words.first().map_or(line.span, |w| w.span);
    // A line that begins with an option is the rest of another line.
    // What stands behind an equals sign may be a password.
    let shown = name.split_once('=').map_or(name.to_owned(), |(before, _)| format!("{before}=…"));
    let diagnostic = Diagnostic::new(&codes::UNKNOWN_COMMAND, span, format!("there is no command `{shown}`"));
    match guess::closest(name, commands::names()) {
        Some(close) => {
            let certain = guess::certain(name, commands::names());
            diagnostic.help(format!("did you mean `{close}`?")).fix_if(certain)
        }
        None if name.starts_with("--") => diagnostic.help("options belong on the line of their command"),
        None => diagnostic,
    }
}

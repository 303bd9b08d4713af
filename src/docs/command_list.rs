//! `docs/commands.md`: all verbs on one page, with the examples of the manual pages.

use std::fmt::Write as _;

use clap::Command;

use super::page::MADE;
use super::{surroundings, verbs};

/// The page.
pub fn page(command: &Command) -> String {
    let whole = verbs::whole(command);
    let mut table = String::new();
    let mut examples = String::new();
    for verb in verbs::verbs(&whole) {
        add(verb, &whole, &mut table, &mut examples);
    }
    let intro = include_str!("commands-intro.md");
    format!("{MADE}\n{}{examples}", intro.replace("{{ table }}\n", &table))
}

/// A row for `verb` and its examples, and the same of the verbs below it. Writing to a String
/// cannot fail.
fn add(verb: &Command, whole: &Command, table: &mut String, examples: &mut String) {
    let words = verbs::words(verb);
    // A verb that does nothing without one below it is a heading only.
    if !verb.is_subcommand_required_set() {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let anchor = format!("bootc-ks-{}", words.replace(' ', "-"));
        let _ = writeln!(table, "| [`{words}`](#{anchor}) | {about} |");
        let _ = write!(examples, "\n### bootc-ks {words}\n\n{about}. Manual page: [{anchor}(1)](man/{anchor}.1).\n");
        for (line, text) in
            surroundings::examples(whole, words).filter(|(line, _)| surroundings::verb_of(whole, line) == words)
        {
            let _ = write!(examples, "\n{text}\n\n```console\n$ {line}\n```\n");
        }
    }
    for below in verbs::verbs(verb) {
        add(below, whole, table, examples);
    }
}

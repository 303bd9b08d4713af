//! The manual pages: one for the command, one for each verb, and for each verb of a verb.
//!
//! Options and the sections DESCRIPTION and EXIT STATUS come from the arguments and their help,
//! everything else from the tables of [`super::surroundings`].

use std::path::PathBuf;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::surroundings::{self, Entry};
use super::verbs::{verbs, whole, words};

/// What begins the paragraph of a help text that says what the exit codes mean.
const EXIT_CODES: &str = "Exit codes: ";

/// Every page with its file name.
pub fn pages(command: &Command) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let whole = whole(command);
    let mut list = Vec::new();
    with_verbs(&whole, &whole, &mut list)?;
    Ok(list)
}

/// The page of `command` and those of the verbs below it.
fn with_verbs(command: &Command, whole: &Command, list: &mut Vec<(PathBuf, String)>) -> anyhow::Result<()> {
    let name = page_name(whole, words(command));
    let text = page(command, whole, &name).with_context(|| format!("writing the manual page of {name}"))?;
    list.push((PathBuf::from(format!("{name}.1")), text));
    verbs(command).try_for_each(|verb| with_verbs(verb, whole, list))
}

/// `bootc-ks-iso-build` for `iso build`.
fn page_name(whole: &Command, words: &str) -> String {
    let parts = std::iter::once(whole.get_name()).chain(words.split_whitespace());
    parts.collect::<Vec<_>>().join("-")
}

fn page(command: &Command, whole: &Command, name: &str) -> anyhow::Result<String> {
    let source = format!("bootc-ks {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(name.to_uppercase()).section("1").date("").source(source);
    let man = man.manual("bootc-ks");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    let (notes, codes) = help_of(command, whole);
    write_notes(&notes).to_writer(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    write_exit_status(&codes).to_writer(&mut out)?;
    let words = words(command);
    write_entries("ENVIRONMENT", surroundings::environment(words)).to_writer(&mut out)?;
    write_entries("FILES", surroundings::files(words)).to_writer(&mut out)?;
    write_examples(surroundings::examples(whole, words)).to_writer(&mut out)?;
    write_see_also(&see_also(command, whole)).to_writer(&mut out)?;
    Ok(String::from_utf8(out)?)
}

/// The paragraphs below the options of the help, and the meaning of the exit codes: the verb's
/// own, or else those of the whole command.
fn help_of(command: &Command, whole: &Command) -> (Vec<String>, String) {
    let paragraphs = |command: &Command| -> (Vec<String>, Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let all = help.split("\n\n").map(str::to_owned).filter(|paragraph| !paragraph.is_empty());
        all.partition(|paragraph| !paragraph.starts_with(EXIT_CODES))
    };
    let (notes, own) = paragraphs(command);
    let codes = own.into_iter().next().or_else(|| paragraphs(whole).1.into_iter().next()).unwrap_or_default();
    (notes, codes.trim_start_matches(EXIT_CODES).to_owned())
}

fn write_notes(notes: &[String]) -> Roff {
    let mut page = Roff::new();
    for note in notes {
        page.control("PP", []).text([roman(note)]);
    }
    page
}

/// `0 done; 2 bad input. With 2 …`: an entry for each code, and what is said of them together.
fn write_exit_status(codes: &str) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["EXIT STATUS"]);
    let (codes, rest) = match codes.split_once(". ") {
        Some((codes, rest)) => (codes, Some(rest)),
        None => (codes.trim_end_matches('.'), None),
    };
    for code in codes.split("; ") {
        match code.split_once(' ') {
            Some((number, meaning)) if number.parse::<u8>().is_ok() => {
                page.control("TP", []).text([bold(number)]).text([roman(meaning)]);
            }
            // A semicolon within a meaning.
            _ => _ = page.text([roman(code)]),
        }
    }
    if let Some(rest) = rest {
        page.control("PP", []).text([roman(rest)]);
    }
    page
}

fn write_entries<'a>(heading: &'static str, entries: impl Iterator<Item = &'a Entry>) -> Roff {
    let mut page = Roff::new();
    for (index, entry) in entries.enumerate() {
        if index == 0 {
            page.control("SH", [heading]);
        }
        page.control("TP", []).text([italic(entry.name)]).text([roman(entry.text)]);
    }
    page
}

fn write_examples<'a>(examples: impl Iterator<Item = &'a (&'static str, &'static str)>) -> Roff {
    let mut page = Roff::new();
    for (index, (line, text)) in examples.enumerate() {
        if index == 0 {
            page.control("SH", ["EXAMPLES"]);
        }
        page.control("PP", []).text([roman(*text)]);
        page.control("PP", []).control("RS", ["4"]).control("EX", []);
        page.text([roman(*line)]).control("EE", []).control("RE", []);
    }
    page
}

/// The pages of the verb above, of those below or beside, and those that the table names.
fn see_also(command: &Command, whole: &Command) -> Vec<String> {
    let own = words(command);
    let parent = own.rsplit_once(' ').map_or("", |(parent, _)| parent);
    let mut family: Vec<&Command> = Vec::new();
    if !own.is_empty() {
        let above = parent.split_whitespace().try_fold(whole, |verb, word| verb.find_subcommand(word));
        family.extend(above);
        // The many verbs of the command itself are listed in its own page.
        family.extend(above.filter(|_| !parent.is_empty()).into_iter().flat_map(verbs));
    }
    family.extend(verbs(command));
    let pages = family.into_iter().map(words).filter(|words| *words != own);
    let mut list: Vec<String> = pages.map(|words| format!("{}(1)", page_name(whole, words))).collect();
    list.extend(
        surroundings::see_also(own)
            .map(|entry| entry.name.to_owned())
            .filter(|page| *page != format!("{}(1)", page_name(whole, own))),
    );
    list
}

fn write_see_also(list: &[String]) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        if index > 0 {
            line.push(roman(", "));
        }
        match entry.split_once('(') {
            Some((name, section)) => line.extend([bold(name), roman(format!("({section}"))]),
            None => line.push(roman(entry)),
        }
    }
    page.text(line);
    page.control("PP", []).text([roman(format!("The documentation: {}/tree/main/docs", env!("CARGO_PKG_REPOSITORY")))]);
    page
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_page_has_the_sections_that_readers_look_for() {
        for (name, text) in pages(&crate::cli::Cli::command()).unwrap() {
            for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "\"EXIT STATUS\"", "EXAMPLES", "\"SEE ALSO\""] {
                assert!(text.contains(&format!(".SH {section}\n")), "{}: no {section}", name.display());
            }
            assert!(!text.contains(EXIT_CODES), "{}: exit codes outside EXIT STATUS", name.display());
        }
    }

    #[test]
    fn exit_codes_become_entries() {
        let text = write_exit_status("0 done; 3 a program is missing; or failed. With 3 nothing is touched.").render();
        for part in ["\\fB0\\fR\ndone\n", "\\fB3\\fR\na program is missing\nor failed\n", ".PP\nWith 3 nothing"] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }

    #[test]
    fn a_page_of_the_table_is_one_that_exists() {
        let pages: Vec<String> =
            pages(&crate::cli::Cli::command()).unwrap().iter().map(|(name, _)| name.display().to_string()).collect();
        for entry in surroundings::SEE_ALSO.iter().filter(|entry| entry.name.starts_with("bootc-ks")) {
            let file = entry.name.replace("(1)", ".1");
            assert!(pages.contains(&file), "there is no {}", entry.name);
        }
    }
}

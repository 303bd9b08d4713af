//! `bootc-ks explain`: what a diagnostic code means, with an example and the remedy. The same
//! text is `docs/diagnostics/`.

use std::fmt::Write as _;
use std::process::ExitCode;

use kickstart_parser::codes::{self, Code};

/// Say what a diagnostic code means.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, such as E201; without it, all codes are listed
    #[arg(value_name = "CODE", value_parser = parse)]
    code: Option<&'static Code>,
}

/// The pages of the installer's own codes; the parser has those of its own.
const PAGES: &[(&str, &str)] = &[
    ("R001", include_str!("docs/codes/R001.md")),
    ("R002", include_str!("docs/codes/R002.md")),
    ("R003", include_str!("docs/codes/R003.md")),
    ("R004", include_str!("docs/codes/R004.md")),
    ("R005", include_str!("docs/codes/R005.md")),
];

/// Print the page of a code, or the list.
pub fn run(args: &Args) -> ExitCode {
    print!("{}", args.code.map_or_else(list, page));
    ExitCode::SUCCESS
}

/// Every code there is.
pub fn all() -> impl Iterator<Item = &'static Code> {
    codes::ALL.iter().chain(installer_core::request::CODES).copied()
}

/// The code of that name.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// As [`find`], for arguments.
pub fn parse(id: &str) -> Result<&'static Code, String> {
    find(id).ok_or_else(|| format!("there is no code {id}; `bootc-ks explain` lists them"))
}

/// The page of a code, in Markdown.
pub fn page(code: &Code) -> String {
    let more = codes::page(code.id).or_else(|| PAGES.iter().find(|(id, _)| *id == code.id).map(|(_, page)| *page));
    let severity = capital(code.severity.name());
    format!("# {}: {}\n\n{severity}. {}\n\n{}", code.id, code.title, code.explanation, more.unwrap_or_default())
}

/// Where the page of a code is on the web.
pub fn link(code: &Code) -> String {
    format!("{}/blob/main/docs/diagnostics/{}.md", env!("CARGO_PKG_REPOSITORY"), code.id)
}

fn list() -> String {
    all().fold(String::new(), |mut out, code| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}  {:7}  {}", code.id, code.severity.name(), code.title);
        out
    })
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use installer_core::image::ImageFacts;
    use installer_core::prepare::judge;
    use kickstart_parser::{ParseOptions, parse};

    use super::*;

    /// Pages about an image, and the image.
    const IMAGES: &[(&str, &str)] = &[
        ("R004", include_str!("../tests/images/no-initramfs-xfs.json")),
        ("R005", include_str!("../tests/images/demo.json")),
    ];

    /// The codes that the kickstart in a part of the page of `id` gives.
    fn found(id: &str, part: &str) -> BTreeSet<&'static str> {
        let text = part.split_once("```kickstart\n").unwrap().1.split("```").next().unwrap();
        let facts = IMAGES.iter().find(|(of, _)| *of == id);
        let facts: Option<ImageFacts> = facts.map(|(_, json)| serde_json::from_str(json).unwrap());
        let mut parsed = parse(text, "a.ks", &ParseOptions::default());
        judge(&mut parsed, facts.as_ref());
        parsed.diagnostics.iter().map(|d| d.code).collect()
    }

    #[test]
    fn the_examples_of_the_installer_give_their_code_and_the_remedies_do_not() {
        for (id, page) in PAGES {
            let (example, remedy) = page.split_once("## Remedy").unwrap();
            assert_eq!(found(id, example), BTreeSet::from([*id]));
            assert_eq!(found(id, remedy), BTreeSet::new(), "{id}");
        }
    }

    #[test]
    fn every_code_has_a_page() {
        for code in all() {
            assert!(page(code).contains("## Remedy"), "{}", code.id);
        }
    }
}

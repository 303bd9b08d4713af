//! `bootc-ks check`: is this kickstart any good? Nothing else is looked at.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use installer_core::request::from_kickstart;
use kickstart_parser::{Diagnostic, ParseOptions, Parsed, ResolvedDiagnostic, Syntax, UnknownSyntax, codes, parse};
use serde::Serialize;

use crate::diagnostics::{self, Style};
use crate::loader::{self, FileLoader};

/// The form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document for all files.
    Json,
}

/// Check kickstart files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kickstart files; `-` is standard input
    #[arg(value_name = "KS", required = true)]
    pub files: Vec<String>,

    /// Read the files as this version of kickstart: RHEL7 to RHEL10, F35 to F46, DEVEL
    #[arg(long, value_name = "VERSION", value_parser = syntax)]
    pub syntax: Option<Syntax>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

fn syntax(name: &str) -> Result<Syntax, UnknownSyntax> {
    name.parse()
}

/// The exit code for input that cannot be used.
const BAD_INPUT: u8 = 2;

/// What became of one file.
enum Checked {
    Parsed(Box<Parsed>),
    /// There was nothing to parse.
    Unreadable(String),
}

/// Check every file, report, and say by the exit code whether all are good.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let checked: Vec<(String, Checked)> =
        args.files.iter().map(|file| (display_name(file).to_owned(), check(file, args.syntax))).collect();
    let out = match args.format {
        Format::Text => text(&checked, &Style::for_stream(&std::io::stdout())),
        Format::Json => json(&checked, args.syntax)?,
    };
    std::io::stdout().lock().write_all(out.as_bytes()).context("writing the report")?;
    Ok(if checked.iter().all(|(_, c)| c.is_good()) { ExitCode::SUCCESS } else { ExitCode::from(BAD_INPUT) })
}

fn display_name(file: &str) -> &str {
    if file == "-" { "<stdin>" } else { file }
}

fn check(file: &str, syntax: Option<Syntax>) -> Checked {
    let text = if file == "-" { loader::read_stdin() } else { loader::read(Path::new(file)) };
    match text {
        Err(error) => Checked::Unreadable(loader::describe(&error)),
        Ok(text) => {
            let loader = FileLoader::new();
            let options = ParseOptions { syntax, loader: Some(&loader) };
            Checked::Parsed(Box::new(examine(&text, display_name(file), &options)))
        }
    }
}

/// Everything that is to be said about a text: by the language, and by the installer, whose
/// refusals are better known now than in front of the machine.
pub fn examine(text: &str, path: &str, options: &ParseOptions<'_>) -> Parsed {
    let mut parsed = parse(text, path, options);
    let (_, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
    parsed.diagnostics.extend(found);
    parsed.diagnostics.sort_by_key(|d| (d.span.source, d.span.start));
    parsed
}

impl Checked {
    fn is_good(&self) -> bool {
        match self {
            Checked::Parsed(parsed) => !parsed.has_errors(),
            Checked::Unreadable(_) => false,
        }
    }
}

fn text(checked: &[(String, Checked)], style: &Style) -> String {
    let mut out = String::new();
    for (path, file) in checked {
        match file {
            Checked::Unreadable(reason) => {
                out.push_str(&format!("{}\n", unreadable(path, reason)));
            }
            Checked::Parsed(parsed) => {
                out.push_str(&diagnostics::render_all(&parsed.diagnostics, &parsed.sources, style));
                let verdict = diagnostics::summary(&parsed.diagnostics);
                out.push_str(&format!("{path}: {} ({})\n", verdict.as_deref().unwrap_or("good"), parsed.syntax));
            }
        }
    }
    out
}

/// The whole report, version 1.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    files: Vec<FileReport<'a>>,
}

#[derive(Serialize)]
struct FileReport<'a> {
    path: &'a str,
    /// The version the file was read as; null if it could not be read.
    syntax: Option<&'static str>,
    diagnostics: Vec<ResolvedDiagnostic>,
}

fn json(checked: &[(String, Checked)], syntax: Option<Syntax>) -> anyhow::Result<String> {
    let files = checked
        .iter()
        .map(|(path, file)| match file {
            Checked::Parsed(parsed) => {
                FileReport { path, syntax: Some(parsed.syntax.name()), diagnostics: resolved(parsed) }
            }
            Checked::Unreadable(reason) => {
                FileReport { path, syntax: syntax.map(Syntax::name), diagnostics: vec![unreadable(path, reason)] }
            }
        })
        .collect();
    let report = Report { schema: 1, files };
    let mut out = serde_json::to_string_pretty(&report).context("writing the report")?;
    out.push('\n');
    Ok(out)
}

fn resolved(parsed: &Parsed) -> Vec<ResolvedDiagnostic> {
    let flat = |d: &Diagnostic| d.resolve(&parsed.sources);
    parsed.diagnostics.iter().map(flat).collect()
}

fn unreadable(path: &str, reason: &str) -> ResolvedDiagnostic {
    ResolvedDiagnostic::of_file(&codes::UNREADABLE_FILE, path, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn checked(texts: &[&str]) -> (tempfile::TempDir, Vec<(String, Checked)>) {
        let dir = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            let path = dir.path().join(format!("{n}.ks"));
            fs::write(&path, text).unwrap();
            let path = path.to_string_lossy().into_owned();
            all.push((path.clone(), check(&path, None)));
        }
        (dir, all)
    }

    #[test]
    fn json_is_one_document_with_stable_fields() {
        let (dir, mut all) = checked(&["text\nautopart --tpye=plain\n"]);
        let missing = dir.path().join("none.ks").to_string_lossy().into_owned();
        all.push((missing.clone(), check(&missing, None)));
        let value: serde_json::Value = serde_json::from_str(&json(&all, None).unwrap()).unwrap();
        assert_eq!(value["schema"], 1);
        let files = value["files"].as_array().unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(files[0]["syntax"], "F44");
        let first = &files[0]["diagnostics"][0];
        assert_eq!(first["code"], "E201");
        assert_eq!(first["severity"], "error");
        assert_eq!((&first["line"], &first["column"]), (&2.into(), &10.into()));
        assert_eq!((&first["end_line"], &first["end_column"]), (&2.into(), &16.into()));
        assert_eq!(first["help"], "did you mean `--type`?");
        let unreadable = &files[1]["diagnostics"][0];
        assert_eq!(unreadable["code"], "E000");
        assert_eq!(unreadable["path"], missing.as_str());
        assert!(unreadable["help"].is_null());
        let keys = |v: &serde_json::Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(first), keys(unreadable));
    }

    #[test]
    fn good_files_are_good() {
        let (_dir, all) = checked(&[
            "rootpw --lock\nautopart\nsshkey --username=root \"ssh-rsa A\"\n\
             ostreecontainer --url=quay.io/a/b\n",
            "bogus\n",
        ]);
        assert!(all[0].1.is_good());
        assert!(!all[1].1.is_good());
        let out = text(&all, &Style::plain());
        assert!(out.contains("0.ks: good (F44)"), "{out}");
        assert!(out.contains("1.ks: 1 error (F44)"), "{out}");
    }
}

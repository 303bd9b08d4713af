//! `bootc-ks check`: is this kickstart any good? Nothing else is looked at, but for the facts
//! of an image where they are given.

mod checked;
mod ci;
pub mod fix;
mod report;
mod sarif;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use installer_core::image::ImageFacts;
use installer_core::prepare::loader::FileLoader;
use installer_core::prepare::{judge, loader};
use installer_core::request::CODES;
use kickstart_parser::codes::Code;
use kickstart_parser::{Diagnostic, Loader, ParseOptions, Parsed, Severity, Syntax, UnknownSyntax, parse, values};

use crate::diagnostics::{self, Style};
use crate::{explain, fetch, plan};
use checked::Checked;
use fix::{Outcome, Overlay};

/// The form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON document for all files
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// A Code Quality report of GitLab
    Gitlab,
}

/// Who is to install from the kickstart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Installer {
    /// This program
    #[default]
    BootcKs,
    /// Anaconda, or both
    Anaconda,
}

/// What is taken for an error.
#[derive(Clone, Copy, Debug)]
pub enum Deny {
    /// All warnings.
    Warnings,
    /// This code.
    Code(&'static Code),
}

/// Check kickstart files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kickstart files, or their http(s) URLs; `-` is standard input
    #[arg(value_name = "KS", required = true)]
    pub files: Vec<String>,

    /// Read the files as this version of kickstart: RHEL7 to RHEL11, F35 to F46, DEVEL
    #[arg(long, value_name = "VERSION", value_parser = syntax)]
    pub syntax: Option<Syntax>,

    /// Say too what the image in this file (from 'bootc-ks inspect --json') lacks for the kickstart
    #[arg(long, value_name = "FILE")]
    pub image_facts: Option<PathBuf>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,

    /// Judge the file as one for this installer, or as one for Anaconda, where what this installer
    /// does not do is only noted
    #[arg(long = "for", value_enum, value_name = "INSTALLER", default_value = "bootc-ks")]
    pub installer: Installer,

    /// Do not report this code, though an installation may still refuse it
    #[arg(long, value_name = "CODE", value_parser = allow, value_delimiter = ',')]
    pub allow: Vec<&'static Code>,

    /// Take this code, or all `warnings`, for an error
    #[arg(long, value_name = "CODE|warnings", value_parser = deny, value_delimiter = ',')]
    pub deny: Vec<Deny>,

    /// Put the remedies that are certain into the files, included ones too
    #[arg(long)]
    pub fix: bool,

    /// Show what --fix would change and write nothing; passwords and scripts are shown as stars
    #[arg(long, visible_alias = "dry-run")]
    pub diff: bool,
}

fn syntax(name: &str) -> Result<Syntax, UnknownSyntax> {
    name.parse()
}

fn allow(id: &str) -> Result<&'static Code, String> {
    explain::parse(id)
}

fn deny(id: &str) -> Result<Deny, String> {
    if id == "warnings" { Ok(Deny::Warnings) } else { explain::parse(id).map(Deny::Code) }
}

/// The exit code for input that cannot be used.
const BAD_INPUT: u8 = 2;

/// Check every file, report, and say by the exit code whether all are good.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let overlay = Overlay::new();
    let facts = args.image_facts.as_deref().map(plan::image_facts).transpose()?;
    // Standard input can be read but once.
    let stdin = args.files.iter().any(|file| file == "-").then(loader::read_stdin);
    let look = |file: &str| check(file, &args, &overlay, stdin.as_ref(), facts.as_ref());
    let mut outcome = Outcome::default();
    if args.fix || args.diff {
        for file in &args.files {
            fix::fix(&overlay, &mut outcome, || look(file).parsed());
        }
    }
    let checked: Vec<(String, Checked)> =
        args.files.iter().map(|file| (display_name(file).to_owned(), look(file))).collect();
    let report = report_of(&checked, &args)?;
    let told = told(&outcome, args.diff);
    // Standard output is one thing: a diff, or a report.
    let (out, aside) = if args.diff {
        (overlay.diff(checked.iter().filter_map(|(_, c)| c.as_parsed())), format!("{told}{report}"))
    } else if args.format == Format::Text {
        (format!("{told}{report}"), String::new())
    } else {
        (report, told)
    };
    if args.fix && !args.diff {
        overlay.write()?;
    }
    eprint!("{aside}");
    // A patch has to fit, byte for byte.
    if args.diff {
        print_data!("{out}")
    } else {
        print!("{out}")
    }
    Ok(if checked.iter().all(|(_, c)| c.is_good()) { ExitCode::SUCCESS } else { ExitCode::from(BAD_INPUT) })
}

/// What was fixed, and what could not be reached.
fn told(outcome: &Outcome, dry: bool) -> String {
    let fixed = outcome.fixed.iter().map(|line| {
        let line = if dry { line.replacen(": fixed ", ": would fix ", 1) } else { line.clone() };
        format!("{line}\n")
    });
    let left =
        outcome.out_of_reach.iter().map(|path| format!("{path}: not fixed: it is no file that can be written\n"));
    fixed.chain(left).collect()
}

fn report_of(checked: &[(String, Checked)], args: &Args) -> anyhow::Result<String> {
    match args.format {
        Format::Text => Ok(text(checked, &diagnostics::style_for(&std::io::stdout()))),
        Format::Json => report::json(checked, args.syntax),
        Format::Sarif => sarif::sarif(&report::findings(checked)),
        Format::Github => Ok(ci::github(&report::findings(checked))),
        Format::Gitlab => ci::gitlab(&report::findings(checked)),
    }
}

fn display_name(file: &str) -> &str {
    if file == "-" { "<stdin>" } else { file }
}

fn check(
    file: &str,
    args: &Args,
    overlay: &Overlay,
    stdin: Option<&std::io::Result<String>>,
    facts: Option<&ImageFacts>,
) -> Checked {
    let text = match stdin.filter(|_| file == "-") {
        Some(Ok(text)) => Ok(text.clone()),
        Some(Err(error)) => Err(loader::describe(error)),
        None if fetch::is_url(file) => fetch::fetch(file).map_err(|error| format!("{error:#}")),
        None => overlay.read(Path::new(file)).map_err(|error| loader::describe(&error)),
    };
    let text = match text {
        Err(reason) => return Checked::Unreadable(reason),
        Ok(text) => text,
    };
    // What came over the network includes its neighbours from there, as it does for an installation.
    let fetching = FileLoader::with_fetch(&fetch::fetch_include);
    let loader: &dyn Loader = if fetch::is_url(file) { &fetching } else { overlay };
    let options = ParseOptions { syntax: args.syntax, loader: Some(loader) };
    let mut parsed = parse(&text, display_name(file), &options);
    judge(&mut parsed, facts);
    weigh(&mut parsed, args);
    Checked::Parsed(Box::new(parsed))
}

/// Leave out what is allowed, and make an error of what is denied.
fn weigh(parsed: &mut Parsed, args: &Args) {
    parsed.diagnostics.retain(|d| !d.allowed && !args.allow.iter().any(|code| code.id == d.code));
    for diagnostic in &mut parsed.diagnostics {
        let ours = CODES.iter().any(|code| code.id == diagnostic.code);
        if ours && args.installer == Installer::Anaconda {
            diagnostic.severity = Severity::Info;
        }
        // To call such a file good would be wrong.
        if values::LOCKED_OUT.iter().any(|code| code.id == diagnostic.code) {
            diagnostic.severity = Severity::Error;
        }
        let denied = args.deny.iter().any(|deny| match deny {
            Deny::Warnings => diagnostic.severity == Severity::Warning,
            Deny::Code(code) => code.id == diagnostic.code,
        });
        if denied {
            diagnostic.severity = Severity::Error;
        }
    }
}

fn text(checked: &[(String, Checked)], style: &Style) -> String {
    let mut out = String::new();
    for (path, file) in checked {
        match file {
            Checked::Unreadable(reason) => {
                out.push_str(&format!("{}\n", report::unreadable(path, reason)));
            }
            Checked::Parsed(parsed) => {
                out.push_str(&diagnostics::render_all(&parsed.diagnostics, &parsed.sources, style));
                let verdict = diagnostics::summary(&parsed.diagnostics);
                out.push_str(&format!("{path}: {} ({})\n", verdict.as_deref().unwrap_or("good"), parsed.syntax));
            }
        }
    }
    let all = || checked.iter().filter_map(|(_, c)| c.as_parsed()).flat_map(|parsed| &parsed.diagnostics);
    // What is worst is what a reader has to know more about.
    if let Some(first) = all().find(|d: &&Diagnostic| d.is_error()).or_else(|| all().next()) {
        out.push_str(&format!("`bootc-ks explain {}` says more about a code\n", first.code));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn look(path: &str) -> Checked {
        let args = Args {
            files: Vec::new(),
            syntax: None,
            image_facts: None,
            format: Format::Text,
            installer: Installer::BootcKs,
            allow: Vec::new(),
            deny: Vec::new(),
            fix: false,
            diff: false,
        };
        check(path, &args, &Overlay::new(), None, None)
    }

    fn checked(texts: &[&str]) -> (tempfile::TempDir, Vec<(String, Checked)>) {
        let dir = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            let path = dir.path().join(format!("{n}.ks"));
            fs::write(&path, text).unwrap();
            let path = path.to_string_lossy().into_owned();
            all.push((path.clone(), look(&path)));
        }
        (dir, all)
    }

    #[test]
    fn json_is_one_document_with_stable_fields() {
        let (dir, mut all) = checked(&["text\nautopart --tpye=plain\n"]);
        let missing = dir.path().join("none.ks").to_string_lossy().into_owned();
        all.push((missing.clone(), look(&missing)));
        let value: serde_json::Value = serde_json::from_str(&report::json(&all, None).unwrap()).unwrap();
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
        const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p";
        let good =
            format!("rootpw --lock\nautopart\nsshkey --username=root \"{KEY}\"\nostreecontainer --url=quay.io/a/b\n");
        let (_dir, all) = checked(&[&good, "bogus\n"]);
        assert!(all[0].1.is_good());
        assert!(!all[1].1.is_good());
        let out = text(&all, &Style::plain());
        assert!(out.contains("0.ks: good (F44)"), "{out}");
        assert!(out.contains("1.ks: 1 error, 2 warnings (F44)"), "{out}");
    }
}

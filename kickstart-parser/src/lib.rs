//! The kickstart language: text in, typed commands and diagnostics out.
//!
//! ```text
//!  text ──► lex ──► reader ──────► Document ──► interpret ──► Kickstart
//!           lines    sections       lines and    args + one    typed, one
//!           words    %include       statements   file per      field per
//!                    (Loader)                    command       command
//!                        └──────────── Diagnostics ───┴──► lints
//! ```
//!
//! Beside that way stand [`mod@format`] (the same file in one form, comments kept), [`convert`]
//! (for another version), [`Kickstart::to_pykickstart`], [`catalog`] (the language as data),
//! [`Silences`] (what comments in the file allow) and, with the feature of that name, `render`
//! (findings for people, with the lines that they are about).
//!
//! Modules import in one direction, with one exception that is meant: a command's file has the
//! command's type, of which [`Kickstart`] has a field, and the function that puts a line of it into
//! the `Kickstart`. So one command is one file, and the circle between `commands`, `sections` and
//! `kickstart` is its price.
//!
//! Pure: no I/O, no C library, no global state. Every finding has a span, all
//! findings come from one run, and no input makes it panic.
//!
//! ```
//! use kickstart_parser::{ParseOptions, parse};
//!
//! let text = "\
//! timezone Etc/UTC --utc
//! autopart --type=plian
//! user --name=ann --groups=wheel
//! sshkey --username=ann \"ssh-ed25519 AAAA ann@example\"
//! ostreecontainer --url quay.io/example/os:latest
//! ";
//! let parsed = parse(text, "site.ks", &ParseOptions::default());
//!
//! // One mistake, and where it is.
//! assert!(parsed.has_errors());
//! let finding = parsed.diagnostics[0].resolve(&parsed.sources);
//! assert_eq!(finding.code, "E212");
//! assert_eq!((finding.line, finding.column), (2, 17));
//!
//! // Everything else was understood all the same.
//! let image = parsed.kickstart.ostreecontainer.unwrap();
//! assert_eq!(image.url, "quay.io/example/os:latest");
//! assert_eq!(parsed.kickstart.users[0].groups, ["wheel"]);
//! ```

// Pure: `clippy.toml` lists what is not.
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod args;
pub mod authconfig;
pub mod catalog;
pub mod codes;
mod commands;
mod conflicts;
pub mod convert;
mod diagnostic;
mod document;
mod fixes;
pub mod format;
mod interpret;
pub mod kickstart;
mod lex;
mod limits;
mod lints;
mod loader;
mod odd;
mod options;
mod pen;
mod pykickstart;
mod reader;
#[cfg(feature = "render")]
pub mod render;
mod secret;
mod sections;
mod shell;
mod span;
mod suppress;
mod syntax;
mod templates;
mod trailing;
pub mod values;

pub use args::guess::closest;
pub use codes::Severity;
pub use diagnostic::{Diagnostic, Fix, Label, ResolvedDiagnostic, ResolvedEdit, ResolvedFix};
pub use document::{CommandLine, DeferredInclude, Document, File, Line, LineKind, Section, Statement, Word};
pub use kickstart::Kickstart;
pub use loader::{IncludeRequest, LoadError, Loaded, Loader};
pub use options::ParseOptions;
pub use secret::Secret;
pub use span::{Location, Source, SourceId, Sources, Span};
pub use suppress::Silences;
pub use syntax::{Syntax, UnknownSyntax};

use std::collections::HashMap;

use args::Cx;
use reader::Reader;

/// What came out.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parsed {
    /// The text taken apart, without loss.
    pub document: Document,
    /// What it says.
    pub kickstart: Kickstart,
    /// What is wrong with it, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// What the comments of the kickstart allow; `diagnostics` is without it.
    pub silences: Silences,
    /// The texts that the spans point into.
    pub sources: Sources,
    /// The version that it was read as.
    pub syntax: Syntax,
}

impl Parsed {
    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Parse a kickstart. `path` is what the diagnostics call it.
pub fn parse(text: &str, path: &str, options: &ParseOptions<'_>) -> Parsed {
    let mut reader = Reader::new(options);
    reader.read(text, path);
    let Reader { mut sources, mut diagnostics, document, mut secrets, platform, .. } = reader;
    let syntax = options.syntax.unwrap_or_else(|| version_line(&sources, &document, &mut diagnostics));
    let defined = HashMap::new();
    let mut cx = Cx { syntax, diagnostics: &mut diagnostics, secrets: &mut secrets, defined };
    let mut kickstart = interpret::interpret(&document, &sources, &mut cx);
    kickstart.platform = platform;
    sources.hide(secrets);
    let lost = lints::Lost::of(&diagnostics, &sources);
    let end = end_of_root(&sources);
    diagnostics.extend(limits::bounded(lints::lint(&kickstart, &document, &lost, end)));
    fixes::complete(&mut diagnostics, &document, &sources);
    // Sources are numbered in the order of reading, which is close enough to
    // the order of the text for a file that is included in the middle.
    diagnostics.sort_by_key(|d| (d.span.source, d.span.start));
    let mut silences = Silences::of(&document, &sources);
    let diagnostics = silences.judge(diagnostics, &sources);
    Parsed { document, kickstart, diagnostics, silences, sources, syntax }
}

fn end_of_root(sources: &Sources) -> Span {
    let end = sources.get(SourceId::ROOT).map_or(0, |s| s.text().trim_end().len());
    Span::new(SourceId::ROOT, end, end)
}

/// The version that the file asks for in its first `#version=` line.
fn version_line(sources: &Sources, document: &Document, diagnostics: &mut Vec<Diagnostic>) -> Syntax {
    const MARK: &str = "#version=";
    let lines = document.files.first().map_or(&[][..], |f| &f.lines);
    let line = lines.iter().filter(|l| l.kind == LineKind::Comment).find(|l| sources.slice(l.span).starts_with(MARK));
    let Some(line) = line else {
        return Syntax::default();
    };
    let name = sources.slice(line.span)[MARK.len()..].trim();
    match name.parse() {
        Ok(syntax) => syntax,
        Err(UnknownSyntax(_)) => {
            let default = Syntax::default();
            diagnostics.push(
                Diagnostic::new(
                    &codes::UNKNOWN_VERSION,
                    line.span,
                    format!("kickstart syntax `{name}` is not supported; reading as {default}"),
                )
                .help("there are RHEL7 to RHEL11, F35 to F46 and DEVEL"),
            );
            default
        }
    }
}

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! The kickstart that was named, read into a request: fetched, its %pre run where that is
//! wanted, parsed, and everything that is wrong with it said at once.

use std::path::Path;

use anyhow::Context;
use installer_core::apply::run_pre_script;
use installer_core::event::{Event, Sink};
use installer_core::host::Real;
use installer_core::prepare::loader::{self, FileLoader};
use installer_core::prepare::{allows_clearing, before_scripts, judge, lays_out_nothing, require_layout};
use installer_core::request::{Layout, Request, Scheme, Script, When, from_kickstart};
use installer_core::units::Digest;
use installer_core::{Error, Stage};
use kickstart_parser::format::flatten;
use kickstart_parser::kickstart::Kickstart;
use kickstart_parser::{Diagnostic, ParseOptions, Parsed, Severity, SourceId, Sources, codes, parse};

use crate::diagnostics;
use crate::error::BadKickstart;
use crate::fetch::{self, fetch, fetch_include};
use crate::fmt;

/// A kickstart, understood.
pub struct Site {
    /// What it asks for.
    pub request: Request,
    /// Its text for keeping, with stars in place of passwords.
    pub shown: String,
    /// The digest of its text.
    pub digest: Digest,
    /// Whether it says itself that disks may be cleared.
    pub allows_clearing: bool,
}

/// What to do about %pre.
pub enum PreScripts<'a> {
    /// Run them.
    Run(&'a dyn Sink),
    /// Say that they were not run.
    Skip,
}

/// Reads the kickstart at `name`, a path, `-` or a URL.
pub fn read(name: &str, pre: &PreScripts<'_>) -> anyhow::Result<Site> {
    let text = text_of(name)?;
    let mut parsed = parse_text(&text, name);
    let scripts = pre_scripts(&parsed.kickstart, &parsed.sources);
    if !scripts.is_empty() {
        // What %pre will make is included when it has run; anything else is wrong already.
        if parsed.has_errors() {
            return Err(refuse(&parsed.diagnostics, &parsed.sources, name));
        }
        match pre {
            PreScripts::Run(events) => {
                run_all(&scripts, *events)?;
                parsed = parse_text(&text, name);
                // Nothing more will make them.
                missing_now(&mut parsed.diagnostics);
            }
            PreScripts::Skip => eprintln!("note: %pre is not run here; what it would make is not part of the plan"),
        }
    }
    let planning = matches!(pre, PreScripts::Skip);
    if !planning && scripts.is_empty() {
        missing_now(&mut parsed.diagnostics);
    }
    let mut request = judge(&mut parsed, None);
    if parsed.has_errors() {
        return Err(refuse(&parsed.diagnostics, &parsed.sources, name));
    }
    tell(&parsed.diagnostics, &parsed.sources);
    if planning && !parsed.document.deferred.is_empty() && lays_out_nothing(&parsed.kickstart, &request) {
        eprintln!(
            "note: the partitions are in a file that is not there yet and cannot be known; \
             those of 'autopart' are planned in their place"
        );
        request.layout = Layout::Auto { scheme: Scheme::Plain, filesystem: None, swap: true, boot: true };
    }
    if planning {
        before_scripts(&mut request);
    }
    require_layout(&parsed.kickstart, &request, name)?;
    let allows_clearing = allows_clearing(&parsed.kickstart, &request);
    let shown = parsed.sources.get(SourceId::ROOT).map(|source| source.shown(0..text.len())).unwrap_or_default();
    Ok(Site { request, shown, digest: Digest::of(text.as_bytes()), allows_clearing })
}

/// Files that were to be made, and are not there when they are needed.
fn missing_now(found: &mut [Diagnostic]) {
    for diagnostic in found.iter_mut().filter(|d| d.code == codes::INCLUDE_DEFERRED.id) {
        diagnostic.severity = Severity::Error;
        diagnostic.message = "the included file is still not there".to_owned();
        diagnostic.help = Some("does %pre write it where the line looks for it?".to_owned());
    }
}

fn text_of(name: &str) -> anyhow::Result<String> {
    if fetch::is_url(name) {
        return fetch(name).map_err(|error| match error.downcast::<Error>() {
            Ok(ours) => ours.into(),
            Err(error) => Error::world(Stage::Request, format!("{error:#}"))
                .hint("is the address right, and the network up?")
                .into(),
        });
    }
    let text = if name == "-" { loader::read_stdin() } else { loader::read(Path::new(name)) };
    text.map_err(|error| Error::input(Stage::Request, format!("{name}: {}", loader::describe(&error))).into())
}

fn parse_text(text: &str, name: &str) -> Parsed {
    let loader = FileLoader::with_fetch(&fetch_include);
    parse(text, name, &ParseOptions { syntax: None, loader: Some(&loader) })
}

/// What the kickstart at `name` says, as far as it can be understood; nothing is fetched for it.
pub fn look_at(name: &str) -> anyhow::Result<Kickstart> {
    let loader = FileLoader::new();
    let options = ParseOptions { syntax: None, loader: Some(&loader) };
    Ok(parse(&text_of(name)?, name, &options).kickstart)
}

/// The text at `name` for a medium: judged as `check` does, and whole, for there is nothing
/// beside it when it is read.
pub fn for_medium(name: &str) -> anyhow::Result<String> {
    let (shown, text) = (fmt::display_name(name), text_of(name)?);
    let mut parsed = parse_text(&text, shown);
    judge(&mut parsed, None);
    if parsed.has_errors() {
        return Err(refuse(&parsed.diagnostics, &parsed.sources, shown));
    }
    tell(&parsed.diagnostics, &parsed.sources);
    flatten(&parsed).with_context(|| format!("putting what {shown} includes in place"))
}

fn tell(found: &[Diagnostic], sources: &Sources) {
    eprint!("{}", diagnostics::render_all(found, sources, &diagnostics::style_for(&std::io::stderr())));
}

fn refuse(found: &[Diagnostic], sources: &Sources, name: &str) -> anyhow::Error {
    tell(found, sources);
    let summary = diagnostics::summary(found).unwrap_or_default();
    BadKickstart(format!("{name} cannot be used: {summary}")).into()
}

fn pre_scripts(kickstart: &Kickstart, sources: &Sources) -> Vec<Script> {
    let (request, _) = from_kickstart(kickstart, sources);
    request.scripts.into_iter().filter(|script| script.when == When::Pre).collect()
}

fn run_all(scripts: &[Script], events: &dyn Sink) -> anyhow::Result<()> {
    for script in scripts {
        if let Some(message) = run_pre_script(script, &Real, events)? {
            events.emit(&Event::Warning { message });
        }
    }
    Ok(())
}

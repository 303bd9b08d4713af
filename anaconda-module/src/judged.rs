//! A kickstart with all that is known of it: what `Kickstart` has in Python, and what a
//! `Diagnostic` points into.

use std::sync::Arc;

use installer_core::prepare::{allows_clearing, judge};
use installer_core::request::Request;
use installer_core::units::Digest;
use installer_core::{Error, Stage};
use kickstart_parser::kickstart::ScriptKind;
use kickstart_parser::{Parsed, SourceId};

/// A kickstart, and all that is known of it.
#[derive(Debug)]
pub struct Judged {
    /// What messages call it.
    pub name: String,
    /// What the parser says.
    pub parsed: Parsed,
    /// What it asks of the installer.
    pub request: Request,
}

impl Judged {
    /// `parsed`, which messages call `name`, with what it asks for.
    pub fn new(mut parsed: Parsed, name: String) -> Arc<Self> {
        let request = judge(&mut parsed, None);
        Arc::new(Judged { name, parsed, request })
    }

    /// Its text with stars in place of passwords.
    pub fn shown(&self) -> String {
        let root = self.parsed.sources.get(SourceId::ROOT);
        root.map(|source| source.shown(0..source.text().len())).unwrap_or_default()
    }

    /// The digest of its text.
    pub fn digest(&self) -> Digest {
        let root = self.parsed.sources.get(SourceId::ROOT);
        Digest::of(root.map(|source| source.text().as_bytes()).unwrap_or_default())
    }

    /// Whether it says itself that disks may be cleared.
    pub fn allows_clearing(&self) -> bool {
        allows_clearing(&self.parsed.kickstart, &self.request)
    }

    /// Whether it has scripts that are to run before anything else.
    pub fn has_pre(&self) -> bool {
        self.parsed.kickstart.scripts.iter().any(|script| script.kind == ScriptKind::Pre)
    }

    /// Fails where a part of it was not read.
    pub fn require_whole(&self) -> Result<(), Error> {
        let Some(missing) = self.parsed.document.deferred.first() else { return Ok(()) };
        let at = self.parsed.sources.locate(missing.span);
        let message = format!("{}:{}: '{}' is included and was not read", at.path, at.line, missing.path);
        Err(Error::input(Stage::Request, message).hint("parse the kickstart again when the file is there"))
    }
}

//! The signature policy of this machine, containers-policy.json(5): whether an image may be used
//! at all. It is asked before anything is asked of a registry.
//!
//! Signatures are not verified here. An image that may be used without one goes on, one that may
//! not be used, or only with a signature, is refused. What is wrong with the file refuses as
//! well, as with podman and skopeo: there is no telling what it was to forbid.

mod file;
mod scope;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::access::Places;
use super::facts::PolicyFacts;
use super::reference::ImageReference;
use crate::bounded;
use crate::error::{Error, Result, Stage};

use file::{Policy, Requirement};
use scope::Identity;

/// The rule by which `reference` may be used; `None` where this machine has no policy.
pub(super) fn admit(places: &Places, reference: &ImageReference) -> Result<Option<PolicyFacts>> {
    let Some((path, text)) = find(places)? else { return Ok(None) };
    let policy = Policy::parse(&text).map_err(|why| {
        Error::refused(Stage::Resolve, format!("the signature policy {} cannot be understood: {why}", path.display()))
            .hint("correct it: containers-policy.json(5) has its form; until then no image may be used")
    })?;
    let identity = Identity::of(reference);
    let (scope, requirements) = policy.rule_for(&identity);
    // All of them must hold; the one that does not hold is the one to tell of.
    let refused = requirements.iter().find(|requirement| **requirement != Requirement::AcceptAnything);
    let rule = PolicyFacts {
        file: path.display().to_string(),
        transport: scope.map(|_| identity.transport.to_owned()),
        scope: scope.cloned(),
        requirement: refused.unwrap_or(&Requirement::AcceptAnything).name().to_owned(),
    };
    match refused {
        None => Ok(Some(rule)),
        Some(requirement) => Err(refusal(reference, &rule, requirement)),
    }
}

fn refusal(reference: &ImageReference, rule: &PolicyFacts, requirement: &Requirement) -> Error {
    let file = &rule.file;
    let (why, hint) = match requirement {
        Requirement::Signed(_) => (
            "is to be used with a signature alone, and signatures cannot be verified yet",
            format!("if it may be used without, say insecureAcceptAnything for it in {file}"),
        ),
        _ => ("must not be used", format!("name an image that {file} accepts, or accept this one there")),
    };
    Error::refused(Stage::Resolve, format!("by this machine's signature policy {reference} {why} ({rule})")).hint(hint)
}

/// The one file that counts: the user's, else the system's.
fn find(places: &Places) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let user = places.home.as_ref().map(|home| home.join(".config/containers/policy.json"));
    let system = ["etc", "usr/share"].map(|dir| places.system(&format!("{dir}/containers/policy.json")));
    for path in user.into_iter().chain(system) {
        match read(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => {
                return Err(Error::refused(
                    Stage::Resolve,
                    format!("the signature policy {} cannot be read", path.display()),
                )
                .because(error)
                .hint("make it readable: it says which images may be used"));
            }
        }
    }
    Ok(None)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    bounded::read(path, bounded::DOCUMENT)
}

#[cfg(test)]
mod tests;

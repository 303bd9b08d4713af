//! What an installation leaves on record in the system that it made, and how that is held against the
//! system later.
//!
//! ```text
//! apply ── what was asked for ─► observe ─► Record ─► /var/lib/bootc-ks/install.json
//! verify ── what is recorded ──► observe ─► differences
//! ```
//!
//! Both ways go through the same eyes ([`observe`]): the record says what the installation left, its
//! scripts included, and a difference is what has changed since. The record has no secret: of passwords it
//! says whether one is set, of keys the fingerprint, of a file with a secret in it no digest.

mod installed;
mod observe;
mod types;
mod units;
mod verify;

use crate::error::{Context, Error, Result, Stage};

pub use installed::Installed;
pub use observe::{file, group, keys, user};
pub use types::{
    File, FileKind, Group, Keys, PasswordState, Record, RecordedDisk, RecordedImage, RecordedStep, SCHEMA, Unit,
    UnitState, User,
};
pub use units::unit;
pub use verify::{About, Difference, Findings, verify};

/// The directory of the record in the installed system.
pub const DIRECTORY: &str = "/var/lib/bootc-ks";
/// The record.
pub const PATH: &str = "/var/lib/bootc-ks/install.json";

/// Reads the record of a system.
pub fn read(system: &Installed) -> Result<Record> {
    let missing = || {
        Error::world(Stage::Request, format!("there is no record of an installation here ({PATH})"))
            .hint("bootc-ks writes it into the systems that it installs; '--root' takes one that is mounted")
    };
    let text = match system.read(PATH) {
        Ok(text) => text.ok_or_else(missing)?,
        Err(error) => {
            let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
            let error = Error::world(Stage::Request, format!("reading {PATH}")).because(error);
            return Err(if denied { error.hint("only root may read it") } else { error });
        }
    };
    let doing = format!("reading {PATH}");
    let value: serde_json::Value = serde_json::from_str(&text).doing(Stage::Request, &doing).map_err(spoiled)?;
    match value["schema"].as_u64() {
        Some(schema) if schema == u64::from(SCHEMA) => {}
        other => {
            let other = other.map_or("no".to_owned(), |schema| schema.to_string());
            return Err(Error::world(Stage::Request, format!("{PATH} has version {other} of its form, not {SCHEMA}"))
                .hint("use the bootc-ks that installed this system, or a newer one"));
        }
    }
    serde_json::from_value(value).doing(Stage::Request, &doing).map_err(spoiled)
}

fn spoiled(error: Error) -> Error {
    Error::world(Stage::Request, format!("{PATH} is not as an installation writes it"))
        .because(error)
        .hint("take it from a backup; the installation's own log is in /var/log/bootc-ks")
}

#[cfg(test)]
mod tests;

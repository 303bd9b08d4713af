//! What an installation is told beforehand, and what it reports at the end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::failure_point::FailurePoint;
use crate::cancel::Cancel;
use crate::request::EndAction;
use crate::units::Digest;

/// The version of the JSON form of [`Report`].
pub const SCHEMA: u32 = 1;

/// The log of an installation.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its file.
    pub path: PathBuf,
    /// Where in it this installation begins; before that are others.
    pub from: u64,
}

/// How to carry it out.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The installation's log, copied into the installed system.
    pub log: Option<Log>,
    /// The kickstart, copied into the installed system as a record of how it came to be.
    /// The caller takes passwords out.
    pub kickstart: Option<String>,
    /// The digest of the kickstart as it was read, for the record of the installation.
    pub kickstart_digest: Option<Digest>,
    /// Makes it end there, for tests of what that leaves behind.
    pub fail_at: Option<FailurePoint>,
    /// Stops the installation before its next step, or while layers are read.
    pub cancel: Cancel,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The plan's digest.
    pub plan: Digest,
    /// The image's manifest.
    pub image: Digest,
    /// The deployed commit.
    pub commit: String,
    /// Where it is.
    pub target: String,
    /// Kernel arguments of the boot entry.
    pub kargs: Vec<String>,
    /// Steps with what each took, in milliseconds.
    pub steps: Vec<(String, u64)>,
    /// What went wrong without ending it.
    pub warnings: Vec<String>,
    /// What the machine does now.
    pub end: EndAction,
}

//! The record as data: what is published as docs/schema/install.json.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Digest};

/// The version of the JSON form of [`Record`].
pub const SCHEMA: u32 = 1;

/// How a system came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When this was written, at the end of the installation: RFC 3339, UTC.
    pub installed: String,
    /// Versions by name: `bootc-ks`, and `system` and `kernel` of the installed system.
    pub versions: BTreeMap<String, String>,
    /// The digest of the plan.
    pub plan: Digest,
    /// The digest of the kickstart's own file, where a kickstart was read.
    pub kickstart: Option<Digest>,
    /// The image.
    pub image: RecordedImage,
    /// Where it was installed: a disk, a disk image, or file systems.
    pub target: String,
    /// The disks that the system is on, where they are real ones.
    pub disks: Vec<RecordedDisk>,
    /// Kernel arguments of the boot entry, without `ostree=`.
    pub kargs: Vec<String>,
    /// What was done before this was written, in order.
    pub steps: Vec<RecordedStep>,
    /// What went wrong without ending the installation, and what was to be known before.
    pub warnings: Vec<String>,
    /// Users that were made or changed, as they were left.
    pub users: Vec<User>,
    /// Groups that were asked for.
    pub groups: Vec<Group>,
    /// Keys that let users in.
    pub ssh_keys: Vec<Keys>,
    /// Units that were enabled or disabled.
    pub units: Vec<Unit>,
    /// Files and links that were written.
    pub files: Vec<File>,
}

/// The image of a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedImage {
    /// Where it was fetched from.
    pub source: String,
    /// Its manifest.
    pub digest: Digest,
    /// Where updates come from.
    pub updates_from: String,
    /// The OSTree commit that it became.
    pub commit: String,
}

/// A disk of a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedDisk {
    /// Its node when it was installed onto.
    pub path: String,
    /// Its steadiest name.
    pub stable: String,
    /// Its size.
    pub size: Bytes,
    /// Its model, where it has one.
    pub model: Option<String>,
    /// Its serial number, where it has one.
    pub serial: Option<String>,
    /// Its world-wide name, where it has one.
    pub wwn: Option<String>,
}

/// A step of a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedStep {
    /// Its name, as in the plan.
    pub step: String,
    /// What it did, for people.
    pub title: String,
    /// How long it took.
    pub millis: u64,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Names of the further groups, sorted.
    pub groups: Vec<String>,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// What a password can do.
    pub password: PasswordState,
}

/// Whether a password opens an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordState {
    /// One is set.
    Set,
    /// The account is locked (`!`).
    Locked,
    /// There is none that could be right (`*`).
    None,
    /// It is open without one.
    Empty,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its id.
    pub gid: u32,
}

/// The keys that let a user in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The user.
    pub user: String,
    /// The file that they are in.
    pub file: String,
    /// `SHA256:…` of each, sorted, as `ssh-keygen -l` shows them.
    pub fingerprints: Vec<String>,
}

/// A unit of systemd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name.
    pub unit: String,
    /// Whether it starts with the system.
    pub state: UnitState,
    /// The links in /etc/systemd/system that start it or are other names of it, sorted.
    pub links: Vec<String>,
}

/// Whether a unit starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitState {
    /// A link in /etc starts it.
    Enabled,
    /// None does.
    Disabled,
    /// Nothing can start it.
    Masked,
}

/// A file, a link or a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path in the running system.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// The digest of a file's content; none of a file that has a secret in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Permissions (`0644`) of what is no link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `UID:GID`.
    pub owner: String,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// Something else.
    Other,
}

//! What is said to `bootc-ks-ostree` and what it answers: one request on its standard input, one
//! answer, both JSON. The two programs are built together; the number says so when they were not.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The version of these types. A program of another version refuses the request.
pub const PROTOCOL: u32 = 1;

/// What every request begins with, whatever its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preamble {
    /// [`PROTOCOL`].
    pub protocol: u32,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// What is to be done.
    pub work: Work,
}

/// What libostree is needed for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Which libostree is there?
    Version,
    /// Make the bare repository `repo`.
    CreateRepo {
        /// A directory that does not exist yet.
        repo: PathBuf,
    },
    /// Check `commit` out as hard links.
    Checkout {
        /// A bare repository.
        repo: PathBuf,
        /// The commit, in hexadecimal.
        commit: String,
        /// A directory that does not exist yet.
        to: PathBuf,
    },
    /// Make an empty system root with one stateroot.
    Initialise {
        /// Where the root file system is mounted.
        root: PathBuf,
        /// The stateroot.
        stateroot: String,
    },
    /// Set which boot menu libostree rewrites at each deployment.
    SetBootloaderBackend {
        /// The system root.
        root: PathBuf,
        /// libostree's name of the backend.
        backend: String,
    },
    /// Deploy a commit and write its boot entry.
    Deploy(Deploy),
    /// Tell the SELinux labels of paths.
    Label {
        /// The policy is below `etc/selinux` in here.
        policy_root: PathBuf,
        /// Paths as the system sees them, each with its mode.
        paths: Vec<(String, u32)>,
    },
}

/// What to deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deploy {
    /// The system root.
    pub root: PathBuf,
    /// Stateroot.
    pub stateroot: String,
    /// The merged commit.
    pub commit: String,
    /// `container-image-reference` of the origin.
    pub origin: String,
    /// Kernel arguments; libostree adds `ostree=`.
    pub kargs: Vec<String>,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Work::Version`].
    Version(Version),
    /// It is done, and there is nothing more to say.
    Done,
    /// To [`Work::Deploy`].
    Deployed {
        /// The deployment's directory, from the system root.
        directory: String,
    },
    /// To [`Work::Label`], in the order of the question; `None` where the policy has no label.
    Labels(Vec<Option<String>>),
    /// It could not be done.
    Failed {
        /// What was being done.
        doing: String,
        /// libostree's own words.
        cause: String,
    },
}

/// What a `bootc-ks-ostree` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// [`PROTOCOL`] of that program.
    pub protocol: u32,
    /// Year and number of the libostree that it runs with.
    pub libostree: (u32, u32),
}

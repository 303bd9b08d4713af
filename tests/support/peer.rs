//! bootc's importer, as a program that is asked (`tests/peer`): a judge that knows nothing of
//! ours. It runs in a root of Debian testing and sees the directories that it is given.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{need, need_root, output, run, source_root};

/// The program, with the directories that it may look into.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    directories: Vec<String>,
}

/// What the program told of an image in a repository.
#[derive(Clone, Debug)]
pub struct Told {
    /// Digest of the manifest.
    pub digest: String,
    /// The merged commit.
    pub commit: String,
    /// Digests of the layers, lowest first.
    pub layers: Vec<String>,
    /// The keys of the commit's metadata, sorted.
    pub keys: Vec<String>,
}

impl Peer {
    /// With nothing to see.
    pub fn new() -> Self {
        need_root();
        need("mmdebstrap", "mmdebstrap");
        Self::default()
    }

    /// Shows it `directory`, with what is mounted in it, as `/mnt/NAME`.
    pub fn with(mut self, name: &str, directory: &Path) -> Self {
        self.directories.push(format!("{name}={}", directory.display()));
        self
    }

    /// Asks; the answer, or what it said instead.
    pub fn try_ask(&self, args: &[&str]) -> Result<Value, String> {
        let mut command = Command::new(source_root().join("tests/peer/run"));
        let output = output(command.args(&self.directories).arg("--").args(args));
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).map_err(|error| format!("no JSON ({error}): {text}"))
    }

    /// Asks what has an answer.
    #[track_caller]
    pub fn ask(&self, args: &[&str]) -> Value {
        self.try_ask(args).unwrap_or_else(|said| panic!("the peer does not {}:\n{said}", args.join(" ")))
    }
}

impl Told {
    /// Reads an answer.
    pub fn read(answer: &Value) -> Self {
        let list = |key: &str| -> Vec<String> {
            let values = answer[key].as_array().unwrap_or_else(|| panic!("no {key} in {answer}"));
            values.iter().map(|value| value.as_str().expect("a text").to_owned()).collect()
        };
        let text = |key: &str| answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned();
        Self { digest: text("digest"), commit: text("commit"), layers: list("layers"), keys: list("keys") }
    }
}

/// The complete listing of a commit: mode, owner, size, checksums, attributes, path.
pub fn listing(repo: &Path, commit: &str) -> String {
    ostree(repo, &["ls", "--recursive", "--checksum", "--xattrs", commit])
}

/// What `ostree` says of a repository.
pub fn ostree(repo: &Path, args: &[&str]) -> String {
    run(Command::new(need("ostree", "ostree")).arg(format!("--repo={}", repo.display())).args(args))
}

/// The refs of a repository's images and layers.
pub fn refs(repo: &Path) -> Vec<String> {
    let mut names: Vec<String> = ostree(repo, &["refs"]).lines().map(str::to_owned).collect();
    names.retain(|name| name.starts_with("ostree/container/"));
    names.sort();
    names
}

/// The ref of a layer.
pub fn layer_ref(digest: &str) -> String {
    format!("ostree/container/blob/{}", digest.replace(':', "_3A_"))
}

/// A new bare repository in `dir`.
pub fn repository(dir: &Path, name: &str) -> PathBuf {
    let repo = dir.join(name);
    std::fs::create_dir_all(&repo).expect("making a repository");
    ostree(&repo, &["init", "--mode=bare"]);
    repo
}

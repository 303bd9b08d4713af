//! An installed system, looked at from outside: the deployment, the stateroot's /var, the
//! repository, the boot entry.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{need, run};

/// What is below a mounted root file system.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The root file system.
    pub physical: PathBuf,
    /// The one deployment.
    pub root: PathBuf,
    /// The stateroot.
    pub stateroot: PathBuf,
    /// The deployed commit.
    pub commit: String,
}

impl Installed {
    /// Finds the one deployment of `stateroot` below `physical`.
    pub fn find(physical: &Path, stateroot: &str) -> Self {
        let stateroot = physical.join("ostree/deploy").join(stateroot);
        let deployments: Vec<PathBuf> = std::fs::read_dir(stateroot.join("deploy"))
            .unwrap_or_else(|error| panic!("listing the deployments of {}: {error}", stateroot.display()))
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        let [root] = deployments.as_slice() else { panic!("not one deployment: {deployments:?}") };
        let name = root.file_name().expect("a name").to_string_lossy().into_owned();
        let commit = name.strip_suffix(".0").unwrap_or_else(|| panic!("{name} is not the first")).to_owned();
        Self { physical: physical.to_owned(), root: root.clone(), stateroot, commit }
    }

    /// Where a path of the running system is: /var belongs to the stateroot.
    pub fn path(&self, path: &str) -> PathBuf {
        match path.strip_prefix("/var") {
            Some(rest) => self.stateroot.join("var").join(rest.trim_start_matches('/')),
            None => self.root.join(path.trim_start_matches('/')),
        }
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> String {
        let file = self.path(path);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("reading {}: {error}", file.display()))
    }

    /// The line of `name` in a file with fields and colons.
    pub fn line(&self, path: &str, name: &str) -> Vec<String> {
        let text = self.text(path);
        let lines: Vec<&str> = text.lines().filter(|line| line.split(':').next() == Some(name)).collect();
        assert_eq!(lines.len(), 1, "{name} is not once in {path}:\n{text}");
        lines[0].split(':').map(str::to_owned).collect()
    }

    /// Mode with set-id bits, owner and group; of a link itself.
    pub fn owner(&self, path: &str) -> (u32, u32, u32) {
        let file = self.path(path);
        let meta = std::fs::symlink_metadata(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (meta.mode() & 0o7777, meta.uid(), meta.gid())
    }

    /// Whether something is there, be it a dangling link.
    pub fn exists(&self, path: &str) -> bool {
        std::fs::symlink_metadata(self.path(path)).is_ok()
    }

    /// The repository.
    pub fn repo(&self) -> PathBuf {
        self.physical.join("ostree/repo")
    }

    /// What `ostree` says of the repository.
    pub fn ostree(&self, args: &[&str]) -> String {
        run(Command::new(need("ostree", "ostree")).arg(format!("--repo={}", self.repo().display())).args(args))
    }

    /// A metadata value of the deployed commit, without the quotes of its notation.
    pub fn metadata(&self, key: &str) -> String {
        let text = self.ostree(&["show", &format!("--print-metadata-key={key}"), &self.commit]);
        let text = text.trim();
        let bare = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text);
        bare.replace("\\'", "'").replace("\\\\", "\\")
    }

    /// The one boot entry below `boot` (the mounted /boot, or the one on the root).
    pub fn entry(&self, boot: &Path) -> String {
        let dir = boot.join("loader/entries");
        let entries: Vec<PathBuf> = std::fs::read_dir(&dir)
            .unwrap_or_else(|error| panic!("listing {}: {error}", dir.display()))
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let [entry] = entries.as_slice() else { panic!("not one boot entry: {entries:?}") };
        std::fs::read_to_string(entry).expect("reading the boot entry")
    }

    /// The kernel arguments of that entry.
    pub fn kargs(&self, boot: &Path) -> Vec<String> {
        let entry = self.entry(boot);
        let options = entry.lines().find_map(|line| line.strip_prefix("options ")).unwrap_or_default();
        options.split_whitespace().map(str::to_owned).collect()
    }
}

/// The partition table of a disk or an image, as sfdisk sees it.
pub fn partition_table(disk: &Path) -> Value {
    let json = run(Command::new(need("sfdisk", "fdisk")).arg("--json").arg(disk));
    let value: Value = serde_json::from_str(&json).expect("reading sfdisk's JSON");
    value["partitiontable"].clone()
}

/// An extended attribute of a file; python is at hand on every Debian with a kernel to test.
pub fn attribute(file: &Path, name: &str) -> Option<String> {
    let script = "import os, sys\ntry: print(os.getxattr(sys.argv[1], sys.argv[2]).hex())\nexcept OSError: pass";
    let python = need("python3", "python3");
    let value = run(Command::new(python).args(["-c", script]).arg(file).arg(name));
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

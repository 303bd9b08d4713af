//! The installer environment as a directory: written by `netboot build`, read and verified by
//! whatever boots machines with it.
//! A truncated initrd boots and fails later, in silence; so digests are compared, not sizes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use installer_core::error::Context as _;
use installer_core::units::hex;
use installer_core::{Error, Result, Stage};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The version of environment.json that this writes and reads.
pub(crate) const SCHEMA: u32 = 1;
/// What it is called.
pub(crate) const MANIFEST: &str = "environment.json";
/// The kernel's name in the directory.
pub(crate) const KERNEL: &str = "vmlinuz";
/// The initramfs's.
pub(crate) const INITRD: &str = "initrd.img";

/// An installer environment on disk.
#[derive(Debug)]
pub struct Environment {
    dir: PathBuf,
    manifest: Manifest,
}

/// environment.json.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub schema: u32,
    pub arch: String,
    #[serde(default)]
    pub kernel: String,
    #[serde(default)]
    pub image: String,
    #[serde(default)]
    pub digest: String,
    #[serde(default)]
    pub kargs: Vec<String>,
    pub files: BTreeMap<String, Entry>,
}

/// A file of the environment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    size: u64,
    sha256: String,
}

impl Manifest {
    /// Writes it into `dir`, with the digests of the files that lie there.
    pub fn write(mut self, dir: &Path) -> Result<()> {
        for name in [KERNEL, INITRD] {
            let path = dir.join(name);
            let size = std::fs::metadata(&path).doing(Stage::Media, format!("looking at {}", path.display()))?.len();
            self.files.insert(name.to_owned(), Entry { size, sha256: sha256(&path)? });
        }
        let text = serde_json::to_string_pretty(&self).doing(Stage::Media, format!("writing {MANIFEST}"))?;
        std::fs::write(dir.join(MANIFEST), text + "\n").doing(Stage::Media, format!("writing {MANIFEST}"))
    }
}

impl Environment {
    /// Reads the directory and compares the digests of kernel and initrd.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(MANIFEST);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Error::world(Stage::Media, format!("reading {}", path.display()))
                .because(error)
                .hint("this wants a directory that 'bootc-ks netboot build' made")
        })?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| Error::input(Stage::Media, format!("reading {}", path.display())).because(error))?;
        if manifest.schema != SCHEMA {
            let message = format!("{} has schema {}; this command reads {SCHEMA}", path.display(), manifest.schema);
            return Err(Error::input(Stage::Media, message).hint("use the bootc-ks that made it, or make it again"));
        }
        let environment = Environment { dir: dir.to_owned(), manifest };
        environment.verify(KERNEL)?;
        environment.verify(INITRD)?;
        Ok(environment)
    }

    fn verify(&self, name: &str) -> Result<()> {
        let path = self.dir.join(name);
        let Some(entry) = self.manifest.files.get(name) else {
            return Err(Error::input(
                Stage::Media,
                format!("environment.json of {} names no {name}", self.dir.display()),
            )
            .hint("make the environment again with 'bootc-ks netboot build'"));
        };
        let size = std::fs::metadata(&path).doing(Stage::Media, format!("looking at {}", path.display()))?.len();
        if size != entry.size || sha256(&path)? != normal(&entry.sha256) {
            let message = format!("{} is not the file that environment.json tells of ({size} bytes)", path.display());
            return Err(Error::input(Stage::Media, message)
                .hint("it was truncated or changed; make the environment again or copy it whole"));
        }
        Ok(())
    }

    /// The architecture, as `uname -m` has it.
    pub fn arch(&self) -> &str {
        &self.manifest.arch
    }

    /// The kernel's release, for people.
    pub fn kernel_release(&self) -> &str {
        &self.manifest.kernel
    }

    /// The image that it was made from.
    pub fn image(&self) -> &str {
        &self.manifest.image
    }

    /// What every boot of it needs on the kernel's command line.
    pub fn kargs(&self) -> &[String] {
        &self.manifest.kargs
    }

    /// The kernel.
    pub fn kernel(&self) -> PathBuf {
        self.dir.join(KERNEL)
    }

    /// The initramfs.
    pub fn initrd(&self) -> PathBuf {
        self.dir.join(INITRD)
    }

    /// The digest of `vmlinuz` or `initrd.img`, in hexadecimal.
    pub fn sha256(&self, name: &str) -> Option<&str> {
        self.manifest.files.get(name).map(|entry| normal(&entry.sha256))
    }

    /// Boot loaders that the image brought.
    pub fn efi(&self) -> PathBuf {
        self.dir.join("efi")
    }
}

fn normal(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

/// The SHA-256 of a file in hexadecimal.
pub fn sha256(path: &Path) -> Result<String> {
    let doing = || format!("reading {}", path.display());
    let mut file = File::open(path).doing(Stage::Media, doing())?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer).doing(Stage::Media, doing())? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::fs;

    /// A small environment in `dir`.
    pub(crate) fn made_up(dir: &Path) {
        fs::create_dir_all(dir.join("efi")).unwrap();
        fs::write(dir.join("vmlinuz"), "kernel").unwrap();
        fs::write(dir.join("initrd.img"), "initrd").unwrap();
        let file = |name: &str| serde_json::json!({"size": 6, "sha256": sha256(&dir.join(name)).unwrap()});
        let manifest = serde_json::json!({
            "schema": 1, "arch": "x86_64", "kernel": "6.12.1", "image": "docker://registry.example/os",
            "digest": "sha256:00", "kargs": ["rd.neednet=1"],
            "files": {"vmlinuz": file("vmlinuz"), "initrd.img": file("initrd.img")},
        });
        fs::write(dir.join(MANIFEST), manifest.to_string()).unwrap();
    }

    #[test]
    fn digests_are_compared_and_not_only_sizes() {
        let dir = tempfile::tempdir().unwrap();
        made_up(dir.path());
        assert_eq!(Environment::open(dir.path()).unwrap().kargs(), ["rd.neednet=1"]);
        fs::write(dir.path().join("initrd.img"), "inItrd").unwrap();
        let error = Environment::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("initrd.img is not the file"), "{error}");
    }

    #[test]
    fn a_newer_environment_is_refused_and_none_is_explained() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Environment::open(dir.path()).unwrap_err().remedy().unwrap().to_string().contains("netboot build"));
        made_up(dir.path());
        let path = dir.path().join("environment.json");
        let newer = fs::read_to_string(&path).unwrap().replace("\"schema\":1", "\"schema\":2");
        fs::write(&path, newer).unwrap();
        assert!(Environment::open(dir.path()).unwrap_err().to_string().contains("schema 2"));
    }
}

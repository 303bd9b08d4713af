//! Secrets that the server makes: a token for each boot, and one for its admin.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use installer_core::atomic_file;
use installer_core::error::Context as _;
use installer_core::units::hex;
use installer_core::{Error, Result, Stage};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A new token: 32 hexadecimal digits of the kernel's randomness.
pub fn new() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// The token for the reports of an installation that began with `token`. It stands on the kernel's command
/// line, which every program of the installer and its logs may read: it does not tell the other one.
pub fn for_reports(token: &str) -> String {
    hex(&Sha256::digest(format!("bootc-ks reports of {token}"))[..16])
}

/// Whether two secrets are one, in a time that does not tell where they differ.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// What an admin's command needs to talk to the server; in a file beside the state that only
/// its owner may read.
#[derive(Clone, Serialize, Deserialize)]
pub struct Admin {
    /// Where the server is, from its own host.
    pub url: String,
    /// Proves that one may arm machines and read logs.
    pub token: String,
}

impl Admin {
    /// The file that belongs to a state.
    pub fn path(state: &Path) -> PathBuf {
        let mut name = state.as_os_str().to_owned();
        name.push(".admin");
        PathBuf::from(name)
    }

    /// Reads the file.
    pub fn read(state: &Path) -> Result<Self> {
        let path = Self::path(state);
        let doing = format!("reading {}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| {
            Error::world(Stage::Request, doing.clone())
                .because(error)
                .hint("'bootc-ks netboot serve' writes it beside its --state; use the same --state, as the same user")
        })?;
        serde_json::from_str(&text).map_err(|error| Error::input(Stage::Request, doing).because(error))
    }

    /// Writes the file for a server at `url`, with the token that was in it before.
    pub fn write(state: &Path, url: &str) -> Result<Self> {
        let path = Self::path(state);
        let doing = || format!("writing {}", path.display());
        let token = match Self::read(state) {
            Ok(old) if old.token.len() >= 32 => old.token,
            _ => new().doing(Stage::Request, doing())?,
        };
        let admin = Admin { url: url.to_owned(), token };
        let text = serde_json::to_string(&admin).doing(Stage::Request, doing())?;
        atomic_file::write(&path, 0o600, |file| file.write_all(text.as_bytes())).doing(Stage::Request, doing())?;
        Ok(admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn tokens_differ_and_are_compared_whole() {
        let (a, b) = (new().unwrap(), new().unwrap());
        assert_eq!(a.len(), 32);
        let reports = for_reports(&a);
        assert!(reports.len() == 32 && reports == for_reports(&a) && reports != a && reports != for_reports(&b));
        assert!(!same(&a, &b) && same(&a, &a) && !same(&a, &a[..31]) && !same("", &a));
    }

    #[test]
    fn the_admins_file_is_private_and_keeps_its_token() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let first = Admin::write(&state, "http://127.0.0.1:80").unwrap();
        let second = Admin::write(&state, "http://127.0.0.1:81").unwrap();
        assert_eq!(first.token, second.token);
        let read = Admin::read(&state).unwrap();
        assert_eq!((read.url.as_str(), read.token), ("http://127.0.0.1:81", first.token));
        assert_eq!(fs::metadata(Admin::path(&state)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

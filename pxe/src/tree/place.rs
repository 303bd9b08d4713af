//! Where a tree goes on disk, and where it is reached.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use installer_core::atomic_file;
use installer_core::error::Context as _;
use installer_core::{Error, Result, Stage};

use crate::environment::sha256;

/// What the list of digests begins with: the sign that a tree is ours.
const MARK: &str = "# Made by 'bootc-ks netboot tree'; checked by 'sha256sum --check sha256sums'.\n";

/// `http://HOST[:PORT][/PATH]`, of signs that mean nothing to any boot loader.
#[derive(Clone, Debug)]
pub struct Url {
    host: String,
    port: u16,
    path: String,
}

impl Url {
    /// Reads it.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::input(Stage::Media, format!("'{}': {why}", text.escape_debug()))
                .hint("wanted is http://HOST, with :PORT and /PATH where there are any")
        };
        let rest = text
            .strip_prefix("http://")
            .ok_or_else(|| wrong("pxelinux and GRUB read http:// alone"))?
            .trim_end_matches('/');
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| wrong("the port is no number"))?),
            None => (authority, 80),
        };
        let good = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        if host.is_empty() || !good(host, ".-") || !good(path, "./-_") || path.contains("..") || path.contains("//") {
            return Err(wrong("the host or the path has signs that boot loaders would not understand"));
        }
        Ok(Url { host: host.to_owned(), port, path: path.to_owned() })
    }

    fn authority(&self) -> String {
        if self.port == 80 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// As GRUB writes it.
    pub(super) fn grub(&self) -> String {
        format!("(http,{}){}", self.authority(), self.path)
    }

    /// Fills the marks of an example. Where the host is no address, the network is one that is
    /// kept free for documentation.
    pub(super) fn fill(&self, text: &str) -> String {
        let [a, b, c, _] = self.host.parse::<Ipv4Addr>().unwrap_or(Ipv4Addr::new(192, 0, 2, 1)).octets();
        let net = format!("{a}.{b}.{c}");
        text.replace("@URL@", &self.to_string())
            .replace("@HOST@", &self.host)
            .replace("@PORT@", &self.port.to_string())
            .replace("@PREFIX@", &self.path)
            .replace("@NETWORK@", &format!("{net}.0"))
            .replace("@FIRST@", &format!("{net}.100"))
            .replace("@LAST@", &format!("{net}.199"))
            .replace("@EXAMPLE_MAC@", "52:54:00:12:34:56")
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.path)
    }
}

/// A directory that is ours.
pub(super) struct Place {
    root: PathBuf,
    digests: BTreeMap<String, String>,
}

impl Place {
    /// Makes the directory, or takes one that is empty or has a tree of ours.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let doing = || format!("writing the tree {}", root.display());
        fs::create_dir_all(root).doing(Stage::Media, doing())?;
        let ours = fs::read_to_string(root.join("sha256sums")).is_ok_and(|text| text.starts_with(MARK));
        let empty = fs::read_dir(root).doing(Stage::Media, doing())?.next().is_none();
        if !ours && !empty {
            let message = format!("{} is not empty, and what is in it is no tree of ours", root.display());
            return Err(Error::refused(Stage::Media, message).hint("give -o a new directory"));
        }
        let place = Place { root: root.to_owned(), digests: BTreeMap::new() };
        // From the first file on it is ours, even if the last one cannot be written.
        place.write_file("sha256sums", MARK.as_bytes())?;
        Ok(place)
    }

    /// The path of a file, whose directory is there afterwards and in here.
    fn path(&self, name: &str) -> Result<PathBuf> {
        let mut dir = self.root.clone();
        let (parents, file) = name.rsplit_once('/').map_or((None, name), |(parents, file)| (Some(parents), file));
        for part in parents.into_iter().flat_map(|parents| parents.split('/')) {
            dir.push(part);
            match fs::symlink_metadata(&dir) {
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => {
                    let message = format!("{} is a link or a file; a directory belongs there", dir.display());
                    return Err(Error::refused(Stage::Media, message).hint("take it away"));
                }
                Err(_) => fs::create_dir(&dir).doing(Stage::Media, format!("making {}", dir.display()))?,
            }
        }
        Ok(dir.join(file))
    }

    fn write_file(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.path(name)?;
        let doing = || format!("writing {}", path.display());
        // Servers run as other users.
        atomic_file::write(&path, 0o644, |file| file.write_all(content)).doing(Stage::Media, doing())
    }

    /// Writes a text.
    pub(super) fn text(&mut self, name: &str, text: &str) -> Result<()> {
        self.write_file(name, text.as_bytes())?;
        self.note(name)
    }

    /// A large file: another name for it, or a copy where that cannot be.
    pub(super) fn file(&mut self, name: &str, from: &Path) -> Result<()> {
        let path = self.path(name)?;
        let temporary = path.with_file_name(format!(".new.{}", std::process::id()));
        let _ = fs::remove_file(&temporary);
        fs::hard_link(from, &temporary)
            .or_else(|_| fs::copy(from, &temporary).map(|_| ()))
            .and_then(|()| fs::rename(&temporary, &path))
            .doing(Stage::Media, format!("putting {} at {}", from.display(), path.display()))?;
        // Two names of one file: the rename has done nothing.
        let _ = fs::remove_file(&temporary);
        self.note(name)
    }

    fn note(&mut self, name: &str) -> Result<()> {
        let digest = sha256(&self.root.join(name))?;
        self.digests.insert(name.to_owned(), digest);
        Ok(())
    }

    /// Writes the digests, and returns the names of all files.
    pub(super) fn finish(self) -> Result<Vec<String>> {
        let lines: String = self.digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
        self.write_file("sha256sums", format!("{MARK}{lines}").as_bytes())?;
        Ok(self.digests.into_keys().collect())
    }
}

//! registries.conf(5): which endpoints stand for a reference — mirrors in order, then the
//! registry itself or where it was moved to — and which of them may be insecure. Short names
//! are not resolved: a reference here always has a host.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::bounded;
use crate::error::{Error, Result, Stage};

use super::access::{Access, Places};
use super::reference::ImageReference;

/// One place to ask for the image.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Endpoint {
    pub reference: ImageReference,
    /// Unverified TLS or plain http is allowed.
    pub insecure: bool,
    pub mirror: bool,
}

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    registry: Vec<Written>,
    /// The first version of the format, of which the two safety lists still count.
    #[serde(default)]
    registries: Old,
}

#[derive(Default, Deserialize)]
struct Old {
    #[serde(default)]
    insecure: OldList,
    #[serde(default)]
    block: OldList,
}

#[derive(Default, Deserialize)]
struct OldList {
    #[serde(default)]
    registries: Vec<String>,
}

/// An entry as it is written, with the places of its names.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    #[serde(default)]
    prefix: Option<Spanned<String>>,
    #[serde(default)]
    location: Option<Spanned<String>>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror: Vec<WrittenMirror>,
    #[serde(default)]
    mirror_by_digest_only: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WrittenMirror {
    location: Spanned<String>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    pull_from_mirror: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Registry {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    mirror: Vec<Mirror>,
    mirror_by_digest_only: bool,
}

#[derive(Clone, Debug)]
struct Mirror {
    location: String,
    insecure: bool,
    pull_from_mirror: Option<String>,
}

/// The endpoints for a reference, in the order in which they are to be asked, and what is odd in
/// the files that name them.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    pub all: Vec<Endpoint>,
    pub warnings: Vec<String>,
}

/// The endpoints for `reference`.
pub(super) fn endpoints(access: &Access, places: &Places, reference: &ImageReference) -> Result<Endpoints> {
    let mut warnings = Vec::new();
    let registries = load(places, &mut warnings)?;
    let found = registries.iter().filter(|r| matches(&r.prefix, reference)).max_by_key(|r| r.prefix.len());
    let Some(found) = found else {
        return Ok(Endpoints { all: vec![endpoint(access, reference.clone(), false, false)], warnings });
    };
    if found.blocked {
        return Err(Error::refused(
            Stage::Resolve,
            format!("'{}' is blocked by this machine's registries.conf", found.prefix),
        )
        .hint("remove 'blocked = true' there, or name another registry"));
    }
    let mut all = Vec::new();
    for mirror in &found.mirror {
        let by_digest = reference.digest().is_some();
        let wanted = match mirror.pull_from_mirror.as_deref() {
            Some("digest-only") => by_digest,
            Some("tag-only") => !by_digest,
            _ => by_digest || !found.mirror_by_digest_only,
        };
        if wanted {
            let moved = rewrite(reference, &found.prefix, &mirror.location)?;
            all.push(endpoint(access, moved, mirror.insecure, true));
        }
    }
    let home = rewrite(reference, &found.prefix, &found.location)?;
    all.push(endpoint(access, home, found.insecure, false));
    Ok(Endpoints { all, warnings })
}

fn endpoint(access: &Access, reference: ImageReference, insecure: bool, mirror: bool) -> Endpoint {
    let named = reference.host().is_some_and(|host| access.insecure_registries.iter().any(|name| name == host));
    Endpoint { reference, insecure: insecure || named, mirror }
}

/// Whether `prefix` covers the reference: whole path components, or `*.domain` for hosts.
fn matches(prefix: &str, reference: &ImageReference) -> bool {
    let name = reference.name();
    if let Some(domain) = prefix.strip_prefix('*') {
        let host = name.split('/').next().unwrap_or("");
        let host = host.split(':').next().unwrap_or(host);
        return domain.starts_with('.') && host.len() > domain.len() && host.ends_with(domain);
    }
    let rest = name.strip_prefix(prefix);
    !prefix.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '@']))
}

/// Puts `location` where `prefix` was. A prefix of `host` matches `host/…` only as a whole, so
/// what follows is a path, a tag or a digest.
fn rewrite(reference: &ImageReference, prefix: &str, location: &str) -> Result<ImageReference> {
    if location.is_empty() || location == prefix {
        return Ok(reference.clone());
    }
    let name = reference.name();
    let rest = match prefix.strip_prefix('*') {
        Some(_) => name.find('/').map_or("", |slash| &name[slash..]),
        None => name.strip_prefix(prefix).unwrap_or(""),
    };
    format!("{location}{rest}")
        .parse()
        .map_err(|error: Error| error.context(format!("following registries.conf from '{prefix}' to '{location}'")))
}

fn load(places: &Places, warnings: &mut Vec<String>) -> Result<Vec<Registry>> {
    let mut main = Vec::new();
    match &places.registries_conf {
        Some(file) => main.push(file.clone()),
        None => {
            main.extend(places.config_home.as_ref().map(|dir| dir.join("containers/registries.conf")));
            main.push(places.system("etc/containers/registries.conf"));
            main.push(places.system("usr/share/containers/registries.conf"));
        }
    }
    let mut all: Vec<Registry> = Vec::new();
    for file in main {
        if let Some(registries) = read(&file, warnings)? {
            all = registries;
            break;
        }
    }
    let mut dirs = vec![places.system("etc/containers/registries.conf.d")];
    dirs.extend(places.config_home.as_ref().map(|dir| dir.join("containers/registries.conf.d")));
    for dir in dirs {
        for file in drop_ins(&dir) {
            for registry in read(&file, warnings)?.unwrap_or_default() {
                all.retain(|earlier| earlier.prefix != registry.prefix);
                all.push(registry);
            }
        }
    }
    Ok(all)
}

fn drop_ins(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "conf"));
    files.sort();
    files
}

fn read(file: &Path, warnings: &mut Vec<String>) -> Result<Option<Vec<Registry>>> {
    let text = match bounded::read_to_string(file, bounded::DOCUMENT) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(Error::world(Stage::Resolve, format!("reading {}", file.display())).because(error)),
    };
    let parsed: File = toml::from_str(&text).map_err(|error| {
        Error::input(Stage::Resolve, format!("{} is not a registries.conf: {}", file.display(), error.message()))
    })?;
    let mut names = Names { file, text: &text, warnings };
    let mut registries: Vec<Registry> = parsed.registry.into_iter().map(|written| names.registry(written)).collect();
    for (list, insecure) in [(parsed.registries.insecure.registries, true), (parsed.registries.block.registries, false)]
    {
        registries.extend(list.into_iter().map(|prefix| Registry {
            prefix: prefix.trim_end_matches('/').to_owned(),
            insecure,
            blocked: !insecure,
            ..Registry::default()
        }));
    }
    for registry in &mut registries {
        if registry.prefix.is_empty() {
            registry.prefix = registry.location.clone();
        }
        if registry.prefix.is_empty() {
            return Err(Error::input(
                Stage::Resolve,
                format!("{}: a [[registry]] has neither prefix nor location", file.display()),
            ));
        }
    }
    Ok(Some(registries))
}

/// Reads the names of a file: hosts and repositories, which are no addresses.
struct Names<'a> {
    file: &'a Path,
    text: &'a str,
    warnings: &'a mut Vec<String>,
}

impl Names<'_> {
    fn registry(&mut self, written: Written) -> Registry {
        let mirrors = written.mirror.into_iter().map(|mirror| Mirror {
            location: self.name(&mirror.location),
            insecure: mirror.insecure,
            pull_from_mirror: mirror.pull_from_mirror,
        });
        let mirror = mirrors.collect();
        Registry {
            prefix: written.prefix.map(|name| self.name(&name)).unwrap_or_default(),
            location: written.location.map(|name| self.name(&name)).unwrap_or_default(),
            insecure: written.insecure,
            blocked: written.blocked,
            mirror,
            mirror_by_digest_only: written.mirror_by_digest_only,
        }
    }

    /// The name that is meant, with a warning where another one is written.
    fn name(&mut self, written: &Spanned<String>) -> String {
        let text = written.get_ref();
        let bare = ["https://", "http://", "docker://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let name = bare.unwrap_or(text).trim_end_matches('/');
        if name != text {
            let line = self.text[..written.span().start].matches('\n').count() + 1;
            self.warnings.push(format!(
                "{}:{line}: '{text}' is an address where a name is expected; read as '{name}'",
                self.file.display()
            ));
        }
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::units::Digest;

    const CONF: &str = r#"
        unqualified-search-registries = ["x.io"]
        [[registry]]
        prefix = "up.io/org"
        location = "moved.io/elsewhere"
        [[registry.mirror]]
        location = "first.io/cache"
        insecure = true
        [[registry.mirror]]
        location = "second.io:5000"
        pull-from-mirror = "digest-only"
        [[registry]]
        location = "up.io"
        insecure = true
        [[registry]]
        prefix = "*.wild.io"
        location = "proxy.io/wild"
        [[registry]]
        location = "bad.io"
        blocked = true
    "#;

    fn ask(root: &Path, access: &Access, text: &str) -> Result<Vec<String>> {
        let places = Places { root: root.into(), ..Places::default() };
        let all = endpoints(access, &places, &text.parse().unwrap())?.all;
        Ok(all
            .iter()
            .map(|e| {
                format!(
                    "{}{}{}",
                    e.reference.name(),
                    if e.insecure { " insecure" } else { "" },
                    if e.mirror { " mirror" } else { "" }
                )
            })
            .collect())
    }

    #[test]
    fn mirrors_rewrites_and_drop_ins() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("etc/containers/registries.conf.d");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(root.path().join("etc/containers/registries.conf"), CONF).unwrap();
        let access = Access { insecure_registries: vec!["plain.io:80".into()], ..Access::default() };
        let ask = |text: &str| ask(root.path(), &access, text);
        assert_eq!(ask("up.io/org/os:1").unwrap(), ["first.io/cache/os:1 insecure mirror", "moved.io/elsewhere/os:1"]);
        assert_eq!(ask("up.io/orga/os:1").unwrap(), ["up.io/orga/os:1 insecure"]);
        let digest = Digest::of(b"");
        assert_eq!(ask(&format!("up.io/org/os@{digest}")).unwrap()[1], format!("second.io:5000/os@{digest} mirror"));
        assert_eq!(ask("a.wild.io/os:1").unwrap(), ["proxy.io/wild/os:1"]);
        assert_eq!(ask("wild.io/os:1").unwrap(), ["wild.io/os:1"]);
        assert_eq!(ask("plain.io:80/os:1").unwrap(), ["plain.io:80/os:1 insecure"]);
        assert_eq!(ask("plain.io/os:1").unwrap(), ["plain.io/os:1"]);
        assert_eq!(ask("bad.io/os:1").unwrap_err().kind(), Kind::Refused);
        std::fs::write(
            dir.join("9.conf"),
            "[[registry]]\nlocation = \"bad.io\"\n[registries.insecure]\nregistries = [\"old.io\"]",
        )
        .unwrap();
        assert_eq!(ask("bad.io/os:1").unwrap(), ["bad.io/os:1"]);
        assert_eq!(ask("old.io/os:1").unwrap(), ["old.io/os:1 insecure"]);
        std::fs::write(dir.join("9.conf"), "[[registry]]\nlocation = 3").unwrap();
        assert!(ask("up.io/a/b:1").unwrap_err().to_string().contains("9.conf"));
    }

    #[test]
    fn addresses_are_read_as_names_and_told_with_their_line() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("etc/containers");
        std::fs::create_dir_all(&dir).unwrap();
        let conf = "# one\n[[registry]]\nprefix = \"up.io/\"\nlocation = \"http://moved.io/x/\"\n[[registry.mirror]]\n\
                    location = \"https://mirror.io:5000\"\n";
        std::fs::write(dir.join("registries.conf"), conf).unwrap();
        let access = Access::default();
        assert_eq!(ask(root.path(), &access, "up.io/os:1").unwrap(), ["mirror.io:5000/os:1 mirror", "moved.io/x/os:1"]);
        let places = Places { root: root.path().into(), ..Places::default() };
        let warnings = endpoints(&access, &places, &"up.io/os:1".parse().unwrap()).unwrap().warnings;
        let lines: Vec<bool> = [6, 3, 4]
            .iter()
            .zip(&warnings)
            .map(|(line, told)| told.contains(&format!("registries.conf:{line}:")))
            .collect();
        assert_eq!(lines, [true; 3], "{warnings:?}");
    }
}

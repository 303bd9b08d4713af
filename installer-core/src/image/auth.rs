//! Credentials from the auth.json files of containers, docker and ostree. Credential helpers
//! are not run; where one is configured, the report says so.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde::Deserialize;

use crate::bounded;
use crate::error::{Error, Remedy, Result, Stage};
use crate::units::Secret;

use super::access::{Access, Login, Places};

/// What the search for credentials came to.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub credentials: Option<Credentials>,
    /// Where it was looked, for the error message.
    pub searched: Vec<PathBuf>,
    /// Credential helpers that would have been asked by other tools.
    pub helpers: Vec<String>,
}

/// A user name, a password and the file they are from, unless they were given.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub user: String,
    pub password: Secret,
    pub file: Option<PathBuf>,
}

impl Found {
    /// Nothing need be searched for.
    pub fn given(login: &Login) -> Self {
        let (user, password) = (login.user.clone(), login.password.clone());
        let credentials = Some(Credentials { user, password, file: None });
        Found { credentials, searched: Vec::new(), helpers: Vec::new() }
    }

    /// One clause for an error message.
    pub fn describe(&self) -> String {
        match &self.credentials {
            Some(Credentials { file: Some(file), .. }) => return format!("with the credentials of {}", file.display()),
            Some(Credentials { file: None, .. }) => {
                return "with the user name and password that were given".to_owned();
            }
            None => {}
        }
        let list: Vec<String> = self.searched.iter().map(|path| path.display().to_string()).collect();
        let mut text = format!("no credentials for it in {}", list.join(", "));
        for helper in &self.helpers {
            text.push_str(&format!("; credential helper '{helper}' is configured, which this tool does not run"));
        }
        text
    }
}

/// The text of an auth.json with `login` for the registry `host`.
pub fn login_file(host: &str, login: &Login) -> Secret {
    let pair = format!("{}:{}", login.user, login.password.expose());
    let auth = base64::engine::general_purpose::STANDARD.encode(pair);
    Secret::new(format!("{:#}\n", serde_json::json!({ "auths": { host: { "auth": auth } } })))
}

/// The text of the auth.json at `file`.
pub fn auth_file(file: &Path) -> Result<Secret> {
    let text = bounded::read_to_string(file, bounded::DOCUMENT).map_err(|error| unreadable(file, error))?;
    parse(text.as_bytes(), file)?;
    Ok(Secret::new(text))
}

fn unreadable(file: &Path, error: std::io::Error) -> Error {
    Error::input(Stage::Resolve, format!("reading the credentials in {}", file.display())).because(error)
}

#[derive(Deserialize)]
struct AuthFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default, rename = "identitytoken")]
    identity_token: Option<String>,
}

/// Looks for credentials for `host/repository`. The first file with an entry wins, and in it
/// the longest key.
pub(super) fn find(access: &Access, places: &Places, host: &str, repository: &str) -> Result<Found> {
    let (files, explicit) = match &access.authfile {
        Some(file) => (vec![file.clone()], true),
        None => (usual_files(places), false),
    };
    let mut found = Found { credentials: None, searched: Vec::new(), helpers: Vec::new() };
    for file in files {
        let text = match bounded::read(&file, bounded::DOCUMENT) {
            Ok(text) => text,
            Err(error)
                if !explicit
                    && matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
                    ) =>
            {
                found.searched.push(file);
                continue;
            }
            Err(error) => return Err(unreadable(&file, error)),
        };
        found.searched.push(file.clone());
        let parsed = parse(&text, &file)?;
        let keys = lookup_keys(host, repository);
        if let Some(entry) = keys.iter().find_map(|key| entry_for(&parsed, key)) {
            found.credentials = read_entry(entry, &file, host)?;
            if found.credentials.is_some() {
                return Ok(found);
            }
        }
        found.helpers.extend(parsed.helpers.get(host).cloned().or(parsed.store));
    }
    Ok(found)
}

/// The places where containers, docker and ostree keep credentials, in that order.
fn usual_files(places: &Places) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files.extend(places.registry_auth_file.clone());
    files.extend(places.runtime_dir.as_ref().map(|dir| dir.join("containers/auth.json")));
    files.push(places.system(&format!("run/containers/{}/auth.json", places.uid)));
    files.extend(places.config_home.as_ref().map(|dir| dir.join("containers/auth.json")));
    files.extend(places.home.as_ref().map(|dir| dir.join(".docker/config.json")));
    for dir in ["run", "etc", "usr/lib"] {
        files.push(places.system(&format!("{dir}/ostree/auth.json")));
    }
    files.dedup();
    files
}

fn parse(text: &[u8], file: &Path) -> Result<AuthFile> {
    // serde's own message can quote the value it stumbled over, which may be a password.
    serde_json::from_slice(text).map_err(|error| {
        Error::input(
            Stage::Resolve,
            format!(
                "{} is not a credentials file: bad JSON at line {}, column {}",
                file.display(),
                error.line(),
                error.column()
            ),
        )
    })
}

/// `host/a/b`, `host/a`, `host`: the longest first.
fn lookup_keys(host: &str, repository: &str) -> Vec<String> {
    let mut key = format!("{host}/{repository}");
    let mut keys = vec![key.clone()];
    while let Some((shorter, _)) = key.rsplit_once('/') {
        keys.push(shorter.to_owned());
        key = shorter.to_owned();
    }
    keys
}

fn entry_for<'a>(file: &'a AuthFile, key: &str) -> Option<&'a Entry> {
    file.auths
        .get(key)
        .or_else(|| file.auths.iter().find(|(name, _)| legacy_host(name) == Some(key)).map(|(_, entry)| entry))
}

/// docker writes URLs (`https://index.docker.io/v1/`); they mean the host alone.
fn legacy_host(key: &str) -> Option<&str> {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = match bare {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None if !key.contains('/') => key,
        None => return None,
    };
    Some(match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    })
}

fn read_entry(entry: &Entry, file: &Path, host: &str) -> Result<Option<Credentials>> {
    let bad =
        |why: &str| Error::input(Stage::Resolve, format!("the credentials for {host} in {}: {why}", file.display()));
    let credentials = |user: &str, password: &str| {
        Some(Credentials { user: user.to_owned(), password: Secret::new(password), file: Some(file.to_owned()) })
    };
    if entry.identity_token.as_deref().is_some_and(|token| !token.is_empty()) {
        return Err(bad("an identity token, which is not supported").hint([
            "log in with a user name and a password".into(),
            Remedy::GiveCredentials { registry: host.to_owned() },
        ]));
    }
    if let Some(encoded) = entry.auth.as_deref().filter(|text| !text.is_empty()) {
        let raw = base64::engine::general_purpose::STANDARD
            .decode(encoded.trim())
            .map_err(|_| bad("'auth' is not base64"))?;
        let text = String::from_utf8(raw).map_err(|_| bad("'auth' is not text"))?;
        let (user, password) =
            text.split_once(':').ok_or_else(|| bad("'auth' has no colon between user and password"))?;
        return Ok(credentials(user, password.trim_end_matches('\0')));
    }
    match (entry.username.as_deref(), entry.password.as_deref()) {
        (Some(user), Some(password)) if !user.is_empty() => Ok(credentials(user, password)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(user: &str) -> String {
        base64::engine::general_purpose::STANDARD.encode(format!("{user}:pass-of-{user}"))
    }

    fn write(root: &Path, path: &str, text: &str) {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn places(root: &Path) -> Places {
        Places {
            root: root.into(),
            home: Some(root.join("home")),
            config_home: Some(root.join("home/.config")),
            uid: 7,
            ..Places::default()
        }
    }

    fn user(access: &Access, places: &Places, host: &str, repository: &str) -> Option<String> {
        find(access, places, host, repository).unwrap().credentials.map(|found| {
            assert_eq!(found.password.expose(), format!("pass-of-{}", found.user));
            found.user
        })
    }

    #[test]
    fn the_longest_key_wins() {
        let root = tempfile::tempdir().unwrap();
        let entry = |key: &str, name: &str| format!("\"{key}\": {{\"auth\": \"{}\"}}", encoded(name));
        write(
            root.path(),
            "etc/ostree/auth.json",
            &format!(
                "{{\"auths\": {{ {}, {}, {}, {} }}}}",
                entry("q.io", "host"),
                entry("q.io/org", "org"),
                entry("q.io/org/os", "repo"),
                entry("https://index.docker.io/v1/", "hub")
            ),
        );
        let (access, places) = (Access::default(), places(root.path()));
        for (repository, name) in
            [("org/os", "repo"), ("org/other", "org"), ("org2/os", "host"), ("org/os/deep", "repo")]
        {
            assert_eq!(user(&access, &places, "q.io", repository).as_deref(), Some(name), "{repository}");
        }
        assert_eq!(user(&access, &places, "docker.io", "library/x").as_deref(), Some("hub"));
        assert_eq!(user(&access, &places, "q.io:5000", "org/os"), None);
    }

    #[test]
    fn files_are_searched_in_order() {
        let root = tempfile::tempdir().unwrap();
        let (mut access, mut places) = (Access::default(), places(root.path()));
        let files = [
            "usr/lib/ostree/auth.json",
            "etc/ostree/auth.json",
            "run/ostree/auth.json",
            "home/.docker/config.json",
            "home/.config/containers/auth.json",
            "run/containers/7/auth.json",
            "xdg/containers/auth.json",
            "env.json",
            "given.json",
        ];
        places.runtime_dir = Some(root.path().join("xdg"));
        places.registry_auth_file = Some(root.path().join("env.json"));
        for (i, file) in files.iter().enumerate() {
            if *file == "given.json" {
                access.authfile = Some(root.path().join(file));
            }
            write(
                root.path(),
                file,
                &format!("{{\"auths\": {{\"h.io\": {{\"auth\": \"{}\"}}}}}}", encoded(&format!("u{i}"))),
            );
            assert_eq!(user(&access, &places, "h.io", "a"), Some(format!("u{i}")), "{file}");
        }
    }

    #[test]
    fn what_is_written_is_found_again() {
        let root = tempfile::tempdir().unwrap();
        let login = Login { user: "bob".into(), password: Secret::new("pass-of-bob") };
        let text = login_file("q.io:5000", &login);
        write(root.path(), "etc/ostree/auth.json", text.expose());
        let places = places(root.path());
        assert_eq!(user(&Access::default(), &places, "q.io:5000", "org/os").as_deref(), Some("bob"));
        assert_eq!(user(&Access::default(), &places, "q.io", "org/os"), None);
        assert_eq!(auth_file(&root.path().join("etc/ostree/auth.json")).unwrap(), text);
        assert!(auth_file(root.path()).is_err());
    }

    #[test]
    fn trouble_is_told_without_the_secret() {
        let root = tempfile::tempdir().unwrap();
        let (access, places) = (Access::default(), places(root.path()));
        for (text, part) in [
            ("{\"auths\": {\"h.io\": {\"identitytoken\": \"s3cret\"}}}", "identity token"),
            ("{\"auths\": {\"h.io\": \"s3cret\"}}", "line 1"),
            ("{\"auths\": {\"h.io\": {\"auth\": \"s3cret!\"}}}", "base64"),
            ("{\"auths\": {\"h.io\": {\"auth\": \"czNjcmV0\"}}}", "no colon"),
        ] {
            write(root.path(), "etc/ostree/auth.json", text);
            let error = find(&access, &places, "h.io", "a").unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(part), "{shown}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        write(root.path(), "etc/ostree/auth.json", "{\"auths\": {\"h.io\": {}}, \"credsStore\": \"vault\"}");
        let found = find(&access, &places, "h.io", "a").unwrap();
        assert!(found.credentials.is_none());
        assert!(found.describe().contains("'vault'") && found.describe().contains("etc/ostree/auth.json"));
        let missing = Access { authfile: Some(root.path().join("nope")), ..Access::default() };
        assert!(find(&missing, &places, "h.io", "a").is_err());
        write(
            root.path(),
            "etc/ostree/auth.json",
            &format!("{{\"auths\": {{\"h.io\": {{\"auth\": \"{}\"}}}}}}", encoded("bob")),
        );
        assert!(!format!("{:?}", find(&access, &places, "h.io", "a").unwrap()).contains("pass-of-bob"));
    }
}

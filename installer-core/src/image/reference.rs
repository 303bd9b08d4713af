//! How an image is named: a registry's repository, an OCI layout directory or an OCI
//! archive. Text in, text out; whether such an image exists is found out by `open`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Stage};
use crate::units::Digest;

/// Where an image is to be found. Prints in the form of containers-transports(5), which is
/// also the form that bootc keeps (`docker://host/name:tag`, `oci:/path:tag`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    location: Location,
    tag: Option<String>,
    digest: Option<Digest>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Location {
    Registry { host: String, repository: String },
    Layout(PathBuf),
    Archive(PathBuf),
}

/// The place of an image, for those who have to go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// A repository of a registry.
    Registry {
        /// Host name and port, where there is one.
        host: &'a str,
        /// The repository's name on that host.
        repository: &'a str,
    },
    /// An OCI layout directory.
    Layout(&'a Path),
    /// A tar file of an OCI layout.
    Archive(&'a Path),
}

impl ImageReference {
    /// An image of a registry, from parts that were checked already.
    pub(super) fn registry(host: &str, repository: &str, tag: Option<&str>, digest: Option<Digest>) -> Self {
        let location = Location::Registry { host: host.into(), repository: repository.into() };
        ImageReference { location, tag: tag.map(Into::into), digest }
    }

    /// Where it is.
    pub fn place(&self) -> Place<'_> {
        match &self.location {
            Location::Registry { host, repository } => Place::Registry { host, repository },
            Location::Layout(path) => Place::Layout(path),
            Location::Archive(path) => Place::Archive(path),
        }
    }

    /// The registry's host name and port, where it is in one.
    pub fn host(&self) -> Option<&str> {
        match &self.location {
            Location::Registry { host, .. } => Some(host),
            Location::Layout(_) | Location::Archive(_) => None,
        }
    }

    /// The tag, where one was given; for a layout the name of the reference in its index.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest it is pinned to, where it is.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same place, pinned to `digest`. The tag goes: containers' own tools refuse a
    /// reference that has both.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> Self {
        ImageReference { location: self.location.clone(), tag: None, digest: Some(digest.clone()) }
    }

    /// Without the transport, as registries.conf and auth.json speak of it (`host/name:tag`).
    pub fn name(&self) -> String {
        let mut text = match &self.location {
            Location::Registry { host, repository } => format!("{host}/{repository}"),
            Location::Layout(path) | Location::Archive(path) => path.display().to_string(),
        };
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(digest.as_str());
        }
        text
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match &self.location {
            Location::Registry { .. } => "docker://",
            Location::Layout(_) => "oci:",
            Location::Archive(_) => "oci-archive:",
        };
        f.pad(&format!("{transport}{}", self.name()))
    }
}

impl TryFrom<String> for ImageReference {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<ImageReference> for String {
    fn from(reference: ImageReference) -> String {
        reference.to_string()
    }
}

impl FromStr for ImageReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            return local(text, rest, Location::Archive);
        }
        if let Some(rest) = text.strip_prefix("oci:") {
            return local(text, rest, Location::Layout);
        }
        for transport in ["docker://", "registry:"] {
            if let Some(rest) = text.strip_prefix(transport) {
                return remote(text, rest);
            }
        }
        for transport in [
            "docker-archive:",
            "docker-daemon:",
            "containers-storage:",
            "dir:",
            "ostree-unverified-",
            "ostree-image-signed:",
            "ostree-remote-",
        ] {
            if text.starts_with(transport) {
                return Err(bad(
                    text,
                    &format!("transport '{}' is not supported", transport.trim_end_matches([':', '-'])),
                )
                .hint("use docker://HOST/NAME:TAG, oci:PATH:TAG or oci-archive:PATH:TAG"));
            }
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Err(bad(text, &format!("'{scheme}://' is not a transport")).hint(format!("write docker://{rest}")));
        }
        remote(text, text)
    }
}

fn bad(text: &str, why: &str) -> Error {
    Error::input(Stage::Resolve, format!("'{text}' is not an image reference: {why}"))
}

/// Cuts `@sha256:…` off the end.
fn split_digest<'a>(text: &str, rest: &'a str) -> Result<(&'a str, Option<Digest>), Error> {
    match rest.split_once('@') {
        None => Ok((rest, None)),
        Some((name, digest)) => {
            let digest = digest.parse().map_err(|error| bad(text, &format!("{error}")))?;
            Ok((name, Some(digest)))
        }
    }
}

fn local(text: &str, rest: &str, location: fn(PathBuf) -> Location) -> Result<ImageReference, Error> {
    let (rest, digest) = split_digest(text, rest)?;
    // The first colon divides, as in containers' tools: such a path cannot contain one.
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(bad(text, "the path is missing").hint("write oci:/path/to/layout:TAG"));
    }
    let tag = tag.filter(|tag| !tag.is_empty()).map(str::to_owned);
    Ok(ImageReference { location: location(path.into()), tag, digest })
}

fn remote(text: &str, rest: &str) -> Result<ImageReference, Error> {
    if rest.is_empty() {
        return Err(bad(text, "the name is missing").hint("write docker://HOST/NAME:TAG"));
    }
    let (rest, digest) = split_digest(text, rest)?;
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    let short = || {
        bad(text, "it does not say which registry")
            .hint(format!("put the registry's host in front, as in docker://registry.example.com/{rest}"))
    };
    let (host, repository) = name.split_once('/').ok_or_else(short)?;
    // The rule of every container tool for telling a host from the first part of a name.
    if !(host.contains(['.', ':']) || host == "localhost") {
        return Err(short());
    }
    check_host(text, host)?;
    check_repository(text, repository)?;
    if let Some(tag) = tag {
        check_tag(text, tag)?;
    }
    let repository = match host {
        "docker.io" | "index.docker.io" if !repository.contains('/') => format!("library/{repository}"),
        _ => repository.to_owned(),
    };
    let host = if host == "index.docker.io" { "docker.io" } else { host };
    // A digest without a tag stays without one; nothing at all means `latest`.
    let tag = tag.or(if digest.is_none() { Some("latest") } else { None });
    Ok(ImageReference::registry(host, &repository, tag, digest))
}

fn check_host(text: &str, host: &str) -> Result<(), Error> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port.strip_prefix(':')),
        Some(_) => ("", None),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !name.split('.').all(label) {
        return Err(bad(text, &format!("'{host}' is not a host name")));
    }
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        return Err(bad(text, &format!("'{host}' does not end in a port number")));
    }
    Ok(())
}

fn check_repository(text: &str, repository: &str) -> Result<(), Error> {
    if repository.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(bad(text, &format!("'{repository}' has capital letters"))
            .hint(format!("names in a registry are lower case: {}", repository.to_ascii_lowercase())));
    }
    let part = |part: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = part.as_bytes();
        edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
    };
    if repository.len() > 255 || !repository.split('/').all(part) {
        return Err(bad(text, &format!("'{repository}' is not a repository name")));
    }
    Ok(())
}

fn check_tag(text: &str, tag: &str) -> Result<(), Error> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let good = tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'));
    if good { Ok(()) } else { Err(bad(text, &format!("'{tag}' is not a tag"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn parse(text: &str) -> ImageReference {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_prints_as_containers_write_it() {
        let digest = Digest::of(b"");
        for (text, shown) in [
            ("quay.io/org/os:9", "docker://quay.io/org/os:9".to_owned()),
            ("docker://quay.io/org/os", "docker://quay.io/org/os:latest".into()),
            ("registry:localhost:5000/os:x_1.2-3", "docker://localhost:5000/os:x_1.2-3".into()),
            ("docker.io/fedora", "docker://docker.io/library/fedora:latest".into()),
            ("docker://[::1]:5000/a/b:c", "docker://[::1]:5000/a/b:c".into()),
            ("oci:/srv/os:stable", "oci:/srv/os:stable".into()),
            ("oci:rel/path", "oci:rel/path".into()),
            ("oci-archive:/srv/os.tar:1", "oci-archive:/srv/os.tar:1".into()),
            (&format!("quay.io/o/s:9@{digest}"), format!("docker://quay.io/o/s:9@{digest}")),
            (&format!("oci:/srv/os@{digest}"), format!("oci:/srv/os@{digest}")),
        ] {
            assert_eq!(parse(text).to_string(), shown, "{text}");
            assert_eq!(parse(&shown), parse(text));
        }
        assert_eq!(parse("quay.io/o/s:9").pinned(&digest).to_string(), format!("docker://quay.io/o/s@{digest}"));
        assert_eq!(parse("oci:/p:t").pinned(&digest).digest(), Some(&digest));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("fedora:41", "which registry"),
            ("org/os", "which registry"),
            ("", "name is missing"),
            ("docker://", "name is missing"),
            ("https://quay.io/a/b", "not a transport"),
            ("quay.io/Org/os", "capital letters"),
            ("quay.io/a//b", "repository name"),
            ("quay.io/a/b:", "not a tag"),
            ("quay.io/a/b:-x", "not a tag"),
            ("quay.io:x/a", "port"),
            ("-.io/a", "host name"),
            ("[zz]:1/a", "host name"),
            ("quay.io/a@sha256:00", "not a digest"),
            ("oci:", "path is missing"),
            ("containers-storage:localhost/a", "not supported"),
            ("quay.io/é", "repository name"),
        ] {
            let error = text.parse::<ImageReference>().unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
            assert_eq!(error.kind(), Kind::Input);
        }
        assert!(
            "fedora"
                .parse::<ImageReference>()
                .unwrap_err()
                .remedy()
                .unwrap()
                .to_string()
                .contains("registry.example.com/fedora")
        );
    }
}

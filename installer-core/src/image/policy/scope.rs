//! How a policy names images: a transport, and in it scopes from the narrowest to the widest.

use std::path::{Path, PathBuf};

use super::super::reference::{ImageReference, Place};

/// What a policy may call an image.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// The transport's name.
    pub transport: &'static str,
    /// The narrowest first; the transport's default, an empty text, is the last.
    pub scopes: Vec<String>,
}

impl Identity {
    pub fn of(reference: &ImageReference) -> Self {
        match reference.place() {
            Place::Registry { host, repository } => {
                let names = [reference.digest().map(|d| format!("@{d}")), tag_of(reference)];
                Identity { transport: "docker", scopes: in_registry(host, repository, names) }
            }
            Place::Layout(path) => {
                let mut scopes = on_disk(path);
                if let (Some(dir), Some(tag)) = (scopes.first(), reference.tag()) {
                    scopes.insert(0, format!("{dir}:{tag}"));
                }
                Identity { transport: "oci", scopes }
            }
            Place::Archive(path) => Identity { transport: "oci-archive", scopes: on_disk(path) },
        }
    }
}

fn tag_of(reference: &ImageReference) -> Option<String> {
    let tag = match reference.digest() {
        Some(_) => reference.tag(),
        None => Some(reference.tag().unwrap_or("latest")),
    };
    tag.map(|tag| format!(":{tag}"))
}

/// `host/a/b:tag`, `host/a/b`, `host/a`, `host`, then `*.domain` of every domain that the host is in.
fn in_registry(host: &str, repository: &str, names: [Option<String>; 2]) -> Vec<String> {
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    };
    let library = if host == "docker.io" && !repository.contains('/') { "library/" } else { "" };
    let mut name = format!("{host}/{library}{repository}");
    let mut scopes: Vec<String> = names.into_iter().flatten().map(|end| format!("{name}{end}")).collect();
    scopes.push(name.clone());
    while let Some((shorter, _)) = name.rsplit_once('/') {
        scopes.push(shorter.to_owned());
        name = shorter.to_owned();
    }
    // The port belongs to no domain.
    let mut domain = host.split(':').next().unwrap_or(host);
    while let Some((_, wider)) = domain.split_once('.') {
        scopes.push(format!("*.{wider}"));
        domain = wider;
    }
    scopes.push(String::new());
    scopes
}

/// The path, without links, and every directory above it but the root.
fn on_disk(path: &Path) -> Vec<String> {
    let real = resolved(path);
    let above = real.ancestors().filter(|path| path.parent().is_some());
    above.map(|path| path.display().to_string()).chain([String::new()]).collect()
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

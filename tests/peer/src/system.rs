//! The system root: what bootc itself does, beside its importer.
//!
//! An update keeps the kernel arguments of the system that it replaces, but for those of
//! `/usr/lib/bootc/kargs.d`: what only the old image has there is taken away, what only the new
//! one has is appended. The deployment is libostree's work, which also merges /etc. bootc
//! deploys while the system runs, and at its end; here the system is a disk, and it is deployed
//! at once, by the code that is run then.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use ostree_ext::container::deploy::ORIGIN_CONTAINER;
use ostree_ext::container::store::{LayeredImageState, list_images, query_image, query_image_commit};
use ostree_ext::container::{ImageReference, OstreeImageReference};
use ostree_ext::ostree::{self, Deployment, Repo, RepoFile, Sysroot};
use ostree_ext::prelude::{Cast, FileExt, InputStreamExtManual};
use ostree_ext::{gio, glib};
use serde_json::{Value, json};

use crate::NONE;

pub fn open(path: &Path) -> Result<Sysroot> {
    let sysroot = Sysroot::new(Some(&gio::File::for_path(path)));
    sysroot.load(NONE).with_context(|| format!("opening {}", path.display()))?;
    Ok(sysroot)
}

/// What is known of an imported image.
pub fn describe_image(repo: &Repo, state: &LayeredImageState) -> Result<Value> {
    let layers: Vec<String> = state.manifest.layers().iter().map(|layer| layer.digest().to_string()).collect();
    let metadata = repo.load_commit(&state.merge_commit)?.0.child_value(0);
    let keys: BTreeSet<String> = metadata.iter().filter_map(|entry| entry.child_value(0).get()).collect();
    Ok(json!({
        "digest": state.manifest_digest.to_string(),
        "commit": state.merge_commit,
        "base": state.base_commit,
        "layers": layers,
        "keys": keys,
    }))
}

/// The images of a repository, under their names.
pub fn images(repo: &Repo) -> Result<Value> {
    let mut images = BTreeMap::new();
    for name in list_images(repo)? {
        let state = query_image(repo, &ImageReference::try_from(name.as_str())?)?;
        let state = state.context("an image that is listed and not there")?;
        images.insert(name, describe_image(repo, &state)?);
    }
    Ok(json!(images))
}

/// The images and the deployments, the one that starts next first.
pub fn status(sysroot: &Sysroot) -> Result<Value> {
    let repo = sysroot.repo();
    let deployments: Result<Vec<Value>> = sysroot.deployments().iter().map(|one| describe(&repo, one)).collect();
    Ok(json!({ "images": images(&repo)?, "deployments": deployments? }))
}

fn describe(repo: &Repo, deployment: &Deployment) -> Result<Value> {
    let origin = deployment.origin().context("a deployment without an origin")?;
    let image = OstreeImageReference::try_from(origin.string("origin", ORIGIN_CONTAINER)?.as_str())?;
    let state = query_image_commit(repo, &deployment.csum())?;
    Ok(json!({
        "stateroot": deployment.osname().as_str(),
        "commit": deployment.csum().as_str(),
        "origin": image.to_string(),
        "digest": state.manifest_digest.to_string(),
        "kargs": arguments(deployment),
    }))
}

/// The kernel arguments in its boot entry.
fn arguments(deployment: &Deployment) -> Vec<String> {
    let options = deployment.bootconfig().and_then(|entry| entry.get("options"));
    options.map(|options| options.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}

/// Deploys what was imported, as the successor of the deployment that would start next.
pub fn deploy(sysroot: &Sysroot, image: &OstreeImageReference, state: &LayeredImageState) -> Result<()> {
    let old = sysroot.deployments().into_iter().next().context("no deployment to replace")?;
    let stateroot = old.osname();
    let kargs = updated_arguments(&sysroot.repo(), &old, &state.merge_commit)?;
    let kargs: Vec<&str> = kargs.iter().map(String::as_str).collect();
    let origin = glib::KeyFile::new();
    origin.set_string("origin", ORIGIN_CONTAINER, &image.to_string());
    let options = ostree::SysrootDeployTreeOpts { override_kernel_argv: Some(&kargs), ..Default::default() };
    let (name, commit) = (Some(stateroot.as_str()), &state.merge_commit);
    let new = sysroot.deploy_tree_with_options(name, commit, Some(&origin), Some(&old), Some(&options), NONE)?;
    let flags = ostree::SysrootSimpleWriteDeploymentFlags::NONE;
    sysroot.simple_write_deployment(name, &new, Some(&old), flags, NONE)?;
    Ok(sysroot.cleanup(NONE)?)
}

fn updated_arguments(repo: &Repo, old: &Deployment, new: &str) -> Result<Vec<String>> {
    let (before, after) = (of_image(repo, &old.csum())?, of_image(repo, new)?);
    let mut arguments = arguments(old);
    // libostree writes its own.
    arguments.retain(|argument| !argument.starts_with("ostree="));
    for gone in before.iter().filter(|argument| !after.contains(argument)) {
        if let Some(place) = arguments.iter().position(|argument| argument == gone) {
            arguments.remove(place);
        }
    }
    arguments.extend(after.into_iter().filter(|argument| !before.contains(argument)));
    Ok(arguments)
}

/// The arguments in `kargs.d` of a commit, in the order of the files' names.
fn of_image(repo: &Repo, commit: &str) -> Result<Vec<String>> {
    let dir = repo.read_commit(commit, NONE)?.0.resolve_relative_path("usr/lib/bootc/kargs.d");
    let mut names = Vec::new();
    if dir.query_exists(NONE) {
        let files = dir.enumerate_children("standard::name", gio::FileQueryInfoFlags::NOFOLLOW_SYMLINKS, NONE)?;
        for file in files.upcast::<gio::FileEnumerator>() {
            names.push(file?.name());
        }
    }
    names.retain(|name| name.extension().is_some_and(|extension| extension == "toml"));
    names.sort();
    let mut arguments = Vec::new();
    for name in names {
        let file = dir.child(&name).downcast::<RepoFile>().map_err(|_| anyhow!("a file of no repository"))?;
        let (stream, ..) = repo.load_file(&file.checksum(), NONE)?;
        let mut text = String::new();
        stream.context("a file without content")?.into_read().read_to_string(&mut text)?;
        let table: toml::Table = text.parse().with_context(|| name.display().to_string())?;
        let list = |key: &str| {
            let values = table.get(key).and_then(toml::Value::as_array);
            values.map(|values| values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect::<Vec<_>>())
        };
        if list("match-architectures").is_none_or(|all| all.iter().any(|one| one == std::env::consts::ARCH)) {
            arguments.extend(list("kargs").with_context(|| format!("{} has no kargs", name.display()))?);
        }
    }
    Ok(arguments)
}

/// Exchanges the first two deployments.
pub fn rollback(sysroot: &Sysroot) -> Result<()> {
    let mut deployments = sysroot.deployments();
    if deployments.len() < 2 {
        bail!("there is no deployment to go back to");
    }
    deployments.swap(0, 1);
    Ok(sysroot.write_deployments(&deployments, NONE)?)
}

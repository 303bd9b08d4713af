//! Images without an OSTree commit in them: plain layers from the bottom up.
//!
//! A layer is downloaded, filtered and committed by `ostree-ext`, as those above a commit are.
//! What is done here is what bootc does with them then: all are checked out one over the other,
//! with whiteouts; two files that container builders leave empty are taken away; the tree is
//! committed with the labels of its own policy; and where there is one, the layers are labelled
//! and committed again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use ostree_ext::container::OstreeImageReference;
use ostree_ext::container::store::{LayeredImageState, query_image, query_image_commit};
use ostree_ext::glib::VariantDict;
use ostree_ext::oci_spec::image::{Arch, Descriptor};
use ostree_ext::ostree::{self, Repo, RepoCheckoutAtOptions, RepoCheckoutOverwriteMode, RepoFile};
use ostree_ext::ostree::{RepoCommitModifier, RepoCommitModifierFlags, SePolicy};
use ostree_ext::prelude::{Cast, FileExt, ToVariant};
use ostree_ext::refescape::prefix_escape_for_ref;
use ostree_ext::tar::{WriteTarOptions, write_tar};
use ostree_ext::{gio, glib};
use serde_json::Value;

use crate::source::Opened;
use crate::{NONE, changed, unchanged};

/// What bootc's importer calls itself.
const VERSION: (&str, &str) = ("ostree.importer.version", "0.15.3");

fn layer_ref(layer: &Descriptor) -> Result<String> {
    prefix_escape_for_ref("ostree/container/blob", layer.digest().as_ref())
}

/// Compares an image with what `repo` has of it.
pub async fn prepare(repo: &Repo, opened: Opened, image: &OstreeImageReference) -> Result<Value> {
    let previous = query_image(repo, &image.imgref)?;
    let answer = match previous.filter(|state| state.manifest_digest.as_ref() == opened.digest) {
        Some(state) => unchanged(&state),
        None => {
            let mut layers = Vec::new();
            for layer in opened.manifest.layers() {
                let present = repo.resolve_rev(&layer_ref(layer)?, true)?.is_some();
                layers.push((layer.digest().to_string(), present));
            }
            changed(&opened.digest, layers.into_iter())
        }
    };
    opened.close().await?;
    Ok(answer)
}

/// Imports an image, under the name `target`.
pub async fn import(repo: &Repo, opened: Opened, target: &OstreeImageReference) -> Result<Box<LayeredImageState>> {
    if !opened.is_bootable() {
        bail!("the image does not say that it is bootable");
    }
    if opened.config.architecture() != &Arch::default() {
        bail!("the image is for {}", opened.config.architecture());
    }
    let mut layers = Vec::new();
    for layer in opened.manifest.layers() {
        let name = layer_ref(layer)?;
        let commit = match repo.resolve_rev(&name, true)? {
            Some(commit) => commit.to_string(),
            None => download(repo, &opened, layer, &name).await.with_context(|| format!("layer {}", layer.digest()))?,
        };
        layers.push((name, commit));
    }
    let commit = merge(repo, &opened, &layers, target)?;
    opened.close().await?;
    query_image_commit(repo, &commit)
}

async fn download(repo: &Repo, opened: &Opened, layer: &Descriptor, name: &str) -> Result<String> {
    let mut options = WriteTarOptions::default();
    // Without a base that says otherwise, all of the image counts.
    options.allow_nonusr = true;
    options.retain_var = true;
    let (blob, driver) = opened.proxy.get_blob(&opened.image, layer.digest(), layer.size()).await?;
    let written = write_tar(repo, blob, layer.media_type().clone(), name, Some(options));
    let (written, driver) = tokio::join!(written, driver);
    let written = written?;
    driver?;
    Ok(written.commit)
}

/// Commits the layers, one over the other, and returns the commit.
fn merge(repo: &Repo, opened: &Opened, layers: &[(String, String)], target: &OstreeImageReference) -> Result<String> {
    let transaction = repo.auto_transaction(NONE)?;
    // Where the objects are, so that a checkout is hard links.
    let root = repo.path().path().context("a repository that is no directory")?.join("tmp/peer-merge");
    let known = ostree::RepoDevInoCache::new();
    let options = RepoCheckoutAtOptions {
        overwrite_mode: RepoCheckoutOverwriteMode::UnionFiles,
        process_whiteouts: true,
        devino_to_csum_cache: Some(known.clone()),
        no_copy_fallback: true,
        force_copy_zerosized: true,
        ..Default::default()
    };
    for (_, commit) in layers {
        repo.checkout_at(Some(&options), ostree::AT_FDCWD, &root, commit, NONE)
            .with_context(|| format!("laying {commit} over those below"))?;
    }
    remove_if_empty(&root.join("usr/etc/hostname"))?;
    remove_if_empty(&root.join("usr/etc/resolv.conf"))?;

    let policy = SePolicy::new(&gio::File::for_path(&root), NONE)?;
    let modifier = RepoCommitModifier::new(RepoCommitModifierFlags::CONSUME, None);
    modifier.set_devino_cache(&known);
    modifier.set_sepolicy(Some(&policy));
    if root.join("usr/etc/selinux").is_dir() {
        for (name, commit) in layers {
            label(repo, &policy, name, commit).with_context(|| format!("labelling {name}"))?;
        }
    }
    let tree = ostree::MutableTree::new();
    repo.write_dfd_to_mtree(ostree::AT_FDCWD, path(&root)?, &tree, Some(&modifier), NONE)?;
    let metadata = VariantDict::new(None);
    metadata.insert("ostree.manifest-digest", opened.digest.as_str());
    metadata.insert("ostree.manifest", serde_json::to_string(&opened.manifest)?);
    metadata.insert("ostree.container.image-config", serde_json::to_string(&opened.config)?);
    metadata.insert(VERSION.0, VERSION.1);
    let commit = write_commit(repo, &tree, &metadata.to_variant(), created(opened))?;
    let name = prefix_escape_for_ref("ostree/container/image", &target.imgref.to_string())?;
    repo.transaction_set_ref(None, &name, Some(&commit));
    transaction.commit(NONE)?;
    Ok(commit)
}

/// Commits a layer again with the labels of `policy`.
fn label(repo: &Repo, policy: &SePolicy, name: &str, commit: &str) -> Result<()> {
    let modifier = RepoCommitModifier::new(RepoCommitModifierFlags::NONE, None);
    modifier.set_sepolicy(Some(policy));
    let tree = ostree::MutableTree::new();
    repo.write_directory_to_mtree(&repo.read_commit(commit, NONE)?.0, &tree, Some(&modifier), NONE)?;
    let old = repo.load_commit(commit)?.0;
    let commit = write_commit(repo, &tree, &old.child_value(0), ostree::commit_get_timestamp(&old))?;
    repo.transaction_set_ref(None, name, Some(&commit));
    Ok(())
}

fn write_commit(repo: &Repo, tree: &ostree::MutableTree, metadata: &glib::Variant, time: u64) -> Result<String> {
    let root = repo.write_mtree(tree, NONE)?.downcast::<RepoFile>();
    let root = root.map_err(|_| anyhow::anyhow!("a tree that is not in the repository"))?;
    Ok(repo.write_commit_with_time(None, None, None, Some(metadata), &root, time, NONE)?.to_string())
}

fn created(opened: &Opened) -> u64 {
    let annotations = opened.manifest.annotations().as_ref();
    let text = annotations.and_then(|annotations| annotations.get("org.opencontainers.image.created"));
    let text = text.or(opened.config.created().as_ref());
    let time = text.and_then(|text| glib::DateTime::from_iso8601(text, None).ok());
    time.map_or(0, |time| time.to_unix().unsigned_abs())
}

fn remove_if_empty(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() == 0 => Ok(fs::remove_file(path)?),
        _ => Ok(()),
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

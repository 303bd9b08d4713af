//! What bootc does with a container image, asked by the tests: its importer `ostree-ext`, as a
//! program with answers in JSON.
//!
//! ```text
//! images        what is in a repository
//! import        an image into a repository                what `bootc switch` downloads
//! status        the images and deployments of a system    `bootc status`
//! prepare       what an update would download             `bootc upgrade --check`
//! upgrade       import and deploy it                      `bootc upgrade`
//! rollback      the deployment before the last one        `bootc rollback`
//! encapsulate   a commit into an OCI layout               `ostree container encapsulate`
//! ```
//!
//! `ostree-ext` 0.15.3 is the last version that was published as a package; bootc has a later
//! one of the same number in its own source tree. What bootc's has in addition, and what was
//! never part of it, is done here, by the same calls of libostree, and only this:
//!
//! * [`plain`]: images without an OSTree commit in them. The published version refuses them, but
//!   it has all the parts: the download, the filter and the commit of a layer.
//! * [`system`]: kernel arguments of an update and `kargs.d`, the deployment, the rollback.

mod plain;
mod source;
mod system;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use ostree_ext::container::store::{ImageImporter, LayeredImageState, ManifestLayerState, PrepareResult};
use ostree_ext::container::{Config, ExportOpts, OstreeImageReference, encapsulate};
use ostree_ext::gio;
use ostree_ext::ostree::{Repo, RepoMode};
use serde_json::{Value, json};

/// No operation here can be cancelled.
const NONE: Option<&gio::Cancellable> = None;

/// Asks bootc's importer.
///
/// IMAGE is what stands in an origin: ostree-unverified-registry:HOST/NAME:TAG,
/// ostree-unverified-image:oci:PATH:TAG, and so on.
#[derive(Parser)]
enum Command {
    /// Import an image into a bare repository, which is made if it is missing
    Import {
        /// The repository
        repo: PathBuf,
        /// Where the image comes from
        image: OstreeImageReference,
        /// Record it under this name, for updates
        #[arg(long)]
        target: Option<OstreeImageReference>,
    },
    /// Tell what images a repository has
    Images {
        /// The repository
        repo: PathBuf,
    },
    /// Tell what images and deployments a system root has
    Status {
        /// The system root
        sysroot: PathBuf,
    },
    /// Tell which layers an update of a system root needs
    Prepare {
        /// The system root
        sysroot: PathBuf,
        /// The image
        image: OstreeImageReference,
    },
    /// Import an image into a system root and deploy it
    Upgrade {
        /// The system root
        sysroot: PathBuf,
        /// The image
        image: OstreeImageReference,
    },
    /// Make the deployment before the last one the one that starts next
    Rollback {
        /// The system root
        sysroot: PathBuf,
    },
    /// Write a commit as an image
    Encapsulate {
        /// The repository
        repo: PathBuf,
        /// The commit, or a ref
        commit: String,
        /// oci:PATH:TAG
        image: String,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let answer = match Command::parse() {
        Command::Import { repo, image, target } => {
            let repo = open(&repo)?;
            let state = import(&repo, &image, target.as_ref().unwrap_or(&image)).await?;
            system::describe_image(&repo, &state)?
        }
        Command::Images { repo } => system::images(&open(&repo)?)?,
        Command::Status { sysroot } => system::status(&system::open(&sysroot)?)?,
        Command::Prepare { sysroot, image } => prepare(&system::open(&sysroot)?.repo(), &image).await?,
        Command::Upgrade { sysroot, image } => {
            let sysroot = system::open(&sysroot)?;
            let state = import(&sysroot.repo(), &image, &image).await?;
            system::deploy(&sysroot, &image, &state)?;
            system::status(&sysroot)?
        }
        Command::Rollback { sysroot } => {
            let sysroot = system::open(&sysroot)?;
            system::rollback(&sysroot)?;
            system::status(&sysroot)?
        }
        Command::Encapsulate { repo, commit, image } => write_image(&open(&repo)?, &commit, &image).await?,
    };
    println!("{answer}");
    Ok(())
}

fn open(path: &Path) -> Result<Repo> {
    let repo = Repo::new(&gio::File::for_path(path));
    repo.create(RepoMode::Bare, NONE).with_context(|| format!("making or opening {}", path.display()))?;
    repo.open(NONE)?;
    Ok(repo)
}

/// Imports `image` under the name `target`.
async fn import(
    repo: &Repo,
    image: &OstreeImageReference,
    target: &OstreeImageReference,
) -> Result<Box<LayeredImageState>> {
    let opened = source::Opened::new(image).await?;
    if !opened.is_encapsulated() {
        return plain::import(repo, opened, target).await;
    }
    opened.close().await?;
    let mut importer = ImageImporter::new(repo, image, source::proxy()).await?;
    importer.require_bootable();
    importer.set_target(target);
    match importer.prepare().await? {
        PrepareResult::AlreadyPresent(state) => Ok(state),
        PrepareResult::Ready(prepared) => importer.import(prepared).await,
    }
}

/// Compares an image with what a repository has of it.
async fn prepare(repo: &Repo, image: &OstreeImageReference) -> Result<Value> {
    let opened = source::Opened::new(image).await?;
    if !opened.is_encapsulated() {
        return plain::prepare(repo, opened, image).await;
    }
    opened.close().await?;
    let mut importer = ImageImporter::new(repo, image, source::proxy()).await?;
    importer.require_bootable();
    Ok(match importer.prepare().await? {
        PrepareResult::AlreadyPresent(state) => unchanged(&state),
        PrepareResult::Ready(prepared) => {
            let layer = |layer: &ManifestLayerState| (layer.layer().digest().to_string(), layer.commit.is_some());
            changed(&prepared.manifest_digest.to_string(), prepared.all_layers().map(layer))
        }
    })
}

/// The answer of `prepare` for an image that is there.
fn unchanged(state: &LayeredImageState) -> Value {
    json!({ "unchanged": true, "digest": state.manifest_digest.to_string(), "present": [], "needed": [] })
}

/// The answer for one that is not, by its layers and whether they are there.
fn changed(digest: &str, layers: impl Iterator<Item = (String, bool)>) -> Value {
    let (present, needed): (Vec<_>, Vec<_>) = layers.partition(|(_, present)| *present);
    let digests = |layers: Vec<(String, bool)>| layers.into_iter().map(|(digest, _)| digest).collect::<Vec<_>>();
    json!({ "unchanged": false, "digest": digest, "present": digests(present), "needed": digests(needed) })
}

async fn write_image(repo: &Repo, commit: &str, image: &str) -> Result<Value> {
    let labels = [("containers.bootc", "1"), ("ostree.bootable", "true")];
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = Config { labels: Some(labels), cmd: None };
    let target = image.try_into()?;
    let mut options = ExportOpts::default();
    // Quick: what the tests want is an image, not a small one.
    options.skip_compression = true;
    let digest = encapsulate(repo, commit, &config, Some(options), &target).await?;
    Ok(json!({ "digest": digest.to_string() }))
}

//! An image as a plain tree of files, for work inside it: the boot media are made by the
//! image's own tools. Not a deployment: nothing boots from it.

use std::path::{Path, PathBuf};

use super::import::{Import, import};
use super::ostree;
use crate::cancel::Cancel;
use crate::error::{Context, Result, Stage};
use crate::event::Sink;
use crate::host::Host;
use crate::image::Image;

/// Unpacks `image` into the new directory `dir/root` and returns that. Files are hard links
/// into a repository beside it: to be replaced, never to be written into.
pub fn unpack(image: &Image, dir: &Path, host: &dyn Host, events: &dyn Sink) -> Result<PathBuf> {
    let doing = "unpacking the image";
    let (repo_dir, root) = (dir.join("repo"), dir.join("root"));
    ostree::create_repo(host, Stage::Media, &repo_dir)?;
    let target = image.reference().to_string();
    let job = Import { image, repo: &repo_dir, selinux: false, target: &target, host, events, cancel: &Cancel::new() };
    let imported = import(&job)?;
    ostree::checkout(host, Stage::Media, &repo_dir, &imported.commit, &root).map_err(|error| {
        error.hint("the scratch directory must be on a file system with hard links and extended attributes")
    })?;
    // As in a deployment, /etc comes from /usr/etc.
    let files = host.open(&root).doing(Stage::Media, doing)?;
    if files.is_dir("usr/etc") && files.stat("etc").doing(Stage::Media, doing)?.is_none() {
        files.rename("usr/etc", "etc").doing(Stage::Media, doing)?;
    }
    Ok(root)
}

//! An image as a plain tree of files, for work inside it: the boot media are made by the
//! image's own tools. Not a deployment: nothing boots from it.

use std::fs;
use std::path::{Path, PathBuf};

use ostree::gio;

use super::import::{Import, import};
use crate::cancel::Cancel;
use crate::error::{Context, Error, Result, Stage};
use crate::event::Sink;
use crate::image::Image;

const NONE: Option<&gio::Cancellable> = None;

/// Unpacks `image` into the new directory `dir/root` and returns that. Files are hard links
/// into a repository beside it: to be replaced, never to be written into.
pub fn unpack(image: &Image, dir: &Path, events: &dyn Sink) -> Result<PathBuf> {
    let doing = "unpacking the image";
    let (repo_dir, root) = (dir.join("repo"), dir.join("root"));
    let repo = ostree::Repo::new(&gio::File::for_path(&repo_dir));
    repo.create(ostree::RepoMode::Bare, NONE).doing(Stage::Media, doing)?;
    let target = image.reference().to_string();
    let job = Import { image, repo: &repo_dir, selinux: false, target: &target, events, cancel: &Cancel::new() };
    let imported = import(&job)?;
    let options = ostree::RepoCheckoutAtOptions::default();
    repo.checkout_at(Some(&options), libc::AT_FDCWD, &root, &imported.commit, NONE).map_err(|error| {
        Error::failed(Stage::Media, doing)
            .because(error)
            .hint("the scratch directory must be on a file system with hard links and extended attributes")
    })?;
    // As in a deployment, /etc comes from /usr/etc.
    let (kept, etc) = (root.join("usr/etc"), root.join("etc"));
    if kept.is_dir() && !etc.exists() {
        fs::rename(&kept, &etc).doing(Stage::Media, doing)?;
    }
    Ok(root)
}

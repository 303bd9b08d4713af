//! Repositories: made, and checked out.

use std::path::Path;

use ostree::gio;

use crate::{Doing, Failed};

const NONE: Option<&gio::Cancellable> = None;

/// Makes a bare repository.
pub fn create(path: &Path) -> Result<(), Failed> {
    let repo = ostree::Repo::new(&gio::File::for_path(path));
    repo.create(ostree::RepoMode::Bare, NONE).doing("making an OSTree repository")
}

/// Checks `commit` out as hard links.
pub fn checkout(path: &Path, commit: &str, to: &Path) -> Result<(), Failed> {
    let doing = "checking a commit out";
    let repo = ostree::Repo::new(&gio::File::for_path(path));
    repo.open(NONE).doing(doing)?;
    let options = ostree::RepoCheckoutAtOptions::default();
    repo.checkout_at(Some(&options), libc::AT_FDCWD, to, commit, NONE).doing(doing)
}

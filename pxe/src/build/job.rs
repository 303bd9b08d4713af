//! What an environment is made of.

use std::path::{Path, PathBuf};

use installer_core::image::{Image, ImageFacts};

/// What to make an environment of.
pub struct Build<'a> {
    /// The opened image.
    pub image: &'a Image,
    /// Its facts.
    pub facts: &'a ImageFacts,
    /// This command, which becomes the installer.
    pub command: &'a Path,
    /// The program beside it that makes the deployment.
    pub ostree: &'a Path,
    /// Certificate authorities in PEM form for an image that has none.
    pub certificates: Option<PathBuf>,
    /// The directory to make.
    pub output: &'a Path,
}

//! The arguments that say how an image is reached.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use installer_core::Result;
use installer_core::event::Sink;
use installer_core::image::{self, Access, Image, ImageFacts, ImageReference};
use installer_core::plan::oci_architecture;
use installer_core::units::Bytes;

/// How to reach an image.
#[derive(Debug, clap::Args)]
pub struct AccessArgs {
    /// Take registry credentials from this auth.json instead of the usual places
    #[arg(long, value_name = "FILE")]
    pub authfile: Option<PathBuf>,

    /// Speak plain http, or TLS that is not verified, to this registry (HOST[:PORT]); repeatable
    #[arg(long, value_name = "REGISTRY")]
    pub insecure_registry: Vec<String>,
}

impl AccessArgs {
    /// Opens `reference` for `machine` (an architecture as `uname -m` has it) and reads its
    /// facts. With a directory to `keep` layers in, and how much of them, they are fetched once for
    /// the facts and the installation; the files are nameless and end with this process.
    pub fn resolve(
        &self,
        reference: &str,
        machine: &str,
        keep: Option<(&Path, Bytes)>,
        events: Arc<dyn Sink>,
    ) -> Result<(Image, ImageFacts)> {
        let reference: ImageReference = reference.parse()?;
        let access = Access {
            authfile: self.authfile.clone(),
            insecure_registries: self.insecure_registry.clone(),
            keep_in: keep.map(|(place, _)| place.to_owned()),
            keep_limit: keep.map_or(Bytes(0), |(_, limit)| limit),
            ..Access::default()
        };
        let image = image::open(&reference, oci_architecture(machine), &access, events)?;
        let facts = image::resolve(&image)?;
        Ok((image, facts))
    }
}

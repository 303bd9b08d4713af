//! The arguments that say how an image is reached.

use std::path::PathBuf;

use installer_core::image::Access;

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
    /// The same for the core.
    pub fn access(&self) -> Access {
        Access {
            authfile: self.authfile.clone(),
            insecure_registries: self.insecure_registry.clone(),
            ..Access::default()
        }
    }
}

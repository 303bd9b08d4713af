//! `bootc-ks iso build`: an installer environment becomes a medium.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use installer_core::host::Real;
use installer_core::image::{self, Image, ImageReference};
use installer_core::plan::oci_architecture;
use installer_core::units::Bytes;
use installer_core::{Error, Stage};
use isolinux::{BuildJob, Embed};
use pxe::environment::Environment;
use tempfile::TempDir;

use super::arguments::CustomArgs;
use crate::image::AccessArgs;
use crate::netboot::build;
use crate::progress::Audience;

/// Make an ISO.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The ISO starts under BIOS and UEFI, as a disc and on a USB stick, and it installs without a question: \
    a machine that starts from it loses what its kickstart clears. The same input makes the same bytes. Everything on it \
    has one date, SOURCE_DATE_EPOCH, or else one that is made from the content.\n\n\
    Exit codes: 0 done; 2 the kickstart, an argument or the environment cannot be used; 3 something is missing."
)]
pub struct Args {
    /// The directory that 'bootc-ks netboot build' made
    #[arg(long, value_name = "DIR", required_unless_present = "image", conflicts_with = "image")]
    environment: Option<PathBuf>,

    /// Make the installer of this image first, as 'bootc-ks netboot build' does; needs root
    #[arg(long, value_name = "REF")]
    image: Option<String>,

    #[command(flatten)]
    custom: CustomArgs,

    /// Put this image onto the medium, so that the installation needs no network:
    /// REGISTRY/NAME:TAG, docker://…, oci:DIR[:TAG] or oci-archive:FILE[:TAG]
    #[arg(long, value_name = "REF")]
    embed_image: Option<String>,

    /// Where the installed system looks for updates, if not where the image on the medium came from
    #[arg(long, value_name = "REF", requires = "embed_image")]
    target: Option<String>,

    #[command(flatten)]
    access: AccessArgs,

    /// Write the ISO to this file, which only its owner may read if there is a kickstart in it
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Makes it and says what it is.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let custom = args.custom.read()?;
    let (environment, _scratch) = args.environment()?;
    let audience = Audience::new(None)?;
    let image = args.embedded(environment.arch(), &audience)?;
    let job = BuildJob {
        environment: &environment,
        custom,
        kargs: args.custom.karg.clone(),
        embed: image.as_ref().map(|(image, target)| Embed { image, target: target.clone() }),
        epoch: epoch()?,
        output: &args.output,
    };
    let built = isolinux::build(&job, &Real, &*audience)?;
    let loaders = if built.image_loaders { "the image" } else { "this machine" };
    println!("{}: {}, volume {}", args.output.display(), Bytes(built.size), built.volume);
    println!("  everything on it is dated {} (seconds since 1970)", built.epoch);
    println!("  its UEFI boot loader is that of {loaders}");
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The environment that was named, or one of the image; what is made on the way goes with
    /// the second.
    fn environment(&self) -> anyhow::Result<(Environment, Option<TempDir>)> {
        let Some(image) = &self.image else {
            let dir = self.environment.as_deref().unwrap_or(Path::new("."));
            let opened = Environment::open(dir).map_err(|error| match self.environment {
                Some(_) => error,
                None => error.hint("name one with --environment DIR, or an image to make it of with --image REF"),
            });
            return Ok((opened?, None));
        };
        let beside = directory(&self.output);
        let scratch = tempfile::Builder::new().prefix(".bootc-ks-").tempdir_in(beside);
        let scratch = scratch.with_context(|| format!("writing beside {}", self.output.display()))?;
        let environment = build::make(image, &scratch.path().join("environment"), &self.access)?;
        Ok((environment, Some(scratch)))
    }

    /// The image for the medium, and where its updates come from.
    fn embedded(&self, arch: &str, audience: &std::sync::Arc<Audience>) -> anyhow::Result<Option<(Image, String)>> {
        let Some(text) = &self.embed_image else { return Ok(None) };
        let reference: ImageReference = text.parse()?;
        let target: ImageReference = match &self.target {
            Some(target) => target.parse()?,
            None => reference.clone(),
        };
        if target.host().is_none() {
            let message = format!("{target} is no place that an installed system can get updates from");
            return Err(Error::input(Stage::Request, message)
                .hint("name a registry's image: --target HOST/NAME:TAG")
                .into());
        }
        let access = image::Access { cpu_level: None, ..self.access.access() };
        let image = image::open(&reference, oci_architecture(arch), &access, audience.clone())?;
        Ok(Some((image, target.to_string())))
    }
}

/// Where a file lies.
fn directory(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the environment variable says of dates.
fn epoch() -> anyhow::Result<Option<u64>> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(None) };
    let value = value.to_string_lossy();
    value.parse().map(Some).with_context(|| format!("SOURCE_DATE_EPOCH is '{value}', not a number of seconds"))
}

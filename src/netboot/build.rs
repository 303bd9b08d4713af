//! `bootc-ks netboot build`: the installer environment, out of the image.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use installer_core::host::{Real, locate};
use installer_core::image::{Access, CacheIn};
use installer_core::prepare::look;
use installer_core::program::OSTREE_PROGRAM;
use installer_core::{apply, machine};
use pxe::build::{Build, build, size};
use pxe::environment::Environment;

use crate::image::AccessArgs;
use crate::progress::Audience;

/// Where a machine keeps the authorities that it trusts.
const BUNDLES: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Make an installer environment out of an image.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Kernel, drivers and tools are the image's own, and this command is the installer: where it boots, \
    the installed system boots. DIR holds vmlinuz, initrd.img, environment.json with their digests, and the image's \
    signed boot loaders. Needs root, and as much room beside DIR as the unpacked image takes, until it is done.\n\n\
    The image needs dracut, systemd, libostree, and systemd-networkd or NetworkManager.\n\n\
    Exit codes: 0 done; 2 bad input; 3 the image or this machine lacks something; 4 DIR holds something else."
)]
pub struct Args {
    /// The image: REGISTRY/NAME:TAG, docker://…, oci:DIR[:TAG] or oci-archive:FILE[:TAG]
    #[arg(long, value_name = "REF")]
    image: String,

    /// The directory to make
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    #[command(flatten)]
    access: AccessArgs,
}

/// Makes it and says what came of it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    make(&args.image, &args.output, &args.access)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes an environment out of `image` at `output`.
pub fn make(image: &str, output: &Path, access: &AccessArgs) -> anyhow::Result<Environment> {
    apply::require_root()?;
    apply::require_ostree()?;
    let audience = Audience::new(None)?;
    let machine = machine::probe()?;
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let access = Access { cache_in: CacheIn::Directory(parent.to_owned()), ..access.access() };
    let (image, facts) = look(image, &machine.arch, &access, audience.clone())?;
    let command = std::env::current_exe().context("finding this program")?;
    let ostree = locate(OSTREE_PROGRAM).context("finding bootc-ks-ostree")?;
    let certificates = BUNDLES.iter().map(PathBuf::from).find(|bundle| bundle.is_file());
    let job = Build { image: &image, facts: &facts, command: &command, ostree: &ostree, certificates, output };
    let environment = build(&job, &Real, &*audience)?;
    let (release, size) = (environment.kernel_release(), size(&environment)?);
    println!("{}: kernel {release} and initrd, {size}; boot it with 'inst.ks=http://SERVER/site.ks'", output.display());
    Ok(environment)
}

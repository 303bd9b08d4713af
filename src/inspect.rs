//! `bootc-ks inspect`: an image.

use std::process::ExitCode;

use installer_core::image::ImageFacts;
use installer_core::prepare::look;

use crate::image::AccessArgs;
use crate::progress::Audience;

/// Show an image's facts.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image: REGISTRY/NAME:TAG, docker://…, oci:DIR[:TAG] or oci-archive:FILE[:TAG]
    image: String,

    /// As JSON, which `plan --image-facts` reads
    #[arg(long)]
    json: bool,

    /// For this architecture, as `uname -m` has it
    #[arg(long, value_name = "ARCH", default_value = std::env::consts::ARCH)]
    arch: String,

    #[command(flatten)]
    access: AccessArgs,
}

/// Looks and tells.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (_, facts) = look(&args.image, &args.arch, &args.access.access(), Audience::new(None)?)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&facts)?);
    } else {
        print!("{}", text(&facts));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(facts: &ImageFacts) -> String {
    let none = || "-".to_owned();
    let kernel = match &facts.kernel {
        Some(kernel) if kernel.initramfs => match kernel.size {
            Some(size) => format!("{}, {size} with its initramfs", kernel.version),
            None => kernel.version.clone(),
        },
        Some(kernel) => format!("{}, no initramfs", kernel.version),
        None => none(),
    };
    let boot = match (&facts.boot.grub_install, facts.boot.bootupd) {
        (_, true) => "bootupd".to_owned(),
        (Some(install), _) => format!("{install} for {}", facts.boot.grub_platforms.join(", ")),
        _ => none(),
    };
    let list = |items: &[String]| if items.is_empty() { none() } else { items.join(" ") };
    let rows = [
        ("Image", facts.reference.clone()),
        ("Digest", facts.manifest_digest.to_string()),
        ("Architecture", facts.architecture.clone()),
        ("Created", facts.created.clone().unwrap_or_else(none)),
        (
            "Layers",
            format!("{}, {} to fetch, {} unpacked", facts.layers.len(), facts.download_size, facts.unpacked_size),
        ),
        ("Kernel", kernel),
        ("Boot loader", boot),
        ("Root wants", facts.install.root_fs.clone().unwrap_or_else(none)),
        ("Kernel args", list(&[facts.install.kargs.as_slice(), &facts.kargs].concat())),
        ("Policy", facts.signature_policy.as_ref().map_or_else(none, ToString::to_string)),
        ("SELinux", facts.selinux.clone().unwrap_or_else(none)),
    ];
    rows.iter().map(|(name, value)| format!("{:<14}{value}\n", format!("{name}:"))).collect()
}

//! `bootc-ks iso show`: what is on a medium.

use std::path::PathBuf;
use std::process::ExitCode;

use isolinux::{Found, Medium, State};
use pxe::custom::Custom;
use serde_json::{Value, json};

use super::foreign;
use super::open::open;
use super::table::{kickstart, table};

/// Show what is on an ISO.
#[derive(Debug, clap::Args)]
#[command(after_help = "Passwords in the kickstart are shown as stars. Of an ISO of another installer the boot menus \
    are shown, those in its EFI system partition with the help of mtools.\n\n\
    Exit codes: 0 done; 2 the ISO cannot be used.")]
pub struct Args {
    /// The ISO: a file, or the whole device that it was written to
    #[arg(value_name = "ISO")]
    iso: PathBuf,

    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Looks and tells.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (mut file, found) = open(&args.iso, false)?;
    let (json, text) = match found {
        Found::Ours(medium) => {
            let contents = medium.contents();
            (json(&medium, &contents), text(&medium, &contents))
        }
        Found::Foreign(iso) => foreign::show(*iso, &mut file),
    };
    match args.json {
        true => println!("{json:#}"),
        false => print!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn json(medium: &Medium, contents: &Custom) -> Value {
    let manifest = medium.manifest();
    json!({
        "schema": 1,
        "volume": manifest.volume,
        "state": medium.state(),
        "environment": manifest.environment,
        "boot_loader": manifest.boot_loader,
        "image": manifest.image,
        "kargs": { "built_in": medium.default_kargs(), "now": medium.kargs() },
        "certificates": contents.certificates.keys().collect::<Vec<_>>(),
        "kickstart": kickstart(contents.kickstart.as_deref()),
    })
}

fn text(medium: &Medium, contents: &Custom) -> String {
    let manifest = medium.manifest();
    let state = match medium.state() {
        State::AsBuilt => "as it was built",
        State::Customised => "customised",
        State::Unfinished => "unfinished: customise it again with --force, or reset it; it starts nothing",
    };
    let loader = if manifest.boot_loader == "image" { "the image's" } else { "the building machine's" };
    let environment = &manifest.environment;
    let mut rows = vec![
        ("Volume", manifest.volume.clone()),
        ("State", state.to_owned()),
        ("Environment", format!("kernel {}, made from {}", environment.kernel, environment.image)),
        ("UEFI", format!("shim and GRUB are {loader}")),
    ];
    match &manifest.image {
        Some(image) => rows.extend([
            ("Image", image.reference.clone()),
            ("", image.digest.clone()),
            ("Updates", format!("from {}", image.target)),
        ]),
        None => rows.push(("Image", "not on the medium".to_owned())),
    }
    rows.push((
        "Kernel args",
        if medium.kargs().is_empty() { medium.default_kargs() } else { medium.kargs() }.to_owned(),
    ));
    let names: Vec<&str> = contents.certificates.keys().map(String::as_str).collect();
    rows.push(("Certificates", if names.is_empty() { "none".to_owned() } else { names.join(", ") }));
    table(rows, kickstart(contents.kickstart.as_deref()))
}

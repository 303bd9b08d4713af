//! `bootc-ks plan`: what would happen.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use installer_core::event::Sink;
use installer_core::image::{Image, ImageFacts};
use installer_core::machine::{self, Machine};
use installer_core::plan::Plan;
use installer_core::request::{ImageFile, Request};
use installer_core::units::Bytes;
use installer_core::{Error, Stage};
use serde::de::DeserializeOwned;

use crate::failure;
use crate::image::AccessArgs;
use crate::progress::Audience;
use crate::site::{self, PreScripts};

/// The form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What is installed where, for `plan` and `install` alike.
#[derive(Debug, clap::Args)]
pub struct WhatArgs {
    /// The kickstart: a path, '-' for standard input, or an http(s) URL
    // An Option, for `install` has a verb that needs none; clap sees to it that it is there.
    #[arg(value_name = "KS", required = true)]
    kickstart: Option<String>,

    /// Install this image instead of the kickstart's: REGISTRY/NAME:TAG, docker://…, oci:DIR[:TAG]
    /// or oci-archive:FILE[:TAG]. Updates come from it too if it is in a registry, else from the
    /// kickstart's
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,

    /// Where the installed system looks for updates, if somewhere else
    #[arg(long, value_name = "REF")]
    pub target_image: Option<String>,

    /// Install onto a new disk image instead of a disk
    #[arg(long, value_name = "FILE", requires = "size")]
    pub disk_image: Option<PathBuf>,

    /// Size of that disk image, such as 10G
    #[arg(long, value_name = "SIZE", requires = "disk_image")]
    pub size: Option<Bytes>,

    /// Leave the order in which UEFI firmware boots things as it is
    #[arg(long)]
    pub leave_boot_order: bool,

    #[command(flatten)]
    pub access: AccessArgs,
}

impl WhatArgs {
    /// The kickstart as it was named.
    pub fn kickstart(&self) -> &str {
        self.kickstart.as_deref().unwrap_or_default()
    }

    /// Puts what the command line says over what the kickstart says. Returns the image.
    pub fn overlay(&self, request: &mut Request) -> Result<String, Error> {
        let kickstarts = request.image.take();
        let image = self.image.clone().or_else(|| kickstarts.clone()).ok_or_else(|| {
            Error::input(Stage::Request, format!("{} names no image to install", self.kickstart()))
                .hint("add a line 'ostreecontainer --url=REGISTRY/NAME:TAG', or use --image")
        })?;
        // A directory or an archive is no place to get updates from once the machine is away.
        let local = image.starts_with("oci:") || image.starts_with("oci-archive:");
        request.update_from = self.target_image.clone().or(kickstarts.filter(|_| local && self.image.is_some()));
        request.image = Some(image.clone());
        request.leave_boot_order |= self.leave_boot_order;
        if let (Some(path), Some(size)) = (&self.disk_image, self.size) {
            let replaces = path.exists();
            request.disks.image_file = Some(ImageFile { path: path.display().to_string(), size, replaces });
        }
        Ok(image)
    }
}

/// Show what would be done.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    what: WhatArgs,

    /// Plan for the machine in this file (from 'bootc-ks probe --json') instead of this one
    #[arg(long, value_name = "FILE")]
    machine: Option<PathBuf>,

    /// Plan with the image facts in this file (from 'bootc-ks inspect --json') instead of asking
    /// the registry
    #[arg(long, value_name = "FILE")]
    image_facts: Option<PathBuf>,

    /// How to show the plan
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Plans and tells.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plan = plan(args).inspect_err(|error| {
        if args.format == Format::Json {
            println!("{:#}", failure::json(error));
        }
    })?;
    match args.format {
        Format::Text => print!("{}", plan.render()?),
        Format::Json => println!("{:#}", with_digest(&plan)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn plan(args: &Args) -> anyhow::Result<Plan> {
    let site = site::read(args.what.kickstart(), &PreScripts::Skip)?;
    let mut request = site.request;
    let machine = match &args.machine {
        Some(file) => document(file, "machine", machine::SCHEMA)?,
        None => machine::probe()?,
    };
    let image = match &args.image_facts {
        // Facts say which image they are of; the kickstart need not.
        Some(_) => args.what.overlay(&mut request).unwrap_or_default(),
        None => args.what.overlay(&mut request)?,
    };
    let facts: ImageFacts = match &args.image_facts {
        Some(file) => document(file, "image facts", installer_core::image::SCHEMA)?,
        None => look(&args.what, &image, &machine, None, Audience::new(None)?)?.1,
    };
    Ok(installer_core::plan::plan(&request, &machine, &facts)?)
}

/// The image and its facts; see [`AccessArgs::resolve`] for `keep`.
pub fn look(
    what: &WhatArgs,
    image: &str,
    machine: &Machine,
    keep: Option<(&Path, Bytes)>,
    events: Arc<dyn Sink>,
) -> Result<(Image, ImageFacts), Error> {
    what.access.resolve(image, &machine.arch, keep, events)
}

/// The plan as JSON with its digest beside what it is the digest of.
pub fn with_digest(plan: &Plan) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(plan)?;
    value["digest"] = serde_json::to_value(plan.digest()?)?;
    Ok(value)
}

/// A document that this command wrote: JSON that says which `schema` it has.
pub fn document<T: DeserializeOwned>(path: &Path, what: &str, schema: u32) -> Result<T, Error> {
    let bad = |message: String| Error::input(Stage::Plan, format!("{}: {message}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    match value["schema"].as_u64() {
        Some(found) if found == u64::from(schema) => {}
        found => {
            let found = found.map_or("none".to_owned(), |found| found.to_string());
            return Err(bad(format!("this is no {what} document of schema {schema} (its schema is {found})")));
        }
    }
    serde_json::from_value(value).map_err(|error| bad(format!("this is no {what} document: {error}")))
}

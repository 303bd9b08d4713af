//! `bootc-ks plan`: what would happen.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use installer_core::image::ImageFacts;
use installer_core::machine;
use installer_core::plan::Plan;
use installer_core::prepare::{self, Overrides};
use installer_core::request::Request;
use installer_core::units::Bytes;
use installer_core::{Error, Stage};
use serde::de::DeserializeOwned;

use crate::error;
use crate::fetch;
use crate::image::AccessArgs;
use crate::output;
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

    /// How long to try again where the kickstart's server is in trouble or not there yet: 'install'
    /// tries for 180 seconds, others for 10
    #[arg(long, value_name = "SECONDS")]
    pub kickstart_timeout: Option<u64>,

    #[command(flatten)]
    pub access: AccessArgs,
}

impl WhatArgs {
    /// Waits for the kickstart's server as long as was said, else for `usual`.
    pub fn be_patient(&self, usual: Option<Duration>) {
        if let Some(patience) = self.kickstart_timeout.map(Duration::from_secs).or(usual) {
            fetch::be_patient(patience);
        }
    }

    /// The kickstart as it was named.
    pub fn kickstart(&self) -> &str {
        self.kickstart.as_deref().unwrap_or_default()
    }

    /// Puts what the command line says over what the kickstart says.
    pub fn put_over(&self, request: &mut Request) -> Result<(), Error> {
        let disk_image = self.disk_image.as_deref().zip(self.size);
        let disk_image = disk_image.map(|(path, size)| prepare::image_file(path, size)).transpose()?;
        let overrides = Overrides {
            image: self.image.clone(),
            target_image: self.target_image.clone(),
            disk_image,
            leave_boot_order: self.leave_boot_order,
        };
        overrides.put_over(request);
        Ok(())
    }

    /// The image that is asked for.
    pub fn image<'a>(&self, request: &'a Request) -> Result<&'a str, Error> {
        prepare::require_image(request, self.kickstart())
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
            println!("{:#}", error::json(error));
        }
    })?;
    match args.format {
        Format::Text => output::painted_to_stdout(&plan.render()?),
        Format::Json => println!("{:#}", plan.document()?),
    }
    Ok(ExitCode::SUCCESS)
}

fn plan(args: &Args) -> anyhow::Result<Plan> {
    args.what.be_patient(None);
    let site = site::read(args.what.kickstart(), &PreScripts::Skip)?;
    let mut request = site.request;
    let machine = match &args.machine {
        Some(file) => document(file, "machine", machine::SCHEMA)?,
        None => machine::probe()?,
    };
    args.what.put_over(&mut request)?;
    let here = args.machine.is_none();
    if let Some(file) = request.disks.image_file.as_ref().filter(|_| here) {
        prepare::require_place(file)?;
    }
    let facts: ImageFacts = match &args.image_facts {
        // Facts say which image they are of; the kickstart need not.
        Some(file) => image_facts(file)?,
        None => {
            let access = prepare::registry_access(&request, &args.what.access.access());
            prepare::look(args.what.image(&request)?, &machine.arch, &access, Audience::new(None)?)?.1
        }
    };
    let plan = installer_core::plan::plan(&request, &machine, &facts)?;
    if here {
        installer_core::apply::room(&plan)?;
        installer_core::apply::check_libostree(&facts)?;
    }
    if here && let Some(refusal) = prepare::refusal_if_uncacheable(&plan, &facts) {
        eprintln!("warning: 'install' will refuse this without --fetch-after-wipe: {refusal}");
    }
    Ok(plan)
}

/// What `inspect --json` has written.
pub fn image_facts(file: &Path) -> Result<ImageFacts, Error> {
    document(file, "image facts", installer_core::image::SCHEMA)
}

/// No document that this command writes is larger.
const LARGEST_DOCUMENT: u64 = 64 << 20;

/// A document that this command wrote, from a file.
fn document<T: DeserializeOwned>(path: &Path, what: &str, schema: u32) -> Result<T, Error> {
    let name = path.display().to_string();
    let bad = |why: String| Error::input(Stage::Plan, format!("{name}: {why}"));
    let file = std::fs::File::open(path).map_err(|error| bad(error.to_string()))?;
    let mut text = String::new();
    let size = file.take(LARGEST_DOCUMENT + 1).read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
    if size as u64 > LARGEST_DOCUMENT {
        return Err(bad(format!("it has more than {}, which no {what} has", Bytes(LARGEST_DOCUMENT))));
    }
    prepare::document(&text, &name, what, schema)
}

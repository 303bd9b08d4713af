//! `bootc-ks install to-filesystem`: into file systems that another program made and mounted.
//! bootc's own contract, so that Anaconda can call this instead ([`crate::bootc`]).

use std::path::PathBuf;
use std::process::ExitCode;

use installer_core::Cancel;
use installer_core::apply::{self, Options, Report};
use installer_core::event::{Event, Sink};
use installer_core::host::Stoppable;
use installer_core::image::Access;
use installer_core::plan::Specs;
use installer_core::prepare::{self, Onto, Prepared};
use installer_core::request::Request;

use crate::image::AccessArgs;
use crate::plan::Format;
use crate::progress::{Audience, outcome};
use crate::words::{FrontDoor, this_is, words};
use crate::{interrupt, logging};

/// What is made to start the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum BootLoader {
    /// GRUB, by bootupd where the image has it, else by GRUB's own installer
    Grub,
    /// Nothing
    None,
}

/// Install into file systems that are mounted already.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the root is mounted; empty but for mount points and lost+found
    #[arg(value_name = "ROOT")]
    root: PathBuf,

    /// The image to install: registry:NAME, docker://NAME, oci:DIR[:TAG] or oci-archive:FILE[:TAG]
    #[arg(long, value_name = "REF")]
    source_imgref: String,

    /// Where the installed system looks for updates, if somewhere else
    #[arg(long, value_name = "REF")]
    target_imgref: Option<String>,

    /// Name of the stateroot, where the image does not say another
    #[arg(long, value_name = "NAME")]
    stateroot: Option<String>,

    /// Add a kernel argument; repeatable
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    karg: Vec<String>,

    /// What root= shall say instead of the file system's UUID; empty for no root=
    #[arg(long, value_name = "SPEC")]
    root_mount_spec: Option<String>,

    /// How /boot is found, instead of by UUID; empty for no mention of it
    #[arg(long, value_name = "SPEC")]
    boot_mount_spec: Option<String>,

    /// What is installed to start the system
    #[arg(long, value_enum, default_value = "grub")]
    bootloader: BootLoader,

    /// For any machine: the firmware's boot order is left as it is
    #[arg(long)]
    generic_image: bool,

    /// Write events as JSON lines to this file; '-' is standard output
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    /// How to report the outcome on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Keep the log here instead of in /var/log/bootc-ks
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    #[command(flatten)]
    access: AccessArgs,
}

/// Installs and tells.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    this_is(FrontDoor::ToFilesystem);
    let installed = install(args);
    let events = args.events.as_deref();
    if args.format == Format::Json {
        let json = match &installed {
            Ok(report) => outcome(events, "report", report)?,
            Err(error) => outcome(events, "error", &crate::error::json(error))?,
        };
        println!("{json}");
    }
    let report = installed?;
    logging::always("bootc-ks ends: installed");
    if args.format == Format::Text {
        println!("Installed into {}: {}", report.target, report.image);
    }
    Ok(ExitCode::SUCCESS)
}

fn install(args: &Args) -> anyhow::Result<Report> {
    let log = logging::start(args.log.as_deref());
    let audience = Audience::new(args.events.as_deref())?;
    let onto = Onto {
        root: &args.root,
        specs: Specs { root: args.root_mount_spec.clone(), boot: args.boot_mount_spec.clone() },
    };
    let cancel = Cancel::new();
    let access = Access { cancel: cancel.clone(), ..args.access.access() };
    let Prepared { plan, image, .. } =
        prepare::prepare_to_filesystem(&request(args), &onto, &args.source_imgref, &access, audience.clone())
            .inspect_err(|error| audience.emit(&Event::failed(error, &words)))?;
    for warning in &plan.warnings {
        eprintln!("warning: {warning}");
    }
    interrupt::watch(cancel.clone()).inspect_err(|error| audience.emit(&crate::error::event(error)))?;
    let options = Options { log, cancel: cancel.clone(), ..Options::default() };
    Ok(apply::apply(&plan, &image, &Stoppable::by(cancel), &options, &*audience)?)
}

fn request(args: &Args) -> Request {
    Request {
        update_from: args.target_imgref.clone(),
        stateroot: args.stateroot.clone(),
        kargs: args.karg.clone(),
        bootloader: args.bootloader != BootLoader::None,
        leave_boot_order: args.generic_image,
        ..Request::of_image(&args.source_imgref)
    }
}

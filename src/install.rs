//! `bootc-ks install`: do it.

pub mod to_filesystem;

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use installer_core::apply::{self, Options, Report};
use installer_core::event::Sink;
use installer_core::host::Real;
use installer_core::image::Image;
use installer_core::machine;
use installer_core::plan::{self, Plan};
use installer_core::request::EndAction;
use installer_core::storage::select::Target;
use installer_core::units::{Bytes, Digest};
use installer_core::{Error, Stage};

use crate::plan::{Format, WhatArgs, look};
use crate::progress::Audience;
use crate::site::{self, PreScripts, Site};
use crate::{failure, logging};

/// Install.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Verb {
    #[command(subcommand)]
    place: Option<Place>,

    #[command(flatten)]
    args: Args,
}

/// Where to, if not onto a disk.
#[derive(Debug, clap::Subcommand)]
enum Place {
    /// Install into file systems that are mounted already, as bootc does for Anaconda
    ToFilesystem(to_filesystem::Args),
}

/// What is installed, and how.
#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    what: WhatArgs,

    /// Ask nothing
    #[arg(long)]
    yes: bool,

    /// Install only if the plan has this digest (from 'bootc-ks plan')
    #[arg(long, value_name = "DIGEST")]
    plan_digest: Option<Digest>,

    /// Write events as JSON lines to this file; '-' is standard output
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    /// How to report the outcome on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Keep the log here instead of in /var/log/bootc-ks
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Stay up whatever the kickstart says about the end
    #[arg(long)]
    no_reboot: bool,

    /// Fail before the first step of this name, to see what a failure leaves behind
    #[arg(long, value_name = "STEP", hide = true)]
    fail_before: Option<String>,
}

/// Installs and tells.
pub fn run(verb: &Verb) -> anyhow::Result<ExitCode> {
    match &verb.place {
        Some(Place::ToFilesystem(args)) => to_filesystem::run(args),
        None => onto_disk(&verb.args),
    }
}

fn onto_disk(args: &Args) -> anyhow::Result<ExitCode> {
    match install(args) {
        Ok((plan, report)) => {
            match args.format {
                Format::Json => println!("{}", document(args, &report)?),
                Format::Text => say(args, &summary(&report)),
            }
            if !args.no_reboot
                && let Err(error) = end(&plan)
            {
                // What was asked for is on the disk; only the machine did not obey.
                eprintln!("warning: {error:#}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            if args.format == Format::Json {
                println!("{}", document(args, &failure::json(&error))?);
            }
            Err(error)
        }
    }
}

/// A JSON document; on one line where events, a line each, go the same way.
fn document(args: &Args, value: &impl serde::Serialize) -> serde_json::Result<String> {
    if args.events.as_deref() == Some(Path::new("-")) {
        serde_json::to_string(value)
    } else {
        serde_json::to_string_pretty(value)
    }
}

/// Text for people; out of the way where standard output belongs to the events.
fn say(args: &Args, text: &str) {
    if args.format == Format::Json || args.events.as_deref() == Some(Path::new("-")) {
        eprint!("{text}");
    } else {
        print!("{text}");
    }
}

/// All that is known before the first write.
struct Prepared {
    plan: Plan,
    image: Image,
    site: Site,
}

fn install(args: &Args) -> anyhow::Result<(Plan, Report)> {
    let log = logging::start(args.log.as_deref());
    let audience = Audience::new(args.events.as_deref())?;
    let Prepared { plan, image, site } = prepare(args, &audience).inspect_err(|error| {
        // What `apply` fails with it tells itself.
        audience.emit(&failure::event(error));
    })?;
    let options = Options { log, kickstart: Some(site.shown), fail_before: args.fail_before.clone() };
    let report = apply::apply(&plan, &image, &Real, &options, &*audience)?;
    Ok((plan, report))
}

fn prepare(args: &Args, audience: &Arc<Audience>) -> anyhow::Result<Prepared> {
    let site = site::read(args.what.kickstart(), &PreScripts::Run(&**audience))?;
    let mut request = site.request.clone();
    let image = args.what.overlay(&mut request)?;
    // Before gigabytes are fetched for nothing.
    apply::require_root()?;
    let machine = machine::probe()?;
    let (image, facts) = look(&args.what, &image, &machine, keep(args), audience.clone())?;
    let plan = plan::plan(&request, &machine, &facts)?;
    let digest = plan.digest()?;
    if let Some(wanted) = args.plan_digest.as_ref().filter(|wanted| **wanted != digest) {
        return Err(Error::refused(Stage::Plan, format!("the plan is {digest} now, and {wanted} was reviewed"))
            .hint("something changed since: look at 'bootc-ks plan' again")
            .into());
    }
    apply::preflight(&plan, &facts, &machine)?;
    say(args, &plan.render()?);
    if confirm(args, &plan, &site)? == Consent::Asked {
        // Somebody may have thought about it for an hour, and plugged a disk in meanwhile.
        let again = plan::plan(&request, &machine::probe()?, &facts)?;
        if again.digest()? != digest {
            return Err(Error::refused(Stage::Plan, "this machine is not the one that was shown any more")
                .hint("run the command again and look at the new plan")
                .into());
        }
    }
    Ok(Prepared { plan, image, site })
}

/// How it came that the disk may be overwritten.
#[derive(PartialEq, Eq)]
enum Consent {
    /// By what was written beforehand.
    Given,
    /// By an answer.
    Asked,
}

/// Where layers are kept between the look at the image and its installation: beside the disk
/// image, where there must be room for it anyway. A rescue system has only its memory, and
/// fetches twice.
fn keep(args: &Args) -> Option<(&Path, Bytes)> {
    let parent = args.what.disk_image.as_deref()?.parent()?;
    Some((if parent.as_os_str().is_empty() { Path::new(".") } else { parent }, Bytes(u64::MAX)))
}

/// Nothing is lost that nobody gave away: by `--yes`, by an answer, or by the kickstart.
fn confirm(args: &Args, plan: &Plan, site: &Site) -> anyhow::Result<Consent> {
    let file = matches!(plan.target, Target::ImageFile(_));
    if args.yes || (file && plan.destroys.is_empty()) {
        return Ok(Consent::Given);
    }
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return ask(plan).map(|()| Consent::Asked);
    }
    // A kickstart speaks of disks; that a file may be replaced must be said by whoever names it.
    if site.allows_clearing && !file {
        return Ok(Consent::Given);
    }
    let name = plan.target.name();
    Err(Error::refused(Stage::Plan, format!("nobody said that {name} may be overwritten"))
        .hint(if file {
            "say --yes to replace the file"
        } else {
            "say --yes, or let the kickstart say so: zerombr, clearpart --all"
        })
        .into())
}

fn ask(plan: &Plan) -> anyhow::Result<()> {
    eprint!("\nInstall onto {} now? What is listed above will be gone. [yes/no] ", plan.target.name());
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("reading the answer")?;
    if matches!(answer.trim(), "yes" | "YES" | "y") {
        return Ok(());
    }
    Err(Error::refused(Stage::Plan, "not confirmed; nothing was touched").into())
}

fn summary(report: &Report) -> String {
    let millis: u64 = report.steps.iter().map(|(_, millis)| millis).sum();
    let mut text = format!("Installed on {} in {:.1} s.\n", report.target, millis as f64 / 1000.0);
    text.push_str(&format!("  image  {}\n  commit {}\n", report.image, report.commit));
    text
}

/// What the kickstart wants done at the end, if it is this machine that was installed.
fn end(plan: &Plan) -> anyhow::Result<()> {
    let verb = match plan.end {
        EndAction::Nothing => return Ok(()),
        EndAction::Reboot => "reboot",
        EndAction::Poweroff => "poweroff",
        EndAction::Halt => "halt",
    };
    if !matches!(&plan.target, Target::Disk { path, .. } if !path.starts_with("/dev/loop")) {
        return Ok(());
    }
    let program = installer_core::host::Program::new("systemctl").arg(verb);
    installer_core::host::Host::run(&Real, &program, &mut |_| ()).with_context(|| format!("asking for a {verb}"))
}

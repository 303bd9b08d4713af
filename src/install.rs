//! `bootc-ks install`: do it.

pub mod to_filesystem;

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use installer_core::apply::{self, FailBy, FailurePoint, Log, Options, Report};
use installer_core::event::Sink;
use installer_core::host::{Real, Stoppable};
use installer_core::image::{Access, ImageFacts};
use installer_core::plan::Plan;
use installer_core::prepare::{self, AfterWipe, Before, Prepared};
use installer_core::request::{EndAction, Request, When, carry_over};
use installer_core::units::Digest;
use installer_core::{Cancel, Error, Stage};

use crate::plan::{Format, WhatArgs, image_facts};
use crate::progress::{Audience, outcome};
use crate::site::{self, PreScripts, Site};
use crate::syslog;
use crate::webhook::WebhookArgs;
use crate::words::{FrontDoor, this_is};
use crate::{fetch, interrupt, logging, output};

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

    /// What this version's 'bootc-ks inspect --json' has said of the image: if the registry has this
    /// very image, memory is too small to keep it, and the disk is empty, it is read once only, when it
    /// is installed
    #[arg(long, value_name = "FILE")]
    image_facts: Option<PathBuf>,

    /// Where memory is too small to keep the image, wipe the disk all the same and fetch the image
    /// then: if the registry fails, what was on the disk is gone and nothing has taken its place
    #[arg(long)]
    fetch_after_wipe: bool,

    /// Write events as JSON lines to this file; '-' is standard output
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    #[command(flatten)]
    webhook: WebhookArgs,

    /// How to report the outcome on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Keep the log here instead of in /var/log/bootc-ks
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Keep no copy of this in the installed system; repeatable
    #[arg(long, value_enum, value_name = "WHAT")]
    no_save: Vec<Record>,

    /// Stay up whatever the kickstart says about the end
    #[arg(long)]
    no_reboot: bool,

    /// End at this point (`before:import`, `after:3`, `every`), to see what that leaves behind
    #[arg(long, value_name = "POINT", hide = true)]
    fail_at: Option<String>,

    /// How: `error`, `kill` or `stop`
    #[arg(long, value_name = "HOW", hide = true, requires = "fail_at", default_value = "error")]
    fail_by: FailBy,

    /// Name boot options in place of this command's: the installer environment runs this
    #[arg(long, hide = true)]
    boot_words: bool,
}

/// What the installed system gets in /var/log/bootc-ks, beside the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Record {
    /// The kickstart, with stars in place of passwords
    Kickstart,
    /// The log of the installation
    Log,
}

/// Installs and tells.
pub fn run(verb: &Verb) -> anyhow::Result<ExitCode> {
    match &verb.place {
        Some(Place::ToFilesystem(args)) => to_filesystem::run(args),
        None => onto_disk(&verb.args),
    }
}

fn onto_disk(args: &Args) -> anyhow::Result<ExitCode> {
    if args.boot_words {
        this_is(FrontDoor::Boot);
    }
    match install(args) {
        Ok((plan, report, cancel)) => {
            match args.format {
                Format::Json => println!("{}", outcome(args.events.as_deref(), "report", &report)?),
                Format::Text => say(args, &summary(&report)),
            }
            logging::always("bootc-ks ends: installed");
            if cancel.is_cancelled() {
                eprintln!("warning: it was installed before it could be stopped; this machine stays up");
            } else if !args.no_reboot
                && let Err(error) = end(&plan)
            {
                // What was asked for is on the disk; only the machine did not obey.
                eprintln!("warning: {error:#}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            if args.format == Format::Json {
                println!("{}", outcome(args.events.as_deref(), "error", &crate::error::json(&error))?);
            }
            Err(error)
        }
    }
}

/// Text for people; out of the way where standard output belongs to the events.
fn say(args: &Args, text: &str) {
    if args.format == Format::Json || args.events.as_deref() == Some(Path::new("-")) {
        eprint!("{text}");
    } else {
        output::painted_to_stdout(text);
    }
}

fn install(args: &Args) -> anyhow::Result<(Plan, Report, Cancel)> {
    let log = logging::start(args.log.as_deref());
    let audience = Audience::new(args.events.as_deref())?;
    if let Some(webhook) = args.webhook.start(log.as_ref())? {
        audience.add(webhook);
    }
    let outcome = told(args, log, &audience);
    audience.finish();
    outcome
}

/// Installs, and tells the audience of all, the end in any case.
fn told(args: &Args, log: Option<Log>, audience: &Arc<Audience>) -> anyhow::Result<(Plan, Report, Cancel)> {
    let cancel = Cancel::new();
    let prepared = prepare(args, audience, &cancel)
        .and_then(|prepared| interrupt::watch(cancel.clone()).map(|()| prepared))
        // What `apply` fails with it tells itself.
        .inspect_err(|error| audience.emit(&crate::error::event(error)));
    let (Prepared { plan, image, .. }, site) = prepared?;
    let saved = |record| !args.no_save.contains(&record);
    let options = Options {
        log: log.filter(|_| saved(Record::Log)),
        kickstart_digest: Some(site.digest),
        kickstart: Some(site.shown).filter(|_| saved(Record::Kickstart)),
        fail_at: args.fail_at.clone().map(|at| FailurePoint { at, ending: args.fail_by }),
        cancel: cancel.clone(),
    };
    let report = apply::apply(&plan, &image, &Stoppable::by(cancel.clone()), &options, &**audience)?;
    Ok((plan, report, cancel))
}

/// A machine that was started with an address of its own keeps it, if its kickstart says nothing else.
fn keep_network(request: &mut Request) {
    let cmdline = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    for word in carry_over(&cmdline, &mut request.system) {
        eprintln!("warning: {word} is for the installer alone; the installed system does not get it");
    }
}

fn prepare(args: &Args, audience: &Arc<Audience>, cancel: &Cancel) -> anyhow::Result<(Prepared, Site)> {
    let facts = args.image_facts.as_deref().map(image_facts).transpose()?;
    args.what.be_patient(Some(fetch::INSTALLER_PATIENCE));
    let site = site::read(args.what.kickstart(), &PreScripts::Run(&**audience))?;
    let planned = plan(args, &site, facts.as_ref(), audience, cancel).inspect_err(|_| {
        if !cancel.is_cancelled() {
            // The kickstart's own way to tell of a failure.
            apply::run_failure_scripts(&site.request.scripts, When::OnError, &Real, &**audience);
        }
    })?;
    if !args.yes && is_asked() && !prepare::loses_nothing(&planned.plan) {
        ask(&planned.plan)?;
    }
    Ok((planned, site))
}

/// Whether there is a person to be asked.
fn is_asked() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// All that is done before the first write but for asking a person. Nothing is erased without consent: by
/// `--yes`, by an answer, or by the kickstart.
fn plan(
    args: &Args,
    site: &Site,
    facts: Option<&ImageFacts>,
    audience: &Arc<Audience>,
    cancel: &Cancel,
) -> anyhow::Result<Prepared> {
    let mut request = site.request.clone();
    if let Some(server) = &request.log_server {
        audience.add(syslog::Events::to(server));
    }
    args.what.put_over(&mut request)?;
    if args.boot_words {
        keep_network(&mut request);
    }
    let image = args.what.image(&request)?;
    let after_wipe = if args.fetch_after_wipe { AfterWipe::Fetch } else { AfterWipe::Refuse };
    let before = Before { plan: args.plan_digest.as_ref(), facts, after_wipe };
    let access = Access { cancel: cancel.clone(), ..args.what.access.access() };
    let prepared = prepare::prepare(&request, image, &access, before, audience.clone())?;
    // Where the installer environment runs this, it is the environment that restarts the machine.
    let stays_up = args.no_reboot && !args.boot_words;
    say(args, &if stays_up { prepared.plan.render_staying_up()? } else { prepared.plan.render()? });
    if !args.yes && !is_asked() && !prepare::loses_nothing(&prepared.plan) {
        prepare::consent(&prepared.plan, site.allows_clearing)?;
    }
    Ok(prepared)
}

fn ask(plan: &Plan) -> anyhow::Result<()> {
    // The plan may have left the screen: what is lost stands beside the question.
    const SHOWN: usize = 5;
    eprintln!("\nThis will be gone:");
    for loss in plan.destroys.iter().take(SHOWN) {
        eprintln!("  {}: {}", loss.device, loss.what);
    }
    if plan.destroys.len() > SHOWN {
        eprintln!("  and {} more, listed above", plan.destroys.len() - SHOWN);
    }
    eprint!("Install onto {} now? [yes/no] ", plan.target.names());
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
    if !plan.target.is_of_this_machine() {
        return Ok(());
    }
    let program = installer_core::program::Program::new("systemctl").arg(verb);
    installer_core::host::Host::run(&Real, &program, &mut |_| ()).with_context(|| format!("asking for a {verb}"))
}

//! `bootc-ks supervise`: the installer of an installer environment. Systemd starts it there as
//! the machine's one task; it finds the kickstart, runs `bootc-ks install` as a child, tells
//! every console and to the report's receiver, and ends as the kickstart says.
//!
//! ```text
//! /proc/cmdline ─► Options ─► network ─► kickstart ─► install (child) ─► reboot
//!                                                └─ failure ─► what, why, hint, a shell
//! ```
//!
//! After a failure the machine stays up: a machine that restarts would try again for ever.

mod child;
mod consoles;
mod kickstart;
mod media;
mod memory;
mod network;
mod nfs;
mod places;
mod report;
mod sshd;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use installer_core::host::{Host, Real};
use installer_core::program::Program;
use installer_core::request::EndAction;
use installer_core::{Error, Stage};
use pxe::options::{BootImage, Options, Source};
use serde_json::json;

use crate::site;
use crate::syslog::Syslog;
use consoles::Consoles;
use places::{KICKSTART, WORK};
use report::Reporter;

/// The log, kept by `install` in the installed system as well.
const LOG: &str = "/run/bootc-ks/install.log";

/// How long the network may take where nothing but `inst.sshd` wants it.
const FOR_A_LOOK: Duration = Duration::from_secs(20);

/// Be the installer of an installer environment.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Installs this machine, or says why not and opens a shell.
pub fn run(_args: &Args) -> anyhow::Result<ExitCode> {
    refuse_elsewhere()?;
    let cmdline = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let options = Options::parse(&cmdline);
    let consoles = Consoles::open();
    consoles.say(concat!("bootc-ks ", env!("CARGO_PKG_VERSION"), ": this machine is going to be installed"));
    for warning in &options.warnings {
        consoles.say(&format!("warning: {warning}"));
    }
    let reporter = Reporter::start(options.report.as_deref());
    match install(&options, &consoles, &reporter) {
        Ok(end) => {
            reporter.log(Path::new(LOG));
            if let Err(error) = reporter.state(&json!({"state": "installed"})) {
                consoles.say(&format!("warning: {error:#}"));
            }
            finish(end, &consoles, &options);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            failed(&error, &consoles, &reporter);
            shells(&consoles, &options);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// On a machine that is in use, nothing of this may happen.
fn refuse_elsewhere() -> Result<(), Error> {
    if Path::new("/etc/initrd-release").exists() && started_by_systemd() {
        return Ok(());
    }
    Err(Error::refused(Stage::Request, "this is no installer environment")
        .hint("install from here with 'bootc-ks install KS'; 'bootc-ks netboot build' makes an environment"))
}

/// Whether systemd runs us as the unit that the environment has for it.
fn started_by_systemd() -> bool {
    std::env::var_os("INVOCATION_ID").is_some()
}

fn install(options: &Options, consoles: &Consoles, reporter: &Reporter) -> anyhow::Result<EndAction> {
    std::fs::create_dir_all(WORK)?;
    media::wait_for_devices(consoles);
    media::trust(consoles);
    let source = kickstart::choose(options)?;
    if needs_network(options, &source) {
        network::wait(options.wait_for_network, consoles)?;
    } else if options.sshd
        && let Err(error) = network::wait(options.wait_for_network.or(Some(FOR_A_LOOK)), consoles)
    {
        consoles.say(&format!("warning: inst.sshd: {error}"));
    }
    if let Some(server) = &options.syslog {
        match Syslog::to(server) {
            Ok(log) => consoles.send_to(log),
            Err(error) => consoles.say(&format!("warning: the log server {server}: {error}")),
        }
    }
    if let Err(error) = reporter.state(&json!({"state": "installing"})) {
        consoles.say(&format!("warning: {error:#}"));
    }
    // Not before a remote administrator can see it.
    if !options.no_memory_check {
        memory::check()?;
    }
    kickstart::fetch(&source, options, consoles)?;
    if options.sshd {
        let_in(consoles);
    }
    let image = image(options)?;
    child::run(&child::Job { options, image: image.as_deref(), kickstart: KICKSTART, log: LOG }, consoles, reporter)
}

/// A way in for a remote administrator; without it the installation goes on.
fn let_in(consoles: &Consoles) {
    let kickstart = site::look_at(KICKSTART);
    if let Err(error) = kickstart.and_then(|kickstart| sshd::start(&kickstart, consoles)) {
        consoles.say(&format!("warning: {error:#}"));
    }
}

/// Everything may be on the machine: then no cable is needed.
fn needs_network(options: &Options, source: &kickstart::Chosen) -> bool {
    let is_far = |source: &Source| matches!(source, Source::Url(_) | Source::Nfs { .. });
    let far = match source {
        kickstart::Chosen::From(source) => is_far(source),
        kickstart::Chosen::FirstOf(sources) => sources.iter().any(is_far),
    };
    far || options.report.is_some()
        || options.syslog.is_some()
        || !matches!(options.image, Some(BootImage::Medium { .. }))
}

/// The image to install in place of the kickstart's. A medium stays mounted, which also keeps
/// it from being taken for a disk to install on.
fn image(options: &Options) -> anyhow::Result<Option<String>> {
    Ok(match &options.image {
        None => None,
        Some(BootImage::Reference(reference)) => Some(reference.clone()),
        Some(BootImage::Medium { device, path }) => {
            let at = PathBuf::from(WORK).join("medium");
            media::mount(device, &at, options.wait_for_disks)?;
            Some(format!("oci:{}{path}", at.display()))
        }
    })
}

/// Ends as the kickstart says; where it says nothing, the machine waits for a person.
fn finish(end: EndAction, consoles: &Consoles, options: &Options) {
    let verb = match end {
        EndAction::Reboot => "reboot",
        EndAction::Poweroff => "poweroff",
        EndAction::Halt => "halt",
        EndAction::Nothing => {
            consoles.say("Installed. The kickstart does not say what is next: take the medium out and restart.");
            return shells(consoles, options);
        }
    };
    consoles.say(&format!("Installed; {verb} now."));
    consoles.drain();
    if let Err(error) = Real.run(&Program::new("systemctl").args(["--no-block", verb]), &mut |_| ()) {
        consoles.say(&format!("warning: {error}; switch the machine off and on"));
    }
}

fn failed(error: &anyhow::Error, consoles: &Consoles, reporter: &Reporter) {
    let hint = crate::error::hint(error);
    consoles.say("");
    consoles.say(&format!("error: {error:#}"));
    if let Some(hint) = &hint {
        consoles.say(&format!(" hint: {hint}"));
    }
    let touched = error.downcast_ref::<Error>().is_some_and(Error::touched);
    let disk = if touched { "its disk had been written to" } else { "its disks are untouched" };
    consoles.say(&format!("This machine is not installed ({disk}), and it does not restart by itself."));
    reporter.log(Path::new(LOG));
    let state = json!({"state": "failed", "error": {"message": format!("{error:#}"), "hint": hint}});
    if let Err(error) = reporter.state(&state) {
        consoles.say(&format!("warning: {error:#}"));
    }
}

/// A shell on every console, for a person who is there.
fn shells(consoles: &Consoles, options: &Options) {
    if options.no_shell {
        return;
    }
    consoles.say(&format!("A shell is open on this console. The log is {LOG}; 'journalctl' has the rest."));
    consoles.drain();
    for name in consoles.names() {
        let unit = format!("bootc-ks-shell@{name}.service");
        if let Err(error) =
            Real.run(&Program::new("systemctl").args(["--no-block", "start", unit.as_str()]), &mut |_| ())
        {
            tracing::warn!(%error, "starting a shell");
        }
    }
}

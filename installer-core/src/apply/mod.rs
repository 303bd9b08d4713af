//! A plan carried out: a loop over its steps, with everything that is opened on the way
//! written on a stack and closed again, whatever happens.
//!
//! ```text
//! preflight ─► step, step, step … ─► Finish ─► Report
//!                 └── error ─► teardown ─► the error, with the teardown's own if there is one
//! ```
//!
//! The only destructive verb. Everything is mounted in a namespace of its own.

mod boot;
mod boot_order;
mod change;
mod deploy;
mod ending;
mod failure_point;
mod freeze;
mod homes;
mod labels;
mod leftovers;
mod places;
mod preflight;
mod record;
mod report;
mod run;
mod script;
mod script_places;
mod script_resolver;
mod storage;
mod system;
mod teardown;
#[cfg(test)]
mod tests;
mod unfinished;
mod vfat;
mod what_to_do;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::error::{Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::host::{Host, in_private_mounts};
use crate::image::Image;
use crate::machine;
use crate::plan::{Plan, Step};
use crate::request::When;
use crate::storage::select::{self, Target};

pub use failure_point::{FailBy, FailurePoint};
pub use leftovers::clear_leftovers;
pub use preflight::{check_libostree, preflight, require_ostree, require_root, room};
pub use report::{Log, Options, Report, SCHEMA};
pub use script::{run_failure_scripts, run_pre_script};

use deploy::Ostree;
use ending::Ending;
use run::{Deployer, Run};

/// What the log of an installation holds, as a filter of `tracing` directives.
pub const LOG_FILTER: &str = "info,bootc_ks=debug,installer_core=debug,program=debug";

/// Carries `plan` out with `image`, the very one that was planned.
pub fn apply(plan: &Plan, image: &Image, host: &dyn Host, options: &Options, events: &dyn Sink) -> Result<Report> {
    let ending = Ending::before(events);
    let panicked = Error::failed(Stage::Finish, "the installation stopped by an internal error").after_touching();
    let ostree = Ostree { image };
    let ended = AtomicBool::new(false);
    let outcome = as_planned(plan, image).inspect_err(|_| {
        run_failure_scripts(&plan.on_failure, When::OnError, host, &ending);
        ended.store(true, Ordering::Release);
    });
    let outcome = outcome.and_then(|()| {
        in_private_mounts("apply", Stage::Storage, panicked, || {
            let outcome = carry_out(plan, &ostree, host, options, &ending);
            ended.store(true, Ordering::Release);
            outcome
        })
    });
    if outcome.is_err() && !ended.load(Ordering::Acquire) {
        [When::OnError, When::Traceback]
            .into_iter()
            .for_each(|when| run_failure_scripts(&plan.on_failure, when, host, &ending));
    }
    ending.of(outcome)
}

/// Whether image and disk are still those of the plan.
fn as_planned(plan: &Plan, image: &Image) -> Result<()> {
    if *image.manifest_digest() != plan.image.digest {
        return Err(Error::refused(
            Stage::Plan,
            format!("the image is {} now, and {} was planned", image.manifest_digest(), plan.image.digest),
        )
        .hint("plan again"));
    }
    match plan.target {
        Target::Disk { .. } => select::still_there(&plan.target, &plan.destroys, &machine::probe()?),
        Target::ImageFile(_) | Target::Filesystem { .. } => Ok(()),
    }
}

/// What [`apply`] does where its mounts are its own.
fn carry_out(
    plan: &Plan,
    deployer: &dyn Deployer,
    host: &dyn Host,
    options: &Options,
    events: &dyn Sink,
) -> Result<Report> {
    let started = Instant::now();
    let digest = plan.digest()?;
    events.emit(&Event::Started { schema: crate::event::SCHEMA, plan: digest.clone(), steps: plan.steps.len() });
    let mut run = Run::new(plan, deployer, host, options, events)
        .inspect_err(|error| events.emit(&Event::failed(error, &|remedy| events.words(remedy))))?;
    let outcome = all_steps(&mut run);
    let (touched, bootable) = (run.touched, run.bootable);
    if outcome.is_err() && !options.cancel.is_cancelled() {
        script::after_failure(&mut run);
    }
    let closed = run.close(outcome.is_ok());
    let outcome = match (outcome, closed) {
        (Ok(()), Ok(())) => {
            let millis = millis(started);
            events.emit(&Event::Finished { millis });
            return Ok(run.report(digest));
        }
        (Err(error), Ok(())) => error,
        (Ok(()), Err(error)) => what_to_do::about_closing(error),
        (Err(error), Err(second)) => {
            tracing::error!(%second, "the clean-up failed as well");
            events.emit(&Event::Warning { message: format!("the clean-up failed as well: {second}") });
            error
        }
    };
    let error = if touched { outcome.after_touching() } else { outcome };
    if touched {
        events.emit(&Event::Warning { message: aftermath(&plan.target, bootable) });
    }
    events.emit(&Event::failed(&error, &|remedy| events.words(remedy)));
    Err(error)
}

/// What a failure leaves behind.
fn aftermath(target: &Target, bootable: bool) -> String {
    match target {
        // Only closing it failed.
        Target::Disk { .. } if bootable => format!("the system on {} is whole, and will boot", target.names()),
        Target::Disk { .. } => format!("{} had been written to; it will not boot", target.names()),
        Target::Filesystem { path, .. } => {
            format!("the file systems at {path} had been written to; empty them before another attempt")
        }
        Target::ImageFile(file) => {
            format!("the unfinished disk image was removed; whatever was at {} is still there", file.path)
        }
    }
}

fn all_steps(run: &mut Run<'_>) -> Result<()> {
    let steps = run.plan.steps.len();
    for (index, step) in run.plan.steps.iter().enumerate() {
        let (number, title) = (index + 1, step.title());
        let _span = tracing::info_span!("step", number, %title).entered();
        tracing::info!("begin");
        run.events.emit(&Event::StepStarted { step: number, steps, title: title.clone() });
        let started = Instant::now();
        // Told first: a listener may want to stop the step.
        run.options.cancel.check(stage_of(run))?;
        run.pass("before", Some(number), &step.name())?;
        one_step(run, step).map_err(|error| {
            if !run.options.cancel.is_cancelled() {
                return what_to_do::about(error, number, step);
            }
            // What was interrupted fails in a way of its own.
            tracing::warn!(%error, "cancelled");
            Error::cancelled(error.stage())
        })?;
        let millis = millis(started);
        tracing::info!(millis, "end");
        run.events.emit(&Event::StepFinished { step: number, millis });
        run.done.push((title, millis));
        run.pass("after", Some(number), &step.name())?;
    }
    Ok(())
}

/// Where in the installation it is, as far as that can be told between two steps.
fn stage_of(run: &Run<'_>) -> Stage {
    match (&run.commit, &run.deployed) {
        (None, _) => Stage::Storage,
        (Some(_), None) => Stage::Deploy,
        (Some(_), Some(_)) => Stage::System,
    }
}

fn one_step(run: &mut Run<'_>, step: &Step) -> Result<()> {
    match step {
        Step::CreateImageFile { path, size } => storage::create_image_file(run, path, *size),
        Step::Wipe { disk } => storage::wipe(run, disk),
        Step::WipePartition { partition } => storage::wipe_partition(run, partition),
        Step::Partition(table) => storage::partition(run, table),
        Step::CreateGroup(group) => storage::create_group(run, step, group),
        Step::CreateVolume(_) | Step::Format(_) => storage::commands(run, step),
        // It is there, and its UUID is known since the plan was made.
        Step::Adopt { .. } => Ok(()),
        Step::Mount { device, at, filesystem } => storage::mount(run, device, at, filesystem),
        Step::InitialiseSysroot { stateroot } => deploy::initialise(run, stateroot.as_str()),
        Step::Import { target, selinux, .. } => deploy::import(run, target, *selinux),
        Step::Deploy { stateroot, origin, kargs } => deploy::deploy(run, stateroot.as_str(), origin, kargs),
        Step::Fstab { entries } => system::fstab(run, entries),
        Step::Change(change) => change::carry_out(run, step, change),
        Step::Group(group) => system::group(run, group),
        Step::User(user) => system::user(run, user),
        Step::SshKeys { user, keys } => system::ssh_keys(run, user, keys),
        Step::Credentials { .. } => system::credentials(run),
        Step::RootPassword { .. } => system::root_password(run),
        Step::Script(script) => script::run(run, script),
        Step::Bootloader(boot) => boot::install(run, step, boot),
        Step::BootOrder { esp } => boot_order::put_first(run, esp),
        Step::Finish => system::finish(run),
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

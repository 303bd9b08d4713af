//! `install`, `install_to_filesystem` and their `Report`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use installer_core::apply::{self, Options};
use installer_core::event::{Event, Sink};
use installer_core::host::Stoppable;
use installer_core::image::Access as CoreAccess;
use installer_core::plan::Specs;
use installer_core::prepare::{self, AfterWipe, Before, Onto, Overrides, Prepared};
use installer_core::request::{EndAction, Request};
use installer_core::units::Digest;
use installer_core::{Cancel as Flag, Error, Result, Stage};
use pyo3::prelude::*;

use crate::cancel::Cancel;
use crate::errors;
use crate::image::{Access, access_of};
use crate::judged::Judged;
use crate::kickstart::{Kickstart, require_usable};
use crate::log;
use crate::plan::overrides;
use crate::values;
use crate::work::{self, Watch};

/// What was done.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug)]
pub struct Report {
    report: apply::Report,
}

#[pymethods]
impl Report {
    /// The plan's digest.
    #[getter]
    fn plan(&self) -> String {
        self.report.plan.to_string()
    }

    /// The image's manifest.
    #[getter]
    fn image_digest(&self) -> String {
        self.report.image.to_string()
    }

    /// The deployed commit.
    #[getter]
    fn commit(&self) -> &str {
        &self.report.commit
    }

    /// Where it is: a disk's node or the path of a disk image.
    #[getter]
    fn target(&self) -> &str {
        &self.report.target
    }

    /// The kernel arguments of the boot entry.
    #[getter]
    fn kargs(&self) -> Vec<String> {
        self.report.kargs.clone()
    }

    /// Each step's title and its seconds.
    #[getter]
    fn steps(&self) -> Vec<(String, f64)> {
        self.report.steps.iter().map(|(title, millis)| (title.clone(), *millis as f64 / 1000.0)).collect()
    }

    /// What went wrong without ending it.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.report.warnings.clone()
    }

    /// What the kickstart wants next: nothing, reboot, poweroff or halt. It is left to the caller.
    #[getter]
    fn end(&self) -> &'static str {
        match self.report.end {
            EndAction::Nothing => "nothing",
            EndAction::Reboot => "reboot",
            EndAction::Poweroff => "poweroff",
            EndAction::Halt => "halt",
        }
    }

    /// The report as a JSON document.
    fn to_json(&self) -> PyResult<String> {
        values::pretty(&self.report)
    }

    fn __repr__(&self) -> String {
        format!("<Report: {} on {}>", self.report.image, self.report.target)
    }
}

/// What an installation needs to know, out of Python's hands.
struct Job<W> {
    what: W,
    access: CoreAccess,
    log: Option<PathBuf>,
}

/// From a kickstart.
struct FromKickstart {
    judged: Arc<Judged>,
    overrides: Overrides,
    replace: bool,
    reviewed: Option<Digest>,
    fetch_after_wipe: bool,
}

/// Into file systems that are mounted.
struct ToFilesystem {
    root: PathBuf,
    image: String,
    request: Request,
}

/// What the ways to install differ in.
trait What: Send {
    /// All that is looked at before the first write.
    fn prepare(&self, access: &CoreAccess, events: &Arc<dyn Sink>) -> Result<Prepared>;

    /// What the installed system keeps of the kickstart.
    fn shown(&self) -> Option<String>;

    /// The digest of the kickstart.
    fn digest(&self) -> Option<Digest>;
}

impl What for FromKickstart {
    fn prepare(&self, access: &CoreAccess, events: &Arc<dyn Sink>) -> Result<Prepared> {
        self.judged.require_whole()?;
        if self.judged.has_pre() {
            events.emit(&Event::Warning { message: "%pre is not run here".to_owned() });
        }
        let mut request = self.judged.request.clone();
        self.overrides.put_over(&mut request);
        let image = prepare::require_image(&request, &self.judged.name)?;
        let after_wipe = if self.fetch_after_wipe { AfterWipe::Fetch } else { AfterWipe::Refuse };
        let before = Before { plan: self.reviewed.as_ref(), facts: None, after_wipe };
        let prepared = prepare::prepare(&request, image, access, before, events.clone())?;
        if !self.replace {
            prepare::consent(&prepared.plan, self.judged.allows_clearing())?;
        }
        Ok(prepared)
    }

    fn shown(&self) -> Option<String> {
        Some(self.judged.shown())
    }

    fn digest(&self) -> Option<Digest> {
        Some(self.judged.digest())
    }
}

impl What for ToFilesystem {
    fn prepare(&self, access: &CoreAccess, events: &Arc<dyn Sink>) -> Result<Prepared> {
        let onto = Onto { root: &self.root, specs: Specs::default() };
        prepare::prepare_to_filesystem(&self.request, &onto, &self.image, access, events.clone())
    }

    fn shown(&self) -> Option<String> {
        None
    }

    fn digest(&self) -> Option<Digest> {
        None
    }
}

/// Installs.
#[pyfunction]
#[pyo3(signature = (
    kickstart,
    *,
    image = None,
    target_image = None,
    disk_image = None,
    size = None,
    replace = false,
    plan_digest = None,
    fetch_after_wipe = false,
    access = None,
    log = None,
    on_event = None,
    cancel = None,
))]
#[allow(clippy::too_many_arguments)] // They are keywords where they are used.
fn install(
    py: Python<'_>,
    kickstart: &Bound<'_, Kickstart>,
    image: Option<String>,
    target_image: Option<String>,
    disk_image: Option<PathBuf>,
    size: Option<u64>,
    replace: bool,
    plan_digest: Option<&str>,
    fetch_after_wipe: bool,
    access: Option<&Bound<'_, Access>>,
    log: Option<PathBuf>,
    on_event: Option<Py<PyAny>>,
    cancel: Option<&Bound<'_, Cancel>>,
) -> PyResult<Report> {
    let judged = kickstart.get().judged.clone();
    require_usable(py, &judged)?;
    let reviewed = plan_digest.map(|text| text.parse::<Digest>()).transpose();
    let reviewed = reviewed.map_err(|error| errors::bad_argument(py, format!("plan_digest: {error}")))?;
    let overrides = overrides(py, image, target_image, disk_image, size)?;
    let what = FromKickstart { judged, overrides, replace, reviewed, fetch_after_wipe };
    carry_out(py, Job { what, access: access_of(access), log }, Watch::new(on_event, cancel))
}

/// Installs into file systems that are mounted at root already.
#[pyfunction]
#[pyo3(signature = (
    root,
    image,
    *,
    target_image = None,
    stateroot = None,
    kargs = None,
    bootloader = true,
    access = None,
    log = None,
    on_event = None,
    cancel = None,
))]
#[allow(clippy::too_many_arguments)] // They are keywords where they are used.
fn install_to_filesystem(
    py: Python<'_>,
    root: PathBuf,
    image: String,
    target_image: Option<String>,
    stateroot: Option<String>,
    kargs: Option<Vec<String>>,
    bootloader: bool,
    access: Option<&Bound<'_, Access>>,
    log: Option<PathBuf>,
    on_event: Option<Py<PyAny>>,
    cancel: Option<&Bound<'_, Cancel>>,
) -> PyResult<Report> {
    let kargs = kargs.unwrap_or_default();
    let request =
        Request { update_from: target_image, stateroot, kargs, bootloader, ..Request::of_image(image.as_str()) };
    let what = ToFilesystem { root, image, request };
    carry_out(py, Job { what, access: access_of(access), log }, Watch::new(on_event, cancel))
}

fn carry_out(py: Python<'_>, job: Job<impl What>, watch: Watch) -> PyResult<Report> {
    let report = work::run(py, watch, |events, cancel| work_through(job, &events, cancel))?;
    Ok(Report { report })
}

fn work_through(job: Job<impl What>, events: &Arc<dyn Sink>, cancel: &Flag) -> Result<apply::Report> {
    let _alone = Alone::claim()?;
    let log = job.log.as_deref().map(log::start).transpose()?;
    let access = CoreAccess { cancel: cancel.clone(), ..job.access };
    let prepared = job.what.prepare(&access, events).inspect_err(|error| {
        // What `apply` fails with it tells itself.
        events.emit(&Event::failed(error, &errors::words));
    })?;
    let options = Options {
        log: log.as_ref().map(|writing| writing.log.clone()),
        kickstart: job.what.shown(),
        kickstart_digest: job.what.digest(),
        fail_at: None,
        cancel: cancel.clone(),
    };
    apply::apply(&prepared.plan, &prepared.image, &Stoppable::by(cancel.clone()), &options, &**events)
}

/// The one installation of this process: its mount points and its log are the process's.
struct Alone;

static BUSY: AtomicBool = AtomicBool::new(false);

impl Alone {
    fn claim() -> Result<Self> {
        if BUSY.swap(true, Ordering::SeqCst) {
            return Err(Error::refused(Stage::Plan, "this process is installing already")
                .hint("wait for it, or install from another process"));
        }
        Ok(Alone)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        BUSY.store(false, Ordering::SeqCst);
    }
}

/// Puts the class and the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Report>()?;
    module.add_function(wrap_pyfunction!(install, module)?)?;
    module.add_function(wrap_pyfunction!(install_to_filesystem, module)?)
}

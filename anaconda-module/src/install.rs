//! `install` and its `Report`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use installer_core::apply::{self, Options};
use installer_core::event::{Event, Sink};
use installer_core::front::{self, Overrides};
use installer_core::host::Real;
use installer_core::image::Access as CoreAccess;
use installer_core::request::EndAction;
use installer_core::units::Digest;
use installer_core::{Cancel as Flag, Error, Result, Stage};
use pyo3::prelude::*;

use crate::cancel::Cancel;
use crate::errors;
use crate::image::{Access, access_of};
use crate::kickstart::{Judged, Kickstart};
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

    /// What the kickstart wants next: nothing, reboot, poweroff or halt. Nobody does it.
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
struct Job {
    judged: Arc<Judged>,
    overrides: Overrides,
    replace: bool,
    reviewed: Option<Digest>,
    access: CoreAccess,
    log: Option<PathBuf>,
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
    access: Option<&Bound<'_, Access>>,
    log: Option<PathBuf>,
    on_event: Option<Py<PyAny>>,
    cancel: Option<&Bound<'_, Cancel>>,
) -> PyResult<Report> {
    let judged = kickstart.get().judged.clone();
    judged.require_usable(py)?;
    let keep_in = front::keep_beside(disk_image.as_deref());
    let reviewed = plan_digest.map(|text| text.parse::<Digest>()).transpose();
    let job = Job {
        judged,
        overrides: overrides(py, image, target_image, disk_image, size)?,
        replace,
        reviewed: reviewed.map_err(|error| errors::bad_argument(py, format!("plan_digest: {error}")))?,
        access: CoreAccess { keep_in, ..access_of(access) },
        log,
    };
    let report = work::run(py, Watch::new(on_event, cancel), |events, cancel| carry_out(job, &events, cancel))?;
    Ok(Report { report })
}

fn carry_out(job: Job, events: &Arc<dyn Sink>, cancel: &Flag) -> Result<apply::Report> {
    let _alone = Alone::claim()?;
    let _log = job.log.as_deref().map(log::start).transpose()?;
    let prepared = prepare(&job, events, cancel).inspect_err(|error| {
        // What `apply` fails with it tells itself.
        events.emit(&Event::failed(error));
    })?;
    let options =
        Options { log: job.log, kickstart: Some(job.judged.shown()), fail_before: None, cancel: cancel.clone() };
    apply::apply(&prepared.plan, &prepared.image, &Real, &options, &**events)
}

fn prepare(job: &Job, events: &Arc<dyn Sink>, cancel: &Flag) -> Result<front::Prepared> {
    job.judged.require_whole()?;
    if job.judged.has_pre() {
        events.emit(&Event::Warning { message: "%pre is not run here".to_owned() });
    }
    let mut request = job.judged.request.clone();
    job.overrides.put_over(&mut request);
    let image = front::require_image(&request, &job.judged.name, "image=")?;
    let access = CoreAccess { cancel: cancel.clone(), ..job.access.clone() };
    let prepared = front::prepare(&request, image, &access, job.reviewed.as_ref(), events.clone())?;
    if !job.replace {
        front::consent(&prepared.plan, job.judged.allows_clearing(), "replace=True")?;
    }
    Ok(prepared)
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
    module.add_function(wrap_pyfunction!(install, module)?)
}

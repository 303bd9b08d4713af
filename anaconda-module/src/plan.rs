//! `Plan` and `plan`, and the options that `install` has as well.

use std::path::PathBuf;

use installer_core::plan as core;
use installer_core::prepare::{Overrides, before_scripts, image_file};
use installer_core::units::Bytes;
use pyo3::prelude::*;

use crate::errors::{self, guarded};
use crate::image::ImageFacts;
use crate::kickstart::{Kickstart, require_usable};
use crate::machine::Machine;
use crate::values;

/// What would happen. Deterministic: the same input gives the same plan.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug)]
pub struct Plan {
    plan: core::Plan,
    digest: String,
}

#[pymethods]
impl Plan {
    /// What `install(plan_digest=…)` takes.
    #[getter]
    fn digest(&self) -> &str {
        &self.digest
    }

    /// Where the system goes: the nodes of disks, with commas, or the path of a disk image.
    #[getter]
    fn target(&self) -> String {
        self.plan.target.names()
    }

    /// Where the image is fetched from.
    #[getter]
    fn image(&self) -> &str {
        &self.plan.image.source
    }

    /// The manifest that would be installed.
    #[getter]
    fn image_digest(&self) -> String {
        self.plan.image.digest.to_string()
    }

    /// What would be gone.
    #[getter]
    fn destroys(&self) -> Vec<String> {
        self.plan.destroys.iter().map(|loss| format!("{}: {}", loss.device, loss.what)).collect()
    }

    /// The titles of the steps, in order.
    #[getter]
    fn steps(&self) -> Vec<String> {
        self.plan.steps.iter().map(core::Step::title).collect()
    }

    /// What the admin should know before.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.plan.warnings.clone()
    }

    /// The plan as a JSON document.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        values::pretty(&self.plan.document().map_err(|error| errors::raised(py, &error))?)
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        self.plan.render().map_err(|error| errors::raised(py, &error))
    }

    fn __repr__(&self) -> String {
        format!("<Plan {}: {} onto {}>", self.digest, self.plan.image.source, self.plan.target.names())
    }
}

/// Decides what would be done; nothing is touched.
#[pyfunction]
#[pyo3(signature = (kickstart, machine, facts, *, image = None, target_image = None, disk_image = None, size = None))]
#[allow(clippy::too_many_arguments)] // They are keywords where they are used.
fn plan(
    py: Python<'_>,
    kickstart: &Bound<'_, Kickstart>,
    machine: &Bound<'_, Machine>,
    facts: &Bound<'_, ImageFacts>,
    image: Option<String>,
    target_image: Option<String>,
    disk_image: Option<PathBuf>,
    size: Option<u64>,
) -> PyResult<Plan> {
    let overrides = overrides(py, image, target_image, disk_image, size)?;
    let (judged, machine, facts) = (&kickstart.get().judged, &machine.get().machine, &facts.get().facts);
    require_usable(py, judged)?;
    let (plan, digest) = guarded(py, || {
        let mut request = judged.request.clone();
        before_scripts(&mut request);
        overrides.put_over(&mut request);
        let plan = core::plan(&request, machine, facts)?;
        let digest = plan.digest()?.to_string();
        Ok((plan, digest))
    })?;
    Ok(Plan { plan, digest })
}

/// The options over a kickstart.
pub fn overrides(
    py: Python<'_>,
    image: Option<String>,
    target_image: Option<String>,
    disk_image: Option<PathBuf>,
    size: Option<u64>,
) -> PyResult<Overrides> {
    let disk_image = match (disk_image, size) {
        (Some(path), Some(size)) => Some(image_file(&path, Bytes(size)).map_err(|error| errors::raised(py, &error))?),
        (None, None) => None,
        _ => return Err(errors::bad_argument(py, "disk_image and size go together")),
    };
    Ok(Overrides { image, target_image, disk_image, leave_boot_order: false })
}

/// Puts the class and the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Plan>()?;
    module.add_function(wrap_pyfunction!(plan, module)?)
}

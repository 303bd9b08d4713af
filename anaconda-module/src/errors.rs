//! What is raised: an exception for each kind of error, with what an operator needs as
//! attributes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use installer_core::request::in_kickstart;
use installer_core::{Error, Kind, Remedy, Stage};
use kickstart_parser::ResolvedDiagnostic;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::values;

create_exception!(bootc_ks, BootcKsError, PyException, "Base of all that this module raises.");
create_exception!(bootc_ks, InputError, BootcKsError, "What was asked for is wrong.");
create_exception!(
    bootc_ks,
    WorldError,
    BootcKsError,
    "Something is missing: network, registry, image, tool, disk, memory."
);
create_exception!(bootc_ks, RefusedError, BootcKsError, "A safety rule forbids it.");
create_exception!(bootc_ks, FailedError, BootcKsError, "It should have worked and did not.");
create_exception!(bootc_ks, Cancelled, BootcKsError, "Cancel.cancel() was called.");

/// Puts the exceptions into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let base = py.get_type::<BootcKsError>();
    base.setattr("__name__", "Error")?;
    base.setattr("__qualname__", "Error")?;
    module.add("Error", base)?;
    module.add("InputError", py.get_type::<InputError>())?;
    module.add("WorldError", py.get_type::<WorldError>())?;
    module.add("RefusedError", py.get_type::<RefusedError>())?;
    module.add("FailedError", py.get_type::<FailedError>())?;
    module.add("Cancelled", py.get_type::<Cancelled>())
}

/// `error` as a Python exception.
pub fn raised(py: Python<'_>, error: &Error) -> PyErr {
    with_diagnostics(py, error, Vec::new())
}

/// `error` with the findings in a kickstart that it sums up.
pub fn with_diagnostics(py: Python<'_>, error: &Error, found: Vec<Diagnostic>) -> PyErr {
    let text = error.to_string();
    let exception = match error.kind() {
        Kind::Input => InputError::new_err(text),
        Kind::World => WorldError::new_err(text),
        Kind::Refused => RefusedError::new_err(text),
        Kind::Failed => FailedError::new_err(text),
        Kind::Cancelled => Cancelled::new_err(text),
    };
    match attributes(exception.value(py).as_any(), error, found) {
        Ok(()) => exception,
        Err(worse) => worse,
    }
}

fn attributes(exception: &Bound<'_, PyAny>, error: &Error, found: Vec<Diagnostic>) -> PyResult<()> {
    let py = exception.py();
    exception.setattr("kind", values::of(py, &error.kind())?)?;
    exception.setattr("stage", values::of(py, &error.stage())?)?;
    exception.setattr("hint", error.remedy().map(|remedy| remedy.say(&words)))?;
    exception.setattr("disk_touched", error.touched())?;
    exception.setattr("exit_code", error.exit_code())?;
    if error.kind() == Kind::Input {
        exception.setattr("diagnostics", found)?;
    }
    Ok(())
}

/// Remedies as arguments of this module's functions, and as lines of a kickstart.
pub fn words(remedy: &Remedy) -> Option<String> {
    Some(match remedy {
        Remedy::Agree => format!("say replace=True, or {}", in_kickstart(remedy)?),
        Remedy::AgreeToReplace => "say replace=True to replace the file".into(),
        Remedy::UseADiskImage => "install onto a file with disk_image=".into(),
        Remedy::UseTheDisk { disk } => {
            format!("to install onto it, leave disk_image out: ignoredisk --only-use={disk}")
        }
        Remedy::NameAnImage => format!("{}, or use image=", in_kickstart(remedy)?),
        Remedy::FetchAfterWipe => "say fetch_after_wipe=True to take that risk".into(),
        Remedy::InstallFromKickstart => "let install() do that from a kickstart".into(),
        Remedy::NoBootLoader => format!("{}, or bootloader=False", in_kickstart(remedy)?),
        Remedy::GiveCredentials { registry } => {
            format!("make a credentials file (podman login {registry}) and name it with authfile=FILE")
        }
        Remedy::OtherCredentials => "name another file with authfile=FILE".into(),
        Remedy::AllowInsecure { registry } => {
            format!("if that is acceptable, pass insecure_registries=[\"{registry}\"]")
        }
        other => return in_kickstart(other),
    })
}

/// A kickstart that could not be read at all.
pub fn unreadable(py: Python<'_>, found: ResolvedDiagnostic) -> PyErr {
    let error = Error::input(Stage::Request, format!("{}: {}", found.path, found.message));
    with_diagnostics(py, &error, vec![Diagnostic::alone(found)])
}

/// An argument that means nothing.
pub fn bad_argument(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raised(py, &Error::input(Stage::Request, message))
}

/// Does `work` without holding Python up; a panic in it is an error like any other.
pub fn guarded<T: Send>(py: Python<'_>, work: impl FnOnce() -> installer_core::Result<T> + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(internal())));
    outcome.map_err(|error| raised(py, &error))
}

/// What a panic comes to.
pub fn internal() -> Error {
    Error::failed(Stage::Finish, "this stopped by an internal error").hint("report it, with the log if there is one")
}

/// Keeps what a panic says of itself for the log: it means nothing to a user.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
}

//! The Python package `bootc_ks`: the four verbs of `installer-core`, and the kickstart parser,
//! as typed Python classes and functions.
//!
//! ```text
//!  kickstart.rs  parse ─► Kickstart + Diagnostic ──┐
//!  machine.rs    probe ─► Machine ─────────────────┼─► plan.rs  plan ─► Plan
//!  image.rs      inspect ─► ImageFacts ────────────┘
//!  install.rs    install ─► Report          by way of work.rs: a thread, events, cancellation
//!  errors.rs     what is raised             log.rs, values.rs: the log; JSON to Python
//! ```
//!
//! `python/bootc_ks/_native.pyi` says what each offers. Nothing is decided here that the command
//! decides as well: what the two have in common is in [`installer_core::prepare`].

mod cancel;
mod diagnostic;
mod errors;
mod image;
mod install;
mod judged;
mod kickstart;
mod log;
mod machine;
mod plan;
mod values;
mod work;

use std::path::PathBuf;

use pyo3::prelude::*;

/// Says where the package has the program that makes deployments.
#[pyfunction]
fn _set_libexec(directory: PathBuf) {
    installer_core::host::set_libexec(directory);
}

/// The installer of bootc-ks as a Python module.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    errors::quiet_panics();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(_set_libexec, module)?)?;
    errors::register(module)?;
    cancel::register(module)?;
    diagnostic::register(module)?;
    kickstart::register(module)?;
    machine::register(module)?;
    image::register(module)?;
    plan::register(module)?;
    install::register(module)
}

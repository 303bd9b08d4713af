//! `Cancel`: the flag that stops work.

use pyo3::prelude::*;

/// Stops work that another thread does with it, at its next safe place.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug, Default)]
pub struct Cancel {
    /// The flag itself.
    pub flag: installer_core::Cancel,
}

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Cancel::default()
    }

    /// Stops the work.
    fn cancel(&self) {
        self.flag.cancel();
    }

    /// Whether cancel() was called.
    #[getter]
    fn cancelled(&self) -> bool {
        self.flag.is_cancelled()
    }

    fn __repr__(&self) -> &'static str {
        if self.flag.is_cancelled() { "<Cancel: cancelled>" } else { "<Cancel>" }
    }
}

/// Puts the class into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Cancel>()
}

//! `Machine` and `probe`.

use installer_core::machine::{self, Firmware};
use installer_core::prepare::document;
use pyo3::prelude::*;

use crate::errors::{self, guarded};
use crate::values;

/// A disk of a machine.
#[pyclass(frozen, get_all, module = "bootc_ks")]
#[derive(Debug)]
pub struct Disk {
    /// The kernel's name, such as nvme0n1; not stable over boots.
    name: String,
    /// The device node.
    path: String,
    /// In bytes.
    size: u64,
    /// The model, where it has one.
    model: Option<String>,
    /// The serial number, where it has one.
    serial: Option<String>,
    /// Whether it is a removable one.
    removable: bool,
    /// What keeps it from being installed onto.
    in_use: Option<String>,
}

impl Disk {
    fn new(disk: &machine::Disk) -> Self {
        let users: Vec<String> = disk.in_use.iter().map(|user| format!("{} is {}", user.device, user.by)).collect();
        Disk {
            name: disk.name.clone(),
            path: disk.path.clone(),
            size: disk.size.0,
            model: disk.model.clone(),
            serial: disk.serial.clone(),
            removable: disk.removable,
            in_use: (!users.is_empty()).then(|| users.join(", ")),
        }
    }
}

#[pymethods]
impl Disk {
    fn __repr__(&self) -> String {
        format!("<Disk {}: {} bytes>", self.path, self.size)
    }
}

/// A machine as bootc-ks probe sees it.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug)]
pub struct Machine {
    /// The core's own.
    pub machine: machine::Machine,
}

#[pymethods]
impl Machine {
    /// As uname -m has it, such as x86_64.
    #[getter]
    fn arch(&self) -> &str {
        &self.machine.arch
    }

    /// How it boots: bios or uefi.
    #[getter]
    fn firmware(&self) -> &'static str {
        match self.machine.firmware {
            Firmware::Bios => "bios",
            Firmware::Uefi { .. } => "uefi",
        }
    }

    /// Its memory in bytes.
    #[getter]
    fn memory(&self) -> u64 {
        self.machine.memory.0
    }

    /// Its disks, by name.
    #[getter]
    fn disks(&self) -> Vec<Disk> {
        self.machine.disks.iter().map(Disk::new).collect()
    }

    /// Reads what to_json wrote, or bootc-ks probe --json.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Machine> {
        let machine = document(text, "the machine", "machine", machine::SCHEMA);
        Ok(Machine { machine: machine.map_err(|error| errors::raised(py, &error))? })
    }

    /// The machine as a JSON document.
    fn to_json(&self) -> PyResult<String> {
        values::pretty(&self.machine)
    }

    fn __repr__(&self) -> String {
        format!("<Machine: {}, {}, {} disks>", self.machine.arch, self.firmware(), self.machine.disks.len())
    }
}

/// This machine. Reads only; needs root to see the signatures on disks.
#[pyfunction]
fn probe(py: Python<'_>) -> PyResult<Machine> {
    Ok(Machine { machine: guarded(py, machine::probe)? })
}

/// Puts the classes and the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Disk>()?;
    module.add_class::<Machine>()?;
    module.add_function(wrap_pyfunction!(probe, module)?)
}

//! `Access`, `ImageFacts` and `inspect`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use installer_core::image::{self, Login};
use installer_core::prepare::{document, look};
use installer_core::units::Secret;
use pyo3::prelude::*;

use crate::cancel::Cancel;
use crate::errors;
use crate::values;
use crate::work::{self, Watch};

/// How registries are reached. Credentials given here are held in memory alone.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug, Default)]
pub struct Access {
    /// The core's own.
    pub access: image::Access,
}

#[pymethods]
impl Access {
    #[new]
    #[pyo3(signature = (
        *,
        username = None,
        password = None,
        authfile = None,
        insecure_registries = None,
        connect_timeout = 15.0,
        read_timeout = 60.0,
        retries = 5,
    ))]
    #[allow(clippy::too_many_arguments)] // They are keywords where they are used.
    fn new(
        py: Python<'_>,
        username: Option<String>,
        password: Option<String>,
        authfile: Option<PathBuf>,
        insecure_registries: Option<Vec<String>>,
        connect_timeout: f64,
        read_timeout: f64,
        retries: u32,
    ) -> PyResult<Self> {
        let login = match (username, password) {
            (Some(user), Some(password)) => Some(Login { user, password: Secret::new(password) }),
            (None, None) => None,
            _ => return Err(errors::bad_argument(py, "username and password go together")),
        };
        let access = image::Access {
            login,
            authfile,
            insecure_registries: insecure_registries.unwrap_or_default(),
            connect_timeout: seconds(py, "connect_timeout", connect_timeout)?,
            read_timeout: seconds(py, "read_timeout", read_timeout)?,
            retries,
            ..image::Access::default()
        };
        Ok(Access { access })
    }

    fn __repr__(&self) -> String {
        let login = match &self.access.login {
            Some(login) => format!(" as {}", login.user),
            None => String::new(),
        };
        format!("<Access{login}>")
    }
}

fn seconds(py: Python<'_>, name: &str, value: f64) -> PyResult<Duration> {
    let positive = Duration::try_from_secs_f64(value).ok().filter(|time| !time.is_zero());
    positive.ok_or_else(|| errors::bad_argument(py, format!("{name} is a number of seconds above 0, not {value}")))
}

/// The access that was given, or the usual one.
pub fn access_of(given: Option<&Bound<'_, Access>>) -> image::Access {
    given.map(|given| given.get().access.clone()).unwrap_or_default()
}

/// A layer of an image.
#[pyclass(frozen, get_all, module = "bootc_ks")]
#[derive(Debug)]
pub struct Layer {
    /// The digest of the compressed blob.
    digest: String,
    /// The compressed size in bytes.
    size: u64,
}

#[pymethods]
impl Layer {
    fn __repr__(&self) -> String {
        format!("<Layer {}: {} bytes>", self.digest, self.size)
    }
}

/// What must be known of an image before it is installed.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug)]
pub struct ImageFacts {
    /// The core's own.
    pub facts: image::ImageFacts,
}

#[pymethods]
impl ImageFacts {
    /// What was asked for, with its transport.
    #[getter]
    fn reference(&self) -> &str {
        &self.facts.reference
    }

    /// The digest of the manifest for the architecture.
    #[getter]
    fn digest(&self) -> String {
        self.facts.manifest_digest.to_string()
    }

    /// The architecture in OCI's words, such as amd64.
    #[getter]
    fn architecture(&self) -> &str {
        &self.facts.architecture
    }

    /// The labels of its configuration.
    #[getter]
    fn labels(&self) -> BTreeMap<String, String> {
        self.facts.labels.clone()
    }

    /// Its layers, lowest first.
    #[getter]
    fn layers(&self) -> Vec<Layer> {
        let layers = self.facts.layers.iter();
        layers.map(|layer| Layer { digest: layer.digest.to_string(), size: layer.size.0 }).collect()
    }

    /// What is to be downloaded, in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.facts.download_size.0
    }

    /// What its files take, in bytes.
    #[getter]
    fn unpacked_size(&self) -> u64 {
        self.facts.unpacked_size.0
    }

    /// The version of its kernel, where there is exactly one.
    #[getter]
    fn kernel(&self) -> Option<&str> {
        self.facts.kernel.as_ref().map(|kernel| kernel.version.as_str())
    }

    /// What it brings to install a boot loader with: bootupd or grub.
    #[getter]
    fn bootloader(&self) -> Option<&'static str> {
        match (&self.facts.boot.grub_install, self.facts.boot.bootupd) {
            (_, true) => Some("bootupd"),
            (Some(_), false) => Some("grub"),
            (None, false) => None,
        }
    }

    /// Reads what to_json wrote, or bootc-ks inspect --json.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<ImageFacts> {
        let facts = document(text, "the image facts", "image facts", image::SCHEMA);
        Ok(ImageFacts { facts: facts.map_err(|error| errors::raised(py, &error))? })
    }

    /// The facts as a JSON document.
    fn to_json(&self) -> PyResult<String> {
        values::pretty(&self.facts)
    }

    fn __repr__(&self) -> String {
        format!("<ImageFacts {} {}>", self.facts.reference, self.facts.manifest_digest)
    }
}

/// Finds the image, and reads what must be known of it.
#[pyfunction]
#[pyo3(signature = (image, *, arch = None, access = None, on_event = None, cancel = None))]
fn inspect(
    py: Python<'_>,
    image: &str,
    arch: Option<&str>,
    access: Option<&Bound<'_, Access>>,
    on_event: Option<Py<PyAny>>,
    cancel: Option<&Bound<'_, Cancel>>,
) -> PyResult<ImageFacts> {
    let access = access_of(access);
    let arch = arch.unwrap_or(std::env::consts::ARCH);
    let facts = work::run(py, Watch::new(on_event, cancel), |events, cancel| {
        let access = image::Access { cancel: cancel.clone(), ..access };
        look(image, arch, &access, events).map(|(_, facts)| facts)
    })?;
    Ok(ImageFacts { facts })
}

/// Puts the classes and the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Access>()?;
    module.add_class::<Layer>()?;
    module.add_class::<ImageFacts>()?;
    module.add_function(wrap_pyfunction!(inspect, module)?)
}

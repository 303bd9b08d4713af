//! `Diagnostic`: what is to be said about a kickstart.

use std::sync::Arc;

use kickstart_parser::ResolvedDiagnostic;
use kickstart_parser::render::{Style, render};
use pyo3::prelude::*;

use crate::judged::Judged;

/// Something that is to be said about a kickstart. Lines and columns count from 1.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug)]
pub struct Diagnostic {
    resolved: ResolvedDiagnostic,
    /// The kickstart that it is about, and which of its findings it is.
    about: Option<(Arc<Judged>, usize)>,
}

impl Diagnostic {
    /// All findings in a kickstart.
    pub fn all_of(judged: &Arc<Judged>) -> Vec<Self> {
        let found = judged.parsed.diagnostics.iter().enumerate();
        found
            .map(|(index, found)| Diagnostic {
                resolved: found.resolve(&judged.parsed.sources),
                about: Some((judged.clone(), index)),
            })
            .collect()
    }

    /// A finding about a file that could not be read.
    pub fn alone(resolved: ResolvedDiagnostic) -> Self {
        Diagnostic { resolved, about: None }
    }
}

#[pymethods]
impl Diagnostic {
    /// The stable code, such as E212.
    #[getter]
    fn code(&self) -> &'static str {
        self.resolved.code
    }

    /// How bad it is: error, warning or info.
    #[getter]
    fn severity(&self) -> &'static str {
        self.resolved.severity.name()
    }

    /// One sentence, without a full stop.
    #[getter]
    fn message(&self) -> &str {
        &self.resolved.message
    }

    /// The file, which may be an included one.
    #[getter]
    fn path(&self) -> &str {
        &self.resolved.path
    }

    /// The line of the first character, from 1.
    #[getter]
    fn line(&self) -> usize {
        self.resolved.line
    }

    /// Its column in characters, from 1.
    #[getter]
    fn column(&self) -> usize {
        self.resolved.column
    }

    /// The line of the end.
    #[getter]
    fn end_line(&self) -> usize {
        self.resolved.end_line
    }

    /// The column after the last character.
    #[getter]
    fn end_column(&self) -> usize {
        self.resolved.end_column
    }

    /// What to do about it.
    #[getter]
    fn help(&self) -> Option<&str> {
        self.resolved.help.as_deref()
    }

    /// The finding for people, with the lines that it points at.
    #[pyo3(signature = (*, color = false))]
    fn render(&self, color: bool) -> String {
        let Some((judged, index)) = &self.about else { return format!("{}\n", self.resolved) };
        let style = style(color);
        let found = judged.parsed.diagnostics.get(*index);
        found.map(|found| render(found, &judged.parsed.sources, &style)).unwrap_or_default()
    }

    fn __str__(&self) -> String {
        self.resolved.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Diagnostic {}>", self.resolved)
    }
}

/// How findings look.
pub fn style(color: bool) -> Style {
    if color { Style::coloured() } else { Style::plain() }
}

/// Puts the class into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Diagnostic>()
}

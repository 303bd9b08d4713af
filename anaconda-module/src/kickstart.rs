//! `Kickstart`, with what is in it, and the functions that make one or rewrite its text.

use std::path::PathBuf;
use std::sync::Arc;

use installer_core::prepare::loader::{self, FileLoader};
use installer_core::prepare::require_layout;
use installer_core::{Error, Stage};
use kickstart_parser::codes::{INCLUDE_FAILED, UNREADABLE_FILE};
use kickstart_parser::render::{render_all, summary};
use kickstart_parser::{
    Diagnostic as Finding, Loader, ParseOptions, Parsed, ResolvedDiagnostic, SourceId, Span, Statement, Syntax,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::diagnostic::{Diagnostic, style};
use crate::errors::{self, guarded};
use crate::judged::Judged;

/// Fails where no installation can be planned from it.
pub fn require_usable(py: Python<'_>, judged: &Arc<Judged>) -> PyResult<()> {
    if judged.parsed.has_errors() {
        let count = summary(&judged.parsed.diagnostics).unwrap_or_default();
        let error = Error::input(Stage::Request, format!("{} cannot be used: {count}", judged.name));
        return Err(errors::with_diagnostics(py, &error, Diagnostic::all_of(judged)));
    }
    require_layout(&judged.parsed.kickstart, &judged.request, &judged.name).map_err(|error| errors::raised(py, &error))
}

/// A command line as it was written.
#[pyclass(frozen, get_all, module = "bootc_ks")]
#[derive(Debug)]
pub struct Command {
    /// The command.
    name: String,
    /// The file that it is in.
    path: String,
    /// Its line, from 1.
    line: usize,
    /// The line with stars in place of passwords.
    text: String,
}

#[pymethods]
impl Command {
    fn __repr__(&self) -> String {
        format!("<Command {}:{}: {}>", self.path, self.line, self.text)
    }
}

/// An %addon section.
#[pyclass(frozen, get_all, module = "bootc_ks")]
#[derive(Debug)]
pub struct Addon {
    /// The name of the add-on.
    name: String,
    /// The words after the name.
    arguments: Vec<String>,
    /// The body, verbatim.
    body: String,
    /// The line of its header, from 1.
    line: usize,
}

#[pymethods]
impl Addon {
    fn __repr__(&self) -> String {
        // Whose body it is knows whether there are secrets in it; this does not.
        format!("<Addon {} in line {}>", self.name, self.line)
    }
}

/// A user that is to be made. Its password is not shown.
#[pyclass(frozen, get_all, module = "bootc_ks")]
#[derive(Debug)]
pub struct User {
    /// The login name.
    name: String,
    /// Further groups, as NAME or NAME(GID).
    groups: Vec<String>,
    /// Whether no password opens the account.
    locked: bool,
    /// Whether a password is given.
    has_password: bool,
}

#[pymethods]
impl User {
    fn __repr__(&self) -> String {
        format!("<User {}>", self.name)
    }
}

/// A kickstart, read and judged.
#[pyclass(frozen, module = "bootc_ks")]
#[derive(Debug)]
pub struct Kickstart {
    /// Shared with the diagnostics, which point into its text.
    pub judged: Arc<Judged>,
}

impl Kickstart {
    fn place(&self, span: Span) -> (String, usize) {
        let at = self.judged.parsed.sources.locate(span);
        (at.path, at.line)
    }

    fn shown_line(&self, span: Span) -> String {
        let source = self.judged.parsed.sources.get(span.source);
        source.map(|source| source.shown(span.range())).unwrap_or_default()
    }
}

#[pymethods]
impl Kickstart {
    /// What messages call it.
    #[getter]
    fn path(&self) -> &str {
        &self.judged.name
    }

    /// The version of kickstart that it was read as, such as F44.
    #[getter]
    fn syntax(&self) -> &'static str {
        self.judged.parsed.syntax.name()
    }

    /// All that is to be said about it, in the order of the text.
    #[getter]
    fn diagnostics(&self) -> Vec<Diagnostic> {
        Diagnostic::all_of(&self.judged)
    }

    /// Whether it can be used: no diagnostic is an error.
    #[getter]
    fn ok(&self) -> bool {
        !self.judged.parsed.has_errors()
    }

    /// The image to install.
    #[getter]
    fn image(&self) -> Option<&str> {
        self.judged.request.image.as_deref()
    }

    /// Where the installed system looks for updates, if somewhere else.
    #[getter]
    fn target_image(&self) -> Option<&str> {
        self.judged.request.update_from.as_deref()
    }

    /// The stateroot, where one is asked for.
    #[getter]
    fn stateroot(&self) -> Option<&str> {
        self.judged.request.stateroot.as_deref()
    }

    /// The command lines, in the order in which they take effect.
    #[getter]
    fn commands(&self) -> Vec<Command> {
        let mut list = Vec::new();
        for statement in &self.judged.parsed.document.statements {
            let Statement::Command(command) = statement else { continue };
            let Some(name) = command.words.first() else { continue };
            let (path, line) = self.place(command.span);
            list.push(Command { name: name.value.to_string(), path, line, text: self.shown_line(command.span) });
        }
        list
    }

    /// The %addon sections.
    #[getter]
    fn addons(&self) -> Vec<Addon> {
        let addons = self.judged.parsed.kickstart.addons.iter();
        addons
            .map(|addon| Addon {
                name: addon.name.clone(),
                arguments: addon.arguments.clone(),
                body: addon.body.clone(),
                line: self.place(addon.span).1,
            })
            .collect()
    }

    /// The users that are to be made.
    #[getter]
    fn users(&self) -> Vec<User> {
        let users = self.judged.parsed.kickstart.users.iter();
        users
            .map(|user| User {
                name: user.name.clone(),
                groups: user.groups.clone(),
                locked: user.lock,
                has_password: user.password.as_ref().is_some_and(|password| !password.is_empty()),
            })
            .collect()
    }

    /// The diagnostics for people, with the lines that they point at.
    #[pyo3(signature = (*, color = false))]
    fn render(&self, color: bool) -> String {
        render_all(&self.judged.parsed.diagnostics, &self.judged.parsed.sources, &style(color))
    }

    /// The text in its canonical form, comments kept.
    fn format(&self, py: Python<'_>) -> PyResult<String> {
        formatted(py, &self.judged)
    }

    /// The text with stars in place of passwords.
    fn shown(&self) -> String {
        self.judged.shown()
    }

    fn __repr__(&self) -> String {
        let count = summary(&self.judged.parsed.diagnostics).unwrap_or_else(|| "good".to_owned());
        format!("<Kickstart {}: {count} ({})>", self.judged.name, self.judged.parsed.syntax)
    }
}

/// Reads a kickstart. Never raises for what is in it: look at its diagnostics.
#[pyfunction]
#[pyo3(signature = (text, path = None, *, syntax = None, includes = true))]
fn parse(
    py: Python<'_>,
    text: &Bound<'_, PyAny>,
    path: Option<PathBuf>,
    syntax: Option<&str>,
    includes: bool,
) -> PyResult<Kickstart> {
    let name = path.map_or_else(|| "<kickstart>".to_owned(), |path| path.display().to_string());
    let syntax = version(py, syntax)?;
    let read = Text::from_python(text)?;
    let judged = guarded(py, || {
        let mut parsed = read_text(&read.text, &name, syntax, includes);
        if let Some(problem) = read.problem {
            parsed.diagnostics.push(problem);
        }
        Ok(Judged::new(parsed, name))
    })?;
    Ok(Kickstart { judged })
}

/// Reads the kickstart at path.
#[pyfunction]
#[pyo3(signature = (path, *, syntax = None, includes = true))]
fn parse_file(py: Python<'_>, path: PathBuf, syntax: Option<&str>, includes: bool) -> PyResult<Kickstart> {
    let name = path.display().to_string();
    let syntax = version(py, syntax)?;
    let text = py.detach(|| loader::read(&path));
    let text = text.map_err(|error| {
        errors::unreadable(py, ResolvedDiagnostic::of_file(&UNREADABLE_FILE, &name, &loader::describe(&error)))
    })?;
    let judged = guarded(py, || Ok(Judged::new(read_text(&text, &name, syntax, includes), name)))?;
    Ok(Kickstart { judged })
}

/// A kickstart in its canonical form.
#[pyfunction]
fn format(py: Python<'_>, text: &str) -> PyResult<String> {
    let parsed = guarded(py, || Ok(read_text(text, "<kickstart>", None, false)))?;
    formatted(py, &Judged::new(parsed, "<kickstart>".to_owned()))
}

/// The versions of kickstart that syntax may name.
#[pyfunction]
fn syntaxes() -> Vec<&'static str> {
    Syntax::ALL.iter().map(|syntax| syntax.name()).collect()
}

fn formatted(py: Python<'_>, judged: &Arc<Judged>) -> PyResult<String> {
    kickstart_parser::format::format(&judged.parsed, SourceId::ROOT).map_err(|reason| {
        let error = Error::input(Stage::Request, format!("{} is left alone: {reason}", judged.name));
        errors::with_diagnostics(py, &error, Diagnostic::all_of(judged))
    })
}

fn version(py: Python<'_>, name: Option<&str>) -> PyResult<Option<Syntax>> {
    let parse = |name: &str| name.parse::<Syntax>();
    name.map(parse).transpose().map_err(|error| errors::bad_argument(py, error.to_string()))
}

fn read_text(text: &str, name: &str, syntax: Option<Syntax>, includes: bool) -> Parsed {
    let loader = FileLoader::new();
    let loader: Option<&dyn Loader> = if includes { Some(&loader) } else { None };
    let mut parsed = kickstart_parser::parse(text, name, &ParseOptions { syntax, loader });
    if !includes {
        // It was not tried.
        parsed.diagnostics.retain(|found| found.code != INCLUDE_FAILED.id);
    }
    parsed
}

/// What was given as the text of a kickstart.
struct Text {
    text: String,
    /// What is wrong with it as a text.
    problem: Option<Finding>,
}

impl Text {
    fn from_python(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = given.cast::<PyString>() {
            if let Ok(text) = text.to_cow() {
                return Ok(Text { text: text.into_owned(), problem: None });
            }
            // Half of a surrogate pair, which is how Python keeps bytes that are no text.
            let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
            return Ok(Text::from_bytes(bytes.cast::<PyBytes>()?.as_bytes()));
        }
        Ok(Text::from_bytes(&given.extract::<Vec<u8>>()?))
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let error = match loader::text(bytes.to_vec()) {
            Ok(text) => return Text { text, problem: None },
            Err(error) => error,
        };
        let good = std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
        let text = String::from_utf8_lossy(bytes).into_owned();
        // What came before is as it was.
        let at = u32::try_from(good).unwrap_or(u32::MAX);
        let span = Span { source: SourceId::ROOT, start: at, end: at };
        let problem = Some(Finding::new(&UNREADABLE_FILE, span, loader::describe(&error)));
        Text { text, problem }
    }
}

/// Puts the classes and functions into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Command>()?;
    module.add_class::<Addon>()?;
    module.add_class::<User>()?;
    module.add_class::<Kickstart>()?;
    module.add_function(wrap_pyfunction!(parse, module)?)?;
    module.add_function(wrap_pyfunction!(parse_file, module)?)?;
    module.add_function(wrap_pyfunction!(format, module)?)?;
    module.add_function(wrap_pyfunction!(syntaxes, module)?)
}

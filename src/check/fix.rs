//! `check --fix`: the certain remedies, put into the files.
//!
//! Everything is done in memory first: fixes that do not touch each other are
//! applied, the result is parsed again, and so on until there is nothing left
//! to do. Only then is each file replaced, whole or not at all.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use installer_core::prepare::loader::{self, FileLoader};
use kickstart_parser::{Fix, IncludeRequest, LoadError, Loaded, Loader, Parsed, Span, Statement};

/// More rounds than any sequence of mistakes needs.
const ROUNDS: usize = 20;

/// The texts as they would be, over the files as they are.
pub struct Overlay {
    files: FileLoader<'static>,
    changed: RefCell<BTreeMap<PathBuf, Changed>>,
}

struct Changed {
    /// What the file is called in messages.
    name: String,
    before: String,
    /// `before` as it may be shown.
    shown_before: String,
    after: String,
}

/// What was done, for the report.
#[derive(Default)]
pub struct Outcome {
    /// A line for each fix.
    pub fixed: Vec<String>,
    /// What could be fixed, but is no file.
    pub out_of_reach: BTreeSet<String>,
}

impl Overlay {
    /// Nothing is changed yet.
    pub fn new() -> Overlay {
        Overlay { files: FileLoader::new(), changed: RefCell::default() }
    }

    /// Read a kickstart itself.
    pub fn read(&self, path: &Path) -> std::io::Result<String> {
        match self.changed.borrow().get(&key(path)) {
            Some(changed) => Ok(changed.after.clone()),
            None => loader::read(path),
        }
    }
}

impl Loader for Overlay {
    fn load(&self, request: IncludeRequest<'_>) -> Result<Loaded, LoadError> {
        let mut loaded = self.files.load(request)?;
        if let Some(changed) = self.changed.borrow().get(&key(Path::new(&loaded.path))) {
            loaded.text.clone_from(&changed.after);
        }
        Ok(loaded)
    }
}

/// One name per file.
fn key(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Fix what `check` finds until it finds nothing more to fix.
pub fn fix(overlay: &Overlay, outcome: &mut Outcome, mut check: impl FnMut() -> Option<Parsed>) {
    for _ in 0..ROUNDS {
        let Some(parsed) = check() else {
            return;
        };
        if round(&parsed, overlay, outcome) == 0 {
            return;
        }
    }
}

/// What to replace by what in one text, by place.
pub type Edits = BTreeMap<(u32, u32), String>;

/// Apply the fixes that do not touch each other; how many that were.
fn round(parsed: &Parsed, overlay: &Overlay, outcome: &mut Outcome) -> usize {
    let mut taken: HashMap<PathBuf, (Span, Edits)> = HashMap::new();
    let mut keys: HashMap<usize, Option<PathBuf>> = HashMap::new();
    let mut count = 0;
    for diagnostic in &parsed.diagnostics {
        let Some(fix) = &diagnostic.fix else {
            continue;
        };
        let mut paths = Vec::new();
        for (span, _) in &fix.edits {
            let path = keys.entry(span.source.index()).or_insert_with(|| file_of(parsed, *span));
            match path {
                Some(path) => paths.push(path.clone()),
                None => drop(outcome.out_of_reach.insert(parsed.sources.locate(*span).path)),
            }
        }
        if paths.len() == fix.edits.len() && take(fix, &paths, &mut taken) {
            count += 1;
            let at = parsed.sources.locate(diagnostic.span);
            outcome.fixed.push(format!("{}:{}: fixed {}: {}", at.path, at.line, diagnostic.code, fix.description));
        }
    }
    for (path, (span, edits)) in taken {
        replace(parsed, overlay, path, span, &edits);
    }
    count
}

/// The file that a place is in, if it is one.
fn file_of(parsed: &Parsed, span: Span) -> Option<PathBuf> {
    let path = Path::new(parsed.sources.get(span.source)?.path());
    path.is_file().then(|| key(path))
}

/// Take the edits of a fix, unless one of them touches another edit; whether they were taken.
pub fn take(fix: &Fix, paths: &[PathBuf], taken: &mut HashMap<PathBuf, (Span, Edits)>) -> bool {
    let free = fix.edits.iter().zip(paths).all(|((span, _), path)| {
        taken.get(path).is_none_or(|(_, edits)| {
            let before = edits.range(..=(span.start, u32::MAX)).next_back();
            let after = edits.range((span.start, 0)..).next();
            before.is_none_or(|((start, end), _)| *end <= span.start && *start < span.start)
                && after.is_none_or(|((start, _), _)| *start >= span.end && *start > span.start)
        })
    });
    if free {
        for ((span, new), path) in fix.edits.iter().zip(paths) {
            let edits = &mut taken.entry(path.clone()).or_insert_with(|| (*span, Edits::new())).1;
            edits.insert((span.start, span.end), new.clone());
        }
    }
    free
}

fn replace(parsed: &Parsed, overlay: &Overlay, path: PathBuf, any: Span, edits: &Edits) {
    let Some(source) = parsed.sources.get(any.source) else {
        return;
    };
    let mut after = String::with_capacity(source.text().len());
    let mut done = 0;
    for ((start, end), new) in edits {
        after.push_str(source.text().get(done..*start as usize).unwrap_or(""));
        after.push_str(new);
        done = *end as usize;
    }
    after.push_str(source.text().get(done..).unwrap_or(""));
    let mut changed = overlay.changed.borrow_mut();
    let entry = changed.entry(path).or_insert_with(|| Changed {
        name: source.path().to_owned(),
        before: source.text().to_owned(),
        shown_before: shown(parsed, any),
        after: String::new(),
    });
    entry.after = after;
}

/// The text of a source without passwords, and without scripts, which may hold some.
fn shown(parsed: &Parsed, any: Span) -> String {
    let Some(source) = parsed.sources.get(any.source) else {
        return String::new();
    };
    let mut text = source.shown(0..source.text().len()).into_bytes();
    let sections = parsed.document.statements.iter().filter_map(|statement| match statement {
        Statement::Section(section) => Some(section),
        Statement::Command(_) => None,
    });
    for span in sections.flat_map(|s| &s.body_spans).filter(|s| s.source == any.source) {
        for byte in text.get_mut(span.range()).unwrap_or_default() {
            if !byte.is_ascii_whitespace() {
                *byte = b'*';
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

impl Overlay {
    /// The changes as a unified diff, without passwords; `checked` are the
    /// kickstarts as they would be.
    pub fn diff<'a>(&self, checked: impl Iterator<Item = &'a Parsed>) -> String {
        let mut after: HashMap<PathBuf, String> = HashMap::new();
        for parsed in checked {
            for line in &parsed.document.files {
                let span = Span { source: line.source, start: 0, end: 0 };
                if let Some(path) = file_of(parsed, span) {
                    after.entry(path).or_insert_with(|| shown(parsed, span));
                }
            }
        }
        let mut out = String::new();
        for (path, changed) in self.changed.borrow().iter() {
            let new = after.get(path).map_or("", String::as_str);
            // No lines around: those of a script are not shown.
            let diff = similar::TextDiff::from_lines(changed.shown_before.as_str(), new);
            let name = changed.name.trim_start_matches('/');
            let names = (format!("a/{name}"), format!("b/{name}"));
            out.push_str(&diff.unified_diff().context_radius(0).header(&names.0, &names.1).to_string());
        }
        out
    }

    /// Write every file that changed.
    pub fn write(&self) -> anyhow::Result<()> {
        for (path, changed) in self.changed.borrow().iter() {
            write(path, changed).with_context(|| format!("writing {}", changed.name))?;
        }
        Ok(())
    }
}

/// Replace a file by its new text, in one step and with the old mode and owner.
fn write(path: &Path, changed: &Changed) -> anyhow::Result<()> {
    if changed.after == changed.before {
        return Ok(());
    }
    if loader::read(path)? != changed.before {
        bail!("it was changed meanwhile");
    }
    crate::atomic_file::replace(path, &changed.after)
}

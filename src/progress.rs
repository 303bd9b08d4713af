//! Events for people and for programs: bars on a terminal, plain lines elsewhere, JSON lines
//! in a file.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use installer_core::Remedy;
use installer_core::event::{Event, Sink};
use installer_core::printable::printable;
use installer_core::private_file;
use serde::Serialize;

/// One that may want some time at the end.
pub trait Listener: Sink {
    /// Nothing more will come: sends what is still to be sent, within a bounded time.
    fn finish(&self) {}
}

/// All listeners.
pub struct Audience {
    listeners: RwLock<Vec<Box<dyn Listener>>>,
}

impl Audience {
    /// A terminal or plain lines, and JSON lines to `events` (`-` is standard output).
    pub fn new(events: Option<&Path>) -> anyhow::Result<Arc<Self>> {
        let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
        if std::io::stderr().is_terminal() {
            listeners.push(Box::new(Terminal::new()));
        } else {
            listeners.push(Box::new(Plain::default()));
        }
        if let Some(path) = events {
            listeners.push(Box::new(JsonLines::open(path)?));
        }
        Ok(Arc::new(Audience { listeners: RwLock::new(listeners) }))
    }

    /// One more, from now on.
    pub fn add(&self, listener: impl Listener + 'static) {
        if let Ok(mut listeners) = self.listeners.write() {
            listeners.push(Box::new(listener));
        }
    }

    /// Nothing more will come.
    pub fn finish(&self) {
        if let Ok(listeners) = self.listeners.read() {
            listeners.iter().for_each(|listener| listener.finish());
        }
    }
}

impl Listener for Terminal {}
impl Listener for Plain {}
impl Listener for JsonLines {}

impl Sink for Audience {
    fn emit(&self, event: &Event) {
        if let Ok(listeners) = self.listeners.read() {
            listeners.iter().for_each(|listener| listener.emit(event));
        }
    }

    fn words(&self, remedy: &Remedy) -> Option<String> {
        crate::words::words(remedy)
    }
}

/// The outcome for `--format json`: `value` with `kind` as its `type`. On one line where the
/// events, a line each, go the same way; there it is the last one.
pub fn outcome(events: Option<&Path>, kind: &str, value: &impl Serialize) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Outcome<'a, T: Serialize> {
        r#type: &'a str,
        #[serde(flatten)]
        value: &'a T,
    }
    let document = Outcome { r#type: kind, value };
    if events == Some(Path::new("-")) {
        serde_json::to_string(&document)
    } else {
        serde_json::to_string_pretty(&document)
    }
}

/// One event as one line, where it is worth one.
pub fn line(event: &Event) -> Option<String> {
    match event {
        Event::Looking { image, layers, size } => Some(format!("looking at {image}: {layers} layers, {size}")),
        Event::StepStarted { step, steps, title } => Some(format!("[{step}/{steps}] {title}")),
        Event::LayerStarted { layer, layers, size, digest } => {
            Some(format!("        layer {layer} of {layers}: {} {size}", digest.short()))
        }
        Event::Retry { message, attempt, wait_seconds } => {
            Some(format!("        {message}; attempt {attempt} in {wait_seconds:.1} s"))
        }
        Event::Warning { message } => Some(format!("warning: {message}")),
        Event::Output { line } => Some(format!("        | {line}")),
        _ => None,
    }
}

/// Lines for a log or a pipe, with the download told every few seconds.
#[derive(Default)]
struct Plain {
    told: Mutex<Option<Instant>>,
}

impl Sink for Plain {
    fn emit(&self, event: &Event) {
        if let Event::Progress { done, total } = event {
            let Ok(mut told) = self.told.lock() else { return };
            if told.is_none_or(|at| at.elapsed() >= Duration::from_secs(5)) {
                *told = Some(Instant::now());
                eprintln!("        {done} of {total}");
            }
        } else if let Some(line) = line(event) {
            eprintln!("{line}");
        }
    }
}

/// What fits on one line of so many columns: a line that wraps cannot be drawn over.
fn template(columns: u16) -> &'static str {
    match columns {
        0..40 => "{bytes}/{total_bytes}",
        40..64 => "{bytes}/{total_bytes} eta {eta}",
        64..92 => "        {bytes}/{total_bytes} {msg} {bytes_per_sec} eta {eta}",
        _ => "        {bar:24} {bytes}/{total_bytes} {msg} {bytes_per_sec} eta {eta}",
    }
}

/// A bar with bytes, rate and layers.
struct Terminal {
    bar: ProgressBar,
    layers: Mutex<(usize, usize)>,
}

impl Terminal {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Terminal { bar, layers: Mutex::new((0, 0)) }
    }

    fn show(&self) {
        if self.bar.is_hidden() {
            // Each time anew: a window may have become another size.
            let columns = console::Term::stderr().size_checked().map_or(80, |(_, columns)| columns);
            if let Ok(style) = ProgressStyle::with_template(template(columns)) {
                self.bar.set_style(style);
            }
            self.bar.reset();
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
    }

    fn hide(&self) {
        self.bar.finish_and_clear();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn layer(&self, change: impl FnOnce(&mut (usize, usize))) {
        let Ok(mut layers) = self.layers.lock() else { return };
        change(&mut layers);
        self.bar.set_message(format!("{}/{} layers", layers.0, layers.1));
    }
}

impl Sink for Terminal {
    fn emit(&self, event: &Event) {
        match event {
            Event::LayerStarted { layers, .. } => {
                self.show();
                self.layer(|count| count.1 = *layers);
            }
            Event::LayerFinished { .. } => self.layer(|count| count.0 += 1),
            Event::LayerRead { layers, .. } => {
                self.layer(|count| *count = (count.0 + 1, *layers));
                // No step ends the look at the image.
                if self.layers.lock().is_ok_and(|count| count.0 == *layers) {
                    self.hide();
                    self.layer(|count| *count = (0, 0));
                }
            }
            Event::Progress { done, total } => {
                self.show();
                self.bar.set_length(total.0);
                self.bar.set_position(done.0);
            }
            // Whatever comes after it is told by others, and must not stand beside a bar.
            Event::Failed { .. } => self.hide(),
            Event::StepFinished { millis, .. } if !self.bar.is_hidden() => {
                let bytes = self.bar.position();
                self.hide();
                let seconds = *millis as f64 / 1000.0;
                eprintln!("        {} in {seconds:.1} s", HumanBytes(bytes));
            }
            _ => {
                if let Event::Looking { layers, .. } = event {
                    self.layer(|count| *count = (0, *layers));
                }
                if let Some(line) = line(event) {
                    self.bar.suspend(|| eprintln!("{line}"));
                }
            }
        }
    }
}

/// One JSON document a line.
struct JsonLines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl JsonLines {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let out: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(std::io::stdout())
        } else {
            Box::new(
                private_file::create(path).with_context(|| format!("creating the events file {}", path.display()))?,
            )
        };
        Ok(JsonLines { out: Mutex::new(out) })
    }
}

impl Sink for JsonLines {
    fn emit(&self, event: &Event) {
        let Ok(mut out) = self.out.lock() else { return };
        // A listener may hang up; the installation goes on.
        let written = serde_json::to_string(event)
            .map_err(std::io::Error::from)
            // JSON itself escapes no more than the half of it.
            .and_then(|line| out.write_all(printable(&line).as_bytes()))
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "writing an event");
        }
    }
}

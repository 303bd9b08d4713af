//! Work that takes its time: done on a thread of its own, while the caller's thread hands its
//! events to Python and watches for reasons to stop.
//!
//! ```text
//!  caller's thread                           worker
//!    wait for a message (GIL released) ◄────── event ─── Sink ◄── installer-core
//!    on_event(dict), check signals
//!    it raised, or Cancel.cancel() ──────────► flag, looked at where the work can stop
//!    "go on" ────────────────────────────────► before a step is done
//! ```

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use installer_core::event::{Event, Sink};
use installer_core::{Cancel as Flag, Remedy, Result};
use pyo3::prelude::*;

use crate::cancel::Cancel;
use crate::{errors, values};

/// How long a signal or a cancellation by another thread may go unseen.
const TICK: Duration = Duration::from_millis(50);

/// Who is told, and who may stop the work.
pub struct Watch {
    on_event: Option<Py<PyAny>>,
    cancel: Option<Flag>,
}

impl Watch {
    /// As the caller has them.
    pub fn new(on_event: Option<Py<PyAny>>, cancel: Option<&Bound<'_, Cancel>>) -> Self {
        Watch { on_event, cancel: cancel.map(|cancel| cancel.get().flag.clone()) }
    }

    fn cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Flag::is_cancelled)
    }
}

enum Message {
    /// Something happened. Where there is a sender, the work waits for it or for its end.
    Event(Event, Option<SyncSender<()>>),
    /// The work is over, even if the other end is still held.
    Done,
}

/// The sink of the worker.
struct Forward(Sender<Message>);

impl Sink for Forward {
    fn emit(&self, event: &Event) {
        // An objection to a step is raised before it is done.
        let waits = matches!(event, Event::Started { .. } | Event::StepStarted { .. });
        let (go_on, told) = sync_channel(1);
        let told = waits.then_some(told);
        if self.0.send(Message::Event(event.clone(), waits.then_some(go_on))).is_ok()
            && let Some(told) = told
        {
            // The sender is dropped when the event was dealt with.
            let _ = told.recv();
        }
    }

    fn words(&self, remedy: &Remedy) -> Option<String> {
        errors::words(remedy)
    }
}

/// Says that the work is over, even if it panics.
struct Last(Sender<Message>);

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.0.send(Message::Done);
    }
}

/// Does `work`. What `on_event` raises is raised here, and so is what a signal's handler raises.
pub fn run<T: Send>(
    py: Python<'_>,
    watch: Watch,
    work: impl FnOnce(Arc<dyn Sink>, &Flag) -> Result<T> + Send,
) -> PyResult<T> {
    let flag = Flag::new();
    if watch.cancelled() {
        flag.cancel();
    }
    let (sender, receiver) = channel();
    let (outcome, raised) = std::thread::scope(|scope| {
        let flag = &flag;
        let worker = std::thread::Builder::new().name("bootc-ks".to_owned()).spawn_scoped(scope, move || {
            let _last = Last(sender.clone());
            work(Arc::new(Forward(sender)), flag)
        });
        let worker = match worker {
            Ok(worker) => worker,
            Err(error) => return (Err(errors::internal().because(error)), None),
        };
        let raised = attend(py, receiver, flag, &watch);
        (worker.join().unwrap_or_else(|_| Err(errors::internal())), raised)
    });
    match raised {
        Some(raised) => Err(raised),
        None => outcome.map_err(|error| errors::raised(py, &error)),
    }
}

/// Hands on events until the work is over. Returns what was raised meanwhile.
fn attend(py: Python<'_>, mut receiver: Receiver<Message>, flag: &Flag, watch: &Watch) -> Option<PyErr> {
    let mut raised = None;
    loop {
        let waiting = &mut receiver;
        let (event, _go_on) = match py.detach(move || waiting.recv_timeout(TICK)) {
            Ok(Message::Event(event, go_on)) => (Some(event), go_on),
            Err(RecvTimeoutError::Timeout) => (None, None),
            Ok(Message::Done) | Err(RecvTimeoutError::Disconnected) => return raised,
        };
        if raised.is_none() {
            raised = tell(py, event.as_ref(), watch).err();
        }
        if raised.is_some() || watch.cancelled() {
            flag.cancel();
        }
    }
}

fn tell(py: Python<'_>, event: Option<&Event>, watch: &Watch) -> PyResult<()> {
    if let (Some(event), Some(on_event)) = (event, &watch.on_event) {
        on_event.call1(py, (values::of(py, event)?,))?;
    }
    py.check_signals()
}

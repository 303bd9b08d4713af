//! Reports to a server: events as they come, where the machine is, and the log at the end.
//! A server that does not answer costs a warning, never the installation.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use ureq::Agent;

use crate::fetch::{Request, server_of};

/// Events are sent this often.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often a state is tried: a server that restarts is back by then.
const TRIES: u32 = 5;

/// Sends reports, if they are asked for.
pub struct Reporter {
    to: Option<To>,
}

struct To {
    url: String,
    agent: Agent,
    /// Lines on their way, and who sends them.
    events: Mutex<Option<(Sender<String>, JoinHandle<()>)>>,
}

impl Reporter {
    /// Reports to `url`.
    pub fn start(url: Option<&str>) -> Self {
        let to = url.and_then(|url| {
            let agent = Request::default().agent(url).ok()?;
            let (sender, receiver) = channel();
            let (batches, events_url) = (agent.clone(), format!("{url}/events"));
            let worker = std::thread::spawn(move || send_batches(&receiver, &batches, &events_url));
            Some(To { url: url.to_owned(), agent, events: Mutex::new(Some((sender, worker))) })
        });
        Reporter { to }
    }

    /// One event, a line of JSON.
    pub fn event(&self, line: &str) {
        let Some(to) = &self.to else { return };
        if let Ok(events) = to.events.lock()
            && let Some((sender, _)) = &*events
        {
            // The worker lives as long as the sender does.
            let _ = sender.send(format!("{line}\n"));
        }
    }

    /// Where the machine is now; all events are out before.
    pub fn state(&self, state: &Value) -> anyhow::Result<()> {
        let Some(to) = &self.to else { return Ok(()) };
        if state["state"] != "installing" {
            to.flush();
        }
        to.post("state", "application/json", &state.to_string())
    }

    /// The log.
    pub fn log(&self, path: &Path) {
        let Some(to) = &self.to else { return };
        if let Ok(text) = std::fs::read_to_string(path)
            && let Err(error) = to.post("log", "text/plain; charset=utf-8", &text)
        {
            tracing::warn!("{error:#}");
        }
    }
}

impl To {
    fn flush(&self) {
        let events = self.events.lock().map(|mut events| events.take()).unwrap_or_default();
        if let Some((sender, worker)) = events {
            drop(sender);
            let _ = worker.join();
        }
    }

    fn post(&self, what: &str, kind: &str, body: &str) -> anyhow::Result<()> {
        let url = format!("{}/{what}", self.url);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.agent.post(&url).header("Content-Type", kind).send(body) {
                Ok(_) => return Ok(()),
                // What the server does not want now it will not want later.
                Err(error @ ureq::Error::StatusCode(400..=499)) => return Err(error).with_context(|| said(&url)),
                Err(error) if tries >= TRIES => return Err(error).with_context(|| said(&url)),
                Err(_) => std::thread::sleep(Duration::from_secs(2)),
            }
        }
    }
}

/// The path of a report's URL has the machine's token in it.
fn said(url: &str) -> String {
    format!("reporting to {}", server_of(url))
}

fn send_batches(lines: &Receiver<String>, agent: &Agent, url: &str) {
    let mut open = true;
    while open {
        let mut batch = String::new();
        let deadline = Instant::now() + INTERVAL;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => batch.push_str(&line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    open = false;
                    break;
                }
            }
        }
        if !batch.is_empty()
            && let Err(error) = agent.post(url).header("Content-Type", "application/x-ndjson").send(&batch)
        {
            tracing::warn!("{}: {error}", said(url));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_told() {
        assert_eq!(said("http://10.0.0.1:80/v1/report/SECRET/state"), "reporting to http://10.0.0.1:80");
    }
}

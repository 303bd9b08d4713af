//! `install --webhook`: the events, a second's worth at a time, as signed JSON to a server. It is never
//! waited for while the installation runs, and at the end for a bounded time; nothing fails because of it.
//!
//! ```text
//! emit ─► channel ─► batch ─► delivery ─► POST ─► done
//!                               ▲           └── trouble that may pass: later, the same again
//! ```
//!
//! A delivery that was tried once stays as it is, whatever happens since: a server that has seen its number
//! has seen all of it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use installer_core::apply::Log;
use installer_core::event::{Event, SCHEMA, Sink};
use installer_core::units::Secret;
use installer_core::{Error, Stage};
use serde_json::{Value, json};
use ureq::Agent;

use crate::fetch::{Request, server_of, without_login};
use crate::hmac::hmac_sha256;
use crate::progress::Listener;

/// GitHub's name and form, which receivers know how to check: `sha256=` and the code of the body.
const SIGNATURE: &str = "X-Hub-Signature-256";
/// The number of a delivery; the same each time that it is tried.
const DELIVERY: &str = "X-Bootc-Ks-Delivery";
/// Events are sent this often.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The first pause after an attempt that failed; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest while the installation runs, and when it is over.
const LONGEST: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(2)];
/// How long the end of an installation waits for what is still to be sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// No more events wait; what comes then is counted, and not kept.
const ROOM: usize = 2000;
/// How much of the log goes along with a failure.
const TAIL: u64 = 8 << 10;

/// The webhook's address and key.
#[derive(Debug, clap::Args)]
pub struct WebhookArgs {
    /// Send the events to this http(s) URL, signed with the key in BOOTC_KS_WEBHOOK_KEY or in
    /// --webhook-key-file
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,

    /// The file that the webhook's key is in
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_key_file: Option<PathBuf>,
}

impl WebhookArgs {
    /// The webhook, if there is to be one; the tail of `log` goes along with a failure.
    pub fn start(&self, log: Option<&Log>) -> anyhow::Result<Option<Webhook>> {
        let Some(url) = &self.webhook else { return Ok(None) };
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if !matches!(scheme, "http" | "https") {
            let shown = server_of(url);
            return Err(Error::input(Stage::Request, format!("--webhook {shown}: it is no http(s) URL")).into());
        }
        Ok(Some(Webhook::start(url, key(self.webhook_key_file.as_deref())?, log.cloned())?))
    }
}

/// The key, from where no list of processes shows it. Without one, deliveries are not signed.
fn key(file: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let text = match file {
        Some(file) => {
            let doing = || format!("reading the webhook's key in {}", file.display());
            let read = std::fs::read_to_string(file);
            Some(read.map_err(|error| Error::input(Stage::Request, doing()).because(error))?)
        }
        None => std::env::var("BOOTC_KS_WEBHOOK_KEY").ok(),
    };
    let Some(text) = text else { return Ok(None) };
    let key = text.trim_end_matches(['\n', '\r']);
    if key.is_empty() {
        return Err(Error::input(Stage::Request, "the webhook's key is empty").into());
    }
    Ok(Some(Secret::new(key)))
}

/// A server that gets the events.
pub struct Webhook {
    /// Events on their way; none when the end has been told.
    sender: Mutex<Option<SyncSender<Value>>>,
    /// Who sends them says so when all is sent.
    sent: Mutex<Receiver<()>>,
    dropped: Arc<AtomicUsize>,
    log: Option<Log>,
    shown: String,
}

impl Webhook {
    fn start(url: &str, key: Option<Secret>, log: Option<Log>) -> anyhow::Result<Self> {
        let shown = host_of(url);
        let (bare, login) = without_login(url);
        let agent = Request::default().agent_for(&bare, ATTEMPT)?;
        let (sender, receiver) = sync_channel(ROOM);
        let (done, sent) = sync_channel(1);
        let dropped = Arc::new(AtomicUsize::new(0));
        let to = To { agent, url: bare, login, key, shown: shown.clone(), id: id(), dropped: Arc::clone(&dropped) };
        std::thread::Builder::new()
            .name("webhook".into())
            .spawn(move || {
                to.deliver_all(&receiver);
                // It may not be waited for any more.
                let _ = done.send(());
            })
            .context("starting a thread")?;
        Ok(Webhook { sender: Mutex::new(Some(sender)), sent: Mutex::new(sent), dropped, log, shown })
    }
}

impl Sink for Webhook {
    fn emit(&self, event: &Event) {
        // A bar for people is no news.
        if matches!(event, Event::Progress { .. } | Event::LayerRead { .. }) {
            return;
        }
        let Ok(mut value) = serde_json::to_value(event) else { return };
        if matches!(event, Event::Failed { .. })
            && let Some(log) = &self.log
        {
            value["log"] = tail(log).into();
        }
        let Ok(sender) = self.sender.lock() else { return };
        if let Some(sender) = &*sender
            && let Err(TrySendError::Full(_)) = sender.try_send(value)
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Listener for Webhook {
    fn finish(&self) {
        // Without a sender the receiver sends what it has, and ends.
        let sender = self.sender.lock().ok().and_then(|mut sender| sender.take());
        drop(sender);
        let sent = self.sent.lock().is_ok_and(|sent| sent.recv_timeout(PATIENCE).is_ok());
        if !sent {
            let message = format!("{} did not take the last events within {} s", self.shown, PATIENCE.as_secs());
            tracing::warn!("{message}");
            eprintln!("warning: {message}");
        }
    }
}

/// A path and a query may have a token in them.
fn host_of(url: &str) -> String {
    format!("the webhook at {}", server_of(url))
}

/// A name for this installation, for a receiver of several.
fn id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default();
    text.trim().to_owned()
}

/// The last lines of the log.
fn tail(log: &Log) -> Vec<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&log.path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(log.from.max(length.saturating_sub(TAIL))))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let whole = bytes.len() < usize::try_from(TAIL).unwrap_or_default();
    text.lines().skip(usize::from(!whole)).map(str::to_owned).collect()
}

/// What became of an attempt.
enum Attempt {
    Taken,
    /// It may be better in a moment.
    Trouble(ureq::Error),
    /// It will not be.
    Refused(ureq::Error),
}

/// Where deliveries go.
struct To {
    agent: Agent,
    url: String,
    login: Option<String>,
    key: Option<Secret>,
    shown: String,
    id: String,
    dropped: Arc<AtomicUsize>,
}

impl To {
    fn deliver_all(&self, events: &Receiver<Value>) {
        let (mut batch, mut number, mut open) = (Vec::new(), 0, true);
        while open || !batch.is_empty() {
            gather(events, &mut batch, &mut open);
            if batch.is_empty() {
                continue;
            }
            number += 1;
            let body = self.body(number, std::mem::take(&mut batch));
            self.deliver(number, &body, events, &mut batch, &mut open);
        }
    }

    /// One delivery, tried until it is taken or refused. What happens in the meantime is for the next.
    fn deliver(&self, number: u64, body: &str, events: &Receiver<Value>, next: &mut Vec<Value>, open: &mut bool) {
        let mut pause = PAUSE;
        loop {
            match self.attempt(number, body) {
                Attempt::Taken => return,
                Attempt::Refused(error) => {
                    tracing::warn!("{}: {error}", self.shown);
                    // Once is enough for a wrong address or key.
                    if number == 1 {
                        eprintln!("warning: {}: {error}", self.shown);
                    }
                    return;
                }
                Attempt::Trouble(error) => tracing::info!("{}: {error}; trying again", self.shown),
            }
            let end = Instant::now() + pause.min(LONGEST[usize::from(!*open)]);
            while *open && Instant::now() < end {
                receive(events, next, open, end);
            }
            std::thread::sleep(end.saturating_duration_since(Instant::now()).min(LONGEST[1]));
            pause *= 2;
        }
    }

    fn body(&self, number: u64, events: Vec<Value>) -> String {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let sent = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let dropped = self.dropped.load(Ordering::Relaxed);
        json!({
            "schema": SCHEMA, "id": self.id, "delivery": number, "sent": sent, "host": host.trim(),
            "version": env!("CARGO_PKG_VERSION"), "dropped": dropped, "events": events,
        })
        .to_string()
    }

    fn attempt(&self, number: u64, body: &str) -> Attempt {
        // Elsewhere a redirected POST arrives without its body.
        let request = self.agent.post(&self.url).config().max_redirects(0).build();
        let mut request = request.header("Content-Type", "application/json");
        request = request.header(DELIVERY, format!("{}/{number}", self.id));
        if let Some(login) = &self.login {
            request = request.header("Authorization", format!("Basic {login}"));
        }
        if let Some(key) = &self.key {
            let code = hmac_sha256(key.expose().as_bytes(), body.as_bytes());
            request = request.header(SIGNATURE, format!("sha256={code}"));
        }
        match request.send(body) {
            Ok(answer) if answer.status().is_success() => Attempt::Taken,
            Ok(answer) => Attempt::Refused(ureq::Error::StatusCode(answer.status().as_u16())),
            Err(error @ ureq::Error::StatusCode(408 | 425 | 429)) => Attempt::Trouble(error),
            Err(error @ ureq::Error::StatusCode(300..=499)) => Attempt::Refused(error),
            Err(error) => Attempt::Trouble(error),
        }
    }
}

/// Events until a second has passed since the first, or one that is the last.
fn gather(events: &Receiver<Value>, batch: &mut Vec<Value>, open: &mut bool) {
    if batch.is_empty() && *open {
        match events.recv() {
            Ok(event) => batch.push(event),
            Err(_) => *open = false,
        }
    }
    let end = Instant::now() + INTERVAL;
    let over = |batch: &[Value]| {
        batch.last().is_some_and(|event| matches!(event["type"].as_str(), Some("finished" | "failed")))
    };
    while *open && Instant::now() < end && !over(batch) {
        receive(events, batch, open, end);
    }
}

fn receive(events: &Receiver<Value>, batch: &mut Vec<Value>, open: &mut bool, end: Instant) {
    match events.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(event) => batch.push(event),
        Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => *open = false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_told() {
        assert_eq!(host_of("https://me:pw@hook.example/T0KEN?k=v"), "the webhook at https://***@hook.example");
    }

    #[test]
    fn what_an_answer_means() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", server.local_addr().unwrap());
        let (agent, shown) = (Request::default().agent_for(&url, ATTEMPT).unwrap(), host_of(&url));
        let to = To { agent, url, login: None, key: None, shown, id: id(), dropped: Arc::default() };
        for (status, expected) in [(204, 't'), (302, 'r'), (404, 'r'), (429, 'a'), (500, 'a')] {
            let meant = std::thread::scope(|scope| {
                scope.spawn(|| {
                    let (mut connection, _) = server.accept().unwrap();
                    let mut buffer = [0; 4096];
                    let _ = connection.read(&mut buffer).unwrap();
                    let answer = format!(
                        "HTTP/1.1 {status} x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    );
                    std::io::Write::write_all(&mut connection, answer.as_bytes()).unwrap();
                });
                match to.attempt(1, "{}") {
                    Attempt::Taken => 't',
                    Attempt::Refused(_) => 'r',
                    Attempt::Trouble(_) => 'a',
                }
            });
            assert_eq!(meant, expected, "{status}");
        }
    }

    #[test]
    fn the_tail_begins_with_a_whole_line_and_with_this_run() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = |from| Log { path: file.path().to_owned(), from };
        std::fs::write(file.path(), "another run\nfirst\nlast\n").unwrap();
        assert_eq!(tail(&log(12)), ["first", "last"]);
        let long: String = (0..2000).map(|n| format!("line {n}\n")).collect();
        std::fs::write(file.path(), long).unwrap();
        let lines = tail(&log(0));
        assert!(lines.len() > 500 && lines.iter().all(|line| line.starts_with("line ")), "{:?}", lines.first());
        assert_eq!(lines.last().unwrap(), "line 1999");
    }

    #[test]
    fn keys_come_from_files_and_are_not_empty() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "k3y\n").unwrap();
        assert_eq!(key(Some(file.path())).unwrap().unwrap().expose(), "k3y");
        std::fs::write(file.path(), "\n").unwrap();
        assert!(key(Some(file.path())).unwrap_err().to_string().contains("empty"));
        let error = key(Some(Path::new("/nowhere/key"))).unwrap_err();
        assert_eq!(error.downcast_ref::<Error>().unwrap().exit_code(), 2);
    }
}

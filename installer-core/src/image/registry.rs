//! A registry: which endpoint answers, over which protocol, and its manifests. Blobs are read
//! in `blob`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;

use crate::error::{Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::units::Digest;

use super::access::{Access, Login, Places};
use super::auth::{self, Found};
use super::client::{Ask, Client};
use super::endpoints::{self, Endpoint, Endpoints};
use super::failure::Failure;
use super::manifest::{ACCEPTED, MAX_DOCUMENT};
use super::reference::{ImageReference, Place};
use super::registry_error::{Asked, Trouble, explain};
use super::runtime::wait_for;
use super::wire::Wire;

/// An endpoint that has answered.
pub(super) struct Registry {
    pub client: Client,
    pub found: Found,
    pub host: String,
    pub repository: String,
    pub access: Access,
    pub events: Arc<dyn Sink>,
    /// Whether trouble that may pass is waited out for [`PATIENCE`].
    pub persistent: AtomicBool,
}

/// How long trouble may last for those who have something to lose.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Finds the endpoint that has `reference` and returns it with the document found there.
pub(super) fn connect(
    reference: &ImageReference,
    access: &Access,
    events: Arc<dyn Sink>,
) -> Result<(Arc<Registry>, Vec<u8>)> {
    let places = Places::of(access);
    let Endpoints { all: endpoints, warnings } = endpoints::endpoints(access, &places, reference)?;
    warnings.into_iter().for_each(|message| events.emit(&Event::Warning { message }));
    // Not given to a mirror, nor to another host that the configuration puts in its place.
    let login = access.login.as_ref().zip(reference.host());
    let (mut attempt, mut failures) = (1, 0);
    loop {
        let mut failed: Vec<(bool, String, Trouble)> = Vec::new();
        for endpoint in &endpoints {
            match ask(endpoint, login, access, &places, &events)? {
                Ok(answer) => return Ok(answer),
                Err(trouble) => {
                    tracing::debug!(endpoint = %endpoint.reference, error = %trouble.error, "asking for the image");
                    failed.push((endpoint.mirror, endpoint.reference.name(), trouble));
                }
            }
        }
        // The registry itself is always asked last, so its trouble is the one to report.
        let Some((_, _, trouble)) = failed.pop() else {
            return Err(Error::failed(Stage::Resolve, "no endpoint to ask"));
        };
        let again = trouble.transient || failed.iter().any(|(_, _, other)| other.transient);
        failures += trouble.cost;
        if !again || failures > access.retries {
            let mirrors: Vec<String> =
                failed.iter().map(|(_, name, other)| format!("mirror {name}: {}", other.error)).collect();
            let error = trouble.error.context(format!("asking for {reference}"));
            return Err(if mirrors.is_empty() { error } else { error.because(mirrors.join("; ")) });
        }
        attempt += 1;
        pause(access, &*events, &trouble, attempt)?;
    }
}

/// Tells about the trouble and waits before attempt `attempt`.
fn pause(access: &Access, events: &dyn Sink, trouble: &Trouble, attempt: u32) -> Result<()> {
    let wait = access.wait(attempt).max(trouble.wait);
    events.emit(&Event::Retry { message: trouble.error.to_string(), attempt, wait_seconds: wait.as_secs_f64() });
    access.cancel.sleep(wait, Stage::Resolve)
}

type Answer = std::result::Result<(Arc<Registry>, Vec<u8>), Trouble>;

/// Asks one endpoint, over unverified TLS and then plain http where that is allowed.
fn ask(
    endpoint: &Endpoint,
    login: Option<(&Login, &str)>,
    access: &Access,
    places: &Places,
    events: &Arc<dyn Sink>,
) -> Result<Answer> {
    let Place::Registry { host, repository } = endpoint.reference.place() else {
        return Err(Error::failed(Stage::Resolve, format!("{} is not in a registry", endpoint.reference)));
    };
    let found = match login {
        Some((login, of)) if of == host && !endpoint.mirror => Found::given(login),
        _ => auth::find(access, places, host, repository)?,
    };
    let protocols: &[bool] = if endpoint.insecure { &[true, false] } else { &[true] };
    let mut before: Option<Trouble> = None;
    for https in protocols {
        let wire = Wire::new(host, endpoint.insecure, access, places, &**events)?;
        let asked = Asked { host, repository, what: &endpoint.reference.name(), found: &found };
        let client = match Client::new(wire, *https, host, repository, &found) {
            Ok(client) => client,
            Err(failure) => return Ok(Err(explain(&failure, asked))),
        };
        let registry = Arc::new(Registry {
            client,
            found: found.clone(),
            host: host.to_owned(),
            repository: repository.to_owned(),
            access: access.clone(),
            events: events.clone(),
            persistent: AtomicBool::new(false),
        });
        match registry.first(&endpoint.reference)? {
            Ok(raw) => return Ok(Ok((registry, raw))),
            Err(trouble) if !trouble.unreachable => return Ok(Err(trouble)),
            // What matters is why https failed, unless it was for want of TLS on that port.
            Err(trouble) => {
                before = Some(before.filter(|b| !b.error.to_string().contains("plain http")).unwrap_or(trouble))
            }
        }
    }
    before.map(Err).ok_or_else(|| Error::failed(Stage::Resolve, "no protocol to try"))
}

impl Registry {
    fn asked<'a>(&'a self, what: &'a str) -> Asked<'a> {
        Asked { host: &self.host, repository: &self.repository, what, found: &self.found }
    }

    /// Understands a failure about `what`.
    pub fn trouble(&self, failure: &Failure, what: &str) -> Trouble {
        explain(failure, self.asked(what))
    }

    /// Logs in and fetches what the reference names.
    fn first(&self, reference: &ImageReference) -> Result<std::result::Result<Vec<u8>, Trouble>> {
        let what = reference.name();
        let answer = match reference.digest() {
            Some(digest) => self.fetch(digest.as_str(), Some(digest))?,
            None => self.fetch(reference.tag().unwrap_or("latest"), None)?,
        };
        Ok(answer.map_err(|failure| self.trouble(&failure, &what)))
    }

    /// A manifest by its digest, with repeats.
    pub fn manifest(&self, digest: &Digest) -> Result<Vec<u8>> {
        let (mut attempt, mut failures, since) = (1, 0, Instant::now());
        loop {
            let failure = match self.fetch(digest.as_str(), Some(digest))? {
                Ok(raw) => return Ok(raw),
                Err(failure) => failure,
            };
            let trouble = self.trouble(&failure, &format!("manifest {}", digest.short()));
            attempt += 1;
            failures += trouble.cost;
            if !trouble.transient || self.gives_up(failures, since) {
                return Err(trouble.error);
            }
            self.pause(&trouble, attempt)?;
        }
    }

    /// Asks for a manifest, once, and makes sure that it is the one.
    fn fetch(&self, name: &str, digest: Option<&Digest>) -> Result<std::result::Result<Vec<u8>, Failure>> {
        let path = format!("manifests/{name}");
        let ask = Ask { method: Method::GET, path: &path, accept: ACCEPTED, from: 0, pinned: digest.is_some() };
        wait_for(&self.access.cancel, async {
            let answer = self.client.ask(&ask).await?;
            let announced = answer.header("docker-content-digest").map(str::to_owned);
            let raw = answer.document(MAX_DOCUMENT, "manifest").await?;
            check(&raw, digest, announced.as_deref())?;
            Ok(raw)
        })
    }

    /// Whether `failures`, the first of them at `since`, are enough.
    pub fn gives_up(&self, failures: u32, since: Instant) -> bool {
        let patient = self.persistent.load(Ordering::Relaxed) && since.elapsed() < PATIENCE;
        failures > self.access.retries && !patient
    }

    /// Tells about the trouble and waits before attempt `attempt`.
    pub fn pause(&self, trouble: &Trouble, attempt: u32) -> Result<()> {
        pause(&self.access, &*self.events, trouble, attempt)
    }
}

/// Whether it is what was asked for, and what the registry itself says that it is.
fn check(raw: &[u8], expected: Option<&Digest>, announced: Option<&str>) -> std::result::Result<(), Failure> {
    let actual = Digest::of(raw);
    let announced = announced.filter(|text| text.starts_with("sha256:") && expected.is_none());
    match expected.map(Digest::as_str).or(announced) {
        Some(expected) if *expected != *actual.as_str() => {
            Err(Failure::Odd(format!("it sends another manifest than asked for: expected {expected}, got {actual}")))
        }
        _ if is_page(raw) => {
            Err(Failure::Odd("it sends a web page; perhaps a network portal wants a login in between".into()))
        }
        _ => Ok(()),
    }
}

fn is_page(raw: &[u8]) -> bool {
    raw.trim_ascii_start().starts_with(b"<")
}

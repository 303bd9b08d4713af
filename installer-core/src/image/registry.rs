//! A registry: which endpoint answers, over which protocol, and its manifests. Blobs are read
//! in `blob`. The only two modules that are async inside, on one runtime that is made here.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use oci_client::client::{Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};
use tokio::runtime::{Builder, Runtime};

use crate::cancel::{Cancel, POLL};
use crate::error::{Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::units::Digest;

use super::access::{Access, Login, Places};
use super::auth::{self, Found};
use super::endpoints::{self, Endpoint};
use super::manifest::{ACCEPTED, MAX_DOCUMENT};
use super::reference::{ImageReference, Place};
use super::registry_error::{Asked, Trouble, explain};

/// An endpoint that has answered.
pub(super) struct Registry {
    pub client: Client,
    pub auth: RegistryAuth,
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

/// The one runtime. Made at the first use; it lives as long as the process.
pub(super) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        // Fails only if one was installed before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Builder::new_multi_thread().worker_threads(2).thread_name("registry").enable_all().build()
    });
    made.as_ref().map_err(|error| Error::failed(Stage::Resolve, format!("starting the network runtime: {error}")))
}

/// Finds the endpoint that has `reference` and returns it with the document found there.
pub(super) fn connect(
    reference: &ImageReference,
    access: &Access,
    events: Arc<dyn Sink>,
) -> Result<(Arc<Registry>, Vec<u8>)> {
    let places = Places::of(access);
    let endpoints = endpoints::endpoints(access, &places, reference)?;
    // Not given to a mirror, nor to another host that the configuration puts in its place.
    let login = access.login.as_ref().zip(reference.host());
    let mut attempt = 1;
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
        if !again || attempt > access.retries {
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
    let wait = access.wait(attempt);
    events.emit(&Event::Retry { message: trouble.error.to_string(), attempt, wait_seconds: wait.as_secs_f64() });
    access.cancel.sleep(wait, Stage::Resolve)
}

/// Waits for `work`, though not after a cancellation.
pub(super) fn wait_for<T>(cancel: &Cancel, work: impl Future<Output = T>) -> Result<T> {
    runtime()?.block_on(async {
        let mut work = std::pin::pin!(work);
        loop {
            cancel.check(Stage::Resolve)?;
            if let Ok(done) = tokio::time::timeout(POLL, work.as_mut()).await {
                return Ok(done);
            }
        }
    })
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
    let auth = match &found.credentials {
        Some(c) => RegistryAuth::Basic(c.user.clone(), c.password.expose().to_owned()),
        None => RegistryAuth::Anonymous,
    };
    let protocols: &[ClientProtocol] =
        if endpoint.insecure { &[ClientProtocol::Https, ClientProtocol::Http] } else { &[ClientProtocol::Https] };
    let mut before: Option<Trouble> = None;
    for protocol in protocols {
        let registry = Arc::new(Registry {
            client: client(protocol.clone(), endpoint.insecure, host, access, places, events)?,
            auth: auth.clone(),
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

fn client(
    protocol: ClientProtocol,
    insecure: bool,
    host: &str,
    access: &Access,
    places: &Places,
    events: &Arc<dyn Sink>,
) -> Result<Client> {
    runtime()?;
    some_authority()?;
    let config = ClientConfig {
        protocol,
        accept_invalid_certificates: insecure,
        extra_root_certificates: certificates(host, places, events)?,
        // Every index is followed by our own rules.
        platform_resolver: None,
        connect_timeout: Some(access.connect_timeout),
        read_timeout: Some(access.read_timeout),
        user_agent: concat!("bootc-ks/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    // Not `Client::new`: it falls back to a default client without a word.
    Client::try_from(config).map_err(|error| {
        Error::world(Stage::Resolve, format!("preparing TLS for {host}: {}", super::registry_error::root_cause(&error)))
            .hint("check that the CA certificates are installed (ca-certificates) and those in /etc/containers/certs.d are PEM files")
    })
}

/// Whether this machine trusts any certificate authority. oci-client makes a client with default settings on the
/// way to ours, even for plain http, and without a single authority that one panics.
fn some_authority() -> Result<()> {
    if !rustls_native_certs::load_native_certs().certs.is_empty() {
        return Ok(());
    }
    Err(Error::world(Stage::Resolve, "this machine has no CA certificates, without which no registry is asked")
        .hint("install ca-certificates, or name a file with certificates: SSL_CERT_FILE=FILE"))
}

/// The certificate authorities that certs.d names for this registry.
fn certificates(host: &str, places: &Places, events: &Arc<dyn Sink>) -> Result<Vec<Certificate>> {
    let mut dirs = vec![places.system("etc/containers/certs.d"), places.system("etc/docker/certs.d")];
    dirs.extend(places.config_home.as_ref().map(|dir| dir.join("containers/certs.d")));
    let mut found = Vec::new();
    for dir in dirs {
        let Ok(entries) = std::fs::read_dir(dir.join(host)) else { continue };
        for file in entries.flatten().map(|entry| entry.path()) {
            let ends = |extension: &str| file.extension().is_some_and(|e| e == Path::new(extension));
            if ends("crt") {
                let data = std::fs::read(&file).map_err(|error| {
                    Error::world(Stage::Resolve, format!("reading {}", file.display())).because(error)
                })?;
                found.push(Certificate { encoding: CertificateEncoding::Pem, data });
            } else if ends("cert") {
                events.emit(&Event::Warning {
                    message: format!("{}: client certificates are not supported and not used", file.display()),
                });
            }
        }
    }
    Ok(found)
}

impl Registry {
    fn asked<'a>(&'a self, what: &'a str) -> Asked<'a> {
        Asked { host: &self.host, repository: &self.repository, what, found: &self.found }
    }

    /// Understands an error about `what`.
    pub fn trouble(&self, error: &OciDistributionError, what: &str) -> Trouble {
        explain(error, self.asked(what))
    }

    /// Understands a connection that broke while `what` was read.
    pub fn broken(&self, cause: &str, what: &str) -> Trouble {
        self.asked(what).connection(cause, false)
    }

    /// The name under which oci-client knows a manifest or this repository.
    pub fn by_digest(&self, digest: &Digest) -> Reference {
        Reference::with_digest(self.host.clone(), self.repository.clone(), digest.to_string())
    }

    /// Logs in and fetches what the reference names.
    fn first(&self, reference: &ImageReference) -> Result<std::result::Result<Vec<u8>, Trouble>> {
        let target = match reference.digest() {
            Some(digest) => self.by_digest(digest),
            None => Reference::with_tag(
                self.host.clone(),
                self.repository.clone(),
                reference.tag().unwrap_or("latest").to_owned(),
            ),
        };
        let what = reference.name();
        let answer = wait_for(&self.access.cancel, async {
            // Asked for by itself, as its failure is swallowed when the client logs in unasked.
            self.client.auth(&target, &self.auth, RegistryOperation::Pull).await?;
            self.client.pull_manifest_raw(&target, &self.auth, ACCEPTED).await
        })?;
        Ok(match answer {
            Ok((raw, _)) => self.checked(raw.to_vec(), reference.digest()).map_err(|error| Trouble {
                error,
                transient: false,
                unreachable: false,
            }),
            Err(error) => Err(self.trouble(&error, &what)),
        })
    }

    /// A manifest by its digest, with repeats.
    pub fn manifest(&self, digest: &Digest) -> Result<Vec<u8>> {
        let target = self.by_digest(digest);
        let (mut attempt, since) = (1, Instant::now());
        loop {
            match wait_for(&self.access.cancel, self.client.pull_manifest_raw(&target, &self.auth, ACCEPTED))? {
                Ok((raw, _)) => return self.checked(raw.to_vec(), Some(digest)),
                Err(error) => {
                    let trouble = self.trouble(&error, &format!("manifest {}", digest.short()));
                    attempt += 1;
                    if !trouble.transient || self.gives_up(attempt - 1, since) {
                        return Err(trouble.error);
                    }
                    self.pause(&trouble, attempt)?;
                }
            }
        }
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

    /// Our own check, whatever the client checked.
    fn checked(&self, raw: Vec<u8>, expected: Option<&Digest>) -> Result<Vec<u8>> {
        if raw.len() as u64 > MAX_DOCUMENT {
            return Err(Error::world(
                Stage::Resolve,
                format!("{} sent a manifest of {} bytes, which no real one has", self.host, raw.len()),
            ));
        }
        let actual = Digest::of(&raw);
        match expected {
            Some(expected) if *expected != actual => Err(Error::world(
                Stage::Resolve,
                format!("{} sent another manifest than asked for: expected {expected}, got {actual}", self.host),
            )),
            _ => Ok(raw),
        }
    }
}

//! One request over http or https and its answer: whose certificate is looked at, by which proxy,
//! how long it may take, how much may come. What it means is understood elsewhere.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Url};

use super::access::{Access, Places};
use super::failure::{Broken, Failure, root_cause};
use super::proxy::{Proxies, Proxy};
use super::runtime::runtime;
use super::tls;
use crate::error::{Error, Result, Stage};
use crate::event::Sink;

/// What is read of an answer that refuses.
const MAX_REFUSAL: u64 = 64 << 10;

/// The network as it is for one registry.
pub(super) struct Wire {
    verified: Client,
    unverified: Client,
    /// Hosts whose certificates are not looked at, as they were named.
    insecure: Vec<String>,
    proxies: Proxies,
    read_timeout: Duration,
    pace: Pace,
}

/// What is asked.
pub(super) struct Question<'a> {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub authorization: Option<&'a HeaderValue>,
    /// The body of a POST, of a form.
    pub form: Option<String>,
}

/// An answer whose body is still to come.
pub(super) struct Answer {
    response: reqwest::Response,
    pub url: Url,
    proxy: Option<Proxy>,
    read_timeout: Duration,
    pace: Pace,
}

impl Wire {
    /// For `host`, whose certificate need not be good if it is `insecure`.
    pub fn new(host: &str, insecure: bool, access: &Access, places: &Places, events: &dyn Sink) -> Result<Self> {
        runtime()?;
        let mut hosts = access.insecure_registries.clone();
        if insecure {
            hosts.push(host.to_owned());
        }
        let proxies = places.proxies.clone();
        Ok(Wire {
            verified: client(tls::verified(host, !insecure, places, events)?, access, &proxies)?,
            unverified: client(tls::unverified()?, access, &proxies)?,
            insecure: hosts,
            proxies,
            read_timeout: access.read_timeout,
            pace: Pace::new(access),
        })
    }

    /// Whether the host of `url` was named as one that need not be verified.
    pub fn is_insecure(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default();
        let same = |name: &String| match name.rsplit_once(':') {
            Some((name, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
                name == host && number.parse().ok() == port
            }
            _ => name == host && url.port().is_none(),
        };
        self.insecure.iter().any(same)
    }

    /// Asks, and waits for the head of the answer.
    pub async fn ask(&self, question: Question<'_>) -> std::result::Result<Answer, Failure> {
        let client = if self.is_insecure(&question.url) { &self.unverified } else { &self.verified };
        let proxy = proxy_for(&self.proxies, &question.url).cloned();
        let mut request = client.request(question.method, question.url.clone()).headers(question.headers);
        if let Some(value) = question.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(form) = question.form {
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form);
        }
        match tokio::time::timeout(self.read_timeout, request.send()).await {
            Err(_) => Err(Failure::Broken(Broken::silent(&question.url, proxy))),
            Ok(Err(error)) => Err(Failure::Broken(Broken::of(&error, &question.url, proxy))),
            Ok(Ok(response)) => Ok(Answer {
                response,
                url: question.url,
                proxy,
                read_timeout: self.read_timeout,
                pace: self.pace.clone(),
            }),
        }
    }
}

fn proxy_for<'a>(proxies: &'a Proxies, url: &Url) -> Option<&'a Proxy> {
    let port = url.port_or_known_default().unwrap_or(0);
    proxies.for_host(url.scheme() == "https", url.host_str().unwrap_or_default(), port)
}

fn client(tls: rustls::ClientConfig, access: &Access, proxies: &Proxies) -> Result<Client> {
    let proxies = proxies.clone();
    let through = reqwest::Proxy::custom(move |url| proxy_for(&proxies, url).map(|proxy| proxy.address.clone()));
    Client::builder()
        .tls_backend_preconfigured(tls)
        .proxy(through)
        .connect_timeout(access.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("bootc-ks/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Error::failed(Stage::Resolve, format!("preparing TLS: {}", root_cause(&error))))
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// All of that name.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let all = self.response.headers().get_all(name).iter();
        all.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
    }

    /// The next bytes of the body, as the network delivers them.
    pub async fn chunk(&mut self) -> std::result::Result<Option<impl AsRef<[u8]> + Send + use<>>, Failure> {
        let begun = Instant::now();
        let chunk = match tokio::time::timeout(self.read_timeout, self.response.chunk()).await {
            Err(_) => return Err(Failure::Broken(Broken::silent(&self.url, self.proxy.clone()))),
            Ok(Err(error)) => return Err(Failure::Broken(Broken::of(&error, &self.url, self.proxy.clone()))),
            Ok(Ok(chunk)) => chunk,
        };
        let length = chunk.as_ref().map_or(0, |bytes| bytes.len());
        if chunk.is_some() && self.pace.is_too_slow(begun.elapsed(), length) {
            return Err(Failure::Slow { least: self.pace.least });
        }
        Ok(chunk)
    }

    /// The whole body, if it is no more than `limit`.
    pub async fn document(mut self, limit: u64, what: &'static str) -> std::result::Result<Vec<u8>, Failure> {
        let compressed = self.header("content-encoding").is_some_and(|how| matches!(how.trim(), "gzip" | "x-gzip"));
        let mut data = Vec::new();
        let too_large = || Failure::TooLarge { what, limit };
        if self.header("content-length").and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n > limit) {
            return Err(too_large());
        }
        while let Some(chunk) = self.chunk().await? {
            data.extend_from_slice(chunk.as_ref());
            if data.len() as u64 > limit {
                return Err(too_large());
            }
        }
        if compressed { inflate(&data, limit).ok_or_else(too_large) } else { Ok(data) }
    }

    /// What a server says that refuses, as far as that goes.
    pub async fn refusal(mut self, from: super::failure::Who) -> Failure {
        let code = self.status();
        let retry_after =
            self.header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = self.chunk().await {
            let room = MAX_REFUSAL as usize - body.len();
            body.extend_from_slice(&chunk.as_ref()[..chunk.as_ref().len().min(room)]);
            if body.len() as u64 >= MAX_REFUSAL {
                break;
            }
        }
        let proxy = self.proxy.map(|proxy| proxy.shown());
        Failure::Status { code, body: String::from_utf8_lossy(&body).into_owned(), retry_after, from, proxy }
    }
}

/// What was compressed on the way, though that was not asked for.
fn inflate(data: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let decoder = flate2::read::MultiGzDecoder::new(data);
    std::io::Read::read_to_end(&mut std::io::Read::take(decoder, limit + 1), &mut plain).ok()?;
    (plain.len() as u64 <= limit).then_some(plain)
}

/// Notices a server that sends, though next to nothing. The time that its reader takes does not count.
#[derive(Clone)]
struct Pace {
    /// Bytes a second.
    least: u64,
    /// For how long it may be slower.
    patience: Duration,
    waited: Duration,
    received: u64,
}

impl Pace {
    fn new(access: &Access) -> Self {
        Pace { least: access.least_speed.0, patience: access.slow_for, waited: Duration::ZERO, received: 0 }
    }

    fn is_too_slow(&mut self, waited: Duration, received: usize) -> bool {
        self.waited += waited;
        self.received += received as u64;
        if self.waited < self.patience {
            return false;
        }
        let slow = (self.received as f64) < self.least as f64 * self.waited.as_secs_f64();
        (self.waited, self.received) = (Duration::ZERO, 0);
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_is_what_stays_slow() {
        let access = Access { slow_for: Duration::from_secs(10), ..Access::default() };
        let mut pace = Pace::new(&access);
        let second = Duration::from_secs(1);
        assert!((0..9).all(|_| !pace.is_too_slow(second, 1)));
        assert!(pace.is_too_slow(second, 1));
        // Fits and starts are no slowness.
        assert!(!pace.is_too_slow(Duration::from_secs(9), 0));
        assert!(!pace.is_too_slow(second, 20_000));
        assert!((0..100).all(|_| !pace.is_too_slow(second, 2000)));
    }
}

//! Kickstarts over http and https. A server that is not there yet is waited for: machines that
//! start together with it, or with the network, are the usual ones.

use std::error::Error as _;
use std::io::ErrorKind;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context;
use base64::Engine as _;
use installer_core::image::proxy::Proxies;
use installer_core::prepare::loader;
use installer_core::{Error, Stage};
use percent_encoding::percent_decode_str;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};
use url::Url;

/// How long an installation tries to get its kickstart, as Anaconda does.
pub const INSTALLER_PATIENCE: Duration = Duration::from_secs(180);

/// How long others do, where a person looks on.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(120);

static PATIENT_FOR: OnceLock<Duration> = OnceLock::new();

/// Says for how long this process tries to get what it fetches, before it fetches anything.
pub fn be_patient(patience: Duration) {
    let _ = PATIENT_FOR.set(patience);
}

/// No kickstart is larger; a wrong URL may be.
const LIMIT: u64 = 16 << 20;

/// How something is asked for.
#[derive(Debug)]
pub struct Request {
    /// Headers to send along.
    pub headers: Vec<(String, String)>,
    /// Whether the server's certificate is looked at.
    pub verify: bool,
    /// A proxy; without one, what the environment's variables say.
    pub proxy: Option<String>,
}

impl Default for Request {
    fn default() -> Self {
        Request { headers: Vec::new(), verify: true, proxy: None }
    }
}

impl Request {
    /// The text behind `url`. What may pass by itself is tried again until `patience` is over, and
    /// told each time.
    pub fn get(&self, url: &str, patience: Duration, tell: &dyn Fn(&str)) -> anyhow::Result<String> {
        let end = Instant::now() + patience;
        let mut pause = Duration::from_secs(1);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let error = match self.once(url, left) {
                Err(error) if may_pass(&error) => error,
                outcome => return outcome,
            };
            let left = end.saturating_duration_since(Instant::now());
            if left < pause {
                return Err(error);
            }
            tell(&format!("{error:#}; trying again for {} s", left.as_secs()));
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn once(&self, url: &str, left: Duration) -> anyhow::Result<String> {
        let shown = without_password(url);
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if !matches!(scheme, "http" | "https") {
            anyhow::bail!("'{scheme}' URLs are not supported; use http, https or a file");
        }
        let proxy = self.proxy_for(url);
        let doing = |what: &str| match &proxy {
            Some(proxy) => format!("{what} {shown} through the proxy {}", without_password(proxy)),
            None => format!("{what} {shown}"),
        };
        let (url, login) = without_login(url);
        let mut request = self.client(proxy.as_deref(), left.clamp(Duration::from_secs(15), ATTEMPT))?.get(url);
        if let Some(login) = login {
            request = request.header("Authorization", format!("Basic {login}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = request.call().with_context(|| doing("fetching"))?;
        let body = response.body_mut().with_config().limit(LIMIT).read_to_vec().with_context(|| doing("reading"))?;
        // What a file could not be either.
        let bad = |error| Error::input(Stage::Request, format!("{shown}: {}", loader::describe(&error)));
        Ok(loader::text(body).map_err(bad)?)
    }

    /// The proxy that was named, or the one that the environment has for this host.
    fn proxy_for(&self, url: &str) -> Option<String> {
        if self.proxy.is_some() {
            return self.proxy.clone();
        }
        let url = Url::parse(url).ok()?;
        let port = url.port_or_known_default().unwrap_or(0);
        let proxies = Proxies::of_environment();
        proxies.for_host(url.scheme() == "https", url.host_str()?, port).map(|proxy| proxy.address.clone())
    }

    /// A client for what goes to `url`.
    pub fn agent(&self, url: &str) -> anyhow::Result<Agent> {
        self.client(self.proxy_for(url).as_deref(), ATTEMPT)
    }

    /// The same where an answer has to come soon.
    pub fn agent_for(&self, url: &str, timeout: Duration) -> anyhow::Result<Agent> {
        self.client(self.proxy_for(url).as_deref(), timeout)
    }

    fn client(&self, proxy: Option<&str>, timeout: Duration) -> anyhow::Result<Agent> {
        let tls =
            TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).disable_verification(!self.verify).build();
        let proxy = proxy
            .map(|proxy| ureq::Proxy::new(proxy).with_context(|| format!("the proxy {}", without_password(proxy))))
            .transpose()?;
        let config = Agent::config_builder()
            .timeout_connect(Some(timeout.min(Duration::from_secs(15))))
            .timeout_global(Some(timeout))
            .tls_config(tls)
            .proxy(proxy)
            .user_agent(concat!("bootc-ks/", env!("CARGO_PKG_VERSION")));
        Ok(Agent::new_with_config(config.build()))
    }
}

/// Whether it may be better in a moment: a server in trouble, or none yet, or no network.
fn may_pass(error: &anyhow::Error) -> bool {
    use ureq::Error as E;
    match error.downcast_ref::<E>() {
        Some(E::StatusCode(code)) => matches!(code, 408 | 425 | 429 | 500..=599),
        // A certificate that is not good comes as invalid data.
        Some(E::Io(error)) => error.kind() != ErrorKind::InvalidData && error.source().is_none_or(|e| !is_tls(e)),
        Some(E::Timeout(_) | E::HostNotFound | E::ConnectionFailed | E::ConnectProxyFailed(_)) => true,
        _ => false,
    }
}

fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    error.to_string().contains("certificate")
}

/// The text behind `url`.
pub fn fetch(url: &str) -> anyhow::Result<String> {
    let patience = *PATIENT_FOR.get().unwrap_or(&PATIENCE);
    Request::default().get(url, patience, &|line| eprintln!("note: {line}"))
}

/// [`fetch`] for what a kickstart includes.
pub fn fetch_include(url: &str) -> Result<String, String> {
    fetch(url).map_err(|error| format!("{error:#}"))
}

/// Whether `name` is a URL rather than a file.
pub fn is_url(name: &str) -> bool {
    name.contains("://")
}

/// The address alone, and the user name and password in it as a server wants them.
pub fn without_login(url: &str) -> (String, Option<String>) {
    let Ok(mut parsed) = Url::parse(url) else { return (url.to_owned(), None) };
    if parsed.username().is_empty() {
        return (url.to_owned(), None);
    }
    let plain = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [plain(parsed.username()), plain(parsed.password().unwrap_or_default())].join(&b':');
    // These cannot fail for an address that has them.
    let _ = (parsed.set_username(""), parsed.set_password(None));
    (parsed.to_string(), Some(base64::engine::general_purpose::STANDARD.encode(pair)))
}

/// The server of a URL whose path has a token in it, for a console or a log.
pub fn server_of(url: &str) -> String {
    without_password(url).splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

/// A URL for a console or a log: a password in it, and a query, which may hold a token, have no
/// place there.
pub fn without_password(url: &str) -> String {
    let (bare, query) = match url.split_once('?') {
        Some((bare, _)) => (bare, "?***"),
        None => (url, ""),
    };
    let Some((scheme, rest)) = bare.split_once("://") else { return format!("{bare}{query}") };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}{query}"),
        None => format!("{scheme}://{host}{path}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that gives these answers, one a connection, and then hangs up on everyone.
    fn server(answers: &[&str]) -> String {
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/site.ks", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
                let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
            }
        });
        address
    }

    fn get(url: &str, seconds: u64) -> (anyhow::Result<String>, Vec<String>) {
        let told = std::cell::RefCell::new(Vec::new());
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let outcome = Request::default().get(url, Duration::from_secs(seconds), &tell);
        (outcome, told.into_inner())
    }

    #[test]
    fn a_server_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
        const BUSY: &str = "HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        const GOOD: &str = "HTTP/1.1 200 X\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntext";
        const SHORT: &str = "HTTP/1.1 200 X\r\nContent-Length: 40\r\nConnection: close\r\n\r\ntext";
        for answers in [&[BUSY, GOOD], &[SHORT, GOOD], &["", GOOD]] {
            let (text, told) = get(&server(answers), 20);
            assert_eq!(text.unwrap(), "text");
            assert!(told.len() == 1 && told[0].contains("site.ks") && told[0].contains("trying again for"), "{told:?}");
        }
        for answer in ["HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"] {
            let (text, told) = get(&server(&[answer]), 20);
            assert!(text.is_err() && told.is_empty(), "{told:?}");
        }
    }

    #[test]
    fn a_login_in_an_address_is_sent_as_it_is_meant() {
        let of = |url| without_login(url);
        assert_eq!(of("http://a/b.ks?x"), ("http://a/b.ks?x".into(), None));
        assert_eq!(of("http://u:p%20w@a:8/b.ks?x"), ("http://a:8/b.ks?x".into(), Some("dTpwIHc=".into())));
        assert_eq!(of("http://u@a/b.ks"), ("http://a/b.ks".into(), Some("dTo=".into())));
    }

    #[test]
    fn what_is_no_text_is_bad_input() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 X\r\nContent-Length: 3\r\n\r\na\n\xe9");
        });
        let error = get(&url, 5).0.unwrap_err();
        assert_eq!(error.downcast_ref::<Error>().unwrap().exit_code(), 2);
        assert!(format!("{error:#}").contains("line 2 is not UTF-8"), "{error:#}");
    }

    #[test]
    fn patience_has_an_end() {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (text, told) = get(&format!("http://{gone}/site.ks"), 2);
        assert!(format!("{:#}", text.unwrap_err()).contains("refused") && told.len() == 1, "{told:?}");
        let (text, told) = get(&format!("http://{gone}/site.ks"), 0);
        assert!(text.is_err() && told.is_empty(), "{told:?}");
    }

    #[test]
    fn secrets_in_urls_are_not_shown() {
        assert_eq!(without_password("http://a/b.ks"), "http://a/b.ks");
        assert_eq!(without_password("https://me:hunter2@a:8/b@c?token=x"), "https://***@a:8/b@c?***");
        assert_eq!(without_password("proxy:3128"), "proxy:3128");
    }
}

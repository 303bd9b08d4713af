//! What a registry's failure means, in one sentence with a remedy, and whether it is worth
//! another attempt. Text out of failures; nothing is asked of the network here.

use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Remedy, Stage};

use super::auth::Found;
use super::failure::{Broken, Failure, Who};
use super::tls::{NO_AUTHORITY, no_authority};

/// A longer wait than this is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How many failures slowness counts as: each attempt at it takes long.
const SLOW: u32 = 3;

/// A failure, understood.
#[derive(Debug)]
pub(super) struct Trouble {
    pub error: Error,
    /// Worth another attempt.
    pub transient: bool,
    /// No conversation came about, so that another protocol may do better.
    pub unreachable: bool,
    /// How many failures it counts as.
    pub cost: u32,
    /// How long to wait at least, as the registry has it.
    pub wait: Duration,
}

impl Trouble {
    /// What another attempt would not change.
    pub fn lasting(error: Error) -> Self {
        Trouble { error, transient: false, unreachable: false, cost: 1, wait: Duration::ZERO }
    }

    /// What another attempt may change.
    pub fn passing(error: Error) -> Self {
        Trouble { transient: true, ..Trouble::lasting(error) }
    }

    /// The registry says when to come again.
    fn after(self, wait: Option<Duration>) -> Self {
        match wait {
            Some(wait) if wait > LONGEST_WAIT && self.transient => {
                let told = format!("{} (it says: come again in {} s)", self.error, wait.as_secs());
                let hint = self.error.remedy().cloned().unwrap_or_else(|| "try later".into());
                Trouble { error: world(told).hint(hint), transient: false, ..self }
            }
            Some(wait) => Trouble { wait, ..self },
            None => self,
        }
    }

    /// An answer that came by way of a proxy may be the proxy's own.
    fn by_proxy(self, code: u16, proxy: Option<&str>) -> Self {
        match proxy {
            Some(proxy) if matches!(code, 407 | 502 | 503 | 504) => {
                let told = format!("{} (through the proxy {proxy}, whose answer it may be)", self.error);
                Trouble { error: world(told).hint("check the proxy: http_proxy, https_proxy, no_proxy"), ..self }
            }
            _ => self,
        }
    }
}

/// What was asked of whom.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub host: &'a str,
    pub repository: &'a str,
    /// "the image …", "layer …".
    pub what: &'a str,
    pub found: &'a Found,
}

/// What a registry says of an error, of which the first entry counts.
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<Said>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    code: String,
    message: String,
}

/// Understands `failure`.
pub(super) fn explain(failure: &Failure, asked: Asked<'_>) -> Trouble {
    let trouble = understand(failure, asked);
    // Another protocol is the registry's affair, not that of a host that it sends us to.
    let of_registry = matches!(failure, Failure::Broken(broken) if broken.host == asked.host);
    Trouble { unreachable: trouble.unreachable && of_registry, ..trouble }
}

fn understand(failure: &Failure, asked: Asked<'_>) -> Trouble {
    match failure {
        Failure::Status { code, body, retry_after, from, proxy } => {
            let trouble = match from {
                Who::Registry => asked.refusal(*code, body),
                Who::Login(host) => asked.login(host, *code, body),
                Who::Storage(host) => asked.storage(host, *code, body),
            };
            trouble.by_proxy(*code, proxy.as_deref()).after(*retry_after)
        }
        Failure::Broken(broken) if broken.timeout => Trouble {
            unreachable: broken.connecting,
            ..Trouble::passing(
                world(format!("{} does not answer in time{}", broken.host, through(broken)))
                    .hint("check the network and the registry"),
            )
        },
        Failure::Broken(broken) => asked.connection(broken),
        Failure::Slow { least } => Trouble {
            cost: SLOW,
            ..Trouble::passing(
                world(format!("{} is too slow: it sends fewer than {least} bytes a second", asked.host))
                    .hint("check the network and the registry, or use a mirror (registries.conf)"),
            )
        },
        Failure::TooLarge { what, limit } => Trouble::lasting(world(format!(
            "{} sends a {what} of more than {limit} bytes, which no real one has",
            asked.host
        ))),
        Failure::Odd(what) => asked.odd(what),
        Failure::Forbidden(what) => Trouble::lasting(
            world(format!("{} is not to be trusted: {what}", asked.host)).hint("ask who runs that registry"),
        ),
    }
}

fn through(broken: &Broken) -> String {
    broken
        .proxy
        .as_ref()
        .map_or_else(String::new, |proxy| format!(" (through the proxy {} of {})", proxy.shown(), proxy.variable))
}

fn world(message: String) -> Error {
    Error::world(Stage::Resolve, message)
}

/// What the codes of the distribution specification mean.
fn is_missing(code: &str) -> bool {
    matches!(
        code,
        "MANIFEST_UNKNOWN" | "NAME_UNKNOWN" | "NOT_FOUND" | "BLOB_UNKNOWN" | "MANIFEST_BLOB_UNKNOWN" | "NAME_INVALID"
    )
}

/// The beginning of what a server said, on one line.
fn clip(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(200) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

impl Asked<'_> {
    /// What the server said, without the password should it repeat it.
    fn said(&self, message: &str) -> String {
        let password = self.found.credentials.as_ref().map(|c| c.password.expose()).filter(|p| !p.is_empty());
        let clean = password.map_or_else(|| message.to_owned(), |password| message.replace(password, "***"));
        let text = clip(&clean);
        if text.is_empty() { text } else { format!(" (it says: {text})") }
    }

    fn unauthorized(&self, message: &str) -> Trouble {
        let Asked { host, repository, .. } = self;
        let said = self.said(message);
        let error = match self.found.credentials {
            Some(_) => world(format!("{host} refuses access to {repository} {}{said}", self.found.describe()))
                .hint(["check user, password and rights".into(), Remedy::OtherCredentials]),
            None => world(format!(
                "{host} gives {repository} only to those who are logged in, or does not have it: {}{said}",
                self.found.describe()
            ))
            .hint(Remedy::GiveCredentials { registry: (*host).to_owned() }),
        };
        Trouble::lasting(error)
    }

    fn forbidden(&self, message: &str) -> Trouble {
        let said = self.said(message);
        let error =
            world(format!("{} forbids access to {}, {}{said}", self.host, self.repository, self.found.describe()))
                .hint(["this user may not pull it: ask for the right".into(), Remedy::OtherCredentials]);
        Trouble::lasting(error)
    }

    /// A refusal of the registry itself, in the words of the distribution specification or others.
    fn refusal(&self, status: u16, body: &str) -> Trouble {
        let envelope: Option<Envelope> = serde_json::from_str(body).ok();
        let Some(said) = envelope.and_then(|envelope| envelope.errors.into_iter().next()) else {
            return self.status(status, body);
        };
        match said.code.as_str() {
            _ if status >= 500 => self.status(status, &said.message),
            "UNAUTHORIZED" => self.unauthorized(&said.message),
            "DENIED" => self.forbidden(&said.message),
            "TOOMANYREQUESTS" => self.status(429, &said.message),
            code if is_missing(code) => self.missing(),
            "" | "UNKNOWN" => self.status(status, &said.message),
            code => self.odd(&format!("{}: {}", clip(code), clip(&said.message))),
        }
    }

    /// A refusal of the server that gives out tokens.
    fn login(&self, host: &str, status: u16, body: &str) -> Trouble {
        match status {
            401 | 403 => self.refusal(status, body),
            408 | 429 | 500..=599 => Asked { host, ..*self }.status(status, body),
            _ => self.odd(&format!("{host}, where it wants a login, answers with HTTP {status}{}", self.said(body))),
        }
    }

    /// A refusal of the storage that the registry sent us to. It may be another one tomorrow.
    fn storage(&self, host: &str, status: u16, body: &str) -> Trouble {
        if status == 429 || status >= 500 {
            let said = self.said(body);
            let error = format!("{host}, where {} keeps {}, is in trouble (HTTP {status}){said}", self.host, self.what);
            return Trouble::passing(world(error).hint("try later, or ask who runs it"));
        }
        let said = self.said(body);
        let error = format!("{host}, where {} keeps {}, answers with HTTP {status}{said}", self.host, self.what);
        Trouble::lasting(world(error).hint("the registry gives out addresses that are not good: ask who runs it"))
    }

    fn missing(&self) -> Trouble {
        let Asked { host, repository, what, .. } = self;
        Trouble::lasting(
            world(format!("{host} does not have {what}"))
                .hint(format!("check name and tag: skopeo list-tags docker://{host}/{repository} shows what is there")),
        )
    }

    fn odd(&self, what: &str) -> Trouble {
        Trouble::lasting(world(format!("{} does not answer as a registry does: {what}", self.host)))
    }

    fn status(&self, code: u16, message: &str) -> Trouble {
        let said = self.said(message);
        match code {
            401 => self.unauthorized(message),
            403 => self.forbidden(message),
            404 => self.missing(),
            408 => Trouble::passing(world(format!("{} gave up waiting (408)", self.host))),
            429 => Trouble::passing(
                world(format!("{} turns us away for asking too often (429){said}", self.host))
                    .hint("try later, log in, or use a mirror (registries.conf)"),
            ),
            500..=599 => Trouble::passing(
                world(format!("{} is in trouble (HTTP {code}){said}", self.host)).hint("try later, or ask who runs it"),
            ),
            _ => Trouble::lasting(world(format!("{} answers {} with HTTP {code}{said}", self.host, self.what))),
        }
    }

    /// No answer at all, or half of one.
    pub fn connection(&self, broken: &Broken) -> Trouble {
        let (host, cause) = (&broken.host, broken.cause.as_str());
        let through = through(broken);
        let insecure = |first: String| [first.into(), Remedy::AllowInsecure { registry: host.clone() }];
        let has = |parts: &[&str]| parts.iter().any(|part| cause.contains(part));
        let unreachable = |trouble: Trouble| Trouble { unreachable: true, ..trouble };
        if has(&[NO_AUTHORITY]) {
            return unreachable(Trouble::lasting(no_authority()));
        }
        if has(&["UnknownIssuer", "self-signed", "self signed", "CaUsedAsEndEntity"]) {
            let error = world(format!(
                "the TLS certificate of {host} is not from an authority that this machine trusts{through}"
            ))
            .hint(insecure(format!("put its CA into /etc/containers/certs.d/{}/ca.crt", self.host)));
            return unreachable(Trouble::lasting(error));
        }
        if has(&["invalid peer certificate"]) {
            let error = world(format!("the TLS certificate of {host} is not good: {cause}{through}"))
                .hint(insecure("check the name and this machine's clock".into()));
            return unreachable(Trouble::lasting(error));
        }
        if let Some(trouble) = broken.connecting.then(|| self.proxy(broken)).flatten() {
            return trouble;
        }
        if has(&["InvalidContentType", "corrupt message"]) {
            let error = world(format!("{host} speaks plain http where https was expected{through}"))
                .hint(insecure("give it TLS".into()));
            return unreachable(Trouble::lasting(error));
        }
        if has(&["tls handshake eof"]) {
            let error = world(format!("{host} hangs up in the TLS handshake; perhaps it speaks plain http{through}"))
                .hint(insecure("give it TLS".into()));
            return unreachable(Trouble::passing(error));
        }
        let (sentence, hint) = if has(RESOLVING) {
            (format!("the name of {host} cannot be resolved ({cause})"), "check the spelling, the network and DNS")
        } else if has(&["refused"]) {
            (format!("nothing listens at {host} (connection refused)"), "check the port and that the registry runs")
        } else if has(&["unreachable", "No route"]) {
            (format!("{host} cannot be reached ({cause})"), "check this machine's network")
        } else {
            (
                format!("the connection to {host} failed ({}){through}", clip(cause)),
                "check the network and the registry",
            )
        };
        Trouble { unreachable: broken.connecting, ..Trouble::passing(world(sentence).hint(hint)) }
    }

    /// A connection that did not come about for the proxy's sake. TLS with the registry, which
    /// comes after that, is not it.
    fn proxy(&self, broken: &Broken) -> Option<Trouble> {
        let proxy = broken.proxy.as_ref()?;
        let cause = clip(&broken.cause);
        let why =
            if ["InvalidContentType", "corrupt message", "tls handshake eof"].iter().any(|part| cause.contains(part)) {
                return None;
            } else if RESOLVING.iter().any(|part| cause.contains(part)) {
                format!("cannot be found: its name cannot be resolved ({cause})")
            } else if cause.contains("refused") {
                "is not there: nothing listens (connection refused)".to_owned()
            } else {
                format!("does not let us through to {} ({cause})", broken.host)
            };
        let error = world(format!("the proxy {} {why}", proxy.shown()))
            .hint(format!("check {}, or name {} in no_proxy", proxy.variable, broken.host));
        Some(Trouble { unreachable: true, ..Trouble::passing(error) })
    }
}

/// Signs of a name that is not found.
const RESOLVING: &[&str] = &["lookup", "Name or service", "name resolution", "No address"];

#[cfg(test)]
mod tests {
    use super::super::proxy::Proxy;
    use super::*;

    fn told(cause: &str, connecting: bool, proxy: bool) -> (String, bool) {
        let found = Found { credentials: None, searched: Vec::new(), helpers: Vec::new() };
        let asked = Asked { host: "r.io", repository: "a/b", what: "r.io/a/b:1", found: &found };
        let address = "http://me:s3cret@p:3128".to_owned();
        let proxy = proxy.then(|| Proxy { address, variable: "https_proxy".into() });
        let broken = Broken { host: "r.io".into(), cause: cause.into(), connecting, timeout: false, proxy };
        let trouble = explain(&Failure::Broken(broken), asked);
        let hint = trouble.error.remedy().map(ToString::to_string).unwrap_or_default();
        let text = format!("{} | {hint}", trouble.error);
        assert!(!text.contains("s3cret"), "{text}");
        (text, trouble.transient)
    }

    #[test]
    fn a_proxy_that_fails_is_named_as_the_proxy() {
        for cause in ["Connection refused (os error 111)", "failed to lookup address", "tunnel error: unsuccessful"] {
            let (text, transient) = told(cause, true, true);
            assert!(text.starts_with("the proxy http://p:3128 ") && text.contains("https_proxy"), "{text}");
            assert!(text.contains("no_proxy") && transient);
            assert!(!told(cause, true, false).0.contains("proxy"));
        }
        // What the registry is to blame for is told of the registry, and which way it was asked.
        for cause in ["invalid peer certificate: UnknownIssuer", "received corrupt message of type InvalidContentType"]
        {
            let (text, _) = told(cause, true, true);
            assert!(
                text.contains("r.io") && text.contains("(through the proxy http://p:3128 of https_proxy)"),
                "{text}"
            );
        }
        assert!(told("reset by peer", false, true).0.starts_with("the connection to r.io failed"));
    }

    #[test]
    fn the_answer_of_a_proxy_may_be_its_own() {
        let found = Found { credentials: None, searched: Vec::new(), helpers: Vec::new() };
        let asked = Asked { host: "r.io", repository: "a/b", what: "r.io/a/b:1", found: &found };
        for (code, named) in [(407, true), (502, true), (404, false)] {
            let (body, proxy) = (String::new(), Some("http://p:3128".to_owned()));
            let failure = Failure::Status { code, body, retry_after: None, from: Who::Registry, proxy };
            assert_eq!(explain(&failure, asked).error.to_string().contains("http://p:3128"), named, "{code}");
        }
    }
}

//! How a conversation with a registry fails, before it is put into words.

use std::error::Error as StdError;
use std::time::Duration;

use reqwest::Url;

use super::proxy::Proxy;

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The registry itself.
    Registry,
    /// The server that gives out tokens for it.
    Login(String),
    /// A storage that the registry sent us to.
    Storage(String),
}

/// A failure as the network delivers it.
#[derive(Debug)]
pub(super) enum Failure {
    /// An answer that refuses.
    Status { code: u16, body: String, retry_after: Option<Duration>, from: Who, proxy: Option<String> },
    /// No answer, or half of one.
    Broken(Broken),
    /// Fewer bytes a second than `least`.
    Slow { least: u64 },
    /// More than any real one has.
    TooLarge { what: &'static str, limit: u64 },
    /// An answer that makes no sense, in half a sentence. Asking again would bring the same.
    Odd(String),
    /// A way that must not be taken, in half a sentence.
    Forbidden(String),
}

/// A connection that did not come about, or did not last.
#[derive(Debug)]
pub(super) struct Broken {
    /// The host that was spoken to, with its port.
    pub host: String,
    /// The innermost error's text.
    pub cause: String,
    /// Whether it was still being made.
    pub connecting: bool,
    pub timeout: bool,
    pub proxy: Option<Proxy>,
}

impl Broken {
    pub fn of(error: &reqwest::Error, url: &Url, proxy: Option<Proxy>) -> Self {
        let (connecting, timeout) = (error.is_connect(), error.is_timeout());
        Broken { host: host_of(url), cause: root_cause(error), connecting, timeout, proxy }
    }

    pub fn silent(url: &Url, proxy: Option<Proxy>) -> Self {
        Broken { host: host_of(url), cause: "no answer".into(), connecting: false, timeout: true, proxy }
    }
}

/// Host and port of an address, as references have them.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The innermost error alone: the outer ones repeat it, and reqwest's name the URL, which may
/// carry a signature.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    loop {
        let inner = match last.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => last.source(),
        };
        match inner {
            Some(inner) => last = inner,
            None => return last.to_string(),
        }
    }
}

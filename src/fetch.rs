//! Kickstarts over http and https.

use std::time::Duration;

use anyhow::Context;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

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
    /// The text behind `url`.
    pub fn get(&self, url: &str) -> anyhow::Result<String> {
        let shown = without_password(url);
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if !matches!(scheme, "http" | "https") {
            anyhow::bail!("'{scheme}' URLs are not supported; use http, https or a file");
        }
        let mut request = self.agent()?.get(url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = request.call().with_context(|| format!("fetching {shown}"))?;
        response.body_mut().with_config().limit(LIMIT).read_to_string().with_context(|| format!("reading {shown}"))
    }

    /// A client that asks in this way.
    pub fn agent(&self) -> anyhow::Result<Agent> {
        let tls =
            TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).disable_verification(!self.verify).build();
        let mut config = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_global(Some(Duration::from_secs(120)))
            .tls_config(tls)
            .user_agent(concat!("bootc-ks/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &self.proxy {
            let proxy = ureq::Proxy::new(proxy).with_context(|| format!("the proxy {}", without_password(proxy)))?;
            config = config.proxy(Some(proxy));
        }
        Ok(Agent::new_with_config(config.build()))
    }
}

/// The text behind `url`.
pub fn fetch(url: &str) -> anyhow::Result<String> {
    Request::default().get(url)
}

/// [`fetch`] for what a kickstart includes.
pub fn fetch_include(url: &str) -> Result<String, String> {
    fetch(url).map_err(|error| format!("{error:#}"))
}

/// Whether `name` is a URL rather than a file.
pub fn is_url(name: &str) -> bool {
    name.contains("://")
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

    #[test]
    fn secrets_in_urls_are_not_shown() {
        assert_eq!(without_password("http://a/b.ks"), "http://a/b.ks");
        assert_eq!(without_password("https://me:hunter2@a:8/b@c?token=x"), "https://***@a:8/b@c?***");
        assert_eq!(without_password("proxy:3128"), "proxy:3128");
    }
}

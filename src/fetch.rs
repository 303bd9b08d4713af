//! Kickstarts over http and https.

use std::time::Duration;

use anyhow::Context;
use ureq::tls::{RootCerts, TlsConfig};

/// No kickstart is larger; a wrong URL may be.
const LIMIT: u64 = 16 << 20;

/// The text behind `url`.
pub fn fetch(url: &str) -> anyhow::Result<String> {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !matches!(scheme, "http" | "https") {
        anyhow::bail!("'{scheme}' URLs are not supported; use http, https or a file");
    }
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_global(Some(Duration::from_secs(120)))
        .tls_config(tls)
        .user_agent(concat!("bootc-ks/", env!("CARGO_PKG_VERSION")))
        .build();
    let mut response =
        ureq::Agent::new_with_config(config).get(url).call().with_context(|| format!("fetching {url}"))?;
    response.body_mut().with_config().limit(LIMIT).read_to_string().with_context(|| format!("reading {url}"))
}

/// Whether `name` is a URL rather than a file.
pub fn is_url(name: &str) -> bool {
    name.contains("://")
}

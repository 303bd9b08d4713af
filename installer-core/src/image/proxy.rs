//! Which proxy a request goes through, as the environment says it and as Go reads that, so that
//! podman, skopeo and this tool take the same way. Text in, an answer out.

use std::net::IpAddr;

/// The proxies of an environment.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    around: Vec<Around>,
}

/// A proxy and the variable that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its address, with the password that may be in it.
    pub address: String,
    /// The variable (`https_proxy`).
    pub variable: String,
}

impl Proxy {
    /// Its address for people: without user name and password.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.address.split_once("://").unwrap_or(("http", &self.address));
        let rest = rest.split('/').next().unwrap_or(rest);
        format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
    }
}

/// What is reached without a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Around {
    All,
    Network {
        address: IpAddr,
        bits: u32,
    },
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
    /// With a leading dot; `itself` says whether the name without it is meant as well.
    Domain {
        name: String,
        itself: bool,
        port: Option<u16>,
    },
}

impl Proxies {
    /// From this process's environment.
    pub fn of_environment() -> Self {
        Proxies::from(|name| std::env::var(name).ok())
    }

    /// From what `variable` knows.
    pub fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| {
                let value = variable(name).filter(|value| !value.trim().is_empty())?;
                let value = value.trim();
                let address = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
                Some(Proxy { address, variable: (*name).to_owned() })
            })
        };
        let around = ["NO_PROXY", "no_proxy"].iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
        Proxies {
            // As Go does: in a CGI program a client sets the upper-case one.
            http: first(if variable("REQUEST_METHOD").is_some() {
                &["http_proxy"]
            } else {
                &["HTTP_PROXY", "http_proxy"]
            })
            .or_else(|| first(&["ALL_PROXY", "all_proxy"])),
            https: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            around: around.unwrap_or_default().split(',').filter_map(Around::read).collect(),
        }
    }

    /// The proxy for `host` (an address without brackets) and `port`, spoken to over http or https.
    pub fn for_host(&self, https: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if https { self.https.as_ref() } else { self.http.as_ref() }?;
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let here = host == "localhost" || address.is_some_and(|address| address.to_canonical().is_loopback());
        let around = here || self.around.iter().any(|entry| entry.covers(&host, address, port));
        (!around).then_some(proxy)
    }
}

impl Around {
    fn read(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry == "*" {
            return Some(Around::All);
        }
        if let Some((address, bits)) = entry.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            return bits.parse().ok().filter(|bits| *bits <= most).map(|bits| Around::Network { address, bits });
        }
        // An IPv6 address alone has colons and no port.
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (entry.as_str(), None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse() {
            return Some(Around::Address { address, port });
        }
        let name = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        if name.trim_start_matches('.').is_empty() {
            return None;
        }
        let itself = !name.starts_with('.');
        Some(Around::Domain { name: if itself { format!(".{name}") } else { name.to_owned() }, itself, port })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        let same_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Around::All => true,
            Around::Network { address: network, bits } => address.is_some_and(|a| within(a, *network, *bits)),
            Around::Address { address: only, port } => {
                address.is_some_and(|a| a.to_canonical() == only.to_canonical()) && same_port(port)
            }
            Around::Domain { name, itself, port } => {
                (host.ends_with(name.as_str()) || (*itself && host == &name[1..])) && same_port(port)
            }
        }
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address.to_canonical(), network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(list: &[(&str, &str)]) -> Proxies {
        Proxies::from(|name| list.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn each_protocol_has_its_variable() {
        let both = proxies(&[("http_proxy", "plain:3128"), ("HTTPS_PROXY", "https://me:pw@tls:3129/x")]);
        let http = both.for_host(false, "r.io", 80).unwrap();
        assert_eq!((http.address.as_str(), http.variable.as_str()), ("http://plain:3128", "http_proxy"));
        let https = both.for_host(true, "r.io", 443).unwrap();
        assert_eq!((https.shown().as_str(), https.variable.as_str()), ("https://tls:3129", "HTTPS_PROXY"));
        assert_eq!(proxies(&[("http_proxy", "p:1")]).for_host(true, "r.io", 443), None);
        assert!(proxies(&[("all_proxy", "p:1")]).for_host(true, "r.io", 443).is_some());
        assert_eq!(proxies(&[("https_proxy", " ")]).for_host(true, "r.io", 443), None);
        assert_eq!(proxies(&[("HTTP_PROXY", "p:1"), ("REQUEST_METHOD", "GET")]).for_host(false, "r.io", 80), None);
    }

    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        // The list, and which of these hosts are reached without a proxy.
        for (list, host, port, around) in [
            ("", "r.io", 443, false),
            ("", "localhost", 443, true),
            ("", "127.0.0.1", 5000, true),
            ("", "127.8.0.1", 5000, true),
            ("", "::1", 5000, true),
            ("*", "r.io", 443, true),
            ("x, *", "10.0.0.1", 443, true),
            ("r.io", "r.io", 443, true),
            ("r.io", "R.IO.", 443, true),
            ("r.io", "a.r.io", 443, true),
            ("r.io", "ar.io", 443, false),
            (".r.io", "r.io", 443, false),
            (".r.io", "a.r.io", 443, true),
            ("*.r.io", "r.io", 443, false),
            ("*.r.io", "a.b.r.io", 443, true),
            ("*r.io", "r.io", 443, false),
            ("r.io:5000", "r.io", 5000, true),
            ("r.io:5000", "r.io", 443, false),
            ("*.r.io:5000", "a.r.io", 5000, true),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("10.0.0.0/8", "ten.io", 443, false),
            ("0.0.0.0/0", "11.1.2.3", 443, true),
            ("10.0.0.0/33", "10.1.2.3", 443, false),
            ("10.1.2.3", "10.1.2.3", 443, true),
            ("10.1.2.3:80", "10.1.2.3", 443, false),
            ("10.1.2.3:443", "10.1.2.3", 443, true),
            ("fd00::/8", "fd00::7", 443, true),
            ("fd00::7", "[fd00::7]", 443, true),
            ("[fd00::7]:5000", "fd00::7", 5000, true),
            ("[fd00::7]:5000", "fd00::7", 443, false),
            (" a.io , r.io ", "r.io", 443, true),
            (":80,.,,*.", "r.io", 80, false),
        ] {
            let all = proxies(&[("https_proxy", "p:1"), ("no_proxy", list)]);
            assert_eq!(all.for_host(true, host, port).is_none(), around, "'{list}' for {host}:{port}");
        }
    }
}

//! What the machine becomes a member of: Red Hat's subscriptions, a domain.

use kickstart_parser::Span;
use kickstart_parser::kickstart::Kickstart;

use super::Reader;
use crate::request::{Proxy, Registration};
use crate::units::Secret;

impl Reader<'_> {
    pub(super) fn registration(&mut self, kickstart: &Kickstart) -> Option<Registration> {
        let rhsm = kickstart.rhsm.as_ref()?;
        let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        for (option, value) in [("--server-hostname", &rhsm.server_hostname), ("--rhsm-baseurl", &rhsm.base_url)] {
            if value.as_deref().is_some_and(|value| !plain(value)) {
                self.bad(rhsm.span, format!("rhsm: {option} has a blank in it"), "write a name or an address");
            }
        }
        let flatpak = rhsm.flatpak_registry_url.is_some();
        self.warn_if(flatpak, rhsm.span, "rhsm --flatpak-registry-url has no effect", "set it up in the image");
        Some(Registration {
            organization: Secret::new(rhsm.organization.clone()),
            activation_keys: rhsm.activation_keys.clone(),
            proxy: rhsm.proxy.as_ref().and_then(|url| self.proxy(url, rhsm.span)),
            // What a server is that is not Satellite's is said by this in front of its name.
            server: rhsm.server_hostname.as_ref().map(|name| name.trim_start_matches("not-satellite:").to_owned()),
            base_url: rhsm.base_url.clone(),
            insights: rhsm.connect_to_insights,
        })
    }

    /// `http://USER:PASSWORD@HOST:PORT`, of which all but the host may be left out.
    fn proxy(&mut self, url: &Secret, span: Span) -> Option<Proxy> {
        let proxy = read_proxy(url.expose());
        if proxy.is_none() {
            self.bad(span, "rhsm: --proxy is no address of a proxy", "write it as http://USER:PASSWORD@HOST:PORT");
        }
        proxy
    }

    pub(super) fn domain(&mut self, kickstart: &Kickstart) -> Option<Vec<String>> {
        let realm = kickstart.realm.as_ref()?;
        if realm.one_time_password.is_some() {
            self.refuse(
                realm.span,
                "realm: --one-time-password would be seen in the list of processes when the domain is joined",
                "make the account of the machine in the domain before, and write --no-password",
            );
            return None;
        }
        let options = [
            ("--client-software", &realm.client_software),
            ("--server-software", &realm.server_software),
            ("--membership-software", &realm.membership_software),
            ("--computer-ou", &realm.computer_ou),
        ];
        let mut words: Vec<String> =
            options.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?))).collect();
        if realm.no_password {
            words.push("--no-password".into());
        }
        words.extend(["--".to_owned(), realm.realm.clone()]);
        if words.iter().any(|word| word.contains(char::is_control)) {
            self.bad(realm.span, "realm: a control character cannot be part of it", "leave it out");
            return None;
        }
        Some(words)
    }
}

fn read_proxy(url: &str) -> Option<Proxy> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or(url);
    let rest = rest.trim_end_matches('/');
    let (who, place) = rest.rsplit_once('@').map_or((None, rest), |(who, place)| (Some(who), place));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !place.ends_with(']') => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
        _ => (place, None),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.[]:".contains(c);
    if host.is_empty() || !host.chars().all(good) {
        return None;
    }
    let (user, password) = match who.map(|who| who.split_once(':').unwrap_or((who, ""))) {
        Some((user, password)) => {
            (Some(user.to_owned()), Some(Secret::new(password)).filter(|p| !p.expose().is_empty()))
        }
        None => (None, None),
    };
    Some(Proxy { host: host.to_owned(), port, user, password })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_taken_apart() {
        let read = |url: &str| {
            let proxy = read_proxy(url)?;
            let password = proxy.password.map(|password| password.expose().to_owned());
            Some((proxy.host, proxy.port, proxy.user, password))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("http://u:p@w@h.example:3128/"),
            Some(("h.example".into(), Some(3128), some("u"), some("p@w")))
        );
        assert_eq!(read("h.example"), Some(("h.example".into(), None, None, None)));
        assert_eq!(read("https://u@[::1]:80"), Some(("[::1]".into(), Some(80), some("u"), None)));
        for wrong in ["", "http://", "h:port", "h:0", "a b", "u:p@"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

//! What a registry's failure means, in one sentence with a remedy, and whether it is worth
//! another attempt. Text out of error values; nothing is asked of the network here.

use std::error::Error as StdError;

use oci_client::errors::{OciDistributionError, OciErrorCode};

use crate::error::{Error, Remedy, Stage};

use super::auth::Found;

/// A failure, understood.
#[derive(Debug)]
pub(super) struct Trouble {
    pub error: Error,
    /// Worth another attempt.
    pub transient: bool,
    /// No conversation came about, so that another protocol may do better.
    pub unreachable: bool,
}

impl Trouble {
    fn lasting(error: Error) -> Self {
        Trouble { error, transient: false, unreachable: false }
    }

    fn passing(error: Error) -> Self {
        Trouble { error, transient: true, unreachable: false }
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

/// Understands `error`.
pub(super) fn explain(error: &OciDistributionError, asked: Asked<'_>) -> Trouble {
    use OciDistributionError as E;
    match error {
        E::UnauthorizedError { .. } => asked.unauthorized(""),
        // The status is lost on the way here; what a server in trouble says of itself is not.
        E::AuthenticationFailure(reason) if is_overload(reason) => asked.status(503, reason),
        E::AuthenticationFailure(reason) => asked.unauthorized(reason),
        E::RegistryError { envelope, .. } => {
            let said = envelope.errors.first();
            let message = said.map_or("", |e| e.message.as_str());
            match said.map(|e| &e.code) {
                Some(OciErrorCode::Unauthorized) => asked.unauthorized(message),
                Some(OciErrorCode::Denied) => asked.forbidden(message),
                Some(OciErrorCode::Toomanyrequests) => asked.status(429, message),
                Some(
                    OciErrorCode::ManifestUnknown
                    | OciErrorCode::NameUnknown
                    | OciErrorCode::NotFound
                    | OciErrorCode::BlobUnknown
                    | OciErrorCode::ManifestBlobUnknown
                    | OciErrorCode::NameInvalid,
                ) => asked.missing(),
                Some(OciErrorCode::Other(code)) => asked.odd(&format!("{}: {}", clip(code), clip(message))),
                Some(code) => asked.odd(&format!("{code:?}: {}", clip(message))),
                None => asked.odd(&clip(message)),
            }
        }
        E::ServerError { code, message, .. } => asked.status(*code, message),
        E::RequestError(error) if error.is_timeout() => Trouble {
            unreachable: error.is_connect(),
            ..Trouble::passing(
                world(format!("{} does not answer in time", asked.host)).hint("check the network and the registry"),
            )
        },
        E::RequestError(error) => asked.connection(&root_cause(error), error.is_connect()),
        E::IoError(error) => asked.connection(&root_cause(error), false),
        E::DigestError(error) => Trouble::lasting(
            world(format!("{} sent something else than {}: {error}", asked.host, asked.what))
                .hint("the registry or a proxy before it is damaged"),
        ),
        other => asked.odd(&clip(&other.to_string())),
    }
}

fn is_overload(reason: &str) -> bool {
    let signs = [
        "Service Unavailable",
        "Bad Gateway",
        "Internal Server Error",
        "Gateway Time",
        "TOOMANYREQUESTS",
        "Too Many Requests",
    ];
    signs.iter().any(|sign| reason.contains(sign))
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

fn world(message: String) -> Error {
    Error::world(Stage::Resolve, message)
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

    /// No answer at all: `cause` is the innermost error's text.
    pub fn connection(&self, cause: &str, connecting: bool) -> Trouble {
        let host = self.host;
        let insecure = |first: String| [first.into(), Remedy::AllowInsecure { registry: host.to_owned() }];
        let has = |parts: &[&str]| parts.iter().any(|part| cause.contains(part));
        if has(&["UnknownIssuer", "self-signed", "self signed", "CaUsedAsEndEntity"]) {
            let error =
                world(format!("the TLS certificate of {host} is not from an authority that this machine trusts"))
                    .hint(insecure(format!("put its CA into /etc/containers/certs.d/{host}/ca.crt")));
            return Trouble { unreachable: true, ..Trouble::lasting(error) };
        }
        if has(&["invalid peer certificate"]) {
            let error = world(format!("the TLS certificate of {host} is not good: {cause}"))
                .hint(insecure("check the name and this machine's clock".into()));
            return Trouble { unreachable: true, ..Trouble::lasting(error) };
        }
        if has(&["InvalidContentType", "corrupt message"]) {
            let error = world(format!("{host} speaks plain http where https was expected"))
                .hint(insecure("give it TLS".into()));
            return Trouble { unreachable: true, ..Trouble::lasting(error) };
        }
        if has(&["tls handshake eof"]) {
            let error = world(format!("{host} hangs up in the TLS handshake; perhaps it speaks plain http"))
                .hint(insecure("give it TLS".into()));
            return Trouble { unreachable: true, ..Trouble::passing(error) };
        }
        let (sentence, hint) = if has(&["lookup", "Name or service", "name resolution", "No address"]) {
            (format!("the name of {host} cannot be resolved ({cause})"), "check the spelling, the network and DNS")
        } else if has(&["refused"]) {
            (format!("nothing listens at {host} (connection refused)"), "check the port and that the registry runs")
        } else if has(&["unreachable", "No route"]) {
            (format!("{host} cannot be reached ({cause})"), "check this machine's network")
        } else {
            (format!("the connection to {host} failed ({})", clip(cause)), "check the network and the registry")
        };
        Trouble { unreachable: connecting, ..Trouble::passing(world(sentence).hint(hint)) }
    }
}

//! The conversation with one registry: asking, logging in where that is wanted, following where
//! it sends us. Whose turn it is to see a password is decided here and nowhere else.

use std::sync::Mutex;

use base64::Engine as _;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;

use super::auth::{Credentials, Found};
use super::challenge::{self, Challenge};
use super::failure::{Failure, Who, host_of};
use super::wire::{Answer, Question, Wire};

type Result<T> = std::result::Result<T, Failure>;

/// How often a registry may send us elsewhere.
const MOST_REDIRECTS: usize = 10;
/// Tokens have some kilobytes.
const MAX_TOKEN: u64 = 1 << 20;

/// What is asked of a registry.
#[derive(Clone)]
pub(super) struct Ask<'a> {
    pub method: Method,
    /// Behind `/v2/NAME/`.
    pub path: &'a str,
    pub accept: &'a [&'a str],
    /// The first byte that is wanted.
    pub from: u64,
    /// Whether a digest tells afterwards if it is the right thing, wherever it came from.
    pub pinned: bool,
}

/// A registry, spoken to over one protocol.
pub(super) struct Client {
    wire: Wire,
    base: Url,
    repository: String,
    credentials: Option<Credentials>,
    /// What to show at the door, once it is known.
    pass: Mutex<Option<HeaderValue>>,
}

impl Client {
    /// For `repository` of `host`.
    pub fn new(wire: Wire, https: bool, host: &str, repository: &str, found: &Found) -> Result<Self> {
        // The name that people use is not the one that the registry has.
        let real = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let scheme = if https { "https" } else { "http" };
        let base = Url::parse(&format!("{scheme}://{real}/v2/")).map_err(|error| Failure::Odd(error.to_string()))?;
        let (repository, credentials) = (repository.to_owned(), found.credentials.clone());
        Ok(Client { wire, base, repository, credentials, pass: Mutex::new(None) })
    }

    /// Asks until the registry lets us in or has said no. The answer is a good one.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Answer> {
        let url = self.base.join(&format!("{}/{}", self.repository, ask.path));
        let url = url.map_err(|error| Failure::Odd(format!("{}: {error}", ask.path)))?;
        let mut renewed = false;
        let mut logins = 0;
        loop {
            let pass = self.pass();
            let answer = self.follow(ask, url.clone(), pass.as_ref()).await?;
            let status = answer.status();
            if (200..300).contains(&status) {
                return Ok(answer);
            }
            let elsewhere = answer.url != url;
            let challenges = challenges(&answer);
            let from = if elsewhere { Who::Storage(host_of(&answer.url)) } else { Who::Registry };
            let failure = answer.refusal(from).await;
            if ask.pinned && !renewed && has_expired(&failure, elsewhere) {
                renewed = true;
                continue;
            }
            let try_login =
                !elsewhere && logins < 2 && (status == 401 || pass.is_none() && matches!(status, 403 | 404));
            if !try_login || !self.log_in(challenges, pass.as_ref()).await? {
                return Err(failure);
            }
            logins += 1;
        }
    }

    /// Follows redirects. The password and the token stay with the registry.
    async fn follow(&self, ask: &Ask<'_>, first: Url, pass: Option<&HeaderValue>) -> Result<Answer> {
        let mut seen = vec![first.clone()];
        let mut url = first;
        loop {
            let ours = url.origin() == self.base.origin();
            let question = Question {
                method: ask.method.clone(),
                url: url.clone(),
                headers: headers(ask)?,
                authorization: pass.filter(|_| ours),
                form: None,
            };
            let answer = self.wire.ask(question).await?;
            if !matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            url = self.next(&answer, ask.pinned)?;
            if seen.contains(&url) || seen.len() > MOST_REDIRECTS {
                return Err(Failure::Odd("it sends us round in a circle (redirects without end)".into()));
            }
            seen.push(url.clone());
        }
    }

    /// Where `answer` sends us, if that is a place to go to.
    fn next(&self, answer: &Answer, pinned: bool) -> Result<Url> {
        let place = answer
            .header("location")
            .ok_or_else(|| Failure::Odd("it sends us elsewhere and does not say where".into()))?;
        let mut url = answer.url.join(place).map_err(|_| Failure::Odd("it sends us to what is no address".into()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Failure::Odd(format!("it sends us to a {} address", url.scheme())));
        }
        // These cannot fail for addresses that have a host.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_fragment(None);
        if !pinned && !self.is_as_safe(&url) {
            return Err(Failure::Forbidden(format!("it sends us from https to http, to {}", host_of(&url))));
        }
        Ok(url)
    }

    /// Whether what is said to `url` is as well kept as what is said to the registry.
    fn is_as_safe(&self, url: &Url) -> bool {
        url.scheme() == "https" || self.base.scheme() == "http" || self.wire.is_insecure(url)
    }

    fn pass(&self) -> Option<HeaderValue> {
        self.pass.lock().ok()?.clone()
    }

    /// Follows the best of the challenges, or those of the door (`/v2/`) where there are none.
    /// Says whether there is now something else to show than `shown`.
    async fn log_in(&self, mut challenges: Vec<Challenge>, shown: Option<&HeaderValue>) -> Result<bool> {
        // Another reader was here before.
        if self.pass().as_ref() != shown {
            return Ok(true);
        }
        if challenges.is_empty() {
            // What goes wrong there is no better answer than the one that we have.
            challenges = self.at_the_door().await.unwrap_or_default();
        }
        let by = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        let pass = match (by("bearer"), by("basic"), &self.credentials) {
            // A new token may look like the old one.
            (Some(bearer), _, _) => self.token(bearer).await?,
            (None, Some(_), Some(credentials)) => basic(credentials)?,
            _ => return Ok(false),
        };
        if by("bearer").is_none() && Some(&pass) == shown {
            return Ok(false);
        }
        if let Ok(mut slot) = self.pass.lock() {
            *slot = Some(pass);
        }
        Ok(true)
    }

    async fn at_the_door(&self) -> Result<Vec<Challenge>> {
        let ask = Ask { method: Method::GET, path: "", accept: &[], from: 0, pinned: false };
        let answer = self.follow(&ask, self.base.clone(), None).await?;
        Ok(if answer.status() == 401 { challenges(&answer) } else { Vec::new() })
    }

    /// Fetches a token from where `challenge` says, in exchange for the password where there is one.
    async fn token(&self, challenge: &Challenge) -> Result<HeaderValue> {
        let realm = challenge.get("realm").ok_or_else(|| Failure::Odd("it does not say where to log in".into()))?;
        let url = Url::parse(realm).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let mut url = url.ok_or_else(|| Failure::Odd(format!("it wants a login at what is no address ({realm})")))?;
        let _ = (url.set_username(""), url.set_password(None));
        if !self.is_as_safe(&url) {
            return Err(Failure::Forbidden(format!(
                "it wants a login over plain http, at {}, where a password could be read by others",
                host_of(&url)
            )));
        }
        let ours = format!("repository:{}:pull", self.repository);
        let scope = challenge.get("scope").filter(|scope| !scope.starts_with(ours.as_str())).unwrap_or(&ours);
        let mut fields = vec![("scope", scope)];
        fields.extend(challenge.get("service").map(|service| ("service", service)));
        let mut get = url.clone();
        get.query_pairs_mut().extend_pairs(&fields);
        let basic = self.credentials.as_ref().map(basic).transpose()?;
        let question = |url: Url| Question {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            authorization: basic.as_ref(),
            form: None,
        };
        let mut answer = self.wire.ask(question(get)).await?;
        if let (404 | 405, Some(credentials)) = (answer.status(), &self.credentials) {
            answer = self.wire.ask(by_post(url, &fields, credentials)).await?;
        } else if matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
            let next = self.next(&answer, false)?;
            let same = next.origin() == answer.url.origin();
            answer =
                self.wire.ask(Question { authorization: basic.as_ref().filter(|_| same), ..question(next) }).await?;
        }
        let host = host_of(&answer.url);
        if answer.status() != 200 {
            return Err(answer.refusal(Who::Login(host)).await);
        }
        let text = answer.document(MAX_TOKEN, "token").await?;
        bearer(&text).ok_or_else(|| Failure::Odd(format!("{host}, where it wants a login, sends no token")))?
    }
}

/// As OAuth2 has it, for servers that know this alone.
fn by_post<'a>(url: Url, fields: &[(&str, &str)], credentials: &Credentials) -> Question<'a> {
    let mut form = url.clone();
    form.set_query(None);
    form.query_pairs_mut()
        .extend_pairs(fields)
        .append_pair("client_id", "bootc-ks")
        .append_pair("grant_type", "password")
        .append_pair("username", &credentials.user)
        .append_pair("password", credentials.password.expose());
    let form = form.query().map(str::to_owned);
    Question { method: Method::POST, url, headers: HeaderMap::new(), authorization: None, form }
}

/// The token out of a login server's answer; a failure if it is none to be sent.
fn bearer(text: &[u8]) -> Option<Result<HeaderValue>> {
    #[derive(Deserialize)]
    struct Tokens {
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        access_token: Option<String>,
    }
    let tokens: Tokens = serde_json::from_slice(text).ok()?;
    let token = [tokens.token, tokens.access_token].into_iter().flatten().find(|token| !token.is_empty())?;
    Some(secret(&format!("Bearer {token}"), token.bytes().all(|byte| byte.is_ascii_graphic())))
}

fn basic(credentials: &Credentials) -> Result<HeaderValue> {
    let pair = format!("{}:{}", credentials.user, credentials.password.expose());
    secret(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)), true)
}

/// A header that no log has.
fn secret(value: &str, is_good: bool) -> Result<HeaderValue> {
    let bad = || Failure::Odd("it gives out a token with characters that no token has".into());
    let mut value = HeaderValue::from_str(value).ok().filter(|_| is_good).ok_or_else(bad)?;
    value.set_sensitive(true);
    Ok(value)
}

fn challenges(answer: &Answer) -> Vec<Challenge> {
    answer.headers("www-authenticate").iter().flat_map(|header| challenge::parse(header)).collect()
}

fn headers(ask: &Ask<'_>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).map_err(|error| Failure::Odd(error.to_string()))?;
        headers.append(HeaderName::from_static(name), value);
        Ok(())
    };
    if !ask.accept.is_empty() {
        put("accept", &ask.accept.join(", "))?;
    }
    if ask.from > 0 {
        put("range", &format!("bytes={}-", ask.from))?;
    }
    // A layer is compressed already, and its digest is that of what was asked for.
    put("accept-encoding", "identity")?;
    Ok(headers)
}

/// Whether the address that the registry gave us, or the registry's own way to its storage, was
/// good for some time only, so that it is worth asking again.
fn has_expired(failure: &Failure, elsewhere: bool) -> bool {
    let Failure::Status { code, body, .. } = failure else { return false };
    let expired = ["expired", "AccessDenied", "ExpiredToken"].iter().any(|sign| body.contains(sign));
    matches!(code, 400 | 401 | 403 | 404 | 410) && (elsewhere || *code == 403 && expired && body.contains("<Error>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_and_doubted() {
        let shown = |text: &str| {
            bearer(text.as_bytes()).map(|token| token.map(|token| token.to_str().unwrap().to_owned()).ok())
        };
        assert_eq!(shown(r#"{"token":"a"}"#), Some(Some("Bearer a".into())));
        assert_eq!(shown(r#"{"token":"","access_token":"b"}"#), Some(Some("Bearer b".into())));
        assert_eq!(shown(r#"{"token":"a","access_token":"b"}"#), Some(Some("Bearer a".into())));
        for none in ["", "<html>", "{}", "[]", "null", r#"{"token":null}"#, r#"{"token":1}"#, r#"{"token":""}"#] {
            assert_eq!(shown(none), None, "{none}");
        }
        for bad in [r"a\r\nX: 1", r"a\u0000", r"\u001b[2J", "a b", "\u{e9}", r"\t"] {
            assert_eq!(shown(&format!(r#"{{"token":"{bad}"}}"#)), Some(None), "{bad}");
        }
        assert!(!format!("{:?}", bearer(br#"{"token":"s3cret"}"#)).contains("s3cret"));
    }
}

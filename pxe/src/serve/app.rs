//! What every request needs: the machines, the files, and how the server is reached.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode, header};

use super::answer::Problem;
use super::files::Files;
use super::fleet::{Boot, Denied, Fleet, on_disk};
use super::identity::Identity;
use super::metrics::{Metrics, count};
use super::record::Answer;

/// What every request needs.
pub struct App {
    /// The machines.
    pub fleet: Fleet,
    /// The files.
    pub files: Files,
    /// How machines reach the server; without it, as each of them did.
    pub url: Option<String>,
    /// The secret of admins.
    pub admin: String,
    /// Arguments that the environment needs.
    pub kargs: Vec<String>,
    /// Its architecture, kernel and image, for admins.
    pub about: About,
    /// Numbers.
    pub metrics: Arc<Metrics>,
}

/// What is booted.
#[derive(Clone, Debug, serde::Serialize)]
pub struct About {
    /// As `uname -m` has it.
    pub arch: String,
    /// The kernel's release.
    pub kernel: String,
    /// The image that the environment was made from.
    pub image: String,
}

/// A request's share.
pub type Shared = Extract<Arc<App>>;
/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl App {
    /// The address that goes into scripts.
    pub fn url(&self, headers: &HeaderMap) -> Result<String, Problem> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
        plain
            .then(|| format!("http://{host}"))
            .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "no usable Host header, and no --url was given"))
    }

    /// Asks the fleet what a machine boots; answered when that is on disk.
    pub async fn boot(&self, headers: &HeaderMap, who: &Identity) -> Result<(Boot, String), Problem> {
        let url = self.url(headers)?;
        let (boot, written) = self.fleet.boot(now(), who, &url).map_err(denied)?;
        if !on_disk(written).await {
            return Err(Problem::not_written());
        }
        count(if boot.answer == Answer::Local { &self.metrics.locals } else { &self.metrics.installs });
        Ok((boot, url))
    }

    /// Counts a kickstart that was asked for, by whether it was given.
    pub fn count_kickstart(&self, given: bool) {
        let counter: &AtomicU64 = if given { &self.metrics.kickstarts } else { &self.metrics.refusals };
        count(counter);
    }
}

/// A refusal as an answer.
pub fn denied(denied: Denied) -> Problem {
    let (status, text) = match denied {
        Denied::Unknown(text) => (StatusCode::NOT_FOUND, text),
        Denied::Bad(text) => (StatusCode::BAD_REQUEST, text),
        Denied::State(text) => (StatusCode::FORBIDDEN, text),
        Denied::Broken(text) => (StatusCode::INTERNAL_SERVER_ERROR, text),
    };
    Problem::new(status, text)
}

//! What machines ask by HTTP: boot scripts, files, kickstarts, reports. What admins ask is in
//! [`super::api`].

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State as Extract};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Problem, empty, plain, set};
use super::api;
use super::app::{App, Shared, denied, now};
use super::fleet::{Denied, on_disk};
use super::identity::Identity;
use super::metrics::count;
use super::record::{Answer, State};
use super::scripts::{self, Install};
use super::token;
use crate::custom::Custom;
use crate::kargs;

/// A batch of events.
const EVENTS_LIMIT: usize = 1 << 20;
/// A state with its error.
const STATE_LIMIT: usize = 64 << 10;
/// A log; more is refused, and the machine has it still.
const LOG_LIMIT: usize = 8 << 20;

type Answered = Response<Body>;

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let report =
        |route, limit| Router::new().route("/v1/report/{token}/{what}", route).layer(DefaultBodyLimit::max(limit));
    Router::new()
        .route("/boot.ipxe", get(boot_ipxe))
        .route("/autoexec.ipxe", get(boot_ipxe))
        .route("/ipxe", get(ipxe))
        .route("/grub/grub.cfg", get(grub_cfg))
        .route("/grub.cfg", get(grub_cfg))
        .route("/grub/menu", get(grub))
        .route("/files/{name}", get(file))
        .route("/ks", get(kickstart))
        .route("/ks/{token}", get(kickstart_by_token))
        .route("/ks/{token}/cpio", get(kickstart_cpio))
        .merge(report(post(report_any), LOG_LIMIT))
        .merge(api::router())
        // shimx64.efi, grubx64.efi: shim asks for its second stage where it came from.
        .route("/{name}", get(loader))
        .fallback(nothing)
        .with_state(app)
}

async fn nothing() -> Problem {
    Problem::nothing()
}

/// What a machine says of itself in its request.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    mac: Option<String>,
    uuid: Option<String>,
    serial: Option<String>,
    token: Option<String>,
}

impl Asked {
    fn who(&self) -> Identity {
        Identity::new(self.mac.as_deref(), self.uuid.as_deref(), self.serial.as_deref())
    }
}

async fn boot_ipxe(Extract(app): Shared, headers: HeaderMap) -> Result<Answered, Problem> {
    Ok(plain(scripts::ipxe_who(&app.url(&headers)?)))
}

async fn grub_cfg() -> Answered {
    plain(scripts::grub_who())
}

async fn ipxe(Extract(app): Shared, Query(asked): Query<Asked>, headers: HeaderMap) -> Result<Answered, Problem> {
    let (boot, url) = app.boot(&headers, &asked.who()).await?;
    Ok(plain(match &boot.answer {
        Answer::Local => scripts::ipxe_local(&boot.why, &app.about.arch),
        Answer::Install(token) => {
            let kargs = kargs::network(&[&app.kargs, &boot.kargs]);
            Install { id: &boot.id, url: &url, token, reports: &token::for_reports(token), kargs: &kargs }.ipxe()
        }
    }))
}

async fn grub(Extract(app): Shared, Query(asked): Query<Asked>, headers: HeaderMap) -> Result<Answered, Problem> {
    let who = asked.who();
    // GRUB takes the sentence of a refusal for a script, too.
    let refused = |problem: Problem| problem.told_by(|why| scripts::grub_local(why, &app.about.arch));
    let (boot, url) = app.boot(&headers, &who).await.map_err(refused)?;
    Ok(plain(match &boot.answer {
        Answer::Local => scripts::grub_local(&boot.why, &app.about.arch),
        Answer::Install(token) => {
            let kargs = kargs::network(&[&app.kargs, &boot.kargs]);
            Install { id: &boot.id, url: &url, token, reports: &token::for_reports(token), kargs: &kargs }
                .grub(who.mac.as_deref())
        }
    }))
}

async fn file(
    Extract(app): Shared,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Answered, Problem> {
    app.files.environment(&name, &method, &headers).await.ok_or_else(Problem::nothing)
}

async fn loader(
    Extract(app): Shared,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Answered, Problem> {
    app.files.loader(&name, &method, &headers).await.ok_or_else(Problem::nothing)
}

/// `/ks`: with a token, or for an armed machine that Anaconda's headers or the address name.
async fn kickstart(Extract(app): Shared, Query(asked): Query<Asked>, headers: HeaderMap) -> Result<Answered, Problem> {
    let url = app.url(&headers)?;
    if let Some(token) = &asked.token {
        return by_token(&app, token, &url).await.map(plain);
    }
    let mut outcome = Err(Denied::Bad("no token, and nothing that tells a machine".to_owned()));
    for who in candidates(&asked, &headers) {
        outcome = app.fleet.kickstart_of(now(), &who, &url);
        if outcome.is_ok() {
            break;
        }
    }
    app.count_kickstart(outcome.is_ok());
    let (text, written) = outcome.map_err(denied)?;
    if on_disk(written).await { Ok(plain(text)) } else { Err(Problem::not_written()) }
}

/// Who it may be: what the address says, or each network card that Anaconda names.
fn candidates(asked: &Asked, headers: &HeaderMap) -> Vec<Identity> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let serial = asked.serial.as_deref().or_else(|| header("X-System-Serial-Number"));
    let macs = (0..64).map_while(|n| header(&format!("X-RHN-Provisioning-MAC-{n}")));
    let macs = macs.filter_map(|value| value.split_whitespace().last());
    let given = asked.mac.as_deref().into_iter().chain(macs);
    let mut all: Vec<Identity> = given.map(|mac| Identity::new(Some(mac), asked.uuid.as_deref(), serial)).collect();
    if all.is_empty() {
        all.push(Identity::new(None, asked.uuid.as_deref(), serial));
    }
    all.retain(|who| who.id().is_some());
    all
}

async fn by_token(app: &App, token: &str, url: &str) -> Result<String, Problem> {
    let outcome = app.fleet.kickstart(now(), token, url);
    app.count_kickstart(outcome.is_ok());
    let (text, written) = outcome.map_err(denied)?;
    if on_disk(written).await { Ok(text) } else { Err(Problem::not_written()) }
}

async fn kickstart_by_token(
    Extract(app): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Answered, Problem> {
    let url = app.url(&headers)?;
    by_token(&app, &token, &url).await.map(plain)
}

/// The kickstart as an archive for GRUB, which hands it to the kernel behind the initramfs.
async fn kickstart_cpio(
    Extract(app): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Answered, Problem> {
    let url = app.url(&headers)?;
    let text = by_token(&app, &token, &url).await?;
    let custom = Custom { kickstart: Some(text.into_bytes()), ..Custom::default() };
    let archive = custom.to_cpio().map_err(|error| denied(Denied::Broken(error.to_string())))?;
    let mut response = Response::new(Body::from(archive));
    set(&mut response, header::CONTENT_TYPE, "application/octet-stream");
    set(&mut response, header::CACHE_CONTROL, "no-store");
    Ok(response)
}

#[derive(Deserialize)]
struct Reported {
    state: State,
    error: Option<Value>,
}

async fn report_any(
    Extract(app): Shared,
    Path((token, what)): Path<(String, String)>,
    body: Bytes,
) -> Result<Answered, Problem> {
    let most = match what.as_str() {
        "events" => EVENTS_LIMIT,
        "state" => STATE_LIMIT,
        _ => LOG_LIMIT,
    };
    if body.len() > most {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("more than {most} bytes at once")));
    }
    let written = match what.as_str() {
        "events" => {
            app.fleet.events(now(), &token, &String::from_utf8_lossy(&body)).map_err(denied)?;
            None
        }
        "state" => {
            let reported: Reported = serde_json::from_slice(&body).map_err(|error| {
                let form = "wanted is {\"state\":\"installing\"|\"installed\"|\"failed\"}";
                Problem::new(StatusCode::BAD_REQUEST, format!("{error}; {form}"))
            })?;
            let ((), written) = app.fleet.report(now(), &token, reported.state, reported.error).map_err(denied)?;
            match reported.state {
                State::Installed => count(&app.metrics.installed),
                State::Failed => count(&app.metrics.failed),
                _ => {}
            }
            written
        }
        "log" => app.fleet.take_log(now(), &token, body.into()).map_err(denied)?.1,
        _ => return Err(Problem::nothing()),
    };
    if !on_disk(written).await {
        return Err(Problem::not_written());
    }
    Ok(empty())
}

//! What people and their tools ask by HTTP: the list and the page for every client that reaches the
//! server, arming and logs for those who have the admin's token.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State as Extract};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Problem, document, empty, plain, set, text};
use super::app::{App, Shared, now};
use super::fleet::{Reply, on_disk};
use super::identity::Identity;
use super::record::{Progress, Record, Remark, State};
use super::token;

/// The page: one file, and nothing that it loads from elsewhere.
const PAGE: &str = include_str!("page.html");
/// Inline style and script, requests to this server, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A machine as others see it: without the token of its boot.
#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    named: bool,
    #[serde(flatten)]
    who: &'a Identity,
    state: State,
    since: u64,
    seen: Option<u64>,
    progress: &'a Progress,
    error: &'a Option<Value>,
    remarks: Vec<&'a Remark>,
}

impl<'a> View<'a> {
    fn new(record: &'a Record) -> Self {
        let Record { id, named, who, state, since, seen, progress, error, remarks, .. } = record;
        let (state, since, seen) = (*state, *since, *seen);
        View { id, named: *named, who, state, since, seen, progress, error, remarks: remarks.iter().collect() }
    }
}

/// The routes of this half.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(page))
        .route("/metrics", get(metrics))
        .route("/v1/machines", get(list))
        .route("/v1/machines/{id}", get(show))
        .route("/v1/machines/{id}/arm", post(arm))
        .route("/v1/machines/{id}/disarm", post(disarm))
        .route("/v1/machines/{id}/log", get(log))
}

async fn page() -> Response<Body> {
    let mut response = text("text/html; charset=utf-8", PAGE.to_owned());
    set(&mut response, header::CONTENT_SECURITY_POLICY, POLICY);
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

async fn metrics(Extract(app): Shared) -> Response<Body> {
    text("text/plain; version=0.0.4; charset=utf-8", app.metrics.text(&app.fleet.list().1))
}

#[derive(Deserialize)]
struct Since {
    /// A version that is known already: without news nothing is sent.
    since: Option<u64>,
}

async fn list(Extract(app): Shared, Query(asked): Query<Since>) -> Response<Body> {
    let (version, machines) = app.fleet.list();
    if asked.since == Some(version) {
        return empty();
    }
    let machines: Vec<View<'_>> = machines.iter().map(View::new).collect();
    document(&json!({
        "schema": 1, "kind": "machines", "now": now(), "version": version, "environment": &app.about,
        "problem": app.fleet.problem(), "machines": machines,
    }))
}

async fn show(Extract(app): Shared, Path(id): Path<String>) -> Result<Response<Body>, Problem> {
    let record = app.fleet.show(&id).map_err(|error| Problem::explained(&error))?;
    Ok(machine(&record))
}

fn machine(record: &Record) -> Response<Body> {
    document(&json!({"schema": 1, "kind": "machine", "now": now(), "machine": View::new(record)}))
}

#[derive(Deserialize)]
struct Force {
    #[serde(default)]
    force: bool,
}

async fn arm(
    Extract(app): Shared,
    Path(id): Path<String>,
    Query(Force { force }): Query<Force>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    allow(&app, &headers)?;
    changed(app.fleet.arm(now(), &id, force)).await
}

async fn disarm(Extract(app): Shared, Path(id): Path<String>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    allow(&app, &headers)?;
    changed(app.fleet.disarm(now(), &id)).await
}

async fn changed(outcome: installer_core::Result<Reply<Record>>) -> Result<Response<Body>, Problem> {
    let (record, written) = outcome.map_err(|error| Problem::explained(&error))?;
    if on_disk(written).await { Ok(machine(&record)) } else { Err(Problem::not_written()) }
}

async fn log(Extract(app): Shared, Path(id): Path<String>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    allow(&app, &headers)?;
    match app.fleet.log(&id).map_err(|error| Problem::explained(&error))? {
        Some(log) => Ok(plain(String::from_utf8_lossy(&log).into_owned())),
        None => Err(Problem::new(StatusCode::NOT_FOUND, "its installer has sent no log")),
    }
}

/// Lets admins through.
fn allow(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if token::same(given, &app.admin) {
        return Ok(());
    }
    tracing::warn!("a client without the admin's token asked for what needs it");
    Err(Problem::new(StatusCode::UNAUTHORIZED, "this wants the admin's token, which is beside the state"))
}

//! The server around it all: sockets, limits, signals.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, Uri};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use installer_core::error::Context as _;
use installer_core::{Error, Result, Stage};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use super::answer::Problem;
use super::app::{About, App};
use super::files::Files;
use super::fleet::Fleet;
use super::http::router;
use super::metrics::{Metrics, count};
use super::pace::Paced;
use super::token::Admin;
use crate::environment::Environment;
use crate::kargs;

/// Connections that wait to be accepted; the kernel has its own limit (net.core.somaxconn).
const BACKLOG: u32 = 8192;
/// How long the head of a request may take.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// How long a request and the beginning of its answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Files open beside connections: state, templates, what the process brings.
const OTHER_FILES: u64 = 64;

/// What the server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The installer environment.
    pub environment: PathBuf,
    /// machines.toml.
    pub machines: PathBuf,
    /// The directory of kickstarts.
    pub kickstarts: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// How machines reach it, if that is not how they did.
    pub url: Option<String>,
    /// The database.
    pub state: PathBuf,
}

/// Serves until a signal ends it. `ready` is told where.
pub fn run(options: &Options, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .doing(Stage::Request, "starting the server's threads")?;
    runtime.block_on(serve(options, ready))
}

async fn serve(options: &Options, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    let environment = Environment::open(&options.environment)?;
    environment.kargs().iter().try_for_each(|karg| kargs::check(karg))?;
    let fleet = Fleet::open(options.machines.clone(), options.kickstarts.clone(), &options.state)?;
    let listener = listen(options.listen)?;
    let address = listener.local_addr().doing(Stage::Request, "reading the address back")?;
    let admin = Admin::write(&options.state, &format!("http://{}", reachable(address)))?;
    let metrics = Arc::new(Metrics::default());
    let app = Arc::new(App {
        fleet,
        files: Files::new(&environment)?,
        url: options.url.clone(),
        admin: admin.token,
        kargs: environment.kargs().to_vec(),
        about: About {
            arch: environment.arch().to_owned(),
            kernel: environment.kernel_release().to_owned(),
            image: environment.image().to_owned(),
        },
        metrics: metrics.clone(),
    });
    let room = Arc::new(Semaphore::new(connections()));
    ready(address);
    accept(&listener, &router(app), &metrics, &room).await
}

/// The address as this host reaches it.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    address
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A server that was killed leaves connections that wait.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => "something listens there already; stop it, or give another --listen",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 want root or CAP_NET_BIND_SERVICE",
            _ => "--listen wants an address of this host and a port, such as 10.0.0.1:80",
        };
        Error::world(Stage::Request, format!("listening on {address}")).because(error).hint(hint)
    })
}

/// Raises the limit of open files as far as it goes, and says how many connections that is:
/// each may have a file open beside itself.
fn connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let files = if raised.is_ok() { limit.maximum } else { limit.current }.unwrap_or(1 << 20);
    usize::try_from(files.saturating_sub(OTHER_FILES) / 2).unwrap_or(usize::MAX).clamp(16, 1 << 18)
}

async fn accept(listener: &TcpListener, router: &Router, metrics: &Arc<Metrics>, room: &Arc<Semaphore>) -> Result<()> {
    let mut terminated = signal(SignalKind::terminate()).doing(Stage::Request, "waiting for signals")?;
    let mut interrupted = signal(SignalKind::interrupt()).doing(Stage::Request, "waiting for signals")?;
    let mut end = pin!(async move { either(terminated.recv(), interrupted.recv()).await });
    loop {
        let next = async {
            // Who finds no room waits in the kernel's queue.
            let place = room.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        match either(async { Some(next.await) }, async {
            end.as_mut().await;
            None
        })
        .await
        {
            None => return Ok(()),
            Some((Ok((stream, _)), place)) => {
                let (router, metrics) = (router.clone(), metrics.clone());
                tokio::spawn(async move {
                    count(&metrics.connections);
                    converse(stream, router, metrics.clone()).await;
                    metrics.connections.fetch_sub(1, Ordering::Relaxed);
                    drop(place);
                });
            }
            Some((Err(error), _)) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The first of two to be done.
async fn either<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> T {
    let (mut a, mut b) = (pin!(a), pin!(b));
    std::future::poll_fn(|context| match a.as_mut().poll(context) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(value),
        std::task::Poll::Pending => b.as_mut().poll(context),
    })
    .await
}

/// One connection, to its end.
async fn converse(stream: TcpStream, router: Router, metrics: Arc<Metrics>) {
    // Small answers go out at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(router.clone(), metrics.clone(), request));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // Firmware and boot loaders fetch one file and forget the connection.
        .keep_alive(false)
        // GRUB 2.12 over UEFI's HTTP knows `Content-Length` in this spelling alone.
        .title_case_headers(true)
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(Paced::new(stream)), service)
        .await;
    if let Err(error) = served {
        // Firmware goes away without a word.
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    router: Router,
    metrics: Arc<Metrics>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    if let Some(uri) = single_slashes(request.uri()) {
        *request.uri_mut() = uri;
    }
    let method = request.method().clone();
    let route = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
    let call = TowerToHyperService::new(router).call(request);
    let response = match tokio::time::timeout(ANSWER_WITHIN, call).await {
        Ok(Ok(response)) => response,
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "this took too long").into_response(),
    };
    metrics.answered(response.status().as_u16());
    // The first part of the path alone: the rest has tokens.
    tracing::debug!(%method, route, status = response.status().as_u16(), "answered");
    Ok(response)
}

/// `//grubx64.efi`, as shim asks, is `/grubx64.efi`.
fn single_slashes(uri: &Uri) -> Option<Uri> {
    if !uri.path().contains("//") {
        return None;
    }
    let mut path = String::with_capacity(uri.path().len());
    for c in uri.path().chars() {
        if c != '/' || !path.ends_with('/') {
            path.push(c);
        }
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes() {
        let one = |text: &str| single_slashes(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(one("/a/b?x=//"), None);
        assert_eq!(one("//grubx64.efi").as_deref(), Some("/grubx64.efi"));
        assert_eq!(one("/a///b//c?x=1").as_deref(), Some("/a/b/c?x=1"));
    }

    #[test]
    fn the_admins_command_finds_a_server_that_listens_everywhere() {
        let to = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(to("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(to("[::]:80"), "[::1]:80");
        assert_eq!(to("10.0.0.1:8080"), "10.0.0.1:8080");
    }
}

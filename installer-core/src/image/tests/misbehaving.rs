//! A registry that fails in every way that registries fail.

use std::time::{Duration, Instant};

use base64::Engine as _;

use super::server::{Reply, Request, Server, serve, status};
use super::*;
use crate::error::Kind;

/// What `org/os` of `host` comes to, plain http being allowed.
pub fn try_open(host: &str, heard: &Heard, change: impl FnOnce(&mut Access)) -> Result<Image> {
    let root = tempfile::tempdir().unwrap();
    let mut access = access(root.path());
    access.insecure_registries = vec![host.into()];
    change(&mut access);
    open(&format!("docker://{host}/org/os").parse().unwrap(), "amd64", &access, heard.sink())
}

fn opened(server: &Server, heard: &Heard) -> Image {
    try_open(&server.host, heard, |_| {}).unwrap()
}

fn refused(host: &str, change: impl FnOnce(&mut Access)) -> Error {
    match try_open(host, &Heard::default(), change) {
        Ok(_) => panic!("{host} answered"),
        Err(error) => error,
    }
}

/// Fails with `answer` where `when` says so; works otherwise.
pub fn moody(
    made: Made,
    when: impl Fn(&Request) -> bool + Send + Sync + 'static,
    answer: impl Fn(&Made, &Request) -> Reply + Send + Sync + 'static,
) -> Server {
    Server::start(move |request| if when(request) { answer(&made, request) } else { serve(&made, request) })
}

fn is_layer(request: &Request, made: &Made) -> bool {
    request.path.ends_with(made.layers[0].as_str())
}

/// One layer of incompressible bytes.
pub fn large() -> Made {
    let mut state = 1u64;
    let noise: Vec<u8> = (0..3 << 20)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .collect();
    made("amd64", BOOTABLE, &[Tar::system().file("noise", noise).done()])
}

#[test]
fn a_good_day() {
    let heard = Heard::default();
    let server = Server::registry(small());
    let image = opened(&server, &heard);
    assert_eq!(image.manifest(), small().manifest);
    let facts = resolve(&image).unwrap();
    assert_eq!(facts.reference, format!("docker://{}/org/os:latest", server.host));
    assert_eq!(facts.manifest_digest, small().digest());
    assert!(heard.retries().is_empty());
    let pinned = image.reference().pinned(image.manifest_digest());
    let root = tempfile::tempdir().unwrap();
    let access = Access { insecure_registries: vec![server.host.clone()], ..access(root.path()) };
    assert_eq!(open(&pinned, "amd64", &access, heard.sink()).unwrap().manifest(), small().manifest);
    assert!(
        open(&pinned, "s390x", &access, heard.sink())
            .err()
            .unwrap()
            .to_string()
            .contains("not there for s390x: it exists for amd64")
    );
}

#[test]
fn each_refusal_has_its_sentence() {
    let denied = r#"{"errors":[{"code":"DENIED","message":"no pull right"}]}"#;
    for (code, body, part, hint, tries) in [
        (401, "", "only to those who are logged in", "give credentials for", 1),
        (403, denied, "forbids access to org/os", "give other credentials", 1),
        (403, "<html>", "forbids access to org/os", "give other credentials", 1),
        (404, "", "does not have", "list-tags", 1),
        (429, "slow down", "too often (429) (it says: slow down)", "mirror", 4),
        (503, "", "in trouble (HTTP 503)", "later", 4),
        (418, "teapot", "HTTP 418", "", 1),
        (200, "not json", "manifest is broken", "", 1),
    ] {
        let server = moody(small(), |r| r.path.contains("manifests"), move |_, _| status(code, body));
        let error = refused(&server.host, |_| {});
        assert!(error.to_string().contains(part), "{code}: {error}");
        assert!(
            error.remedy().map(ToString::to_string).unwrap_or_default().contains(hint),
            "{code}: {:?}",
            error.remedy()
        );
        assert_eq!(error.kind(), Kind::World);
        assert_eq!(server.asked("manifests").len(), tries, "{code}");
    }
}

#[test]
fn where_credentials_were_looked_for_is_said() {
    let server = moody(small(), |r| r.path.contains("manifests"), |_, _| status(401, ""));
    assert!(refused(&server.host, |_| {}).to_string().contains("etc/ostree/auth.json"));
}

#[test]
fn a_token_is_fetched_with_the_password_and_neither_shows() {
    let basic = base64::engine::general_purpose::STANDARD.encode("bob:s3cret");
    let dir = tempfile::tempdir().unwrap();
    let authfile = dir.path().join("auth.json");
    let port = Arc::new(Mutex::new(String::new()));
    let (expected, realm) = (format!("Basic {basic}"), port.clone());
    let server = Server::start(move |request| {
        let token = "Bearer opaque-token";
        if request.path.starts_with("/token") {
            return if request.authorization.as_deref() == Some(&expected) {
                status(200, r#"{"token":"opaque-token"}"#)
            } else {
                status(401, "unknown user with s3cret")
            };
        }
        // The token runs out once, in the middle.
        let expired = request.path.contains("blobs") && request.before == 0;
        if request.authorization.as_deref() == Some(token) && !expired {
            return serve(&small(), request);
        }
        let challenge =
            format!("WWW-Authenticate: Bearer realm=\"http://{}/token\",service=\"x\"", realm.lock().unwrap());
        Reply::Full(401, vec![challenge], vec![])
    });
    *port.lock().unwrap() = server.host.clone();
    std::fs::write(&authfile, format!("{{\"auths\": {{\"{}/org\": {{\"auth\": \"{basic}\"}}}}}}", server.host))
        .unwrap();
    let heard = Heard::default();
    let image = try_open(&server.host, &heard, |access| access.authfile = Some(authfile.clone())).unwrap();
    resolve(&image).unwrap();
    assert!(heard.retries().is_empty());
    let wrong = base64::engine::general_purpose::STANDARD.encode("eve:s3cret");
    std::fs::write(&authfile, format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{wrong}\"}}}}}}", server.host)).unwrap();
    let error = refused(&server.host, |access| access.authfile = Some(authfile.clone()));
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("refuses access") && shown.contains("auth.json") && shown.contains("***"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_bad_moment_passes() {
    let heard = Heard::default();
    let server = moody(small(), |r| r.path.contains("/org/os/") && r.before == 0, |_, _| status(500, "oops"));
    let image = opened(&server, &heard);
    assert!(read_all(image.layer(0).unwrap()).is_ok());
    // Once each: manifest, configuration, layer.
    assert_eq!(heard.retries().len(), 3, "{:?}", heard.retries());
}

#[test]
fn a_cut_connection_is_taken_up_where_it_broke() {
    let made = large();
    let size = made.blobs[made.layers[0].as_str()].len();
    let (when, heard) = (made.clone(), Heard::default());
    let server = moody(
        made.clone(),
        move |r| is_layer(r, &when) && r.before < 2,
        |made, r| Reply::Cut(Box::new(serve(made, r)), 500_000),
    );
    let image = opened(&server, &heard);
    assert_eq!(read_all(image.layer(0).unwrap()).unwrap().len(), size);
    let from: Vec<_> = server.asked(made.layers[0].as_str()).iter().map(|r| r.from).collect();
    assert_eq!(from, [None, Some(500_000), Some(1_000_000)]);
    assert_eq!(heard.retries().len(), 2);
}

#[test]
fn who_has_something_to_lose_goes_on_asking() {
    let (made, heard) = (small(), Heard::default());
    let when = made.clone();
    let server = moody(made, move |r| is_layer(r, &when) && r.before < 12, |_, _| status(503, "oops"));
    let image = opened(&server, &heard);
    assert!(
        image
            .layer(0)
            .and_then(|layer| read_all(layer).map_err(|e| Error::failed(Stage::Image, e.to_string())))
            .is_err()
    );
    image.persist();
    assert!(read_all(image.layer(0).unwrap()).is_ok());
    assert_eq!(heard.retries().len(), 11, "{:?}", heard.retries());
}

#[test]
fn a_server_without_ranges_is_read_again_from_the_beginning() {
    let made = large();
    let (when, heard) = (made.clone(), Heard::default());
    let server = moody(
        made.clone(),
        move |r| is_layer(r, &when),
        |made, r| {
            let whole = serve(made, &Request { from: None, ..r.clone() });
            if r.before == 0 { Reply::Cut(Box::new(whole), 700_000) } else { whole }
        },
    );
    let image = opened(&server, &heard);
    assert_eq!(Digest::of(&read_all(image.layer(0).unwrap()).unwrap()), made.layers[0]);
    assert_eq!(heard.retries().len(), 1);
}

#[test]
fn a_connection_that_always_breaks_is_given_up() {
    let made = large();
    let (when, heard) = (made.clone(), Heard::default());
    let server = moody(made.clone(), move |r| is_layer(r, &when), |made, r| Reply::Cut(Box::new(serve(made, r)), 10));
    let image = opened(&server, &heard);
    let error = read_error(crate::error::Stage::Image, "importing", read_all(image.layer(0).unwrap()).unwrap_err());
    assert!(error.to_string().contains("connection"), "{error}");
    assert_eq!((error.kind(), heard.retries().len()), (Kind::World, 3));
}

#[test]
fn a_blob_that_is_gone_is_not_asked_for_again() {
    let made = small();
    let when = made.clone();
    let server = moody(made.clone(), move |r| is_layer(r, &when), |_, _| status(404, ""));
    let heard = Heard::default();
    let image = opened(&server, &heard);
    let error = read_error(crate::error::Stage::Image, "importing", read_all(image.layer(0).unwrap()).unwrap_err());
    assert!(error.to_string().contains("does not have layer"), "{error}");
    assert_eq!(server.asked(made.layers[0].as_str()).len(), 1);
}

#[test]
fn other_content_than_announced_does_not_pass() {
    for (change, what) in [(0, "digest"), (1, "longer"), (2, "shorter")] {
        let made = small();
        let when = made.clone();
        let server = moody(
            made,
            move |r| is_layer(r, &when),
            move |made, request| {
                let mut blob = made.blobs[made.layers[0].as_str()].clone();
                match change {
                    0 => blob[12] ^= 1,
                    1 => blob.push(0),
                    _ => blob.truncate(blob.len() - 1),
                }
                Reply::Full(206, vec![], blob.split_off(request.from.unwrap_or(0).min(blob.len())))
            },
        );
        let image = try_open(&server.host, &Heard::default(), |access| access.retries = 1).unwrap();
        let error = read_all(image.layer(0).unwrap()).unwrap_err();
        match change {
            0 => assert!(matches!(verify_error(&error), VerifyError::Digest { .. }), "{what}"),
            1 => assert!(matches!(verify_error(&error), VerifyError::Size { longer: true, .. }), "{what}"),
            // Not to be told from a cut connection, so it was asked again.
            _ => assert!(
                error.to_string().contains("ended")
                    || error.to_string().contains("fewer")
                    || error.to_string().contains("failed"),
                "{error}"
            ),
        }
        assert!(resolve(&image).is_err());
    }
}

#[test]
fn silence_is_not_waited_for_for_ever() {
    let heard = Heard::default();
    let server = moody(
        small(),
        |r| r.path.contains("manifests") && r.before == 0,
        |_, _| Reply::Silence(Duration::from_secs(3)),
    );
    let begun = Instant::now();
    try_open(&server.host, &heard, |access| access.read_timeout = Duration::from_millis(300)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert!(heard.retries()[0].contains("in time"), "{:?}", heard.retries());
}

#[test]
fn no_server_there() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let once = |access: &mut Access| access.retries = 0;
    let error = refused(&gone, once);
    assert!(error.to_string().contains("nothing listens"), "{error}");
    let error = refused("no-such-host.invalid", once);
    assert!(error.to_string().contains("cannot be resolved"), "{error}");
}

#[test]
fn plain_http_is_spoken_only_where_it_is_allowed() {
    let server = Server::registry(small());
    let error = refused(&server.host, |access| access.insecure_registries.clear());
    assert!(error.to_string().contains("plain http"), "{error}");
    let remedy = error.remedy().unwrap().to_string();
    assert!(remedy.contains(&format!("allow {} to be reached", server.host)), "{remedy}");
    assert!(server.asked("").is_empty());
    // Others say nothing to TLS and hang up.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = mute.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        mute.incoming().flatten().for_each(|mut stream| drop(std::io::Read::read(&mut stream, &mut [0; 4096])))
    });
    let error = refused(&host, |access| {
        access.insecure_registries.clear();
        access.retries = 0;
    });
    assert!(error.to_string().contains("TLS handshake"), "{error}");
    assert!(error.remedy().unwrap().to_string().contains("without verified TLS"));
}

#[test]
fn mirrors_are_asked_first_and_failing_ones_passed_over() {
    let (empty, good) = (Server::start(|_| status(404, "")), Server::registry(small()));
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("etc/containers");
    std::fs::create_dir_all(&dir).unwrap();
    let mirror =
        |server: &Server| format!("[[registry.mirror]]\nlocation = \"{}/org\"\ninsecure = true\n", server.host);
    let conf = format!(
        "[[registry]]\nprefix = \"os.example/x\"\nlocation = \"127.0.0.1:1/nowhere\"\n{}{}",
        mirror(&empty),
        mirror(&good)
    );
    std::fs::write(dir.join("registries.conf"), conf).unwrap();
    let reference: ImageReference = "os.example/x/os".parse().unwrap();
    let image = open(&reference, "amd64", &access(root.path()), Heard::default().sink()).unwrap();
    assert_eq!(image.reference().to_string(), "docker://os.example/x/os:latest");
    assert!(read_all(image.layer(0).unwrap()).is_ok());
    assert_eq!(empty.asked("manifests").len(), 1);
    // Without the good one, every endpoint's trouble is told.
    std::fs::write(
        dir.join("registries.conf"),
        format!("[[registry]]\nprefix = \"os.example/x\"\nlocation = \"127.0.0.1:1/nowhere\"\n{}", mirror(&empty)),
    )
    .unwrap();
    let access = Access { retries: 0, ..access(root.path()) };
    let error = open(&reference, "amd64", &access, Heard::default().sink()).err().unwrap().to_string();
    assert!(error.contains("127.0.0.1:1") && error.contains(&format!("mirror {}", empty.host)), "{error}");
}

#[test]
fn documents_of_absurd_size_are_refused() {
    let server = moody(small(), |r| r.path.contains("manifests"), |_, _| Reply::Full(200, vec![], vec![b' '; 5 << 20]));
    assert!(refused(&server.host, |_| {}).to_string().contains("more than 4194304 bytes"));
    let mut huge = small();
    let text = String::from_utf8(huge.manifest.clone()).unwrap();
    let size = text.find("\"size\":").unwrap() + 7;
    huge.manifest = format!("{}99999999{}", &text[..size], &text[size..]).into_bytes();
    let server = Server::registry(huge);
    assert!(refused(&server.host, |_| {}).to_string().contains("no real manifest or configuration"));
}

#[test]
fn what_resolve_has_read_is_not_downloaded_again() {
    let made = large();
    let layer = made.layers[0].clone();
    let server = Server::registry(made);
    let spool = tempfile::tempdir().unwrap();
    let image =
        try_open(&server.host, &Heard::default(), |access| access.cache_in = CacheIn::Directory(spool.path().into()))
            .unwrap();
    resolve(&image).unwrap();
    for requests in [1, 2] {
        assert_eq!(Digest::of(&read_all(image.layer(0).unwrap()).unwrap()), layer);
        // Kept ones are given away once.
        assert_eq!(server.asked(layer.as_str()).len(), requests);
    }
}

#[test]
fn a_login_server_in_trouble_is_not_a_wrong_password() {
    let place = Arc::new(Mutex::new(String::new()));
    let realm = place.clone();
    let server = Server::start(move |request| {
        if request.path.starts_with("/token") {
            return status(503, "503 Service Unavailable");
        }
        Reply::Full(
            401,
            vec![format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", realm.lock().unwrap())],
            vec![],
        )
    });
    *place.lock().unwrap() = server.host.clone();
    let error = refused(&server.host, |_| {});
    assert!(error.to_string().contains("in trouble"), "{error}");
    assert_eq!(server.asked("/token").len(), 4);
}

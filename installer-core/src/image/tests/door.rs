//! The door of a registry: who is asked for a password, where, and who sees it.

use base64::Engine as _;

use super::misbehaving::{moody, try_open};
use super::server::{Reply, Request, Server, serve, status};
use super::*;
use crate::units::Secret;

fn basic() -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("bob:s3cret"))
}

fn login() -> Option<Login> {
    Some(Login { user: "bob".into(), password: Secret::new("s3cret") })
}

/// A registry whose repositories answer 401 with `challenge` (`REALM` in it is its own token server) to those
/// who have no token, and whose door says `door`.
fn registry(door: u16, challenge: &'static str, token: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    let place = Arc::new(Mutex::new(String::new()));
    let realm = place.clone();
    let server = Server::start(move |request| {
        let challenge = challenge.replace("REALM", &format!("http://{}/token", realm.lock().unwrap()));
        let refuse = |code| Reply::Full(code, vec![format!("WWW-Authenticate: {challenge}")], vec![]);
        match request.path.as_str() {
            path if path.starts_with("/token") => token(request),
            "/v2/" if door == 200 => status(200, "{}"),
            "/v2/" => refuse(door),
            _ if request.authorization.as_deref() == Some("Bearer good") => serve(&small(), request),
            _ => refuse(401),
        }
    });
    *place.lock().unwrap() = server.host.clone();
    server
}

fn good_token(_: &Request) -> Reply {
    status(200, r#"{"token":"good"}"#)
}

#[test]
fn the_repositorys_own_challenge_is_followed() {
    for (door, challenge) in [
        (200, "Bearer realm=\"REALM\",service=\"x\",scope=\"repository:org/os:pull\""),
        (200, "bearer realm=REALM, service=x , scope=\"repository:org/os:pull,push\""),
        (200, "Basic realm=\"x\", Bearer realm=\"REALM\""),
        (200, "Bearer service=\"x\",scope=\"\",realm=\"REALM\","),
        (401, "Bearer realm=\"REALM\",service=\"a \\\"quoted\\\" name\""),
        (404, "Bearer realm=\"REALM?account=x\""),
    ] {
        for login in [None, login()] {
            let server = registry(door, challenge, good_token);
            let image = try_open(&server.host, &Heard::default(), |access| access.login = login.clone()).unwrap();
            resolve(&image).unwrap();
            let tokens = server.asked("/token");
            assert_eq!(tokens.len(), 1, "{challenge}");
            assert_eq!(tokens[0].authorization, login.map(|_| basic()), "{challenge}");
            assert!(tokens[0].path.contains("scope=repository%3Aorg%2Fos%3Apull"), "{}", tokens[0].path);
            // The password is for the token alone.
            assert!(server.asked("/v2/").iter().all(|request| request.authorization != Some(basic())));
        }
    }
}

#[test]
fn who_is_told_that_nothing_is_there_shows_who_he_is() {
    for code in [403, 404] {
        let place = Arc::new(Mutex::new(String::new()));
        let realm = place.clone();
        let server = Server::start(move |request| match request.path.as_str() {
            path if path.starts_with("/token") => good_token(request),
            "/v2/" => {
                let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", realm.lock().unwrap());
                Reply::Full(401, vec![realm], vec![])
            }
            _ if request.authorization.as_deref() == Some("Bearer good") => serve(&small(), request),
            _ => status(code, ""),
        });
        *place.lock().unwrap() = server.host.clone();
        assert!(try_open(&server.host, &Heard::default(), |access| access.login = login()).is_ok());
    }
}

#[test]
fn tokens_run_out_and_are_given_out_in_other_ways() {
    // Good for two requests each.
    let given = Arc::new(Mutex::new((0, 0)));
    let tokens = given.clone();
    let place = Arc::new(Mutex::new(String::new()));
    let realm = place.clone();
    let server = Server::start(move |request| {
        let mut given = tokens.lock().unwrap();
        if request.path.starts_with("/token") {
            *given = (given.0 + 1, 2);
            return status(200, &format!("{{\"access_token\":\"t{}\",\"expires_in\":1}}", given.0));
        }
        if given.1 == 0 || request.authorization != Some(format!("Bearer t{}", given.0)) {
            let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", realm.lock().unwrap());
            return Reply::Full(401, vec![realm], vec![]);
        }
        given.1 -= 1;
        serve(&small(), request)
    });
    *place.lock().unwrap() = server.host.clone();
    let image = try_open(&server.host, &Heard::default(), |_| {}).unwrap();
    for _ in 0..3 {
        read_all(image.layer(0).unwrap()).unwrap();
    }
    assert!(given.lock().unwrap().0 > 2);
    // By POST alone.
    let by_post = |request: &Request| if request.method == "POST" { good_token(request) } else { status(405, "") };
    let server = registry(200, "Bearer realm=\"REALM\"", by_post);
    assert!(try_open(&server.host, &Heard::default(), |access| access.login = login()).is_ok());
}

#[test]
fn what_is_no_token_is_an_error_and_asked_for_once() {
    for (body, part) in [
        (r#"{"token":"a\r\nX-Evil: 1"}"#, "no token has"),
        (r#"{"token":"\u001b]0;owned\u0007"}"#, "no token has"),
        (r#"{"token":""}"#, "sends no token"),
        ("<html>login</html>", "sends no token"),
    ] {
        let server = registry(200, "Bearer realm=\"REALM\"", move |_| status(200, body));
        let error = try_open(&server.host, &Heard::default(), |_| {}).unwrap_err();
        assert!(error.to_string().contains(part) && error.exit_code() == 3, "{error}");
        assert_eq!(server.asked("/token").len(), 1);
    }
    for (challenge, part) in [
        ("Bearer realm=\"nonsense\"", "no address"),
        ("Bearer realm=\"file:///etc/passwd\"", "no address"),
        ("Bearer service=\"x\"", "does not say where"),
        ("Digest realm=\"x\"", "logged in"),
        ("", "logged in"),
    ] {
        let server = registry(200, challenge, good_token);
        let error = try_open(&server.host, &Heard::default(), |_| {}).unwrap_err();
        assert!(error.to_string().contains(part) && error.exit_code() == 3, "{challenge}: {error}");
        assert_eq!(server.asked("manifests").len(), 1, "{challenge}");
    }
}

#[test]
fn a_token_stays_with_its_registry() {
    let made = small();
    let storage = Server::start(move |request| {
        let name = request.path.trim_start_matches("/cdn/").split('?').next().unwrap_or("");
        match (&request.authorization, made.blobs.get(name)) {
            (None, Some(blob)) => Reply::Full(200, vec![], blob.clone()),
            _ => status(400, "<Error>Only one auth mechanism allowed</Error>"),
        }
    });
    let to = storage.host.clone();
    let place = Arc::new(Mutex::new(String::new()));
    let realm = place.clone();
    let server = Server::start(move |request| match request.path.rsplit_once("/blobs/") {
        _ if request.path.starts_with("/token") => good_token(request),
        _ if request.authorization.as_deref() != Some("Bearer good") => {
            let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", realm.lock().unwrap());
            Reply::Full(401, vec![realm], vec![])
        }
        Some((_, digest)) => {
            Reply::Full(307, vec![format!("Location: http://{to}/cdn/{digest}?X-Amz-Signature=s3cret")], vec![])
        }
        None => serve(&small(), request),
    });
    *place.lock().unwrap() = server.host.clone();
    resolve(&try_open(&server.host, &Heard::default(), |access| access.login = login()).unwrap()).unwrap();
    assert!(!storage.asked("").is_empty());
}

#[test]
fn an_address_that_has_run_out_is_asked_for_again() {
    let expired = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    for (code, times, opens) in
        [(403, 1, true), (400, 1, true), (404, 1, true), (503, 2, true), (403, usize::MAX, false)]
    {
        let made = small();
        let storage = Server::start(move |request| {
            let name = request.path.trim_start_matches("/cdn/");
            if request.before < times {
                status(code, expired)
            } else {
                Reply::Full(200, vec![], made.blobs[name].clone())
            }
        });
        let to = storage.host.clone();
        let server = moody(
            small(),
            |r| r.path.contains("/blobs/"),
            move |_, request| {
                let digest = request.path.rsplit('/').next().unwrap_or("");
                Reply::Full(307, vec![format!("Location: http://{to}/cdn/{digest}")], vec![])
            },
        );
        let outcome = try_open(&server.host, &Heard::default(), |_| {});
        assert_eq!(outcome.is_ok(), opens, "{code}");
        if let Err(error) = outcome {
            assert!(error.to_string().contains(&format!("{}, where {} keeps", storage.host, server.host)), "{error}");
            assert_eq!(storage.asked("/cdn/").len(), 2);
        }
    }
}

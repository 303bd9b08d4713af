//! What has no end, and what would never end.

use std::time::Instant;

use super::misbehaving::{large, moody, try_open};
use super::server::{Reply, Server, serve, status};
use super::*;

#[test]
fn documents_without_end_are_not_read_to_their_end() {
    for (part, code, told) in [
        ("manifests", 200, "a manifest of more than"),
        ("manifests", 404, "does not have"),
        ("/token", 200, "a token of more than"),
    ] {
        let place = Arc::new(Mutex::new(String::new()));
        let realm = place.clone();
        let server = Server::start(move |request| {
            if request.path.contains(part) {
                return Reply::Flood(code);
            }
            if part == "/token" {
                let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", realm.lock().unwrap());
                return Reply::Full(401, vec![realm], vec![]);
            }
            serve(&small(), request)
        });
        *place.lock().unwrap() = server.host.clone();
        let error = try_open(&server.host, &Heard::default(), |_| {}).unwrap_err();
        assert!(error.to_string().contains(told) && error.exit_code() == 3, "{error}");
        assert_eq!(server.asked(part).len(), 1);
    }
}

#[test]
fn a_registry_that_drips_is_given_up() {
    let made = large();
    let layer = made.layers[0].to_string();
    for part in ["manifests".to_owned(), layer] {
        let when = part.clone();
        let server =
            moody(made.clone(), move |r| r.path.contains(&when), |_, _| Reply::Drip(Duration::from_millis(20)));
        let begun = Instant::now();
        let outcome = try_open(&server.host, &Heard::default(), |access| {
            access.slow_for = Duration::from_millis(200);
            access.retries = 3;
        });
        let error = match outcome {
            Ok(image) => read_all(image.layer(0).unwrap()).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(error.contains("is too slow: it sends fewer than 1000 bytes a second"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(server.asked(&part).len(), 2);
    }
}

#[test]
fn circles_are_left_at_once() {
    for location in ["/v2/org/os/manifests/latest", "/v2/org/os/manifests/latest?x", "gopher://x/", "http://", ""] {
        let server = moody(
            small(),
            |r| r.path.contains("manifests"),
            move |_, request| {
                // A new address each time has no end either.
                let location = location.replace('x', &format!("x={}", request.path.len() + request.before));
                Reply::Full(307, vec![format!("Location: {location}")], vec![])
            },
        );
        let error = try_open(&server.host, &Heard::default(), |_| {}).unwrap_err();
        assert!(error.to_string().contains("it sends us"), "{error}");
        assert!(server.asked("manifests").len() <= 11);
    }
}

#[test]
fn ranges_that_are_refused_or_wrong_begin_again() {
    let made = large();
    let layer = made.layers[0].clone();
    for how in [416, 206, 200] {
        let when = layer.to_string();
        let server = moody(
            made.clone(),
            move |r| r.path.ends_with(&when),
            move |made, request| {
                let blob = &made.blobs[made.layers[0].as_str()];
                let whole = Reply::Full(200, vec![], blob.clone());
                match (request.from, how) {
                    (None, _) if request.before == 0 => Reply::Cut(Box::new(whole), 700_000),
                    (Some(_), 416) => status(416, ""),
                    // Another part than the one that was asked for.
                    (Some(_), 206) => {
                        let range = format!("Content-Range: bytes 0-{}/{}", blob.len() - 1, blob.len());
                        Reply::Full(206, vec![range], blob.clone())
                    }
                    _ => whole,
                }
            },
        );
        let image = try_open(&server.host, &Heard::default(), |_| {}).unwrap();
        assert_eq!(Digest::of(&read_all(image.layer(0).unwrap()).unwrap()), layer, "{how}");
    }
}

#[test]
fn who_says_when_to_come_again_is_heard() {
    let day = |seconds: u32| {
        move |_: &Made, _: &super::server::Request| Reply::Full(429, vec![format!("Retry-After: {seconds}")], vec![])
    };
    let server = moody(small(), |r| r.path.contains("manifests") && r.before == 0, day(1));
    let begun = Instant::now();
    assert!(try_open(&server.host, &Heard::default(), |_| {}).is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let server = moody(small(), |r| r.path.contains("manifests"), day(21_600));
    let error = try_open(&server.host, &Heard::default(), |_| {}).unwrap_err();
    assert!(error.to_string().contains("come again in 21600 s"), "{error}");
    assert_eq!(server.asked("manifests").len(), 1);
}

#[test]
fn what_a_registry_says_does_not_reach_a_terminal() {
    let evil = r#"{"errors":[{"code":"DENIED","message":"\u001b]0;owned\u0007\u001b[2J\u009b1m"}]}"#;
    let server = moody(small(), |r| r.path.contains("manifests"), move |_, _| status(403, evil));
    let error = try_open(&server.host, &Heard::default(), |_| {}).unwrap_err().to_string();
    assert!(!error.contains(char::is_control) && error.contains("\\u001b]0;owned"), "{error}");
    let portal = moody(small(), |r| r.path.contains("manifests"), |_, _| status(200, "<html>Welcome</html>"));
    assert!(try_open(&portal.host, &Heard::default(), |_| {}).unwrap_err().to_string().contains("web page"));
}

#[test]
fn what_was_compressed_on_the_way_comes_undone() {
    let made = large();
    let layer = made.layers[0].clone();
    for how in ["packed", "cut"] {
        let name = layer.to_string();
        let server = moody(
            made.clone(),
            |_| true,
            move |made, request| match serve(made, &super::server::Request { from: None, ..request.clone() }) {
                Reply::Full(200, mut headers, body) => {
                    headers.push("Content-Encoding: gzip".into());
                    let whole = Reply::Full(200, headers, gzip(&body));
                    let cut = how == "cut" && request.path.contains(&name) && request.before == 0;
                    if cut { Reply::Cut(Box::new(whole), 200) } else { whole }
                }
                reply => reply,
            },
        );
        let image = try_open(&server.host, &Heard::default(), |_| {}).unwrap();
        assert_eq!(Digest::of(&read_all(image.layer(0).unwrap()).unwrap()), layer, "{how}");
    }
    // In name only.
    let server = moody(
        made.clone(),
        |r| r.path.contains("/blobs/"),
        |made, request| {
            let blob = made.blobs[request.path.rsplit('/').next().unwrap()].clone();
            Reply::Full(200, vec!["Content-Encoding: gzip".into()], blob)
        },
    );
    let image = try_open(&server.host, &Heard::default(), |_| {}).unwrap();
    assert_eq!(Digest::of(&read_all(image.layer(0).unwrap()).unwrap()), layer);
}

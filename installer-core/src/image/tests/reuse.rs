//! What was read before stands for reading, or it does not.

use super::misbehaving::{moody, try_open};
use super::server::{Server, serve, status};
use super::*;

fn facts(made: &Made) -> ImageFacts {
    let dir = tempfile::tempdir().unwrap();
    made.layout(dir.path(), "os");
    let reference = format!("oci:{}:os", dir.path().display()).parse().unwrap();
    resolve(&open(&reference, "amd64", &access(dir.path()), Heard::default().sink()).unwrap()).unwrap()
}

fn reusable(server: &Server, facts: &ImageFacts) -> Option<ImageFacts> {
    try_open(&server.host, &Heard::default(), |_| {}).unwrap().reusable_facts(facts).unwrap()
}

#[test]
fn the_same_image_is_not_read_but_asked_for() {
    let facts = facts(&small());
    let server = Server::registry(small());
    let known = reusable(&server, &facts).unwrap();
    // Where it is now, and everything else as it was.
    assert_eq!(known.reference, format!("docker://{}/org/os:latest", server.host));
    assert_eq!(ImageFacts { reference: facts.reference.clone(), ..known }, facts);
    let methods = |part: &str| server.asked(part).into_iter().map(|request| request.method).collect::<Vec<_>>();
    assert_eq!(methods(small().layers[0].as_str()), ["HEAD"]);
}

#[test]
fn anything_else_is_read() {
    let other = ImageFacts { manifest_digest: Digest::of(b"another"), ..facts(&small()) };
    let server = Server::registry(small());
    assert_eq!(reusable(&server, &other), None);
    assert_eq!(server.asked(small().layers[0].as_str()).len(), 0);
    // The registry has lost a layer, or will not say: what reading has to say of that is better.
    for code in [404, 403, 405, 500] {
        let server = moody(small(), |request| request.method == "HEAD", move |_, _| status(code, ""));
        assert_eq!(reusable(&server, &facts(&small())), None, "{code}");
    }
    let server = moody(small(), |request| request.method == "HEAD", serve);
    assert!(reusable(&server, &facts(&small())).is_some());
}

#[test]
fn media_are_read() {
    let dir = tempfile::tempdir().unwrap();
    small().layout(dir.path(), "os");
    let reference = format!("oci:{}:os", dir.path().display()).parse().unwrap();
    let image = open(&reference, "amd64", &access(dir.path()), Heard::default().sink()).unwrap();
    assert_eq!(image.reusable_facts(&facts(&small())).unwrap(), None);
}

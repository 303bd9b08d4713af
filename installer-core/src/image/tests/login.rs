//! A user name and a password that are held in memory: who gets them, and who does not.

use base64::Engine as _;

use super::misbehaving::try_open;
use super::server::{Reply, Server, serve};
use super::*;
use crate::units::Secret;

fn login(password: &str) -> Option<Login> {
    Some(Login { user: "bob".into(), password: Secret::new(password) })
}

/// Wants to know who asks, but for what is a mirror's.
fn guarded() -> Server {
    let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("bob:s3cret"));
    Server::start(move |request| {
        if request.authorization.as_deref() == Some(&expected) {
            return serve(&small(), request);
        }
        Reply::Full(401, vec!["WWW-Authenticate: Basic realm=\"x\"".into()], vec![])
    })
}

#[test]
fn it_opens_the_door_before_any_file() {
    let server = guarded();
    let dir = tempfile::tempdir().unwrap();
    let authfile = dir.path().join("auth.json");
    let other = base64::engine::general_purpose::STANDARD.encode("eve:from-a-file");
    std::fs::write(&authfile, format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{other}\"}}}}}}", server.host)).unwrap();
    let open = |login: Option<Login>| {
        try_open(&server.host, &Heard::default(), |access| {
            access.authfile = Some(authfile.clone());
            access.login = login;
        })
    };
    resolve(&open(login("s3cret")).unwrap()).unwrap();
    assert!(open(None).is_err());
    let error = open(login("wr0ng")).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("that were given") && !shown.contains("wr0ng"), "{shown}");
}

#[test]
fn it_is_not_shown() {
    let access = Access { login: login("s3cret"), ..Access::default() };
    assert!(!format!("{access:?}").contains("s3cret"));
}

#[test]
fn mirrors_do_not_get_it() {
    let mirror = Server::registry(small());
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("etc/containers");
    std::fs::create_dir_all(&dir).unwrap();
    let conf = format!(
        "[[registry]]\nprefix = \"os.example/x\"\nlocation = \"os.example/x\"\n\
         [[registry.mirror]]\nlocation = \"{}/org\"\ninsecure = true\n",
        mirror.host
    );
    std::fs::write(dir.join("registries.conf"), conf).unwrap();
    let access = Access { login: login("s3cret"), ..access(root.path()) };
    let image = open(&"os.example/x/os".parse().unwrap(), "amd64", &access, Heard::default().sink()).unwrap();
    resolve(&image).unwrap();
    let asked = mirror.asked("");
    assert!(!asked.is_empty() && asked.iter().all(|request| request.authorization.is_none()));
}

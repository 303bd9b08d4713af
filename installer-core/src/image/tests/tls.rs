//! TLS: who is trusted, and how one gets trusted. The certificate is made by openssl(1).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::server::{Server, status};
use super::*;

/// What a server of plain 404s says.
const NOT_HERE: &str = "HTTP/1.1 404 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A server over TLS that always says `answer`, under a certificate of its own making, which says of itself
/// whether it is an authority. Returns the host and the certificate's file in `dir`.
fn start(dir: &Path, is_authority: bool, answer: String) -> String {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let authority = if is_authority { "TRUE" } else { "FALSE" };
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-addext"])
        .arg(format!("basicConstraints=critical,CA:{authority}"))
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .expect("this test needs openssl(1): install the package openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(&cert).unwrap()],
            PrivateKeyDer::from_pem_file(&key).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut tls = rustls::StreamOwned::new(rustls::ServerConnection::new(config.clone()).unwrap(), stream);
            if tls.read(&mut [0; 4096]).is_ok() {
                let _ = tls.write_all(answer.as_bytes());
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    host
}

/// Makes this machine know the certificate in `dir` as that of `host`.
fn believe(root: &Path, host: &str, dir: &Path) {
    let certs = root.join("etc/containers/certs.d").join(host);
    std::fs::create_dir_all(&certs).unwrap();
    std::fs::copy(dir.join("cert.pem"), certs.join("ca.crt")).unwrap();
}

fn ask(host: &str, access: &Access) -> Error {
    open(&format!("{host}/org/os").parse().unwrap(), "amd64", access, Heard::default().sink()).err().unwrap()
}

#[test]
fn a_stranger_is_trusted_by_certs_d_or_not_at_all() {
    for is_authority in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let host = start(root.path(), is_authority, NOT_HERE.into());
        let access = Access { retries: 0, ..access(root.path()) };
        let error = ask(&host, &access);
        assert!(error.to_string().contains("not from an authority that this machine trusts"), "{error}");
        assert!(error.remedy().unwrap().to_string().contains("certs.d"));
        // Over a connection that came about, the answer is 404.
        let insecure = Access { insecure_registries: vec![host.clone()], ..access.clone() };
        assert!(ask(&host, &insecure).to_string().contains("does not have"));
        // By what a kickstart brings.
        let brought = std::fs::read_to_string(root.path().join("cert.pem")).unwrap();
        let asked = Access { authorities: vec!["no certificate\n".into(), brought], ..access.clone() };
        assert!(ask(&host, &asked).to_string().contains("does not have"), "{}", ask(&host, &asked));
        believe(root.path(), &host, root.path());
        let error = ask(&host, &access);
        assert!(error.to_string().contains("does not have"), "{error}");
        // Another certificate of the same kind is still a stranger's, and so is the right one at another name.
        let other = tempfile::tempdir().unwrap();
        let another = start(other.path(), is_authority, NOT_HERE.into());
        believe(root.path(), &another, root.path());
        assert!(ask(&another, &access).to_string().contains("the TLS certificate of"));
        let name = host.replace("127.0.0.1", "localhost");
        believe(root.path(), &name, root.path());
        assert!(ask(&name, &access).to_string().contains("is not good"), "{}", ask(&name, &access));
        let file = root.path().join("etc/containers/certs.d").join(&host).join("ca.crt");
        std::fs::write(file, "-----BEGIN CERTIFICATE-----\nzz\n-----END CERTIFICATE-----\n").unwrap();
        assert!(ask(&host, &access).to_string().contains("preparing TLS"));
    }
}

#[test]
fn a_password_goes_over_tls_where_the_registry_has_it() {
    let stranger = Server::start(|_| status(200, r#"{"token":"t"}"#));
    let root = tempfile::tempdir().unwrap();
    let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", stranger.host);
    let answer = format!("HTTP/1.1 401 X\r\nConnection: close\r\n{realm}\r\nContent-Length: 0\r\n\r\n");
    let host = start(root.path(), true, answer);
    believe(root.path(), &host, root.path());
    let login = Some(Login { user: "bob".into(), password: crate::units::Secret::new("s3cret") });
    let with_password = Access { login, ..access(root.path()) };
    for access in [with_password, access(root.path())] {
        let error = ask(&host, &access);
        assert!(error.to_string().contains("over plain http") && error.exit_code() == 3, "{error}");
    }
    assert!(stranger.asked("").is_empty());
}

#[test]
fn whose_certificate_need_not_be_good_is_named() {
    let (root, dirs) = (tempfile::tempdir().unwrap(), [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()]);
    let stranger = start(dirs[0].path(), true, "HTTP/1.1 200 X\r\nContent-Length: 12\r\n\r\n{\"token\":1}\n".into());
    for header in [
        format!("401 X\r\nWWW-Authenticate: Bearer realm=\"https://{stranger}/token\""),
        format!("307 X\r\nLocation: https://{stranger}/elsewhere"),
    ] {
        let answer = format!("HTTP/1.1 {header}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        let host = start(dirs[1].path(), true, answer);
        let mut access = Access { retries: 0, insecure_registries: vec![host.clone()], ..access(root.path()) };
        let error = ask(&host, &access);
        assert!(error.to_string().contains(&format!("the TLS certificate of {stranger}")), "{error}");
        access.insecure_registries.push(stranger.clone());
        assert!(!ask(&host, &access).to_string().contains("certificate"));
    }
}

#[test]
fn who_has_tls_does_not_send_us_away_from_it() {
    let (root, plain) = (tempfile::tempdir().unwrap(), Server::registry(small()));
    let answer = format!(
        "HTTP/1.1 307 X\r\nLocation: http://{}/v2/org/os/manifests/latest\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        plain.host
    );
    let host = start(root.path(), true, answer);
    believe(root.path(), &host, root.path());
    let error = ask(&host, &access(root.path()));
    assert!(error.to_string().contains("from https to http"), "{error}");
    assert!(plain.asked("").is_empty());
}

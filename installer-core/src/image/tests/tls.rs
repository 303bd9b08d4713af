//! TLS: who is trusted, and how one gets trusted. The certificate is made by openssl(1).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

/// A server of plain 404s over TLS, under a certificate of its own making. Returns the host and
/// the certificate's file in `dir`.
fn start(dir: &Path) -> String {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=test",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
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
                let _ = tls.write_all(b"HTTP/1.1 404 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    host
}

#[test]
fn a_stranger_is_trusted_by_certs_d_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let host = start(root.path());
    let access = Access { retries: 0, ..access(root.path()) };
    let ask = |access: &Access| {
        open(&format!("{host}/org/os").parse().unwrap(), "amd64", access, Heard::default().sink()).err().unwrap()
    };
    let error = ask(&access);
    assert!(error.to_string().contains("not from an authority that this machine trusts"), "{error}");
    assert!(error.remedy().unwrap().to_string().contains("certs.d"));
    // Over a connection that came about, the answer is 404.
    let insecure = Access { insecure_registries: vec![host.clone()], ..access.clone() };
    assert!(ask(&insecure).to_string().contains("does not have"));
    let certs = root.path().join("etc/containers/certs.d").join(&host);
    std::fs::create_dir_all(&certs).unwrap();
    std::fs::copy(root.path().join("cert.pem"), certs.join("ca.crt")).unwrap();
    let error = ask(&access);
    assert!(error.to_string().contains("does not have"), "{error}");
    std::fs::write(certs.join("ca.crt"), "-----BEGIN CERTIFICATE-----\nzz\n-----END CERTIFICATE-----\n").unwrap();
    assert!(ask(&access).to_string().contains("preparing TLS"));
}

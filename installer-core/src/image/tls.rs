//! Whose certificates are believed: the authorities of this machine, those that certs.d names for
//! a registry, and a registry's own certificate where certs.d has just that one.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::access::Places;
use crate::error::{Error, Result, Stage};
use crate::event::{Event, Sink};

/// What a handshake fails with where no authority is known at all.
pub(super) const NO_AUTHORITY: &str = "this machine has no CA certificates";

/// For hosts whose certificates are looked at. Fails where there is no authority, if that `is_needed`: else
/// a registry over plain http is asked as well.
pub(super) fn verified(host: &str, is_needed: bool, places: &Places, events: &dyn Sink) -> Result<ClientConfig> {
    let known = certificates(host, places, events)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(known.iter().cloned());
    if roots.is_empty() && is_needed {
        return Err(no_authority());
    }
    let provider = Arc::new(ring::default_provider());
    let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().ok();
    config(Arc::new(Believing { chains, known, provider }))
}

/// What cannot be done without any authority, and what to do about it.
pub(super) fn no_authority() -> Error {
    Error::world(Stage::Resolve, format!("{NO_AUTHORITY}, without which no registry is asked over https"))
        .hint("install ca-certificates, or name a file with certificates: SSL_CERT_FILE=FILE")
}

/// For hosts that were named insecure.
pub(super) fn unverified() -> Result<ClientConfig> {
    config(Arc::new(Trusting(Arc::new(ring::default_provider()))))
}

fn config(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::failed(Stage::Resolve, "preparing TLS").because(error))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// The certificates that certs.d names for this registry.
fn certificates(host: &str, places: &Places, events: &dyn Sink) -> Result<Vec<CertificateDer<'static>>> {
    let mut dirs = vec![places.system("etc/containers/certs.d"), places.system("etc/docker/certs.d")];
    dirs.extend(places.config_home.as_ref().map(|dir| dir.join("containers/certs.d")));
    // What is no certificate among them is the installed system's own matter.
    let asked = places.authorities.iter().flat_map(|text| CertificateDer::pem_slice_iter(text.as_bytes()).flatten());
    let mut found: Vec<_> = asked.filter(|one| ParsedCertificate::try_from(one).is_ok()).collect();
    for dir in dirs {
        let Ok(entries) = std::fs::read_dir(dir.join(host)) else { continue };
        for file in entries.flatten().map(|entry| entry.path()) {
            let ends = |extension: &str| file.extension().is_some_and(|e| e == Path::new(extension));
            if ends("crt") {
                found.extend(read(host, &file)?);
            } else if ends("cert") {
                events.emit(&Event::Warning {
                    message: format!("{}: client certificates are not supported and not used", file.display()),
                });
            }
        }
    }
    Ok(found)
}

fn read(host: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let text = crate::bounded::read(file, crate::bounded::DOCUMENT)
        .map_err(|error| Error::world(Stage::Resolve, format!("reading {}", file.display())).because(error))?;
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let bad = |why: String| {
        Error::world(Stage::Resolve, format!("preparing TLS for {host}: {} {why}", file.display()))
            .hint("put a certificate there as a PEM file")
    };
    let all = all.map_err(|error| bad(format!("is no PEM file: {error}")))?;
    for certificate in &all {
        ParsedCertificate::try_from(certificate).map_err(|error| bad(format!("has a broken certificate: {error}")))?;
    }
    Ok(all)
}

/// Believes chains that end at an authority, and certificates that it knows.
#[derive(Debug)]
struct Believing {
    /// `None` where there is no authority at all.
    chains: Option<Arc<WebPkiServerVerifier>>,
    known: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chains = self.chains.as_ref().ok_or_else(|| rustls::Error::General(NO_AUTHORITY.into()))?;
        let error = match chains.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Ok(verified) => return Ok(verified),
            Err(error) => error,
        };
        // What `openssl req -x509` makes says that it is an authority, which a server's certificate
        // must not say. The dates were looked at before that; what is left is the name.
        if is_authority(&error) && self.known.iter().any(|known| known == end_entity) {
            rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        Err(error)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    other.0.to_string().contains("CaUsedAsEndEntity")
}

/// Believes everything.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

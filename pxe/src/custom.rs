//! What a user adds to the installer environment: a kickstart and certificate authorities.
//! As an archive it lies behind an initrd or in the reserved area of an ISO. The names are
//! those that the environment looks for when it boots.

use std::collections::BTreeMap;

use installer_core::image::newc;
use installer_core::{Error, Result, Stage};

/// The kickstart in the root of the environment.
pub const KICKSTART: &str = "ks.cfg";
/// Where the environment looks for certificate authorities.
pub const CERTIFICATES: &str = "etc/bootc-ks/certs";

/// Additions to the installer environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custom {
    /// The kickstart.
    pub kickstart: Option<Vec<u8>>,
    /// Certificates in PEM form by file name (`site.pem`).
    pub certificates: BTreeMap<String, Vec<u8>>,
}

impl Custom {
    /// Whether nothing is added.
    pub fn is_empty(&self) -> bool {
        self.kickstart.is_none() && self.certificates.is_empty()
    }

    /// Adds the certificates of `pem`, from a file named `name`; a second one of that name
    /// takes the place of the first.
    pub fn add_certificate(&mut self, name: &str, pem: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(pem);
        if text.contains("PRIVATE KEY-----") {
            return Err(Error::input(Stage::Media, format!("{name} has a private key in it, which must stay private"))
                .hint("pass a file with nothing but the certificate of the authority"));
        }
        if !text.contains("-----BEGIN CERTIFICATE-----") || !text.contains("-----END CERTIFICATE-----") {
            return Err(Error::input(Stage::Media, format!("{name} is no certificate in PEM form"))
                .hint("DER becomes PEM by: openssl x509 -inform der -in FILE -out FILE.pem"));
        }
        self.certificates.insert(certificate_name(name), pem.to_vec());
        Ok(())
    }

    /// The archive; empty where nothing is added.
    pub fn to_cpio(&self) -> Result<Vec<u8>> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = newc::Writer::new();
        self.write(&mut writer)?;
        Ok(writer.finish())
    }

    /// Writes the files into `writer`.
    pub(crate) fn write(&self, writer: &mut newc::Writer) -> Result<()> {
        if let Some(kickstart) = &self.kickstart {
            writer.file(KICKSTART, 0o600, kickstart)?;
        }
        for (name, pem) in &self.certificates {
            writer.file(&format!("{CERTIFICATES}/{name}"), 0o644, pem)?;
        }
        Ok(())
    }

    /// What an area or the end of an initrd holds: nothing but NULs, or an archive.
    pub fn from_cpio(bytes: &[u8]) -> Result<Self> {
        let mut custom = Custom::default();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(custom);
        }
        for entry in newc::read(bytes)?.into_iter().filter(newc::Entry::is_file) {
            let certificate = entry.path.strip_prefix(CERTIFICATES).and_then(|rest| rest.strip_prefix('/'));
            if entry.path == KICKSTART {
                custom.kickstart = Some(entry.content.to_vec());
            } else if let Some(name) = certificate {
                custom.certificates.insert(name.to_owned(), entry.content.to_vec());
            }
        }
        Ok(custom)
    }
}

/// The name that the environment looks for: letters, digits, `.-_`, and `.pem` at the end.
fn certificate_name(file: &str) -> String {
    let file = file.rsplit('/').next().unwrap_or(file);
    let stem = [".pem", ".crt", ".cer"].iter().find_map(|end| file.strip_suffix(end)).unwrap_or(file);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let stem: String = stem.trim_start_matches('.').chars().map(plain).collect();
    format!("{}.pem", if stem.is_empty() { "certificate" } else { &stem })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

    #[test]
    fn what_goes_in_comes_out() {
        let mut custom = Custom { kickstart: Some(b"text\n".to_vec()), ..Custom::default() };
        custom.add_certificate("/etc/ca/site.crt", PEM).unwrap();
        custom.add_certificate("Mein Haus.pem", PEM).unwrap();
        let names: Vec<&String> = custom.certificates.keys().collect();
        assert_eq!(names, ["Mein_Haus.pem", "site.pem"]);
        let mut area = custom.to_cpio().unwrap();
        area.resize(area.len() + 1000, 0);
        assert_eq!(Custom::from_cpio(&area).unwrap(), custom);
        assert_eq!(Custom::from_cpio(&[0; 512]).unwrap(), Custom::default());
        assert!(Custom::default().to_cpio().unwrap().is_empty());
    }

    #[test]
    fn keys_and_other_files_are_no_certificates() {
        let mut custom = Custom::default();
        let key = [PEM, b"-----BEGIN PRIVATE KEY-----\n"].concat();
        assert!(custom.add_certificate("a.pem", &key).unwrap_err().to_string().contains("private key"));
        let error = custom.add_certificate("a.der", b"\x30\x82").unwrap_err();
        assert!(error.remedy().unwrap().to_string().contains("openssl"), "{error}");
        assert_eq!(certificate_name("..pem"), "certificate.pem");
    }
}

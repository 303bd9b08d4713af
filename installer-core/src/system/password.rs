//! Passwords as /etc/shadow has them.

use sha_crypt::{PasswordHasher, ShaCrypt};

use crate::error::{Error, Result, Stage};
use crate::request::Password;

/// The crypt(3) hash of a password.
pub fn crypt(password: &Password) -> Result<String> {
    match password {
        Password::Hashed(hash) => Ok(hash.expose().to_owned()),
        Password::Plain(plain) => ShaCrypt::default()
            .hash_password_with_salt(plain.expose().as_bytes(), &salt())
            .map(|hash| hash.as_str().to_owned())
            .map_err(|error| Error::failed(Stage::System, format!("hashing a password: {error}"))),
    }
}

/// Twelve random bytes: sixteen letters, which is all that crypt(3) reads of a salt. With a
/// longer one it would never find its own answer equal to what is written.
fn salt() -> [u8; 12] {
    let random = uuid::Uuid::new_v4().into_bytes();
    let mut salt = [0; 12];
    salt.copy_from_slice(&random[..12]);
    salt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Secret;

    #[test]
    fn crypt_finds_the_password_right() {
        let hash = crypt(&Password::Plain(Secret::new("p\u{e4}ss word"))).unwrap();
        // perl-base is on every Debian, and its crypt is libcrypt's.
        let script = "print crypt($ARGV[0], $ARGV[1])";
        let answer = std::process::Command::new("perl").args(["-e", script, "p\u{e4}ss word", &hash]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.stdout), hash);
    }
}

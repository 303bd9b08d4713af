//! HMAC-SHA256 (RFC 2104), for the signature of a webhook.

use sha2::{Digest as _, Sha256};

/// What the hash reads at a time.
const BLOCK: usize = 64;

/// The code of `message` under `key`, in hexadecimal digits.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
    let inner = padded(0x36).chain_update(message).finalize();
    installer_core::units::hex(&padded(0x5c).chain_update(inner).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of RFC 4231: a short key, one of text, and one longer than a block.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        for (key, message, expected) in [
            (&[0x0b; 20][..], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hmac_sha256(key, message), expected);
        }
    }
}

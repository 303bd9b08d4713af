//! The names under which bootc looks for an image in the repository.
//!
//! `ostree/container/image/<reference>` is the merged commit, `ostree/container/blob/<digest>`
//! a layer's commit; both escaped as bootc's `refescape.rs` does.

use std::io;
use std::path::Path;

use super::gvariant::Checksum;
use super::store::write_file;
use crate::units::{Digest, hex};

/// The ref of a layer.
pub fn blob(digest: &Digest) -> String {
    format!("ostree/container/blob/{}", escape(digest.as_str()))
}

/// The ref of a whole image; `reference` in the containers-transports form
/// (`docker://quay.io/org/os:latest`).
pub fn image(reference: &str) -> String {
    format!("ostree/container/image/{}", escape(reference))
}

/// Letters, digits and `-` stay; `/` stays between a letter or digit and anything but the
/// end; `_` doubles; everything else becomes `_XX_`, its code point in hexadecimal.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut previous_alphanumeric = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '-' => out.push(c),
            c if c.is_ascii_alphanumeric() => out.push(c),
            '/' if previous_alphanumeric && chars.peek().is_some() => out.push(c),
            '_' => out.push_str("__"),
            c => out.push_str(&format!("_{:02X}_", u32::from(c))),
        }
        previous_alphanumeric = c.is_ascii_alphanumeric();
    }
    out
}

/// Points `name` at `commit` in the repository at `repo`.
pub fn write(repo: &Path, name: &str, commit: &Checksum) -> io::Result<()> {
    write_file(&repo.join("refs/heads").join(name), &format!("{}\n", hex(commit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_ones_bootc_reads() {
        assert_eq!(
            image("docker://127.0.0.1:5055/test/os:plain"),
            "ostree/container/image/docker_3A__2F__2F_127_2E_0_2E_0_2E_1_3A_5055/test/os_3A_plain"
        );
        let digest = Digest::of(b"");
        assert_eq!(blob(&digest), format!("ostree/container/blob/sha256_3A_{}", digest.hex()));
        assert_eq!(escape("a_b/"), "a__b_2F_");
    }
}

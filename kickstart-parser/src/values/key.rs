//! Public keys of ssh: a line of `authorized_keys`, taken apart.

use super::finding;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Kickstart, SshKey};
use crate::templates;

pub(super) fn judge(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    for key in &kickstart.ssh_keys {
        // What is to be filled in has its own finding.
        if !templates::is_placeholder(key.key.trim()) {
            found.extend(one(key));
        }
    }
}

fn one(key: &SshKey) -> Option<Diagnostic> {
    let text = key.key.trim();
    let whose = &key.username;
    let no_key = |message: String, help: &str| Some(finding(&codes::NO_KEY, key.span, message, help));
    if text.is_empty() {
        return no_key(format!("the key of `{whose}` is empty"), "write a line of an `.pub` file");
    }
    if let Some((option, _)) = text.split_once('=').filter(|(option, _)| option.starts_with("--")) {
        let message = format!("`sshkey` has no option `{option}`, so this is taken for the key itself");
        return no_key(message, "write the key without an option: `sshkey --username=NAME \"KEY\"`");
    }
    if text.contains("PRIVATE KEY") {
        return no_key(
            "this is a private key, which must not be given away".to_owned(),
            "write the public one, from the file whose name ends in `.pub`",
        );
    }
    if text.contains(['\u{2026}', '<', '>']) || text.contains("...") {
        let message = format!("the key of `{whose}` is an abbreviation");
        return no_key(message, "put your own key there, whole: a line of an `.pub` file");
    }
    let path = text.starts_with(['/', '~', '.']) || text.contains("://") || text.ends_with(".pub");
    if path && !text.contains(char::is_whitespace) {
        let message = format!("the key of `{whose}` is the name of a file");
        return no_key(message, "write what is in the file: nothing is read during the installation");
    }
    let Some((options, (kind, blob, comment))) = parts(text) else {
        let message = format!("the key of `{whose}` does not say of which kind it is");
        return no_key(message, "write a line of an `.pub` file: it begins with `ssh-ed25519`, `ssh-rsa` or the like");
    };
    let broken = |message: String| {
        let help = "copy the line of the `.pub` file once more, whole and in one line";
        Some(finding(&codes::BROKEN_KEY, key.span, message, help))
    };
    if let Some(option) = unknown_option(options) {
        return broken(format!(
            "the key of `{whose}` opens nothing: ssh servers know no option `{option}` before a key"
        ));
    }
    match opens(kind, blob) {
        Err(why) => broken(format!("the key of `{whose}` opens nothing: {why}")),
        Ok(()) if kind == "ssh-dss" => {
            broken(format!("the key of `{whose}` opens nothing: no ssh server takes DSA keys any more"))
        }
        Ok(()) if comment == "you@example" => {
            let message = format!("the key of `{whose}` is the one of the documentation's examples");
            Some(finding(&codes::EXAMPLE_KEY, key.span, message, "put your own key there"))
        }
        Ok(()) => None,
    }
}

/// What a key of a kind consists of.
#[derive(Clone, Copy)]
enum Shape {
    /// Numbers: how many, and the least bits of the longest.
    Numbers(usize, usize),
    /// A curve's name, and a point of so many bytes.
    Point(&'static str, usize),
    /// So many bytes.
    Bytes(usize),
    /// Certificates, of which the kind alone is looked at.
    Any,
}

fn shape(kind: &str) -> Option<Shape> {
    Some(match kind {
        "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" => Shape::Bytes(32),
        "ssh-rsa" => Shape::Numbers(2, 1024),
        "ssh-dss" => Shape::Numbers(4, 512),
        "ecdsa-sha2-nistp256" | "sk-ecdsa-sha2-nistp256@openssh.com" => Shape::Point("nistp256", 65),
        "ecdsa-sha2-nistp384" => Shape::Point("nistp384", 97),
        "ecdsa-sha2-nistp521" => Shape::Point("nistp521", 133),
        _ if kind.ends_with("-cert-v01@openssh.com") => Shape::Any,
        _ => return None,
    })
}

/// What may stand before a key (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"); `=` where a value follows.
const OPTIONS: &[&str] = &[
    "agent-forwarding",
    "cert-authority",
    "command=",
    "environment=",
    "expiry-time=",
    "from=",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten=",
    "permitopen=",
    "port-forwarding",
    "principals=",
    "pty",
    "restrict",
    "tunnel=",
    "user-rc",
    "verify-required",
    "x11-forwarding",
];

/// The first of the options before a key for which a server does not take the key.
fn unknown_option(options: &str) -> Option<&str> {
    let mut quoted = false;
    let mut list = options.trim().split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    list.find(|option| {
        let name = option.split_inclusive('=').next().unwrap_or_default().to_ascii_lowercase();
        !option.is_empty() && !OPTIONS.contains(&name.as_str())
    })
}

/// The options, and the kind of a key, the key, and the comment. Options have blanks in quotes.
fn parts(text: &str) -> Option<(&str, (&str, &str, &str))> {
    let blank = |c: char| c == ' ' || c == '\t';
    let first = text.split(blank).next().unwrap_or("");
    let rest = if shape(first).is_some() { text } else { behind_options(text) };
    let options = &text[..text.len() - rest.len()];
    let (kind, rest) = rest.split_once(blank).unwrap_or((rest, ""));
    shape(kind)?;
    let rest = rest.trim_start();
    let (blob, comment) = rest.split_once(blank).unwrap_or((rest, ""));
    Some((options, (kind, blob, comment.trim())))
}

fn behind_options(text: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return text[at..].trim_start(),
            _ => {}
        }
    }
    ""
}

/// Whether a key can be one of its kind.
fn opens(kind: &str, blob: &str) -> Result<(), String> {
    if blob.is_empty() {
        return Err(format!("nothing follows `{kind}`"));
    }
    let bytes = base64(blob).ok_or_else(|| "it is not in base64".to_owned())?;
    let mut fields = Fields(&bytes);
    let short = || "it is cut short".to_owned();
    let said = fields.next().ok_or_else(short)?;
    if said != kind.as_bytes() {
        return Err(format!("it is not the `{kind}` that it says it is"));
    }
    let hardware = usize::from(kind.starts_with("sk-"));
    let shape = shape(kind).unwrap_or(Shape::Any);
    match shape {
        Shape::Any => return Ok(()),
        Shape::Bytes(length) => {
            if fields.next().ok_or_else(short)?.len() != length {
                return Err("it has not the length of its kind".to_owned());
            }
        }
        Shape::Point(curve, length) => {
            let name = fields.next().ok_or_else(short)?;
            let point = fields.next().ok_or_else(short)?;
            if name != curve.as_bytes() || point.len() != length {
                return Err("it has not the length of its kind".to_owned());
            }
        }
        Shape::Numbers(count, least) => {
            let mut longest = 0;
            for _ in 0..count {
                longest = longest.max(fields.next().ok_or_else(short)?.len());
            }
            if longest * 8 < least {
                return Err(format!("it has less than {least} bits"));
            }
        }
    }
    for _ in 0..hardware {
        fields.next().ok_or_else(short)?;
    }
    if fields.0.is_empty() { Ok(()) } else { Err("there is more than a key".to_owned()) }
}

/// Fields with their lengths before them.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}

/// Base64 with its padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - body.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for c in body.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use crate::values::testing::codes;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p";

    fn of(key: &str) -> Vec<&'static str> {
        codes(&format!("sshkey --username=root '{key}'\n"))
    }

    #[test]
    fn keys_that_open() {
        let point = "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB";
        let p256 = format!("ecdsa-sha2-nistp256 {point}{}=", "A".repeat(86));
        for key in [
            ED25519.to_owned(),
            format!("{ED25519} ann@example"),
            format!("{ED25519}   two words"),
            format!("command=\"/bin/x y\",no-pty {ED25519} ann"),
            format!("restrict {ED25519}"),
            format!("From=\"10.0.0.0/8,::1\",X11-forwarding,expiry-time=\"20990101\" {ED25519}"),
            p256,
            format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{}", "C".repeat(342)),
        ] {
            assert!(of(&key).is_empty(), "{key}: {:?}", of(&key));
        }
    }

    #[test]
    fn options_that_no_server_takes() {
        for options in ["foo", "admin", "no-such-option=\"x\"", "restrict,foo", "command", "pty=\"1\"", "a@b"] {
            assert_eq!(of(&format!("{options} {ED25519}")), ["V002"], "{options}");
        }
    }

    #[test]
    fn what_is_no_key() {
        for key in [
            "",
            "k",
            "/root/.ssh/id_ed25519.pub",
            "~/.ssh/id_rsa.pub",
            "id_rsa.pub",
            "https://example/keys",
            "ssh-ed25519 AAAA\u{2026} you@example",
            "ssh-rsa AAAAB3Nz... me",
            "ssh-rsa <your key>",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p",
            "ssh-ed25591 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p",
            "hunter2",
            "--key=ssh-ed25519 AAAA x",
        ] {
            assert_eq!(of(key), ["V001"], "{key}");
        }
    }

    #[test]
    fn what_opens_nothing() {
        let key = |of: &str, blob: &str| format!("{of} {blob}");
        let blob = ED25519.split(' ').nth(1).unwrap();
        for key in [
            key("ssh-ed25519", ""),
            key("ssh-ed25519", "AAAA"),
            key("ssh-ed25519", &blob[..40]),
            key("ssh-ed25519", &blob[..66]),
            key("ssh-ed25519", &format!("{blob}AAAA")),
            key("ssh-rsa", blob),
            key("ssh-ed25519", &blob.replace('1', "_")),
            key("ssh-rsa", "AAAAB3NzaC1yc2EAAAADAQABAAAAAQ=="),
        ] {
            assert_eq!(of(key.trim()), ["V002"], "{key}");
        }
        assert_eq!(of(&format!("{ED25519} you@example")), ["V010"]);
    }
}

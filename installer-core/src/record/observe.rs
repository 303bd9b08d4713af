//! What is there, of what an installation writes down. The same functions make a record and look whether
//! it still holds.

use std::collections::BTreeSet;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use rustix::fs::FileType;
use sha2::{Digest as _, Sha256};

use super::installed::Installed;
use super::types::{File, FileKind, Group, Keys, PasswordState, User};
use crate::units::Digest;

/// The file, link or other thing at `path`; `secret` if a secret is in it, of which no digest is taken.
pub fn file(system: &Installed, path: &str, secret: bool) -> io::Result<Option<File>> {
    let (root, below) = system.place(path);
    let Some(stat) = root.stat(below)? else { return Ok(None) };
    let owner = format!("{}:{}", stat.st_uid, stat.st_gid);
    let mode = Some(format!("{:04o}", stat.st_mode & 0o7777));
    let path = path.to_owned();
    Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => {
            let target = root.read_link(below).map(|target| target.to_string_lossy().into_owned());
            File { path, kind: FileKind::Link, digest: None, target, mode: None, owner }
        }
        FileType::RegularFile => {
            let digest = if secret { None } else { Some(Digest::of(&root.read_bytes(below)?)) };
            File { path, kind: FileKind::File, digest, target: None, mode, owner }
        }
        _ => File { path, kind: FileKind::Other, digest: None, target: None, mode, owner },
    }))
}

fn field(line: &str, index: usize) -> Option<&str> {
    line.split(':').nth(index)
}

/// The lines of an account file, those of /etc before the vendor's.
fn lines(system: &Installed, files: [&str; 2]) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    for path in files {
        all.extend(system.read(path)?.unwrap_or_default().lines().map(str::to_owned));
    }
    Ok(all)
}

fn find<'a>(lines: &'a [String], name: &str) -> Option<&'a String> {
    lines.iter().find(|line| field(line, 0) == Some(name))
}

/// The user called `name`.
pub fn user(system: &Installed, name: &str) -> io::Result<Option<User>> {
    let passwd = lines(system, ["/etc/passwd", "/usr/lib/passwd"])?;
    let Some(line) = find(&passwd, name) else { return Ok(None) };
    let number = |index| field(line, index).and_then(|id| id.parse().ok());
    let (Some(uid), Some(gid)) = (number(2), number(3)) else { return Ok(None) };
    let text = |index| field(line, index).unwrap_or_default().to_owned();
    let groups: BTreeSet<String> = lines(system, ["/etc/group", "/usr/lib/group"])?
        .iter()
        .filter(|line| field(line, 3).is_some_and(|members| members.split(',').any(|member| member == name)))
        .filter_map(|line| field(line, 0).map(str::to_owned))
        .collect();
    let shadow = lines(system, ["/etc/shadow", "/usr/lib/shadow"])?;
    let password = match find(&shadow, name).and_then(|line| field(line, 1)) {
        Some("") => PasswordState::Empty,
        Some(hash) if hash.starts_with('!') => PasswordState::Locked,
        Some(hash) if !hash.starts_with('*') => PasswordState::Set,
        _ => PasswordState::None,
    };
    let groups = groups.into_iter().collect();
    Ok(Some(User { name: name.to_owned(), uid, gid, groups, home: text(5), shell: text(6), password }))
}

/// The group called `name`.
pub fn group(system: &Installed, name: &str) -> io::Result<Option<Group>> {
    let lines = lines(system, ["/etc/group", "/usr/lib/group"])?;
    let gid = find(&lines, name).and_then(|line| field(line, 2)?.parse().ok());
    Ok(gid.map(|gid| Group { name: name.to_owned(), gid }))
}

/// The keys that let `user` in.
pub fn keys(system: &Installed, user: &str) -> io::Result<Option<Keys>> {
    let passwd = lines(system, ["/etc/passwd", "/usr/lib/passwd"])?;
    let Some(home) = find(&passwd, user).and_then(|line| field(line, 5)) else { return Ok(None) };
    let file = system.without_links(&format!("{home}/.ssh/authorized_keys"));
    let Some(text) = system.read(&file)? else { return Ok(None) };
    let fingerprints: BTreeSet<String> = text.lines().filter_map(fingerprint).collect();
    Ok(Some(Keys { user: user.to_owned(), file, fingerprints: fingerprints.into_iter().collect() }))
}

/// The fingerprint of the key on a line of authorized_keys, as `ssh-keygen -l` shows it. What is before
/// the key may have spaces in quotes, so the key is known by beginning with its own kind.
fn fingerprint(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).find_map(|pair| {
        let blob = STANDARD.decode(pair[1]).ok()?;
        let length = u32::from_be_bytes(*blob.first_chunk::<4>()?) as usize;
        (blob.get(4..4 + length)? == pair[0].as_bytes())
            .then(|| format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&blob))))
    })
}

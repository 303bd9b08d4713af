//! Finding the disk or the partition that a kickstart names.
//!
//! A specification is a kernel name (`sda`), a path with or without `/dev/`
//! (`disk/by-id/…`), a pattern (`nvme*`), `UUID=…` or `LABEL=…`, or several of these with
//! `|` between them. What it means is whatever matches; how many may match is the caller's
//! business.

use super::types::{Disk, Machine, Partition, Signature};

/// The disks that match `spec`, in the order of its alternatives, each once.
pub fn find_disk<'a>(machine: &'a Machine, spec: &str) -> Vec<&'a Disk> {
    let mut found: Vec<&Disk> = Vec::new();
    for wanted in alternatives(spec) {
        for disk in &machine.disks {
            if disk_matches(disk, wanted) && !found.iter().any(|have| have.path == disk.path) {
                found.push(disk);
            }
        }
    }
    found
}

/// The partitions that match `spec`, each with its disk. `PARTUUID=` and `PARTLABEL=` work
/// here too, and so do udev's links (`disk/by-id/…-part1`, `disk/by-label/…`).
pub fn find_partition<'a>(machine: &'a Machine, spec: &str) -> Vec<(&'a Disk, &'a Partition)> {
    let mut found: Vec<(&Disk, &Partition)> = Vec::new();
    for wanted in alternatives(spec) {
        for disk in &machine.disks {
            for partition in &disk.partitions {
                if partition_matches(disk, partition, wanted)
                    && !found.iter().any(|(_, have)| have.path == partition.path)
                {
                    found.push((disk, partition));
                }
            }
        }
    }
    found
}

fn alternatives(spec: &str) -> impl Iterator<Item = &str> {
    spec.split('|').map(str::trim).filter(|part| !part.is_empty())
}

fn disk_matches(disk: &Disk, wanted: &str) -> bool {
    if let Some(answer) = tag_matches(disk.signature.as_ref(), wanted) {
        return answer;
    }
    let pattern = full_path(wanted);
    std::iter::once(&disk.path).chain(&disk.links).any(|name| glob(&pattern, name))
}

fn partition_matches(disk: &Disk, partition: &Partition, wanted: &str) -> bool {
    let same = |value: &Option<String>, text: &str| {
        value.as_deref().is_some_and(|have| have.eq_ignore_ascii_case(unquote(text)))
    };
    if let Some(uuid) = wanted.strip_prefix("PARTUUID=") {
        return same(&partition.uuid, uuid);
    }
    if let Some(label) = wanted.strip_prefix("PARTLABEL=") {
        return partition.label.as_deref() == Some(unquote(label));
    }
    if let Some(answer) = tag_matches(partition.signature.as_ref(), wanted) {
        return answer;
    }
    let pattern = full_path(wanted);
    partition_names(disk, partition).iter().any(|name| glob(&pattern, name))
}

/// The names that udev would give a partition, whether it runs or not.
fn partition_names(disk: &Disk, partition: &Partition) -> Vec<String> {
    let mut names = vec![partition.path.clone()];
    names.extend(disk.links.iter().map(|link| format!("{link}-part{}", partition.number)));
    let mut by =
        |kind: &str, value: Option<&String>| names.extend(value.map(|value| format!("/dev/disk/by-{kind}/{value}")));
    by("partuuid", partition.uuid.as_ref());
    by("partlabel", partition.label.as_ref());
    by("uuid", partition.signature.as_ref().and_then(|found| found.uuid.as_ref()));
    by("label", partition.signature.as_ref().and_then(|found| found.label.as_ref()));
    names
}

/// `UUID=` and `LABEL=`; `None` when `wanted` is neither.
fn tag_matches(signature: Option<&Signature>, wanted: &str) -> Option<bool> {
    if let Some(uuid) = wanted.strip_prefix("UUID=") {
        let have = signature.and_then(|found| found.uuid.as_deref());
        return Some(have.is_some_and(|have| have.eq_ignore_ascii_case(unquote(uuid))));
    }
    let label = wanted.strip_prefix("LABEL=")?;
    Some(signature.and_then(|found| found.label.as_deref()) == Some(unquote(label)))
}

fn unquote(text: &str) -> &str {
    text.trim_matches('"')
}

fn full_path(wanted: &str) -> String {
    if wanted.starts_with("/dev/") { wanted.to_owned() } else { format!("/dev/{wanted}") }
}

/// Matches as a shell does in paths: `*` and `?` stop at a slash, `[a-c]` and `[!a-c]`.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    glob_from(&pattern, &text)
}

fn glob_from(pattern: &[char], text: &[char]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some('*'), _) => {
            let reach = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=reach).any(|taken| glob_from(&pattern[1..], &text[taken..]))
        }
        (Some('?'), Some(c)) if *c != '/' => glob_from(&pattern[1..], &text[1..]),
        (Some('['), Some(c)) if *c != '/' => match class(&pattern[1..], *c) {
            Some((matches, used)) => matches && glob_from(&pattern[1 + used..], &text[1..]),
            // An unclosed bracket is a plain one.
            None => *c == '[' && glob_from(&pattern[1..], &text[1..]),
        },
        (Some(p), Some(c)) => p == c && glob_from(&pattern[1..], &text[1..]),
        _ => false,
    }
}

/// Whether `c` is in the class that `pattern` begins with, and how long the class is with
/// its closing bracket.
fn class(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.first(), Some('!' | '^'));
    let begin = usize::from(negated);
    // A bracket in the first place belongs to the class.
    let end = begin + 1 + pattern.get(begin + 1..)?.iter().position(|p| *p == ']')?;
    let mut members = &pattern[begin..end];
    let mut matches = false;
    while let [first, rest @ ..] = members {
        match rest {
            ['-', last, rest @ ..] => {
                matches |= (*first..=*last).contains(&c);
                members = rest;
            }
            _ => {
                matches |= *first == c;
                members = rest;
            }
        }
    }
    Some((matches != negated, end + 1))
}

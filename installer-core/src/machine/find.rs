//! Finding the disk or the partition that a kickstart names.
//!
//! A specification is a kernel name (`sda`), a path with or without `/dev/`
//! (`disk/by-id/…`), a pattern (`nvme*`), `UUID=…` or `LABEL=…`, or several of these with
//! `|` between them. What it means is whatever matches; how many may match is the caller's
//! business.

use glob::{MatchOptions, Pattern};

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
    let as_in_paths =
        MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
    Pattern::new(&for_the_crate(pattern)).map_or(pattern == text, |glob| glob.matches_with(text, as_in_paths))
}

/// A shell's pattern as the crate `glob` takes it: that has a meaning of its own for `**`, does
/// not know `[^a]`, and refuses a bracket that is not closed, which is a plain one in a shell.
fn for_the_crate(pattern: &str) -> String {
    let mut wanted = pattern.replace("[^", "[!");
    while wanted.contains("**") {
        wanted = wanted.replace("**", "*");
    }
    let closed = wanted.rfind(']').map_or(0, |at| at + 1);
    let (closed, open) = wanted.split_at(closed);
    format!("{closed}{}", open.replace('[', "[[]"))
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, yes, no) in [
            ("/dev/sd*", "/dev/sda1", "/dev/sd/a"),
            ("/dev/sd**", "/dev/sda1", "/dev/sd/a"),
            ("/dev/sd?", "/dev/sda", "/dev/sda1"),
            ("/dev/sd?", "/dev/sdb", "/dev/sd/"),
            ("/dev/sd[a-c]", "/dev/sdb", "/dev/sdd"),
            ("/dev/sd[!a-c]", "/dev/sdd", "/dev/sdb"),
            ("/dev/sd[^a-c]", "/dev/sdd", "/dev/sdb"),
            ("/dev/sd[!a]", "/dev/sdb", "/dev/sd/"),
            ("/dev/sd[]x]", "/dev/sd]", "/dev/sda"),
            ("/dev/sd[a-]", "/dev/sd-", "/dev/sdb"),
            ("/dev/nvme[01]n[", "/dev/nvme1n[", "/dev/nvme2n["),
            ("/dev/x[", "/dev/x[", "/dev/xa"),
            ("/dev/x[]", "/dev/x[]", "/dev/x"),
            ("/dev/{a,b}", "/dev/{a,b}", "/dev/a"),
            ("/dev/.*", "/dev/.a", "/dev/a"),
            ("/dev/*", "/dev/.a", "/dev/a/b"),
            ("/dev/SDA", "/dev/SDA", "/dev/sda"),
        ] {
            assert!(glob(pattern, yes), "{pattern} is for {yes}");
            assert!(!glob(pattern, no), "{pattern} is not for {no}");
        }
    }
}

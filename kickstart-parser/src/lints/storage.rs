//! Lints over the storage commands: what Anaconda finds out when the disks are already in
//! its hands, and then without a line.
//!
//! The facts (order, minimum sizes, directories that belong to the root) are those of
//! Anaconda's custom partitioning and storage checker.

use std::collections::HashMap;

use super::unattended::{unasked, unattended};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Kickstart, RaidLevel, Thin};
use crate::span::Span;

/// Everything that is to be found without knowing the disks.
pub(super) fn lint(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let places = places(kickstart);
    no_root(kickstart, &places, found);
    members(kickstart, &places, found);
    volumes(kickstart, found);
    mount_points(&places, found);
    arrays(kickstart, found);
    kept(kickstart, found);
    passphrases(kickstart, found);
}

/// The commands that lay out disks line by line.
const LAYOUT: &[&str] =
    &["btrfs", "logvol", "mount", "part", "partition", "raid", "stratisfs", "stratispool", "volgroup"];

/// Whether every line about storage could be read: what seems to be missing may be on one
/// that could not.
pub(super) fn is_whole(kickstart: &Kickstart) -> bool {
    let read = kickstart.partitions.len()
        + kickstart.raids.len()
        + kickstart.volume_groups.len()
        + kickstart.logical_volumes.len()
        + kickstart.btrfs.len()
        + kickstart.mounts.len()
        + kickstart.stratis_pools.len()
        + kickstart.stratis_file_systems.len();
    kickstart.given.iter().filter(|given| LAYOUT.contains(&given.name)).count() == read
}

fn no_root(kickstart: &Kickstart, places: &[Place<'_>], found: &mut Vec<Diagnostic>) {
    let first = kickstart.given.iter().find(|given| LAYOUT.contains(&given.name));
    let Some(first) = first.filter(|_| kickstart.autopart.is_none()) else {
        return;
    };
    let others = kickstart.mounts.iter().map(|m| m.mount.as_str());
    let others = others.chain(kickstart.stratis_file_systems.iter().map(|s| s.mount.as_str()));
    if !places.iter().map(|place| place.what).chain(others).any(|mount| mount == "/") {
        let message = "there are partitions, but none for `/`";
        found.push(Diagnostic::new(&codes::NO_ROOT, first.span, message).help("add `part / …`"));
    }
}

/// Something that takes up space: what for, and where that is written.
struct Place<'a> {
    what: &'a str,
    span: Span,
    size_mib: Option<u64>,
    grows: bool,
}

fn places(kickstart: &Kickstart) -> Vec<Place<'_>> {
    let mut all = Vec::new();
    for p in &kickstart.partitions {
        all.push(Place { what: &p.mount, span: p.mount_span, size_mib: p.size_mib, grows: p.grow });
    }
    for r in &kickstart.raids {
        all.push(Place { what: &r.mount, span: r.mount_span, size_mib: None, grows: false });
    }
    for v in &kickstart.logical_volumes {
        let grows = v.grow || v.percent.is_some();
        all.push(Place { what: &v.mount, span: v.mount_span, size_mib: v.size_mib, grows });
    }
    for b in &kickstart.btrfs {
        all.push(Place { what: &b.mount, span: b.mount_span, size_mib: None, grows: false });
    }
    all
}

/// How the parts of larger devices are called.
const PARTS: &[&str] = &["pv.", "raid.", "btrfs.", "stratis."];

fn is_part(name: &str) -> bool {
    PARTS.iter().any(|kind| name.starts_with(kind))
}

/// Parts that no command makes, parts that no command uses, and parts that two commands want.
fn members(kickstart: &Kickstart, places: &[Place<'_>], found: &mut Vec<Diagnostic>) {
    let made: HashMap<&str, Span> = places.iter().filter(|p| is_part(p.what)).map(|p| (p.what, p.span)).collect();
    let mut used: HashMap<&str, Span> = HashMap::new();
    for (name, span) in uses(kickstart).filter(|(name, _)| is_part(name)) {
        if let Some(first) = used.insert(name, span) {
            let message = format!("`{name}` is part of two devices");
            found.push(Diagnostic::new(&codes::PART_USED_TWICE, span, message).label(first, "it is used here already"));
        } else if !made.contains_key(name) {
            let message = format!("no line makes `{name}`");
            found
                .push(Diagnostic::new(&codes::UNKNOWN_PART, span, message).help(format!("add `part {name} --size=…`")));
        }
    }
    // In the order of the lines, not of the map.
    for place in places.iter().filter(|p| is_part(p.what) && !used.contains_key(p.what)) {
        let message = format!("nothing uses `{}`", place.what);
        found.push(Diagnostic::new(&codes::UNUSED_PART, place.span, message));
    }
}

/// Every device that is made of others, with those.
fn uses(kickstart: &Kickstart) -> impl Iterator<Item = (&str, Span)> {
    let raids = kickstart.raids.iter().flat_map(|r| r.members.iter().map(|m| (m, r.span)));
    let groups = kickstart.volume_groups.iter().flat_map(|g| g.members.iter().map(|m| (m, g.span)));
    let btrfs = kickstart.btrfs.iter().flat_map(|b| b.members.iter().map(|m| (m, b.span)));
    let pools = kickstart.stratis_pools.iter().flat_map(|p| p.block_devices.iter().map(|m| (m, p.span)));
    raids.chain(groups).chain(btrfs).chain(pools).map(|(member, span)| (member.as_str(), span))
}

/// Logical volumes whose group or pool no line makes: they may be on the disks, if kept.
fn volumes(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let groups: HashMap<&str, Span> = kickstart.volume_groups.iter().map(|g| (g.name.as_str(), g.span)).collect();
    let pools: HashMap<(&str, &str), Span> = kickstart
        .logical_volumes
        .iter()
        .filter(|v| matches!(v.thin, Some(Thin::Pool { .. })))
        .map(|v| ((v.volume_group.as_str(), v.name.as_str()), v.span))
        .collect();
    for volume in kickstart.logical_volumes.iter().filter(|v| !v.existing) {
        let group = volume.volume_group.as_str();
        if !groups.contains_key(group) {
            let message = format!("no line makes the volume group `{group}`");
            found.push(
                Diagnostic::new(&codes::UNKNOWN_GROUP, volume.span, message)
                    .help(format!("add `volgroup {group} pv.…`, or `volgroup {group} --useexisting` if it is there")),
            );
        } else if let Some(Thin::Volume(pool)) = &volume.thin
            && !pools.contains_key(&(group, pool.as_str()))
        {
            let message = format!("no line makes the thin pool `{pool}` in `{group}`");
            let help = format!("add `logvol none --thinpool --name={pool} --vgname={group} …`");
            found.push(Diagnostic::new(&codes::UNKNOWN_GROUP, volume.span, message).help(help));
        }
    }
}

/// What a storage command may be for, other than a mount point.
const PURPOSES: &[&str] = &["swap", "biosboot", "prepboot", "appleboot", "none", "recovery"];

/// Directories that are part of the root file system.
const OF_ROOT: &[&str] = &["/bin", "/dev", "/sbin", "/etc", "/lib", "/root", "/mnt", "/lost+found", "/proc"];

/// The least that a mount point needs, in MiB.
const LEAST: &[(&str, u64)] =
    &[("/", 250), ("/usr", 250), ("/tmp", 50), ("/var", 384), ("/home", 100), ("/boot", 1024), ("/boot/efi", 500)];

fn mount_points(places: &[Place<'_>], found: &mut Vec<Diagnostic>) {
    for Place { what, span, size_mib, grows } in places {
        if !what.starts_with('/') && !is_part(what) && !PURPOSES.contains(what) {
            let message = format!("`{what}` is neither a mount point nor anything else that is known");
            let help = format!("a mount point begins with a slash: `/{what}`; else there are {}", PURPOSES.join(", "));
            found.push(Diagnostic::new(&codes::BAD_MOUNT_POINT, *span, message).help(help));
        } else if OF_ROOT.contains(what) {
            let message = format!("`{what}` belongs to the root file system");
            found.push(Diagnostic::new(&codes::PART_OF_ROOT, *span, message).help("leave the line out"));
        } else if let Some((_, least)) = LEAST.iter().find(|(mount, _)| mount == what)
            && let Some(size) = size_mib.filter(|size| size < least && !grows)
        {
            let message = format!("{size} MiB are little for `{what}`");
            found
                .push(Diagnostic::new(&codes::TOO_SMALL, *span, message).help(format!("make it {least} MiB at least")));
        }
    }
}

/// How many members a level needs, by `man md`.
fn least_members(level: RaidLevel) -> usize {
    match level {
        RaidLevel::Raid0 | RaidLevel::Raid1 | RaidLevel::Raid10 => 2,
        RaidLevel::Raid4 | RaidLevel::Raid5 => 3,
        RaidLevel::Raid6 => 4,
    }
}

fn arrays(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    for raid in kickstart.raids.iter().filter(|r| !r.existing) {
        let Some(level) = raid.level else { continue };
        let (there, spares) = (raid.members.len(), raid.spares.unwrap_or(0));
        let active = (there as u64).saturating_sub(spares);
        let least = least_members(level);
        // None at all is an error of the language.
        if there > 0 && active < least as u64 {
            let message = format!("{} needs {least} members besides the spares, and here are {active}", level.name());
            found.push(Diagnostic::new(&codes::TOO_FEW_MEMBERS, raid.span, message));
        }
    }
}

/// What is kept must be there, so it needs a name.
fn kept(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    for part in kickstart.partitions.iter().filter(|p| p.no_format && p.on_part.is_none()) {
        let message = format!("`--noformat` keeps a partition for `{}`, but nothing says which", part.mount);
        found
            .push(Diagnostic::new(&codes::KEPT_WITHOUT_NAME, part.span, message).help("add `--onpart=` with its name"));
    }
}

/// A passphrase without encryption is without effect; encryption without a passphrase asks,
/// unless an earlier line has one: the first passphrase is that of all later devices.
fn passphrases(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let mut encryptions: Vec<_> = Vec::new();
    encryptions.extend(kickstart.autopart.iter().map(|a| (&a.encryption, a.span)));
    encryptions.extend(kickstart.partitions.iter().map(|p| (&p.encryption, p.span)));
    encryptions.extend(kickstart.raids.iter().map(|r| (&r.encryption, r.span)));
    encryptions.extend(kickstart.logical_volumes.iter().map(|v| (&v.encryption, v.span)));
    let mut known = false;
    for (encryption, span) in encryptions {
        let own = encryption.passphrase.as_ref().is_some_and(|p| !p.is_empty());
        known |= own && encryption.encrypted;
        if own && !encryption.encrypted {
            let message = "a passphrase is given, but `--encrypted` is not: nothing is encrypted";
            found.push(Diagnostic::new(&codes::NOT_ENCRYPTED, span, message).help("add `--encrypted`"));
        } else if encryption.encrypted && !known {
            let message = "the device is encrypted, but there is no passphrase: the installer has to ask";
            let code = if unattended(kickstart).is_some() { &codes::WOULD_ASK } else { &codes::NO_PASSPHRASE };
            found.push(unasked(Diagnostic::new(code, span, message).help("add `--passphrase=`"), kickstart));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{ParseOptions, parse};

    const REST: &str = "rootpw --plaintext x\nostreecontainer --url=quay.io/a/b\n";

    fn codes(text: &str) -> Vec<(&'static str, usize)> {
        let parsed = parse(&format!("{text}{REST}"), "a.ks", &ParseOptions::default());
        parsed.diagnostics.iter().map(|d| (d.code, parsed.sources.locate(d.span).line)).collect()
    }

    #[test]
    fn parts_of_devices_are_followed() {
        for (text, expected) in [
            ("part pv.1 --size=1\nvolgroup a pv.1\nlogvol / --vgname=a --name=r --size=300\n", vec![]),
            ("volgroup a pv.1\nlogvol / --vgname=a --name=r --size=300\n", vec![("L014", 1)]),
            ("part / --size=300\npart pv.1 --size=1\n", vec![("L015", 2)]),
            ("part / --size=300\npart pv.1 --size=1\nvolgroup a pv.1\nvolgroup b pv.1\n", vec![("L016", 4)]),
            ("part pv.1 --size=1\nvolgroup a pv.1\nlogvol / --vgname=b --name=r --size=300\n", vec![("L017", 3)]),
            ("logvol / --vgname=b --name=r --useexisting\n", vec![]),
            ("part / --size=300\nraid /a --level=1 --device=0 sda1 sdb1\n", vec![]),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
    }

    #[test]
    fn thin_volumes_need_their_pool() {
        let head = "part pv.1 --size=1\nvolgroup a pv.1\n";
        let pool = "logvol none --thinpool --name=p --vgname=a --size=900\n";
        let volume = "logvol / --thin --poolname=p --name=r --vgname=a --size=900\n";
        assert_eq!(codes(&format!("{head}{pool}{volume}")), []);
        assert_eq!(codes(&format!("{head}{volume}")), [("L017", 3)]);
    }

    #[test]
    fn mount_points_make_sense() {
        for (text, expected) in [
            ("part / --size=300\npart swap --size=1\npart biosboot --size=1\n", vec![]),
            ("part / --size=300\npart home --size=1\n", vec![("L018", 2)]),
            ("part / --size=300\npart /etc --size=1\n", vec![("L019", 2)]),
            ("part / --size=100\n", vec![("L020", 1)]),
            ("part / --size=100 --grow\n", vec![]),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
    }

    #[test]
    fn devices_can_be_made() {
        for (text, expected) in [
            ("part / --size=300\nraid /a --level=5 --device=0 a b\n", vec![("L021", 2)]),
            ("part / --size=300\nraid /a --level=1 --device=0 --spares=1 a b\n", vec![("L021", 2)]),
            ("part / --size=300 --noformat\n", vec![("L022", 1)]),
            ("part / --size=300 --passphrase=x\n", vec![("L023", 1)]),
            ("part / --size=300 --encrypted\n", vec![("L024", 1)]),
            ("part / --size=300 --encrypted --passphrase=x\npart /a --size=1 --encrypted\n", vec![]),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
    }
}

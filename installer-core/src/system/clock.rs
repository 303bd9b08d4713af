//! The clock: its zone, the hardware's, and where the time comes from.

use super::change::{Change, Facts, Findings, Topic};
use super::units::{self, Meant};
use crate::image::SystemFacts;
use crate::request::{SystemSettings, TimeSource, TimeSync};

/// The changes for the clock.
pub fn changes(settings: &SystemSettings, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let mut list = Vec::new();
    // The default of every reader is UTC, so only the other way needs a file.
    if settings.clock_utc == Some(false) && settings.timezone.is_some() {
        list.push(Change::write("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n"));
    }
    if let Some(zone) = &settings.timezone {
        check_zone(zone, facts, found);
        let needs = format!("/usr/share/zoneinfo/{zone}");
        list.push(Change::Link { path: "/etc/localtime".into(), target: format!("..{needs}"), needs: Some(needs) });
    }
    match &settings.time_sync {
        None => {}
        Some(TimeSync::Off) => list.extend(off(facts)),
        Some(TimeSync::Sources(sources)) => list.extend(from(sources, facts, found)),
    }
    list
}

fn check_zone(zone: &String, facts: Facts<'_>, found: &mut Findings) {
    let zones = facts.map(|facts| facts.zones.as_slice()).unwrap_or_default();
    if zones.is_empty() || zones.contains(zone) {
        return;
    }
    let near = kickstart_parser::closest(zone, zones.iter().map(String::as_str));
    let hint = near.map(|near| format!("perhaps {near} is meant")).unwrap_or_default();
    found.note(Topic::Clock, format!("the image has no time zone {zone}; its own stays"), hint);
}

const CHRONY: &str = "chronyd.service";
const TIMESYNCD: &str = "systemd-timesyncd.service";

/// What the image calls `unit`, if it has it.
fn named(unit: &str, facts: &SystemFacts) -> Option<String> {
    match units::meant(unit, &facts.units) {
        Meant::Unit(unit) | Meant::Other(unit) => Some(unit),
        _ => None,
    }
}

fn off(facts: Facts<'_>) -> Vec<Change> {
    let both = [CHRONY, TIMESYNCD].into_iter();
    let units = both.filter_map(|unit| facts.map_or_else(|| Some(unit.to_owned()), |facts| named(unit, facts)));
    units.map(|unit| Change::Disable { unit }).collect()
}

fn from(sources: &[TimeSource], facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let Some(facts) = facts else {
        found.unknown("chrony");
        return chrony("/etc/chrony.conf", CHRONY, sources);
    };
    let files = ["/etc/chrony.conf", "/etc/chrony/chrony.conf"];
    let file = files.into_iter().find(|file| facts.has(file));
    if let (Some(unit), Some(file)) = (named(CHRONY, facts), file) {
        return chrony(file, &unit, sources);
    }
    if let Some(unit) = named(TIMESYNCD, facts) {
        if sources.iter().any(|source| source.nts) {
            found.lack(
                Topic::Clock,
                "the image has systemd-timesyncd, which cannot authenticate servers (NTS)",
                "add chrony to the image, or take the servers as they are",
            );
        }
        let hosts: Vec<&str> = sources.iter().map(|source| source.host.as_str()).collect();
        let text = format!("# Written by bootc-ks at installation.\n[Time]\nNTP={}\n", hosts.join(" "));
        return vec![Change::write("/etc/systemd/timesyncd.conf.d/bootc-ks.conf", text), Change::Enable { unit }];
    }
    // Anaconda installs all the same.
    found.note(
        Topic::Clock,
        "the time servers are not set: the image has neither chrony nor systemd-timesyncd",
        "add chrony to the image",
    );
    Vec::new()
}

fn chrony(path: &str, unit: &str, sources: &[TimeSource]) -> Vec<Change> {
    let line = |source: &TimeSource| {
        let kind = if source.pool { "pool" } else { "server" };
        format!("{kind} {} iburst{}", source.host, if source.nts { " nts" } else { "" })
    };
    vec![
        Change::Lines {
            path: path.to_owned(),
            without: ["server", "pool", "peer"].map(str::to_owned).to_vec(),
            with: sources.iter().map(line).collect(),
        },
        Change::Enable { unit: unit.to_owned() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::UnitFacts;

    fn settings(sync: TimeSync) -> SystemSettings {
        SystemSettings { time_sync: Some(sync), ..SystemSettings::default() }
    }

    fn sources() -> TimeSync {
        let source = |host: &str, pool, nts| TimeSource { host: host.into(), pool, nts };
        TimeSync::Sources(vec![source("ntp.example", false, true), source("pool.example", true, false)])
    }

    fn facts(units: &[&str], files: &[&str]) -> SystemFacts {
        SystemFacts {
            units: units.iter().map(|unit| ((*unit).to_owned(), UnitFacts::default())).collect(),
            programs: files.iter().map(|file| (*file).to_owned()).collect(),
            ..SystemFacts::default()
        }
    }

    #[test]
    fn chrony_gets_the_servers_where_each_family_keeps_them() {
        for (unit, file) in [("chronyd.service", "/etc/chrony.conf"), ("chrony.service", "/etc/chrony/chrony.conf")] {
            let mut found = Findings::default();
            let list = changes(&settings(sources()), Some(&facts(&[unit], &[file])), &mut found);
            let Change::Lines { path, with, .. } = &list[0] else { panic!("{list:?}") };
            assert_eq!((path.as_str(), with[0].as_str()), (file, "server ntp.example iburst nts"));
            assert_eq!(with[1], "pool pool.example iburst");
            assert_eq!(list[1], Change::Enable { unit: unit.into() });
        }
    }

    #[test]
    fn timesyncd_cannot_authenticate_and_nothing_is_a_warning() {
        let mut found = Findings::default();
        let list = changes(&settings(sources()), Some(&facts(&[TIMESYNCD], &[])), &mut found);
        assert!(list[0].details()[2].ends_with("NTP=ntp.example pool.example") && found.list()[0].fatal);
        let mut found = Findings::default();
        assert!(changes(&settings(sources()), Some(&facts(&[], &[])), &mut found).is_empty());
        assert!(!found.list()[0].fatal);
    }

    #[test]
    fn no_time_from_the_network_is_no_service() {
        let list = changes(&settings(TimeSync::Off), Some(&facts(&["chrony.service"], &[])), &mut Findings::default());
        assert_eq!(list, [Change::Disable { unit: "chrony.service".into() }]);
        assert_eq!(changes(&settings(TimeSync::Off), None, &mut Findings::default()).len(), 2);
    }
}

//! Connections: as NetworkManager's keyfiles, or as files of systemd-networkd where the image has
//! that alone.

mod keyfile;
mod names;
mod networkd;

use std::collections::BTreeMap;

use names::key_of;

use super::change::{Change, Facts, Findings, Topic};
use crate::image::SystemFacts;
use crate::request::{Connection, WirelessKey};
use crate::units::Secret;

/// Who makes the connections in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    NetworkManager,
    Networkd,
}

/// The changes for `connections`.
pub fn changes(connections: &[Connection], facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    // What every image does by itself needs no file.
    let wanted: Vec<&Connection> = connections.iter().filter(|one| !one.is_automatic()).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let manager = match facts {
        Some(facts) => manager(facts),
        None => {
            found.unknown("NetworkManager");
            Some(Manager::NetworkManager)
        }
    };
    match manager {
        Some(Manager::NetworkManager) => wanted.into_iter().flat_map(keyfile::changes).collect(),
        Some(Manager::Networkd) => networkd::changes(&wanted, facts, found),
        None => {
            found.lack(
                Topic::Network,
                "the image has neither NetworkManager nor systemd-networkd to make connections",
                "add one of them to the image",
            );
            Vec::new()
        }
    }
}

fn manager(facts: &SystemFacts) -> Option<Manager> {
    let unit = |name: &str| facts.units.contains_key(name);
    if unit("NetworkManager.service") {
        return Some(Manager::NetworkManager);
    }
    unit("systemd-networkd.service").then_some(Manager::Networkd)
}

/// The keys of wireless networks by what stands for them.
pub fn secrets(connections: &[Connection]) -> BTreeMap<String, Secret> {
    let key = |connection: &Connection| {
        let (WirelessKey::Wpa(key) | WirelessKey::Wep(key)) = connection.wireless.as_ref()?.key.clone()?;
        Some((key_of(&connection.name()), key))
    };
    connections.iter().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::UnitFacts;
    use crate::request::{Ipv6, NetDevice, Wireless};

    fn facts(units: &[&str]) -> SystemFacts {
        let units = units.iter().map(|unit| ((*unit).to_owned(), UnitFacts::default())).collect();
        SystemFacts { units, ..SystemFacts::default() }
    }

    #[test]
    fn the_image_decides_who_makes_them() {
        let one = [Connection { ipv6: Ipv6::Off, ..Connection::automatic() }];
        let path = |facts: Facts<'_>| {
            let list = changes(&one, facts, &mut Findings::default());
            list.first().map(Change::title).unwrap_or_default()
        };
        let both = facts(&["NetworkManager.service", "systemd-networkd.service"]);
        assert!(path(Some(&both)).contains("system-connections/default.nmconnection"));
        assert!(path(Some(&facts(&["systemd-networkd.service"]))).contains("/etc/systemd/network/"));
        assert!(path(None).contains("system-connections"));
        let mut found = Findings::default();
        changes(&one, Some(&facts(&[])), &mut found);
        assert!(found.list()[0].fatal);
    }

    #[test]
    fn what_happens_anyway_needs_nothing() {
        let mut found = Findings::default();
        assert!(changes(&[Connection::automatic()], Some(&facts(&[])), &mut found).is_empty());
        assert!(found.list().is_empty());
    }

    #[test]
    fn no_key_is_in_a_change() {
        let key = Secret::new("s3cret key");
        let wireless = Wireless { essid: "my net".into(), key: Some(WirelessKey::Wpa(key.clone())) };
        let device = NetDevice::Name("wlan0".into());
        let one = [Connection { wireless: Some(wireless), device, ..Connection::automatic() }];
        let list = changes(&one, None, &mut Findings::default());
        let json = serde_json::to_string(&list).unwrap();
        assert!(!json.contains("s3cret") && json.contains("psk=<key of wlan0>"), "{json}");
        assert_eq!(secrets(&one)["<key of wlan0>"], key);
    }
}

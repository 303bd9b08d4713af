//! Files of systemd-networkd (systemd.network(5), systemd.netdev(5)).

use std::collections::BTreeMap;

use super::names::file_name;
use crate::request::{Connection, Ipv4, Ipv6, Made, NetDevice};
use crate::system::change::{Change, Facts, Findings, Topic};

const DIR: &str = "/etc/systemd/network";

/// The files of all `connections`, and the units that they need.
pub fn changes(connections: &[&Connection], facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let mut list = Vec::new();
    for connection in connections {
        let name = connection.name();
        if connection.wireless.is_some() {
            let hint = "add NetworkManager to the image";
            found.lack(Topic::Network, "systemd-networkd of the image joins no wireless network", hint);
            continue;
        }
        dropped(connection, &name, found);
        list.extend(netdev(connection, &name));
        list.push(write(&format!("10-{}.network", file_name(&name)), network(connection, connections)));
        for member in members(connection) {
            let kind = if matches!(connection.made, Some(Made::Bond { .. })) { "Bond" } else { "Bridge" };
            let mut text = format!("[Match]\nName={member}\n\n[Network]\n{kind}={name}\n");
            if is_primary(connection, member) {
                text.push_str("PrimarySlave=yes\n");
            }
            list.push(write(&format!("10-{}-port-{member}.network", file_name(&name)), text));
        }
    }
    list.extend(parents(connections));
    let there = |unit: &str| facts.is_some_and(|facts| facts.units.contains_key(unit));
    list.push(Change::Enable { unit: "systemd-networkd.service".into() });
    let servers = connections.iter().any(|connection| !connection.nameservers.is_empty());
    if there("systemd-resolved.service") {
        list.push(Change::Enable { unit: "systemd-resolved.service".into() });
    } else if servers {
        found.note(
            Topic::Network,
            "the name servers have no effect: the image has no systemd-resolved, which would ask them",
            "add systemd-resolved to the image",
        );
    }
    list
}

fn write(name: &str, text: String) -> Change {
    Change::write(format!("{DIR}/{name}"), text)
}

/// A file for each device that VLANs stand on and that no connection is for.
fn parents(connections: &[&Connection]) -> Vec<Change> {
    let mut vlans: BTreeMap<&str, String> = BTreeMap::new();
    for connection in connections {
        if let Some(Made::Vlan { parent, .. }) = &connection.made {
            let known = connections.iter().any(|other| other.device == NetDevice::Name(parent.clone()));
            let lines = vlans.entry(parent).or_default();
            if !known {
                lines.push_str(&format!("VLAN={}\n", connection.name()));
            }
        }
    }
    let file = |(parent, lines): (&str, String)| {
        let text = format!("[Match]\nName={parent}\n\n[Network]\nLinkLocalAddressing=no\n{lines}");
        (!lines.is_empty()).then(|| write(&format!("10-{}.network", file_name(parent)), text))
    };
    vlans.into_iter().filter_map(file).collect()
}

fn members(connection: &Connection) -> &[String] {
    match &connection.made {
        Some(Made::Bond { members, .. } | Made::Bridge { members, .. }) => members,
        _ => &[],
    }
}

/// Whether a bond prefers this member, which networkd says of the member.
fn is_primary(connection: &Connection, member: &str) -> bool {
    let Some(Made::Bond { options, .. }) = &connection.made else { return false };
    options.iter().any(|(key, value)| key == "primary" && value == member)
}

/// Says of every option that networkd has no word for that it has no effect.
fn dropped(connection: &Connection, name: &str, found: &mut Findings) {
    type Known = fn(&str, &str) -> Option<(&'static str, String)>;
    let (options, known, what): (_, Known, _) = match &connection.made {
        Some(Made::Bond { options, .. }) => (options, bond_option, "bond"),
        Some(Made::Bridge { options, .. }) => (options, bridge_option, "bridge"),
        _ => return,
    };
    let unknown: Vec<&str> = options
        .iter()
        .filter(|(key, value)| known(key, value).is_none() && !(what == "bond" && key == "primary"))
        .map(|(key, _)| key.as_str())
        .collect();
    if !unknown.is_empty() {
        let message = format!(
            "of the {what} '{name}' these options have no effect, which systemd-networkd of the image does not have: {}",
            unknown.join(", ")
        );
        found.note(Topic::Network, message, "leave them out, or add NetworkManager to the image");
    }
}

/// The device that is made.
fn netdev(connection: &Connection, name: &str) -> Option<Change> {
    let (kind, section) = match connection.made.as_ref()? {
        Made::Bond { options, .. } => ("bond", options_of("Bond", options, bond_option)),
        Made::Bridge { options, .. } => ("bridge", options_of("Bridge", options, bridge_option)),
        Made::Vlan { id, .. } => ("vlan", format!("\n[VLAN]\nId={id}\n")),
    };
    let text = format!("[NetDev]\nName={name}\nKind={kind}\n{section}");
    Some(write(&format!("10-{}.netdev", file_name(name)), text))
}

fn options_of(
    section: &str,
    options: &[(String, String)],
    known: fn(&str, &str) -> Option<(&'static str, String)>,
) -> String {
    let lines: String = options
        .iter()
        .filter_map(|(key, value)| known(key, value))
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect();
    if lines.is_empty() { lines } else { format!("\n[{section}]\n{lines}") }
}

/// The kernel's name of a bond's option as networkd calls it. Times are in milliseconds.
fn bond_option(key: &str, value: &str) -> Option<(&'static str, String)> {
    let millis = || format!("{value}ms");
    Some(match key {
        "mode" => ("Mode", value.to_owned()),
        "miimon" => ("MIIMonitorSec", millis()),
        "updelay" => ("UpDelaySec", millis()),
        "downdelay" => ("DownDelaySec", millis()),
        "arp_interval" => ("ARPIntervalSec", millis()),
        "arp_ip_target" => ("ARPIPTargets", value.replace(',', " ")),
        "lacp_rate" => ("LACPTransmitRate", value.to_owned()),
        "xmit_hash_policy" => ("TransmitHashPolicy", value.to_owned()),
        "fail_over_mac" => ("FailOverMACPolicy", value.to_owned()),
        "primary_reselect" => ("PrimaryReselectPolicy", value.to_owned()),
        "lp_interval" => ("LearnPacketIntervalSec", value.to_owned()),
        "ad_select" => ("AdSelect", value.to_owned()),
        "ad_actor_sys_prio" => ("AdActorSystemPriority", value.to_owned()),
        "ad_actor_system" => ("AdActorSystem", value.to_owned()),
        "ad_user_port_key" => ("AdUserPortKey", value.to_owned()),
        "arp_validate" => ("ARPValidate", value.to_owned()),
        "arp_all_targets" => ("ARPAllTargets", value.to_owned()),
        "arp_missed_max" => ("ARPMissedMax", value.to_owned()),
        "resend_igmp" => ("ResendIGMP", value.to_owned()),
        "packets_per_slave" => ("PacketsPerSlave", value.to_owned()),
        "num_grat_arp" | "num_unsol_na" => ("GratuitousARP", value.to_owned()),
        "all_slaves_active" => ("AllSlavesActive", value.to_owned()),
        "tlb_dynamic_lb" => ("DynamicTransmitLoadBalancing", value.to_owned()),
        "min_links" => ("MinLinks", value.to_owned()),
        _ => return None,
    })
}

fn bridge_option(key: &str, value: &str) -> Option<(&'static str, String)> {
    Some(match key {
        "stp" => ("STP", value.to_owned()),
        "priority" => ("Priority", value.to_owned()),
        "forward-delay" => ("ForwardDelaySec", value.to_owned()),
        "hello-time" => ("HelloTimeSec", value.to_owned()),
        "max-age" => ("MaxAgeSec", value.to_owned()),
        "ageing-time" => ("AgeingTimeSec", value.to_owned()),
        "group-forward-mask" => ("GroupForwardMask", value.to_owned()),
        "multicast-snooping" => ("MulticastSnooping", value.to_owned()),
        "vlan-filtering" => ("VLANFiltering", value.to_owned()),
        "vlan-default-pvid" => ("DefaultPVID", value.to_owned()),
        "vlan-protocol" => ("VLANProtocol", value.to_owned()),
        _ => return None,
    })
}

fn network(connection: &Connection, all: &[&Connection]) -> String {
    let mut text = String::from("[Match]\n");
    match &connection.device {
        NetDevice::Name(name) => text.push_str(&format!("Name={name}\n")),
        NetDevice::Mac(mac) => text.push_str(&format!("MACAddress={mac}\n")),
        NetDevice::FirstWithLink => text.push_str("Type=ether\nKind=!*\n"),
    }
    let mut link = connection.mtu.map(|mtu| format!("MTUBytes={mtu}\n")).unwrap_or_default();
    if !connection.on_boot {
        link.push_str("ActivationPolicy=manual\n");
    }
    if !link.is_empty() {
        text.push_str(&format!("\n[Link]\n{link}"));
    }
    text.push_str("\n[Network]\n");
    text.push_str(addresses(connection).as_str());
    for other in all {
        if let Some(Made::Vlan { parent, .. }) = &other.made
            && connection.device == NetDevice::Name(parent.clone())
            && connection.made != other.made
        {
            text.push_str(&format!("VLAN={}\n", other.name()));
        }
    }
    text + &protocols(connection)
}

fn addresses(connection: &Connection) -> String {
    let mut text = String::new();
    let dhcp = match (connection.ipv4, connection.ipv6) {
        (Ipv4::Auto, Ipv6::Dhcp) => "yes",
        (Ipv4::Auto, _) => "ipv4",
        (_, Ipv6::Dhcp) => "ipv6",
        _ => "no",
    };
    text.push_str(&format!("DHCP={dhcp}\n"));
    let mut gateways = Vec::new();
    if let Ipv4::Static { address, prefix, gateway } = connection.ipv4 {
        text.push_str(&format!("Address={address}/{prefix}\n"));
        gateways.extend(gateway.map(|gateway| gateway.to_string()));
    }
    match connection.ipv6 {
        Ipv6::Static { address, prefix, gateway } => {
            text.push_str(&format!("Address={address}/{prefix}\nIPv6AcceptRA=no\n"));
            gateways.extend(gateway.map(|gateway| gateway.to_string()));
        }
        Ipv6::Off => text.push_str("LinkLocalAddressing=no\nIPv6AcceptRA=no\n"),
        Ipv6::Auto | Ipv6::Dhcp => text.push_str("IPv6AcceptRA=yes\n"),
    }
    for gateway in gateways.iter().filter(|_| !connection.no_default_route) {
        text.push_str(&format!("Gateway={gateway}\n"));
    }
    connection.nameservers.iter().for_each(|server| text.push_str(&format!("DNS={server}\n")));
    let search: Vec<&str> = connection.search.0.iter().chain(&connection.search.1).map(String::as_str).collect();
    if !search.is_empty() {
        text.push_str(&format!("Domains={}\n", search.join(" ")));
    }
    text
}

/// What the sections of DHCP and of router advertisements say.
fn protocols(connection: &Connection) -> String {
    let mut text = String::new();
    let mut section = |name: &str, no_dns: bool, class: Option<&String>| {
        let mut lines = String::new();
        if no_dns {
            lines.push_str("UseDNS=no\n");
        }
        if connection.no_default_route {
            lines.push_str("UseGateway=no\n");
        }
        if let Some(class) = class {
            lines.push_str(&format!("VendorClassIdentifier={class}\n"));
        }
        if !lines.is_empty() {
            text.push_str(&format!("\n[{name}]\n{lines}"));
        }
    };
    if connection.ipv4 == Ipv4::Auto {
        section("DHCPv4", connection.ignore_auto_dns.0, connection.dhcp_class.as_ref());
    }
    if connection.ipv6 == Ipv6::Auto {
        section("IPv6AcceptRA", connection.ignore_auto_dns.1, None);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{SystemFacts, UnitFacts};

    #[test]
    fn options_that_networkd_lacks_are_named() {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let members = vec!["a".to_owned(), "b".to_owned()];
        let bond = Made::Bond {
            members: members.clone(),
            options: pairs(&[("mode", "1"), ("primary", "b"), ("use_carrier", "1"), ("lacp_active", "on")]),
        };
        let bridge = Made::Bridge { members, options: pairs(&[("stp", "yes"), ("mac-address", "x")]) };
        let device = |name: &str, made| Connection {
            device: NetDevice::Name(name.into()),
            made: Some(made),
            ..Connection::automatic()
        };
        let (bond, bridge) = (device("bond0", bond), device("bridge0", bridge));
        let mut found = Findings::default();
        let list = changes(&[&bond, &bridge], Some(&SystemFacts::default()), &mut found);
        let told: Vec<&str> = found.list().iter().map(|one| one.message.as_str()).collect();
        assert!(told[0].ends_with(": use_carrier, lacp_active") && told[1].ends_with(": mac-address"), "{told:?}");
        let port = |name: &str| list.iter().find(|one| one.title().ends_with(name)).unwrap().details().join("\n");
        assert!(port("bond0-port-b.network").contains("PrimarySlave=yes"));
        assert!(!port("bond0-port-a.network").contains("PrimarySlave"));
    }

    fn files(connections: &[&Connection]) -> Vec<(String, String)> {
        let mut facts = SystemFacts::default();
        facts.units.insert("systemd-resolved.service".into(), UnitFacts::default());
        let list = changes(connections, Some(&facts), &mut Findings::default());
        let pair = |change| match change {
            Change::Write { path, content, .. } => Some((path.trim_start_matches(DIR).to_owned(), content)),
            _ => None,
        };
        list.into_iter().filter_map(pair).collect()
    }

    #[test]
    fn a_server_has_the_address_that_was_asked_for() {
        let connection = Connection {
            device: NetDevice::Name("ens3".into()),
            ipv4: Ipv4::Static {
                address: "10.0.0.2".parse().unwrap(),
                prefix: 24,
                gateway: Some("10.0.0.1".parse().unwrap()),
            },
            ipv6: Ipv6::Off,
            nameservers: vec!["1.1.1.1".parse().unwrap()],
            mtu: Some(1400),
            ..Connection::automatic()
        };
        let expected = "[Match]\nName=ens3\n\n[Link]\nMTUBytes=1400\n\n[Network]\nDHCP=no\nAddress=10.0.0.2/24\n\
            LinkLocalAddressing=no\nIPv6AcceptRA=no\nGateway=10.0.0.1\nDNS=1.1.1.1\n";
        assert_eq!(files(&[&connection]), [("/10-ens3.network".to_owned(), expected.to_owned())]);
    }

    #[test]
    fn a_vlan_is_named_by_the_device_that_it_stands_on() {
        let vlan = Some(Made::Vlan { parent: "ens3".into(), id: 7 });
        let vlan = Connection { device: NetDevice::Name("ens3.7".into()), made: vlan, ..Connection::automatic() };
        let below = Connection { device: NetDevice::Name("ens3".into()), ipv4: Ipv4::Off, ..Connection::automatic() };
        let list = files(&[&below, &vlan]);
        assert!(list[0].1.contains("VLAN=ens3.7\n"), "{list:?}");
        assert_eq!(list[1], ("/10-ens3.7.netdev".into(), "[NetDev]\nName=ens3.7\nKind=vlan\n\n[VLAN]\nId=7\n".into()));
    }

    #[test]
    fn a_device_that_only_carries_vlans_is_brought_up() {
        let vlan = Some(Made::Vlan { parent: "ens3".into(), id: 7 });
        let vlan = Connection { device: NetDevice::Name("vlan7".into()), made: vlan, ..Connection::automatic() };
        let list = files(&[&vlan]);
        let last = &list[list.len() - 1];
        assert_eq!(last.0, "/10-ens3.network");
        assert!(last.1.ends_with("VLAN=vlan7\n"), "{list:?}");
    }

    #[test]
    fn a_bond_has_its_options_and_its_ports() {
        let options = vec![("mode".to_owned(), "802.3ad".to_owned()), ("miimon".to_owned(), "100".to_owned())];
        let made = Some(Made::Bond { members: vec!["a".into()], options });
        let bond = Connection { device: NetDevice::Name("bond0".into()), made, ..Connection::automatic() };
        let list = files(&[&bond]);
        assert!(list[0].1.ends_with("[Bond]\nMode=802.3ad\nMIIMonitorSec=100ms\n"), "{list:?}");
        assert_eq!(list[2].1, "[Match]\nName=a\n\n[Network]\nBond=bond0\n");
    }

    #[test]
    fn nothing_announced_is_used_where_that_is_asked_for() {
        let connection = Connection {
            ignore_auto_dns: (true, true),
            no_default_route: true,
            dhcp_class: Some("c".into()),
            on_boot: false,
            ..Connection::automatic()
        };
        let text = &files(&[&connection])[0].1;
        assert!(text.contains("Type=ether\nKind=!*\n") && text.contains("ActivationPolicy=manual"), "{text}");
        assert!(text.contains("[DHCPv4]\nUseDNS=no\nUseGateway=no\nVendorClassIdentifier=c\n"), "{text}");
        assert!(text.contains("[IPv6AcceptRA]\nUseDNS=no\nUseGateway=no\n"), "{text}");
    }
}

//! `network`: connections. What cannot be an address is found here, with its place in the file.

use std::collections::BTreeMap;
use std::net::IpAddr;

use kickstart_parser::kickstart::{BootProto, Kickstart, Network};

use super::Reader;
use crate::request::network::{Connection, Ipv4, Ipv6, Made, NetDevice, Wireless, WirelessKey};
use crate::units::Secret;

/// Something about a line that cannot be used: what, and what to write.
type Bad = (String, &'static str);

impl Reader<'_> {
    /// The connections, each line by itself; a name or an address that two of them claim is refused.
    pub(super) fn connections(&mut self, kickstart: &Kickstart) -> Vec<Connection> {
        let mut list: Vec<Connection> = Vec::new();
        let (mut names, mut addresses) = (BTreeMap::new(), BTreeMap::new());
        for network in kickstart.network.iter().filter(|network| !is_host_name_alone(network)) {
            if self.refuse_network(network) {
                continue;
            }
            let connection = match connection(network) {
                Ok(connection) => connection,
                Err((message, help)) => {
                    self.bad(network.span, format!("network: {message}"), help);
                    continue;
                }
            };
            let name = connection.name();
            if names.insert(name.clone(), network.span).is_some() {
                self.bad(
                    network.span,
                    format!("network: two lines make the connection '{name}'"),
                    "give each its own --device",
                );
                continue;
            }
            if let Ipv4::Static { address, .. } = connection.ipv4
                && addresses.insert(address, network.span).is_some()
            {
                self.bad(
                    network.span,
                    format!("network: two connections have the address {address}"),
                    "give each an address of its own",
                );
                continue;
            }
            list.push(connection);
        }
        list
    }

    /// Refuses what is not done, by name; true where there was something.
    fn refuse_network(&mut self, network: &Network) -> bool {
        let span = network.span;
        let image = "configure it in the image";
        for (given, what, help) in [
            (network.bootproto == Some(BootProto::Ibft), "--bootproto=ibft", "use `ip=ibft` in 'bootloader --append='"),
            (network.bootproto == Some(BootProto::Query), "--bootproto=query", "there is no one to ask; write static"),
            (!network.team_slaves.is_empty(), "--teamslaves", "NetworkManager drops teams; make a bond"),
            (network.team_config.is_some(), "--teamconfig", "NetworkManager drops teams; make a bond"),
        ] {
            if given {
                self.refuse(span, format!("network {what} is not supported"), help);
                return true;
            }
        }
        self.warn_if(network.ethtool.is_some(), span, "network --ethtool has no effect", image);
        false
    }
}

/// A line that names the host and asks for no connection.
fn is_host_name_alone(network: &Network) -> bool {
    let rest = Network { hostname: None, span: network.span, activate: None, ..network.clone() };
    rest == Network { span: network.span, ..Network::default() }
}

fn connection(network: &Network) -> Result<Connection, Bad> {
    let nameservers = list(network.nameservers.as_deref());
    let nameservers: Result<Vec<IpAddr>, Bad> = nameservers.iter().map(|text| address(text, "--nameserver")).collect();
    let search = |text: &Option<String>| list(text.as_deref());
    let mut connection = Connection {
        device: device(network)?,
        made: made(network)?,
        ipv4: ipv4(network)?,
        ipv6: ipv6(network)?,
        nameservers: nameservers?,
        search: (search(&network.ipv4_dns_search), search(&network.ipv6_dns_search)),
        ignore_auto_dns: (
            network.ipv4_ignore_auto_dns || network.no_dns,
            network.ipv6_ignore_auto_dns || network.no_dns,
        ),
        no_default_route: network.no_default_route,
        mtu: number(network.mtu.as_deref(), "--mtu")?,
        dhcp_class: network.dhcp_class.clone(),
        on_boot: network.on_boot != Some(false),
        wireless: wireless(network)?,
    };
    for text in connection.search.0.iter().chain(&connection.search.1).chain(&connection.dhcp_class) {
        one_line(text)?;
    }
    // A VLAN stands on the device that is named, and has a name of its own.
    if let Some(Made::Vlan { parent, id }) = &connection.made {
        let name = network.interface_name.clone().unwrap_or_else(|| format!("{parent}.{id}"));
        connection.device = NetDevice::Name(interface(&name)?);
    }
    if let (Some(_), NetDevice::FirstWithLink | NetDevice::Mac(_)) = (&connection.made, &connection.device) {
        return Err(("a bond or bridge has no name".into(), "name it: --device=bond0"));
    }
    Ok(connection)
}

fn list(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split([',', ';']).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn address<T: std::str::FromStr>(text: &str, option: &str) -> Result<T, Bad> {
    text.trim().parse().map_err(|_| (format!("{option}: '{text}' is no address"), "write an address, without a name"))
}

fn number(text: Option<&str>, option: &str) -> Result<Option<u32>, Bad> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_| (format!("{option}: '{text}' is no number"), "write a number"))
}

/// What goes into a line of a file must not begin another one.
fn one_line(text: &str) -> Result<(), Bad> {
    if text.chars().any(char::is_control) {
        return Err((format!("{text:?} has characters that a configuration file cannot hold"), "leave them out"));
    }
    Ok(())
}

/// The kernel's rule for the name of an interface.
fn interface(name: &str) -> Result<String, Bad> {
    let good = |c: char| c.is_ascii_graphic() && !"/:'\"\\".contains(c);
    if name.is_empty() || name.len() > 15 || matches!(name, "." | "..") || !name.chars().all(good) {
        return Err((format!("'{name}' cannot be the name of an interface"), "write one such as ens3, or link"));
    }
    Ok(name.to_owned())
}

fn mac(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let pair = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    (parts.len() == 6 && parts.iter().all(pair)).then(|| parts.join(":").to_ascii_uppercase())
}

fn device(network: &Network) -> Result<NetDevice, Bad> {
    Ok(match network.device.as_deref() {
        // The one that the machine started from has its cable in.
        None | Some("link" | "bootif" | "ibft") => NetDevice::FirstWithLink,
        Some(text) => match mac(text) {
            Some(mac) => NetDevice::Mac(mac),
            None => NetDevice::Name(interface(text)?),
        },
    })
}

fn made(network: &Network) -> Result<Option<Made>, Bad> {
    let members = |text: &String| list(Some(text)).iter().map(|name| interface(name)).collect::<Result<Vec<_>, _>>();
    let some = |members: Vec<String>, what: &str| match members.is_empty() {
        true => Err((format!("{what} has no devices"), "name them, separated by commas")),
        false => Ok(members),
    };
    if let Some(slaves) = &network.bond_slaves {
        let options = options(network.bond_options.as_deref(), "--bondopts")?;
        if let Some((key, _)) = options.iter().find(|(key, _)| !BOND_OPTIONS.contains(&key.as_str())) {
            return Err((
                format!("--bondopts: no bond has an option '{key}'"),
                "look at the spelling, or leave it out",
            ));
        }
        return Ok(Some(Made::Bond { members: some(members(slaves)?, "a bond")?, options }));
    }
    if let Some(slaves) = &network.bridge_slaves {
        let options = options(network.bridge_options.as_deref(), "--bridgeopts")?;
        return Ok(Some(Made::Bridge { members: some(members(slaves)?, "a bridge")?, options }));
    }
    let Some(id) = &network.vlan_id else { return Ok(None) };
    let good = id.parse::<u16>().ok().filter(|id| *id < 4095);
    let id = good.ok_or_else(|| (format!("--vlanid: '{id}' is no number below 4095"), "write the VLAN's number"))?;
    match &network.device {
        Some(parent) => Ok(Some(Made::Vlan { parent: interface(parent)?, id })),
        None => Err(("a VLAN stands on no device".into(), "name it: --device=ens3")),
    }
}

/// What bonds of the kernel and of NetworkManager have. With an option that is none, NetworkManager takes
/// nothing of the connection.
const BOND_OPTIONS: &[&str] = &[
    "active_slave",
    "ad_actor_sys_prio",
    "ad_actor_system",
    "ad_select",
    "ad_user_port_key",
    "all_slaves_active",
    "arp_all_targets",
    "arp_interval",
    "arp_ip_target",
    "arp_missed_max",
    "arp_validate",
    "balance-slb",
    "broadcast_neighbor",
    "coupled_control",
    "downdelay",
    "fail_over_mac",
    "lacp_active",
    "lacp_rate",
    "lp_interval",
    "miimon",
    "min_links",
    "mode",
    "ns_ip6_target",
    "num_grat_arp",
    "num_unsol_na",
    "packets_per_slave",
    "peer_notif_delay",
    "primary",
    "primary_reselect",
    "resend_igmp",
    "tlb_dynamic_lb",
    "updelay",
    "use_carrier",
    "xmit_hash_policy",
];

/// `mode=active-backup,miimon=100`, or with semicolons where an option has a list.
fn options(text: Option<&str>, option: &str) -> Result<Vec<(String, String)>, Bad> {
    let text = text.unwrap_or_default();
    let separator = if text.contains(';') { ';' } else { ',' };
    let pair = |part: &str| {
        one_line(part)?;
        let pair = part.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        let word = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        pair.filter(|(key, _)| word(key))
            .ok_or_else(|| (format!("{option}: '{part}' is no option with a value"), "write KEY=VALUE,KEY=VALUE"))
    };
    text.split(separator).map(str::trim).filter(|part| !part.is_empty()).map(pair).collect()
}

fn ipv4(network: &Network) -> Result<Ipv4, Bad> {
    let is_static = match network.bootproto {
        Some(protocol) => protocol == BootProto::Static,
        None => network.ip.is_some(),
    };
    if network.no_ipv4 {
        return Ok(Ipv4::Off);
    }
    if !is_static {
        return Ok(Ipv4::Auto);
    }
    let Some(ip) = &network.ip else {
        // An address of IPv6 alone is one as well.
        let six = network.ipv6.as_deref().is_some_and(|six| !matches!(six, "auto" | "dhcp" | "ignore"));
        return if six {
            Ok(Ipv4::Off)
        } else {
            Err(("--bootproto=static without --ip".into(), "write --ip and --netmask"))
        };
    };
    let (ip, own) = match ip.split_once('/') {
        Some((ip, prefix)) => (ip, Some(prefix)),
        None => (ip.as_str(), None),
    };
    let prefix = match (own, &network.netmask) {
        (Some(prefix), _) => prefix.parse::<u8>().ok().filter(|prefix| *prefix <= 32),
        (None, Some(mask)) => prefix_of(address::<std::net::Ipv4Addr>(mask, "--netmask")?.into()),
        (None, None) => return Err(("--ip without --netmask".into(), "write --netmask=255.255.255.0")),
    };
    let prefix =
        prefix.ok_or_else(|| ("--netmask is no network's mask".to_owned(), "write --netmask=255.255.255.0"))?;
    let gateway = network.gateway.as_deref().map(|text| address(text, "--gateway")).transpose()?;
    Ok(Ipv4::Static { address: address(ip, "--ip")?, prefix, gateway })
}

/// How many ones a mask begins with, if nothing but zeros follows.
fn prefix_of(mask: u32) -> Option<u8> {
    let ones = mask.leading_ones();
    (mask.count_ones() == ones).then(|| u8::try_from(ones).unwrap_or(32))
}

fn ipv6(network: &Network) -> Result<Ipv6, Bad> {
    if network.no_ipv6 {
        return Ok(Ipv6::Off);
    }
    let text = match network.ipv6.as_deref() {
        None | Some("auto") => return Ok(Ipv6::Auto),
        Some("dhcp") => return Ok(Ipv6::Dhcp),
        Some("ignore") => return Ok(Ipv6::Off),
        Some(text) => text,
    };
    let (ip, prefix) = text.split_once('/').unwrap_or((text, "64"));
    let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= 128);
    let prefix = prefix.ok_or_else(|| (format!("--ipv6: '{text}' has no good prefix"), "write ADDRESS/64"))?;
    let gateway = network.ipv6_gateway.as_deref().map(|text| address(text, "--ipv6gateway")).transpose()?;
    Ok(Ipv6::Static { address: address(ip, "--ipv6")?, prefix, gateway })
}

fn wireless(network: &Network) -> Result<Option<Wireless>, Bad> {
    let Some(essid) = &network.essid else { return Ok(None) };
    one_line(essid)?;
    let one = |key: &Secret| match key.expose().chars().any(char::is_control) {
        // Its text stays out of the message.
        true => Err(("the key of the wireless network has characters that no file can hold".to_owned(), "mend it")),
        false => Ok(key.clone()),
    };
    let key = match (&network.wpa_key, &network.wep_key) {
        (Some(key), _) => Some(WirelessKey::Wpa(one(key)?)),
        (None, Some(key)) => Some(WirelessKey::Wep(one(key)?)),
        (None, None) => None,
    };
    Ok(Some(Wireless { essid: essid.clone(), key }))
}

#[cfg(test)]
mod tests {
    use kickstart_parser::{ParseOptions, parse};

    use super::super::from_kickstart;
    use super::*;

    fn read(text: &str) -> (Vec<Connection>, Vec<String>) {
        let parsed = parse(text, "site.ks", &ParseOptions::default());
        let (request, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
        (request.system.connections, found.into_iter().map(|d| format!("{} {}", d.code, d.message)).collect())
    }

    #[test]
    fn what_every_image_does_is_automatic() {
        for line in ["network --bootproto=dhcp", "network --bootproto=dhcp --device=link --activate --onboot=on"] {
            let (list, found) = read(line);
            assert!(list[0].is_automatic() && found.is_empty(), "{line}: {list:?} {found:?}");
        }
        assert_eq!(read("network --hostname=box --activate").0, []);
        assert!(!read("network --device=eth0 --bootproto=dhcp --noipv6").0[0].is_automatic());
    }

    #[test]
    fn addresses_are_addresses() {
        let (list, found) = read(
            "network --device=ens3 --bootproto=static --ip=10.0.0.2 --netmask=255.255.255.0 --gateway=10.0.0.1 \
             --nameserver=1.1.1.1,2001:db8::53 --ipv6=2001:db8::2/64 --ipv6gateway=2001:db8::1 --mtu=9000 --onboot=no",
        );
        assert_eq!(found, Vec::<String>::new());
        let Ipv4::Static { prefix: 24, gateway: Some(_), .. } = list[0].ipv4 else { panic!("{list:?}") };
        let Ipv6::Static { prefix: 64, .. } = list[0].ipv6 else { panic!("{list:?}") };
        assert_eq!((list[0].nameservers.len(), list[0].mtu, list[0].on_boot), (2, Some(9000), false));
    }

    #[test]
    fn devices_are_made() {
        let (list, found) = read(
            "network --device=bond0 --bondslaves=a,b --bondopts=mode=active-backup,miimon=100\n\
             network --device=bridge0 --bridgeslaves=c --bridgeopts=stp=no\n\
             network --device=ens3 --vlanid=7 --bootproto=dhcp\nnetwork --device=52-54-00-12-34-58 --bindto=mac\n",
        );
        assert_eq!(found, Vec::<String>::new());
        let names: Vec<String> = list.iter().map(Connection::name).collect();
        assert_eq!(names, ["bond0", "bridge0", "ens3.7", "52-54-00-12-34-58"]);
        assert_eq!(list[3].device, NetDevice::Mac("52:54:00:12:34:58".into()));
    }

    #[test]
    fn what_cannot_be_used_is_said_with_its_place() {
        for (line, word) in [
            ("network --device=ens3 --bootproto=static --ip=10.0.0.300 --netmask=255.0.0.0", "10.0.0.300"),
            ("network --device=ens3 --bootproto=static --ip=10.0.0.3 --netmask=255.0.255.0", "mask"),
            ("network --device=ens3 --bootproto=static", "without --ip"),
            ("network --device=ens3 --ip=10.0.0.3", "without --netmask"),
            ("network --device=bond0 --bondslaves=,", "no devices"),
            ("network --device=a-name-of-an-interface", "interface"),
            ("network --device=ens3 --nameserver=ns.example", "ns.example"),
            ("network --device=bond0 --bondslaves=a --bondopts=mode=1,mimon=100", "'mimon'"),
            (
                "network --device=a --ip=10.0.0.3 --netmask=255.0.0.0\nnetwork --device=b --ip=10.0.0.3 --netmask=255.0.0.0",
                "two connections",
            ),
        ] {
            let (_, found) = read(line);
            assert!(found.iter().any(|text| text.starts_with("R003") && text.contains(word)), "{line}: {found:?}");
        }
        for line in ["network --bootproto=ibft", "network --device=team0 --teamslaves=a,b"] {
            assert!(read(line).1.iter().any(|text| text.starts_with("R001")), "{line}");
        }
    }
}

//! The network of a machine as its kernel's command line has it (dracut.cmdline(7)), as connections. A
//! machine that was started with an address of its own is to keep it, if nothing else is said.

use std::net::{IpAddr, Ipv4Addr};

use super::network::{Connection, Ipv4, Ipv6, Made, NetDevice};
use super::types::SystemSettings;

/// Gives the installed system the network that its installer was started with, where none is asked for.
/// Returns the words that nothing came of.
pub fn carry_over(cmdline: &str, system: &mut SystemSettings) -> Vec<String> {
    let Boot { connections, hostname, left } = read(cmdline);
    if !system.connections.is_empty() {
        // As in Anaconda, the kickstart has the last word.
        return Vec::new();
    }
    system.connections = connections.into_iter().filter(|one| !one.is_automatic()).collect();
    if system.hostname.is_none() {
        system.hostname = hostname;
    }
    left
}

/// What the words come to.
#[derive(Default)]
struct Boot {
    connections: Vec<Connection>,
    hostname: Option<String>,
    left: Vec<String>,
}

/// Words about the network that have no place in a connection here.
const OTHERS: &[&str] = &["rd.route", "team", "ifname", "rd.znet", "rd.peerdns"];

fn read(cmdline: &str) -> Boot {
    let mut boot = Boot::default();
    let mut servers: Vec<IpAddr> = Vec::new();
    for word in cmdline.split_whitespace() {
        let Some((key, value)) = word.split_once('=') else { continue };
        let done = match key {
            "ip" => boot.address(value),
            "nameserver" => bare(value).parse().map(|server| servers.push(server)).ok(),
            "vlan" => boot.vlan(value),
            "bond" => boot.bond(value),
            "bridge" => boot.bridge(value),
            _ => (!OTHERS.contains(&key)).then_some(()),
        };
        if done.is_none() {
            boot.left.push(word.to_owned());
        }
    }
    if !servers.is_empty() && boot.connections.is_empty() {
        boot.connections.push(Connection::automatic());
    }
    let carriers =
        |one: &&mut Connection| one.ipv4 != Ipv4::Off || matches!(one.ipv6, Ipv6::Static { .. } | Ipv6::Dhcp);
    for connection in boot.connections.iter_mut().filter(carriers) {
        connection.nameservers.extend(&servers);
    }
    boot
}

/// An address of IPv6 stands in brackets.
fn bare(text: &str) -> &str {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text)
}

/// The parts between colons that are in no brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ':' if !inside => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn interface(name: &str) -> Option<String> {
    let good = |c: char| c.is_ascii_graphic() && !"/:'\"\\".contains(c);
    let fine = !name.is_empty() && name.len() <= 15 && !matches!(name, "." | "..") && name.chars().all(good);
    fine.then(|| name.to_owned())
}

/// How addresses are got.
fn method(word: &str) -> Option<(Ipv4, Ipv6)> {
    Some(match word {
        "dhcp" | "on" | "any" | "dhcp4" => (Ipv4::Auto, Ipv6::Auto),
        "single-dhcp" => (Ipv4::Auto, Ipv6::Auto),
        "dhcp6" => (Ipv4::Off, Ipv6::Dhcp),
        "auto6" | "either6" => (Ipv4::Off, Ipv6::Auto),
        _ => return None,
    })
}

impl Boot {
    /// The connection of this device, which is made where there is none.
    fn of(&mut self, name: &str) -> Option<&mut Connection> {
        let device = match name {
            "" => NetDevice::FirstWithLink,
            name => NetDevice::Name(interface(name)?),
        };
        let at = match self.connections.iter().position(|one| one.device == device) {
            Some(at) => at,
            None => {
                // Until its own `ip=` is read it has no address.
                let none = (Ipv4::Off, Ipv6::Off);
                self.connections.push(Connection { device, ipv4: none.0, ipv6: none.1, ..Connection::automatic() });
                self.connections.len() - 1
            }
        };
        self.connections.get_mut(at)
    }

    /// `METHOD`, `INTERFACE:METHOD[:MTU[:MAC]]`, or
    /// `ADDRESS:PEER:GATEWAY:NETMASK:HOSTNAME:INTERFACE:METHOD[:MTU[:MAC] | :DNS[:DNS]]`.
    fn address(&mut self, value: &str) -> Option<()> {
        match parts(value).as_slice() {
            [word] => {
                let (ipv4, ipv6) = method(word)?;
                let connection = self.of("")?;
                (connection.ipv4, connection.ipv6) = (ipv4, ipv6);
            }
            [name, word, rest @ ..] if rest.len() <= 2 => {
                let (ipv4, ipv6) = method(word)?;
                let mtu = rest.first().filter(|text| !text.is_empty()).map(|text| text.parse()).transpose().ok()?;
                let connection = self.of(name)?;
                (connection.ipv4, connection.ipv6, connection.mtu) = (ipv4, ipv6, mtu);
            }
            [address, _peer, gateway, netmask, hostname, name, word, rest @ ..] => {
                self.whole(&Whole { address, gateway, netmask, hostname, name, word, rest })?;
            }
            _ => return None,
        }
        Some(())
    }

    fn whole(&mut self, given: &Whole<'_>) -> Option<()> {
        let fixed = match bare(given.address) {
            "" => None,
            address => Some(fixed(address.parse().ok()?, given)?),
        };
        let (ipv4, ipv6) = match (fixed, method(given.word)) {
            (Some(both), _) => both,
            (None, Some(both)) => both,
            (None, None) => return None,
        };
        let (mut mtu, mut servers) = (None, Vec::new());
        for text in given.rest.iter().filter(|text| !text.is_empty()) {
            match (text.parse::<u32>(), bare(text).parse::<IpAddr>()) {
                (Ok(number), _) => mtu = Some(number),
                (_, Ok(server)) => servers.push(server),
                // The address of a card, which is its own.
                _ => {}
            }
        }
        let connection = self.of(given.name)?;
        (connection.ipv4, connection.ipv6, connection.mtu) = (ipv4, ipv6, mtu);
        connection.nameservers.extend(servers);
        let good = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        if !given.hostname.is_empty() && given.hostname.len() <= 64 && given.hostname.chars().all(good) {
            self.hostname = Some(given.hostname.to_owned());
        }
        Some(())
    }

    /// `NAME:DEVICE`; the number is at the end of the name.
    fn vlan(&mut self, value: &str) -> Option<()> {
        let (name, parent) = value.split_once(':')?;
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let id = name[name.len() - digits..].parse().ok().filter(|id| *id < 4095)?;
        let parent = interface(parent)?;
        self.of(name)?.made = Some(Made::Vlan { parent, id });
        Some(())
    }

    /// `NAME:MEMBERS[:OPTIONS[:MTU]]`.
    fn bond(&mut self, value: &str) -> Option<()> {
        let (name, members, rest) = self.made_of(value)?;
        let pair = |text: &str| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        let options = rest.first().copied().unwrap_or_default();
        let options: Option<Vec<_>> = options.split(',').filter(|text| !text.is_empty()).map(pair).collect();
        let mtu = rest.get(1).map(|text| text.parse()).transpose().ok()?;
        let options = options?;
        let connection = self.of(name)?;
        (connection.made, connection.mtu) = (Some(Made::Bond { members, options }), mtu);
        Some(())
    }

    /// `NAME:PORTS`.
    fn bridge(&mut self, value: &str) -> Option<()> {
        let (name, members, _) = self.made_of(value)?;
        self.of(name)?.made = Some(Made::Bridge { members, options: Vec::new() });
        Some(())
    }

    fn made_of<'a>(&self, value: &'a str) -> Option<(&'a str, Vec<String>, Vec<&'a str>)> {
        let mut all = parts(value).into_iter();
        let (name, members) = (all.next().filter(|name| !name.is_empty())?, all.next()?);
        let members: Option<Vec<String>> = members.split(',').map(interface).collect();
        Some((name, members?, all.collect()))
    }
}

/// The long form of `ip=`, in its parts.
struct Whole<'a> {
    address: &'a str,
    gateway: &'a str,
    netmask: &'a str,
    hostname: &'a str,
    name: &'a str,
    word: &'a str,
    rest: &'a [&'a str],
}

/// An address with its network and gateway.
fn fixed(address: IpAddr, given: &Whole<'_>) -> Option<(Ipv4, Ipv6)> {
    let gateway = bare(given.gateway);
    let mask = given.netmask;
    match address {
        IpAddr::V4(address) => {
            let prefix = match mask.parse::<Ipv4Addr>() {
                Ok(mask) => {
                    let mask = u32::from(mask);
                    (mask.leading_ones() == mask.count_ones()).then(|| mask.count_ones())?
                }
                Err(_) => mask.parse::<u32>().ok().filter(|prefix| *prefix <= 32)?,
            };
            let gateway = if gateway.is_empty() { None } else { Some(gateway.parse().ok()?) };
            Some((Ipv4::Static { address, prefix: u8::try_from(prefix).ok()?, gateway }, Ipv6::Auto))
        }
        IpAddr::V6(address) => {
            let prefix = if mask.is_empty() { 64 } else { mask.parse().ok().filter(|prefix| *prefix <= 128)? };
            let gateway = if gateway.is_empty() { None } else { Some(gateway.parse().ok()?) };
            Some((Ipv4::Off, Ipv6::Static { address, prefix, gateway }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(cmdline: &str) -> (SystemSettings, Vec<String>) {
        let mut system = SystemSettings::default();
        let left = carry_over(cmdline, &mut system);
        (system, left)
    }

    #[test]
    fn an_address_of_the_boot_is_kept() {
        let line = "quiet ip=192.0.2.7::192.0.2.1:255.255.255.0:box.example:ens3:none:1400 nameserver=192.0.2.53 ro";
        let (system, left) = carried(line);
        assert_eq!((left, system.hostname.as_deref()), (vec![], Some("box.example")));
        let [one] = &system.connections[..] else { panic!("{system:?}") };
        assert_eq!((one.name().as_str(), one.mtu, one.nameservers.len()), ("ens3", Some(1400), 1));
        assert!(matches!(one.ipv4, Ipv4::Static { prefix: 24, gateway: Some(_), .. }), "{one:?}");
        let (system, _) = carried("ip=[2001:db8::7]::[2001:db8::1]:64::ens3:none:[2001:db8::53]");
        let one = &system.connections[0];
        assert!(matches!(one.ipv6, Ipv6::Static { prefix: 64, gateway: Some(_), .. }) && one.ipv4 == Ipv4::Off);
        assert_eq!(one.nameservers.len(), 1);
        let (system, _) = carried("ip=10.0.0.2:::24:::off");
        assert_eq!(system.connections[0].device, NetDevice::FirstWithLink);
    }

    #[test]
    fn devices_that_the_boot_makes_are_made_again() {
        let (system, left) = carried(
            "bond=bond0:a,b:mode=active-backup,miimon=100:9000 vlan=bond0.7:bond0 ip=bond0.7:dhcp bridge=br0:c ip=br0:auto6",
        );
        assert_eq!(left, Vec::<String>::new());
        let names: Vec<String> = system.connections.iter().map(Connection::name).collect();
        assert_eq!(names, ["bond0", "bond0.7", "br0"]);
        assert!(matches!(&system.connections[0].made, Some(Made::Bond { options, .. }) if options.len() == 2));
        assert_eq!((system.connections[0].ipv4, system.connections[1].ipv4), (Ipv4::Off, Ipv4::Auto));
        assert_eq!(system.connections[1].made, Some(Made::Vlan { parent: "bond0".into(), id: 7 }));
    }

    #[test]
    fn what_every_system_does_needs_nothing() {
        for line in ["", "ip=dhcp", "root=x ip=on rd.neednet=1 BOOTIF=01-52-54-00-12-34-56"] {
            let (system, left) = carried(line);
            assert!(system.connections.is_empty() && left.is_empty(), "{line}: {system:?} {left:?}");
        }
    }

    #[test]
    fn what_nothing_comes_of_is_named() {
        for word in [
            "ip=ibft",
            "ip=10.0.0.300::10.0.0.1:24::ens3:none",
            "ip=10.0.0.3::10.0.0.1:255.0.255.0::ens3:none",
            "ip=[::1",
            "ip=a:b:c:d:e",
            "nameserver=ns.example",
            "vlan=ens3",
            "vlan=x9999:ens3",
            "bond=bond0",
            "bond=bond0:a:mode",
            "team=t0:a,b",
            "rd.route=10.0.0.0/8:10.0.0.1",
        ] {
            assert_eq!(carried(word).1, [word], "{word}");
        }
    }

    #[test]
    fn the_kickstart_has_the_last_word() {
        let mut system = SystemSettings { connections: vec![Connection::automatic()], ..SystemSettings::default() };
        carry_over("ip=10.0.0.2:::24:::off", &mut system);
        assert_eq!(system.connections, [Connection::automatic()]);
    }
}

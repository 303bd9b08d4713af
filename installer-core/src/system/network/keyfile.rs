//! NetworkManager's keyfiles (nm-settings-keyfile(5)), as Anaconda's have it: one for a connection, and
//! one for each device that a bond or a bridge is made of.

use super::names::{file_name, key_of};
use crate::request::{Connection, Ipv4, Ipv6, Made, NetDevice, WirelessKey};
use crate::system::change::Change;
use crate::units::Digest;

const DIR: &str = "/etc/NetworkManager/system-connections";

/// The files of `connection`.
pub fn changes(connection: &Connection) -> Vec<Change> {
    let name = connection.name();
    let mut list = vec![file(&name, whole(connection, &name))];
    if let Some((kind, members)) = members(connection) {
        for member in members {
            let port = format!("{name}-port-{member}");
            let text = Sections::default()
                .section("connection")
                .set("id", &port)
                .set("uuid", &uuid(&port))
                .set("type", "ethernet")
                .set("interface-name", member)
                .set("master", &name)
                .set("slave-type", kind)
                .maybe("autoconnect", (!connection.on_boot).then_some("false"))
                .0;
            list.push(file(&port, text));
        }
    }
    list
}

fn file(name: &str, content: String) -> Change {
    // NetworkManager reads no file that others could have written or read.
    Change::Write { path: format!("{DIR}/{}.nmconnection", file_name(name)), content, private: true }
}

fn members(connection: &Connection) -> Option<(&'static str, &[String])> {
    match &connection.made {
        Some(Made::Bond { members, .. }) => Some(("bond", members)),
        Some(Made::Bridge { members, .. }) => Some(("bridge", members)),
        _ => None,
    }
}

/// The same for the same name, as a plan has to be.
fn uuid(name: &str) -> String {
    let hash = Digest::of(format!("bootc-ks connection {name}").as_bytes());
    let hex = hash.hex();
    // Of version 8, which is any number by a rule of one's own.
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// A keyfile while it is written.
#[derive(Default)]
struct Sections(String);

impl Sections {
    fn section(mut self, name: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(&format!("[{name}]\n"));
        self
    }

    fn set(mut self, key: &str, value: &str) -> Self {
        self.0.push_str(&format!("{key}={}\n", escaped(value)));
        self
    }

    fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// A list, each of whose items ends in a semicolon.
    fn list(self, key: &str, items: &[String]) -> Self {
        let text: String = items.iter().map(|item| format!("{item};")).collect();
        self.maybe(key, Some(text.as_str()).filter(|text| !text.is_empty()))
    }
}

/// A backslash begins an escape, and a blank in front would be lost.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\");
    match value.strip_prefix(' ') {
        Some(rest) => format!("\\s{rest}"),
        None => value,
    }
}

fn whole(connection: &Connection, name: &str) -> String {
    let kind = match (&connection.made, &connection.wireless) {
        (Some(Made::Bond { .. }), _) => "bond",
        (Some(Made::Bridge { .. }), _) => "bridge",
        (Some(Made::Vlan { .. }), _) => "vlan",
        (None, Some(_)) => "wifi",
        (None, None) => "ethernet",
    };
    let device = match &connection.device {
        NetDevice::Name(name) => Some(name.as_str()),
        _ => None,
    };
    let text = Sections::default()
        .section("connection")
        .set("id", name)
        .set("uuid", &uuid(name))
        .set("type", kind)
        .maybe("interface-name", device)
        .maybe("autoconnect", (!connection.on_boot).then_some("false"));
    let text = wireless(connection, name, made(connection, link(connection, text)));
    ipv6(connection, ipv4(connection, text)).0
}

fn link(connection: &Connection, text: Sections) -> Sections {
    let mac = match &connection.device {
        NetDevice::Mac(mac) => Some(mac.as_str()),
        _ => None,
    };
    let mtu = connection.mtu.map(|mtu| mtu.to_string());
    if mac.is_none() && mtu.is_none() {
        return text;
    }
    let section = if connection.wireless.is_some() { "wifi" } else { "ethernet" };
    let text = text.section(section).maybe("mac-address", mac).maybe("mtu", mtu.as_deref());
    // The section goes on below.
    if section == "wifi" { text.ssid(connection) } else { text }
}

impl Sections {
    fn ssid(self, connection: &Connection) -> Self {
        let Some(wireless) = &connection.wireless else { return self };
        let mut text = self.set("mode", "infrastructure");
        // A semicolon would begin another byte of a list.
        text.0.push_str(&format!("ssid={}\n", escaped(&wireless.essid).replace(';', "\\;")));
        text
    }
}

fn made(connection: &Connection, text: Sections) -> Sections {
    match &connection.made {
        None => text,
        Some(Made::Vlan { parent, id }) => {
            text.section("vlan").set("flags", "1").set("id", &id.to_string()).set("parent", parent)
        }
        Some(Made::Bond { options, .. }) => {
            options.iter().fold(text.section("bond"), |text, (key, value)| text.set(key, value))
        }
        Some(Made::Bridge { options, .. }) => options.iter().fold(text.section("bridge"), |text, (key, value)| {
            let value = match value.to_ascii_lowercase().as_str() {
                "yes" | "on" => "true".to_owned(),
                "no" | "off" => "false".to_owned(),
                _ => value.clone(),
            };
            text.set(key, &value)
        }),
    }
}

fn wireless(connection: &Connection, name: &str, text: Sections) -> Sections {
    let Some(wireless) = &connection.wireless else { return text };
    let written = connection.mtu.is_some() || matches!(connection.device, NetDevice::Mac(_));
    let text = if written { text } else { text.section("wifi").ssid(connection) };
    match wireless.key {
        None => text,
        Some(WirelessKey::Wpa(_)) => text.section("wifi-security").set("key-mgmt", "wpa-psk").set("psk", &key_of(name)),
        Some(WirelessKey::Wep(_)) => {
            text.section("wifi-security").set("key-mgmt", "none").set("wep-key0", &key_of(name))
        }
    }
}

fn ipv4(connection: &Connection, text: Sections) -> Sections {
    let text = text.section("ipv4");
    let servers = connection.nameservers.iter().filter(|server| server.is_ipv4()).map(ToString::to_string);
    let text = match connection.ipv4 {
        Ipv4::Off => return text.set("method", "disabled"),
        Ipv4::Auto => text.set("method", "auto"),
        Ipv4::Static { address, prefix, gateway } => {
            let gateway = gateway.map(|gateway| format!(",{gateway}")).unwrap_or_default();
            text.set("method", "manual").set("address1", &format!("{address}/{prefix}{gateway}"))
        }
    };
    text.list("dns", &servers.collect::<Vec<_>>())
        .list("dns-search", &connection.search.0)
        .maybe("dhcp-vendor-class-identifier", connection.dhcp_class.as_deref())
        .maybe("ignore-auto-dns", connection.ignore_auto_dns.0.then_some("true"))
        .maybe("never-default", connection.no_default_route.then_some("true"))
}

fn ipv6(connection: &Connection, text: Sections) -> Sections {
    let text = text.section("ipv6");
    let servers = connection.nameservers.iter().filter(|server| server.is_ipv6()).map(ToString::to_string);
    let text = match connection.ipv6 {
        Ipv6::Off => return text.set("method", "disabled"),
        Ipv6::Auto => text.set("method", "auto"),
        Ipv6::Dhcp => text.set("method", "dhcp"),
        Ipv6::Static { address, prefix, gateway } => {
            let gateway = gateway.map(|gateway| format!(",{gateway}")).unwrap_or_default();
            text.set("method", "manual").set("address1", &format!("{address}/{prefix}{gateway}"))
        }
    };
    text.list("dns", &servers.collect::<Vec<_>>())
        .list("dns-search", &connection.search.1)
        .maybe("ignore-auto-dns", connection.ignore_auto_dns.1.then_some("true"))
        .maybe("never-default", connection.no_default_route.then_some("true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Wireless;
    use crate::units::Secret;

    /// The files without their UUIDs.
    fn files(connection: &Connection) -> Vec<(String, String)> {
        let pair = |change: Change| match change {
            Change::Write { path, content, private: true } => {
                let lines: Vec<&str> = content.lines().filter(|line| !line.starts_with("uuid=")).collect();
                (path.trim_start_matches(DIR).to_owned(), lines.join("\n"))
            }
            other => panic!("{other:?}"),
        };
        changes(connection).into_iter().map(pair).collect()
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
            nameservers: vec!["1.1.1.1".parse().unwrap(), "2001:db8::53".parse().unwrap()],
            search: (vec!["example.org".into()], Vec::new()),
            mtu: Some(9000),
            no_default_route: true,
            on_boot: false,
            ..Connection::automatic()
        };
        let expected = "[connection]\nid=ens3\ntype=ethernet\ninterface-name=ens3\nautoconnect=false\n\n\
            [ethernet]\nmtu=9000\n\n\
            [ipv4]\nmethod=manual\naddress1=10.0.0.2/24,10.0.0.1\ndns=1.1.1.1;\ndns-search=example.org;\n\
            never-default=true\n\n[ipv6]\nmethod=disabled";
        assert_eq!(files(&connection), [("/ens3.nmconnection".to_owned(), expected.to_owned())]);
    }

    #[test]
    fn a_bond_has_a_file_for_each_port() {
        let options = vec![("mode".to_owned(), "active-backup".to_owned())];
        let made = Some(Made::Bond { members: vec!["a".into(), "b".into()], options });
        let connection = Connection { device: NetDevice::Name("bond0".into()), made, ..Connection::automatic() };
        let list = files(&connection);
        assert!(list[0].1.contains("type=bond\ninterface-name=bond0\n\n[bond]\nmode=active-backup\n"), "{list:?}");
        assert_eq!(list[2].0, "/bond0-port-b.nmconnection");
        assert!(list[2].1.contains("interface-name=b\nmaster=bond0\nslave-type=bond"), "{list:?}");
    }

    #[test]
    fn vlan_bridge_and_mac_are_written_as_the_manual_has_them() {
        let vlan = Some(Made::Vlan { parent: "ens3".into(), id: 7 });
        let vlan = Connection { device: NetDevice::Name("ens3.7".into()), made: vlan, ..Connection::automatic() };
        assert!(files(&vlan)[0].1.contains("type=vlan\ninterface-name=ens3.7\n\n[vlan]\nflags=1\nid=7\nparent=ens3\n"));
        let options = vec![("stp".to_owned(), "no".to_owned())];
        let bridge = Some(Made::Bridge { members: vec!["a".into()], options });
        let bridge = Connection { device: NetDevice::Name("br0".into()), made: bridge, ..Connection::automatic() };
        assert!(files(&bridge)[0].1.contains("[bridge]\nstp=false\n"));
        let mac = Connection { device: NetDevice::Mac("52:54:00:12:34:58".into()), ..Connection::automatic() };
        let (path, text) = files(&mac).remove(0);
        assert_eq!(path, "/52-54-00-12-34-58.nmconnection");
        assert!(text.contains("[ethernet]\nmac-address=52:54:00:12:34:58\n") && !text.contains("interface-name"));
    }

    #[test]
    fn a_wireless_network_has_its_name_and_a_place_for_its_key() {
        let wireless = Wireless { essid: "a;b".into(), key: Some(WirelessKey::Wep(Secret::new("k"))) };
        let connection = Connection { wireless: Some(wireless), ..Connection::automatic() };
        let (path, text) = files(&connection).remove(0);
        assert_eq!(path, "/a_b.nmconnection");
        assert!(text.contains("[wifi]\nmode=infrastructure\nssid=a\\;b\n"), "{text}");
        assert!(text.contains("key-mgmt=none\nwep-key0=<key of a;b>"), "{text}");
    }

    #[test]
    fn a_name_has_one_uuid() {
        assert_eq!(uuid("a").len(), 36);
        assert_eq!(uuid("a"), uuid("a"));
        assert_ne!(uuid("a"), uuid("b"));
    }
}

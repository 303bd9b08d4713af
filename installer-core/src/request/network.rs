//! The connections of the installed system. Plain data: addresses are addresses here, whatever was
//! written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::units::Secret;

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Which device it is for.
    pub device: NetDevice,
    /// What is made for it.
    pub made: Option<Made>,
    /// IPv4.
    pub ipv4: Ipv4,
    /// IPv6.
    pub ipv6: Ipv6,
    /// Name servers.
    pub nameservers: Vec<IpAddr>,
    /// Domains to search, for IPv4 and for IPv6.
    pub search: (Vec<String>, Vec<String>),
    /// Whether announced name servers are not used, for IPv4 and for IPv6.
    pub ignore_auto_dns: (bool, bool),
    /// Whether it is never the default route.
    pub no_default_route: bool,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// The class that a DHCP server is told.
    pub dhcp_class: Option<String>,
    /// Whether it comes up when the system starts.
    pub on_boot: bool,
    /// The wireless network.
    pub wireless: Option<Wireless>,
}

/// Which device a connection is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetDevice {
    /// The first one with a cable.
    FirstWithLink,
    /// By name.
    Name(String),
    /// By address, in capitals with colons.
    Mac(String),
}

/// A device that does not exist by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Several devices that act as one.
    Bond {
        /// They.
        members: Vec<String>,
        /// Options and their values.
        options: Vec<(String, String)>,
    },
    /// A bridge.
    Bridge {
        /// Its ports.
        members: Vec<String>,
        /// Options and their values.
        options: Vec<(String, String)>,
    },
    /// A virtual network on a device.
    Vlan {
        /// The device.
        parent: String,
        /// Its number.
        id: u16,
    },
}

/// IPv4 of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv4 {
    /// By DHCP.
    Auto,
    /// None.
    Off,
    /// An address that was asked for.
    Static {
        /// It.
        address: Ipv4Addr,
        /// How many bits of it are the network's.
        prefix: u8,
        /// The gateway.
        gateway: Option<Ipv4Addr>,
    },
}

/// IPv6 of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv6 {
    /// As routers announce it.
    Auto,
    /// By DHCP alone.
    Dhcp,
    /// None.
    Off,
    /// An address that was asked for.
    Static {
        /// It.
        address: Ipv6Addr,
        /// How many bits of it are the network's.
        prefix: u8,
        /// The gateway.
        gateway: Option<Ipv6Addr>,
    },
}

/// A wireless network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wireless {
    /// Its name.
    pub essid: String,
    /// What it is entered with.
    pub key: Option<WirelessKey>,
}

/// What a wireless network is entered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WirelessKey {
    /// A WPA key.
    Wpa(Secret),
    /// A WEP key.
    Wep(Secret),
}

impl Connection {
    /// DHCP, on the first device with a cable.
    pub fn automatic() -> Self {
        Connection {
            device: NetDevice::FirstWithLink,
            made: None,
            ipv4: Ipv4::Auto,
            ipv6: Ipv6::Auto,
            nameservers: Vec::new(),
            search: (Vec::new(), Vec::new()),
            ignore_auto_dns: (false, false),
            no_default_route: false,
            mtu: None,
            dhcp_class: None,
            on_boot: true,
            wireless: None,
        }
    }

    /// Whether this is what every image does by itself.
    pub fn is_automatic(&self) -> bool {
        *self == Connection::automatic()
    }

    /// The name of the connection, and where it makes one, of its device.
    pub fn name(&self) -> String {
        match (&self.made, &self.device) {
            (_, NetDevice::Name(name)) => name.clone(),
            (Some(Made::Vlan { parent, id }), _) => format!("{parent}.{id}"),
            (Some(Made::Bond { .. }), _) => "bond0".into(),
            (Some(Made::Bridge { .. }), _) => "bridge0".into(),
            (None, NetDevice::Mac(mac)) => mac.replace(':', "-").to_ascii_lowercase(),
            (None, NetDevice::FirstWithLink) => match &self.wireless {
                Some(wireless) => wireless.essid.clone(),
                None => "default".into(),
            },
        }
    }
}

//! `network`: the host's name, and one connection per line.

mod team;

use super::command::Command;
use crate::args::spec::{NO, Spec, boolean, choice, flag, text};
use crate::args::{Args, Cx, value};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;
use crate::syntax::Syntax;
pub use team::TeamPort;

/// `network`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Network {
    /// The command line.
    pub span: Span,
    /// `--hostname`; a line may say nothing else.
    pub hostname: Option<String>,
    /// `--device`: the name of the interface, its address, or `link`.
    pub device: Option<String>,
    /// `--bootproto`; `None` is DHCP.
    pub bootproto: Option<BootProto>,
    /// `--ip`: the IPv4 address.
    pub ip: Option<String>,
    /// `--netmask`.
    pub netmask: Option<String>,
    /// `--gateway`: of IPv4.
    pub gateway: Option<String>,
    /// `--nameserver`: addresses separated by commas.
    pub nameservers: Option<String>,
    /// `--ipv6`: an address with its prefix, `auto` or `dhcp`.
    pub ipv6: Option<String>,
    /// `--ipv6gateway`.
    pub ipv6_gateway: Option<String>,
    /// `--noipv4`.
    pub no_ipv4: bool,
    /// `--noipv6`.
    pub no_ipv6: bool,
    /// `--nodns`.
    pub no_dns: bool,
    /// `--nodefroute`: not the default route.
    pub no_default_route: bool,
    /// `--ipv4-dns-search`.
    pub ipv4_dns_search: Option<String>,
    /// `--ipv6-dns-search`.
    pub ipv6_dns_search: Option<String>,
    /// `--ipv4-ignore-auto-dns`.
    pub ipv4_ignore_auto_dns: bool,
    /// `--ipv6-ignore-auto-dns`.
    pub ipv6_ignore_auto_dns: bool,
    /// `--mtu`.
    pub mtu: Option<String>,
    /// `--ethtool`: further settings of the link.
    pub ethtool: Option<String>,
    /// `--dhcpclass`.
    pub dhcp_class: Option<String>,
    /// `--onboot`: bring it up when the system starts.
    pub on_boot: Option<bool>,
    /// `--activate` or `--no-activate`: in the installer.
    pub activate: Option<bool>,
    /// `--bindto=mac`: to the address instead of the name.
    pub bind_to_mac: bool,
    /// `--interfacename`: of a virtual device.
    pub interface_name: Option<String>,
    /// `--vlanid`.
    pub vlan_id: Option<String>,
    /// `--bondslaves`, separated by commas.
    pub bond_slaves: Option<String>,
    /// `--bondopts`.
    pub bond_options: Option<String>,
    /// `--bridgeslaves`, separated by commas.
    pub bridge_slaves: Option<String>,
    /// `--bridgeopts`.
    pub bridge_options: Option<String>,
    /// `--teamslaves`.
    pub team_slaves: Vec<TeamPort>,
    /// `--teamconfig`: JSON for teamd.
    pub team_config: Option<String>,
    /// `--essid`: of a wireless network.
    pub essid: Option<String>,
    /// `--wepkey`.
    pub wep_key: Option<Secret>,
    /// `--wpakey`.
    pub wpa_key: Option<Secret>,
    /// `--notksdevice`: not the device that the kickstart came over.
    pub not_ks_device: bool,
}

/// How a connection gets its IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BootProto {
    /// `dhcp`.
    Dhcp,
    /// `bootp`.
    Bootp,
    /// `static`.
    Static,
    /// `query`: ask.
    Query,
    /// `ibft`: from the firmware.
    Ibft,
}

const DNS_SEARCH: &str = "domains to search for host names, separated by commas; needs `--device`";
const NO_AUTO_DNS: &str = "use no name servers that DHCP or a router announces; needs `--device`";

const SPEC: Spec = Spec::new("network")
    .doc("Sets the host name, or configures one network connection for the installer and the installed system.")
    .repeatable()
    .options(&[
        choice("--bootproto", &["dhcp", "bootp", "static", "query", "ibft"])
            .doc("where the IPv4 address comes from; DHCP if nothing is said"),
        text("--dhcpclass").doc("the class to tell the DHCP server"),
        text("--device").doc("the interface by name or MAC address; `link` is the first one with a cable"),
        text("--essid").doc("the name of the wireless network"),
        text("--ethtool").doc("further settings of the link, as ethtool takes them"),
        text("--gateway").doc("the IPv4 gateway"),
        text("--hostname").doc("the name of the host"),
        text("--ip").doc("the IPv4 address"),
        text("--mtu").doc("the largest packet, in bytes"),
        text("--nameserver").doc("name servers, separated by commas"),
        text("--netmask").doc("the IPv4 network mask"),
        flag("--nodns").doc("no name server"),
        boolean("--onboot").doc("whether the connection comes up with the system"),
        text("--wepkey").secret().doc("the WEP key of the wireless network"),
        flag("--notksdevice").doc("not the device that the kickstart came over"),
        flag("--noipv4").doc("no IPv4"),
        flag("--noipv6").doc("no IPv6"),
        text("--ipv6").doc("an IPv6 address with its prefix, `auto` or `dhcp`"),
        flag("--activate").doc("bring the connection up in the installer"),
        flag("--nodefroute").doc("the default route does not go this way"),
        text("--wpakey").secret().doc("the WPA key of the wireless network"),
        text("--bondslaves").doc("make a bond of these devices, separated by commas"),
        text("--bondopts").doc("options of the bond, such as `mode=active-backup`"),
        text("--vlanid").doc("make a VLAN with this number on top of the device"),
        text("--ipv6gateway").doc("the IPv6 gateway"),
        text("--teamslaves").deprecated(10, NO).doc("make a team of these devices, as NAME or NAME'JSON'"),
        text("--teamconfig").deprecated(10, NO).doc("the configuration of the team, JSON for teamd"),
        text("--interfacename").doc("the name of the VLAN device"),
        text("--bridgeslaves").doc("make a bridge of these devices, separated by commas"),
        text("--bridgeopts").doc("options of the bridge, as KEY=VALUE, separated by commas"),
        flag("--no-activate").doc("do not bring the connection up in the installer"),
        choice("--bindto", &["mac"]).doc("bind the connection to the MAC address instead of the name"),
        text("--ipv4-dns-search").since(9, 39).doc(DNS_SEARCH),
        text("--ipv6-dns-search").since(9, 39).doc(DNS_SEARCH),
        flag("--ipv4-ignore-auto-dns").since(9, 39).doc(NO_AUTO_DNS),
        flag("--ipv6-ignore-auto-dns").since(9, 39).doc(NO_AUTO_DNS),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    check(args, cx);
    let device = args.text("--device").unwrap_or_default();
    let what = if device.is_empty() { "the default device".to_owned() } else { format!("the device `{device}`") };
    cx.define_once("network", &[&device], args.span, &what);
    kickstart.network.push(Network {
        span: args.span,
        hostname: args.nonempty("--hostname"),
        device: args.nonempty("--device"),
        bootproto: args.text("--bootproto").map(|p| match p.as_str() {
            "static" => BootProto::Static,
            "bootp" => BootProto::Bootp,
            "query" => BootProto::Query,
            "ibft" => BootProto::Ibft,
            _ => BootProto::Dhcp,
        }),
        ip: args.nonempty("--ip"),
        netmask: args.nonempty("--netmask"),
        gateway: args.nonempty("--gateway"),
        nameservers: args.nonempty("--nameserver"),
        ipv6: args.nonempty("--ipv6"),
        ipv6_gateway: args.nonempty("--ipv6gateway"),
        no_ipv4: args.flag("--noipv4"),
        no_ipv6: args.flag("--noipv6"),
        no_dns: args.flag("--nodns"),
        no_default_route: args.flag("--nodefroute"),
        ipv4_dns_search: args.nonempty("--ipv4-dns-search"),
        ipv6_dns_search: args.nonempty("--ipv6-dns-search"),
        ipv4_ignore_auto_dns: args.flag("--ipv4-ignore-auto-dns"),
        ipv6_ignore_auto_dns: args.flag("--ipv6-ignore-auto-dns"),
        mtu: args.nonempty("--mtu"),
        ethtool: args.nonempty("--ethtool"),
        dhcp_class: args.nonempty("--dhcpclass"),
        on_boot: args.boolean("--onboot"),
        activate: args.last_of(&["--activate", "--no-activate"]).map(|g| g.name == "--activate"),
        bind_to_mac: args.flag("--bindto"),
        interface_name: args.nonempty("--interfacename"),
        vlan_id: args.nonempty("--vlanid"),
        bond_slaves: args.nonempty("--bondslaves"),
        bond_options: args.nonempty("--bondopts"),
        bridge_slaves: args.nonempty("--bridgeslaves"),
        bridge_options: args.nonempty("--bridgeopts"),
        team_slaves: args.text("--teamslaves").map(|text| team::ports(&text)).unwrap_or_default(),
        team_config: args.nonempty("--teamconfig"),
        essid: args.nonempty("--essid"),
        wep_key: args.secret("--wepkey").filter(|k| !k.is_empty()),
        wpa_key: args.secret("--wpakey").filter(|k| !k.is_empty()),
        not_ks_device: args.flag("--notksdevice"),
    });
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    args.contradict(cx, &["--activate", "--no-activate"]);
    let no_device = args.nonempty("--device").is_none();
    for name in ["--ipv4-dns-search", "--ipv6-dns-search", "--ipv4-ignore-auto-dns", "--ipv6-ignore-auto-dns"] {
        if let Some(given) = args.last(name)
            && no_device
            && args.text(name).is_none_or(|value| !value.is_empty())
        {
            let message = format!("`{name}` needs `--device`");
            cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, given.span, message));
        }
    }
    // The options of a bond make the line one about the bond, not about the VLAN.
    if args.nonempty("--vlanid").is_some() && args.nonempty("--bondopts").is_none() {
        args.exclude(cx, "--vlanid", "--bindto");
    }
    check_bridge(args, cx);
    // Later versions leave the name to NetworkManager.
    if cx.syntax == Syntax::Rhel7
        && let (Some(given), Some(name)) = (args.last("--interfacename"), args.nonempty("--interfacename"))
        && let Err(reason) = check_interface_name(&name)
    {
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.value_span, reason));
    }
}

fn check_bridge(args: &Args, cx: &mut Cx<'_>) {
    let (Some(given), Some(options)) = (args.last("--bridgeopts"), args.nonempty("--bridgeopts")) else {
        return;
    };
    if args.nonempty("--bridgeslaves").is_none() {
        let message = "`--bridgeopts` needs `--bridgeslaves`";
        cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, given.span, message));
    }
    let is_pair = |text: &str| text.split_once('=').is_some_and(|(_, value)| !value.is_empty() && !value.contains('='));
    if !options.split(',').all(is_pair) {
        let message = "`--bridgeopts` takes KEY=VALUE pairs, separated by commas";
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.value_span, message));
    }
}

/// The names of VLAN devices say which VLAN: `vlan123` or `eth0.123`.
fn check_interface_name(name: &str) -> Result<(), &'static str> {
    let check_id = |text: &str, reason| match value::int(text) {
        Err(()) => Err(reason),
        Ok(Some(0..=4095)) => Ok(()),
        Ok(_) => Err("the VLAN id of an interface name is a number up to 4095"),
    };
    if let Some((parent, id)) = name.split_once('.') {
        if parent == "vlan" {
            return Err("`vlan` cannot stand before the dot of an interface name");
        }
        check_id(id, "after the dot of an interface name there must be a VLAN id")
    } else if let Some(id) = name.strip_prefix("vlan") {
        check_id(id, "an interface name that begins with `vlan` must go on with a VLAN id")
    } else {
        Ok(())
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if !kickstart.network.is_empty() {
        pen.line("# Network information");
    }
    for network in &kickstart.network {
        pen.text("network ");
        network.write(pen);
        pen.end();
    }
}

impl Network {
    fn write(&self, pen: &mut Pen) {
        let protocol = match self.bootproto {
            None | Some(BootProto::Dhcp) => "dhcp",
            Some(BootProto::Bootp) => "bootp",
            Some(BootProto::Static) => "static",
            Some(BootProto::Query) => "query",
            Some(BootProto::Ibft) => "ibft",
        };
        pen.option("--bootproto", Some(protocol).filter(|_| !self.no_ipv4 || pen.syntax == Syntax::Rhel7));
        pen.option("--dhcpclass", self.dhcp_class.as_ref()).option("--device", self.device.as_ref());
        pen.quoted("--essid", self.essid.as_ref()).quoted("--ethtool", self.ethtool.as_ref());
        pen.option("--gateway", self.gateway.as_ref()).option("--hostname", self.hostname.as_ref());
        pen.option("--ip", self.ip.as_ref()).option("--mtu", self.mtu.as_ref());
        pen.option("--nameserver", self.nameservers.as_ref()).option("--netmask", self.netmask.as_ref());
        pen.flag("--nodns", self.no_dns).option("--onboot", Some("off").filter(|_| self.on_boot == Some(false)));
        pen.option("--wepkey", self.wep_key.as_ref().map(Secret::expose)).flag("--notksdevice", self.not_ks_device);
        pen.flag("--noipv4", self.no_ipv4).flag("--noipv6", self.no_ipv6).option("--ipv6", self.ipv6.as_ref());
        pen.flag("--activate", self.activate == Some(true)).flag("--nodefroute", self.no_default_route);
        pen.option("--wpakey", self.wpa_key.as_ref().map(Secret::expose));
        pen.option("--bondslaves", self.bond_slaves.as_ref()).option("--bondopts", self.bond_options.as_ref());
        pen.option("--vlanid", self.vlan_id.as_ref()).option("--ipv6gateway", self.ipv6_gateway.as_ref());
        if !self.team_slaves.is_empty() {
            let ports = self.team_slaves.iter().map(TeamPort::written).collect::<Vec<_>>().join(",");
            pen.quoted("--teamslaves", Some(ports.replace('"', "\\\"")));
        }
        pen.quoted("--teamconfig", self.team_config.as_ref().map(|text| text.replace('"', "\\\"")));
        pen.option("--interfacename", self.interface_name.as_ref());
        pen.option("--bridgeslaves", self.bridge_slaves.as_ref()).option("--bridgeopts", self.bridge_options.as_ref());
        pen.flag("--no-activate", self.activate == Some(false));
        pen.option("--bindto", Some("mac").filter(|_| self.bind_to_mac));
        pen.option("--ipv4-dns-search", self.ipv4_dns_search.as_ref());
        pen.option("--ipv6-dns-search", self.ipv6_dns_search.as_ref());
        pen.flag("--ipv4-ignore-auto-dns", self.ipv4_ignore_auto_dns);
        pen.flag("--ipv6-ignore-auto-dns", self.ipv6_ignore_auto_dns);
    }
}

#[cfg(test)]
mod tests {
    use super::BootProto;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn name_and_connection() {
        let k = good(
            "network --hostname=box.example\nnetwork --bootproto=static --device=ens3 \
                      --ip=10.0.0.2 --netmask=255.255.255.0 --gateway 10.0.0.1 \
                      --nameserver=1.1.1.1,8.8.8.8 --onboot=yes --no-activate",
        );
        assert_eq!(k.network[0].hostname.as_deref(), Some("box.example"));
        let n = &k.network[1];
        assert_eq!(n.bootproto, Some(BootProto::Static));
        assert_eq!(n.nameservers.as_deref(), Some("1.1.1.1,8.8.8.8"));
        assert_eq!((n.on_boot, n.activate), (Some(true), Some(false)));
    }

    #[test]
    fn canonical() {
        let all = "network  --bootproto=static --dhcpclass=c --device=eth0 --essid=\"my net\" --ethtool=\"a b\" \
                   --gateway=3 --hostname=h --ip=1 --mtu=9 --nameserver=,4, 5 --netmask=2 --nodns --onboot=off \
                   --wepkey=k --notksdevice --noipv6 --ipv6=x --activate --nodefroute --wpakey=w --bondslaves=a,b \
                   --bondopts=a;b --vlanid=5 --ipv6gateway=y --interfacename=v --bridgeslaves=a,b \
                   --bridgeopts=c=5 --bindto=mac --ipv4-dns-search=d --ipv6-dns-search=e --ipv4-ignore-auto-dns \
                   --ipv6-ignore-auto-dns\n";
        let text = all.replace("--nameserver=,4, 5", "--nameserver=',4, 5'").replace("=a;b", "='a;b'");
        let written = good(&text).to_pykickstart(Syntax::F44);
        assert!(written.contains(&format!("# Network information\n{all}")), "{written}");
        let written = good("network --onboot=yes --noipv4\nnetwork --device=a --no-activate");
        let lines = "# Network information\nnetwork  --noipv4\nnetwork  --bootproto=dhcp --device=a --no-activate\n";
        assert!(written.to_pykickstart(Syntax::F44).contains(lines));
        assert!(written.to_pykickstart(Syntax::Rhel7).contains("\nnetwork  --bootproto=dhcp --noipv4\n"));
        let text = "network --teamslaves=\"p1'{\\\"a\\\": 1}',p2\" --teamconfig='{\"b\": 2}'";
        let written = good(text).to_pykickstart(Syntax::F44);
        let options = " --teamslaves=\"p1'{\\\"a\\\": 1}',p2\" --teamconfig=\"{\\\"b\\\": 2}\"\n";
        assert!(written.contains(options), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("network --bootproto=bogus", &["E212"]),
            ("network --onboot=maybe", &["E211"]),
            ("network --ipv4-dns-search example.com", &["E215"]),
            ("network --interfacename=vlan.5", &[]),
            ("network --bindto=ip", &["E212"]),
            ("network --bindto=mac --vlanid=5", &["E214"]),
            ("network --bindto=mac --vlanid=", &[]),
            ("network --bindto=mac --vlanid=5 --bondslaves=a --bondopts=b", &[]),
            ("network --bridgeopts=a=1", &["E215"]),
            ("network --bridgeslaves=a --bridgeopts=a=1,b", &["E216"]),
            ("network --bridgeslaves=a --bridgeopts=a=1,b=2", &[]),
        ]);
        check_versions(&[
            (Syntax::Rhel7, "network --interfacename=vlan.5", &["E216"]),
            (Syntax::Rhel7, "network --interfacename=abc..", &["E216"]),
            (Syntax::Rhel7, "network --interfacename=vlanx1", &["E216"]),
            (Syntax::Rhel7, "network --interfacename=vlan12", &[]),
            (Syntax::Rhel7, "network --interfacename=eth0.12", &[]),
            (Syntax::Rhel10, "network --teamslaves=a", &["W201"]),
            (Syntax::Rhel8, "network --device=a --ipv4-dns-search=b", &["E202"]),
        ]);
    }
}

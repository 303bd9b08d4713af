//! `network`: the host's name, and one connection per line.

use super::Command;
use crate::args::spec::{NO, Spec, boolean, choice, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::secret::Secret;
use crate::span::Span;
use crate::syntax::Syntax;

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
    pub nameservers: Vec<String>,
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
    pub bond_slaves: Vec<String>,
    /// `--bondopts`.
    pub bond_options: Option<String>,
    /// `--bridgeslaves`, separated by commas.
    pub bridge_slaves: Vec<String>,
    /// `--bridgeopts`.
    pub bridge_options: Option<String>,
    /// `--teamslaves`, as written.
    pub team_slaves: Option<String>,
    /// `--teamconfig`, as written.
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

const SPEC: Spec = Spec::new("network").repeatable().options(&[
    choice("--bootproto", &["dhcp", "bootp", "static", "query", "ibft"]),
    text("--dhcpclass"),
    text("--device"),
    text("--essid"),
    text("--ethtool"),
    text("--gateway"),
    text("--hostname"),
    text("--ip"),
    text("--mtu"),
    text("--nameserver"),
    text("--netmask"),
    flag("--nodns"),
    boolean("--onboot"),
    text("--wepkey").secret(),
    flag("--notksdevice"),
    flag("--noipv4"),
    flag("--noipv6"),
    text("--ipv6"),
    flag("--activate"),
    flag("--nodefroute"),
    text("--wpakey").secret(),
    text("--bondslaves"),
    text("--bondopts"),
    text("--vlanid"),
    text("--ipv6gateway"),
    text("--teamslaves").deprecated(10, NO),
    text("--teamconfig").deprecated(10, NO),
    text("--interfacename"),
    text("--bridgeslaves"),
    text("--bridgeopts"),
    flag("--no-activate"),
    choice("--bindto", &["mac"]),
    text("--ipv4-dns-search").since(9, 39),
    text("--ipv6-dns-search").since(9, 39),
    flag("--ipv4-ignore-auto-dns").since(9, 39),
    flag("--ipv6-ignore-auto-dns").since(9, 39),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    check(args, cx);
    let words = |name| crate::args::value::list(&args.text(name).unwrap_or_default());
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
        nameservers: words("--nameserver"),
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
        bond_slaves: words("--bondslaves"),
        bond_options: args.nonempty("--bondopts"),
        bridge_slaves: words("--bridgeslaves"),
        bridge_options: args.nonempty("--bridgeopts"),
        team_slaves: args.nonempty("--teamslaves"),
        team_config: args.nonempty("--teamconfig"),
        essid: args.nonempty("--essid"),
        wep_key: args.secret("--wepkey"),
        wpa_key: args.secret("--wpakey").filter(|k| !k.is_empty()),
        not_ks_device: args.flag("--notksdevice"),
    });
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    args.contradict(cx, &["--activate", "--no-activate"]);
    for name in ["--ipv4-dns-search", "--ipv6-dns-search", "--ipv4-ignore-auto-dns", "--ipv6-ignore-auto-dns"] {
        args.needs(cx, name, "--device");
    }
    if args.flag("--bindto") && !args.flag("--bondslaves") {
        args.exclude(cx, "--vlanid", "--bindto");
    }
    // Later versions leave the name to NetworkManager.
    if cx.syntax == Syntax::Rhel7
        && let (Some(given), Some(name)) = (args.last("--interfacename"), args.nonempty("--interfacename"))
        && let Err(reason) = check_interface_name(&name)
    {
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.value_span, reason));
    }
}

/// The names of VLAN devices say which VLAN: `vlan123` or `eth0.123`.
fn check_interface_name(name: &str) -> Result<(), &'static str> {
    let is_id = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if let Some((parent, id)) = name.rsplit_once('.') {
        if parent == "vlan" {
            return Err("`vlan` cannot stand before the dot of an interface name");
        }
        if !is_id(id) {
            return Err("after the dot of an interface name there must be a VLAN id");
        }
    } else if let Some(id) = name.strip_prefix("vlan")
        && !is_id(id)
    {
        return Err("an interface name that begins with `vlan` must go on with a VLAN id");
    }
    Ok(())
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
        assert_eq!(n.nameservers, ["1.1.1.1", "8.8.8.8"]);
        assert_eq!((n.on_boot, n.activate), (Some(true), Some(false)));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("network --bootproto=bogus", &["E212"]),
            ("network --onboot=maybe", &["E211"]),
            ("network --ipv4-dns-search example.com", &["E215"]),
            ("network --interfacename=vlan.5", &[]),
            ("network --bindto=ip", &["E212"]),
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

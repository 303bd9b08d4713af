//! Waits for the network, and says what is wrong with it in words.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use installer_core::{Error, Stage};

use super::consoles::Consoles;

/// How long links and DHCP may take: switches with spanning tree take half a minute.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a name server may come after the address.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// Where libc looks for name servers.
const RESOLV: &str = "/etc/resolv.conf";
/// What networkd knows; there is none where NetworkManager is.
const STATE: &str = "/run/systemd/netif/state";

/// Waits until some address can be routed from, and sees to it that names can be resolved.
pub fn wait(patience: Option<Duration>, consoles: &Consoles) -> Result<(), Error> {
    let patience = patience.unwrap_or(PATIENCE);
    let (started, mut told) = (Instant::now(), false);
    loop {
        let state = fs::read_to_string(STATE).unwrap_or_default();
        if is_routable(&state) {
            name_servers(&state, consoles);
            return Ok(());
        }
        if state.is_empty() && has_address(Path::new("/proc/net")) {
            wait_for_name_servers();
            return Ok(());
        }
        if started.elapsed() >= patience {
            return Err(no_network(&cards(Path::new("/sys/class/net")), patience));
        }
        if !told && started.elapsed() >= Duration::from_secs(5) {
            consoles.say("waiting for the network");
            told = true;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

fn value<'a>(state: &'a str, key: &str) -> Option<&'a str> {
    state.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

fn is_routable(state: &str) -> bool {
    value(state, "OPER_STATE") == Some("routable")
}

/// Whether the kernel has an address that is more than link-local, by what it shows in `proc`.
/// Every IPv4 address comes with a route to its network.
fn has_address(proc: &Path) -> bool {
    let text = |name: &str| fs::read_to_string(proc.join(name)).unwrap_or_default();
    let v4 = text("route").lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace();
        let (card, network) = (fields.next().unwrap_or("lo"), fields.next().unwrap_or_default());
        // 169.254.0.0, in the order of this machine's bytes.
        card != "lo" && !network.ends_with("FEA9")
    });
    let v6 = text("if_inet6").lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, scope, flags, card] = fields.as_slice() else { return false };
        let tentative = u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & 0x40 != 0);
        *scope == "00" && !tentative && *card != "lo"
    });
    v4 || v6
}

/// NetworkManager writes them itself, a moment later; there may be none.
fn wait_for_name_servers() {
    let started = Instant::now();
    while started.elapsed() < AFTERWARDS {
        if fs::read_to_string(RESOLV).is_ok_and(|text| text.contains("nameserver")) {
            return;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// No resolver runs here: what DHCP or the command line told goes where libc looks.
fn name_servers(state: &str, consoles: &Consoles) {
    let resolv = Path::new(RESOLV);
    let servers: Vec<&str> = value(state, "DNS").unwrap_or_default().split_whitespace().collect();
    if servers.is_empty() || fs::read_to_string(resolv).is_ok_and(|text| text.contains("nameserver")) {
        return;
    }
    let mut text: String = servers.iter().map(|server| format!("nameserver {}\n", plain_address(server))).collect();
    let domains = value(state, "DOMAINS").unwrap_or_default();
    if !domains.is_empty() {
        text.push_str(&format!("search {domains}\n"));
    }
    // It may be a link to a resolver's file that never comes.
    let _ = fs::remove_file(resolv);
    if let Err(error) = fs::write(resolv, text) {
        consoles.say(&format!("warning: writing {}: {error}", resolv.display()));
    }
}

/// networkd may add a port, an interface or a server's name (`1.2.3.4:53%eth0#name`).
fn plain_address(server: &str) -> &str {
    let server = server.split('#').next().unwrap_or(server);
    match server.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None if server.matches(':').count() == 1 => server.split(':').next().unwrap_or(server),
        None => server,
    }
}

/// A network card.
struct Card {
    name: String,
    address: String,
    /// Whether something is at the other end of the cable.
    carrier: bool,
}

fn cards(class: &Path) -> Vec<Card> {
    let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let mut cards: Vec<Card> = entries
        .filter(|entry| entry.path().join("device").exists())
        .map(|entry| Card {
            name: entry.file_name().to_string_lossy().into_owned(),
            address: read(entry.path().join("address")),
            carrier: read(entry.path().join("carrier")) == "1",
        })
        .collect();
    cards.sort_by(|a, b| a.name.cmp(&b.name));
    cards
}

fn no_network(cards: &[Card], patience: Duration) -> Error {
    if cards.is_empty() {
        return Error::world(Stage::Request, "no network card was found")
            .hint("the image's kernel has no driver for it: add the modules or firmware to the image and build again");
    }
    let one = |card: &Card| {
        let state = if card.carrier { "no answer by DHCP" } else { "no link: is the cable plugged in?" };
        format!("{} ({}): {state}", card.name, card.address)
    };
    let list: Vec<String> = cards.iter().map(one).collect();
    Error::world(Stage::Request, format!("no network within {} s: {}", patience.as_secs(), list.join("; ")))
        .hint("check the cable and the DHCP server, or give an address with ip= on the kernel's command line")
}

/// The address that this machine has for `there`; nothing is sent to find it out.
pub fn own_address(there: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if there.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((there, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networkds_state_is_understood() {
        let state =
            "# comment\nOPER_STATE=routable\nDNS=10.0.2.3 [fd00::3]:53%eth0#dns.example fd00::4\nDOMAINS=example.com\n";
        assert!(is_routable(state) && !is_routable("OPER_STATE=degraded\n") && !is_routable(""));
        let dns: Vec<&str> = value(state, "DNS").unwrap().split(' ').map(plain_address).collect();
        assert_eq!(dns, ["10.0.2.3", "fd00::3", "fd00::4"]);
    }

    #[test]
    fn an_address_is_one_that_leads_somewhere() {
        let dir = tempfile::tempdir().unwrap();
        let has = |route: &str, inet6: &str| {
            let head = "Iface\tDestination\tGateway\n";
            fs::write(dir.path().join("route"), format!("{head}{route}")).unwrap();
            fs::write(dir.path().join("if_inet6"), inet6).unwrap();
            has_address(dir.path())
        };
        let local = "fe80000000000000505400fffe123456 02 40 20 80     eth0\n";
        assert!(!has("", local) && !has("eth0\t0000FEA9\t00000000\n", ""));
        assert!(has("eth0\t0002000A\t00000000\n", local));
        let global = |flags: &str| format!("fd000000000000000000000000000001 02 40 00 {flags}     eth0\n");
        assert!(has("", &global("80")) && !has("", &global("c0")));
    }

    #[test]
    fn what_is_wrong_is_said_for_each_card() {
        let card = |name: &str, carrier| Card { name: name.into(), address: "52:54:00:00:00:01".into(), carrier };
        let error = no_network(&[card("eth0", false), card("eth1", true)], Duration::from_secs(3)).to_string();
        assert!(error.contains("eth0 (52:54:00:00:00:01): no link") && error.contains("eth1"), "{error}");
        assert!(error.contains("no answer by DHCP"), "{error}");
        assert!(no_network(&[], PATIENCE).to_string().contains("no network card"));
    }
}

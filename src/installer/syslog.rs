//! `inst.syslog=`: what the consoles say, for a log server as well, by UDP (RFC 5424 and 5426).
//! It is not waited for, and nothing fails because of it.

use std::net::{Ipv6Addr, ToSocketAddrs, UdpSocket};

/// daemon.info
const PRIORITY: u8 = 3 * 8 + 6;
/// The port of syslog.
const PORT: u16 = 514;
/// How much of a line is sent: what every receiver takes.
const LONGEST: usize = 2000;

/// A log server.
pub struct Syslog {
    socket: UdpSocket,
    host: String,
}

impl Syslog {
    /// The server at `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`; needs the network.
    pub fn to(server: &str) -> std::io::Result<Self> {
        let (host, port) = split(server);
        let address =
            (host, port).to_socket_addrs()?.next().ok_or_else(|| std::io::Error::other("the name has no address"))?;
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.connect(address)?;
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = host.trim();
        // The nil value of the format.
        Ok(Syslog { socket, host: if host.is_empty() || host == "(none)" { "-".into() } else { host.to_owned() } })
    }

    /// Sends one line; an empty one says nothing.
    pub fn say(&self, line: &str) {
        if !line.trim().is_empty() {
            // A datagram may be lost anyway.
            let _ = self.socket.send(message(&self.host, line).as_bytes());
        }
    }
}

fn split(server: &str) -> (&str, u16) {
    if let Some((host, rest)) = server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()).unwrap_or(PORT));
    }
    match server.rsplit_once(':') {
        Some((host, port)) if server.parse::<Ipv6Addr>().is_err() => (host, port.parse().unwrap_or(PORT)),
        _ => (server, PORT),
    }
}

fn message(host: &str, line: &str) -> String {
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST / 4).collect();
    format!("<{PRIORITY}>1 - {host} bootc-ks - - - {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_names_addresses_and_ports() {
        assert_eq!(split("log.example"), ("log.example", 514));
        assert_eq!(split("log.example:1514"), ("log.example", 1514));
        assert_eq!(split("fd00::1"), ("fd00::1", 514));
        assert_eq!(split("[fd00::1]:1514"), ("fd00::1", 1514));
    }

    #[test]
    fn a_line_arrives_as_the_format_has_it() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let log = Syslog::to(&server.local_addr().unwrap().to_string()).unwrap();
        log.say("  ");
        log.say("error: no\x1b[1m disk");
        let mut buffer = [0; 4096];
        let length = server.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]);
        assert!(text.starts_with("<30>1 - ") && text.ends_with(" bootc-ks - - - error: no[1m disk"), "{text}");
    }
}

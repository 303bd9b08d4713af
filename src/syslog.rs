//! Lines for a log server, by UDP (RFC 5424 and 5426): what the consoles of the installer environment say
//! (`inst.syslog=`), and the events of an installation (`logging --host` of its kickstart). A server is not
//! waited for, and nothing fails because of it.

use std::net::{Ipv6Addr, ToSocketAddrs, UdpSocket};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use installer_core::event::{Event, Sink};

use crate::progress::{Listener, line};

/// The facility `daemon`.
const FACILITY: u8 = 3 * 8;
/// How urgent a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error = 3,
    Warning = 4,
    Info = 6,
}

/// The port of syslog.
const PORT: u16 = 514;
/// How much of a line is sent: what every receiver takes.
const LONGEST: usize = 2000;
/// How long the end of an installation waits for what is still to be sent; a name may be looked up for long.
const PATIENCE: Duration = Duration::from_secs(3);

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
        self.say_as(Severity::Info, "-", line);
    }

    /// The same of this severity, with the name of what it is about.
    pub fn say_as(&self, severity: Severity, about: &str, line: &str) {
        if !line.trim().is_empty() {
            // A datagram may be lost anyway.
            let _ = self.socket.send(message(&self.host, severity, about, line).as_bytes());
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

fn message(host: &str, severity: Severity, about: &str, line: &str) -> String {
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST / 4).collect();
    let priority = FACILITY + severity as u8;
    format!("<{priority}>1 - {host} bootc-ks {} {about} - {line}", std::process::id())
}

/// The events of an installation, for a log server. Its name is looked up, and lines are sent, beside the
/// installation.
pub struct Events {
    lines: Mutex<Option<Sender<Line>>>,
    sent: Mutex<Receiver<()>>,
}

type Line = (Severity, &'static str, String);

impl Events {
    /// To the server at `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
    pub fn to(server: &str) -> Self {
        let (lines, receiver) = channel::<Line>();
        let (done, sent) = channel();
        let server = server.to_owned();
        std::thread::spawn(move || {
            match Syslog::to(&server) {
                Ok(log) => receiver.iter().for_each(|(severity, about, line)| log.say_as(severity, about, &line)),
                Err(error) => eprintln!("warning: the log server {server}: {error}"),
            }
            // It may not be waited for any more.
            let _ = done.send(());
        });
        Events { lines: Mutex::new(Some(lines)), sent: Mutex::new(sent) }
    }
}

/// What an event says to a log, and how urgently.
fn said(event: &Event) -> Option<Line> {
    match event {
        Event::Failed { message, hint, disk_touched, .. } => {
            let disk = if *disk_touched { "the disk had been written to" } else { "the disk is untouched" };
            let hint = hint.as_ref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
            Some((Severity::Error, "failed", format!("installation failed ({disk}): {message}{hint}")))
        }
        Event::Finished { millis } => {
            Some((Severity::Info, "finished", format!("installed in {:.1} s", *millis as f64 / 1000.0)))
        }
        Event::Started { plan, steps, .. } => {
            Some((Severity::Info, "started", format!("installation of the plan {plan} begins: {steps} steps")))
        }
        Event::Warning { .. } | Event::Retry { .. } => Some((Severity::Warning, "warning", line(event)?)),
        Event::Output { .. } => Some((Severity::Info, "output", line(event)?)),
        Event::StepStarted { .. } => Some((Severity::Info, "step-started", line(event)?)),
        Event::Looking { .. } => Some((Severity::Info, "looking", line(event)?)),
        _ => None,
    }
}

impl Sink for Events {
    fn emit(&self, event: &Event) {
        if let (Some((severity, about, line)), Ok(lines)) = (said(event), self.lines.lock())
            && let Some(lines) = &*lines
        {
            // A server without an address has been warned about.
            let _ = lines.send((severity, about, line.trim_start().to_owned()));
        }
    }
}

impl Listener for Events {
    fn finish(&self) {
        let lines = self.lines.lock().ok().and_then(|mut lines| lines.take());
        drop(lines);
        if let Ok(sent) = self.sent.lock() {
            let _ = sent.recv_timeout(PATIENCE);
        }
    }
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

    fn server() -> (UdpSocket, String) {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let address = server.local_addr().unwrap().to_string();
        (server, address)
    }

    fn received(server: &UdpSocket) -> String {
        let mut buffer = [0; 4096];
        let length = server.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn a_line_arrives_as_the_format_has_it() {
        let (server, address) = server();
        let log = Syslog::to(&address).unwrap();
        log.say("  ");
        log.say("error: no\x1b[1m disk");
        let (text, pid) = (received(&server), std::process::id());
        assert!(
            text.starts_with("<30>1 - ") && text.ends_with(&format!(" bootc-ks {pid} - - error: no[1m disk")),
            "{text}"
        );
    }

    #[test]
    fn events_arrive_with_what_they_are_and_how_urgent() {
        let (server, address) = server();
        let events = Events::to(&address);
        events.emit(&Event::StepStarted { step: 1, steps: 2, title: "wipe".into() });
        events.emit(&Event::StepFinished { step: 1, millis: 3 });
        events.emit(&Event::Warning { message: "odd".into() });
        let error = installer_core::Error::refused(installer_core::Stage::Plan, "no").hint("yes");
        events.emit(&Event::failed(&error, &|_| None));
        events.finish();
        for (priority, rest) in [
            ("<30>1 ", " step-started - [1/2] wipe"),
            ("<28>1 ", " warning - warning: odd"),
            ("<27>1 ", " failed - installation failed (the disk is untouched): no; hint: yes"),
        ] {
            let text = received(&server);
            assert!(text.starts_with(priority) && text.ends_with(rest), "{text}");
        }
    }

    #[test]
    fn a_server_without_an_address_holds_nothing_up() {
        let events = Events::to("no.such.name.invalid");
        events.emit(&Event::Finished { millis: 1 });
        events.finish();
    }
}

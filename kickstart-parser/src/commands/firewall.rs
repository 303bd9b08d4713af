//! `firewall`: whether there is one, and what it lets through.

use super::command::Command;
use crate::args::spec::{Spec, flag, list, text};
use crate::args::{Args, Cx, Value};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `firewall`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Firewall {
    /// The command line.
    pub span: Span,
    /// Not `--disabled`.
    pub enabled: bool,
    /// `--port`: what is open, as `22:tcp`.
    pub ports: Vec<String>,
    /// `--trust`: interfaces without a filter, separated by commas, once for each option.
    pub trusts: Vec<String>,
    /// `--service`, and the switches for some services.
    pub services: Vec<String>,
    /// `--remove-service`.
    pub removed_services: Vec<String>,
    /// `--use-system-defaults`: leave the configuration alone.
    pub use_system_defaults: bool,
}

/// The options that add services, and which if they do not say.
const SERVICES: &[&str] = &["--service", "--ftp", "--http", "--smtp", "--ssh"];

const SPEC: Spec = Spec::new("firewall")
    .doc("Turns the firewall of the installed system on or off, and opens it for some ports and services.")
    .options(&[
        flag("--disabled").or(&["--disable"]).doc("no firewall"),
        flag("--enabled").or(&["--enable"]).doc("a firewall, which is the default"),
        text("--port").resets().doc("ports to open, as PORT:PROTOCOL, separated by commas"),
        text("--trust").resets().doc("network interfaces whose traffic is let through"),
        list("--service").resets().doc("services to open the firewall for, separated by commas"),
        flag("--ftp").doc("open it for FTP"),
        flag("--http").doc("open it for HTTP"),
        flag("--smtp").doc("open it for SMTP"),
        flag("--ssh").doc("open it for SSH"),
        list("--remove-service").resets().doc("services to close it for, separated by commas"),
        flag("--use-system-defaults").since(8, 0).doc("leave the firewall as the system has it"),
        flag("--high").long_gone().doc("a level of security of the past"),
        flag("--medium").long_gone().doc("a level of security of the past"),
        flag("--telnet").long_gone().doc("open it for telnet"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, &["--disabled", "--enabled"]);
    // A list of an earlier line stays, unless this one has a list of the kind.
    let before = kickstart.firewall.take();
    let keep = |names: &[&'static str], own: Vec<String>, earlier: fn(Firewall) -> Vec<String>| {
        if args.last_of(names).is_some() { own } else { before.clone().map(earlier).unwrap_or_default() }
    };
    let ports = args.texts("--port").iter().flat_map(|value| value.split(',')).map(port).collect();
    kickstart.firewall = Some(Firewall {
        span: args.span,
        enabled: args.last_of(&["--disabled", "--enabled"]).is_none_or(|given| given.name == "--enabled"),
        ports: keep(&["--port"], ports, |f| f.ports),
        trusts: keep(&["--trust"], args.texts("--trust"), |f| f.trusts),
        services: keep(SERVICES, words(args, SERVICES), |f| f.services),
        removed_services: keep(&["--remove-service"], words(args, &["--remove-service"]), |f| f.removed_services),
        use_system_defaults: args.flag("--use-system-defaults"),
    });
}

/// A port with its protocol.
fn port(text: &str) -> String {
    let text = text.trim();
    if text.contains(':') { text.to_owned() } else { format!("{text}:tcp") }
}

/// What some options name, one after the other; a switch names what it is called.
fn words(args: &Args, names: &[&str]) -> Vec<String> {
    let given = args.given.iter().filter(|given| names.contains(&given.name));
    given
        .flat_map(|given| match &given.value {
            Value::List(list) => list.clone(),
            _ => vec![given.name.trim_start_matches('-').to_owned()],
        })
        .collect()
}

/// Ports that are written as a switch of the past.
const OLD_SWITCHES: &[(&str, &str)] = &[
    ("ssh:tcp", "--ssh"),
    ("telnet:tcp", "--telnet"),
    ("smtp:tcp", "--smtp"),
    ("http:tcp", "--http"),
    ("ftp:tcp", "--ftp"),
];

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(firewall) = &kickstart.firewall else { return };
    pen.line("# Firewall configuration").text("firewall");
    if firewall.use_system_defaults {
        pen.word("--use-system-defaults");
    } else if !firewall.enabled {
        pen.word("--disabled");
    } else {
        pen.word("--enabled");
        let switch = |port: &String| OLD_SWITCHES.iter().find(|(name, _)| name == port).map(|(_, switch)| *switch);
        for switch in firewall.ports.iter().filter_map(switch) {
            pen.word(switch);
        }
        let numbers: Vec<String> = firewall.ports.iter().filter(|port| switch(port).is_none()).cloned().collect();
        pen.list("--port", &numbers);
        let trusts = firewall.trusts.join(",");
        pen.option("--trust", Some(trusts.trim_end()).filter(|_| !trusts.is_empty()));
        pen.list("--service", &firewall.services).list("--remove-service", &firewall.removed_services);
    }
    pen.end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, read_as};

    #[test]
    fn lists_grow_within_a_line() {
        let f = good("firewall --port=22,80:udp --port=imap --ssh --service=a,b --http --trust=eth0 --trust=eth1,eth2");
        let f = f.firewall.unwrap();
        assert_eq!(f.ports, ["22:tcp", "80:udp", "imap:tcp"]);
        assert_eq!(f.services, ["ssh", "a", "b", "http"]);
        assert_eq!(f.trusts, ["eth0", "eth1,eth2"]);
        assert!(f.enabled);
    }

    #[test]
    fn a_later_line_replaces_what_it_has() {
        let (k, codes) =
            read_as(Syntax::F44, "firewall --port=1 --ssh\nfirewall --disabled --service=x\nfirewall --trust=a");
        let f = k.firewall.unwrap();
        assert_eq!((f.ports.as_slice(), f.services.as_slice()), (&["1:tcp".to_owned()][..], &["x".to_owned()][..]));
        assert!(f.enabled && codes.is_empty());
    }

    #[test]
    fn canonical() {
        for (text, line) in [
            ("firewall", "firewall --enabled"),
            ("firewall --port=22,ssh,5:udp --ssh", "firewall --enabled --ssh --port=22:tcp,5:udp --service=ssh"),
            ("firewall --disabled --port=22", "firewall --disabled"),
            ("firewall --ssh --use-system-defaults", "firewall --use-system-defaults"),
            ("firewall --trust='a ' --remove-service=b", "firewall --enabled --trust=a --remove-service=b"),
            ("firewall --trust= --trust=a --remove-service=b", "firewall --enabled --trust=,a --remove-service=b"),
        ] {
            let written = good(text).to_pykickstart(Syntax::F44);
            assert!(written.contains(&format!("# Firewall configuration\n{line}\n")), "{text}: {written}");
        }
    }

    #[test]
    fn mistakes() {
        check(&[
            ("firewall x", &["E209"]),
            ("firewall --high", &["E203"]),
            ("firewall --s", &["E204"]),
            ("firewall --port", &["E205"]),
            ("firewall --enabled=1", &["E206"]),
        ]);
        check_versions(&[(Syntax::Rhel7, "firewall --use-system-defaults", &["E202"])]);
    }
}

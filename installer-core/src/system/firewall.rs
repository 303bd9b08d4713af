//! The firewall: firewalld's, by its own program for systems that do not run.

use super::change::{Change, Facts, Findings, Topic};
use crate::image::SystemFacts;
use crate::request::Firewall;

const UNIT: &str = "firewalld.service";
/// What configures it.
pub const PROGRAM: &str = "/usr/bin/firewall-offline-cmd";

/// The changes for `firewall`.
pub fn changes(firewall: &Firewall, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let there = facts.map(|facts| facts.units.contains_key(UNIT));
    if !firewall.enabled {
        // Without firewalld it is true already.
        return if there == Some(false) { Vec::new() } else { vec![Change::Disable { unit: UNIT.into() }] };
    }
    match facts {
        None => found.unknown("firewalld"),
        Some(facts) => check(firewall, facts, there == Some(true), found),
    }
    let args = arguments(firewall);
    let mut list = vec![Change::Enable { unit: UNIT.into() }];
    if !args.is_empty() {
        list.push(Change::Run { program: PROGRAM.into(), args });
    }
    list
}

/// Whether the image can do it.
fn check(firewall: &Firewall, facts: &SystemFacts, there: bool, found: &mut Findings) {
    if !there {
        let other = if facts.has("/usr/sbin/ufw") {
            ": it has ufw, which is not configured here"
        } else if facts.has("/usr/sbin/nft") {
            ": it has nftables alone, whose rules are the image's own"
        } else {
            ""
        };
        let hint = "add firewalld to the image, or say that the firewall is disabled";
        return found.lack(Topic::Firewall, format!("the image has no firewalld to enable{other}"), hint);
    }
    if !facts.has(PROGRAM) {
        let message = format!("the image has firewalld without {PROGRAM}, which configures it");
        return found.lack(Topic::Firewall, message, "add the program to the image");
    }
    // The image may know services by a file that was not read.
    if facts.firewall_services.is_empty() {
        return;
    }
    for service in firewall.services.iter().chain(&firewall.removed_services) {
        if facts.firewall_services.contains(service) {
            continue;
        }
        let near = kickstart_parser::closest(service, facts.firewall_services.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("perhaps {near} is meant; else open its port"),
            None => "open its port, or add a file for it to usr/lib/firewalld/services".into(),
        };
        found.lack(Topic::Firewall, format!("firewalld of the image knows no service '{service}'"), hint);
    }
}

/// As Anaconda writes them: ssh stays open unless it is closed by name.
fn arguments(firewall: &Firewall) -> Vec<String> {
    let mut args = Vec::new();
    let ssh = |list: &[String]| list.iter().any(|name| name == "ssh");
    let said = ssh(&firewall.services) || ssh(&firewall.removed_services);
    if !said && !firewall.ports.iter().any(|port| port == "22:tcp") {
        args.push("--service=ssh".to_owned());
    }
    args.extend(firewall.trusted.iter().map(|name| format!("--trust={name}")));
    args.extend(firewall.ports.iter().map(|port| format!("--port={port}")));
    args.extend(firewall.removed_services.iter().map(|name| format!("--remove-service={name}")));
    args.extend(firewall.services.iter().map(|name| format!("--service={name}")));
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::UnitFacts;

    fn image(programs: &[&str], firewalld: bool) -> SystemFacts {
        let mut facts = SystemFacts {
            programs: programs.iter().map(|program| (*program).to_owned()).collect(),
            firewall_services: vec!["http".into(), "ssh".into()],
            ..SystemFacts::default()
        };
        if firewalld {
            facts.units.insert(UNIT.into(), UnitFacts::default());
        }
        facts
    }

    fn open(services: &[&str], removed: &[&str], ports: &[&str]) -> Firewall {
        let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        Firewall {
            enabled: true,
            ports: owned(ports),
            trusted: vec!["eth1".into()],
            services: owned(services),
            removed_services: owned(removed),
        }
    }

    fn run(firewall: &Firewall, facts: Facts<'_>) -> (Vec<Change>, Vec<String>) {
        let mut found = Findings::default();
        let list = changes(firewall, facts, &mut found);
        (list, found.list().iter().map(|one| format!("{} {} {}", one.fatal, one.message, one.hint)).collect())
    }

    #[test]
    fn no_firewall_is_no_firewalld() {
        let off = Firewall::default();
        let disable = vec![Change::Disable { unit: UNIT.into() }];
        assert_eq!(run(&off, Some(&image(&[], true))), (disable.clone(), vec![]));
        assert_eq!(run(&off, Some(&image(&["/usr/sbin/nft"], false))), (vec![], vec![]));
        assert_eq!(run(&off, None), (disable, vec![]));
    }

    #[test]
    fn ssh_stays_open_unless_it_is_closed() {
        let facts = image(&[PROGRAM], true);
        for (firewall, expected) in [
            (open(&["http"], &[], &["80:tcp"]), "--service=ssh --trust=eth1 --port=80:tcp --service=http"),
            (open(&[], &["ssh"], &[]), "--trust=eth1 --remove-service=ssh"),
            (open(&[], &[], &["22:tcp"]), "--trust=eth1 --port=22:tcp"),
            (open(&["ssh"], &[], &[]), "--trust=eth1 --service=ssh"),
        ] {
            let (list, found) = run(&firewall, Some(&facts));
            let [Change::Enable { .. }, Change::Run { args, .. }] = &list[..] else { panic!("{list:?}") };
            assert_eq!((args.join(" ").as_str(), found.len()), (expected, 0));
        }
    }

    #[test]
    fn what_the_image_cannot_do_is_refused_with_the_reason() {
        let on = open(&["htp"], &[], &[]);
        for (facts, words) in [
            (image(&["/usr/sbin/nft"], false), "nftables alone"),
            (image(&["/usr/bin/ufw"], false), "ufw"),
            (image(&[], false), "no firewalld to enable"),
            (image(&[], true), "without /usr/bin/firewall-offline-cmd"),
            (image(&[PROGRAM], true), "perhaps http is meant"),
        ] {
            let (_, found) = run(&on, Some(&facts));
            assert!(found[0].starts_with("true") && found[0].contains(words), "{words}: {found:?}");
        }
        assert_eq!(run(&on, None).1, Vec::<String>::new());
    }
}

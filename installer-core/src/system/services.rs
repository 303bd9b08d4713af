//! Which units start with the system. In Anaconda's order: first off, then on.

use super::change::{Change, Facts, Findings, Topic};
use super::units::{self, Meant};
use crate::request::Services;

/// The changes for `services`.
pub fn changes(services: &Services, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let Some(facts) = facts else {
        let all = services.disabled.iter().map(|name| (name, false));
        return all
            .chain(services.enabled.iter().map(|name| (name, true)))
            .map(|(name, on)| unknown(name, on, found))
            .collect();
    };
    let mut list = Vec::new();
    for name in &services.disabled {
        match units::meant(name, &facts.units) {
            Meant::Unit(unit) => list.push(Change::Disable { unit }),
            Meant::Other(unit) => {
                other_name(name, &unit, found);
                list.push(Change::Disable { unit });
            }
            // It does not start as it is.
            Meant::Masked(_) => {}
            Meant::Missing(unit, near) => {
                found.note(
                    Topic::Services,
                    format!("the image has no {unit}, which was to be disabled"),
                    meaning(near),
                );
            }
        }
    }
    for name in &services.enabled {
        match units::meant(name, &facts.units) {
            Meant::Unit(unit) => enable(unit, facts, &mut list, found),
            Meant::Other(unit) => {
                other_name(name, &unit, found);
                enable(unit, facts, &mut list, found);
            }
            Meant::Masked(unit) => {
                found.lack(
                    Topic::Services,
                    format!("the image masks {unit}"),
                    "unmask it in the image, or leave it out",
                );
            }
            Meant::Missing(unit, near) => {
                found.lack(Topic::Services, format!("the image has no {unit}, which is to start"), meaning(near));
            }
        }
    }
    list
}

fn unknown(name: &str, on: bool, found: &mut Findings) -> Change {
    let unit = units::full_name(name);
    // What is not there does not start.
    if on {
        found.unknown(unit.as_str());
    }
    if on { Change::Enable { unit } } else { Change::Disable { unit } }
}

fn other_name(name: &str, unit: &str, found: &mut Findings) {
    found.note(Topic::Services, format!("'{name}' is {unit} in this image"), "");
}

fn meaning(near: Option<String>) -> String {
    match near {
        Some(near) => format!("perhaps {near} is meant; else add it to the image, or leave it out"),
        None => "add it to the image, or leave it out".into(),
    }
}

fn enable(unit: String, facts: &crate::image::SystemFacts, list: &mut Vec<Change>, found: &mut Findings) {
    let file = facts.units.get(&units::file_of(&unit)).or_else(|| facts.units.get(&unit));
    if file.is_some_and(|unit| unit.install.is_empty()) {
        // systemctl says the same, and calls it no failure.
        found.note(Topic::Services, format!("{unit} has no section [Install]: other units start it, if any"), "");
        return;
    }
    list.push(Change::Enable { unit });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{SystemFacts, UnitFacts, UnitInstall};

    fn facts() -> SystemFacts {
        let unit = |text: &str| UnitFacts { install: UnitInstall::parse(text), ..UnitFacts::default() };
        let mut facts = SystemFacts::default();
        let wanted = "[Install]\nWantedBy=multi-user.target\n";
        for name in ["ssh.service", "rsyslog.service", "kdump.service"] {
            facts.units.insert(name.into(), unit(wanted));
        }
        facts.units.insert("dbus.service".into(), unit("[Unit]\n"));
        facts
    }

    fn run(disabled: &[&str], enabled: &[&str], facts: Facts<'_>) -> (Vec<String>, Vec<(bool, String)>) {
        let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let mut found = Findings::default();
        let services = Services { disabled: owned(disabled), enabled: owned(enabled) };
        let list = changes(&services, facts, &mut found).iter().map(Change::title).collect();
        (list, found.list().iter().map(|one| (one.fatal, format!("{} {}", one.message, one.hint))).collect())
    }

    #[test]
    fn off_comes_before_on() {
        let (list, found) = run(&["kdump"], &["sshd", "rsyslog"], Some(&facts()));
        assert_eq!(list, ["disable kdump.service", "enable ssh.service", "enable rsyslog.service"]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_missing_unit_is_as_bad_as_in_anaconda() {
        let (list, found) = run(&["cups"], &["rsyslogd", "dbus"], Some(&facts()));
        assert_eq!(list, Vec::<String>::new());
        assert!(!found[0].0 && found[0].1.contains("no cups.service"), "{found:?}");
        assert!(found[1].0 && found[1].1.contains("perhaps rsyslog.service is meant"), "{found:?}");
        assert!(!found[2].0 && found[2].1.contains("[Install]"), "{found:?}");
    }

    #[test]
    fn unknown_facts_say_nothing() {
        let (list, found) = run(&["cups"], &["rsyslogd"], None);
        assert_eq!((list.len(), found.len()), (2, 0));
    }
}

//! The installed system's own settings. Request + image facts → a list of changes; pure. One file an
//! idea: each has a function from what is asked for and what the image has to its changes, and tells what
//! the image lacks for them. `plan` shows the changes, `apply::change` carries them out.

pub(crate) mod accounts;
mod accounts_fit;
mod authentication;
pub(crate) mod boot_entry;
mod certificates;
mod change;
mod clock;
mod desktop;
mod domain;
mod firewall;
pub(crate) mod fstab;
mod keyboard;
mod locale;
mod network;
mod once;
pub mod password;
mod purpose;
mod selinux;
mod services;
mod ssh;
mod subscription;
pub(crate) mod text;
pub(crate) mod units;

use std::collections::BTreeMap;

pub use accounts::{GroupPlan, UserPlan};
pub use change::{Change, Finding, Findings, Topic};
pub use selinux::kernel_argument as selinux_argument;

use crate::image::SystemFacts;
use crate::request::SystemSettings;
use crate::units::Secret;

/// Every program of the image that a change runs.
pub const PROGRAMS: [&str; 3] = [authentication::PROGRAM, certificates::PROGRAM, firewall::PROGRAM];

/// The changes that `settings` ask for, in order, and what is to be said of them. Nothing follows from
/// facts that are not known.
pub fn changes(settings: &SystemSettings, facts: Option<&SystemFacts>) -> (Vec<Change>, Findings) {
    let mut found = Findings::default();
    let mut list = locale::changes(settings, facts, &mut found);
    list.extend(keyboard::changes(settings, facts, &mut found));
    list.extend(clock::changes(settings, facts, &mut found));
    list.extend(selinux::changes(settings));
    list.extend(ssh::changes(settings));
    list.extend(network::changes(&settings.connections, facts, &mut found));
    list.extend(certificates::changes(&settings.certificates, facts));
    if let Some(authentication) = &settings.authentication {
        list.extend(authentication::changes(authentication, facts, &mut found));
    }
    if let Some(firewall) = &settings.firewall {
        list.extend(firewall::changes(firewall, facts, &mut found));
    }
    list.extend(desktop::changes(&settings.desktop));
    if let Some(wish) = settings.first_boot {
        list.extend(desktop::first_boot(wish, facts, &mut found));
    }
    if let Some(purpose) = &settings.purpose {
        list.extend(purpose::changes(purpose));
    }
    if let Some(registration) = &settings.registration {
        list.extend(subscription::changes(registration, facts, &mut found));
    }
    if let Some(arguments) = &settings.domain {
        list.extend(domain::changes(arguments, facts, &mut found));
    }
    // Last, so that what is asked for by name has the last word.
    list.extend(services::changes(&settings.services, facts, &mut found));
    list.extend(preset(&list));
    (list, found)
}

/// What the accounts of `groups` and `users` meet in the image.
pub fn check_accounts(groups: &[GroupPlan], users: &[UserPlan], facts: Option<&SystemFacts>, found: &mut Findings) {
    accounts_fit::check(groups, users, facts, found);
}

/// What stands in changes for secrets, with the secrets.
pub fn secrets(settings: &SystemSettings) -> BTreeMap<String, Secret> {
    let mut secrets = network::secrets(&settings.connections);
    secrets.extend(settings.registration.iter().flat_map(subscription::secrets));
    secrets
}

/// A system's first boot applies its presets, which would undo what was asked for.
fn preset(list: &[Change]) -> Option<Change> {
    // Of two words about a unit the last counts.
    let mut last = BTreeMap::new();
    for change in list {
        match change {
            Change::Enable { unit } => last.insert(unit.as_str(), true),
            Change::Disable { unit } => last.insert(unit.as_str(), false),
            _ => None,
        };
    }
    let those = |on: bool| last.iter().filter(|(_, is)| **is == on).map(|(unit, _)| *unit).collect::<Vec<_>>();
    (!last.is_empty()).then(|| Change::write(units::PRESET, units::preset(&those(true), &those(false))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Firewall, Services};

    #[test]
    fn only_what_was_asked_for_is_changed() {
        let (list, found) = changes(&SystemSettings::default(), None);
        assert!(list.is_empty() && found.list().is_empty() && found.doubt().is_none());
        let settings = SystemSettings {
            lang: Some("en_US.UTF-8".into()),
            timezone: Some("Etc/UTC".into()),
            clock_utc: Some(true),
            ..SystemSettings::default()
        };
        let titles: Vec<String> = changes(&settings, None).0.iter().map(Change::title).collect();
        assert_eq!(titles, ["write /etc/locale.conf", "link /etc/localtime to ../usr/share/zoneinfo/Etc/UTC"]);
    }

    #[test]
    fn the_presets_of_the_first_boot_undo_nothing() {
        let settings = SystemSettings {
            firewall: Some(Firewall::default()),
            services: Services { disabled: vec!["kdump".into()], enabled: vec!["sshd".into()] },
            ..SystemSettings::default()
        };
        let (list, _) = changes(&settings, None);
        let preset = list.last().unwrap();
        assert_eq!(preset.title(), format!("write {}", units::PRESET));
        assert_eq!(
            preset.details()[1..],
            ["enable sshd.service", "disable firewalld.service", "disable kdump.service"]
        );
    }
}

//! systemd's units: which one is meant by a name, and what enabling one comes to. Pure; where a unit's
//! file is read from is the caller's business.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::UnitFacts;

/// Where the admin's units and links are.
pub const ETC: &str = "/etc/systemd/system";
/// Where the vendor's units are.
pub const VENDOR: &str = "/usr/lib/systemd/system";
/// What the first boot makes of the units that have presets: what is asked for comes before the image's.
pub const PRESET: &str = "/etc/systemd/system-preset/00-bootc-ks.preset";

const KINDS: &[&str] =
    &["service", "socket", "timer", "target", "path", "mount", "automount", "slice", "swap", "scope", "device"];

/// Units that distributions call by different names.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("sshd.service", "ssh.service"),
    ("chronyd.service", "chrony.service"),
    ("crond.service", "cron.service"),
    ("httpd.service", "apache2.service"),
    ("named.service", "bind9.service"),
    ("smb.service", "smbd.service"),
];

/// `name` with its kind: `sshd` is `sshd.service`.
pub fn full_name(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, kind)) if KINDS.contains(&kind) => name.to_owned(),
        _ => format!("{name}.service"),
    }
}

/// The file of a unit, which for an instance is that of its template: `getty@.service`.
pub fn file_of(unit: &str) -> String {
    match (unit.split_once('@'), unit.rsplit_once('.')) {
        (Some((prefix, _)), Some((_, kind))) => format!("{prefix}@.{kind}"),
        _ => unit.to_owned(),
    }
}

/// What is between `@` and the kind of a unit.
fn instance(unit: &str) -> Option<&str> {
    let (_, rest) = unit.split_once('@')?;
    let (instance, _) = rest.rsplit_once('.')?;
    Some(instance).filter(|instance| !instance.is_empty())
}

/// What a name means in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// This unit.
    Unit(String),
    /// This unit, which the image has under another name.
    Other(String),
    /// A unit that the image masks.
    Masked(String),
    /// None; maybe this one was meant.
    Missing(String, Option<String>),
}

/// What `name` means where the image has `units`.
pub fn meant(name: &str, units: &BTreeMap<String, UnitFacts>) -> Meant {
    let full = full_name(name);
    let mut unit = full.clone();
    for _ in 0..8 {
        match units.get(&unit) {
            Some(UnitFacts { masked: true, .. }) => return Meant::Masked(unit),
            Some(UnitFacts { alias_of: Some(other), .. }) if *other != unit => unit.clone_from(other),
            Some(_) => return if unit == full { Meant::Unit(unit) } else { Meant::Other(unit) },
            None => break,
        }
    }
    if units.contains_key(&file_of(&full)) {
        return Meant::Unit(full);
    }
    let alias = units.iter().find(|(_, unit)| unit.install.alias.contains(&full));
    let pairs = OTHER_NAMES.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
    let other = pairs.filter(|(one, _)| *one == full).map(|(_, other)| other).find(|other| units.contains_key(*other));
    if let Some(other) = alias.map(|(name, _)| name.as_str()).or(other) {
        return Meant::Other(other.to_owned());
    }
    let near = kickstart_parser::closest(&full, units.keys().map(String::as_str)).map(str::to_owned);
    Meant::Missing(full, near)
}

/// A link that enables a unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitLink {
    /// Its path.
    pub path: String,
    /// The name of the unit's file that it leads to.
    pub file: String,
}

/// The links that enable `unit` and what its `Also=` names, as `systemctl enable` makes them. `read` has
/// the unit of a file name.
pub fn links(unit: &str, read: &dyn Fn(&str) -> Option<UnitFacts>) -> Vec<UnitLink> {
    let mut links = BTreeSet::new();
    for unit in with_also(unit, read) {
        let file = file_of(&unit);
        let Some(facts) = read(&file) else { continue };
        let install = &facts.install;
        // A template by itself becomes the instance that it names.
        let unit = match (&install.default_instance, instance(&unit)) {
            (Some(default), None) if file.contains("@.") => file.replacen("@.", &format!("@{default}."), 1),
            _ => unit,
        };
        let wants =
            [("wants", &install.wanted_by), ("requires", &install.required_by), ("upholds", &install.upheld_by)];
        for (kind, targets) in wants {
            // A template without an instance cannot be started by anything.
            for target in targets.iter().filter(|_| !unit.contains("@.")) {
                let path = format!("{ETC}/{}.{kind}/{unit}", filled(target, &unit));
                links.insert(UnitLink { path, file: file.clone() });
            }
        }
        for alias in &install.alias {
            let path = format!("{ETC}/{}", filled(alias, &unit));
            links.insert(UnitLink { path, file: file.clone() });
        }
    }
    links.into_iter().filter(|link| !link.path.contains("/../")).collect()
}

/// `unit`, and what is enabled and disabled together with it.
pub fn with_also(unit: &str, read: &dyn Fn(&str) -> Option<UnitFacts>) -> Vec<String> {
    let mut all = vec![unit.to_owned()];
    let mut next = 0;
    while let Some(unit) = all.get(next).cloned() {
        next += 1;
        for also in read(&file_of(&unit)).map(|facts| facts.install.also).unwrap_or_default() {
            let also = filled(&also, &unit);
            if !all.contains(&also) {
                all.push(also);
            }
        }
    }
    all
}

/// `text` with systemd's specifiers replaced that an `[Install]` may have.
fn filled(text: &str, unit: &str) -> String {
    let (name, _) = unit.rsplit_once('.').unwrap_or((unit, ""));
    let prefix = name.split('@').next().unwrap_or(name);
    let instance = instance(unit).unwrap_or_default();
    let pairs = [("%i", instance), ("%I", instance), ("%n", unit), ("%N", name), ("%p", prefix), ("%P", prefix)];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The preset file that holds what is asked for against the presets that systemd applies at the first
/// boot of a system.
pub fn preset(enabled: &[&str], disabled: &[&str]) -> String {
    let mut text = String::from("# Written by bootc-ks: what the installation enabled and disabled stays so.\n");
    let line = |unit: &str| match instance(unit) {
        Some(instance) => format!("{} {instance}", file_of(unit)),
        None => unit.to_owned(),
    };
    enabled.iter().for_each(|unit| text.push_str(&format!("enable {}\n", line(unit))));
    let off = disabled.iter().filter(|unit| !enabled.contains(unit));
    off.for_each(|unit| text.push_str(&format!("disable {unit}\n")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::UnitInstall;

    fn units() -> BTreeMap<String, UnitFacts> {
        let unit = |text: &str| UnitFacts {
            install: UnitInstall::parse(&format!("[Install]\n{text}")),
            ..UnitFacts::default()
        };
        let alias = |of: &str| UnitFacts { alias_of: Some(of.into()), ..UnitFacts::default() };
        let list = [
            ("ssh.service", unit("WantedBy=multi-user.target\nAlias=sshd.service")),
            ("getty@.service", unit("WantedBy=getty.target\nDefaultInstance=tty1")),
            ("cups.service", unit("Also=cups.socket cups.path\nWantedBy=multi-user.target")),
            ("cups.socket", unit("WantedBy=sockets.target\nAlso=cups.service")),
            ("cups.path", unit("RequiredBy=%p.service")),
            ("cron.service", unit("WantedBy=multi-user.target")),
            ("syslog.service", alias("rsyslog.service")),
            ("rsyslog.service", unit("WantedBy=multi-user.target")),
            ("off.service", UnitFacts { masked: true, ..UnitFacts::default() }),
        ];
        list.into_iter().map(|(name, unit)| (name.to_owned(), unit)).collect()
    }

    fn paths(unit: &str) -> Vec<String> {
        let units = units();
        let short = |link: UnitLink| format!("{} > {}", link.path.trim_start_matches(ETC), link.file);
        links(unit, &|name| units.get(name).cloned()).into_iter().map(short).collect()
    }

    #[test]
    fn names_are_found_as_systemd_and_distributions_have_them() {
        let units = units();
        let missing = |name: &str, near: Option<&str>| Meant::Missing(name.into(), near.map(str::to_owned));
        for (name, expected) in [
            ("ssh", Meant::Unit("ssh.service".into())),
            ("sshd", Meant::Other("ssh.service".into())),
            ("crond", Meant::Other("cron.service".into())),
            ("syslog", Meant::Other("rsyslog.service".into())),
            ("getty@tty3", Meant::Unit("getty@tty3.service".into())),
            ("cups.socket", Meant::Unit("cups.socket".into())),
            ("off", Meant::Masked("off.service".into())),
            ("rsyslogd", missing("rsyslogd.service", Some("rsyslog.service"))),
            ("kdump", missing("kdump.service", None)),
        ] {
            assert_eq!(meant(name, &units), expected, "{name}");
        }
    }

    #[test]
    fn links_are_those_of_systemctl() {
        assert_eq!(
            paths("ssh.service"),
            ["/multi-user.target.wants/ssh.service > ssh.service", "/sshd.service > ssh.service",]
        );
        assert_eq!(paths("getty@tty3.service"), ["/getty.target.wants/getty@tty3.service > getty@.service"]);
        assert_eq!(paths("getty@.service"), ["/getty.target.wants/getty@tty1.service > getty@.service"]);
        assert_eq!(
            paths("cups.service"),
            [
                "/cups.service.requires/cups.path > cups.path",
                "/multi-user.target.wants/cups.service > cups.service",
                "/sockets.target.wants/cups.socket > cups.socket",
            ]
        );
    }

    #[test]
    fn the_preset_says_what_was_asked_for() {
        let text = preset(&["sshd.service", "getty@tty3.service"], &["kdump.service", "sshd.service"]);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines, ["enable sshd.service", "enable getty@.service tty3", "disable kdump.service"]);
    }
}

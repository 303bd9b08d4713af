//! What the system of an image has that a configuration can turn on or has to fit: units, programs,
//! accounts, locales. Plain data, part of [`ImageFacts`](super::ImageFacts).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The system of an image. Facts that were recorded before this was looked for have none of it, which
/// says that it is not known, never that it is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemFacts {
    /// systemd's units by name.
    pub units: BTreeMap<String, UnitFacts>,
    /// Those of [`PROGRAMS`] that are there, by path, sorted.
    pub programs: Vec<String>,
    /// The services that firewalld knows by name, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firewall_services: Vec<String>,
    /// Lines of /etc/passwd without the password.
    pub passwd: Vec<String>,
    /// Lines of /etc/group without the password.
    pub group: Vec<String>,
    /// Lines of /usr/lib/passwd (nss-altfiles).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendor_passwd: Vec<String>,
    /// Lines of /usr/lib/group (nss-altfiles).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendor_group: Vec<String>,
    /// Login shells: the paths in /etc/shells.
    pub shells: Vec<String>,
    /// Locales that have a directory; `None` where they are in an archive that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locales: Option<Vec<String>>,
    /// Keymaps of the console, sorted.
    pub keymaps: Vec<String>,
    /// Time zones, sorted.
    pub zones: Vec<String>,
}

/// What Debian's keyboard-configuration reads.
pub const DEFAULT_KEYBOARD: &str = "/etc/default/keyboard";

/// Where Debian's systemd has /etc/vconsole.conf replaced at every start by a link to [`DEFAULT_KEYBOARD`].
pub const DEBIANS_LINKS: &str = "/usr/lib/tmpfiles.d/debian.conf";

/// What is asked for among the programs and the configuration files of an image.
pub const PROGRAMS: &[&str] = &[
    "/etc/chrony.conf",
    "/etc/chrony/chrony.conf",
    DEFAULT_KEYBOARD,
    "/usr/bin/authselect",
    "/usr/bin/firewall-offline-cmd",
    "/usr/bin/insights-client",
    "/usr/bin/update-ca-trust",
    DEBIANS_LINKS,
    "/usr/sbin/NetworkManager",
    "/usr/sbin/chronyd",
    "/usr/sbin/initial-setup",
    "/usr/sbin/realm",
    "/usr/sbin/rsyslogd",
    "/usr/sbin/sshd",
    "/usr/sbin/subscription-manager",
    "/usr/sbin/syspurpose",
    "/usr/sbin/ufw",
    "/usr/sbin/nft",
    "/usr/sbin/update-ca-certificates",
];

impl SystemFacts {
    /// Whether a program (or file) of [`PROGRAMS`] is there. /usr/bin and /usr/sbin are one directory in
    /// newer systems.
    pub fn has(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let other = [format!("/usr/bin/{name}"), format!("/usr/sbin/{name}")];
        let is = |have: &String| have == path || path.starts_with("/usr/") && other.contains(have);
        self.programs.iter().any(is)
    }
}

/// One unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFacts {
    /// The unit that this is another name of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<String>,
    /// Whether it is masked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
    /// What its section `[Install]` says.
    #[serde(flatten)]
    pub install: UnitInstall,
}

/// The section `[Install]` of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitInstall {
    /// `WantedBy=`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted_by: Vec<String>,
    /// `RequiredBy=`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_by: Vec<String>,
    /// `UpheldBy=`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upheld_by: Vec<String>,
    /// `Also=`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// `Alias=`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alias: Vec<String>,
    /// `DefaultInstance=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_instance: Option<String>,
}

impl UnitInstall {
    /// Reads the section out of a unit's text. As in systemd an empty value takes back what stood before.
    pub fn parse(text: &str) -> Self {
        let mut install = UnitInstall::default();
        let mut inside = false;
        for line in joined(text) {
            let line = line.trim();
            if line.starts_with('[') {
                inside = line == "[Install]";
            }
            if !inside || line.starts_with(['#', ';']) {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let list = match key.trim() {
                "WantedBy" => &mut install.wanted_by,
                "RequiredBy" => &mut install.required_by,
                "UpheldBy" => &mut install.upheld_by,
                "Also" => &mut install.also,
                "Alias" => &mut install.alias,
                "DefaultInstance" => {
                    install.default_instance = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
                    continue;
                }
                _ => continue,
            };
            if value.trim().is_empty() {
                list.clear();
            }
            list.extend(value.split_whitespace().map(str::to_owned));
        }
        install
    }

    /// Whether the unit can be enabled at all.
    pub fn is_empty(&self) -> bool {
        let lists = [&self.wanted_by, &self.required_by, &self.upheld_by, &self.also, &self.alias];
        lists.iter().all(|list| list.is_empty())
    }
}

/// The lines of a unit file, with those that a backslash continues put together.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let (text, goes_on) = match line.strip_suffix('\\') {
            Some(text) => (text, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(text);
            }
            _ => lines.push(text.to_owned()),
        }
        open = goes_on;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_install_section_is_read_as_systemd_reads_it() {
        let text = "[Unit]\nWantedBy=no.target\n[Install]\n# WantedBy=no.target\nWantedBy=a.target\nWantedBy=\n\
                    WantedBy=multi-user.target \\\n  graphical.target\nAlias=b.service\nAlso=c.socket d.socket\n\
                    DefaultInstance=tty1\n[Other]\nAlso=no.service\n";
        let install = UnitInstall::parse(text);
        assert_eq!(install.wanted_by, ["multi-user.target", "graphical.target"]);
        assert_eq!((install.alias[0].as_str(), install.also.len()), ("b.service", 2));
        assert_eq!(install.default_instance.as_deref(), Some("tty1"));
        assert!(!install.is_empty() && UnitInstall::parse("[Install]\n").is_empty());
    }

    #[test]
    fn the_two_directories_of_programs_are_one() {
        let facts = SystemFacts { programs: vec!["/usr/bin/chronyd".into()], ..SystemFacts::default() };
        assert!(facts.has("/usr/sbin/chronyd") && !facts.has("/etc/chrony.conf"));
    }
}

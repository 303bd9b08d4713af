//! Services, firewall, clock, authentication, certificates: what is asked of the system besides its
//! language and its users.

use kickstart_parser::Span;
use kickstart_parser::authconfig;
use kickstart_parser::kickstart::{self as ks, FirstbootMode, Kickstart};

use super::Reader;
use crate::request::settings::{
    Authentication, Certificate, Desktop, Firewall, FirstBoot, Group, Services, SystemPurpose, TimeSource, TimeSync,
};
use crate::request::{valid_id, valid_name};

impl Reader<'_> {
    pub(super) fn services(&mut self, kickstart: &Kickstart) -> Services {
        let Some(services) = &kickstart.services else { return Services::default() };
        let mut checked = |names: &[String]| -> Vec<String> {
            let (good, bad): (Vec<String>, Vec<String>) = names.iter().cloned().partition(|name| valid_unit(name));
            for name in bad {
                self.bad(services.span, format!("services: '{name}' cannot be a unit"), "write names such as sshd");
            }
            good
        };
        Services { disabled: checked(&services.disabled), enabled: checked(&services.enabled) }
    }

    pub(super) fn firewall(&mut self, kickstart: &Kickstart) -> Option<Firewall> {
        let firewall = kickstart.firewall.as_ref().filter(|firewall| !firewall.use_system_defaults)?;
        let trusted = firewall.trusts.iter().flat_map(|list| list.split(',')).map(str::trim);
        let trusted: Vec<String> = trusted.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let words = firewall.services.iter().chain(&firewall.removed_services).chain(&trusted);
        for word in words.filter(|word| !plain_word(word)) {
            self.bad(firewall.span, format!("firewall: '{word}' cannot be a name"), "use letters, digits, '-' and '_'");
        }
        for port in firewall.ports.iter().filter(|port| !valid_port(port)) {
            self.bad(
                firewall.span,
                format!("firewall --port: '{port}' is no port"),
                "write PORT:PROTOCOL, such as 8080:tcp or 5000-5010:udp",
            );
        }
        Some(Firewall {
            enabled: firewall.enabled,
            ports: firewall.ports.clone(),
            trusted,
            services: firewall.services.clone(),
            removed_services: firewall.removed_services.clone(),
        })
    }

    pub(super) fn groups(&mut self, kickstart: &Kickstart) -> Vec<Group> {
        let mut list = Vec::new();
        for group in &kickstart.groups {
            let gid = group.gid.map(|gid| valid_id(gid).ok_or(gid));
            match gid.transpose() {
                Ok(gid) if valid_name(&group.name) => list.push(Group { name: group.name.clone(), gid }),
                Ok(_) => self.bad(
                    group.span,
                    format!("group: '{}' cannot be a group's name", group.name),
                    "use letters, digits, '-', '_' and '.', not beginning with a digit",
                ),
                Err(_) => self.bad(
                    group.span,
                    format!("group {}: --gid is out of range", group.name),
                    "use a number from 0 to 4294967294, and not 65535",
                ),
            }
        }
        list
    }

    /// Of the two commands the newer one counts.
    pub(super) fn authentication(&mut self, kickstart: &Kickstart) -> Option<Authentication> {
        if let Some(authselect) = &kickstart.authselect {
            let words = authselect.words();
            // Switches alone are those of the command's predecessor.
            if words.iter().any(|word| !word.starts_with('-')) {
                return Some(Authentication::Arguments(words));
            }
            return self.authconfig("authselect", &words, authselect.span);
        }
        let auth = kickstart.auth.as_ref()?;
        self.authconfig("auth", &auth.words(), auth.span)
    }

    fn authconfig(&mut self, command: &str, words: &[String], span: Span) -> Option<Authentication> {
        let meaning = match authconfig::meaning(words) {
            Ok(meaning) => meaning,
            Err(option) => {
                self.refuse(
                    span,
                    format!("{command}: {option} has no certain counterpart in authselect"),
                    "write it for authselect, such as `authselect select sssd with-mkhomedir`",
                );
                return None;
            }
        };
        if let Some(weak) = meaning.weak_hash {
            let message = format!("{command} {weak}: passwords are hashed by SHA-512, or as the image does");
            self.warn_if(true, span, &message, "leave it out");
        }
        let features: Vec<String> = meaning.features.iter().map(|name| (*name).to_owned()).collect();
        match meaning.profile {
            Some(profile) => {
                let words = ["select".to_owned(), profile.to_owned()];
                Some(Authentication::Arguments(words.into_iter().chain(features).collect()))
            }
            None if features.is_empty() => None,
            None => Some(Authentication::Features(features)),
        }
    }

    pub(super) fn time_sync(&mut self, kickstart: &Kickstart) -> Option<TimeSync> {
        let timezone = kickstart.timezone.as_ref();
        if kickstart.timesources.iter().any(|source| source.ntp_disable) || timezone.is_some_and(|t| t.no_ntp) {
            return Some(TimeSync::Off);
        }
        let source = |source: &ks::Timesource| {
            let (host, pool) = match &source.ntp_pool {
                Some(pool) => (pool.clone(), true),
                None => (source.ntp_server.clone()?, false),
            };
            Some((TimeSource { host, pool, nts: source.nts }, source.span))
        };
        let mut all: Vec<(TimeSource, Span)> = kickstart.timesources.iter().filter_map(source).collect();
        if let Some(timezone) = timezone {
            let server = |host: &String| TimeSource { host: host.clone(), pool: false, nts: false };
            all.extend(timezone.ntp_servers.iter().map(|host| (server(host), timezone.span)));
        }
        let host = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || ".-:_".contains(c));
        for (source, span) in all.iter().filter(|(source, _)| !host(&source.host)) {
            self.bad(*span, format!("'{}' cannot be a time server", source.host), "write a host's name or address");
        }
        (!all.is_empty()).then(|| TimeSync::Sources(all.into_iter().map(|(source, _)| source).collect()))
    }

    pub(super) fn first_boot(&self, kickstart: &Kickstart) -> Option<FirstBoot> {
        Some(match kickstart.firstboot.as_ref()?.mode? {
            FirstbootMode::Disabled => FirstBoot::Disabled,
            FirstbootMode::Enabled => FirstBoot::Enabled,
            FirstbootMode::Reconfig => FirstBoot::Reconfigure,
        })
    }

    pub(super) fn desktop(&mut self, kickstart: &Kickstart) -> Desktop {
        let xconfig = kickstart.xconfig.as_ref();
        let default = xconfig.and_then(|xconfig| xconfig.default_desktop.clone());
        if let (Some(name), Some(xconfig)) = (default.as_ref().filter(|name| !plain_word(name)), xconfig) {
            self.bad(xconfig.span, format!("xconfig: '{name}' cannot be a desktop"), "write GNOME or KDE");
        }
        let graphical = match (xconfig.is_some_and(|xconfig| xconfig.start_on_boot), &kickstart.skipx) {
            (true, _) => Some(true),
            (false, Some(_)) => Some(false),
            (false, None) => None,
        };
        Desktop { graphical, default }
    }

    pub(super) fn certificates(&mut self, kickstart: &Kickstart) -> Vec<Certificate> {
        let mut list = Vec::new();
        for certificate in &kickstart.certificates {
            let name = certificate.filename.as_str();
            let dir = match (&certificate.dir, certificate.kind.as_deref()) {
                (Some(dir), _) => Some(dir.as_str()),
                // Anaconda has no directory for any type.
                (None, _) => None,
            };
            let inside = |dir: &str| dir.starts_with('/') && !dir.split('/').any(|part| part == "..");
            if let Some(dir) = dir.filter(|dir| is_images(dir)) {
                self.bad(
                    certificate.span,
                    format!("%certificate: {dir} is the image's own, or gone with the next start"),
                    "write --dir=/etc/pki/ca-trust/source/anchors, or another directory below /etc or /var",
                );
                continue;
            }
            match dir.filter(|dir| inside(dir)) {
                Some(dir) if name.len() <= LONGEST_NAME && !name.contains('/') && !matches!(name, "" | "." | "..") => {
                    list.push(Certificate {
                        path: format!("{}/{name}", dir.trim_end_matches('/')),
                        content: certificate.body.clone(),
                    })
                }
                Some(_) => self.bad(
                    certificate.span,
                    format!("%certificate --filename: '{name}' is not the name of a file"),
                    "write a name without '/'",
                ),
                None => self.bad(
                    certificate.span,
                    "%certificate: where the certificate goes is not an absolute path",
                    "write --dir=/etc/pki/ca-trust/source/anchors",
                ),
            }
        }
        list
    }

    pub(super) fn system_purpose(&self, kickstart: &Kickstart) -> Option<SystemPurpose> {
        let purpose = kickstart.syspurpose.as_ref()?;
        Some(SystemPurpose {
            role: purpose.role.clone(),
            sla: purpose.sla.clone(),
            usage: purpose.usage.clone(),
            addons: purpose.addons.clone(),
        })
    }
}

/// The longest name of a file.
const LONGEST_NAME: usize = 255;

/// Whether a directory cannot hold what an administrator puts there: the image's own ones cannot be written
/// to, and others are empty at every start.
fn is_images(dir: &str) -> bool {
    // /etc, and what is or leads into /var; a new directory in the root cannot be made.
    const WRITABLE: &[&str] = &["etc", "home", "mnt", "opt", "root", "srv", "var"];
    let first = dir.split('/').find(|part| !part.is_empty() && *part != ".");
    dir.starts_with('/') && first.is_none_or(|first| !WRITABLE.contains(&first))
}

/// Whether systemd takes it for a unit's name, with its kind or without.
pub(crate) fn valid_unit(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    !name.is_empty() && name.len() < 256 && name.chars().all(good) && !name.starts_with(['.', '-', '@'])
}

/// A word that means nothing to a shell or to a configuration file.
fn plain_word(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.+:@".contains(c);
    !text.is_empty() && text.chars().all(good) && !text.starts_with('-')
}

/// `22:tcp`, `5000-5010:udp`, or a port by its name.
fn valid_port(text: &str) -> bool {
    let Some((ports, protocol)) = text.rsplit_once(':') else { return false };
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let range = match ports.split_once('-') {
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) => first <= last,
            // A name may have a hyphen.
            _ => plain_word(ports) && !ports.starts_with(|c: char| c.is_ascii_digit()),
        },
        None if ports.starts_with(|c: char| c.is_ascii_digit()) => number(ports).is_some(),
        None => plain_word(ports),
    };
    range && ["tcp", "udp", "sctp", "dccp"].contains(&protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_go_where_they_stay() {
        for dir in
            ["/usr/share/pki/ca-trust-source/anchors", "/usr", "//usr/x", "/./lib/x", "/run/x", "/new/x", "/dev", "/"]
        {
            assert!(is_images(dir), "{dir}");
        }
        for dir in ["/etc/pki/ca-trust/source/anchors", "/var/lib/x", "/opt/x", "/root", "etc"] {
            assert!(!is_images(dir), "{dir}");
        }
    }

    #[test]
    fn ports_are_numbers_ranges_or_names() {
        for (text, good) in [
            ("22:tcp", true),
            ("5000-5010:udp", true),
            ("imap:tcp", true),
            ("netbios-ns:udp", true),
            ("0:tcp", false),
            ("70000:tcp", false),
            ("9-1:tcp", false),
            ("22:icmp", false),
            ("22", false),
            ("a b:tcp", false),
        ] {
            assert_eq!(valid_port(text), good, "{text}");
        }
    }

    #[test]
    fn units_have_names_that_systemd_takes() {
        for (name, good) in
            [("sshd", true), ("getty@tty1.service", true), ("a/b", false), ("", false), ("-x", false), ("a b", false)]
        {
            assert_eq!(valid_unit(name), good, "{name:?}");
        }
    }
}

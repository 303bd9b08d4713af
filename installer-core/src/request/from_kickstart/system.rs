//! The system's own settings: language, clock, host name, accounts.

use kickstart_parser::Span;
use kickstart_parser::kickstart::{Keyboard, Kickstart, SelinuxMode, User as KsUser};
use kickstart_parser::values::unfit_home;

use super::Reader;
use crate::request::{Password, RootAccess, SystemSettings, User, valid_id, valid_name};
use crate::units::Secret;

/// Whether a home can be made at `path`: below the directories that lead into /var, which are those of
/// ostree's own layout, and under names that a file system takes.
fn can_be_made(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    let top = parts.peek().copied().unwrap_or_default();
    ["home", "var", "root", "srv", "opt", "mnt"].contains(&top) && parts.all(|part| part != ".." && part.len() <= 255)
}

impl Reader<'_> {
    pub(super) fn system(&mut self, kickstart: &Kickstart) -> SystemSettings {
        let keyboard = kickstart.keyboard.as_ref();
        let timezone = kickstart.timezone.as_ref();
        SystemSettings {
            lang: kickstart.lang.as_ref().map(|lang| lang.lang.clone()),
            keymap: keyboard.and_then(|k| k.vckeymap.clone().or_else(|| k.keyboard.clone())),
            x_layouts: keyboard.map(|k| self.layouts(k)).unwrap_or_default(),
            x_options: keyboard.map(|k| k.switch.clone()).unwrap_or_default(),
            timezone: timezone.and_then(|t| self.zone(t.zone.clone()?, t.span)),
            clock_utc: timezone.map(|t| t.utc),
            hostname: self.hostname(kickstart),
            root: self.root(kickstart),
            users: kickstart.users.iter().map(|user| self.user(user)).collect(),
            ssh_keys: kickstart.ssh_keys.iter().map(|key| (key.username.clone(), key.key.trim().to_owned())).collect(),
            root_ssh_password: kickstart.rootpw.as_ref().is_some_and(|rootpw| rootpw.allow_ssh),
            selinux: kickstart.selinux.as_ref().and_then(|s| s.mode).map(|mode| {
                match mode {
                    SelinuxMode::Enforcing => "enforcing",
                    SelinuxMode::Permissive => "permissive",
                    SelinuxMode::Disabled => "disabled",
                }
                .to_owned()
            }),
            groups: self.groups(kickstart),
            services: self.services(kickstart),
            firewall: self.firewall(kickstart),
            connections: self.connections(kickstart),
            authentication: self.authentication(kickstart),
            time_sync: self.time_sync(kickstart),
            first_boot: self.first_boot(kickstart),
            desktop: self.desktop(kickstart),
            certificates: self.certificates(kickstart),
            purpose: self.system_purpose(kickstart),
            registration: self.registration(kickstart),
            domain: self.domain(kickstart),
        }
    }

    /// They go into files with quotes of their own.
    fn layouts(&mut self, keyboard: &Keyboard) -> Vec<String> {
        let odd = |text: &&String| !text.chars().all(|c| c.is_ascii_alphanumeric() || "()_-+:, ".contains(c));
        if let Some(text) = keyboard.xlayouts.iter().chain(&keyboard.switch).find(odd) {
            self.bad(
                keyboard.span,
                format!("keyboard: '{text}' is neither a layout nor an option"),
                "write layouts as 'cz (qwerty)', options as grp:alt_shift_toggle",
            );
            return Vec::new();
        }
        keyboard.xlayouts.clone()
    }

    pub(super) fn zone(&mut self, zone: String, span: Span) -> Option<String> {
        let good =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "+-_".contains(c));
        if zone.split('/').all(good) {
            return Some(zone);
        }
        self.bad(
            span,
            format!("'{zone}' is not the name of a time zone"),
            "write it as Area/City, such as Europe/Prague",
        );
        None
    }

    pub(super) fn hostname(&mut self, kickstart: &Kickstart) -> Option<String> {
        let (hostname, span) = kickstart.network.iter().rev().find_map(|n| Some((n.hostname.clone()?, n.span)))?;
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if hostname.len() <= 64 && hostname.split('.').all(label) {
            return Some(hostname);
        }
        self.bad(
            span,
            format!("'{hostname}' cannot be a host name"),
            "use letters, digits and '-', parts of at most 63 separated by dots, 64 in all",
        );
        None
    }

    pub(super) fn root(&mut self, kickstart: &Kickstart) -> RootAccess {
        let Some(rootpw) = &kickstart.rootpw else { return RootAccess::Locked };
        match &rootpw.password {
            Some(password) if !rootpw.lock && !locks(password, rootpw.is_crypted) => {
                RootAccess::Password(secret(password, rootpw.is_crypted))
            }
            _ => RootAccess::Locked,
        }
    }

    pub(super) fn user(&mut self, user: &KsUser) -> User {
        let id = |value: Option<i64>| value.and_then(valid_id);
        for (value, option) in [(user.uid, "--uid"), (user.gid, "--gid")] {
            if value.is_some() && id(value).is_none() {
                self.bad(
                    user.span,
                    format!("user {}: {option} is out of range", user.name),
                    "use a number from 0 to 4294967294, and not 65535",
                );
            }
        }
        for (value, option) in [(&user.home, "--homedir"), (&user.shell, "--shell")] {
            if value.as_ref().is_some_and(|v| !v.starts_with('/') || v.contains([':', '\n'])) {
                self.bad(
                    user.span,
                    format!("user {}: {option} is not an absolute path", user.name),
                    "write an absolute path",
                );
            }
        }
        if let Some(home) = user
            .home
            .as_deref()
            .filter(|home| home.starts_with('/') && unfit_home(home).is_none() && !can_be_made(home))
        {
            self.bad(
                user.span,
                format!("user {}: no home can be made at {home}", user.name),
                "choose a directory below /home or /var: the rest of the root is the image's and read-only",
            );
        }
        let groups = user.groups.iter().filter_map(|text| self.group(text, user)).collect();
        let (given, locking) = match &user.password {
            Some(password) if locks(password, user.is_crypted) => (None, true),
            password => (password.as_ref(), false),
        };
        User {
            name: user.name.clone(),
            uid: id(user.uid),
            gid: id(user.gid),
            groups,
            home: user.home.clone(),
            shell: user.shell.clone(),
            gecos: user.gecos.clone().unwrap_or_default(),
            password: given.map(|password| secret(password, user.is_crypted)),
            locked: user.lock || locking,
        }
    }

    /// `name` or `name(gid)`, as Anaconda reads it.
    pub(super) fn group(&mut self, text: &str, user: &KsUser) -> Option<(String, Option<u32>)> {
        let parsed = match text.split_once('(') {
            None => Some((text.to_owned(), None)),
            Some((name, rest)) => {
                let gid = rest.strip_suffix(')').and_then(|gid| gid.parse().ok()).and_then(valid_id);
                gid.map(|gid| (name.to_owned(), Some(gid)))
            }
        };
        match parsed {
            Some((name, gid)) if valid_name(&name) => Some((name, gid)),
            _ => {
                self.bad(
                    user.span,
                    format!("user {}: '{text}' cannot be a group", user.name),
                    "write NAME or NAME(GID)",
                );
                None
            }
        }
    }
}

/// Whether what is given for a hash means that no password fits. The account gets the mark for that which
/// lets keys in everywhere: some servers of ssh refuse keys too where there is a `!`.
fn locks(password: &Secret, crypted: bool) -> bool {
    crypted && kickstart_parser::values::locks(password.expose())
}

fn secret(password: &Secret, crypted: bool) -> Password {
    let password = password.clone();
    if crypted { Password::Hashed(password) } else { Password::Plain(password) }
}

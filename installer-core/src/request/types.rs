//! The request itself: data, without a word of kickstart.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout::{Custom, Layout};
use super::network::Connection;
use super::settings::{
    Authentication, Certificate, Desktop, Firewall, FirstBoot, Group, Registration, Services, SystemPurpose, TimeSync,
};
use crate::image::Login;
use crate::units::{Bytes, Digest, Secret};

/// A whole installation, as asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The image, as written (`quay.io/org/os:latest`, `oci:/path`).
    pub image: Option<String>,
    /// The name under which the installed system looks for updates, where it is another one.
    pub update_from: Option<String>,
    /// Stateroot, where one is asked for.
    pub stateroot: Option<String>,
    /// Whether the admin said that no signature need be verified.
    pub unsigned_is_fine: bool,
    /// The digest that the image must have, where one is asked for.
    pub digest: Option<Digest>,
    /// How the image is reached.
    pub registry: RegistryAccess,
    /// Which disks, and what may be lost on them.
    pub disks: DiskChoice,
    /// What to make there.
    pub layout: Layout,
    /// Kernel arguments to add.
    pub kargs: Vec<String>,
    /// Whether a boot loader is wanted.
    pub bootloader: bool,
    /// Whether the order in which the firmware boots things stays as it is.
    pub leave_boot_order: bool,
    /// Seconds that its menu waits, where asked for.
    pub menu_timeout: Option<u32>,
    /// GRUB's hash of a password that its menu asks for before anything in it is changed.
    pub menu_password: Option<Secret>,
    /// The system's own settings.
    pub system: SystemSettings,
    /// Scripts, in order. The caller runs those that come before all else.
    pub scripts: Vec<Script>,
    /// What happens when it is done.
    pub end: EndAction,
    /// A log server that the events go to as well, `HOST:PORT`.
    pub log_server: Option<String>,
}

impl Request {
    /// The image and nothing else: its defaults, no disk chosen, nothing to be lost.
    pub fn of_image(image: impl Into<String>) -> Self {
        Request {
            image: Some(image.into()),
            update_from: None,
            stateroot: None,
            unsigned_is_fine: false,
            digest: None,
            registry: RegistryAccess::default(),
            disks: DiskChoice::default(),
            layout: Layout::Custom(Custom::default()),
            kargs: Vec::new(),
            bootloader: true,
            leave_boot_order: false,
            menu_timeout: None,
            menu_password: None,
            system: SystemSettings::default(),
            scripts: Vec::new(),
            end: EndAction::Nothing,
            log_server: None,
        }
    }
}

/// How the image is reached, where what every program does will not do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegistryAccess {
    /// What to log in with at the image's registry.
    pub login: Option<Login>,
    /// The one file to take credentials from.
    pub authfile: Option<PathBuf>,
    /// Registries (`host` or `host:port`) without verified TLS.
    pub insecure_registries: Vec<String>,
    /// How long a connection may stay silent.
    pub timeout: Option<Duration>,
    /// Whether the installed system gets the credentials, for its updates.
    pub keep_credentials: bool,
}

/// Which disks may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskChoice {
    /// Only these (names, links, globs); empty means any.
    pub only: Vec<String>,
    /// Not these.
    pub ignore: Vec<String>,
    /// What may be destroyed.
    pub clear: Clear,
    /// An image file to install onto instead of a disk.
    pub image_file: Option<ImageFile>,
}

/// A disk image to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFile {
    /// Its path.
    pub path: String,
    /// Its size; the file is sparse.
    pub size: Bytes,
    /// Whether a file of that name is there, which will be replaced.
    pub replaces: bool,
}

/// What may be destroyed on the chosen disks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clear {
    /// Nothing.
    #[default]
    Nothing,
    /// Everything on every usable disk.
    All,
    /// Everything on these disks.
    Disks(Vec<String>),
    /// Linux partitions alone.
    LinuxOnly,
}

/// The installed system's own settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemSettings {
    /// `LANG`.
    pub lang: Option<String>,
    /// Console keymap.
    pub keymap: Option<String>,
    /// Keyboard layouts of a graphical system (`us`, `cz (qwerty)`).
    pub x_layouts: Vec<String>,
    /// How to switch between them (`grp:alt_shift_toggle`).
    pub x_options: Vec<String>,
    /// Time zone (`Europe/Prague`).
    pub timezone: Option<String>,
    /// Whether the hardware clock is in UTC.
    pub clock_utc: Option<bool>,
    /// Host name.
    pub hostname: Option<String>,
    /// Root's access.
    pub root: RootAccess,
    /// Users to make.
    pub users: Vec<User>,
    /// Keys to let in: user and key line.
    pub ssh_keys: Vec<(String, String)>,
    /// Whether root may log in over ssh by password.
    pub root_ssh_password: bool,
    /// SELinux mode (`enforcing`, `permissive`, `disabled`).
    pub selinux: Option<String>,
    /// Groups to make.
    pub groups: Vec<Group>,
    /// Which services start.
    pub services: Services,
    /// The firewall; `None` leaves it as the image has it.
    pub firewall: Option<Firewall>,
    /// Connections.
    pub connections: Vec<Connection>,
    /// How users are authenticated; `None` leaves that as the image has it.
    pub authentication: Option<Authentication>,
    /// Where the time comes from; `None` leaves that as the image has it.
    pub time_sync: Option<TimeSync>,
    /// Whether something asks at the first boot.
    pub first_boot: Option<FirstBoot>,
    /// What is seen when the system has started.
    pub desktop: Desktop,
    /// Certificates that become files.
    pub certificates: Vec<Certificate>,
    /// What subscriptions are told that the machine is for.
    pub purpose: Option<SystemPurpose>,
    /// Registration with Red Hat, at the first boot.
    pub registration: Option<Registration>,
    /// Arguments of `realm join`, which joins a domain at the first boot.
    pub domain: Option<Vec<String>>,
}

/// Root's access.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RootAccess {
    /// No password opens it.
    #[default]
    Locked,
    /// This one does.
    Password(Password),
}

/// A password, as given.
#[derive(Clone, Debug, PartialEq)]
pub enum Password {
    /// Already hashed, crypt(3) form.
    Hashed(Secret),
    /// To be hashed.
    Plain(Secret),
}

/// A user to make.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id, where one is asked for.
    pub uid: Option<u32>,
    /// Primary group id, where one is asked for.
    pub gid: Option<u32>,
    /// Further groups, each with the id it is to have where it is missing.
    pub groups: Vec<(String, Option<u32>)>,
    /// Home directory, where one is asked for.
    pub home: Option<String>,
    /// Login shell, where one is asked for.
    pub shell: Option<String>,
    /// The comment field.
    pub gecos: String,
    /// Password; without one no password opens the account.
    pub password: Option<Password>,
    /// Whether the password is locked.
    pub locked: bool,
}

/// When a script runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before anything is looked at.
    Pre,
    /// When the target's file systems are mounted, before the image is there.
    PreInstall,
    /// When everything else is done.
    #[default]
    Post,
    /// When the installation has failed.
    OnError,
    /// When the installer itself has.
    Traceback,
}

impl When {
    /// The kickstart's section.
    pub fn section(self) -> &'static str {
        match self {
            When::Pre => "%pre",
            When::PreInstall => "%pre-install",
            When::Post => "%post",
            When::OnError => "%onerror",
            When::Traceback => "%traceback",
        }
    }

    fn is_usual(&self) -> bool {
        *self == When::Post
    }
}

/// A script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// When it runs.
    #[serde(default, skip_serializing_if = "When::is_usual")]
    pub when: When,
    /// Whether it runs inside the installed system.
    pub inside: bool,
    /// What runs it.
    pub interpreter: String,
    /// Its text.
    pub body: String,
    /// Where its output goes besides the log.
    pub log: Option<String>,
    /// Whether its failure ends the installation.
    pub fatal: bool,
    /// How many seconds it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<u64>,
    /// Where it was written (`site.ks:12`), for messages.
    pub origin: String,
}

/// What happens when it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndAction {
    /// Nothing; the command ends.
    #[default]
    Nothing,
    /// The machine restarts.
    Reboot,
    /// The machine turns off.
    Poweroff,
    /// The machine stops.
    Halt,
}

/// The id of a user or a group, if `number` can be one. The kernel and systemd take 65535 and 4294967295
/// for "no id" (`uid_is_valid` in systemd's `user-util.c`).
pub fn valid_id(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|id| !matches!(*id, 65_535 | u32::MAX))
}

/// Whether `name` may be a login or group name (as shadow's `useradd` has it).
pub fn valid_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let first = |b: u8| b.is_ascii_lowercase() || b.is_ascii_uppercase() || b == b'_';
    let rest = |b: u8| first(b) || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    !bytes.is_empty() && bytes.len() <= 32 && first(bytes[0]) && bytes[1..].iter().all(|b| rest(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for (name, good) in
            [("admin-user", true), ("_x", true), ("", false), ("a:b", false), ("-x", false), ("a\nb", false)]
        {
            assert_eq!(valid_name(name), good, "{name:?}");
        }
    }
}

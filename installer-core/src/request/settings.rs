//! What is asked of the installed system beyond its language and its users: services, the firewall, the
//! clock, how users are authenticated. Plain data.

use crate::units::Secret;

/// Which services start with the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// These do not.
    pub disabled: Vec<String>,
    /// These do.
    pub enabled: Vec<String>,
}

/// The firewall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firewall {
    /// Whether there is to be one.
    pub enabled: bool,
    /// What is open, as `22:tcp`.
    pub ports: Vec<String>,
    /// Interfaces without a filter.
    pub trusted: Vec<String>,
    /// Services that it is open for.
    pub services: Vec<String>,
    /// Services that it is closed for.
    pub removed_services: Vec<String>,
}

/// A group to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its id, where one is asked for.
    pub gid: Option<u32>,
}

/// How users are authenticated, as authselect has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Arguments for authselect itself.
    Arguments(Vec<String>),
    /// Features added to the profile that the image has.
    Features(Vec<String>),
}

/// Where the time comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeSync {
    /// The clock is not set over the network.
    Off,
    /// It is set by these.
    Sources(Vec<TimeSource>),
}

/// A source of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeSource {
    /// Its name.
    pub host: String,
    /// Whether the name stands for several servers.
    pub pool: bool,
    /// Whether it is authenticated (NTS).
    pub nts: bool,
}

/// Whether something asks at the first boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstBoot {
    /// No.
    Disabled,
    /// Yes.
    Enabled,
    /// Yes, and for what was answered before as well.
    Reconfigure,
}

/// What is seen when the system has started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desktop {
    /// Whether it starts into a graphical login; `None` leaves that to the image.
    pub graphical: Option<bool>,
    /// The desktop that a session begins with.
    pub default: Option<String>,
}

/// A certificate that becomes a file of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Where.
    pub path: String,
    /// Its text.
    pub content: String,
}

/// What Red Hat's subscriptions are told that the machine is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemPurpose {
    /// What it is.
    pub role: Option<String>,
    /// The level of support.
    pub sla: Option<String>,
    /// What it is used for.
    pub usage: Option<String>,
    /// Further products.
    pub addons: Vec<String>,
}

/// Registration with Red Hat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The number of the organization, which is half of what registers.
    pub organization: Secret,
    /// The keys, which are the other half.
    pub activation_keys: Vec<Secret>,
    /// What it goes through.
    pub proxy: Option<Proxy>,
    /// The server, where it is not Red Hat's.
    pub server: Option<String>,
    /// Where packages come from, where that is not Red Hat.
    pub base_url: Option<String>,
    /// Whether the machine reports to Insights.
    pub insights: bool,
}

/// A proxy for HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// Who asks.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<Secret>,
}

//! How images may be reached: credentials, insecure registries, patience. Options only;
//! `auth` and `registries` read the files that they point to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::proxy::Proxies;
use crate::cancel::Cancel;
use crate::units::{Bytes, Secret};

/// How to reach images. [`Access::default`] is what containers' own tools do: their
/// configuration files, verified TLS.
#[derive(Clone, Debug)]
pub struct Access {
    /// What to log in with at the registry of the image that is asked for, and at no mirror of
    /// it; goes before all files.
    pub login: Option<Login>,
    /// The one file to take credentials from; without it the usual places are searched.
    pub authfile: Option<PathBuf>,
    /// Registries (`host` or `host:port`) that may be spoken to over unverified TLS or plain http.
    pub insecure_registries: Vec<String>,
    /// Certificates in PEM that are believed for this image, besides those of the machine.
    pub authorities: Vec<String>,
    /// Where the system's configuration lives; `/` but for tests and foreign roots.
    pub config_root: PathBuf,
    /// How often a transient failure is followed by another attempt.
    pub retries: u32,
    /// The wait before the second attempt; it doubles from there up to half a minute.
    pub first_wait: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a connection may stay silent.
    pub read_timeout: Duration,
    /// How many bytes a second a registry must send.
    pub least_speed: Bytes,
    /// For how long it may send fewer.
    pub slow_for: Duration,
    /// Where [`super::resolve()`] may keep the compressed layers that it downloads, so that
    /// [`super::Image::layer`] need not download them again. Each is handed out once, which
    /// frees its space.
    pub cache_in: CacheIn,
    /// How much may be kept there. In memory, leave room for the installation itself.
    pub cache_limit: Bytes,
    /// The level of the amd64 processor that the image is for (v1 to v4); what is made for a higher
    /// one is refused. By itself this machine's; `None` where it is for another machine.
    pub cpu_level: Option<u8>,
    /// Stops [`super::open`], [`super::resolve()`] and whatever waits for the registry.
    pub cancel: Cancel,
}

/// Where what was downloaded waits for its use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheIn {
    /// It does not: it is downloaded again.
    #[default]
    Nowhere,
    /// In memory.
    Memory,
    /// In files without names in this directory.
    Directory(PathBuf),
}

/// A user name and a password. Held in memory alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password, or a token in its place.
    pub password: Secret,
}

impl Default for Access {
    fn default() -> Self {
        Access {
            login: None,
            authfile: None,
            insecure_registries: Vec::new(),
            authorities: Vec::new(),
            config_root: "/".into(),
            retries: 5,
            first_wait: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(60),
            least_speed: Bytes(1000),
            slow_for: Duration::from_secs(20),
            cache_in: CacheIn::Nowhere,
            cache_limit: Bytes(u64::MAX),
            cpu_level: super::cpu::level(),
            cancel: Cancel::new(),
        }
    }
}

impl Access {
    /// The wait before attempt `attempt` (counted from 2).
    pub(super) fn wait(&self, attempt: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << attempt.saturating_sub(2).min(16));
        doubled.min(Duration::from_secs(30))
    }
}

/// The places that environment variables move, taken once so that tests can set them without
/// touching the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub root: PathBuf,
    pub home: Option<PathBuf>,
    pub config_home: Option<PathBuf>,
    pub runtime_dir: Option<PathBuf>,
    pub registry_auth_file: Option<PathBuf>,
    pub registries_conf: Option<PathBuf>,
    pub proxies: Proxies,
    pub uid: u32,
    /// [`Access::authorities`].
    pub authorities: Vec<String>,
}

impl Places {
    /// From this process's environment. Under a foreign root only explicitly named files count.
    pub fn of(access: &Access) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let own = access.config_root == Path::new("/");
        let home = variable("HOME").filter(|_| own);
        Places {
            root: access.config_root.clone(),
            config_home: variable("XDG_CONFIG_HOME")
                .filter(|_| own)
                .or_else(|| home.as_ref().map(|home| home.join(".config"))),
            home,
            runtime_dir: variable("XDG_RUNTIME_DIR").filter(|_| own),
            registry_auth_file: variable("REGISTRY_AUTH_FILE"),
            registries_conf: variable("CONTAINERS_REGISTRIES_CONF"),
            proxies: Proxies::of_environment(),
            uid: rustix::process::getuid().as_raw(),
            authorities: access.authorities.clone(),
        }
    }

    /// `path` (without a leading slash) of the configured root.
    pub fn system(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

//! What the kickstart says, typed: one field per command.
//!
//! The types of the commands and the sections live in their own files.

pub use crate::commands::{
    auth::Auth,
    authselect::Authselect,
    autopart::{Autopart, AutopartType},
    bootc::Bootc,
    bootloader::{Bootloader, BootloaderLocation},
    btrfs::{Btrfs, BtrfsLevel},
    clearpart::{ClearMode, Clearpart},
    device::{Device, DeviceProbe},
    display::{Display, DisplayMode},
    dmraid::DmRaid,
    driverdisk::{DriverDisk, DriverSource},
    end::{EndAction, EndKind},
    eula::Eula,
    fcoe::Fcoe,
    firewall::Firewall,
    firstboot::{Firstboot, FirstbootMode},
    group::Group,
    harddrive::{HardDrive, HardDrivePlace},
    ignoredisk::Ignoredisk,
    iscsi::{Iscsi, IscsiName},
    keyboard::Keyboard,
    lang::Lang,
    liveimg::Liveimg,
    logging::Logging,
    logvol::{Cache, CacheMode, LogVol, Thin},
    media::Bare,
    module::Module,
    mount::Mount,
    multipath::Multipath,
    network::{BootProto, Network, TeamPort},
    nfs::Nfs,
    nvdimm::{Nvdimm, NvdimmAction},
    old::{Autostep, Install},
    ostreecontainer::OstreeContainer,
    ostreesetup::OstreeSetup,
    part::Partition,
    raid::{Raid, RaidLevel},
    rdp::Rdp,
    realm::Realm,
    repo::Repo,
    reqpart::Reqpart,
    rescue::Rescue,
    rhsm::Rhsm,
    rootpw::Rootpw,
    selinux::{Selinux, SelinuxMode},
    services::Services,
    snapshot::{Snapshot, SnapshotWhen},
    sshkey::SshKey,
    sshpw::SshPassword,
    stratisfs::StratisFs,
    stratispool::StratisPool,
    syspurpose::Syspurpose,
    timesource::Timesource,
    timezone::Timezone,
    updates::Updates,
    url::{Ssl, Url},
    user::User,
    vnc::Vnc,
    volgroup::VolGroup,
    xconfig::Xconfig,
    zerombr::Zerombr,
    zfcp::Zfcp,
    zipl::{SecureBoot, Zipl},
};

pub use crate::sections::{
    Addon, Anaconda, Certificate, GroupMembers, PackageEntry, PackageName, Packages, Script, ScriptKind, Selection,
};

use crate::secret::Secret;
use crate::span::Span;

/// Everything that a kickstart asks for.
///
/// A command that sets one thing is an `Option`; given twice, the later line
/// wins where it says something. A command that adds things is a `Vec` in the
/// order of writing.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Kickstart {
    /// `lang`.
    pub lang: Option<Lang>,
    /// `keyboard`.
    pub keyboard: Option<Keyboard>,
    /// `timezone`.
    pub timezone: Option<Timezone>,
    /// `text`, `cmdline` or `graphical`: the last of them.
    pub display: Option<Display>,
    /// `zerombr`.
    pub zerombr: Option<Zerombr>,
    /// `clearpart`.
    pub clearpart: Option<Clearpart>,
    /// `ignoredisk`.
    pub ignoredisk: Option<Ignoredisk>,
    /// `autopart`.
    pub autopart: Option<Autopart>,
    /// `reqpart`.
    pub reqpart: Option<Reqpart>,
    /// `part` and `partition`.
    pub partitions: Vec<Partition>,
    /// `raid`.
    pub raids: Vec<Raid>,
    /// `volgroup`.
    pub volume_groups: Vec<VolGroup>,
    /// `logvol`.
    pub logical_volumes: Vec<LogVol>,
    /// `btrfs`.
    pub btrfs: Vec<Btrfs>,
    /// `stratispool`.
    pub stratis_pools: Vec<StratisPool>,
    /// `stratisfs`.
    pub stratis_file_systems: Vec<StratisFs>,
    /// `snapshot`.
    pub snapshots: Vec<Snapshot>,
    /// `mount`.
    pub mounts: Vec<Mount>,
    /// `iscsi`.
    pub iscsi: Vec<Iscsi>,
    /// `iscsiname`.
    pub iscsi_name: Option<IscsiName>,
    /// `fcoe`.
    pub fcoe: Vec<Fcoe>,
    /// `zfcp`.
    pub zfcp: Vec<Zfcp>,
    /// `nvdimm`.
    pub nvdimm: Vec<Nvdimm>,
    /// `dmraid`.
    pub dmraid: Vec<DmRaid>,
    /// `multipath`.
    pub multipaths: Vec<Multipath>,
    /// `device`.
    pub devices: Vec<Device>,
    /// `deviceprobe`.
    pub device_probe: Option<DeviceProbe>,
    /// `driverdisk`.
    pub driver_disks: Vec<DriverDisk>,
    /// `harddrive`.
    pub harddrive: Option<HardDrive>,
    /// `zipl`.
    pub zipl: Option<Zipl>,
    /// `bootloader`.
    pub bootloader: Option<Bootloader>,
    /// `network`.
    pub network: Vec<Network>,
    /// `rootpw`.
    pub rootpw: Option<Rootpw>,
    /// `user`.
    pub users: Vec<User>,
    /// `sshkey`.
    pub ssh_keys: Vec<SshKey>,
    /// `ostreecontainer`.
    pub ostreecontainer: Option<OstreeContainer>,
    /// `ostreesetup`.
    pub ostreesetup: Option<OstreeSetup>,
    /// `bootc`.
    pub bootc: Option<Bootc>,
    /// `liveimg`.
    pub liveimg: Option<Liveimg>,
    /// `url`.
    pub url: Option<Url>,
    /// `nfs`.
    pub nfs: Option<Nfs>,
    /// `cdrom`.
    pub cdrom: Option<Bare>,
    /// `hmc`.
    pub hmc: Option<Bare>,
    /// `repo`.
    pub repos: Vec<Repo>,
    /// `module`.
    pub modules: Vec<Module>,
    /// `updates`.
    pub updates: Option<Updates>,
    /// `mediacheck`.
    pub media_check: Option<Bare>,
    /// `unsupported_hardware`.
    pub unsupported_hardware: Option<Bare>,
    /// `autostep`.
    pub autostep: Option<Autostep>,
    /// `install`.
    pub install: Option<Install>,
    /// `selinux`.
    pub selinux: Option<Selinux>,
    /// `firstboot`.
    pub firstboot: Option<Firstboot>,
    /// `eula`.
    pub eula: Option<Eula>,
    /// `auth` or `authconfig`: the last of them.
    pub auth: Option<Auth>,
    /// `authselect`.
    pub authselect: Option<Authselect>,
    /// `realm`.
    pub realm: Option<Realm>,
    /// `firewall`.
    pub firewall: Option<Firewall>,
    /// `services`.
    pub services: Option<Services>,
    /// `timesource`.
    pub timesources: Vec<Timesource>,
    /// `group`.
    pub groups: Vec<Group>,
    /// `sshpw`.
    pub ssh_passwords: Vec<SshPassword>,
    /// `rhsm`.
    pub rhsm: Option<Rhsm>,
    /// `syspurpose`.
    pub syspurpose: Option<Syspurpose>,
    /// `logging`.
    pub logging: Option<Logging>,
    /// `vnc`.
    pub vnc: Option<Vnc>,
    /// `rdp`.
    pub rdp: Option<Rdp>,
    /// `rescue`.
    pub rescue: Option<Rescue>,
    /// `skipx`.
    pub skipx: Option<Bare>,
    /// `xconfig`.
    pub xconfig: Option<Xconfig>,
    /// `reboot`, `poweroff`, `halt` or `shutdown`: the last of them.
    pub end: Option<EndAction>,
    /// `%pre`, `%pre-install`, `%post`, `%onerror` and `%traceback`.
    pub scripts: Vec<Script>,
    /// `%addon`.
    pub addons: Vec<Addon>,
    /// `%anaconda`.
    pub anaconda: Vec<Anaconda>,
    /// `%packages`.
    pub packages: Vec<Packages>,
    /// `%certificate`.
    pub certificates: Vec<Certificate>,
    /// What the last comment `#platform=` says.
    pub platform: Option<String>,
    /// Every command and section that takes part, in the order of writing.
    pub given: Vec<Given>,
}

/// A command line or a section, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Given {
    /// The command or section as the language calls it.
    pub name: &'static str,
    /// The command line, or the header of the section.
    pub span: Span,
}

/// How a device is to be encrypted; shared by the commands that create some.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Encryption {
    /// `--encrypted`.
    pub encrypted: bool,
    /// `--passphrase`.
    pub passphrase: Option<Secret>,
    /// `--escrowcert`: a URL.
    pub escrow_cert: Option<String>,
    /// `--backuppassphrase`.
    pub backup_passphrase: bool,
    /// `--cipher`.
    pub cipher: Option<String>,
    /// `--luks-version`.
    pub luks_version: Option<String>,
    /// `--pbkdf`.
    pub pbkdf: Option<String>,
    /// `--pbkdf-memory`, in KiB.
    pub pbkdf_memory_kib: Option<u64>,
    /// `--pbkdf-time`, in milliseconds.
    pub pbkdf_time_ms: Option<u64>,
    /// `--pbkdf-iterations`.
    pub pbkdf_iterations: Option<u64>,
    /// `--hw-passphrase`: the admin passphrase of a self-encrypting disk.
    pub hw_passphrase: Option<Secret>,
}

//! What is asked for, in the installer's own words. No kickstart word appears in [`Request`], so
//! that Anaconda or a JSON document can ask as well; [`from_kickstart`] is one way to make one.
//!
//! Pure data.

mod area;
mod boot_network;
pub mod effects;
mod existing;
mod from_kickstart;
mod in_kickstart;
mod layout;
mod network;
mod settings;
mod types;

pub use area::{AreaRequest, Purpose};
pub use boot_network::carry_over;
pub use existing::{Content, OnPartition};
pub use from_kickstart::{CODES, IMAGE_DOUBT, IMAGE_LACKS, NO_EFFECT, from_kickstart};
pub use in_kickstart::in_kickstart;
pub use layout::{Custom, GroupRequest, Layout, PartitionRequest, Scheme, VolumeRequest};
pub use network::{Connection, Ipv4, Ipv6, Made, NetDevice, Wireless, WirelessKey};
pub use settings::{
    Authentication, Certificate, Desktop, Firewall, FirstBoot, Group, Proxy, Registration, Services, SystemPurpose,
    TimeSource, TimeSync,
};
pub use types::{
    Clear, DiskChoice, EndAction, ImageFile, Password, RegistryAccess, Request, RootAccess, Script, SystemSettings,
    User, When, valid_id, valid_name,
};

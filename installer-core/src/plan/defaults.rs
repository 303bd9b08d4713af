//! What follows from one of the three documents alone: what the image needs, what the request
//! leaves open.

use std::collections::BTreeMap;

use super::document::PlannedImage;
use crate::error::Result;
use crate::image::{ImageFacts, ImageReference};
use crate::machine::{Firmware, Machine};
use crate::request::{Password, Request, RootAccess};
use crate::storage::kind::gpt::ALIGNMENT;
use crate::storage::solve::LEAST_ROOT;
use crate::units::Bytes;

/// The root's file system where the request names none.
pub(super) fn default_root_fs(facts: &ImageFacts) -> &str {
    facts.install.root_fs.as_deref().unwrap_or("xfs")
}

/// What the root must hold, at the least of what a root that is made gets.
pub(super) fn root_needs(facts: &ImageFacts) -> Bytes {
    room_for(facts).align_up(ALIGNMENT).max(LEAST_ROOT)
}

/// Room for the image, the second deployment's share of a later update, and logs.
pub(super) fn room_for(facts: &ImageFacts) -> Bytes {
    // An inode takes half a KiB, and of small files that is more than the share that is added anyway.
    let inodes = facts.needs.inodes.saturating_mul(512);
    facts.unpacked_size + Bytes((facts.unpacked_size.0 / 4).max(inodes)) + Bytes::mib(256)
}

/// OCI's name of an architecture for the kernel's.
pub fn oci_architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

pub(super) fn planned_image(request: &Request, facts: &ImageFacts) -> Result<PlannedImage> {
    let source = facts.reference.clone();
    let updates_from = match &request.update_from {
        Some(name) => name.parse::<ImageReference>()?.to_string(),
        None => source.clone(),
    };
    let (digest, signature_policy) = (facts.manifest_digest.clone(), facts.signature_policy.clone());
    Ok(PlannedImage { source, digest, updates_from, unpacked_size: facts.unpacked_size, signature_policy })
}

pub(super) fn passwords(request: &Request) -> BTreeMap<String, Password> {
    let mut map = BTreeMap::new();
    if let RootAccess::Password(password) = &request.system.root {
        map.insert("root".to_owned(), password.clone());
    }
    for user in &request.system.users {
        if let Some(password) = &user.password {
            map.insert(user.name.clone(), password.clone());
        }
    }
    map
}

/// Whether this machine starts by UEFI.
pub(super) fn is_uefi(machine: &Machine) -> bool {
    matches!(machine.firmware, Firmware::Uefi { .. })
}

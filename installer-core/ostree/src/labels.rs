//! SELinux labels, by libostree's reading of a policy.

use std::path::Path;

use ostree::gio;
use ostree::prelude::*;

use crate::{Doing, Failed};

/// The label of each path with its mode, by the policy below `root`/etc/selinux.
pub fn labels(root: &Path, paths: &[(String, u32)]) -> Result<Vec<Option<String>>, Failed> {
    let doing = "loading the image's SELinux policy";
    let policy: ostree::SePolicy =
        ostree::SePolicy::new(&gio::File::for_path(root), gio::Cancellable::NONE).doing(doing)?.upcast();
    if policy.name().is_none() {
        return Err("the image's SELinux policy could not be loaded").doing(doing);
    }
    paths
        .iter()
        .map(|(path, mode)| {
            let label = policy.label(path, *mode, gio::Cancellable::NONE).doing("looking up an SELinux label")?;
            Ok(label.map(|label| label.to_string()))
        })
        .collect()
}

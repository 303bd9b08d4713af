//! Whether a unit starts with a system, by the links in its /etc.

use std::collections::BTreeSet;
use std::io;

use super::installed::Installed;
use super::types::{Unit, UnitState};
use crate::host::root::Root;
use crate::system::units::{ETC, file_of};

/// How the directories end whose links start units.
const STARTING: [&str; 3] = [".wants", ".requires", ".upholds"];

/// What starts `unit`.
pub fn unit(system: &Installed, unit: &str) -> io::Result<Unit> {
    let (root, _) = system.place(ETC);
    let mut links = BTreeSet::new();
    let mut masked = false;
    for (entry, _) in root.list(ETC)? {
        let path = format!("{ETC}/{entry}");
        if STARTING.iter().any(|kind| entry.ends_with(kind)) && root.is_dir(&path) {
            let started = root.list(&path)?.into_iter().map(|(name, _)| name);
            links.extend(started.filter(|name| is(name, unit)).map(|name| format!("{path}/{name}")));
            continue;
        }
        let Some(target) = name_behind(root, &path) else { continue };
        if entry == unit || entry == file_of(unit) {
            masked |= target == "null";
        } else if is(&target, unit) {
            links.insert(path);
        }
    }
    let state = match (masked, !links.is_empty()) {
        (true, _) => UnitState::Masked,
        (false, true) => UnitState::Enabled,
        (false, false) => UnitState::Disabled,
    };
    Ok(Unit { unit: unit.to_owned(), state, links: links.into_iter().collect() })
}

/// Whether a link called `name`, or to a file of this name, is of `unit`. A template stands for all its
/// instances.
fn is(name: &str, unit: &str) -> bool {
    name == unit || unit.contains("@.") && file_of(name) == unit
}

/// The last part of what the link at `path` leads to.
fn name_behind(root: &dyn Root, path: &str) -> Option<String> {
    Some(root.read_link(path)?.file_name()?.to_string_lossy().into_owned())
}

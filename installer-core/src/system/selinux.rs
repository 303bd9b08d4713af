//! SELinux: its mode.

use super::change::Change;
use crate::request::SystemSettings;

/// The change for the mode.
pub fn changes(settings: &SystemSettings) -> Option<Change> {
    settings.selinux.as_ref().map(|mode| Change::Set {
        path: "/etc/selinux/config".into(),
        key: "SELINUX".into(),
        value: mode.clone(),
        expected: true,
    })
}

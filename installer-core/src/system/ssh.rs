//! sshd's own settings.

use super::change::Change;
use crate::request::SystemSettings;

/// The change that lets root in by password.
pub fn changes(settings: &SystemSettings) -> Option<Change> {
    settings.root_ssh_password.then(|| {
        Change::write(
            "/etc/ssh/sshd_config.d/01-permitrootlogin.conf",
            "# As 'rootpw --allow-ssh' asks.\nPermitRootLogin yes\n",
        )
    })
}

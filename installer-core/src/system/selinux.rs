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

/// The kernel argument that turns SELinux off in an image that has a policy: newer kernels do not let the
/// configuration do it. One that is given already stays.
pub fn kernel_argument(settings: &SystemSettings, policy: Option<&str>, given: &[String]) -> Option<String> {
    let off = settings.selinux.as_deref() == Some("disabled") && policy.is_some();
    let said = given.iter().any(|argument| argument.starts_with("selinux="));
    (off && !said).then(|| "selinux=0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_turns_it_off_where_there_is_something_to_turn_off() {
        let mode = |mode: &str| SystemSettings { selinux: Some(mode.into()), ..SystemSettings::default() };
        let off = Some("selinux=0".to_owned());
        assert_eq!(kernel_argument(&mode("disabled"), Some("targeted"), &[]), off);
        assert_eq!(kernel_argument(&mode("disabled"), None, &[]), None);
        assert_eq!(kernel_argument(&mode("disabled"), Some("targeted"), &["selinux=1".into()]), None);
        assert_eq!(kernel_argument(&mode("permissive"), Some("targeted"), &[]), None);
    }
}

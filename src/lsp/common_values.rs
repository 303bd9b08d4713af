//! Customary values, for options that take any text as far as the language goes.

/// Where file systems are mounted, and what else a partition is for.
pub const MOUNT_POINTS: &[&str] =
    &["/", "/boot", "/boot/efi", "/home", "/var", "/var/lib", "/var/log", "/var/tmp", "biosboot", "pv.01", "swap"];

const FILE_SYSTEMS: &[&str] = &["biosboot", "btrfs", "efi", "ext4", "swap", "xfs"];

/// Customary values of an option, by command and option; an empty command is any.
const VALUES: &[(&str, &str, &[&str])] = &[
    ("autopart", "--fstype", &["ext4", "xfs"]),
    ("autopart", "--type", &["btrfs", "lvm", "plain", "thinp"]),
    ("bootloader", "--location", &["boot", "mbr", "none", "partition"]),
    ("clearpart", "--disklabel", &["gpt", "msdos"]),
    ("network", "--bootproto", &["dhcp", "ibft", "static"]),
    ("network", "--device", &["link", "bootif"]),
    ("network", "--onboot", &["no", "yes"]),
    ("ostreecontainer", "--transport", &["docker", "oci", "oci-archive", "registry"]),
    ("user", "--groups", &["wheel"]),
    ("user", "--shell", &["/bin/bash", "/sbin/nologin"]),
    ("", "--cipher", &["aes-xts-plain64"]),
    ("", "--fstype", FILE_SYSTEMS),
    ("", "--interpreter", &["/bin/bash", "/bin/sh", "/usr/bin/python3"]),
    ("", "--luks-version", &["luks1", "luks2"]),
    ("", "--pbkdf", &["argon2i", "argon2id", "pbkdf2"]),
];

/// Customary values of an option.
pub fn values(command: &str, option: &str) -> &'static [&'static str] {
    let fits = |row: &&(&str, &str, &[&str])| row.1 == option && (row.0 == command || row.0.is_empty());
    VALUES.iter().find(fits).map_or(&[], |row| row.2)
}

/// Customary arguments of a command.
pub fn arguments(command: &str) -> &'static [&'static str] {
    match command {
        "keyboard" => &["cz", "de", "fr", "gb", "us"],
        "lang" => &["C.UTF-8", "cs_CZ.UTF-8", "de_DE.UTF-8", "en_GB.UTF-8", "en_US.UTF-8", "fr_FR.UTF-8"],
        "timezone" => &["America/New_York", "Etc/UTC", "Europe/Prague"],
        "%addon" => &["org_bootc_ks"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::language::Language;

    #[test]
    fn options_with_values_are_options() {
        let language = Language::new();
        for (command, option, _) in VALUES.iter().filter(|row| !row.0.is_empty()) {
            assert!(language.option(command, option).is_some(), "{command} {option}");
            assert!(!values(command, option).is_empty());
        }
        assert_eq!(values("part", "--fstype"), FILE_SYSTEMS);
        assert_eq!(values("part", "--size"), [""; 0]);
    }
}

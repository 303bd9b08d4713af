//! The kernel's command line of an installation that came over the network.

use installer_core::{Error, Result, Stage};

/// The root of the initramfs may have 90 % of the memory, where half is the default: the
/// difference between 512 and 768 MiB of memory for the same initrd.
const ROOM: &str = "initramfs_options=size=90%";

/// Joins arguments, and adds what no network boot goes without unless it is there.
pub fn network(groups: &[&[String]]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for karg in groups.iter().copied().flatten() {
        // An argument that is given twice counts twice (console=); the very same one does not.
        if !all.contains(karg) {
            all.push(karg.clone());
        }
    }
    if !all.iter().any(|karg| karg.starts_with("initramfs_options=")) {
        all.insert(0, ROOM.to_owned());
    }
    if !all.iter().any(|karg| karg.starts_with("ip=")) {
        all.insert(1, "ip=dhcp".to_owned());
    }
    all
}

/// Refuses what would end a line of a boot script or start a command in it.
pub fn check(karg: &str) -> Result<()> {
    let bad = karg.is_empty()
        || !karg.is_ascii()
        || karg.starts_with('#')
        || karg.chars().any(|c| c.is_control() || c.is_whitespace() || "\"'\\`;|&{}<>".contains(c))
        || karg.contains('$');
    if bad {
        let message = format!("the kernel argument '{}' cannot be written into boot scripts", karg.escape_debug());
        return Err(Error::input(Stage::Media, message).hint(
            "use ASCII, without a # at the beginning, and leave out spaces, quotes and the signs \\ ` ; | & { } < > $",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_over_what_is_added() {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let plain = network(&[&words(&["a"]), &words(&["a", "b"])]);
        assert_eq!(plain, ["initramfs_options=size=90%", "ip=dhcp", "a", "b"]);
        let own = network(&[&words(&["ip=eth0:dhcp6", "initramfs_options=size=50%"])]);
        assert_eq!(own, ["ip=eth0:dhcp6", "initramfs_options=size=50%"]);
    }

    #[test]
    fn a_line_stays_a_line() {
        for bad in ["", "#x", "\u{e9}", "a b", "a\nb", "a;b", "$x", "a\"b", "a\tb"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        check("inst.ks=http://10.0.0.1:80/ks?x=1").unwrap();
        check("ip=[fd00::2]::[fd00::1]:64::eth0:none").unwrap();
    }
}

//! Accounts that would take over a part of the system.

use super::finding;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;

pub(super) fn judge(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    for user in &kickstart.users {
        let name = &user.name;
        if let Some(home) = user.home.as_deref().filter(|home| home.starts_with('/'))
            && let Some(why) = unfit(home)
        {
            let message = format!("the home directory of `{name}` {why}: {home}");
            found.push(finding(&codes::HOME_IN_SYSTEM, user.span, message, format!("use `/home/{name}`")));
        }
        for (number, option) in [(user.uid, "--uid"), (user.gid, "--gid")] {
            if number == Some(0) && name != "root" {
                let message = format!("`{option}=0` makes `{name}` the same as root");
                let help = "leave the number out; `--groups=wheel` makes an administrator";
                found.push(finding(&codes::NUMBER_OF_ROOT, user.span, message, help));
            }
        }
    }
    for group in kickstart.groups.iter().filter(|group| group.gid == Some(0) && group.name != "root") {
        let message = format!("`--gid=0` makes the group `{}` the same as root's", group.name);
        found.push(finding(&codes::NUMBER_OF_ROOT, group.span, message, "leave the number out"));
    }
}

/// Directories that belong to the system with all that is in them.
const SYSTEM: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "efi",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "lost+found",
    "ostree",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "sysroot",
    "tmp",
    "usr",
];

/// Directories that are shared by many, so that none of them can have it.
const SHARED: &[&str] = &["home", "mnt", "media", "opt", "srv", "var"];

/// Directories of /var that are shared in the same way.
const SHARED_IN_VAR: &[&str] = &[
    "cache", "db", "empty", "home", "lib", "local", "lock", "log", "mail", "mnt", "opt", "roothome", "run", "spool",
    "srv", "tmp", "usrlocal",
];

/// Directories of the system in /var and the like, with all that is in them.
const SYSTEM_BELOW: &[&str] =
    &["var/tmp", "var/run", "var/lock", "var/roothome", "var/log", "var/cache", "var/spool/cron"];

/// Why a directory cannot be the home of an account, on any system.
pub fn unfit(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let joined = parts.join("/");
    let below = |dir: &&str| joined == **dir || joined.starts_with(&format!("{dir}/"));
    match parts.as_slice() {
        [] => Some("is the root of the file system"),
        parts if parts.contains(&"..") => Some("leads back with `..`"),
        [first, ..] if SYSTEM.contains(first) => Some("is in a directory of the system"),
        [only] if SHARED.contains(only) => Some("is a directory of the system"),
        ["var", only] if SHARED_IN_VAR.contains(only) => Some("is a directory of the system"),
        ["var", "home"] | ["usr", ..] => Some("is a directory of the system"),
        _ if SYSTEM_BELOW.iter().any(below) => Some("is in a directory of the system"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::values::testing::codes;

    #[test]
    fn homes() {
        for home in [
            "/",
            "//",
            "/.",
            "/etc",
            "/etc/",
            "/usr",
            "/usr/local/x",
            "/bin",
            "/boot/x",
            "/dev/shm",
            "/run/ann",
            "/tmp/ann",
            "/var",
            "/var/lib",
            "/var/log",
            "/var/log/ann",
            "/home",
            "/home/",
            "/home/..",
            "/home/a/../../etc",
            "/root",
            "/root/x",
            "/opt",
            "/srv",
            "/mnt",
            "/sysroot",
            "/ostree/x",
            "/proc/1",
            "/var/home",
            "/./etc",
            "//etc//x",
        ] {
            assert_eq!(codes(&format!("user --name=ann --homedir={home}\n")), ["V006"], "{home}");
        }
        for home in [
            "/home/ann",
            "/var/home/ann",
            "/srv/ann",
            "/opt/ann",
            "/var/lib/ann",
            "/data/ann",
            "/home/.ann",
            "/var/spool/ann",
            "/etcetera/ann",
            "/mnt/ann",
        ] {
            assert!(codes(&format!("user --name=ann --homedir={home}\n")).is_empty(), "{home}");
        }
    }

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("user --name=ann --uid=0\n", vec!["V007"]),
            ("user --name=ann --gid=0\n", vec!["V007"]),
            ("user --name=ann --uid=0 --gid=0\n", vec!["V007", "V007"]),
            ("group --name=ann --gid=0\n", vec!["V007"]),
            ("user --name=ann --uid=1000 --gid=1000\n", vec![]),
            ("user --name=root --uid=0\n", vec![]),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
    }
}

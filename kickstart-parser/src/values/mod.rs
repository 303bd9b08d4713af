//! What values mean to the system that is installed: keys, hashes, names, numbers, paths.
//!
//! The language takes any text for a key or a time zone, so a kickstart without a mistake may still
//! make a system that lets no one in. What can be told without the image is told here; what only the
//! image can tell ([`Known`]) is held against built-in lists until the image is known. Pure.

mod accounts;
mod hash;
mod key;
mod names;

pub use accounts::unfit as unfit_home;
pub use hash::locks;

use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::limits;
use crate::span::Span;

/// The codes of this module's findings.
pub const CODES: &[&Code] = &[
    &codes::NO_KEY,
    &codes::BROKEN_KEY,
    &codes::NO_HASH,
    &codes::BROKEN_HASH,
    &codes::UNKNOWN_NAME,
    &codes::HOME_IN_SYSTEM,
    &codes::NUMBER_OF_ROOT,
    &codes::IMPOSSIBLE_NAME,
    &codes::DEVICE_IN_OPTIONS,
    &codes::EXAMPLE_KEY,
    &codes::LOCKED_PASSWORD,
];

/// Warnings that mean that no login may be possible. To say that a kickstart is good in spite of
/// them would be wrong, though it can be installed: who asks for a verdict takes them for errors.
pub const LOCKED_OUT: &[&Code] = &[&codes::BROKEN_KEY, &codes::BROKEN_HASH];

/// What the system that is to be installed has, as far as that is known. What is `None` is held
/// against a built-in list, which is taken for what it is: a list of what is usual.
#[derive(Clone, Copy, Default, Debug)]
pub struct Known<'a> {
    /// Locales, such as `en_US.UTF-8` or `en_US`.
    pub locales: Option<&'a [String]>,
    /// Layouts of the console.
    pub keymaps: Option<&'a [String]>,
    /// Time zones.
    pub zones: Option<&'a [String]>,
    /// Groups.
    pub groups: Option<&'a [String]>,
    /// Programs that may be a login shell, by their paths.
    pub shells: Option<&'a [String]>,
}

/// Everything that is odd about the values of a kickstart.
pub fn judge(kickstart: &Kickstart, known: &Known<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    key::judge(kickstart, &mut found);
    hash::judge(kickstart, &mut found);
    names::judge(kickstart, known, &mut found);
    accounts::judge(kickstart, &mut found);
    devices(kickstart, &mut found);
    limits::bounded(found)
}

/// The options of mkfs may name another device than the one that is meant to be written to, and
/// what is written to that one nothing has agreed to.
fn devices(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let partitions = kickstart.partitions.iter().map(|p| (&p.mkfs_options, p.span));
    let raids = kickstart.raids.iter().map(|r| (&r.mkfs_options, r.span));
    let volumes = kickstart.logical_volumes.iter().map(|v| (&v.mkfs_options, v.span));
    let btrfs = kickstart.btrfs.iter().map(|b| (&b.mkfs_options, b.span));
    let mounts = kickstart.mounts.iter().map(|m| (&m.mkfs_options, m.span));
    let all = partitions.chain(raids).chain(volumes).chain(btrfs).chain(mounts);
    for (options, span) in all {
        let Some(word) = options.as_deref().and_then(device) else {
            continue;
        };
        let message = format!("`--mkfsoptions` names a device: `{word}`");
        found.push(
            Diagnostic::new(&codes::DEVICE_IN_OPTIONS, span, message)
                .help("leave it out: nothing but the partition itself is written to"),
        );
    }
}

/// The first word of the options of mkfs that names a device.
fn device(options: &str) -> Option<&str> {
    const NAMED: &[&str] = &["device=", "logdev=", "rtdev=", "journal_dev"];
    options.split_whitespace().flat_map(|word| word.split(',')).find(|word| {
        let path = word.find('/').map_or("", |at| &word[at..]);
        NAMED.iter().any(|name| word.contains(name)) || path.split('/').any(|part| part == "dev")
    })
}

/// A finding about a value of a line.
fn finding(code: &'static Code, span: Span, message: String, help: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, span, message).help(help)
}

#[cfg(test)]
mod testing {
    //! What the tests of the values share.

    use super::{Known, judge};
    use crate::{Diagnostic, ParseOptions, parse};

    pub fn found(text: &str) -> Vec<Diagnostic> {
        found_with(text, &Known::default())
    }

    pub fn found_with(text: &str, known: &Known<'_>) -> Vec<Diagnostic> {
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        judge(&parsed.kickstart, known)
    }

    pub fn codes(text: &str) -> Vec<&'static str> {
        found(text).iter().map(|d| d.code).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::codes;

    #[test]
    fn options_of_mkfs_name_no_device() {
        for options in [
            "-J device=/dev/sdb1",
            "-l logdev=/dev/sdb,size=64m",
            "-J device=UUID=0123",
            "-O journal_dev",
            "-F //dev//sdb",
            "/mnt/../dev/sdb",
        ] {
            for line in
                ["part / --size=1000", "raid / --device=0 --level=1 raid.1 raid.2", "logvol / --vgname=a --name=b"]
            {
                assert_eq!(codes(&format!("{line} --mkfsoptions='{options}'\n")), ["V009"], "{line}: {options}");
            }
        }
        assert!(codes("part / --size=1000 --mkfsoptions='-m 1 -E lazy_itable_init=0 -L devices'\n").is_empty());
    }
}

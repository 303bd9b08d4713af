//! The commands, one file each.
//!
//! A command's file holds its type, one table ([`Command::spec`]) that says which
//! options there are and in which versions, one function from the sorted
//! arguments to the type, and its tests. To add one: write the file, add its
//! line to [`COMMANDS`].

pub(crate) use command::Command;

pub(crate) mod auth;
pub(crate) mod authselect;
pub(crate) mod autopart;
pub(crate) mod bootc;
pub(crate) mod bootloader;
pub(crate) mod btrfs;
pub(crate) mod clearpart;
mod command;
pub(crate) mod device;
pub(crate) mod display;
pub(crate) mod dmraid;
pub(crate) mod driverdisk;
pub(crate) mod encryption;
pub(crate) mod end;
pub(crate) mod eula;
pub(crate) mod fcoe;
pub(crate) mod firewall;
pub(crate) mod firstboot;
pub(crate) mod group;
pub(crate) mod harddrive;
pub(crate) mod ignoredisk;
pub(crate) mod image;
pub(crate) mod iscsi;
pub(crate) mod keyboard;
pub(crate) mod lang;
pub(crate) mod liveimg;
pub(crate) mod logging;
pub(crate) mod logvol;
pub(crate) mod media;
pub(crate) mod module;
pub(crate) mod mount;
pub(crate) mod multipath;
pub(crate) mod network;
pub(crate) mod nfs;
pub(crate) mod nvdimm;
pub(crate) mod old;
pub(crate) mod ostreecontainer;
pub(crate) mod ostreesetup;
pub(crate) mod part;
pub(crate) mod raid;
pub(crate) mod rdp;
pub(crate) mod realm;
pub(crate) mod repo;
pub(crate) mod reqpart;
pub(crate) mod rescue;
pub(crate) mod rhsm;
pub(crate) mod rootpw;
pub(crate) mod selinux;
pub(crate) mod services;
pub(crate) mod skipx;
pub(crate) mod snapshot;
pub(crate) mod sshkey;
pub(crate) mod sshpw;
pub(crate) mod storage;
pub(crate) mod stratisfs;
pub(crate) mod stratispool;
pub(crate) mod syspurpose;
pub(crate) mod timesource;
pub(crate) mod timezone;
pub(crate) mod updates;
pub(crate) mod url;
pub(crate) mod user;
pub(crate) mod vnc;
pub(crate) mod volgroup;
pub(crate) mod xconfig;
pub(crate) mod zerombr;
pub(crate) mod zfcp;
pub(crate) mod zipl;

/// By name, sorted.
pub(crate) const COMMANDS: &[(&str, Command)] = &[
    ("auth", auth::COMMAND),
    ("authconfig", auth::COMMAND),
    ("authselect", authselect::COMMAND),
    ("autopart", autopart::COMMAND),
    ("autostep", old::AUTOSTEP),
    ("bootc", bootc::COMMAND),
    ("bootloader", bootloader::COMMAND),
    ("btrfs", btrfs::COMMAND),
    ("cdrom", media::CDROM),
    ("clearpart", clearpart::COMMAND),
    ("cmdline", display::CMDLINE),
    ("device", device::COMMAND),
    ("deviceprobe", device::PROBE),
    ("dmraid", dmraid::COMMAND),
    ("driverdisk", driverdisk::COMMAND),
    ("eula", eula::COMMAND),
    ("fcoe", fcoe::COMMAND),
    ("firewall", firewall::COMMAND),
    ("firstboot", firstboot::COMMAND),
    ("graphical", display::GRAPHICAL),
    ("group", group::COMMAND),
    ("halt", end::HALT),
    ("harddrive", harddrive::COMMAND),
    ("hmc", media::HMC),
    ("ignoredisk", ignoredisk::COMMAND),
    ("install", old::INSTALL),
    ("iscsi", iscsi::COMMAND),
    ("iscsiname", iscsi::NAME),
    ("keyboard", keyboard::COMMAND),
    ("lang", lang::COMMAND),
    ("liveimg", liveimg::COMMAND),
    ("logging", logging::COMMAND),
    ("logvol", logvol::COMMAND),
    ("mediacheck", media::MEDIACHECK),
    ("method", old::METHOD),
    ("module", module::COMMAND),
    ("mount", mount::COMMAND),
    ("multipath", multipath::COMMAND),
    ("network", network::COMMAND),
    ("nfs", nfs::COMMAND),
    ("nvdimm", nvdimm::COMMAND),
    ("ostreecontainer", ostreecontainer::COMMAND),
    ("ostreesetup", ostreesetup::COMMAND),
    ("part", part::COMMAND),
    ("partition", part::COMMAND),
    ("poweroff", end::POWEROFF),
    ("raid", raid::COMMAND),
    ("rdp", rdp::COMMAND),
    ("realm", realm::COMMAND),
    ("reboot", end::REBOOT),
    ("repo", repo::COMMAND),
    ("reqpart", reqpart::COMMAND),
    ("rescue", rescue::COMMAND),
    ("rhsm", rhsm::COMMAND),
    ("rootpw", rootpw::COMMAND),
    ("selinux", selinux::COMMAND),
    ("services", services::COMMAND),
    ("shutdown", end::SHUTDOWN),
    ("skipx", skipx::COMMAND),
    ("snapshot", snapshot::COMMAND),
    ("sshkey", sshkey::COMMAND),
    ("sshpw", sshpw::COMMAND),
    ("stratisfs", stratisfs::COMMAND),
    ("stratispool", stratispool::COMMAND),
    ("syspurpose", syspurpose::COMMAND),
    ("text", display::TEXT),
    ("timesource", timesource::COMMAND),
    ("timezone", timezone::COMMAND),
    ("unsupported_hardware", media::UNSUPPORTED_HARDWARE),
    ("updates", updates::COMMAND),
    ("upgrade", old::UPGRADE),
    ("url", url::COMMAND),
    ("user", user::COMMAND),
    ("vnc", vnc::COMMAND),
    ("volgroup", volgroup::COMMAND),
    ("xconfig", xconfig::COMMAND),
    ("zerombr", zerombr::COMMAND),
    ("zfcp", zfcp::COMMAND),
    ("zipl", zipl::COMMAND),
];

/// Where the commands that begin with a letter begin: hardly any letter has more than a
/// handful, and most of those have another length.
const LETTERS: [u8; 27] = {
    let mut letters = [0; 27];
    let mut letter = 0;
    while letter < 27 {
        let mut at = 0;
        while at < COMMANDS.len() && COMMANDS[at].0.as_bytes()[0] < b'a' + letter as u8 {
            at += 1;
        }
        letters[letter] = at as u8;
        letter += 1;
    }
    letters
};

/// Where a command stands in [`COMMANDS`].
pub(crate) fn position(name: &str) -> Option<usize> {
    let letter = usize::from(name.bytes().next()?.checked_sub(b'a')?);
    let (from, to) = (usize::from(*LETTERS.get(letter)?), usize::from(*LETTERS.get(letter + 1)?));
    Some(from + COMMANDS.get(from..to)?.iter().position(|(known, _)| *known == name)?)
}

pub(crate) fn find(name: &str) -> Option<&'static (&'static str, Command)> {
    COMMANDS.get(position(name)?)
}

/// Whether the word is a command.
pub(crate) fn is_known(name: &str) -> bool {
    find(name).is_some()
}

/// The names of all commands.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the tests of the commands share.

    use crate::{Kickstart, ParseOptions, Syntax, parse};

    /// Parse a text in a version; the codes of the diagnostics, lints aside.
    pub fn read_as(syntax: Syntax, text: &str) -> (Kickstart, Vec<&'static str>) {
        let options = ParseOptions { syntax: Some(syntax), ..ParseOptions::default() };
        let parsed = parse(text, "test.ks", &options);
        let codes = parsed.diagnostics.iter().map(|d| d.code).filter(|c| !c.starts_with('L')).collect();
        (parsed.kickstart, codes)
    }

    /// Parse a text that must be free of findings.
    pub fn good(text: &str) -> Kickstart {
        let (kickstart, codes) = read_as(Syntax::default(), text);
        assert!(codes.is_empty(), "{text}: {codes:?}");
        kickstart
    }

    /// The lines of a text in their canonical form, without the comments and the boot loader
    /// that are always there.
    pub fn written(syntax: Syntax, text: &str) -> String {
        let (kickstart, codes) = read_as(syntax, text);
        assert!(codes.iter().all(|c| c.starts_with('W')), "{text}: {codes:?}");
        let canonical = kickstart.to_pykickstart(syntax);
        let always = |line: &&str| line.starts_with('#') || *line == "bootloader --location=none" || line.is_empty();
        canonical.lines().filter(|line| !always(line)).map(|line| format!("{line}\n")).collect()
    }

    /// Check the codes that some texts give.
    pub fn check(table: &[(&str, &[&str])]) {
        for (text, expected) in table {
            let (_, codes) = read_as(Syntax::default(), text);
            assert_eq!(&codes, expected, "{text}");
        }
    }

    /// Check the codes that some texts give in some versions.
    pub fn check_versions(table: &[(Syntax, &str, &[&str])]) {
        for (syntax, text, expected) in table {
            let (_, codes) = read_as(*syntax, text);
            assert_eq!(&codes, expected, "{syntax}: {text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_command_is_found() {
        assert!(COMMANDS.iter().all(|(name, _)| find(name).is_some_and(|found| found.0 == *name)));
        for name in ["", "a", "Part", "~", "é", "zzz", "{"] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn option_names_are_unique() {
        for (name, command) in COMMANDS {
            let mut names: Vec<&str> = command.spec.options.iter().flat_map(|o| o.names()).collect();
            assert!(names.iter().all(|n| n.starts_with("--")), "{name}");
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(all, names.len(), "{name}");
        }
    }
}

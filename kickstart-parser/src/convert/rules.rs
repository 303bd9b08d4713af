//! What is gone, and what stands in its place: one row each.
//!
//! What no row speaks of is judged by the parser in the new version, so a row is needed only
//! where something can be done, or better advice be given.

use super::auth;
use super::line::Line;
use super::outcome::Outcome;
use crate::args::spec::{ALL, NO};
use crate::format::quote;
use crate::syntax::{At, Syntax};

/// What a rule does to a line.
enum Act {
    /// The line goes.
    Drop,
    /// The line stays, for nothing takes its place.
    Leave,
    /// An option without a value goes.
    DropFlag(&'static str),
    /// An option goes with its value.
    DropOption(&'static str),
    /// An option has a new name.
    Rename(&'static str, &'static str),
    /// The first word has a new name.
    RenameLine(&'static str),
    /// It takes more than a word.
    With(fn(&mut Line<'_>)),
}

/// One thing that is gone.
struct Rule {
    /// The commands or sections that it was part of.
    names: &'static [&'static str],
    /// The versions that have taken it away, or do nothing about it any more.
    since: At,
    act: Act,
    /// Why that can be done, or what to do instead.
    why: &'static str,
}

const fn rule(names: &'static [&'static str], since: (u8, u8), act: Act, why: &'static str) -> Rule {
    Rule { names, since: At::new(since.0, since.1), act, why }
}

const PARTITION: &[&str] = &["part", "partition"];
const AUTH: &[&str] = &["auth", "authconfig"];
const EVERYWHERE: (u8, u8) = (ALL, ALL);

const RULES: &[Rule] = &[
    // Whole commands.
    rule(&["install"], (8, ALL), Act::Drop, "installing is what happens anyway"),
    rule(&["key"], EVERYWHERE, Act::Drop, "no installation number is asked for any more"),
    rule(&["interactive"], EVERYWHERE, Act::Drop, "what a file leaves open is asked for in any case"),
    rule(&["mouse"], EVERYWHERE, Act::Drop, "mice are found without it"),
    rule(&["langsupport"], EVERYWHERE, Act::Drop, "`lang --addsupport` has taken its place"),
    rule(&["upgrade"], EVERYWHERE, Act::Leave, "an installer does not upgrade; upgrade the running system"),
    rule(&["autostep"], (9, ALL), Act::Drop, "there are no steps to go through by themselves"),
    rule(&["deviceprobe"], (8, ALL), Act::Drop, "hardware is always probed"),
    rule(&["dmraid"], (8, ALL), Act::Drop, "firmware RAID is found without it"),
    rule(&["multipath"], (8, ALL), Act::Drop, "multipath devices are found without it"),
    rule(&["unsupported_hardware"], (8, ALL), Act::Drop, "no question is asked about unsupported hardware"),
    rule(
        &["device"],
        (8, ALL),
        Act::Leave,
        "drivers are loaded by themselves; module options belong on the kernel command line \
         (`bootloader --append=\"MODULE.OPTION=VALUE\"`), other drivers into `driverdisk`",
    ),
    rule(&["btrfs"], (8, NO), Act::Leave, "RHEL has no Btrfs; use `part`, or `volgroup` and `logvol`, with xfs"),
    rule(&["nvdimm"], (10, 40), Act::Leave, "set up namespaces with `ndctl` in %pre; after that they are disks"),
    rule(&["module"], (10, 41), Act::Leave, "there are no modules any more; name the packages in %packages"),
    rule(AUTH, (10, ALL), Act::With(auth::convert), ""),
    rule(&["vnc"], (10, 43), Act::With(vnc), ""),
    rule(&["method"], EVERYWHERE, Act::With(method), ""),
    // Sections.
    rule(&["%traceback"], (9, ALL), Act::RenameLine("%onerror"), "`%onerror` is the new name of `%traceback`"),
    rule(&["%packages"], (9, 40), Act::Rename("--instLangs", "--inst-langs"), "another spelling"),
    rule(&["%packages"], (9, 40), Act::Rename("--excludeWeakdeps", "--exclude-weakdeps"), "another spelling"),
    rule(&["%packages"], (8, ALL), Act::DropFlag("--nobase"), "the group `base` is not installed by itself any more"),
    // Options.
    rule(&["timezone"], (10, 40), Act::With(utc), ""),
    rule(&["timezone"], (10, 40), Act::With(time_servers), ""),
    rule(PARTITION, (8, ALL), Act::DropFlag("--active"), "the boot loader's partition is marked by itself"),
    rule(&["bootloader"], (8, ALL), Act::DropFlag("--upgrade"), "the boot loader is always installed anew"),
    rule(&["bootloader"], EVERYWHERE, Act::DropFlag("--linear"), "it was about LILO"),
    rule(&["bootloader"], EVERYWHERE, Act::DropFlag("--nolinear"), "it was about LILO"),
    rule(&["bootloader"], EVERYWHERE, Act::DropFlag("--useLilo"), "there is no LILO"),
    rule(&["bootloader"], EVERYWHERE, Act::DropFlag("--lba32"), "it was about LILO"),
    rule(
        &["ignoredisk"],
        (8, ALL),
        Act::DropFlag("--interactive"),
        "disks are chosen in the installer if none are named",
    ),
    rule(&["logging"], (9, ALL), Act::DropOption("--level"), "everything is logged"),
    rule(&["repo"], (9, ALL), Act::DropOption("--ignoregroups"), "groups of every repository count"),
    rule(&["harddrive"], (9, ALL), Act::With(bios_partition), ""),
    rule(&["driverdisk"], EVERYWHERE, Act::DropOption("--type"), "the file system is found out"),
    rule(&["firewall"], EVERYWHERE, Act::Rename("--high", "--enabled"), "there is one level"),
    rule(&["firewall"], EVERYWHERE, Act::Rename("--medium", "--enabled"), "there is one level"),
    rule(&["zfcp"], EVERYWHERE, Act::DropOption("--scsiid"), "the id is found out"),
    rule(&["zfcp"], EVERYWHERE, Act::DropOption("--scsilun"), "the LUN is found out"),
    rule(&["xconfig"], EVERYWHERE, Act::DropFlag("--noprobe"), "graphics are configured by themselves"),
    rule(&["xconfig"], EVERYWHERE, Act::With(xconfig), ""),
];

/// Applies every rule that fits a line on its way to the version `to`.
pub(super) fn apply(line: &mut Line<'_>, to: Syntax) {
    let name = line.name().to_owned();
    for rule in RULES.iter().filter(|rule| rule.names.contains(&name.as_str()) && to.reached(rule.since)) {
        rule.apply(line);
    }
}

impl Rule {
    fn apply(&self, line: &mut Line<'_>) {
        match self.act {
            Act::Drop => {
                line.say(Outcome::Converted, format!("`{}` is gone: {}", line.name(), self.why));
                line.drop();
            }
            Act::Leave => line.say(Outcome::Left, format!("`{}` is gone: {}", line.name(), self.why)),
            Act::DropFlag(option) => drop_option(line, option, false, self.why),
            Act::DropOption(option) => drop_option(line, option, true, self.why),
            Act::Rename(old, new) => rename(line, old, new, self.why),
            Act::RenameLine(new) => {
                if let Some(first) = line.words.first().map(|w| w.span.range()) {
                    line.replace(first, new);
                    line.say(Outcome::Converted, self.why);
                }
            }
            Act::With(change) => change(line),
        }
    }
}

fn drop_option(line: &mut Line<'_>, option: &str, takes_value: bool, why: &str) {
    let found = line.find(option, takes_value);
    if found.is_empty() {
        return;
    }
    for found in found {
        line.remove(found.range);
    }
    line.say(Outcome::Converted, format!("`{option}` is gone: {why}"));
    // Of these, nothing is left to say. A bare `xconfig` or `%packages` says something.
    if matches!(line.name(), "ignoredisk" | "logging") {
        line.drop_if_bare();
    }
}

fn rename(line: &mut Line<'_>, old: &str, new: &str, why: &str) {
    for found in line.find(old, false) {
        line.replace(found.name, new);
        line.say(Outcome::Converted, format!("`{old}` is now `{new}`: {why}"));
    }
}

/// `--isUtc` was always the same as `--utc`.
fn utc(line: &mut Line<'_>) {
    let known = line.find("--utc", false).len();
    for (n, found) in line.find("--isUtc", false).into_iter().enumerate() {
        if known + n == 0 {
            line.replace(found.range, "--utc")
        } else {
            line.remove(found.range)
        }
        line.say(Outcome::Converted, "`--isUtc` is now `--utc`");
    }
}

/// Time servers have a command of their own.
fn time_servers(line: &mut Line<'_>) {
    let (servers, none) = (line.find("--ntpservers", true), line.find("--nontp", false));
    if servers.is_empty() && none.is_empty() {
        return;
    }
    if !none.is_empty() {
        line.add("timesource --ntp-disable".to_owned());
        line.say(Outcome::Converted, "`--nontp` is now `timesource --ntp-disable`");
    }
    // The last one counts.
    if let Some(list) = servers.last().and_then(|s| s.value.clone()) {
        for server in list.split(',').map(str::trim).filter(|s| !s.is_empty()) {
            line.add(format!("timesource --ntp-server={}", quote::tail(server)));
        }
        line.say(Outcome::Converted, "`--ntpservers` is now `timesource --ntp-server`, one line each");
    }
    for found in servers.into_iter().chain(none) {
        line.remove(found.range);
    }
    line.drop_if_bare();
}

/// Remote desktops speak another protocol now.
fn vnc(line: &mut Line<'_>) {
    if line.has("--host") || line.has("--port") {
        let why =
            "`vnc` is gone, and `rdp` does not connect to a waiting viewer; use `rdp` and connect to the installer";
        return line.say(Outcome::Left, why);
    }
    match line.find("--password", true).pop().and_then(|p| p.value) {
        Some(password) => line.rewrite(&["rdp", &format!("--password={password}")]),
        None => line.rewrite(&["rdp"]),
    }
    line.say(Outcome::Converted, "`vnc` is now `rdp`: use an RDP client, and add `--username` or be asked for it");
}

/// `method url --url=…` is `url --url=…`.
fn method(line: &mut Line<'_>) {
    let is_source = |w: &str| matches!(w, "cdrom" | "harddrive" | "nfs" | "url");
    let ranges = line.words.first().zip(line.words.get(1)).filter(|(_, source)| is_source(&source.value));
    match ranges.map(|(method, source)| method.span.range().start..source.span.range().start) {
        Some(range) => {
            line.replace(range, "");
            line.say(Outcome::Converted, "`method` is gone: the source is a command by itself");
        }
        None => line.say(Outcome::Left, "`method` is gone: use `url`, `nfs`, `harddrive` or `cdrom`"),
    }
}

/// BIOS numbers of disks mean nothing to a kernel.
fn bios_partition(line: &mut Line<'_>) {
    if !line.has("--partition") && line.has("--biospart") {
        return line.say(Outcome::Left, "`--biospart` is gone: name the partition with `--partition`");
    }
    drop_option(line, "--biospart", true, "`--partition` says which one it is");
}

fn xconfig(line: &mut Line<'_>) {
    const GONE: &[&str] =
        &["--server", "--card", "--hsync", "--monitor", "--vsync", "--driver", "--depth", "--resolution", "--videoram"];
    for option in GONE {
        drop_option(line, option, true, "graphics are configured by themselves");
    }
}
